"""Mutations of accounts and their addresses. Addresses are normalised (``storage.addresses``)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from folkmoot.storage.addresses import split_address
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    AlreadyExists,
    Conflict,
    InvalidName,
    LimitReached,
    NotFound,
    PermissionDenied,
    Unchangeable,
)
from folkmoot.storage.gate import Administration, Need, OnAccount, OnDomain
from folkmoot.storage.limits import set_plan_limit
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.colleagues import forget_person
from folkmoot.storage.mutations.domains import domain_id
from folkmoot.storage.mutations.excess import excess_of, newly
from folkmoot.storage.mutations.first_folders import insert_drop_folder
from folkmoot.storage.mutations.spaces import (
    FOLDERS,
    delete_space,
    empty_space,
    insert_space,
    lock_space,
)
from folkmoot.storage.names import capability_name
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import AccountState, Limit, Tool, Topic
from folkmoot.storage.types_accounts import AccountUpdate, Excess, NewAccount, Plan, Terms

R = TypeVar("R", covariant=True)

MAX_ADDRESSES = 500  # of one account
MAX_HIDDEN = 100  # capabilities that one account does not see
MAX_NAME = 200  # characters of a person's name
JOINERS = "\u200c\u200d"  # that some scripts are not written without
_TAKEN = Statement("SELECT 1 FROM addresses WHERE address = :address")
_OWN_SPACE = Statement("UPDATE spaces SET owner_account_id = :account WHERE id = :space")
_INSERT_ACCOUNT = Statement(
    "INSERT INTO accounts (space_id, domain_id, address, name, secret, scram, state, epoch, plan,"
    " domain_admin, group_limit, member_limit, mail_per_day, withheld, created) VALUES (:space,"
    " :domain, :address, :name, :secret, :scram, :state, 1, :plan, :domain_admin, :groups,"
    " :members, :mail, :withheld, :now) RETURNING id"
)
_INSERT_ADDRESS = Statement(
    "INSERT INTO addresses (address, account_id) VALUES (:address, :account)"
)
_SUBSCRIBE = Statement("INSERT INTO subscriptions (account_id, name) VALUES (:account, :name)")
_ROW = Statement("SELECT space_id, address FROM accounts WHERE id = :id")
_DOMAIN = Statement("SELECT domain_id FROM accounts WHERE id = :id")
_PLANS = Statement("SELECT plans FROM domains WHERE id = :id")
_SET_PLAN = Statement("UPDATE accounts SET plan = :plan WHERE id = :id")
_WITHHELD = Statement("SELECT withheld FROM accounts WHERE id = :id")
_UPDATE = Statement(
    "UPDATE accounts SET name = COALESCE(:name, name), plan = COALESCE(:plan, plan),"
    " domain_admin = COALESCE(:domain_admin, domain_admin),"
    " hidden_capabilities = COALESCE(:hidden, hidden_capabilities) WHERE id = :id"
)
_SET_TERMS = Statement(
    "UPDATE accounts SET group_limit = :groups, member_limit = :members, mail_per_day = :mail,"
    " withheld = :withheld WHERE id = :id"
)
_LED_SPACES = Statement("SELECT space_id FROM groups WHERE admin_account_id = :account")
_LED = Statement("SELECT address FROM groups WHERE admin_account_id = :account ORDER BY address")
_LOCK_ACCOUNT = Statement("SELECT id FROM accounts WHERE id = :account FOR UPDATE")
_SET_STATE = Statement(
    "UPDATE accounts SET state = :state, epoch = epoch + 1 WHERE id = :id AND state <> :state"
    " RETURNING epoch"
)
_END = Statement("UPDATE accounts SET epoch = epoch + 1 WHERE id = :id RETURNING epoch")
_COUNT_ADDRESSES = Statement("SELECT COUNT(*) FROM addresses WHERE account_id = :account")
_DELETE_ADDRESS = Statement(
    "DELETE FROM addresses WHERE address = :address AND account_id = :account"
)
_DESTROY_ACCOUNT = (
    Statement("UPDATE domains SET catchall_account_id = NULL WHERE catchall_account_id = :account"),
    Statement("DELETE FROM subscriptions WHERE account_id = :account"),
    Statement("DELETE FROM annotations WHERE account_id = :account"),
    Statement("DELETE FROM app_passwords WHERE account_id = :account"),
    Statement("DELETE FROM members WHERE account_id = :account"),
    # What it wanted to send, and what the server wrote to it.
    Statement("DELETE FROM queue_messages WHERE account_id = :account"),
    Statement(
        "DELETE FROM queue_messages WHERE account_id = 0 AND mail_from = '' AND id IN"
        " (SELECT message_id FROM queue_recipients WHERE address IN"
        " (SELECT address FROM addresses WHERE account_id = :account))"
    ),
    Statement("DELETE FROM addresses WHERE account_id = :account"),
    Statement("DELETE FROM locks WHERE account_id = :account"),
    Statement("UPDATE items SET creator = 0 WHERE creator = :account"),
    Statement("DELETE FROM credit_entries WHERE holder_kind = 'account' AND holder_id = :account"),
    Statement("DELETE FROM credits WHERE holder_kind = 'account' AND holder_id = :account"),
    Statement("DELETE FROM periods WHERE account_id = :account"),
    Statement("DELETE FROM notices WHERE account_id = :account"),
    Statement("DELETE FROM accounts WHERE id = :account"),
)


class AccountMutation(Mutation[R]):
    """What the operator does with accounts: no charge, a trail."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


