"""Plain values of credit, paid periods, payments and warnings. Amounts are smallest units."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from folkmoot.storage.types import AccountState


class Holder(enum.StrEnum):
    """Who has credit."""

    ACCOUNT = "account"
    DOMAIN = "domain"


class NoticeKind(enum.StrEnum):
    """What people are warned of."""

    INACTIVE = "inactive"
    UNPAID = "unpaid"


class Renewal(enum.Enum):
    """What came of the attempt to begin a paid period."""

    BEGUN = enum.auto()
    PAID_ALREADY = enum.auto()
    LACKING = enum.auto()


@dataclass(frozen=True, slots=True)
class Credit:
    """What is left of what was paid in advance."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class CreditEntry:
    """One change of a credit. ``account`` is whose plan was paid, "" where none was or is gone."""

    created: datetime
    amount: int
    currency: str
    note: str
    receipt: str
    account: str


@dataclass(frozen=True, slots=True)
class PeriodTerms:
    """A period to be paid for. Times are seconds since 1970 UTC."""

    plan: str
    price: int
    currency: str
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning that was sent; times are seconds since 1970 UTC.

    ``basis`` is what it is about (the last use, the end of a period), ``due`` when it happens,
    ``step`` the days before that at which the last warning was meant, ``warned`` when it was sent,
    ``acted`` when it did happen. ``plan`` is the plan that ends or ended.
    """

    kind: NoticeKind
    plan: str
    basis: int
    due: int
    step: int
    warned: int
    acted: int | None = None


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """All that decides about renewal and inactivity; times are seconds since 1970 UTC.

    ``paid_until`` is the end of the last paid period, ``paid_plan`` the plan that it was for; None
    without any.
    """

    id: int
    address: str
    name: str
    state: AccountState
    plan: str
    domain_id: int
    created: int
    last_used: int | None
    paid_until: int | None
    paid_plan: str | None
    credit: Credit | None
    domain_credit: Credit | None
    inactive: Notice | None
    unpaid: Notice | None


@dataclass(frozen=True, slots=True)
class AccountBilling:
    """What an account has paid. ``ended_plan`` is one that was taken away unpaid, "" for none."""

    paid_until: datetime | None = None
    paid_by: str = ""
    credit: Credit | None = None
    ended_plan: str = ""
    inactive: Notice | None = None
    unpaid: Notice | None = None


@dataclass(frozen=True, slots=True)
class NewPayment:
    """Money that came in, to be written down with a receipt.

    ``payer`` is the address of an account or the name of a domain, normalised. ``reference`` is
    what the payment is called at its ``source``; the two together are counted once. ``issuer``
    is the text that the receipt has about who received the money.
    """

    payer: str
    source: str
    reference: str
    amount: int
    currency: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment and the number of its receipt."""

    id: int
    number: str
    created: datetime
    source: str
    reference: str
    payer: str
    payer_name: str
    amount: int
    currency: str
    issuer: str
    mailed: datetime | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """``fresh`` is False for a payment that had been written down before.

    ``account_id`` is 0 where a domain paid.
    """

    payment: Payment
    fresh: bool
    account_id: int
