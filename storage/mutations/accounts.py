"""Mutations of accounts and their addresses. Addresses are normalised (``storage.addresses``)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from folkmoot.storage.addresses import split_address
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    AlreadyExists,
    InvalidName,
    LimitReached,
    NotFound,
    Unchangeable,
)
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.domains import domain_id
from folkmoot.storage.mutations.first_folders import insert_first_folders
from folkmoot.storage.mutations.mailboxes import INBOX, insert_mailbox
from folkmoot.storage.names import capability_name
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import AccountState, Limit, Tool, Topic
from folkmoot.storage.types_accounts import AccountUpdate, NewAccount

R = TypeVar("R", covariant=True)

MAX_ADDRESSES = 500  # of one account
MAX_HIDDEN = 100  # capabilities that one account does not see
MAX_NAME = 200  # characters of a person's name
# rfc6154#2; these names are what clients show translated or as they are.
FOLDERS = (
    (INBOX, ""),
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
    ("Archive", "\\Archive"),
)

_TAKEN = Statement("SELECT account_id FROM addresses WHERE address = :address")
_INSERT_SPACE = Statement("INSERT INTO spaces (owner_account_id) VALUES (0) RETURNING id")
_OWN_SPACE = Statement("UPDATE spaces SET owner_account_id = :account WHERE id = :space")
_INSERT_ACCOUNT = Statement(
    "INSERT INTO accounts (space_id, domain_id, address, name, secret, scram, state, epoch, plan,"
    " domain_admin, created) VALUES (:space, :domain, :address, :name, :secret, :scram, :state, 1,"
    " :plan, :domain_admin, :now) RETURNING id"
)
_INSERT_ADDRESS = Statement(
    "INSERT INTO addresses (address, account_id) VALUES (:address, :account)"
)
_INSERT_ROOT = Statement(
    "INSERT INTO collections (space_id, tool, parent_id, name, modseq, uidvalidity, uidnext,"
    " created, modified) VALUES (:space, :tool, NULL, '', 1, 0, 1, :now, :now) RETURNING id"
)
_SUBSCRIBE = Statement("INSERT INTO subscriptions (account_id, name) VALUES (:account, :name)")
_SET_LIMIT = Statement(
    "INSERT INTO usage (space_id, tool, bytes_used, bytes_limit, items_used, items_limit)"
    " VALUES (:space, :tool, 0, :bytes, 0, :items) ON CONFLICT (space_id, tool)"
    " DO UPDATE SET bytes_limit = excluded.bytes_limit, items_limit = excluded.items_limit"
)
_ROW = Statement("SELECT space_id, address FROM accounts WHERE id = :id")
_UPDATE = Statement(
    "UPDATE accounts SET name = COALESCE(:name, name), plan = COALESCE(:plan, plan),"
    " domain_admin = COALESCE(:domain_admin, domain_admin),"
    " hidden_capabilities = COALESCE(:hidden, hidden_capabilities) WHERE id = :id"
)
_SET_STATE = Statement(
    "UPDATE accounts SET state = :state, epoch = epoch + 1 WHERE id = :id AND state <> :state"
    " RETURNING epoch"
)
_END = Statement("UPDATE accounts SET epoch = epoch + 1 WHERE id = :id RETURNING epoch")
_COUNT_ADDRESSES = Statement("SELECT COUNT(*) FROM addresses WHERE account_id = :account")
_DELETE_ADDRESS = Statement(
    "DELETE FROM addresses WHERE address = :address AND account_id = :account"
)
_LOCK_SPACE = Statement("SELECT id FROM spaces WHERE id = :space FOR UPDATE")
_LOCK_COLLECTIONS = Statement(
    "SELECT id FROM collections WHERE space_id = :space ORDER BY id FOR UPDATE"
)
_COLLECTIONS = Statement("SELECT id, modseq FROM collections WHERE space_id = :space")
_DESTROY_SPACE = (
    Statement(
        "DELETE FROM messages WHERE mailbox_id IN"
        " (SELECT id FROM collections WHERE space_id = :space)"
    ),
    Statement(
        "DELETE FROM changes WHERE collection_id IN"
        " (SELECT id FROM collections WHERE space_id = :space)"
    ),
    Statement("DELETE FROM annotations WHERE space_id = :space"),
    Statement("DELETE FROM locks WHERE space_id = :space"),
    Statement("DELETE FROM schedule_messages WHERE space_id = :space"),
    *(
        Statement(
            f"DELETE FROM {table} WHERE folder_id IN"  # noqa: S608
            " (SELECT id FROM collections WHERE space_id = :space)"
        )
        for table in ("items", "properties", "tombstones")
    ),
    Statement("DELETE FROM collections WHERE space_id = :space"),
    Statement("DELETE FROM usage WHERE space_id = :space"),
)
_DESTROY_ACCOUNT = (
    Statement("UPDATE domains SET catchall_account_id = NULL WHERE catchall_account_id = :account"),
    Statement("DELETE FROM subscriptions WHERE account_id = :account"),
    Statement("DELETE FROM annotations WHERE account_id = :account"),
    Statement("DELETE FROM app_passwords WHERE account_id = :account"),
    Statement("DELETE FROM addresses WHERE account_id = :account"),
    Statement("DELETE FROM locks WHERE account_id = :account"),
    Statement("DELETE FROM accounts WHERE id = :account"),
)
_DELETE_SPACE = Statement("DELETE FROM spaces WHERE id = :space")


class AccountMutation(Mutation[R]):
    """What mutations of accounts have in common: administration, no charge, a trail."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


