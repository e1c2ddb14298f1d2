"""Views of domains and accounts. Names and addresses are normalised (``storage.addresses``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

from folkmoot.storage.addresses import split_address
from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.errors import AuthenticationFailed, NotFound
from folkmoot.storage.gate import Administration, Need, OnDomain, OnSpace
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import (
    Account,
    AccountState,
    AppPassword,
    Credential,
    Feature,
    LoginRecord,
)
from folkmoot.storage.types_accounts import DAY, AccountDetails, Domain, Terms
from folkmoot.storage.views.base import View
from folkmoot.storage.views.usage import usages

R = TypeVar("R", covariant=True)

_COLUMNS = (
    "id, space_id, address, name, state, plan, domain_admin, created, last_used,"
    " hidden_capabilities"
)
_EVERYTHING = (
    f"SELECT {_COLUMNS}, epoch, secret, scram, group_limit, member_limit,"  # noqa: S608
    " mail_per_day, withheld FROM accounts"
)
_ACCOUNT = Statement(f"{_EVERYTHING} WHERE address = :address")
_OWN = Statement(
    f"{_EVERYTHING} WHERE id = (SELECT owner_account_id FROM spaces WHERE id = :space)"  # noqa: S608
)
_ALL = Statement(f"SELECT {_COLUMNS} FROM accounts ORDER BY address")  # noqa: S608
_IN_DOMAIN = Statement(
    f"SELECT {_COLUMNS} FROM accounts WHERE domain_id ="  # noqa: S608
    " (SELECT id FROM domains WHERE name = :domain) ORDER BY address"
)
_ADDRESSES = Statement("SELECT address FROM addresses WHERE account_id = :id ORDER BY address")
_SECRETS = Statement(
    "SELECT id, secret, protocols FROM app_passwords WHERE account_id = :id ORDER BY id"
)
_APP_PASSWORDS = Statement(
    "SELECT id, account_id, name, protocols, created, last_used FROM app_passwords"
    " WHERE account_id = :id ORDER BY name"
)
_SENT = Statement("SELECT recipients FROM sent_counts WHERE account_id = :id AND day = :day")
_DOMAIN = (
    "SELECT d.id, d.name, COALESCE(c.address, ''),"
    " (SELECT COUNT(*) FROM accounts a WHERE a.domain_id = d.id), d.created, d.plans"
    " FROM domains d LEFT JOIN accounts c ON c.id = d.catchall_account_id"
)
_DOMAINS = Statement(f"{_DOMAIN} ORDER BY d.name")
_ONE_DOMAIN = Statement(f"{_DOMAIN} WHERE d.name = :name")
_RESET = Statement(
    "SELECT id, reset_secret FROM accounts WHERE address = :address AND state = 'active'"
    " AND reset_secret IS NOT NULL AND reset_until > :now"
)
_TWO_DOMAINS = Statement("SELECT name FROM domains LIMIT 2")


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _account(row: Row) -> Account:
    return Account(
        id=row[0],
        space_id=row[1],
        address=row[2],
        name=row[3],
        state=AccountState(row[4]),
        plan=row[5],
        domain_admin=bool(row[6]),
        created=datetime.fromtimestamp(row[7], UTC),
        last_used=_time(row[8]),
        hidden_capabilities=tuple(row[9].split()),
    )


def _features(names: str) -> frozenset[Feature]:
    return frozenset(Feature(name) for name in names.split())


class _AdministrationView(View[R]):
    """What only the server itself and its administrators read."""

    abstract: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]


class _AddressView(View[R]):
    """What those read who administer the domain of an address, and the operator."""

    abstract: ClassVar[bool] = True
    address: str

    def needs(self) -> Sequence[Need]:
        return [OnDomain(split_address(self.address)[1])]


@dataclass(frozen=True, slots=True)
class ReadLoginRecord(_AdministrationView[LoginRecord | None]):
    """What a login needs to know of the account with this primary address, or None."""

    address: str

    def read(self, context: ReadContext) -> LoginRecord | None:
        row = context.db.one(_ACCOUNT, address=self.address)
        if row is None:
            return None
        account = _account(row)
        epoch, secret, scram = row[10:13]
        credentials = [Credential(0, secret, ())] if secret else []
        for id_, app_secret, protocols in context.db.all(_SECRETS, id=account.id):
            credentials.append(Credential(id_, app_secret, tuple(protocols.split())))
        return LoginRecord(account, epoch, credentials, scram, _features(row[16]))


@dataclass(frozen=True, slots=True)
class CanonicalName(_AdministrationView[str]):
    """The address that a bare local part means: of the only domain, if there is one domain."""

    name: str

    def read(self, context: ReadContext) -> str:
        domains = context.db.all(_TWO_DOMAINS)
        return f"{self.name}@{domains[0][0]}" if len(domains) == 1 else self.name


@dataclass(frozen=True, slots=True)
class FindAccount(_AddressView[Account]):
    """The account with this primary address. Raises ``NotFound``."""

    address: str

    def read(self, context: ReadContext) -> Account:
        row = context.db.one(_ACCOUNT, address=self.address)
        if row is None:
            raise NotFound(f"There is no account {self.address}.")
        return _account(row)


@dataclass(frozen=True, slots=True)
class ListAccounts(View[list[Account]]):
    """All accounts by address; ``domain`` limits them to one domain, "" does not."""

    domain: str = ""

    def needs(self) -> Sequence[Need]:
        return [OnDomain(self.domain)] if self.domain else [Administration()]

    def read(self, context: ReadContext) -> list[Account]:
        rows = (
            context.db.all(_IN_DOMAIN, domain=self.domain) if self.domain else context.db.all(_ALL)
        )
        return [_account(row) for row in rows]


@dataclass(frozen=True, slots=True)
class ShowAccount(_AddressView[AccountDetails]):
    """An account with its aliases, app passwords and usage. Raises ``NotFound``.

    What devices somebody has is not told to those who administer the domain.
    """

    address: str

    def read(self, context: ReadContext) -> AccountDetails:
        row = context.db.one(_ACCOUNT, address=self.address)
        if row is None:
            raise NotFound(f"There is no account {self.address}.")
        return _details(context, row, devices=context.administers())


@dataclass(frozen=True, slots=True)
class ShowOwnAccount(View[AccountDetails]):
    """The account that owns a space, as its person sees it."""

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def read(self, context: ReadContext) -> AccountDetails:
        return _details(context, context.db.all(_OWN, space=self.space_id)[0], devices=True)


@dataclass(frozen=True, slots=True)
class ListDomains(_AdministrationView[list[Domain]]):
    """All domains by name."""

    def read(self, context: ReadContext) -> list[Domain]:
        return [_domain(row) for row in context.db.all(_DOMAINS)]


@dataclass(frozen=True, slots=True)
class ShowDomain(View[Domain]):
    """One domain. Raises ``NotFound``."""

    name: str

    def needs(self) -> Sequence[Need]:
        return [OnDomain(self.name)]

    def read(self, context: ReadContext) -> Domain:
        row = context.db.one(_ONE_DOMAIN, name=self.name)
        if row is None:
            raise NotFound("There is no such domain.")
        return _domain(row)


@dataclass(frozen=True, slots=True)
class ReadReset(_AdministrationView[tuple[int, str]]):
    """The account with this address, and the hash of the code that lets somebody choose its
    password. Raises ``AuthenticationFailed`` when there is none that is good."""

    address: str

    def read(self, context: ReadContext) -> tuple[int, str]:
        row = context.db.one(_RESET, address=self.address, now=context.now)
        if row is None:
            raise AuthenticationFailed("This code is not good any more.")
        return row[0], row[1]


def _details(context: ReadContext, row: Row, *, devices: bool) -> AccountDetails:
    account = _account(row)
    addresses = [found[0] for found in context.db.all(_ADDRESSES, id=account.id)]
    sent = context.db.one(_SENT, id=account.id, day=context.now // DAY)
    return AccountDetails(
        account=account,
        aliases=tuple(address for address in addresses if address != account.address),
        app_passwords=tuple(
            AppPassword(
                found[0],
                found[1],
                found[2],
                tuple(found[3].split()),
                datetime.fromtimestamp(found[4], UTC),
                _time(found[5]),
            )
            for found in context.db.all(_APP_PASSWORDS, id=account.id)
            if devices
        ),
        usage=usages(context, account.space_id),
        has_password=bool(row[11]),
        has_scram=row[12] is not None,
        terms=Terms(row[13], row[14], row[15], _features(row[16])),
        sent_today=sent[0] if sent is not None else 0,
    )


def _domain(row: Row) -> Domain:
    plans = tuple(row[5].splitlines())
    return Domain(row[0], row[1], row[2], row[3], datetime.fromtimestamp(row[4], UTC), plans)