class _DomainMutation(Mutation[R]):
    """What those who administer its domain do with an account, and the operator too."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True
    account_id: int

    def needs(self) -> Sequence[Need]:
        return [OnAccount(self.account_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


def check_person_name(name: str) -> None:
    """Refuse names that would break a header or a terminal, or show what they are not.

    Raises ``InvalidName``.
    """
    if len(name) > MAX_NAME:
        raise InvalidName("The name is too long.")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
        raise InvalidName("The name holds control characters.")
    if any(unicodedata.category(c) == "Cf" and c not in JOINERS for c in name):
        raise InvalidName("The name holds characters that cannot be seen.")


def lock_account(context: WriteContext, account_id: int) -> None:
    """Let nobody else change what groups an account has until the end of the transaction."""
    if not context.db.is_sqlite:
        context.db.one(_LOCK_ACCOUNT, account=account_id)


def claim_address(context: ReadContext, address: str) -> None:
    """See that nobody, account or group, has an address. Raises ``AlreadyExists``."""
    if context.db.one(_TAKEN, address=address) is not None:
        raise AlreadyExists(f"The address {address} is in use already.")


def _account_row(context: ReadContext, account_id: int) -> tuple[int, str]:
    row = context.db.one(_ROW, id=account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return row[0], row[1]


def _columns(terms: Terms) -> dict[str, object]:
    return {
        "groups": terms.groups,
        "members": terms.members,
        "mail": terms.mail_per_day,
        "withheld": " ".join(sorted(terms.withheld)),
    }


def _set_terms(context: WriteContext, account_id: int, terms: Terms) -> None:
    """Write terms down; what is withheld from now on ends the sessions that might use it."""
    before = frozenset(context.db.value(_WITHHELD, id=account_id).split())
    context.db.run(_SET_TERMS, id=account_id, **_columns(terms))
    if terms.withheld - before:
        epoch: int = context.db.value(_END, id=account_id)
        context.hint(Topic.ACCOUNT, account_id, epoch)


@dataclass(frozen=True, slots=True)
class CreateAccount(Mutation[int]):
    """Make an account with its space, its roots and its first mailboxes; returns its id.

    Who administers the domain gives it one of the plans that the operator allows there. Raises
    ``NotFound`` when the domain is not served here, ``AlreadyExists``, ``InvalidName``.
    """

    audited: ClassVar[bool] = True

    new: NewAccount

    def needs(self) -> Sequence[Need]:
        return [OnDomain(split_address(self.new.address)[1])]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> int:
        new = self.new
        check_person_name(new.name)
        _, domain = split_address(new.address)
        domain_number = domain_id(context, domain)
        check_plan(context, domain_number, new.plan)
        if new.domain_admin and not context.administers():
            raise PermissionDenied("Only the operator makes administrators of domains.")
        claim_address(context, new.address)
        space = insert_space(context, new.limits)
        insert_drop_folder(context, space)
        account: int = context.db.value(
            _INSERT_ACCOUNT,
            space=space,
            domain=domain_number,
            address=new.address,
            name=new.name,
            secret=new.secret,
            scram=new.scram,
            state=(AccountState.DISABLED if new.disabled else AccountState.ACTIVE).value,
            plan=new.plan,
            domain_admin=int(new.domain_admin),
            **_columns(new.terms),
            now=context.now,
        )
        context.db.run(_OWN_SPACE, account=account, space=space)
        context.db.run(_INSERT_ADDRESS, address=new.address, account=account)
        for name, _ in FOLDERS:
            context.db.run(_SUBSCRIBE, account=account, name=name)
        return account


@dataclass(frozen=True, slots=True)
class UpdateAccount(AccountMutation[tuple[Excess, ...]]):
    """Change a person's name, plan, role, limits (larger ones count at once) or what IMAP hides.

    Returns what is above a limit from now on. Raises ``InvalidName``, ``LimitReached``.
    """

    account_id: int
    update: AccountUpdate

    def write(self, context: WriteContext) -> tuple[Excess, ...]:
        _account_row(context, self.account_id)
        update = self.update
        if update.name is not None:
            check_person_name(update.name)
        hidden = None
        if update.hidden_capabilities is not None:
            if len(update.hidden_capabilities) > MAX_HIDDEN:
                raise LimitReached("Too many capabilities are to be hidden.")
            hidden = " ".join(sorted({capability_name(one) for one in update.hidden_capabilities}))
        context.db.run(
            _UPDATE,
            id=self.account_id,
            name=update.name,
            plan=update.plan,
            domain_admin=None if update.domain_admin is None else int(update.domain_admin),
            hidden=hidden,
        )
        return _give(context, self.account_id, update.limits, update.terms)


@dataclass(frozen=True, slots=True)
class AssignPlan(_DomainMutation[tuple[Excess, ...]]):
    """Give an account another plan; returns what is above a limit from now on.

    Who administers the domain gives one of the plans that the operator allows there. Raises
    ``NotFound``, ``PermissionDenied``.
    """

    account_id: int
    plan: Plan

    def write(self, context: WriteContext) -> tuple[Excess, ...]:
        _account_row(context, self.account_id)
        check_plan(context, context.db.value(_DOMAIN, id=self.account_id), self.plan.name)
        context.db.run(_SET_PLAN, id=self.account_id, plan=self.plan.name)
        limits = {tool: self.plan.limits.get(tool, Limit(None, None)) for tool in Tool}
        return _give(context, self.account_id, limits, self.plan.terms)


def check_plan(context: ReadContext, domain_number: int, plan: str) -> None:
    """Whether the actor may give a plan to accounts of a domain. Raises ``PermissionDenied``."""
    if context.administers():
        return
    if plan not in context.db.value(_PLANS, id=domain_number).splitlines():
        raise PermissionDenied("This plan cannot be given in this domain.")


def _give(
    context: WriteContext, account_id: int, limits: Mapping[Tool, Limit], terms: Terms | None
) -> tuple[Excess, ...]:
    """Set limits and terms, those of groups too; what is above one that was not before."""
    # What a login read of the account does not hold any more, also where no session ends.
    context.hint(Topic.ACCOUNT, account_id)
    if not limits and terms is None:
        return ()
    lock_account(context, account_id)
    before = excess_of(context, account_id)
    if terms is not None:
        _set_terms(context, account_id, terms)
    space, _ = _account_row(context, account_id)
    # Each group has as much room as its administrator, beside the administrator's own.
    led = [row[0] for row in context.db.all(_LED_SPACES, account=account_id)]
    for tool, limit in limits.items():
        for each in (space, *led):
            set_plan_limit(context.db, each, tool, limit)
    return newly(before, excess_of(context, account_id))


@dataclass(frozen=True, slots=True)
class SetAccountState(_DomainMutation[None]):
    """Disable an account, which ends its sessions, or enable it; does nothing when it is so."""

    account_id: int
    state: AccountState

    def write(self, context: WriteContext) -> None:
        _account_row(context, self.account_id)
        row = context.db.one(_SET_STATE, id=self.account_id, state=self.state.value)
        if row is not None:
            context.hint(Topic.ACCOUNT, self.account_id, row[0])


@dataclass(frozen=True, slots=True)
class DeleteAccount(_DomainMutation[None]):
    """Destroy an account, all that its space holds and what it wanted to send; its sessions end.

    Octets of its messages go with the next sweep of unreferenced blobs. The audit trail and the
    receipts of its payments stay. Raises ``Conflict`` while it is the administrator of a group.
    """

    account_id: int

    def write(self, context: WriteContext) -> None:
        space, _ = _account_row(context, self.account_id)
        lock_account(context, self.account_id)
        led = [address for (address,) in context.db.all(_LED, account=self.account_id)]
        if led:
            raise Conflict(f"The account administers {', '.join(led)}; hand that over first.")
        lock_space(context, space)
        epoch: int = context.db.value(_END, id=self.account_id)
        empty_space(context, space)
        forget_person(context, space)
        for statement in _DESTROY_ACCOUNT:
            context.db.run(statement, account=self.account_id)
        delete_space(context, space)
        context.hint(Topic.ACCOUNT, self.account_id, epoch)


class _AliasMutation(_DomainMutation[None]):
    """An alias is in a domain too."""

    abstract: ClassVar[bool] = True
    address: str

    def needs(self) -> Sequence[Need]:
        return [OnAccount(self.account_id), OnDomain(split_address(self.address)[1])]


@dataclass(frozen=True, slots=True)
class AddAddress(_AliasMutation):
    """Let another address reach an account (an alias). Its domain must be served here."""

    account_id: int
    address: str

    def write(self, context: WriteContext) -> None:
        _account_row(context, self.account_id)
        domain_id(context, split_address(self.address)[1])
        claim_address(context, self.address)
        if context.db.value(_COUNT_ADDRESSES, account=self.account_id) >= MAX_ADDRESSES:
            raise LimitReached("The account has too many addresses.")
        context.db.run(_INSERT_ADDRESS, address=self.address, account=self.account_id)


@dataclass(frozen=True, slots=True)
class RemoveAddress(_AliasMutation):
    """Take an alias away. Raises ``Unchangeable`` for the primary address, ``NotFound``."""

    account_id: int
    address: str

    def write(self, context: WriteContext) -> None:
        _, primary = _account_row(context, self.account_id)
        if self.address == primary:
            raise Unchangeable("The primary address of an account cannot be removed.")
        removed = context.db.run(_DELETE_ADDRESS, address=self.address, account=self.account_id)
        if not removed:
            raise NotFound("The account has no such alias.")
