"""Mutations of what people sign in with: passwords, app passwords, the secret of the store."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import AlreadyExists, InvalidName, LimitReached, NotFound
from folkmoot.storage.mutations.accounts import AccountMutation, check_person_name
from folkmoot.storage.txn import WriteContext
from folkmoot.storage.types import Topic

_SET_PASSWORD = Statement(
    "UPDATE accounts SET secret = :secret, scram = :scram, epoch = epoch + 1 WHERE id = :id"
    " RETURNING epoch"
)
_RENEW = Statement(
    "UPDATE accounts SET secret = :secret, scram = :scram WHERE id = :id AND secret = :old"
)
_USED = Statement("UPDATE accounts SET last_used = :now WHERE id = :id")
_APP_USED = Statement("UPDATE app_passwords SET last_used = :now WHERE id = :id")
_EXISTS = Statement("SELECT id FROM accounts WHERE id = :id")
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
        row = context.db.one(
            _SET_PASSWORD, id=self.account_id, secret=self.secret, scram=self.scram
        )
        if row is None:
            raise NotFound("There is no such account.")
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
        check_person_name(self.name)
        if not self.name.strip():
            raise InvalidName("An app password needs a name.")
        if context.db.one(_EXISTS, id=self.account_id) is None:
            raise NotFound("There is no such account.")
        names: Sequence[str] = [row[0] for row in context.db.all(_NAMES, account=self.account_id)]
        if self.name in names:
            raise AlreadyExists("An app password of this name exists already.")
        if len(names) >= self.limit:
            raise LimitReached("The account has too many app passwords.")
        created: int = context.db.value(
            _INSERT,
            account=self.account_id,
            name=self.name,
            secret=self.secret,
            protocols=" ".join(self.protocols),
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
        if not context.db.run(_REVOKE, account=self.account_id, name=self.name):
            raise NotFound("There is no app password of this name.")
        epoch: int = context.db.value(_END, id=self.account_id)
        context.hint(Topic.ACCOUNT, self.account_id, epoch)


@dataclass(frozen=True, slots=True)
class EnsureSecret(AccountMutation[bytes]):
    """The installation's secret of this name, 32 octets; made when it is first asked for."""

    audited: ClassVar[bool] = False

    name: str

    def write(self, context: WriteContext) -> bytes:
        context.db.run(_INSERT_SETTING, name=self.name, value=secrets.token_hex(32))
        value: str = context.db.value(_SETTING, name=self.name)
        return bytes.fromhex(value)
