"""What clients set on folders and items: whole XML elements by name (RFC 4918 section 9.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import LimitReached, NotFound
from folkmoot.storage.gate import Need, OnCollection, OnItem
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Right, Topic
from folkmoot.storage.types_tree import Folder

MAX_PROPERTIES = 100  # of one node
MAX_CHARACTERS = 64 * 1024  # of all of them together
MAX_KEY = 1000  # octets of a name with its namespace; an index of PostgreSQL takes 2,700

_SET = Statement(
    "INSERT INTO properties (folder_id, item_id, name, value)"
    " VALUES (:folder, :item, :name, :value)"
    " ON CONFLICT (folder_id, item_id, name) DO UPDATE SET value = excluded.value"
)
_UNSET = Statement(
    "DELETE FROM properties WHERE folder_id = :folder AND item_id = :item AND name = :name"
)
_SIZE = Statement(
    "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(name) + LENGTH(value)), 0) AS BIGINT)"
    " FROM properties"
    " WHERE folder_id = :folder AND item_id = :item"
)
_PARENT = Statement("SELECT parent_id FROM collections WHERE id = :id")
_TOUCH = Statement("UPDATE collections SET member_modseq = :number WHERE id = :id")


def check_key(name: str) -> None:
    """Refuse a name that is too long for an index. Raises ``LimitReached``."""
    if len(name.encode()) > MAX_KEY:
        raise LimitReached("The name of a property is too long.")


def check_room(context: ReadContext, folder_id: int, item_id: int) -> None:
    """Refuse more than a node may have. Raises ``LimitReached``."""
    row = context.db.one(_SIZE, folder=folder_id, item=item_id)
    assert row is not None
    if row[0] > MAX_PROPERTIES or row[1] > MAX_CHARACTERS:
        raise LimitReached("There are too many properties, or they are too long.")


@dataclass(frozen=True, slots=True)
class SetProperties(Mutation[None]):
    """Set properties of a node, or remove them (None).

    ``item_id`` is 0 for the folder itself. Raises ``LimitReached``.
    """

    folder_id: int
    item_id: int
    changes: Mapping[str, str | None]

    def needs(self) -> Sequence[Need]:
        if self.item_id:
            return [OnItem(self.folder_id, self.item_id, Right.EDIT)]
        return [OnCollection(self.folder_id, Right.EDIT)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        for name, value in self.changes.items():
            where = {"folder": self.folder_id, "item": self.item_id, "name": name}
            if value is None:
                context.db.run(_UNSET, **where)
            else:
                check_key(name)
                context.db.run(_SET, **where, value=value)
        check_room(context, self.folder_id, self.item_id)


@dataclass(frozen=True, slots=True)
class TouchFolder(Mutation[None]):
    """Tell the folder's parent that a property of the folder changed."""

    folder: Folder

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder.id, Right.EDIT)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        row = context.db.one(_PARENT, id=self.folder.id)
        if row is None:
            raise NotFound
        if row[0] is not None:
            number = context.number(row[0])
            context.db.run(_TOUCH, id=self.folder.id, number=number)
        context.hint(Topic.SPACE, self.folder.space_id)