def check_person_name(name: str) -> None:
    """Refuse names that would break a header or a terminal. Raises ``InvalidName``."""
    if len(name) > MAX_NAME:
        raise InvalidName("The name is too long.")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
        raise InvalidName("The name holds control characters.")


def _claim(context: ReadContext, address: str) -> None:
    if context.db.one(_TAKEN, address=address) is not None:
        raise AlreadyExists(f"The address {address} is in use already.")


def _account_row(context: ReadContext, account_id: int) -> tuple[int, str]:
    row = context.db.one(_ROW, id=account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return row[0], row[1]


def _set_limit(context: WriteContext, space_id: int, tool: Tool, limit: Limit) -> None:
    context.db.run(
        _SET_LIMIT, space=space_id, tool=tool.value, bytes=limit.bytes, items=limit.items
    )


@dataclass(frozen=True, slots=True)
class CreateAccount(AccountMutation[int]):
    """Make an account with its space, its roots and its first mailboxes; returns its id.

    Raises ``NotFound`` when the domain is not served here, ``AlreadyExists``, ``InvalidName``.
    """

    new: NewAccount

    def write(self, context: WriteContext) -> int:
        new = self.new
        check_person_name(new.name)
        _, domain = split_address(new.address)
        domain_number = domain_id(context, domain)
        _claim(context, new.address)
        space: int = context.db.value(_INSERT_SPACE)
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
            now=context.now,
        )
        context.db.run(_OWN_SPACE, account=account, space=space)
        context.db.run(_INSERT_ADDRESS, address=new.address, account=account)
        for tool in Tool:
            _set_limit(context, space, tool, new.limits.get(tool, Limit(None, None)))
        self._create_folders(context, account, space)
        return account

    def _create_folders(self, context: WriteContext, account: int, space: int) -> None:
        roots = {
            tool: context.db.value(_INSERT_ROOT, space=space, tool=tool.value, now=context.now)
            for tool in Tool
        }
        for name, special_use in FOLDERS:
            insert_mailbox(context, space, roots[Tool.MAIL], name, special_use)
            context.db.run(_SUBSCRIBE, account=account, name=name)
        insert_first_folders(context, space, roots)


@dataclass(frozen=True, slots=True)
class UpdateAccount(AccountMutation[None]):
    """Change a person's name, plan, role, limits (larger ones count at once) or what IMAP hides.

    Raises ``InvalidName``, ``LimitReached``.
    """

    account_id: int
    update: AccountUpdate

    def write(self, context: WriteContext) -> None:
        space, _ = _account_row(context, self.account_id)
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
        for tool, limit in update.limits.items():
            _set_limit(context, space, tool, limit)


@dataclass(frozen=True, slots=True)
class SetAccountState(AccountMutation[None]):
    """Disable an account, which ends its sessions, or enable it; does nothing when it is so."""

    account_id: int
    state: AccountState

    def write(self, context: WriteContext) -> None:
        _account_row(context, self.account_id)
        row = context.db.one(_SET_STATE, id=self.account_id, state=self.state.value)
        if row is not None:
            context.hint(Topic.ACCOUNT, self.account_id, row[0])


@dataclass(frozen=True, slots=True)
class DeleteAccount(AccountMutation[None]):
    """Destroy an account and all that its space holds; its sessions end.

    Octets of its messages go with the next sweep of unreferenced blobs. Mail that it has handed
    over for sending is still sent.
    """

    account_id: int

    def write(self, context: WriteContext) -> None:
        space, _ = _account_row(context, self.account_id)
        if not context.db.is_sqlite:
            # Deliveries, new mailboxes and folders wait here, and then find nothing to be put into.
            # They too hold a collection before a new row of theirs holds the space.
            context.db.all(_LOCK_COLLECTIONS, space=space)
            context.db.one(_LOCK_SPACE, space=space)
        epoch: int = context.db.value(_END, id=self.account_id)
        collections = context.db.all(_COLLECTIONS, space=space)
        for statement in _DESTROY_SPACE:
            context.db.run(statement, space=space)
        for statement in _DESTROY_ACCOUNT:
            context.db.run(statement, account=self.account_id)
        context.db.run(_DELETE_SPACE, space=space)
        for collection_id, modseq in collections:
            context.hint(Topic.COLLECTION, collection_id, modseq + 1)
        context.hint(Topic.SPACE, space)
        context.hint(Topic.ACCOUNT, self.account_id, epoch)


@dataclass(frozen=True, slots=True)
class AddAddress(AccountMutation[None]):
    """Let another address reach an account (an alias). Its domain must be served here."""

    account_id: int
    address: str

    def write(self, context: WriteContext) -> None:
        _account_row(context, self.account_id)
        domain_id(context, split_address(self.address)[1])
        _claim(context, self.address)
        if context.db.value(_COUNT_ADDRESSES, account=self.account_id) >= MAX_ADDRESSES:
            raise LimitReached("The account has too many addresses.")
        context.db.run(_INSERT_ADDRESS, address=self.address, account=self.account_id)


@dataclass(frozen=True, slots=True)
class RemoveAddress(AccountMutation[None]):
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
