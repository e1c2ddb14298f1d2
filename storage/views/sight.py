"""Items as an actor sees them: the statements' conditions, and outlines of confidential ones.

Every view of items has its statements from here (``by_sight``) and hands what it read to
``seen``. Who sees how much is decided in ``storage.sight``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap
from typing import Final, NamedTuple

from folkmoot.storage.blobs.fs import digest
from folkmoot.storage.content.ical.outline import named_busy
from folkmoot.storage.engine.db import Row, Statement, number_list
from folkmoot.storage.errors import PermissionDenied
from folkmoot.storage.sight import Sight, sight_of
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import CONFIDENTIAL, PRIVATE, PUBLIC, Item

AT_ONCE: Final = 500
ITEM: Final = (
    "i.id, i.folder_id, i.shown, i.modseq, i.created, i.modified, i.size, i.etag, i.media_type,"
    " i.blob_id, i.component, i.schedule_tag, i.creator, i.privacy"
)
_IS_BUSY: Final = (
    " AND EXISTS (SELECT 1 FROM calendar_objects b WHERE b.item_id = i.id AND b.busy IS NOT NULL)"
)


class _Parts(NamedTuple):
    """What statements have for one sight.

    What an item is called, and how names are compared; which items are seen, and which are seen
    as they are; the same of tombstones: which, what they are called, and the item of the same name.
    """

    shown: str = "i.shown"
    name: str = "i.name"
    sees: str = ""
    whole: str = ""
    gone: str = ""
    lost: str = "t.shown"
    same: str = "i.name = t.name"


#: Who sees the own ones only finds them by the names that they gave, which others' may have as
#: well. Names in a calendar that is seen as busy times are made of the numbers of items: what
#: programs call an event may tell something.
_PARTS: Final = {
    Sight.ALL: _Parts(),
    Sight.PUBLIC: _Parts(
        sees=f" AND (i.privacy < {PRIVATE} OR i.creator = :me)",
        whole=f" AND (i.privacy = {PUBLIC} OR i.creator = :me)",
        gone=f" AND (t.privacy < {PRIVATE} OR t.creator = :me)",
    ),
    Sight.OWN: _Parts(
        shown="CASE WHEN i.asked <> '' THEN i.asked ELSE i.shown END",
        name="CASE WHEN i.asked <> '' THEN i.asked ELSE i.name END",
        sees=" AND i.creator = :me",
        whole=" AND i.creator = :me",
        gone=" AND t.creator = :me",
    ),
    Sight.BUSY: _Parts(
        shown="'busy-' || CAST(i.id AS TEXT) || '.ics'",
        name="'busy-' || CAST(i.id AS TEXT) || '.ics'",
        sees=_IS_BUSY,
        whole=" AND 1 = 0",
        gone=" AND t.busy_item <> 0",
        lost="'busy-' || CAST(t.busy_item AS TEXT) || '.ics'",
        same="i.id = t.busy_item",
    ),
}


#: Where statements leave out what is kept back from the actor by grants on items themselves.
_KEPT: Final = "/**/"


def compared(name: str) -> str:
    """The form of a name by which names are compared."""
    return unicodedata.normalize("NFC", name)


def by_sight(text: str) -> Mapping[Sight, Statement]:
    """A statement for each sight, from a text with ``{item}``, ``{name}`` and ``{sees}``.

    ``{shown}`` is the name as it was given, ``{open}`` which items are seen as they are. Of
    tombstones ``t``, ``{gone}`` is ``{sees}``, ``{lost}`` is ``{shown}``, and ``{same}`` finds the
    item that has the name now. ``:me`` is the account that asks.
    """
    return {
        sight: Statement(
            text.replace("{item}", ITEM.replace("i.shown", parts.shown))
            .replace("{shown}", parts.shown)
            .replace("{name}", parts.name)
            .replace("{sees}", parts.sees + _KEPT)
            .replace("{open}", parts.whole + _KEPT)
            .replace("{gone}", parts.gone)
            .replace("{lost}", parts.lost)
            .replace("{same}", parts.same)
        )
        for sight, parts in _PARTS.items()
    }


def open_to(how: Sight) -> str:
    """The condition on items ``i`` that are seen as they are; "" for all."""
    return _PARTS[how].whole


def how_seen(context: ReadContext, folder_id: int) -> Sight | None:
    """What the actor sees of the items of a collection, whether it may know that or not."""
    facts = context.facts(folder_id)
    rights = context.rights([facts], Right.NONE).get(folder_id, Right.NONE)
    return sight_of(facts, rights)


def sight(context: ReadContext, folder_id: int) -> Sight | None:
    """What the actor sees of the items of a collection that it may know; None: nothing.

    Raises ``NotFound``.
    """
    rights = context.require(folder_id, Right.LOOKUP)
    return sight_of(context.facts(folder_id), rights)


def hides(context: ReadContext, folder_id: int, creator: int, privacy: int) -> bool:
    """Whether an item in a collection is not seen by the actor."""
    how = how_seen(context, folder_id)
    if how is Sight.BUSY:
        return True
    if how in (Sight.ALL, None) or creator == context.actor.account_id:
        return False
    return how is Sight.OWN or privacy == PRIVATE


def some_sight(context: ReadContext, folder_id: int) -> Sight:
    """The same for those who see something. Raises ``NotFound``, ``PermissionDenied``."""
    found = sight(context, folder_id)
    if found is None:
        raise PermissionDenied
    return found


def find_items(
    context: ReadContext,
    folder_id: int,
    statements: Mapping[Sight, Statement],
    **values: int | str,
) -> list[Item]:
    """The items that a statement finds in a collection, as far as the actor sees them."""
    how = sight(context, folder_id)
    if how is None:
        return []
    me = context.actor.account_id
    statement = without_kept(context, folder_id, statements[how])
    return seen(context, how, context.db.all(statement, folder=folder_id, me=me, **values))


def without_kept(context: ReadContext, folder_id: int, statement: Statement) -> Statement:
    """A statement of ``by_sight``, for a collection of which something may be kept back."""
    kept = context.kept_back(folder_id)
    if not kept:
        return statement
    return Statement(statement.sqlite.replace(_KEPT, f" AND i.id NOT IN ({number_list(kept)})"))


def seen(context: ReadContext, how: Sight, rows: Iterable[Row]) -> list[Item]:
    """Items from rows of ``{item}``; what is seen as an outline only is as large as that."""
    items = [*starmap(Item, rows)]
    if how is Sight.BUSY:
        hidden = [each.id for each in items]
    elif how is Sight.PUBLIC:
        me = context.actor.account_id
        hidden = [each.id for each in items if each.privacy == CONFIDENTIAL and each.creator != me]
    else:
        return items
    if not hidden:
        return items
    outlines = outlines_of(context, how, hidden)
    outlined = _as_busy if how is Sight.BUSY else _outlined
    return [outlined(each, outlines[each.id]) if each.id in outlines else each for each in items]


def _outlined(item: Item, outline: bytes) -> Item:
    return item._replace(
        size=len(outline), etag=digest(outline)[:16].hex(), schedule_tag="", outlined=True
    )


def _as_busy(item: Item, outline: bytes) -> Item:
    bare = item._replace(media_type="", creator=0, privacy=PUBLIC, created=item.modified)
    return _outlined(bare, outline)


def outlines_of(context: ReadContext, how: Sight, item_ids: Sequence[int]) -> dict[int, bytes]:
    """The outlines of items as they are seen: of confidential ones, or of what makes busy."""
    column = "busy" if how is Sight.BUSY else "outline"
    found: dict[int, bytes] = {}
    for start in range(0, len(item_ids), AT_ONCE):
        some = number_list(item_ids[start : start + AT_ONCE])
        statement = Statement(
            f"SELECT item_id, {column} FROM calendar_objects WHERE item_id IN ({some})"  # noqa: S608
        )
        for id_, outline in context.db.all(statement):
            octets = bytes(outline or b"")
            found[id_] = named_busy(octets, id_) if how is Sight.BUSY else octets
    return found


_OPEN: Final = by_sight(
    "SELECT COUNT(*), CAST(COALESCE(SUM(i.size), 0) AS BIGINT), COALESCE(MAX(i.size), 0)"
    " FROM items i WHERE i.folder_id = :id{open}"
)


def held_open(context: ReadContext, folder_id: int) -> tuple[int, int, int]:
    """(items, octets, octets of the largest) of what the actor sees in a folder as it is."""
    how = how_seen(context, folder_id) or Sight.ALL
    statement = without_kept(context, folder_id, _OPEN[how])
    row = context.db.one(statement, id=folder_id, me=context.actor.account_id)
    assert row is not None
    return row[0], row[1], row[2]
