"""What changed among the members of a folder: what sync-collection asks (RFC 6578)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement, number_list
from folkmoot.storage.errors import LogTrimmed, NotFound, PermissionDenied
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.sight import Sight
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import Entry, Folder, Item, Synced
from folkmoot.storage.views.base import View
from folkmoot.storage.views.bound import Bound, bound_in, is_own_home
from folkmoot.storage.views.sight import by_sight, find_items, some_sight
from folkmoot.storage.views.tree import (
    BY_ID,
    FROM_FOLDERS,
    folder,
    visible_folders,
    with_properties,
)

_FOLDERS_SINCE = Statement(
    f"{FROM_FOLDERS} WHERE c.parent_id = :folder AND c.member_modseq > :since"
    " ORDER BY c.member_modseq LIMIT :limit"
)
_ITEMS_SINCE = by_sight(
    "SELECT {item} FROM items i WHERE i.folder_id = :folder AND i.modseq > :since{sees}"
    " ORDER BY i.modseq LIMIT :limit"
)
_KEPT_SINCE = (
    "SELECT i.modseq, {shown} FROM items i"
    " WHERE i.folder_id = :folder AND i.modseq > :since{sees} AND i.id IN"
)
# What came back under its name is among what is there.
_GONE_SINCE = by_sight(
    "SELECT t.modseq, {lost} FROM tombstones t"
    " WHERE t.folder_id = :folder AND t.modseq > :since{gone} AND NOT EXISTS"
    " (SELECT 1 FROM items i WHERE i.folder_id = t.folder_id AND {same}{sees})"
    " AND NOT EXISTS"
    " (SELECT 1 FROM collections c WHERE c.parent_id = t.folder_id AND c.name = t.name)"
    " ORDER BY t.modseq LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class ChangesOf(View[Synced]):
    """What changed among the members of a folder after ``since``, at most ``limit`` of them.

    ``began`` is that of the answer that ``since`` is from. Raises ``LogTrimmed`` when the log
    does not reach back so far, or ``since`` never was, ``PermissionDenied`` for those who neither
    read the folder nor see its busy times.
    """

    folder_id: int
    since: int
    limit: int | None = None
    properties: bool = True
    began: int = 0

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> Synced:
        row = context.db.one(BY_ID, id=self.folder_id)
        if row is None:
            raise NotFound
        here = folder(context, row)
        how = some_sight(context, self.folder_id)
        if how is Sight.OWN:
            raise PermissionDenied
        # A first look knows nothing of what was gone when it began.
        began = self.began or self.since or here.modseq
        if max(self.since, began) > here.modseq or began < here.log_floor:
            raise LogTrimmed
        bound = self._bound(context, here)
        rows = self._rows(context, how, max(self.since, began), bound, here.modseq)
        more = self.limit is not None and len(rows) > self.limit
        if more:
            rows = rows[: self.limit]
        modseq = rows[-1][0] if more else here.modseq
        nodes = [node for _, node in rows if not isinstance(node, str)]
        entries = with_properties(context, self.folder_id, nodes, self.properties)
        if len(entries) < len(nodes):  # the properties of more are too much at once
            behind = nodes[len(entries)]
            rows = rows[: [node for _, node in rows].index(behind)]
            modseq, more = rows[-1][0], True
        entries = [_as_bound(entry, bound) for entry in entries]
        removed = dict.fromkeys(node for _, node in rows if isinstance(node, str))
        return Synced(modseq, tuple(entries), tuple(removed), more, began if modseq < began else 0)

    def _bound(self, context: ReadContext, here: Folder) -> dict[int, Bound]:
        """What is of others and found here, by its number."""
        if not is_own_home(context, here):
            return {}
        return {each.folder.id: each for each in bound_in(context, here) if not each.hidden}

    def _rows(
        self,
        context: ReadContext,
        how: Sight,
        gone: int,
        bound: Mapping[int, Bound],
        now: int,
    ) -> list[tuple[int, Folder | Item | str]]:
        """(number, what has it), ascending, one more than asked for where there are more; names
        of what is gone after ``gone``."""
        most = 2**62 if self.limit is None else self.limit + 1
        bounds = {"folder": self.folder_id, "limit": most}
        me = context.actor.account_id
        rows: list[tuple[int, Folder | Item | str]] = [
            (item.modseq, item)
            for item in find_items(
                context, self.folder_id, _ITEMS_SINCE, since=self.since, limit=most
            )
        ]
        kept = context.kept_back(self.folder_id)
        if kept and self.since:  # what was there for the actor before, may be no more
            statement = by_sight(f"{_KEPT_SINCE} ({number_list(kept)})")[how]
            rows += context.db.all(statement, folder=self.folder_id, since=self.since, me=me)
        rows += [(node.member_modseq, node) for node in self._folders(context, most)]
        rows += _told(bound, self.since, now)
        removed = context.db.all(_GONE_SINCE[how], since=gone, me=me, **bounds)
        rows += [(number, name) for number, name in removed]
        rows.sort(key=lambda row: row[0])
        return rows

    def _folders(self, context: ReadContext, most: int) -> list[Folder]:
        """The first of the folders that the actor may know."""
        found: list[Folder] = []
        since = self.since
        while len(found) < most:
            bounds = {"folder": self.folder_id, "since": since, "limit": most}
            rows = context.db.all(_FOLDERS_SINCE, **bounds)
            found += visible_folders(context, rows)
            if len(rows) < most:
                break
            since = rows[-1][6]
        return found[:most]


def _told(bound: Mapping[int, Bound], since: int, now: int) -> list[tuple[int, Folder]]:
    """What is of others and was told after ``since``.

    What the home was not told yet counts as told now: agents of support tell it nothing.
    """
    numbered = [(each.modseq or now, each.folder) for each in bound.values()]
    return [(number, folder) for number, folder in numbered if number > since]


def _as_bound(entry: Entry, bound: Mapping[int, Bound]) -> Entry:
    """What is of others, as it is found in the home."""
    if isinstance(entry.node, Folder) and entry.node.id in bound:
        return bound[entry.node.id].entry
    return entry
