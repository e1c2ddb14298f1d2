"""Mutations of groups and of who is in them. Addresses are normalised (``storage.addresses``)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from folkmoot.storage.addresses import split_address
from folkmoot.storage.authorize import authorize
from folkmoot.storage.circle import TOOLS
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    AlreadyExists,
    InvalidName,
    LimitReached,
    NotFound,
    NotInPlan,
    PermissionDenied,
    Unchangeable,
)
from folkmoot.storage.gate import Need, OnAccount, OnDomain, OnGroup
from folkmoot.storage.limits import plan_limits, set_plan_limit
from folkmoot.storage.mutations.accounts import check_person_name, claim_address, lock_account
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.domains import domain_id
from folkmoot.storage.mutations.excess import excess_of, newly
from folkmoot.storage.mutations.grants import end_apart, end_between
from folkmoot.storage.mutations.item_grants import shared_collection
from folkmoot.storage.mutations.mailboxes import check_component
from folkmoot.storage.mutations.spaces import (
    announce,
    delete_space,
    empty_space,
    insert_space,
    lock_space,
)
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import ALL_RIGHTS, Feature, Limit, Right, Tool, Topic
from folkmoot.storage.types_accounts import Excess
from folkmoot.storage.types_groups import NewGroup

R = TypeVar("R", covariant=True)

_COLUMNS = ", ".join(tool.value for tool in TOOLS)
_INSERT = Statement(
    "INSERT INTO groups (space_id, domain_id, address, name, admin_account_id, created)"
    " VALUES (:space, :domain, :address, :name, :account, :now) RETURNING id"
)
_INSERT_ADDRESS = Statement("INSERT INTO addresses (address, group_id) VALUES (:address, :group)")
_ROW = Statement("SELECT space_id, admin_account_id FROM groups WHERE id = :id")
_LOCK = Statement("SELECT id FROM groups WHERE id = :id FOR UPDATE")
_RENAME = Statement("UPDATE groups SET name = :name WHERE id = :id")
_SET_ADMINISTRATOR = Statement("UPDATE groups SET admin_account_id = :account WHERE id = :id")
_DELETE = (
    Statement("DELETE FROM members WHERE group_id = :id"),
    Statement("DELETE FROM addresses WHERE group_id = :id"),
    Statement("DELETE FROM groups WHERE id = :id"),
)
_ACCOUNT = Statement("SELECT space_id, group_limit, member_limit FROM accounts WHERE id = :account")
_WITHHELD = Statement("SELECT withheld FROM accounts WHERE id = :account")
_LED = Statement("SELECT COUNT(*) FROM groups WHERE admin_account_id = :account")
_MEMBERS = Statement("SELECT account_id FROM members WHERE group_id = :id")
_MEMBER = Statement(
    f"SELECT {_COLUMNS} FROM members WHERE group_id = :group AND account_id = :account"  # noqa: S608
)
_ADD = Statement(
    f"INSERT INTO members (group_id, account_id, {_COLUMNS}, joined) VALUES (:group, :account,"  # noqa: S608
    f" {', '.join(f':{tool.value}' for tool in TOOLS)}, :now)"
)
_REMOVE = Statement("DELETE FROM members WHERE group_id = :group AND account_id = :account")
_SET_RIGHTS = Statement(
    f"UPDATE members SET {', '.join(f'{tool.value} = :{tool.value}' for tool in TOOLS)}"  # noqa: S608
    " WHERE group_id = :group AND account_id = :account"
)
_UNLOCK = Statement("DELETE FROM locks WHERE space_id = :space AND account_id = :account")


@dataclass(frozen=True, slots=True)
class CreateGroup(Mutation[int]):
    """Make a group with its space and its administrator as the first member; returns its id.

    Raises ``NotFound`` when the domain is not served here or there is no such account,
    ``AlreadyExists``, ``InvalidName``, ``LimitReached``, ``NotInPlan``.
    """

    audited: ClassVar[bool] = True

    new: NewGroup

    def needs(self) -> Sequence[Need]:
        domain = split_address(self.new.address)[1]
        return [OnDomain(domain), OnAccount(self.new.admin_account_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> int:
        return create_group(context, self.new)


def create_group(context: WriteContext, new: NewGroup) -> int:
    """Make a group for whoever may; returns its id."""
    name = group_name(new.name)
    domain = domain_id(context, split_address(new.address)[1])
    claim_address(context, new.address)
    limits = _may_lead_one_more(context, new.admin_account_id)
    space = insert_space(context, limits)
    for tool in (Tool.MAIL, Tool.DOCUMENTS):  # where members put what they share
        shared_collection(context, space, tool)
    group: int = context.db.value(
        _INSERT,
        space=space,
        domain=domain,
        address=new.address,
        name=name,
        account=new.admin_account_id,
        now=context.now,
    )
    context.db.run(_INSERT_ADDRESS, address=new.address, group=group)
    _add_member(context, group, new.admin_account_id, {})
    tell_member(context, new.admin_account_id)
    return group


class GroupMutation(Mutation[R]):
    """What mutations of one group have in common: its administrator may do them, with a trail."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True
    group_id: int

    def needs(self) -> Sequence[Need]:
        return [OnGroup(self.group_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def hold(self, context: WriteContext) -> tuple[int, int]:
        """Space and administrator of the group, as nobody else changes them until the commit.

        Who led it a moment ago may have handed it over while this waited: that is asked again.
        """
        found = lock_group(context, self.group_id)
        if not context.db.is_sqlite:  # one writer
            context.forget()
            authorize(context, self.needs())
        return found


@dataclass(frozen=True, slots=True)
class RenameGroup(GroupMutation[None]):
    """Call a group something else; its address stays. Raises ``InvalidName``."""

    group_id: int
    name: str

    def write(self, context: WriteContext) -> None:
        space, _ = self.hold(context)
        context.db.run(_RENAME, id=self.group_id, name=group_name(self.name))
        announce(context, space)


@dataclass(frozen=True, slots=True)
class DeleteGroup(GroupMutation[None]):
    """Destroy a group and all that its space holds."""

    group_id: int

    def needs(self) -> Sequence[Need]:
        return [OnGroup(self.group_id, domain=True)]

    def write(self, context: WriteContext) -> None:
        space, _ = self.hold(context)
        members = [account for (account,) in context.db.all(_MEMBERS, id=self.group_id)]
        for account in members:
            tell_member(context, account)
        lock_space(context, space)
        empty_space(context, space)
        for statement in _DELETE:
            context.db.run(statement, id=self.group_id)
        delete_space(context, space)
        for account in members:
            end_apart(context, _account(context, account)[0])


@dataclass(frozen=True, slots=True)
class AddMember(GroupMutation[None]):
    """Take an account into a group, with rights beside those that every member has.

    Raises ``AlreadyExists``, ``LimitReached``, ``NotFound``.
    """

    group_id: int
    account_id: int
    rights: Mapping[Tool, Right]

    def write(self, context: WriteContext) -> None:
        _, administrator = self.hold(context)
        lock_account(context, self.account_id)
        _account(context, self.account_id)
        _check_groups_in_plan(context, self.account_id)
        if context.db.one(_MEMBER, group=self.group_id, account=self.account_id) is not None:
            raise AlreadyExists("The account is a member already.")
        _, _, limit = _account(context, administrator)
        if limit is not None and len(context.db.all(_MEMBERS, id=self.group_id)) >= limit:
            raise LimitReached("The plan of the group's administrator allows no more members.")
        _add_member(context, self.group_id, self.account_id, self.rights)
        tell_member(context, self.account_id)


@dataclass(frozen=True, slots=True)
class RemoveMember(GroupMutation[None]):
    """Take an account out of a group: it has no rights there from the commit on, and no locks.

    Raises ``Unchangeable`` for the administrator, ``NotFound``.
    """

    group_id: int
    account_id: int

    def write(self, context: WriteContext) -> None:
        leave_group(context, self.group_id, self.account_id)


def leave_group(context: WriteContext, group_id: int, account_id: int) -> None:
    """Take an account out of a group. Raises ``Unchangeable``, ``NotFound``."""
    space, administrator = lock_group(context, group_id)
    if account_id == administrator:
        raise Unchangeable("The administrator cannot leave before another one is chosen.")
    if not context.db.run(_REMOVE, group=group_id, account=account_id):
        raise NotFound("The account is not a member.")
    context.db.run(_UNLOCK, space=space, account=account_id)
    own, _, _ = _account(context, account_id)
    end_between(context, own, space)
    announce(context, space)
    announce(context, own)
    tell_member(context, account_id)


@dataclass(frozen=True, slots=True)
class SetMemberRights(GroupMutation[None]):
    """Give a member other rights, beside those that every member has; tools left out keep theirs.

    Raises ``NotFound``.
    """

    group_id: int
    account_id: int
    rights: Mapping[Tool, Right]

    def write(self, context: WriteContext) -> None:
        space, _ = self.hold(context)
        row = context.db.one(_MEMBER, group=self.group_id, account=self.account_id)
        if row is None:
            raise NotFound("The account is not a member.")
        before = {tool: Right(bits) for tool, bits in zip(TOOLS, row, strict=True)}
        columns = _columns({**before, **self.rights})
        context.db.run(_SET_RIGHTS, group=self.group_id, account=self.account_id, **columns)
        announce(context, space)


@dataclass(frozen=True, slots=True)
class SetGroupAdministrator(GroupMutation[tuple[Excess, ...]]):
    """Hand a group over to one of its members, whose plan it follows from now on.

    Returns what is above a limit of that plan. Who administers the domain hands over to others
    only. Raises ``NotFound`` when the account is not a member, ``LimitReached``, ``NotInPlan``.
    """

    group_id: int
    account_id: int

    def needs(self) -> Sequence[Need]:
        return [OnGroup(self.group_id, domain=True)]

    def write(self, context: WriteContext) -> tuple[Excess, ...]:
        space, administrator = self.hold(context)
        if context.db.one(_MEMBER, group=self.group_id, account=self.account_id) is None:
            raise NotFound("The account is not a member.")
        if self.account_id == administrator:
            return ()
        actor = context.actor.account_id
        if actor == self.account_id and actor != administrator:
            raise PermissionDenied("Nobody takes over the group of others.")
        # Neither plan changes meanwhile; in one order, so that two cannot wait for each other.
        for account in sorted((administrator, self.account_id)):
            lock_account(context, account)
        limits = _may_lead_one_more(context, self.account_id)
        before = excess_of(context, self.account_id)
        context.db.run(_SET_ADMINISTRATOR, id=self.group_id, account=self.account_id)
        for tool, limit in limits.items():
            set_plan_limit(context.db, space, tool, limit)
        announce(context, space)
        return newly(before, excess_of(context, self.account_id))


# --- what they have in common ---------------------------------------------------------------------


def group_name(text: str) -> str:
    """The name of a group, which is a level of paths too. Raises ``InvalidName``."""
    name = unicodedata.normalize("NFC", text.strip())
    if name in ("", ".", ".."):
        raise InvalidName("A group needs a name.")
    check_person_name(name)
    check_component(name)
    return name


def lock_group(context: WriteContext, group_id: int) -> tuple[int, int]:
    """Space and administrator, held: nobody else changes the group until the commit."""
    if not context.db.is_sqlite:
        context.db.one(_LOCK, id=group_id)
    row = context.db.one(_ROW, id=group_id)
    if row is None:
        raise NotFound("There is no such group.")
    return row[0], row[1]


def _account(context: ReadContext, account_id: int) -> tuple[int, int | None, int | None]:
    """Space and limits of an account: groups, members."""
    row = context.db.one(_ACCOUNT, account=account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return row[0], row[1], row[2]


def _may_lead_one_more(context: WriteContext, account_id: int) -> dict[Tool, Limit]:
    """What a space of a group of this administrator may hold. Raises ``LimitReached``."""
    lock_account(context, account_id)
    space, limit, _ = _account(context, account_id)
    _check_groups_in_plan(context, account_id)
    if limit is not None and context.db.value(_LED, account=account_id) >= limit:
        raise LimitReached("The plan of the account allows no more groups.")
    return plan_limits(context.db, space)  # the own limits of a person are not the group's


def _check_groups_in_plan(context: ReadContext, account_id: int) -> None:
    """Whether an account may come into a group. Raises ``NotInPlan``."""
    if Feature.GROUPS in context.db.value(_WITHHELD, account=account_id).split():
        raise NotInPlan("The plan of the account has no groups.")


def _add_member(
    context: WriteContext, group_id: int, account_id: int, rights: Mapping[Tool, Right]
) -> None:
    columns = _columns(rights)
    context.db.run(_ADD, group=group_id, account=account_id, now=context.now, **columns)


def _columns(rights: Mapping[Tool, Right]) -> dict[str, int]:
    return {tool.value: int(rights.get(tool, Right.NONE) & ALL_RIGHTS) for tool in TOOLS}


def tell_member(context: WriteContext, account_id: int) -> None:
    """What a member sees in its own places has changed."""
    space, _, _ = _account(context, account_id)
    context.hint(Topic.SPACE, space)
