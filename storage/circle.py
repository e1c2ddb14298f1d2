"""Reads whom an actor has to do with: its groups, and who else is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.policy import ALONE, Circle, Membership
from folkmoot.storage.types import Actor, ActorKind, Right, Tool

#: Columns of ``members``, which are named as the tools are.
TOOLS = tuple(Tool)
RIGHTS = ", ".join(f"m.{tool.value}" for tool in TOOLS)

_MEMBERSHIPS = Statement(
    f"SELECT g.space_id, g.id, g.admin_account_id, {RIGHTS} FROM members m"  # noqa: S608
    " JOIN groups g ON g.id = m.group_id WHERE m.account_id = :account"
)
_FELLOWS = Statement(
    "SELECT DISTINCT a.space_id FROM members mine JOIN members m ON m.group_id = mine.group_id"
    " JOIN accounts a ON a.id = m.account_id"
    " WHERE mine.account_id = :account AND m.account_id <> :account"
)


def rights_of(bits: tuple[int, ...]) -> Mapping[Tool, Right]:
    """The rights of a member from the columns of ``RIGHTS``."""
    return {tool: Right(value) for tool, value in zip(TOOLS, bits, strict=True)}


def _memberships(db: Db, account_id: int) -> Mapping[int, Membership]:
    """What an account is in its groups, by the space of each."""
    return {
        space: Membership(group, admin == account_id, rights_of(tuple(bits)))
        for space, group, admin, *bits in db.all(_MEMBERSHIPS, account=account_id)
    }


def _fellows(db: Db, account_id: int) -> frozenset[int]:
    """The spaces of those who are in a group with an account."""
    return frozenset(space for (space,) in db.all(_FELLOWS, account=account_id))


class Circles:
    """The circle of an actor in one transaction, read as far as decisions need it.

    Most transactions touch the actor's own only, and pay nothing for it.
    """

    __slots__ = ("_actor", "_db", "_fellows", "_memberships")

    def __init__(self, db: Db, actor: Actor) -> None:
        self._db = db
        self._actor = actor
        self._memberships: Mapping[int, Membership] | None = None
        self._fellows: frozenset[int] | None = None

    def of(self, owners: Iterable[int]) -> Circle:
        """The circle for a decision about spaces of these accounts (0: of a group)."""
        account = self._actor.account_id
        others = {owner for owner in owners if owner != account}
        if not others or self._actor.kind is ActorKind.SYSTEM:
            return ALONE
        if self._memberships is None:
            self._memberships = _memberships(self._db, account)
        if not self._memberships or others == {0}:
            return Circle(self._memberships)
        if self._fellows is None:
            self._fellows = _fellows(self._db, account)
        return Circle(self._memberships, self._fellows)
