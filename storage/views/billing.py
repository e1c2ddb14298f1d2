"""Views of credit, paid periods, payments and warnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

from folkmoot.storage.addresses import split_address
from folkmoot.storage.engine.db import Db, Row, Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Administration, Need, OnDomain
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import AccountState
from folkmoot.storage.types_billing import (
    AccountBilling,
    AccountFacts,
    Credit,
    CreditEntry,
    Holder,
    Notice,
    NoticeKind,
    Payment,
)
from folkmoot.storage.views.base import View

R = TypeVar("R", covariant=True)

PAYMENT_COLUMNS = (
    "id, number, created, source, reference, payer, payer_name, amount, currency, issuer, mailed"
)
_NOTICE = "plan, basis, due, step, warned, acted"
_FACTS = (
    "SELECT a.id, a.address, a.name, a.state, a.plan, a.domain_id, a.created, a.last_used,"  # noqa: S608
    " (SELECT p.ends FROM periods p WHERE p.account_id = a.id ORDER BY p.starts DESC LIMIT 1),"
    " (SELECT p.plan FROM periods p WHERE p.account_id = a.id ORDER BY p.starts DESC LIMIT 1),"
    " c.amount, c.currency, d.amount, d.currency,"
    f" {', '.join(f'i.{name}' for name in _NOTICE.split(', '))},"
    f" {', '.join(f'u.{name}' for name in _NOTICE.split(', '))}"
    " FROM accounts a"
    " LEFT JOIN credits c ON c.holder_kind = 'account' AND c.holder_id = a.id"
    " LEFT JOIN credits d ON d.holder_kind = 'domain' AND d.holder_id = a.domain_id"
    " LEFT JOIN notices i ON i.account_id = a.id AND i.kind = 'inactive'"
    " LEFT JOIN notices u ON u.account_id = a.id AND u.kind = 'unpaid'"
)
_PAGE = Statement(f"{_FACTS} WHERE a.id > :after ORDER BY a.id LIMIT :limit")
_ONE = Statement(f"{_FACTS} WHERE a.id = :id")
_CREDIT = Statement(
    "SELECT amount, currency FROM credits WHERE holder_kind = :kind AND holder_id = :id"
)
_DOMAIN = Statement("SELECT id FROM domains WHERE name = :name")
_ENTRIES = Statement(
    "SELECT e.created, e.amount, e.currency, e.note, COALESCE(p.number, ''),"
    " COALESCE(a.address, '') FROM credit_entries e"
    " LEFT JOIN payments p ON p.id = e.payment_id LEFT JOIN periods t ON t.id = e.period_id"
    " LEFT JOIN accounts a ON a.id = t.account_id"
    " WHERE e.holder_kind = :kind AND e.holder_id = :id ORDER BY e.id DESC LIMIT :limit"
)
_ENDED = Statement(
    "SELECT a.address, n.plan FROM notices n JOIN accounts a ON a.id = n.account_id"
    " WHERE n.kind = 'unpaid' AND n.acted IS NOT NULL"
)
_ACCOUNT = Statement("SELECT id FROM accounts WHERE address = :address")
_PERIOD = Statement(
    "SELECT ends, paid_by FROM periods WHERE account_id = :id ORDER BY starts DESC LIMIT 1"
)
_NOTICES = Statement(f"SELECT kind, {_NOTICE} FROM notices WHERE account_id = :id")  # noqa: S608
_PAYMENT = Statement(f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE number = :number")  # noqa: S608
_NEWEST = Statement(
    f"SELECT {PAYMENT_COLUMNS} FROM payments ORDER BY id DESC LIMIT :limit"  # noqa: S608
)
_OF_PAYER = Statement(
    f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE payer = :payer"  # noqa: S608
    " ORDER BY id DESC LIMIT :limit"
)
_UNMAILED = Statement(
    f"SELECT {PAYMENT_COLUMNS} FROM payments WHERE mailed IS NULL"  # noqa: S608
    " ORDER BY id LIMIT :limit"
)
_MAIL_TO = Statement(
    "SELECT id, address FROM accounts WHERE address = :payer UNION"
    " SELECT a.id, a.address FROM accounts a JOIN domains d ON d.id = a.domain_id"
    " WHERE d.name = :payer AND a.domain_admin = 1 AND a.state = 'active'"
)


def _notice(kind: NoticeKind, row: Sequence[object]) -> Notice | None:
    return None if row[0] is None else Notice(kind, *row)  # type: ignore[arg-type]


def _credit(amount: int | None, currency: str | None) -> Credit | None:
    return None if amount is None or currency is None else Credit(amount, currency)


def payment_of(row: Row) -> Payment:
    """A payment from a row of ``PAYMENT_COLUMNS``."""
    id_, number, created, source, reference, payer, name, amount, currency, issuer, mailed = row
    return Payment(
        id_,
        number,
        datetime.fromtimestamp(created, UTC),
        source,
        reference,
        payer,
        name,
        amount,
        currency,
        issuer,
        None if mailed is None else datetime.fromtimestamp(mailed, UTC),
    )


def _facts(row: Row) -> AccountFacts:
    id_, address, name, state, plan, domain, created, last_used, paid_until, paid_plan = row[:10]
    return AccountFacts(
        id_,
        address,
        name,
        AccountState(state),
        plan,
        domain,
        created,
        last_used,
        paid_until,
        paid_plan,
        _credit(*row[10:12]),
        _credit(*row[12:14]),
        _notice(NoticeKind.INACTIVE, row[14:20]),
        _notice(NoticeKind.UNPAID, row[20:26]),
    )


def read_facts(db: Db, account_id: int) -> AccountFacts:
    """What decides about one account. Raises ``NotFound``."""
    row = db.one(_ONE, id=account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return _facts(row)


def _billing(db: Db, account_id: int) -> AccountBilling:
    notices = {row[0]: row[1:] for row in db.all(_NOTICES, id=account_id)}
    found = {kind: _notice(kind, notices[kind]) for kind in NoticeKind if kind in notices}
    period = db.one(_PERIOD, id=account_id)
    unpaid = found.get(NoticeKind.UNPAID)
    ended = unpaid is not None and unpaid.acted is not None
    credit = db.one(_CREDIT, kind=Holder.ACCOUNT.value, id=account_id)
    return AccountBilling(
        paid_until=None if period is None else datetime.fromtimestamp(period[0], UTC),
        paid_by="" if period is None else period[1],
        credit=None if credit is None else _credit(*credit),
        ended_plan=unpaid.plan if unpaid is not None and ended else "",
        inactive=found.get(NoticeKind.INACTIVE),
        unpaid=None if ended else unpaid,
    )


class _BillingView(View[R]):
    """What only the server itself and its administrators read."""

    abstract: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]


@dataclass(frozen=True, slots=True)
class ReadFacts(_BillingView[list[AccountFacts]]):
    """What decides about the next ``limit`` accounts behind the id ``after``."""

    after: int
    limit: int

    def read(self, context: ReadContext) -> list[AccountFacts]:
        return [_facts(row) for row in context.db.all(_PAGE, after=self.after, limit=self.limit)]


@dataclass(frozen=True, slots=True)
class ReadAccountBilling(_BillingView[AccountBilling]):
    """What an account has paid, and what it was warned of. Raises ``NotFound``."""

    address: str

    def needs(self) -> Sequence[Need]:
        return [OnDomain(split_address(self.address)[1])]

    def read(self, context: ReadContext) -> AccountBilling:
        row = context.db.one(_ACCOUNT, address=self.address)
        if row is None:
            raise NotFound(f"There is no account {self.address}.")
        return _billing(context.db, row[0])


@dataclass(frozen=True, slots=True)
class EndedPlans(_BillingView[dict[str, str]]):
    """The plans that accounts lost because they were not paid, by address."""

    def read(self, context: ReadContext) -> dict[str, str]:
        return dict(context.db.all(_ENDED))


@dataclass(frozen=True, slots=True)
class ReadDomainCredit(_BillingView[tuple[Credit | None, list[CreditEntry]]]):
    """The credit of a domain and its latest changes. Raises ``NotFound``."""

    domain: str
    limit: int = 100

    def needs(self) -> Sequence[Need]:
        return [OnDomain(self.domain)]

    def read(self, context: ReadContext) -> tuple[Credit | None, list[CreditEntry]]:
        found = context.db.one(_DOMAIN, name=self.domain)
        if found is None:
            raise NotFound(f"The domain {self.domain} is not served here.")
        holder = {"kind": Holder.DOMAIN.value, "id": found[0]}
        credit = context.db.one(_CREDIT, **holder)
        rows = context.db.all(_ENTRIES, **holder, limit=self.limit)
        entries = [CreditEntry(datetime.fromtimestamp(row[0], UTC), *row[1:]) for row in rows]
        return None if credit is None else _credit(*credit), entries


@dataclass(frozen=True, slots=True)
class ListPayments(_BillingView[list[Payment]]):
    """The latest payments, or those of one payer (address or domain)."""

    payer: str = ""
    limit: int = 1000

    def read(self, context: ReadContext) -> list[Payment]:
        if self.payer:
            rows = context.db.all(_OF_PAYER, payer=self.payer, limit=self.limit)
        else:
            rows = context.db.all(_NEWEST, limit=self.limit)
        return [payment_of(row) for row in rows]


@dataclass(frozen=True, slots=True)
class ShowPayment(_BillingView[Payment]):
    """A payment by the number of its receipt. Raises ``NotFound``."""

    number: str

    def read(self, context: ReadContext) -> Payment:
        row = context.db.one(_PAYMENT, number=self.number)
        if row is None:
            raise NotFound("There is no receipt of this number.")
        return payment_of(row)


@dataclass(frozen=True, slots=True)
class UnmailedReceipts(_BillingView[list[tuple[Payment, tuple[tuple[int, str], ...]]]]):
    """Payments whose receipts were not sent yet, each with ids and addresses of its readers.

    The account that paid, or the administrators of the domain that did.
    """

    limit: int = 50

    def read(self, context: ReadContext) -> list[tuple[Payment, tuple[tuple[int, str], ...]]]:
        payments = [payment_of(row) for row in context.db.all(_UNMAILED, limit=self.limit)]
        return [
            (one, tuple((row[0], row[1]) for row in context.db.all(_MAIL_TO, payer=one.payer)))
            for one in payments
        ]
