"""What lies below a folder, however deep: walked by one recursive query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.sight import Sight
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import Folder
from folkmoot.storage.views.base import View
from folkmoot.storage.views.sight import held_open, how_seen
from folkmoot.storage.views.tree import FOLDER, plain_folder, visible_folders

_BELOW = Statement(
    "WITH RECURSIVE tree (id, depth) AS (SELECT CAST(:id AS BIGINT), 0"  # noqa: S608
    " UNION ALL SELECT k.id, tree.depth + 1 FROM collections k JOIN tree ON k.parent_id = tree.id)"
    f" SELECT {FOLDER}, tree.depth FROM tree JOIN collections c ON c.id = tree.id"
    " JOIN spaces s ON s.id = c.space_id ORDER BY tree.depth, c.id"
)


@dataclass(frozen=True, slots=True)
class Below:
    """A folder and all folders below it, each behind its parent, and what they hold in all.

    ``height`` is the number of levels below the first.
    """

    folders: tuple[Folder, ...]
    height: int

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(folder.id for folder in self.folders)

    @property
    def items(self) -> int:
        return sum(folder.items for folder in self.folders)

    @property
    def size(self) -> int:
        """Octets."""
        return sum(folder.size for folder in self.folders)


def below(context: ReadContext, folder_id: int) -> Below:
    """All of it, whatever the actor may know: for those who have asked for rights on each."""
    rows = context.db.all(_BELOW, id=folder_id)
    folders = tuple(plain_folder(row, Right.NONE) for row in rows)
    return Below(folders, rows[-1][-1] if rows else 0)


def held_below(context: ReadContext, folder_id: int) -> tuple[int, int]:
    """(octets, items) in a folder and below it, as far as the actor sees them."""
    if how_seen(context, folder_id) is Sight.OWN:
        items, octets, _ = held_open(context, folder_id)
        return octets, items
    rows = context.db.all(_BELOW, id=folder_id)
    found = visible_folders(context, rows, Right.LOOKUP | Right.READ)
    return sum(folder.size for folder in found), sum(folder.items for folder in found)


@dataclass(frozen=True, slots=True)
class FoldersBelow(View[tuple[int, ...]]):
    """The numbers of a folder and of all folders below it."""

    folder_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> tuple[int, ...]:
        return below(context, self.folder_id).ids
