"""Mutations of what people sign in with: passwords, app passwords, the secret of the store."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    AlreadyExists,
    AuthenticationFailed,
    InvalidName,
    LimitReached,
    NotFound,
    NotInPlan,
    PermissionDenied,
)
from folkmoot.storage.gate import Need, OnAccount, OnSpace
from folkmoot.storage.mutations.accounts import AccountMutation, check_person_name
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Feature, Topic

R = TypeVar("R", covariant=True)

_SET_PASSWORD = Statement(
    "UPDATE accounts SET secret = :secret, scram = :scram, epoch = epoch + 1, reset_secret = NULL,"
    " reset_until = NULL WHERE id = :id RETURNING epoch"
)
_RENEW = Statement(
    "UPDATE accounts SET secret = :secret, scram = :scram WHERE id = :id AND secret = :old"
)
_USED = Statement("UPDATE accounts SET last_used = :now WHERE id = :id")
_APP_USED = Statement("UPDATE app_passwords SET last_used = :now WHERE id = :id")
_WITHHELD = Statement("SELECT withheld FROM accounts WHERE id = :id")
_OWNER = Statement("SELECT owner_account_id FROM spaces WHERE id = :space")
_RESET = Statement(
    "UPDATE accounts SET secret = '', scram = NULL, epoch = epoch + 1, reset_secret = :secret,"
    " reset_until = :until WHERE id = :id RETURNING epoch"
)
_REDEEM = Statement(
    "UPDATE accounts SET secret = :secret, scram = :scram, epoch = epoch + 1, reset_secret = NULL,"
    " reset_until = NULL WHERE id = :id AND reset_secret = :code AND reset_until > :now"
    " RETURNING epoch"
)
_NAMES = Statement("SELECT name FROM app_passwords WHERE account_id = :account")
_INSERT = Statement(
    "INSERT INTO app_passwords (account_id, name, secret, protocols, created)"
    " VALUES (:account, :name, :secret, :protocols, :now) RETURNING id"
)
_REVOKE = Statement("DELETE FROM app_passwords WHERE account_id = :account AND name = :name")
_END = Statement("UPDATE accounts SET epoch = epoch + 1 WHERE id = :id RETURNING epoch")
_INSERT_SETTING = Statement(
    "INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"
)
_SETTING = Statement("SELECT value FROM settings WHERE name = :name")


@dataclass(frozen=True, slots=True)
class SetPassword(AccountMutation[None]):
    """Give an account a new main password; all its sessions end. Raises ``NotFound``.

    ``secret`` is an argon2id hash, ``scram`` a SCRAM-SHA-256 record or None.
    """

    account_id: int
    secret: str
    scram: str | None

    def write(self, context: WriteContext) -> None:
        _set_password(context, self.account_id, self.secret, self.scram)


def _set_password(context: WriteContext, account_id: int, secret: str, scram: str | None) -> None:
    row = context.db.one(_SET_PASSWORD, id=account_id, secret=secret, scram=scram)
    if row is None:
        raise NotFound("There is no such account.")
    context.hint(Topic.ACCOUNT, account_id, row[0])


class _OwnMutation(Mutation[R]):
    """What people do with their own account; a device's password is not enough for it."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True
    space_id: int

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


def _own_account(context: WriteContext, space_id: int) -> int:
    """The account that owns a space. Raises ``PermissionDenied`` in sessions of devices."""
    if context.actor.credential_id:
        raise PermissionDenied("Sign in with the main password for this.")
    owner: int = context.db.value(_OWNER, space=space_id)
    return owner


@dataclass(frozen=True, slots=True)
class ChangeOwnPassword(_OwnMutation[None]):
    """Give one's own account a new main password; all its sessions end, this one too."""

    space_id: int
    secret: str
    scram: str | None

    def write(self, context: WriteContext) -> None:
        _set_password(context, _own_account(context, self.space_id), self.secret, self.scram)


