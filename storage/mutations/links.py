"""Links: how single items that are shared with a group are shown in the group's space.

A grant on one item has a *link*: a row of a message or an item in the collection of the group that
is for this (``item_grants``). It shares the body with the original, follows it in the transaction
that changes it, and costs the group nothing. Links are made and ended here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.errors import NotFound, RuleBroken
from folkmoot.storage.mutations.beside import BESIDE
from folkmoot.storage.seen import forget_seen
from folkmoot.storage.txn import Counters, WriteContext
from folkmoot.storage.types import Tool, UidSet
from folkmoot.storage.views.mailboxes import ADDED, REMOVED
from folkmoot.storage.views.sight import compared

_TAKEN = Statement(
    "SELECT 1 FROM collections WHERE parent_id = :parent AND name = :name"
    " UNION ALL SELECT 1 FROM items WHERE folder_id = :parent AND name = :name"
)

# --- messages -------------------------------------------------------------------------------------

_MESSAGE = Statement(
    "INSERT INTO messages (mailbox_id, uid, modseq, flags, keywords, size, internal_date,"
    " internal_zone, saved, blob_id)"
    " SELECT CAST(:link AS BIGINT), CAST(:uid AS BIGINT), CAST(:modseq AS BIGINT), 0, '', size,"
    " internal_date, internal_zone, CAST(:now AS BIGINT), blob_id FROM messages"
    " WHERE mailbox_id = :mailbox AND uid = :original"
)
_SIZE = Statement("SELECT size FROM messages WHERE mailbox_id = :mailbox AND uid = :uid")
_DELETE_MESSAGE = Statement("DELETE FROM messages WHERE mailbox_id = :mailbox AND uid = :uid")

# --- items ----------------------------------------------------------------------------------------

_CONTENT = (
    "created, modified, size, etag, media_type, blob_id, component, schedule_tag, creator, privacy"
)
_NAME = Statement("SELECT shown, size FROM items WHERE id = :id")
_HERE = Statement("SELECT shown, size FROM items WHERE id = :id AND folder_id = :folder")
_ITEM = Statement(
    f"INSERT INTO items (folder_id, name, shown, modseq, {_CONTENT})"  # noqa: S608
    " SELECT CAST(:link AS BIGINT), CAST(:name AS TEXT), CAST(:shown AS TEXT),"
    f" CAST(:modseq AS BIGINT), {_CONTENT} FROM items WHERE id = :id RETURNING id"
)
_REFRESH = Statement(
    f"UPDATE items SET modseq = :modseq, ({_CONTENT}) ="  # noqa: S608
    f" (SELECT {_CONTENT} FROM items o WHERE o.id = :original) WHERE id = :id"
)
_DELETE_ITEM = Statement("DELETE FROM items WHERE id = :id")
_TOMBSTONE = Statement(
    "INSERT INTO tombstones (folder_id, modseq, name, shown)"
    " VALUES (:folder, :modseq, :name, :shown)"
)
_FORGET_PROPERTIES = Statement(
    "DELETE FROM properties WHERE folder_id = :folder AND item_id = :item"
)
_COPY_PROPERTIES = Statement(
    "INSERT INTO properties (folder_id, item_id, name, value)"
    " SELECT CAST(:folder AS BIGINT), CAST(:item AS BIGINT), name, value FROM properties"
    " WHERE folder_id = :from AND item_id = :original"
)


def _put_beside(table: str, columns: Sequence[str]) -> tuple[Statement, Statement]:
    names = ", ".join(columns)
    return (
        Statement(f"DELETE FROM {table} WHERE item_id = :item"),  # noqa: S608
        Statement(
            f"INSERT INTO {table} (item_id, folder_id, {names})"  # noqa: S608
            f" SELECT CAST(:item AS BIGINT), CAST(:folder AS BIGINT), {names}"
            f" FROM {table} WHERE item_id = :original"
        ),
    )


_PUT_BESIDE = {tool: _put_beside(*beside) for tool, beside in BESIDE.items()}
_UID_TAKEN = {
    tool: Statement(
        f"SELECT 1 FROM {table} here JOIN {table} o ON o.uid = here.uid"  # noqa: S608
        " WHERE here.folder_id = :folder AND o.item_id = :original"
    )
    for tool, (table, _) in BESIDE.items()
}

# --- grants ---------------------------------------------------------------------------------------

_GRANT = (
    "SELECT n.id, n.collection_id, n.item, n.link_collection, n.link_item, c.tool FROM grants n"
    " JOIN collections c ON c.id = n.link_collection WHERE n.link_collection > 0"
)
_OF_ITEM = Statement(f"{_GRANT} AND n.collection_id = :collection AND n.item = :item")
_OF_COLLECTION = Statement(f"{_GRANT} AND n.collection_id = :collection ORDER BY n.id")
_END = Statement("DELETE FROM grants WHERE id = :id")
_GRANTED = Statement(
    "SELECT DISTINCT item FROM grants WHERE collection_id = :collection AND item > 0"
)
_FOLLOW = Statement(
    "UPDATE grants SET collection_id = :target, item = :moved"
    " WHERE collection_id = :collection AND item = :item"
)


@dataclass(frozen=True, slots=True)
class Link:
    """Where one grant shows its item: a UID or an item's id in a collection of the group."""

    grant_id: int
    collection_id: int
    item: int
    link_collection: int
    link_item: int
    tool: Tool


