"""Views of principals: who owns a space, who has an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection, PerItem
from folkmoot.storage.policy import SpaceFacts
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import Principal, SpaceUsage
from folkmoot.storage.views.base import View
from folkmoot.storage.views.tree_below import held_below

_BY_SPACE = Statement(
    "SELECT a.space_id, a.id, a.name, a.address FROM accounts a WHERE a.space_id ="
    " (SELECT s.id FROM spaces s WHERE s.id = :space)"
    " AND a.id = (SELECT s.owner_account_id FROM spaces s WHERE s.id = :space)"
)
_BY_ADDRESS = Statement(
    "SELECT a.space_id, a.id, a.name, a.address FROM addresses d"
    " JOIN accounts a ON a.id = d.account_id WHERE d.address = :address AND a.state = 'active'"
)
_GROUP_BY_SPACE = Statement("SELECT space_id, 0, name, address FROM groups WHERE space_id = :space")
# Members know each other.
_MEMBERS = Statement(
    "SELECT a.space_id, a.id FROM groups g JOIN members m ON m.group_id = g.id"
    " JOIN accounts a ON a.id = m.account_id WHERE g.space_id = :space ORDER BY a.address"
)
_GROUPS_OF = Statement(
    "SELECT g.space_id, 0 FROM spaces s JOIN members m ON m.account_id = s.owner_account_id"
    " JOIN groups g ON g.id = m.group_id WHERE s.id = :space ORDER BY g.name, g.id"
)
_MY_GROUPS = Statement(
    "SELECT g.space_id, 0, g.name, g.address FROM members m JOIN groups g ON g.id = m.group_id"
    " WHERE m.account_id = :account ORDER BY g.name, g.id"
)
_MY_FELLOWS = Statement(
    "SELECT DISTINCT a.space_id, a.id, a.name, a.address FROM members mine"
    " JOIN members m ON m.group_id = mine.group_id JOIN accounts a ON a.id = m.account_id"
    " WHERE mine.account_id = :account AND m.account_id <> :account ORDER BY a.name, a.address"
)
_PARTY = Statement(
    "SELECT COALESCE(a.space_id, g.space_id), COALESCE(a.id, 0), COALESCE(a.name, g.name),"
    " COALESCE(a.address, g.address) FROM addresses d LEFT JOIN accounts a ON a.id = d.account_id"
    " LEFT JOIN groups g ON g.id = d.group_id WHERE d.address = :address"
)
_ADDRESSES = Statement("SELECT address FROM addresses WHERE account_id = :id ORDER BY address")
_USAGE = Statement(
    "SELECT u.bytes_used, u.bytes_limit, u.items_used, u.items_limit FROM usage u"
    " JOIN collections c ON c.space_id = u.space_id AND c.tool = u.tool WHERE c.id = :id"
)


def _principal(context: ReadContext, row: Row) -> Principal:
    space, account, name, address = row
    others = [found for (found,) in context.db.all(_ADDRESSES, id=account) if found != address]
    return Principal(space, account, name, (address, *others))


@dataclass(frozen=True, slots=True)
class ReadPrincipal(View[Principal]):
    """Who owns a space. Raises ``NotFound`` where the actor may not know."""

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> Principal:
        db = context.db
        row = db.one(_BY_SPACE, space=self.space_id) or db.one(_GROUP_BY_SPACE, space=self.space_id)
        if row is None or not context.knows([SpaceFacts(row[0], row[1])]):
            raise NotFound
        return _principal(context, row)


@dataclass(frozen=True, slots=True)
class FindPrincipal(View[Principal | None]):
    """Who has an e-mail address here; None: nobody.

    Everybody who is signed in may ask, as everybody who can send mail may: a meeting needs to
    know where its invitations go. The other addresses of people whom the actor may not know are
    not told.
    """

    address: str

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> Principal | None:
        row = context.db.one(_BY_ADDRESS, address=self.address)
        if row is None:
            return None
        if not context.knows([SpaceFacts(row[0], row[1])]):
            return Principal(row[0], row[1], row[2], (self.address,))
        return _principal(context, row)


@dataclass(frozen=True, slots=True)
class FindParty(View[Principal | None]):
    """The group or account with an address, if the actor may know it: with whom one can share."""

    address: str

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> Principal | None:
        row = context.db.one(_PARTY, address=self.address)
        if row is None or not context.knows([SpaceFacts(row[0], row[1])]):
            return None
        return _principal(context, row)


@dataclass(frozen=True, slots=True)
class MyCircle(View[list[Principal]]):
    """The groups that the actor is in, and its fellow members, by name."""

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[Principal]:
        account = context.actor.account_id
        rows = [*context.db.all(_MY_GROUPS, account=account)]
        rows += context.db.all(_MY_FELLOWS, account=account)
        known = context.knows([SpaceFacts(row[0], row[1]) for row in rows])
        return [_principal(context, row) for row in rows if row[0] in known]


@dataclass(frozen=True, slots=True)
class BelongingTo(View[tuple[list[int], list[int]]]):
    """The spaces of the members of a group, and of the groups that an account is in, as far as the
    actor may know them."""

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> tuple[list[int], list[int]]:
        found = []
        for statement in (_MEMBERS, _GROUPS_OF):
            rows = context.db.all(statement, space=self.space_id)
            known = context.knows([SpaceFacts(space, account) for space, account in rows])
            found.append([space for space, _ in rows if space in known])
        return found[0], found[1]


@dataclass(frozen=True, slots=True)
class ReadSpaceUsage(View[SpaceUsage]):
    """What the tool of a folder's space holds and may hold.

    Those whom the owner lets into a single folder learn what they can see of it, and how much more
    there is room for if they may add something.
    """

    folder_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.LOOKUP)]

    def read(self, context: ReadContext) -> SpaceUsage:
        row = context.db.one(_USAGE, id=self.folder_id)
        if row is None:
            raise NotFound
        rights = context.require(self.folder_id, Right.LOOKUP)
        if context.facts(self.folder_id).owner_account_id == 0 or Right.SHARE in rights:
            return SpaceUsage(*row)
        adds = Right.INSERT in rights
        octets, items = held_below(context, self.folder_id)
        bytes_used, bytes_limit, items_used, items_limit = row
        return SpaceUsage(
            octets,
            _room(octets, bytes_used, bytes_limit, adds),
            items,
            _room(items, items_used, items_limit, adds),
        )


def _room(seen: int, used: int, limit: int | None, adds: bool) -> int | None:
    """A limit that leaves as much room as there is, for who may add something."""
    if not adds:
        return seen
    return None if limit is None else seen + max(0, limit - used)
