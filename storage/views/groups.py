"""Views of groups: for administration, and the groups that one is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

from folkmoot.storage.addresses import display_address, split_address
from folkmoot.storage.authorize import in_own_domain
from folkmoot.storage.circle import RIGHTS, rights_of, tools_of
from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Administration, Need, OnDomain, PerItem
from folkmoot.storage.names import looks
from folkmoot.storage.policy import SpaceFacts
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types_groups import Group, GroupDetails, GroupPlace, Member, Posting
from folkmoot.storage.views.base import View
from folkmoot.storage.views.usage import usages

R = TypeVar("R", covariant=True)

_GROUPS = (
    "SELECT g.id, g.space_id, g.address, g.name, a.address,"
    " (SELECT COUNT(*) FROM members m WHERE m.group_id = g.id), g.created"
    " FROM groups g JOIN accounts a ON a.id = g.admin_account_id"
)
_ALL = Statement(f"{_GROUPS} ORDER BY g.address")
_IN_DOMAIN = Statement(
    f"{_GROUPS} WHERE g.domain_id = (SELECT id FROM domains WHERE name = :domain)"  # noqa: S608
    " ORDER BY g.address"
)
_ONE = Statement(f"{_GROUPS} WHERE g.address = :address")
_MEMBERS = Statement(
    f"SELECT a.id, a.address, a.name, g.admin_account_id, m.joined, m.forward, {RIGHTS}"  # noqa: S608
    " FROM members m JOIN groups g ON g.id = m.group_id JOIN accounts a ON a.id = m.account_id"
    " WHERE m.group_id = :id ORDER BY a.address"
)
_ADDRESSES = Statement("SELECT address FROM addresses WHERE group_id = :id ORDER BY address")
_SETTINGS = Statement("SELECT posting, tools FROM groups WHERE id = :id")
_MINE = Statement(
    "SELECT g.space_id, g.name, g.address FROM members m JOIN groups g ON g.id = m.group_id"
    " WHERE m.account_id = :account ORDER BY g.name, g.id"
)


def _group(row: Row) -> Group:
    id_, space, address, name, administrator, members, created = row
    return Group(
        id_, space, address, name, administrator, members, datetime.fromtimestamp(created, UTC)
    )


class _GroupView(View[R]):
    """For its members, for those who administer the domain of its address, and the operator."""

    abstract: ClassVar[bool] = True
    address: str

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def _visible(self, context: ReadContext) -> Group:
        absent = NotFound(f"There is no group {self.address}.")
        row = context.db.one(_ONE, address=self.address)
        if row is None:
            raise absent
        group = _group(row)
        known = context.knows([SpaceFacts(group.space_id, 0)])
        if not known and not in_own_domain(context, split_address(self.address)[1]):
            raise absent
        return group


@dataclass(frozen=True, slots=True)
class FindGroup(_GroupView[Group]):
    """The group with this address. Raises ``NotFound``."""

    address: str

    def read(self, context: ReadContext) -> Group:
        return self._visible(context)


@dataclass(frozen=True, slots=True)
class ListGroups(View[list[Group]]):
    """All groups by address; ``domain`` limits them to one domain, "" does not."""

    domain: str = ""

    def needs(self) -> Sequence[Need]:
        return [OnDomain(self.domain)] if self.domain else [Administration()]

    def read(self, context: ReadContext) -> list[Group]:
        if self.domain:
            return [_group(row) for row in context.db.all(_IN_DOMAIN, domain=self.domain)]
        return [_group(row) for row in context.db.all(_ALL)]


@dataclass(frozen=True, slots=True)
class ShowGroup(_GroupView[GroupDetails]):
    """A group with its members and usage. Raises ``NotFound``."""

    address: str

    def read(self, context: ReadContext) -> GroupDetails:
        group = self._visible(context)
        members = tuple(
            Member(
                id_,
                address,
                name,
                id_ == administrator,
                rights_of(tuple(bits)),
                datetime.fromtimestamp(joined, UTC),
                bool(forward),
            )
            for id_, address, name, administrator, joined, forward, *bits in context.db.all(
                _MEMBERS, id=group.id
            )
        )
        usage = usages(context, group.space_id)
        addresses = [address for (address,) in context.db.all(_ADDRESSES, id=group.id)]
        aliases = tuple(address for address in addresses if address != group.address)
        posting, tools = context.db.one(_SETTINGS, id=group.id) or ("", "")
        return GroupDetails(group, members, usage, aliases, Posting(posting), tools_of(tools))


@dataclass(frozen=True, slots=True)
class MyGroups(View[list[GroupPlace]]):
    """The groups that the actor is in, by name; of equal names, each has the address behind it."""

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[GroupPlace]:
        rows = context.db.all(_MINE, account=context.actor.account_id)
        known = context.knows([SpaceFacts(space, 0) for space, _, _ in rows])
        mine = [row for row in rows if row[0] in known]
        names = told_apart([(name, display_address(address)) for _, name, address in mine])
        return [GroupPlace(space, name) for (space, *_), name in zip(mine, names, strict=True)]


def told_apart(named: Sequence[tuple[str, str]]) -> list[str]:
    """Names for (name, what is only its own): of equal names, each has the other behind it.
    Names are equal that people may take for each other.

    They are levels of paths: without slashes.
    """
    plain = [name.replace("/", "-") for name, _ in named]
    full = [f"{name} ({own})".replace("/", "-") for name, own in named]
    equal = Counter(map(looks, plain))
    names = [
        name if equal[looks(name)] == 1 else other for name, other in zip(plain, full, strict=True)
    ]
    # Somebody may have chosen a name that looks like one of these.
    return names if len(set(map(looks, names))) == len(names) else full
