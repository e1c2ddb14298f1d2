"""The items of a folder as columns: for listings that tell the same few things of each.

Making an ``Item`` of each row, and an ``Entry`` of that, costs more than to read what is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from folkmoot.storage.engine.db import Statement, statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.sight import Sight
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import Item
from folkmoot.storage.views.base import View
from folkmoot.storage.views.sight import compared, sight
from folkmoot.storage.views.tree import ANY_PROPERTIES

#: For each field that was asked for, the values of all items.
Columns = list[tuple[Any, ...]]
_ANY_FOLDERS = Statement("SELECT 1 FROM collections WHERE parent_id = :folder LIMIT 1")
_COLUMNS = {"name": "i.shown"}


@dataclass(frozen=True, slots=True)
class ListColumns(View[Columns | None]):
    """Fields of ``Item`` of the items behind a name, ascending, at most ``limit`` of them.

    None, which can only be the first answer (``after`` ""), where that is not all: the folder has
    folders in it, something was set on an item, or the actor does not see each item as it is.
    Raises ``NotFound`` for a later page when that has changed since.
    """

    folder_id: int
    fields: tuple[str, ...]
    after: str = ""
    limit: int = 500

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> Columns | None:
        db, here = context.db, self.folder_id
        whole = sight(context, here) is Sight.ALL and not context.kept_back(here)
        if not self.after:
            more = db.one(_ANY_FOLDERS, folder=here) or db.one(ANY_PROPERTIES, folder=here)
            whole = whole and more is None
        if not whole:
            if self.after:
                raise NotFound
            return None
        after = compared(self.after)
        rows = db.all(_listing(self.fields), folder=here, after=after, limit=self.limit)
        return [*zip(*rows, strict=True)] if rows else [() for _ in self.fields]


def _listing(fields: Sequence[str]) -> Statement:
    assert set(fields) <= {*Item._fields} - {"outlined"}
    columns = ", ".join([_COLUMNS.get(field, f"i.{field}") for field in fields])
    return statement(
        f"SELECT {columns} FROM items i WHERE i.folder_id = :folder AND i.name > :after"  # noqa: S608
        " ORDER BY i.name LIMIT :limit"
    )
