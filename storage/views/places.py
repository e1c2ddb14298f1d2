"""Views of what is shared where, by the names that people use: addresses, and paths of a space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, PerItem
from folkmoot.storage.policy import SpaceFacts
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_sharing import Grant, SharedThing
from folkmoot.storage.views.base import View
from folkmoot.storage.views.bound import DISPLAYNAME, text_of
from folkmoot.storage.views.grants import GrantsOfSpace, ways_to
from folkmoot.storage.views.sight import compared

_OF_ADDRESS = Statement(
    "SELECT COALESCE(a.space_id, g.space_id), COALESCE(a.id, 0) FROM addresses d"
    " LEFT JOIN accounts a ON a.id = d.account_id LEFT JOIN groups g ON g.id = d.group_id"
    " WHERE d.address = :address"
)
_ROOT = Statement(
    "SELECT id FROM collections WHERE space_id = :space AND tool = :tool AND parent_id IS NULL"
)
_CHILD = Statement("SELECT id FROM collections WHERE parent_id = :parent AND name = :name")
_ITEM = Statement("SELECT id FROM items WHERE folder_id = :folder AND name = :name")
_SHOWN = Statement("SELECT shown FROM items WHERE id = :id AND folder_id = :folder")
_TITLES = Statement(
    "SELECT c.id, p.value FROM collections c JOIN properties p ON p.folder_id = c.id"
    " AND p.item_id = 0 AND p.name = :property WHERE c.parent_id = :parent"
)
_TITLED = (Tool.CALENDAR, Tool.CONTACTS)


@dataclass(frozen=True, slots=True)
class SpaceOf(View[int]):
    """The space of the account or group with an address. Raises ``NotFound`` where the actor may
    not know it."""

    address: str

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> int:
        row = context.db.one(_OF_ADDRESS, address=self.address)
        if row is None or not context.knows([SpaceFacts(*row)]):
            raise NotFound
        space: int = row[0]
        return space


@dataclass(frozen=True, slots=True)
class FindThing(View[tuple[int, int]]):
    """What lies at a path of a tool: a collection, and the id of an item in it or 0.

    Calendars and address books are found by the names that people see, too, unless several have
    the same one. Items are found by those who decide who gets them. Raises ``NotFound``.
    """

    space_id: int
    tool: Tool
    names: tuple[str, ...]

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> tuple[int, int]:
        row = context.db.one(_ROOT, space=self.space_id, tool=self.tool.value)
        if row is None:
            raise NotFound
        at: int = row[0]
        for position, name in enumerate(self.names):
            row = context.db.one(_CHILD, parent=at, name=compared(name))
            if row is None and self.tool in _TITLED:
                row = _titled(context, at, name)
            if row is None:
                if position < len(self.names) - 1:
                    raise NotFound
                return at, _item(context, at, name)
            at = row[0]
        context.require(at, Right.LOOKUP)
        return at, 0


def _item(context: ReadContext, folder: int, name: str) -> int:
    row = context.db.one(_ITEM, folder=folder, name=compared(name))
    if Right.SHARE not in context.require(folder, Right.LOOKUP) or row is None:
        raise NotFound
    id_: int = row[0]
    return id_


def _titled(context: ReadContext, parent: int, name: str) -> tuple[int] | None:
    rows = context.db.all(_TITLES, parent=parent, property=DISPLAYNAME)
    found = [id_ for id_, title in rows if compared(text_of(title)) == compared(name)]
    return (found[0],) if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class SharedOfSpace(View[list[SharedThing]]):
    """All that is granted in a space, with the ways to it; of what the actor may share."""

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[SharedThing]:
        grants = GrantsOfSpace(self.space_id).read(context)
        ids = sorted({grant.collection_id for grant in grants})
        ways = ways_to(context, ids)
        return [_thing(context, grant, ways[grant.collection_id]) for grant in grants]


def _thing(context: ReadContext, grant: Grant, way: Sequence[tuple[int, str]]) -> SharedThing:
    tool = context.facts(grant.collection_id).tool
    names = tuple(name for _, name in way)
    if grant.item and tool is not Tool.MAIL:
        row = context.db.one(_SHOWN, id=grant.item, folder=grant.collection_id)
        names = (*names, row[0]) if row is not None else names
    return SharedThing(tool, names, grant)