@dataclass(frozen=True, slots=True)
class ResetPassword(Mutation[None]):
    """Take the main password of an account away and let whoever has a code choose a new one, once.

    All sessions end. ``secret`` is the hash of the code, which is good until ``until`` (seconds).
    Raises ``NotFound``.
    """

    audited: ClassVar[bool] = True

    account_id: int
    secret: str
    until: int

    def needs(self) -> Sequence[Need]:
        return [OnAccount(self.account_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        row = context.db.one(_RESET, id=self.account_id, secret=self.secret, until=self.until)
        if row is None:
            raise NotFound("There is no such account.")
        context.hint(Topic.ACCOUNT, self.account_id, row[0])


@dataclass(frozen=True, slots=True)
class RedeemReset(AccountMutation[None]):
    """Set the password that somebody chose with a code whose hash is ``code``; it works once.

    Raises ``AuthenticationFailed`` when it was used or withdrawn meanwhile, or is too old.
    """

    account_id: int
    code: str
    secret: str
    scram: str

    def write(self, context: WriteContext) -> None:
        row = context.db.one(
            _REDEEM,
            id=self.account_id,
            code=self.code,
            secret=self.secret,
            scram=self.scram,
            now=context.now,
        )
        if row is None:
            raise AuthenticationFailed("This code is not good any more.")
        context.hint(Topic.ACCOUNT, self.account_id, row[0])


@dataclass(frozen=True, slots=True)
class RenewSecret(AccountMutation[None]):
    """Replace the hash of a password that stays the same; nothing if it changed meanwhile."""

    audited: ClassVar[bool] = False

    account_id: int
    old_secret: str
    secret: str
    scram: str

    def write(self, context: WriteContext) -> None:
        context.db.run(
            _RENEW,
            id=self.account_id,
            old=self.old_secret,
            secret=self.secret,
            scram=self.scram,
        )


@dataclass(frozen=True, slots=True)
class RecordLogin(AccountMutation[None]):
    """Note the time of a login, of the account and of the app password (0: none)."""

    audited: ClassVar[bool] = False

    account_id: int
    app_password_id: int

    def write(self, context: WriteContext) -> None:
        context.db.run(_USED, id=self.account_id, now=context.now)
        if self.app_password_id:
            context.db.run(_APP_USED, id=self.app_password_id, now=context.now)


@dataclass(frozen=True, slots=True)
class NewAppPassword:
    """A secret for a device; ``secret`` is its hash, ``protocols`` is empty for all.

    ``limit`` is the number of app passwords that an account may have.
    """

    name: str
    secret: str
    protocols: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class AddAppPassword(AccountMutation[int]):
    """Give an account one more secret for a device; returns its id.

    ``protocols`` is empty for all. ``limit`` is the number of app passwords an account may have.
    Raises ``NotFound``, ``AlreadyExists``, ``InvalidName``, ``LimitReached``.
    """

    account_id: int
    name: str
    secret: str
    protocols: tuple[str, ...]
    limit: int

    def write(self, context: WriteContext) -> int:
        new = NewAppPassword(self.name, self.secret, self.protocols, self.limit)
        return _add(context, self.account_id, new)


@dataclass(frozen=True, slots=True)
class AddOwnAppPassword(_OwnMutation[int]):
    """Give one's own account one more secret for a device; as ``AddAppPassword``."""

    space_id: int
    new: NewAppPassword

    def write(self, context: WriteContext) -> int:
        return _add(context, _own_account(context, self.space_id), self.new)


def _add(context: WriteContext, account_id: int, new: NewAppPassword) -> int:
    check_person_name(new.name)
    if not new.name.strip():
        raise InvalidName("An app password needs a name.")
    row = context.db.one(_WITHHELD, id=account_id)
    if row is None:
        raise NotFound("There is no such account.")
    if Feature.APP_PASSWORDS in row[0].split():
        raise NotInPlan("The plan of this account has no passwords for single devices.")
    names: Sequence[str] = [row[0] for row in context.db.all(_NAMES, account=account_id)]
    if new.name in names:
        raise AlreadyExists("An app password of this name exists already.")
    if len(names) >= new.limit:
        raise LimitReached("The account has too many app passwords.")
    created: int = context.db.value(
        _INSERT,
        account=account_id,
        name=new.name,
        secret=new.secret,
        protocols=" ".join(new.protocols),
        now=context.now,
    )
    return created


@dataclass(frozen=True, slots=True)
class RevokeAppPassword(AccountMutation[None]):
    """Take an app password away. Raises ``NotFound``.

    All sessions of the account end, as nobody knows which were opened with it; those of other
    devices sign in again by themselves.
    """

    account_id: int
    name: str

    def write(self, context: WriteContext) -> None:
        _revoke(context, self.account_id, self.name)


@dataclass(frozen=True, slots=True)
class RevokeOwnAppPassword(_OwnMutation[None]):
    """Take an app password of one's own account away; as ``RevokeAppPassword``."""

    space_id: int
    name: str

    def write(self, context: WriteContext) -> None:
        _revoke(context, _own_account(context, self.space_id), self.name)


def _revoke(context: WriteContext, account_id: int, name: str) -> None:
    if not context.db.run(_REVOKE, account=account_id, name=name):
        raise NotFound("There is no app password of this name.")
    epoch: int = context.db.value(_END, id=account_id)
    context.hint(Topic.ACCOUNT, account_id, epoch)


@dataclass(frozen=True, slots=True)
class EnsureSecret(AccountMutation[bytes]):
    """The installation's secret of this name, 32 octets; made when it is first asked for."""

    audited: ClassVar[bool] = False

    name: str

    def write(self, context: WriteContext) -> bytes:
        context.db.run(_INSERT_SETTING, name=self.name, value=secrets.token_hex(32))
        value: str = context.db.value(_SETTING, name=self.name)
        return bytes.fromhex(value)
