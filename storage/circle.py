"""Reads whom an actor has to do with: its groups, who else is in them, what was granted to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from folkmoot.storage.engine.db import Db, Statement, number_list
from folkmoot.storage.policy import ALONE, Circle, CollectionFacts, Granted, Membership
from folkmoot.storage.types import Actor, ActorKind, Right, Tool

#: Columns of ``members``, which are named as the tools are.
TOOLS = tuple(Tool)
RIGHTS = ", ".join(f"m.{tool.value}" for tool in TOOLS)
AT_ONCE: Final = 500

_MEMBERSHIPS = Statement(
    f"SELECT g.space_id, g.id, g.admin_account_id, g.tools, {RIGHTS} FROM members m"  # noqa: S608
    " JOIN groups g ON g.id = m.group_id WHERE m.account_id = :account"
)
_FELLOWS = Statement(
    "SELECT DISTINCT a.space_id FROM members mine JOIN members m ON m.group_id = mine.group_id"
    " JOIN accounts a ON a.id = m.account_id"
    " WHERE mine.account_id = :account AND m.account_id <> :account"
)
# Items on which somebody was granted something without READ.
_KEPT = Statement(
    "SELECT item, grantee, rights FROM grants WHERE collection_id = :collection AND item IN"
    " (SELECT item FROM grants WHERE collection_id = :collection AND item > 0"
    " AND (rights & :read) = 0)"
)
_ITEM = Statement(
    "SELECT grantee, rights FROM grants WHERE collection_id = :collection AND item = :item"
)


def upwards(ids: Iterable[int]) -> str:
    """The beginning of a statement that walks from collections to their roots: ``up`` has each
    (``id``) with what it meets (``at``) and how far that is (``distance``)."""
    return (
        "WITH RECURSIVE up(id, at, distance) AS ("  # noqa: S608
        f"SELECT id, id, 0 FROM collections WHERE id IN ({number_list(ids)})"
        " UNION ALL SELECT up.id, c.parent_id, up.distance + 1 FROM up"
        " JOIN collections c ON c.id = up.at WHERE c.parent_id IS NOT NULL)"
    )


def rights_of(bits: tuple[int, ...]) -> Mapping[Tool, Right]:
    """The rights of a member from the columns of ``RIGHTS``."""
    return {tool: Right(value) for tool, value in zip(TOOLS, bits, strict=True)}


def tools_of(names: str) -> frozenset[Tool]:
    """The tools that a group uses, from its column."""
    return frozenset(map(Tool, names.split()))


def _memberships(db: Db, account_id: int) -> Mapping[int, Membership]:
    """What an account is in its groups, by the space of each."""
    return {
        space: Membership(group, admin == account_id, rights_of(tuple(bits)), tools_of(tools))
        for space, group, admin, tools, *bits in db.all(_MEMBERSHIPS, account=account_id)
    }


def _fellows(db: Db, account_id: int) -> frozenset[int]:
    """The spaces of those who are in a group with an account."""
    return frozenset(space for (space,) in db.all(_FELLOWS, account=account_id))


class Circles:
    """The circle of an actor in one transaction, read as far as decisions need it.

    Most transactions touch the actor's own only, and pay nothing for it.
    """

    __slots__ = ("_actor", "_db", "_fellows", "_granting", "_memberships")

    def __init__(self, db: Db, actor: Actor) -> None:
        self._db = db
        self._actor = actor
        self._memberships: Mapping[int, Membership] | None = None
        self._fellows: frozenset[int] | None = None
        self._granting: frozenset[int] | None = None

    def around(self, owners: Iterable[int]) -> Circle:
        """The circle for a decision about spaces of these accounts (0: of a group)."""
        account = self._actor.account_id
        others = {owner for owner in owners if owner != account}
        if not others or self._actor.kind is ActorKind.SYSTEM:
            return ALONE
        support = self._actor.support
        if support is not None and not support.with_groups:
            return ALONE
        if self._memberships is None:
            self._memberships = _memberships(self._db, account)
        if not self._memberships or others == {0}:
            return Circle(self._memberships)
        if self._fellows is None:
            self._fellows = _fellows(self._db, account)
        return Circle(self._memberships, self._fellows)

    def of(self, facts: Sequence[CollectionFacts], item: int = 0) -> Circle:
        """The circle for a decision about collections, or about one item of the only one."""
        circle = self.around(each.owner_account_id for each in facts)
        if not circle.memberships:
            return circle  # who is in no group, is granted nothing
        grants: dict[int, list[Granted]] = {}
        granting = self._granting_spaces(circle)
        asked = [each.id for each in facts if each.space_id in granting]
        for start in range(0, len(asked), AT_ONCE):
            self._climb(circle, asked[start : start + AT_ONCE], grants)
        if item:
            [only] = facts
            mine = self._principals(circle)
            grants.setdefault(only.id, []).extend(
                Granted(grantee, -1, Right(rights))
                for grantee, rights in self._db.all(_ITEM, collection=only.id, item=item)
                if grantee in mine
            )
        return Circle(circle.memberships, circle.fellows, grants) if grants else circle

    def of_kept(self, facts: CollectionFacts) -> Mapping[int, Circle]:
        """The circles for decisions about those items of a collection that may be kept from the
        actor, who may read the collection."""
        circle = self.of([facts])
        if facts.space_id not in (self._granting or ()):
            return {}
        mine = self._principals(circle)
        found: dict[int, list[Granted]] = {}
        rows = self._db.all(_KEPT, collection=facts.id, read=int(Right.READ))
        for item, grantee, rights in rows:
            if grantee in mine:
                found.setdefault(item, []).append(Granted(grantee, -1, Right(rights)))
        above = circle.grants.get(facts.id, ())
        return {
            item: Circle(circle.memberships, circle.fellows, {facts.id: [*grants, *above]})
            for item, grants in found.items()
        }

    def _principals(self, circle: Circle) -> Collection[int]:
        """What the actor is when rights are given: itself, and a member of its groups."""
        return {self._actor.space_id, *circle.memberships}

    def _granting_spaces(self, circle: Circle) -> frozenset[int]:
        """The spaces in which anything was granted to the actor."""
        if self._granting is None:
            mine = number_list(self._principals(circle))
            found = self._db.all(
                Statement(f"SELECT DISTINCT space_id FROM grants WHERE grantee IN ({mine})")  # noqa: S608
            )
            self._granting = frozenset(space for (space,) in found)
        return self._granting

    def _climb(self, circle: Circle, asked: Sequence[int], into: dict[int, list[Granted]]) -> None:
        """Find what was granted to the actor on collections or above them."""
        mine = number_list(self._principals(circle))
        rows = self._db.all(
            Statement(
                f"{upwards(asked)} SELECT up.id, g.grantee, up.distance, g.rights FROM up"  # noqa: S608
                " JOIN grants g ON g.collection_id = up.at AND g.item = 0"
                f" WHERE g.grantee IN ({mine})"
            )
        )
        for collection, grantee, distance, rights in rows:
            into.setdefault(collection, []).append(Granted(grantee, distance, Right(rights)))
