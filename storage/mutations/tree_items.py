"""Mutations of items: put, remove, copy, move. Who calls them holds the tree (``Txn.hold``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound, RuleBroken
from folkmoot.storage.gate import Need, OnCollection, OnItem
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.beside import BESIDE
from folkmoot.storage.mutations.bodies import insert_body
from folkmoot.storage.mutations.links import item_changed, item_moved, item_removed
from folkmoot.storage.mutations.naming import bury_item, check_name, forget, name_item
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_sharing import DROP_FOLDER
from folkmoot.storage.types_tree import PRIVATE, CalendarRow, CardRow, Item, ItemContent
from folkmoot.storage.views.sight import ITEM, compared, hides

_INSERT = Statement(
    "INSERT INTO items (folder_id, name, shown, modseq, created, modified, size, etag, media_type,"
    " blob_id, component, schedule_tag, creator, privacy, asked) VALUES (:folder, :name, :shown,"
    " :modseq, :created, :modified, :size, :etag, :media_type, :blob, :component, :schedule_tag,"
    " :creator, :privacy, :asked) RETURNING id"
)
_REPLACE = Statement(
    "UPDATE items SET modseq = :modseq, modified = :modified,"
    " created = COALESCE(:created, created), size = :size, etag = :etag,"
    " media_type = :media_type, blob_id = :blob,"
    " component = :component, schedule_tag = :schedule_tag, privacy = :privacy,"
    " asked = CASE WHEN creator = :creator THEN asked ELSE '' END, creator = :creator"
    " WHERE id = :id"
)
_DELETE = Statement("DELETE FROM items WHERE id = :id")
_BY_ID = Statement(f"SELECT {ITEM} FROM items i WHERE i.id = :id AND i.folder_id = :folder")  # noqa: S608
_DELETE_PROPERTIES = Statement(
    "DELETE FROM properties WHERE folder_id = :folder AND item_id = :item"
)
_MOVE_PROPERTIES = Statement(
    "UPDATE properties SET folder_id = :target WHERE folder_id = :folder AND item_id = :item"
)
_COPY_PROPERTIES = Statement(
    "INSERT INTO properties (folder_id, item_id, name, value)"
    " SELECT CAST(:target AS BIGINT), CAST(:copy AS BIGINT), name, value FROM properties"
    " WHERE folder_id = :folder AND item_id = :item"
)
_MOVE = Statement(
    "UPDATE items SET folder_id = :target, name = :name, shown = :shown, modseq = :modseq,"
    " creator = :creator, asked = CASE WHEN :keeps = 0 THEN :asked WHEN asked <> '' THEN asked"
    " ELSE name END WHERE id = :id"
)
_TOUCH = Statement(
    "UPDATE items SET modseq = :modseq, modified = COALESCE(:modified, modified),"
    " created = COALESCE(:created, created) WHERE id = :id"
)

# --- what lies beside items of calendars and address books ----------------------------------------


def _upsert(table: str, columns: Sequence[str]) -> Statement:
    values = ", ".join(f":{name}" for name in columns)
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return Statement(
        f"INSERT INTO {table} (item_id, folder_id, {', '.join(columns)})"  # noqa: S608
        f" VALUES (:item, :folder, {values}) ON CONFLICT (item_id) DO UPDATE SET {changes}"
    )


def _copy_beside(table: str, columns: Sequence[str]) -> Statement:
    names = ", ".join(columns)
    return Statement(
        f"INSERT INTO {table} (item_id, folder_id, {names})"  # noqa: S608
        f" SELECT CAST(:copy AS BIGINT), CAST(:target AS BIGINT), {names}"
        f" FROM {table} WHERE item_id = :item"
    )


_PUT_BESIDE = {tool: _upsert(*beside) for tool, beside in BESIDE.items()}
_COPY_BESIDE = {tool: _copy_beside(*beside) for tool, beside in BESIDE.items()}
_UID_TAKEN = {
    Tool.CALENDAR: Statement(
        "SELECT i.shown, i.creator, i.privacy FROM calendar_objects o"
        " JOIN items i ON i.id = o.item_id"
        " WHERE o.folder_id = :folder AND o.uid = :uid AND o.item_id <> :item"
    ),
    Tool.CONTACTS: Statement(
        "SELECT i.shown, i.creator, i.privacy FROM contact_cards o JOIN items i ON i.id = o.item_id"
        " WHERE o.folder_id = :folder AND o.uid = :uid AND o.item_id <> :item"
    ),
}
_UID_OF = {
    Tool.CALENDAR: Statement("SELECT uid FROM calendar_objects WHERE item_id = :item"),
    Tool.CONTACTS: Statement("SELECT uid FROM contact_cards WHERE item_id = :item"),
}
_MOVE_BESIDE = {
    Tool.CALENDAR: Statement(
        "UPDATE calendar_objects SET folder_id = :target WHERE item_id = :item"
    ),
    Tool.CONTACTS: Statement("UPDATE contact_cards SET folder_id = :target WHERE item_id = :item"),
}
_IS_BUSY = Statement("SELECT 1 FROM calendar_objects WHERE item_id = :item AND busy IS NOT NULL")
_COMPONENTS = Statement("SELECT components FROM collections WHERE id = :id")


def _check_uid(
    context: ReadContext, tool: Tool, folder_id: int, uid: str | None, item_id: int
) -> None:
    # rfc4791#5.3.2.1, rfc6352#6.3.2.1: one UID is one member of a collection
    if uid is None:
        return
    row = context.db.one(_UID_TAKEN[tool], folder=folder_id, uid=uid, item=item_id)
    if row is not None:
        name = "" if hides(context, folder_id, *row[1:]) else row[0]
        raise RuleBroken(
            "Another entry here has this UID already.", rule="no-uid-conflict", name=name
        )


def _check_same_uid(context: ReadContext, old: Item, new: ItemContent) -> None:
    # rfc4791#5.3.2.1, rfc6352#6.3.2.1: nor does a member become another one. Not so where the
    # client names none and has been given one.
    if new.facts is None or new.changed:
        return
    tool = context.facts(old.folder_id).tool
    row = context.db.one(_UID_OF[tool], item=old.id)
    if row is not None and row[0] != new.facts.uid:
        raise RuleBroken("The entry here has another UID.", rule="no-uid-conflict", name=old.name)


def _check_component(context: ReadContext, folder_id: int, component: str) -> None:
    taken: str = context.db.value(_COMPONENTS, id=folder_id)
    if taken and component not in taken.split():
        raise RuleBroken(
            "This calendar does not take such entries.", rule="supported-calendar-component"
        )


def _store_beside(context: WriteContext, folder_id: int, item_id: int, new: ItemContent) -> None:
    """Write the row that queries need; refuses what the collection cannot hold."""
    match new.facts:
        case CalendarRow() as row:
            _check_component(context, folder_id, new.component)
            tool = Tool.CALENDAR
        case CardRow() as row:
            tool = Tool.CONTACTS
        case None:
            return
    _check_uid(context, tool, folder_id, row.uid, item_id)
    values = {name: getattr(row, name) for name in BESIDE[tool][1]}
    context.db.run(_PUT_BESIDE[tool], item=item_id, folder=folder_id, **values)


def _insert_item(context: WriteContext, item: Item, asked: str) -> Item:
    """Insert the row of an item; returns it with the number that it got."""
    id_: int = context.db.value(
        _INSERT,
        folder=item.folder_id,
        name=compared(item.name),
        shown=item.name,
        modseq=item.modseq,
        created=item.created,
        modified=item.modified,
        size=item.size,
        etag=item.etag,
        media_type=item.media_type,
        blob=item.blob_id,
        component=item.component,
        schedule_tag=item.schedule_tag,
        creator=item.creator,
        privacy=item.privacy,
        asked=asked,
    )
    return item._replace(id=id_)


def _frees(context: ReadContext, old: Item, new: ItemContent) -> bool:
    """Whether an item that made its owner busy does so no more."""
    if not isinstance(new.facts, CalendarRow) or new.facts.busy is not None:
        return False
    return context.db.one(_IS_BUSY, item=old.id) is not None


def _item(context: ReadContext, item: Item) -> Item:
    """The item as it is now. Raises ``NotFound``."""
    row = context.db.one(_BY_ID, id=item.id, folder=item.folder_id)
    if row is None:
        raise NotFound
    return Item(*row)


@dataclass(frozen=True, slots=True)
class CreateItem(Mutation[Item]):
    """Add an item to a folder. Raises ``AlreadyExists``, ``InvalidName``, ``RuleBroken``."""

    folder_id: int
    name: str
    content: ItemContent

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.INSERT)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        facts = context.facts(self.folder_id)
        return [Charge(facts.space_id, facts.tool, self.content.size, 1, self.content.size)]

    def write(self, context: WriteContext) -> Item:
        new, now = self.content, context.now
        name, asked = name_item(context, self.folder_id, self.name)
        modseq = context.number(self.folder_id, items=1, size=new.size)
        made = _insert_item(
            context,
            Item(
                0,
                self.folder_id,
                name,
                modseq,
                now if new.created is None else new.created,
                now if new.modified is None else new.modified,
                new.size,
                new.etag,
                new.media_type,
                insert_body(context, new),
                new.component,
                new.schedule_tag,
                context.actor.account_id,
                new.privacy,
            ),
            asked,
        )
        _store_beside(context, self.folder_id, made.id, new)
        return made._replace(name=self.name)


@dataclass(frozen=True, slots=True)
class ReplaceItem(Mutation[Item]):
    """Give an item other content; its name and properties stay. Raises ``RuleBroken``."""

    item: Item
    content: ItemContent

    def needs(self) -> Sequence[Need]:
        return [OnItem(self.item.folder_id, self.item.id, Right.EDIT)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        facts = context.facts(self.item.folder_id)
        more = self.content.size - _item(context, self.item).size
        return [Charge(facts.space_id, facts.tool, more, 0, self.content.size)]

    def write(self, context: WriteContext) -> Item:
        old, new = _item(context, self.item), self.content
        _check_same_uid(context, old, new)
        creator = self._creator(context, old)
        leaves = (new.privacy == PRIVATE != old.privacy) or creator != old.creator
        leaves = leaves or _frees(context, old, new)
        modseq = context.number(old.folder_id, 1 + leaves, size=new.size - old.size)
        if leaves:
            forget(context, old.folder_id, modseq - 1, old.name, old.creator, old.privacy, old.id)
        context.db.run(
            _REPLACE,
            id=old.id,
            modseq=modseq,
            modified=context.now if new.modified is None else new.modified,
            created=new.created,
            size=new.size,
            etag=new.etag,
            media_type=new.media_type,
            blob=insert_body(context, new),
            component=new.component,
            schedule_tag=new.schedule_tag,
            privacy=new.privacy,
            creator=creator,
        )
        _store_beside(context, old.folder_id, old.id, new)
        item_changed(context, old.folder_id, old.id)
        return _item(context, old)._replace(name=self.item.name)

    def _creator(self, context: ReadContext, old: Item) -> int:
        """Who has put it there from now on: a file and a contact are of who wrote them last. An
        event stays that of who made it, or of who makes it private."""
        me = context.actor.account_id
        stays = context.facts(old.folder_id).tool is Tool.CALENDAR
        return old.creator if not me or (stays and self.content.privacy <= old.privacy) else me


@dataclass(frozen=True, slots=True)
class RemoveItem(Mutation[None]):
    """Remove an item with what was set on it."""

    item: Item

    def needs(self) -> Sequence[Need]:
        return [OnItem(self.item.folder_id, self.item.id, Right.DELETE)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        facts = context.facts(self.item.folder_id)
        return [Charge(facts.space_id, facts.tool, -_item(context, self.item).size, -1)]

    def write(self, context: WriteContext) -> None:
        item = _item(context, self.item)
        item_removed(context, item.folder_id, item.id)
        modseq = context.number(item.folder_id, items=-1, size=-item.size)
        context.db.run(_DELETE_PROPERTIES, folder=item.folder_id, item=item.id)
        bury_item(context, item, modseq)
        context.db.run(_DELETE, id=item.id)


@dataclass(frozen=True, slots=True)
class CopyItem(Mutation[None]):
    """Add the same content and properties under another name or in another folder of the tool.

    Raises ``AlreadyExists``, ``InvalidName``, ``RuleBroken``.
    """

    item: Item
    target_id: int
    name: str

    def needs(self) -> Sequence[Need]:
        return [
            OnItem(self.item.folder_id, self.item.id, Right.READ),
            OnCollection(self.target_id, Right.INSERT),
        ]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        facts = context.facts(self.target_id)
        size = _item(context, self.item).size
        return [Charge(facts.space_id, facts.tool, size, 1, size)]

    def write(self, context: WriteContext) -> None:
        item = _item(context, self.item)
        tool = same_tool(context, item.folder_id, self.target_id)
        name, asked = name_item(context, self.target_id, self.name)
        _check_member(context, tool, item, self.target_id, 0)
        modseq = context.number(self.target_id, items=1, size=item.size)
        copy = _insert_item(
            context,
            item._replace(
                folder_id=self.target_id,
                name=name,
                modseq=modseq,
                created=context.now,
                creator=context.actor.account_id,
            ),
            asked,
        ).id
        where = {"folder": item.folder_id, "item": item.id, "target": self.target_id, "copy": copy}
        context.db.run(_COPY_PROPERTIES, **where)
        if tool in _COPY_BESIDE:
            context.db.run(_COPY_BESIDE[tool], item=item.id, target=self.target_id, copy=copy)


@dataclass(frozen=True, slots=True)
class MoveItem(Mutation[None]):
    """Give an item another name or folder of the same tool; its properties go along.

    Raises ``AlreadyExists``, ``InvalidName``, ``RuleBroken``.
    """

    item: Item
    target_id: int
    name: str

    def needs(self) -> Sequence[Need]:
        return [
            OnItem(self.item.folder_id, self.item.id, Right.READ | Right.DELETE),
            OnCollection(self.target_id, Right.INSERT),
        ]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        source, target = context.facts(self.item.folder_id), context.facts(self.target_id)
        if source.space_id == target.space_id:
            return ()
        size = _item(context, self.item).size
        return [
            Charge(source.space_id, source.tool, -size, -1),
            Charge(target.space_id, target.tool, size, 1, size),
        ]

    def write(self, context: WriteContext) -> None:
        item = _item(context, self.item)
        tool = same_tool(context, item.folder_id, self.target_id)
        stays = item.folder_id == self.target_id
        if stays and compared(item.name) == compared(self.name):
            check_name(self.name)
            name, asked = self.name, ""
        else:
            name, asked = name_item(context, self.target_id, self.name)
        _check_member(context, tool, item, self.target_id, item.id)
        gone = context.number(item.folder_id, items=-1, size=-item.size)
        modseq = context.number(self.target_id, items=1, size=item.size)
        context.db.run(
            _MOVE,
            id=item.id,
            target=self.target_id,
            name=compared(name),
            shown=name,
            modseq=modseq,
            asked=asked,
            **self._of_creator(context, item),
        )
        context.db.run(_MOVE_PROPERTIES, target=self.target_id, folder=item.folder_id, item=item.id)
        if tool in _MOVE_BESIDE and not stays:
            context.db.run(_MOVE_BESIDE[tool], target=self.target_id, item=item.id)
        bury_item(context, item, gone)
        if context.facts(item.folder_id).space_id == context.facts(self.target_id).space_id:
            item_moved(context, item.folder_id, item.id, self.target_id, item.id)
        else:
            item_removed(context, item.folder_id, item.id)

    def _of_creator(self, context: ReadContext, item: Item) -> dict[str, int]:
        """Who has put it there now, and whether they go on to find it by the name that they gave:
        what others do with it in a drop folder changes nothing for them."""
        source, target = context.facts(item.folder_id), context.facts(self.target_id)
        me, stays = context.actor.account_id, source.id == target.id
        dropped = target.special == DROP_FOLDER
        comes = source.space_id != target.space_id or (dropped and not stays)
        creator = me if comes else item.creator
        return {"creator": creator, "keeps": int(dropped and stays and item.creator not in (0, me))}


@dataclass(frozen=True, slots=True)
class TouchItem(Mutation[None]):
    """Give an item a new number, and times where they are given: a property of it changed."""

    item: Item
    modified: int | None = None
    created: int | None = None

    def needs(self) -> Sequence[Need]:
        return [OnItem(self.item.folder_id, self.item.id, Right.EDIT)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        item = _item(context, self.item)
        modseq = context.number(item.folder_id)
        context.db.run(
            _TOUCH,
            id=item.id,
            modseq=modseq,
            modified=self.modified,
            created=self.created,
        )
        item_changed(context, item.folder_id, item.id)


def same_tool(context: ReadContext, source_id: int, target_id: int) -> Tool:
    """The tool of both folders. Raises ``RuleBroken`` where they are of different ones."""
    tool = context.facts(source_id).tool
    if context.facts(target_id).tool is not tool:
        raise RuleBroken("A calendar, an address book and a folder hold different things.")
    return tool


def _check_member(
    context: ReadContext, tool: Tool, item: Item, target_id: int, item_id: int
) -> None:
    """Whether an item that is there already may be in a folder too, or instead."""
    if tool is Tool.CALENDAR:
        _check_component(context, target_id, item.component)
    if tool in _UID_OF:
        row = context.db.one(_UID_OF[tool], item=item.id)
        _check_uid(context, tool, target_id, row[0] if row else None, item_id)