def _links(context: WriteContext, statement: Statement, **values: int) -> list[Link]:
    return [
        Link(grant, collection, item, link, link_item, Tool(tool))
        for grant, collection, item, link, link_item, tool in context.db.all(statement, **values)
    ]


# --- making ---------------------------------------------------------------------------------------


def make_link(
    context: WriteContext, link: int, tool: Tool, collection_id: int, item: int, name: str
) -> int:
    """Show an item in a collection (``link``) of a group, by a name of its own or (``""``) the
    one that it has; returns the UID or id there.

    Raises ``NotFound``, ``RuleBroken`` (another one with its UID is shared already).
    """
    if tool is Tool.MAIL:
        return _link_message(context, link, collection_id, item)
    return _link_item(context, link, tool, collection_id, item, name)


def free_name(context: WriteContext, parent: int, name: str) -> str:
    """The name, or with a number where it is taken."""
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    number, free = 1, name
    while context.db.one(_TAKEN, parent=parent, name=compared(free)) is not None:
        number += 1
        free = f"{stem} ({number}){dot}{suffix}"
    return free


def _link_message(context: WriteContext, link: int, mailbox: int, uid: int) -> int:
    row = context.db.one(_SIZE, mailbox=mailbox, uid=uid)
    if row is None:
        raise NotFound
    [size] = row
    bumped = context.bump(link, Counters(uids=1, messages=1, unseen=1, size=size))
    new = bumped.uidnext - 1
    context.db.run(
        _MESSAGE,
        link=link,
        uid=new,
        modseq=bumped.modseq,
        now=context.now,
        mailbox=mailbox,
        original=uid,
    )
    context.changed(link, bumped.modseq, ADDED, UidSet.from_ranges([(new, new)]))
    return new


def _link_item(
    context: WriteContext, link: int, tool: Tool, folder: int, item: int, name: str
) -> int:
    row = context.db.one(_HERE, id=item, folder=folder)
    if row is None:
        raise NotFound
    if tool in _UID_TAKEN and context.db.one(_UID_TAKEN[tool], folder=link, original=item):
        raise RuleBroken("An entry with this UID is shared with the group already.")
    shown, size = row
    free = free_name(context, link, name or shown)
    modseq = context.number(link, items=1, size=size)
    made: int = context.db.value(
        _ITEM, link=link, name=compared(free), shown=free, modseq=modseq, id=item
    )
    _copy_beside(context, tool, folder, item, link, made)
    return made


def _copy_beside(
    context: WriteContext, tool: Tool, folder: int, item: int, link: int, made: int
) -> None:
    context.db.run(_FORGET_PROPERTIES, folder=link, item=made)
    values = {"folder": link, "item": made, "original": item}
    context.db.run(_COPY_PROPERTIES, **values, **{"from": folder})
    if tool in _PUT_BESIDE:
        forget, put = _PUT_BESIDE[tool]
        context.db.run(forget, item=made)
        context.db.run(put, **values)


# --- following ------------------------------------------------------------------------------------


def item_changed(context: WriteContext, folder_id: int, item_id: int) -> None:
    """Give the links of an item what it has now."""
    for link in _links(context, _OF_ITEM, collection=folder_id, item=item_id):
        _, before = context.db.one(_NAME, id=link.link_item) or ("", 0)
        _, after = context.db.one(_NAME, id=item_id) or ("", 0)
        modseq = context.number(link.link_collection, size=after - before)
        context.db.run(_REFRESH, id=link.link_item, original=item_id, modseq=modseq)
        _copy_beside(context, link.tool, folder_id, item_id, link.link_collection, link.link_item)


