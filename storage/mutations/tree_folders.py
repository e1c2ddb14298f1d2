"""Mutations of folders: make, remove, copy, move. Who calls them holds the tree (``Txn.hold``).

What lies below a folder is walked by one recursive query, and copied or removed by statements over
sets: the work does not grow by round trips with the number of items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    Conflict,
    InvalidName,
    LimitReached,
    NotFound,
    PermissionDenied,
    RuleBroken,
    Unchangeable,
)
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.beside import BESIDE
from folkmoot.storage.mutations.links import collection_removed
from folkmoot.storage.mutations.naming import bury, check_free, check_name
from folkmoot.storage.mutations.tree_items import same_tool
from folkmoot.storage.mutations.tree_properties import check_key, check_room
from folkmoot.storage.policy import Charge
from folkmoot.storage.sight import Sight
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Right, Tool, Topic
from folkmoot.storage.types_sharing import DROP_FOLDER
from folkmoot.storage.types_tree import DEFAULT, Folder, NewFolder
from folkmoot.storage.views.sight import (
    by_sight,
    compared,
    held_open,
    how_seen,
    without_kept,
)
from folkmoot.storage.views.tree_below import Below, below

MAX_DEPTH = 50
MAX_FOLDERS = 50_000  # in one tool of a space

_PARENT = Statement("SELECT parent_id FROM collections WHERE id = :id")
_INSERT = Statement(
    "INSERT INTO collections (space_id, tool, parent_id, name, shown, special_use, modseq,"
    " uidvalidity, uidnext, member_modseq, created, modified, components)"
    " VALUES (:space, :tool, :parent, :name, :shown, :use, 1, 0, 1, :number, :created, :modified,"
    " :components) RETURNING id"
)
_COUNT = Statement(
    "SELECT COUNT(*) FROM collections WHERE space_id = :space AND tool = :tool"
    " AND parent_id IS NOT NULL"
)
_PROPERTY = Statement(
    "INSERT INTO properties (folder_id, item_id, name, value) VALUES (:folder, 0, :name, :value)"
)
_PLACE = Statement("SELECT parent_id, shown, special_use FROM collections WHERE id = :id")
_DELETE = (
    Statement("DELETE FROM locks WHERE folder_id = :id"),
    Statement("DELETE FROM properties WHERE folder_id = :id"),
    Statement("DELETE FROM tombstones WHERE folder_id = :id"),
    Statement("DELETE FROM items WHERE folder_id = :id"),
    Statement("DELETE FROM collections WHERE id = :id"),
)
_UNLOCK = Statement("DELETE FROM locks WHERE folder_id = :id")
_MOVE = Statement(
    "UPDATE collections SET parent_id = :parent, name = :name, shown = :shown,"
    " member_modseq = :number WHERE id = :id"
)
# What a folder was for in its old space, something else is for in the new one.
_GIVE = Statement("UPDATE collections SET space_id = :space, special_use = '' WHERE id = :id")
_COPY_FOLDER_PROPERTIES = Statement(
    "INSERT INTO properties (folder_id, item_id, name, value)"
    " SELECT CAST(:copy AS BIGINT), 0, name, value FROM properties"
    " WHERE folder_id = :id AND item_id = 0"
)
# What is not seen as it is, is not copied.
_COPY_ITEMS = by_sight(
    "INSERT INTO items (folder_id, name, shown, modseq, created, modified, size, etag, media_type,"
    " blob_id, component, schedule_tag, creator, privacy)"
    " SELECT CAST(:copy AS BIGINT), i.name, i.shown, 1 + ROW_NUMBER() OVER (ORDER BY i.name),"
    " CAST(:now AS BIGINT), i.modified, i.size, i.etag, i.media_type, i.blob_id, i.component,"
    " i.schedule_tag, CAST(:me AS BIGINT), i.privacy FROM items i WHERE i.folder_id = :id{open}"
)
_COPY_PROPERTIES = Statement(
    "INSERT INTO properties (folder_id, item_id, name, value)"
    " SELECT b.folder_id, b.id, o.name, o.value FROM properties o"
    " JOIN items a ON a.id = o.item_id"
    " JOIN items b ON b.folder_id = :copy AND b.name = a.name"
    " WHERE o.folder_id = :id AND o.item_id > 0"
)


def _copy_beside(table: str, columns: Sequence[str]) -> Statement:
    names = ", ".join(f"o.{name}" for name in columns)
    return Statement(
        f"INSERT INTO {table} (item_id, folder_id, {', '.join(columns)})"  # noqa: S608
        f" SELECT b.id, b.folder_id, {names} FROM {table} o JOIN items a ON a.id = o.item_id"
        " JOIN items b ON b.folder_id = :copy AND b.name = a.name WHERE o.folder_id = :id"
    )


_COPY_BESIDE = {tool: _copy_beside(*beside) for tool, beside in BESIDE.items()}


def insert_folder(
    context: WriteContext,
    space_id: int,
    tool: Tool,
    parent_id: int,
    name: str,
    number: int,
    *,
    special_use: str = "",
    components: Sequence[str] = (),
    modified: int | None = None,
) -> int:
    """Insert the row of a folder; returns its id. The caller has checked the name and the gate."""
    created: int = context.db.value(
        _INSERT,
        space=space_id,
        tool=tool.value,
        parent=parent_id,
        name=compared(name),
        shown=name,
        use=special_use,
        number=number,
        created=context.now,
        modified=context.now if modified is None else modified,
        components=" ".join(components),
    )
    return created


def insert_properties(context: WriteContext, folder_id: int, values: Mapping[str, str]) -> None:
    """Set the first properties of a folder. Raises ``LimitReached``."""
    for name, value in values.items():
        check_key(name)
        context.db.run(_PROPERTY, folder=folder_id, name=name, value=value)
    check_room(context, folder_id, 0)


def _check_room(context: ReadContext, space_id: int, tool: Tool, more: int) -> None:
    if context.db.value(_COUNT, space=space_id, tool=tool.value) + more > MAX_FOLDERS:
        raise LimitReached("There are too many folders.")


def _depth(context: ReadContext, folder_id: int) -> int:
    """How many levels a folder lies below its root."""
    depth, parent = -1, folder_id
    while parent is not None:
        depth += 1
        parent = context.db.value(_PARENT, id=parent)
    return depth


def _check_place(context: ReadContext, tool: Tool, parent_id: int, height: int) -> None:
    """Whether a folder with so many levels below it may be a member of another one."""
    depth = _depth(context, parent_id)
    # Calendars and address books hold no further collections. # rfc4791#4.2, rfc6352#5.2
    if tool is not Tool.DOCUMENTS and depth + height > 0:
        kind = "calendar" if tool is Tool.CALENDAR else "addressbook"
        raise RuleBroken(
            "Calendars and address books cannot hold further ones.",
            rule=f"{kind}-collection-location-ok",
        )
    if depth + height + 1 > MAX_DEPTH:
        raise InvalidName("There are too many levels.")


def _check_movable(context: ReadContext, folder_id: int, *, leaves: bool) -> tuple[int, str]:
    """(parent, name) of a folder that may move; ``leaves`` its space, or goes away.

    Raises ``Unchangeable``, ``RuleBroken``.
    """
    row = context.db.one(_PLACE, id=folder_id)
    if row is None:
        raise NotFound
    parent_id, name, use = row
    if parent_id is None:
        raise Unchangeable
    if use.startswith("schedule-"):
        raise Unchangeable("Invitations arrive here; it cannot be removed.")
    # rfc6638#4.3.1.1: there must be a calendar that takes invitations
    if leaves and use == DROP_FOLDER:
        raise Unchangeable("Others put files here; it cannot be removed.")
    if leaves and use == DEFAULT and context.facts(folder_id).tool is Tool.CALENDAR:
        raise RuleBroken(
            "This calendar takes invitations; it cannot be removed.", rule="default-calendar-needed"
        )
    return parent_id, name


def _check_stays(found: Below) -> None:
    """Refuse to take a drop folder away. Raises ``Unchangeable``."""
    if any(folder.special_use == DROP_FOLDER for folder in found.folders):
        raise Unchangeable("Others put files into a folder in it; that cannot be removed.")


def _check_open(context: ReadContext, found: Below) -> None:
    """Refuse to touch what the actor does not see. Raises ``PermissionDenied``."""
    for folder in found.folders:
        limited = how_seen(context, folder.id) in (Sight.PUBLIC, Sight.BUSY)
        limited = limited or bool(context.kept_back(folder.id))
        if limited and held_open(context, folder.id)[0] < folder.items:
            raise PermissionDenied("There is something in it that is not yours.")


def _charges(context: ReadContext, space_id: int, tool: Tool, found: Below, sign: int) -> Charge:
    if sign < 0:
        return Charge(space_id, tool, -found.size, -found.items)
    held = [held_open(context, id_) for id_ in found.ids]
    items, octets = sum(each[0] for each in held), sum(each[1] for each in held)
    return Charge(space_id, tool, octets, items, max(each[2] for each in held))


def _on_all(folder_id: int, folder_ids: Sequence[int], rights: Right) -> list[Need]:
    """Rights on a folder and on those that are said to lie below it."""
    return [OnCollection(id_, rights) for id_ in dict.fromkeys((folder_id, *folder_ids))]


@dataclass(frozen=True, slots=True)
class CreateFolder(Mutation[int]):
    """Make a folder; returns its id.

    Raises ``AlreadyExists``, ``InvalidName``, ``RuleBroken``, ``LimitReached``.
    """

    parent_id: int
    name: str
    new: NewFolder = field(default_factory=NewFolder)

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.parent_id, Right.CREATE)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> int:
        facts = context.facts(self.parent_id)
        check_name(self.name)
        check_free(context, self.parent_id, self.name)
        _check_place(context, facts.tool, self.parent_id, 0)
        _check_room(context, facts.space_id, facts.tool, 1)
        number = context.number(self.parent_id)
        created = insert_folder(
            context,
            facts.space_id,
            facts.tool,
            self.parent_id,
            self.name,
            number,
            components=self.new.components,
        )
        insert_properties(context, created, self.new.properties)
        context.hint(Topic.SPACE, facts.space_id)
        return created


@dataclass(frozen=True, slots=True)
class RemoveFolder(Mutation[None]):
    """Remove a folder with all that lies below it. Raises ``Unchangeable``.

    ``folder_ids`` are the folder and all folders below it (``FoldersBelow``): the actor needs the
    rights on each.
    """

    folder_id: int
    folder_ids: tuple[int, ...]

    def needs(self) -> Sequence[Need]:
        return _on_all(self.folder_id, self.folder_ids, Right.REMOVE | Right.DELETE)

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        facts = context.facts(self.folder_id)
        found = below(context, self.folder_id)
        return [_charges(context, facts.space_id, facts.tool, found, -1)]

    def write(self, context: WriteContext) -> None:
        parent_id, name = _check_movable(context, self.folder_id, leaves=True)
        found = below(context, self.folder_id)
        if set(found.ids) != set(self.folder_ids):
            raise Conflict("Something was added meanwhile.")
        _check_stays(found)
        _check_open(context, found)
        for id_ in reversed(found.ids):  # those that lie deepest first
            collection_removed(context, id_)
            for statement in _DELETE:
                context.db.run(statement, id=id_)
            context.hint(Topic.COLLECTION, id_)
        bury(context, parent_id, context.number(parent_id), name)
        context.hint(Topic.SPACE, context.facts(parent_id).space_id)


@dataclass(frozen=True, slots=True)
class CopyFolder(Mutation[None]):
    """Copy a folder, with ``deep`` all that lies below it, to another place of the same tool.

    Raises ``AlreadyExists``, ``InvalidName``, ``Conflict`` (below itself), ``LimitReached``.
    """

    folder: Folder
    folder_ids: tuple[int, ...]
    target_id: int
    name: str
    deep: bool = True

    def needs(self) -> Sequence[Need]:
        sources = _on_all(self.folder.id, self.folder_ids, Right.READ)
        return [*sources, OnCollection(self.target_id, Right.CREATE | Right.INSERT)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        if not self.deep:
            return ()
        facts = context.facts(self.target_id)
        return [_charges(context, facts.space_id, facts.tool, below(context, self.folder.id), 1)]

    def write(self, context: WriteContext) -> None:
        facts = context.facts(self.target_id)
        tool = same_tool(context, self.folder.id, self.target_id)
        check_name(self.name)
        check_free(context, self.target_id, self.name)
        found = below(context, self.folder.id)
        if self.target_id in found.ids and self.deep:
            raise Conflict("A folder cannot be copied into itself.")
        if self.deep and not set(found.ids) <= set(self.folder_ids):
            raise Conflict("Something was added meanwhile.")
        _check_place(context, tool, self.target_id, found.height if self.deep else 0)
        _check_room(context, facts.space_id, tool, len(found.ids) if self.deep else 1)
        copies: dict[int, int] = {}
        for source in found.folders if self.deep else found.folders[:1]:
            parent = copies.get(source.parent_id or 0, self.target_id)
            number = context.number(parent)
            name = source.name if copies else self.name
            copies[source.id] = insert_folder(
                context,
                facts.space_id,
                tool,
                parent,
                name,
                number,
                components=source.components,
                modified=source.modified,
            )
            self._fill(context, tool, source, copies[source.id])
        context.hint(Topic.SPACE, facts.space_id)

    def _fill(self, context: WriteContext, tool: Tool, source: Folder, copy: int) -> None:
        db = context.db
        db.run(_COPY_FOLDER_PROPERTIES, id=source.id, copy=copy)
        if not self.deep or not source.items:
            return
        items, size, _ = held_open(context, source.id)
        if not items:
            return
        how, me = how_seen(context, source.id) or Sight.ALL, context.actor.account_id
        statement = without_kept(context, source.id, _COPY_ITEMS[how])
        db.run(statement, id=source.id, copy=copy, now=context.now, me=me)
        context.number(copy, items, items=items, size=size)
        db.run(_COPY_PROPERTIES, id=source.id, copy=copy)
        if tool in _COPY_BESIDE:
            db.run(_COPY_BESIDE[tool], id=source.id, copy=copy)


@dataclass(frozen=True, slots=True)
class MoveFolder(Mutation[None]):
    """Give a folder another name or parent; all below it moves along, locks end.

    Raises ``AlreadyExists``, ``InvalidName``, ``Conflict`` (below itself), ``Unchangeable``.
    """

    folder_id: int
    folder_ids: tuple[int, ...]
    target_id: int
    name: str

    def needs(self) -> Sequence[Need]:
        sources = _on_all(self.folder_id, self.folder_ids, Right.REMOVE | Right.DELETE)
        return [*sources, OnCollection(self.target_id, Right.CREATE | Right.INSERT)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        source, target = context.facts(self.folder_id), context.facts(self.target_id)
        if source.space_id == target.space_id:
            return ()
        found = below(context, self.folder_id)
        return [
            _charges(context, source.space_id, source.tool, found, -1),
            _charges(context, target.space_id, target.tool, found, 1),
        ]

    def write(self, context: WriteContext) -> None:
        source, target = context.facts(self.folder_id), context.facts(self.target_id)
        leaves = source.space_id != target.space_id
        parent_id, old = _check_movable(context, self.folder_id, leaves=leaves)
        tool = same_tool(context, self.folder_id, self.target_id)
        found = below(context, self.folder_id)
        if self.target_id in found.ids:
            raise Conflict("A folder cannot be moved into itself.")
        if set(found.ids) != set(self.folder_ids):
            raise Conflict("Something was added meanwhile.")
        check_name(self.name)
        if parent_id != self.target_id or compared(old) != compared(self.name):
            check_free(context, self.target_id, self.name)
        _check_place(context, tool, self.target_id, found.height)
        if leaves:
            _check_stays(found)
            _check_open(context, found)
            _check_room(context, target.space_id, tool, len(found.ids))
        gone = context.number(parent_id)
        context.db.run(
            _MOVE,
            id=self.folder_id,
            parent=self.target_id,
            name=compared(self.name),
            shown=self.name,
            number=context.number(self.target_id),
        )
        for id_ in found.ids:
            context.db.run(_UNLOCK, id=id_)
            if leaves:
                context.db.run(_GIVE, id=id_, space=target.space_id)
                collection_removed(context, id_)  # what one owner shares, the next does not
        bury(context, parent_id, gone, old)
        context.hint(Topic.SPACE, source.space_id)
        context.hint(Topic.SPACE, target.space_id)
