"""Mutations of what is of others in the home of an account (see ``views.bound``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import LimitReached, NotFound
from folkmoot.storage.gate import Need, OnCollection, OnSpace
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.naming import bury
from folkmoot.storage.mutations.tree_properties import MAX_CHARACTERS, MAX_PROPERTIES, check_key
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_tree import Folder
from folkmoot.storage.views.bound import Bound, bound_in, known_in
from folkmoot.storage.views.sight import compared
from folkmoot.storage.views.tree import root_of

_TELL = Statement(
    "INSERT INTO bindings (home_id, collection_id, name, state, modseq, hidden)"
    " VALUES (:home, :collection, :name, :state, :modseq, :hidden)"
    " ON CONFLICT (home_id, collection_id) DO UPDATE SET name = excluded.name,"
    " state = excluded.state, modseq = excluded.modseq, hidden = excluded.hidden"
)
_FORGET = (
    Statement("DELETE FROM bindings WHERE home_id = :home AND collection_id = :collection"),
    Statement(
        "DELETE FROM binding_properties WHERE home_id = :home AND collection_id = :collection"
    ),
)
_EXHUME = Statement("DELETE FROM tombstones WHERE folder_id = :home AND name = :name")
_SET = Statement(
    "INSERT INTO binding_properties (home_id, collection_id, name, value)"
    " VALUES (:home, :collection, :name, :value)"
    " ON CONFLICT (home_id, collection_id, name) DO UPDATE SET value = excluded.value"
)
_UNSET = Statement(
    "DELETE FROM binding_properties"
    " WHERE home_id = :home AND collection_id = :collection AND name = :name"
)
_SIZE = Statement(
    "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(name) + LENGTH(value)), 0) AS BIGINT)"
    " FROM binding_properties WHERE home_id = :home AND collection_id = :collection"
)


def _home(context: WriteContext, space_id: int, tool: Tool) -> Folder:
    """The home, held until the commit."""
    home = root_of(context, space_id, tool)
    context.lock([home.id])
    return root_of(context, space_id, tool)


def _tell(context: WriteContext, home: Folder, bound: Bound, *, hidden: bool = False) -> None:
    """Give what is shown of something the next number of the home."""
    name = bound.folder.name
    number = context.number(home.id)
    if hidden:
        bury(context, home.id, number, name)
    else:
        context.db.run(_EXHUME, home=home.id, name=compared(name))
    context.db.run(
        _TELL,
        home=home.id,
        collection=bound.folder.id,
        name=name,
        state=bound.state,
        modseq=number,
        hidden=int(hidden),
    )


def _found(context: WriteContext, home: Folder, collection_id: int) -> Bound:
    for bound in bound_in(context, home):
        if bound.folder.id == collection_id and not bound.hidden:
            return bound
    raise NotFound


@dataclass(frozen=True, slots=True)
class Rebind(Mutation[None]):
    """Tell in the home of an account what came, went and changed of others."""

    space_id: int
    tool: Tool

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        home = _home(context, self.space_id, self.tool)
        known = known_in(context, home.id)
        now = {bound.folder.id: bound for bound in bound_in(context, home)}
        for id_, told in known.items():
            if id_ not in now:
                for statement in _FORGET:
                    context.db.run(statement, home=home.id, collection=id_)
                if not told.hidden:
                    bury(context, home.id, context.number(home.id), told.name)
        for id_, bound in now.items():
            if bound.hidden:
                continue
            if id_ not in known or known[id_].state != bound.state:
                _tell(context, home, bound)


@dataclass(frozen=True, slots=True)
class HideBound(Mutation[None]):
    """Do not show something of others in the home any more, until it is shared anew.

    Raises ``NotFound``.
    """

    space_id: int
    tool: Tool
    collection_id: int

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        home = _home(context, self.space_id, self.tool)
        _tell(context, home, _found(context, home, self.collection_id), hidden=True)


@dataclass(frozen=True, slots=True)
class SetBoundProperties(Mutation[None]):
    """Set properties of something of others as the account alone sees it, or remove them (None).

    Raises ``NotFound``, ``LimitReached``.
    """

    space_id: int
    tool: Tool
    collection_id: int
    changes: Mapping[str, str | None]

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id), OnCollection(self.collection_id, Right.LOOKUP)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        home = _home(context, self.space_id, self.tool)
        bound = _found(context, home, self.collection_id)
        where = {"home": home.id, "collection": self.collection_id}
        for name, value in self.changes.items():
            if value is None:
                context.db.run(_UNSET, **where, name=name)
            else:
                check_key(name)
                context.db.run(_SET, **where, name=name, value=value)
        row = context.db.one(_SIZE, **where)
        assert row is not None
        if row[0] > MAX_PROPERTIES or row[1] > MAX_CHARACTERS:
            raise LimitReached("There are too many properties, or they are too long.")
        _tell(context, home, bound)