def item_removed(context: WriteContext, collection_id: int, item: int) -> None:
    """End what was granted on an item that goes away, or goes to another owner."""
    end_links(context, _links(context, _OF_ITEM, collection=collection_id, item=item))
    context.db.run(_END_OF_ITEM, collection=collection_id, item=item)


def item_moved(context: WriteContext, source: int, item: int, target: int, moved: int) -> None:
    """Let grants on an item follow it to another collection of the same space."""
    context.db.run(_FOLLOW, collection=source, item=item, target=target, moved=moved)


def _granted_in(context: WriteContext, collection_id: int) -> list[int]:
    """The items of a collection on which anything is granted, shown by a link or not."""
    return [item for (item,) in context.db.all(_GRANTED, collection=collection_id)]


def messages_removed(context: WriteContext, mailbox_id: int, uids: UidSet) -> None:
    """End what was granted on messages that go away."""
    for uid in _granted_in(context, mailbox_id):
        if uid in uids:
            item_removed(context, mailbox_id, uid)


def messages_moved(
    context: WriteContext,
    source_id: int,
    target_id: int,
    uids: Iterable[tuple[int, int]],
) -> None:
    """Let grants on messages follow them, from old UIDs to new ones."""
    granted = _granted_in(context, source_id)
    if not granted:
        return
    stays = context.facts(source_id).space_id == context.facts(target_id).space_id
    places = dict(uids)
    for old in granted:
        if old in places and stays:
            item_moved(context, source_id, old, target_id, places[old])
        elif old in places:
            item_removed(context, source_id, old)


# --- ending ---------------------------------------------------------------------------------------

_END_OF_ITEM = Statement("DELETE FROM grants WHERE collection_id = :collection AND item = :item")
_END_OF_COLLECTION = Statement("DELETE FROM grants WHERE collection_id = :collection")


def collection_removed(context: WriteContext, collection_id: int) -> None:
    """End all that was granted on a collection and on what is in it."""
    end_links(context, _links(context, _OF_COLLECTION, collection=collection_id))
    context.db.run(_END_OF_COLLECTION, collection=collection_id)


def grants_removed(context: WriteContext, condition: str, **values: int) -> None:
    """End the grants (``n``) for which a condition of SQL holds."""
    found = _links(context, Statement(f"{_GRANT} AND {condition}"), **values)
    end_links(context, found)
    context.db.run(
        Statement(f"DELETE FROM grants WHERE id IN (SELECT n.id FROM grants n WHERE {condition})"),  # noqa: S608
        **values,
    )


def end_links(context: WriteContext, links: Sequence[Link]) -> None:
    """Take away what links show, and their grants."""
    context.lock([link.link_collection for link in links])
    for link in links:
        if link.tool is Tool.MAIL:
            _end_message(context, link.link_collection, link.link_item)
        else:
            _end_item(context, link.link_collection, link.link_item)
        context.db.run(_END, id=link.grant_id)


def _end_message(context: WriteContext, mailbox: int, uid: int) -> None:
    row = context.db.one(_SIZE, mailbox=mailbox, uid=uid)
    if row is None:
        return
    [size] = row
    gone = UidSet.from_ranges([(uid, uid)])
    # Whether somebody has read it is kept beside it: the row itself is never \Seen.
    bumped = context.bump(mailbox, Counters(messages=-1, unseen=-1, size=-size))
    context.db.run(_DELETE_MESSAGE, mailbox=mailbox, uid=uid)
    forget_seen(context, mailbox, gone)
    context.changed(mailbox, bumped.modseq, REMOVED, gone)


def _end_item(context: WriteContext, folder: int, item: int) -> None:
    row: Row | None = context.db.one(_NAME, id=item)
    if row is None:
        return
    shown, size = row
    modseq = context.number(folder, items=-1, size=-size)
    context.db.run(_FORGET_PROPERTIES, folder=folder, item=item)
    context.db.run(_DELETE_ITEM, id=item)
    context.db.run(_TOMBSTONE, folder=folder, modseq=modseq, name=compared(shown), shown=shown)
