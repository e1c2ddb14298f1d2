"""Mutations of credit, paid periods, payments and warnings. Times are seconds since 1970 UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.errors import Conflict, InvalidContent, LimitReached, NotFound
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.money import MAX_AMOUNT
from folkmoot.storage.mutations.accounts import lock_account
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.domains import domain_id
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Topic
from folkmoot.storage.types_billing import (
    AccountFacts,
    Holder,
    NewPayment,
    Notice,
    NoticeKind,
    PeriodTerms,
    Recorded,
    Renewal,
)
from folkmoot.storage.views.billing import PAYMENT_COLUMNS, payment_of, read_facts

R = TypeVar("R", covariant=True)

MAX_TEXT = 500  # characters of a reference or a note
DAY = 86_400
_ACCOUNT = Statement("SELECT id, name FROM accounts WHERE address = :address")
_DOMAIN_OF = Statement("SELECT domain_id FROM accounts WHERE id = :id")
_HAVE_CREDIT = Statement(
    "INSERT INTO credits (holder_kind, holder_id, currency, amount)"
    " VALUES (:kind, :holder, :currency, 0) ON CONFLICT (holder_kind, holder_id) DO NOTHING"
)
_ADD_CREDIT = Statement(
    "UPDATE credits SET amount = amount + :amount, currency = :currency"
    " WHERE holder_kind = :kind AND holder_id = :holder"
    " AND (currency = :currency OR amount = 0) RETURNING amount"
)
_TAKE_CREDIT = Statement(
    "UPDATE credits SET amount = amount - :price WHERE holder_kind = :kind"
    " AND holder_id = :holder AND currency = :currency AND amount >= :price RETURNING amount"
)
_ENTRY = Statement(
    "INSERT INTO credit_entries (holder_kind, holder_id, amount, currency, created, payment_id,"
    " period_id, note) VALUES (:kind, :holder, :amount, :currency, :now, :payment, :period, :note)"
)
_HAVE_SERIES = Statement(
    "INSERT INTO receipt_series (year, last) VALUES (:year, 0) ON CONFLICT (year) DO NOTHING"
)
_LOCK_SERIES = Statement("SELECT last FROM receipt_series WHERE year = :year FOR UPDATE")
_NEXT_NUMBER = Statement(
    "UPDATE receipt_series SET last = last + 1 WHERE year = :year RETURNING last"
)
_KNOWN = Statement(
    f"SELECT {PAYMENT_COLUMNS} FROM payments"  # noqa: S608
    " WHERE source = :source AND reference = :reference"
)
_INSERT_PAYMENT = Statement(
    "INSERT INTO payments (number, created, source, reference, payer, payer_name, amount,"  # noqa: S608
    " currency, issuer, mailed) VALUES (:number, :now, :source, :reference, :payer, :name,"
    f" :amount, :currency, :issuer, NULL) RETURNING {PAYMENT_COLUMNS}"
)
_MAILED = Statement("UPDATE payments SET mailed = :now WHERE id = :id AND mailed IS NULL")
_RUNNING = Statement(
    "SELECT id, plan, starts, ends, price, currency, paid_by FROM periods"
    " WHERE account_id = :account AND ends > :starts ORDER BY starts DESC LIMIT 1"
)
_CUT = Statement("UPDATE periods SET ends = :now WHERE id = :id")
_PURSE = Statement(
    "SELECT amount FROM credits WHERE holder_kind = :kind AND holder_id = :holder"
    " AND currency = :currency"
)
_INSERT_PERIOD = Statement(
    "INSERT INTO periods (account_id, plan, starts, ends, price, currency, paid_by, created)"
    " VALUES (:account, :plan, :starts, :ends, :price, :currency, :kind, :now) RETURNING id"
)
_NOTICE = Statement(
    "SELECT plan, basis, due, step, warned, acted FROM notices"
    " WHERE account_id = :account AND kind = :kind"
)
_DROP_NOTICE = Statement("DELETE FROM notices WHERE account_id = :account AND kind = :kind")
_SET_NOTICE = Statement(
    "INSERT INTO notices (account_id, kind, plan, basis, due, step, warned, acted)"
    " VALUES (:account, :kind, :plan, :basis, :due, :step, :warned, :acted)"
    " ON CONFLICT (account_id, kind) DO UPDATE SET plan = excluded.plan, basis = excluded.basis,"
    " due = excluded.due, step = excluded.step, warned = excluded.warned, acted = excluded.acted"
)
_NOTE_USE = Statement(
    "UPDATE accounts SET last_used = :now"
    " WHERE id = :id AND (last_used IS NULL OR last_used < :before)"
)


class _BillingMutation(Mutation[R]):
    """Administration, and no bytes of anybody."""

    abstract: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


@dataclass(frozen=True, slots=True)
class RecordPayment(_BillingMutation[Recorded]):
    """Write a payment down: it takes the next number of the year and adds to the payer's credit.

    One that is known already, by source and reference, changes nothing. Raises ``NotFound`` for a
    payer that is not there, ``InvalidContent``, and ``Conflict`` when the payer's credit is in
    another currency.
    """

    audited: ClassVar[bool] = True

    new: NewPayment
    now: int

    def write(self, context: WriteContext) -> Recorded:
        new, db = self.new, context.db
        if not 0 < new.amount <= MAX_AMOUNT:
            raise InvalidContent("A payment is of more than nothing.")
        _check_text(new.reference)
        holder, id_, name = _payer(context, new.payer)
        account = id_ if holder is Holder.ACCOUNT else 0
        year = datetime.fromtimestamp(self.now, UTC).year
        db.run(_HAVE_SERIES, year=year)
        if not db.is_sqlite:
            db.one(_LOCK_SERIES, year=year)  # whoever tells of the same payment waits here
        known = db.one(_KNOWN, source=new.source, reference=new.reference)
        if known is not None:
            return Recorded(payment_of(known), False, account)
        last = db.value(_NEXT_NUMBER, year=year)
        row = db.one(
            _INSERT_PAYMENT,
            number=f"{year}-{last:06}",
            now=self.now,
            source=new.source,
            reference=new.reference,
            payer=new.payer,
            name=name,
            amount=new.amount,
            currency=new.currency,
            issuer=new.issuer,
        )
        assert row is not None
        payment = payment_of(row)
        _add(context, holder, id_, new.amount, new.currency, self.now, payment.id, "payment")
        context.hint(Topic.RECEIPT, 0)
        return Recorded(payment, True, account)


@dataclass(frozen=True, slots=True)
class AdjustCredit(_BillingMutation[int]):
    """Add to a domain's credit, or take from it (negative), without a receipt; what is left.

    Raises ``NotFound``, ``LimitReached`` below nothing, ``Conflict`` for another currency.
    """

    audited: ClassVar[bool] = True

    domain: str
    amount: int
    currency: str
    note: str
    now: int

    def write(self, context: WriteContext) -> int:
        _check_text(self.note)
        found = domain_id(context, self.domain)
        left = _add(
            context, Holder.DOMAIN, found, self.amount, self.currency, self.now, None, self.note
        )
        if left < 0:
            raise LimitReached("The domain does not have so much credit.")
        return left


@dataclass(frozen=True, slots=True)
class TakeUp(_BillingMutation[AccountFacts]):
    """What decides about an account, which nobody else changes until the transaction ends.

    Raises ``NotFound``.
    """

    account_id: int

    def write(self, context: WriteContext) -> AccountFacts:
        lock_account(context, self.account_id)
        return read_facts(context.db, self.account_id)


@dataclass(frozen=True, slots=True)
class BeginPeriod(_BillingMutation[Renewal]):
    """Pay for a period from the account's own credit, or else from its domain's.

    Nothing happens where the plan was paid already for a time behind its start. A period of
    another plan ends with it; what is left of that goes back to the credit that had paid it.
    Raises ``NotFound``.
    """

    audited: ClassVar[bool] = True

    account_id: int
    terms: PeriodTerms
    now: int

    def write(self, context: WriteContext) -> Renewal:
        db, terms, account = context.db, self.terms, self.account_id
        lock_account(context, account)
        row = db.one(_DOMAIN_OF, id=account)
        if row is None:
            raise NotFound("There is no such account.")
        running = db.one(_RUNNING, account=account, starts=terms.starts)
        if running is not None and running[1] == terms.plan:
            return Renewal.PAID_ALREADY
        for kind, holder in ((Holder.ACCOUNT, account), (Holder.DOMAIN, row[0])):
            purse = {"kind": kind.value, "holder": holder, "currency": terms.currency}
            back = 0
            if running is not None and running[5:7] == (terms.currency, kind.value):
                back = _left_of(running, self.now)
            found = db.one(_PURSE, **purse)
            if found is None or found[0] + back < terms.price:
                continue
            if running is not None:
                self._cut(context, running, row[0])
            if db.one(_TAKE_CREDIT, **purse, price=terms.price) is None:
                raise Conflict("Somebody else has used the credit.")
            self._insert(context, kind, purse)
            return Renewal.BEGUN
        return Renewal.LACKING

    def _cut(self, context: WriteContext, running: Row, domain: int) -> None:
        """End a period of another plan now, and give back what is left of it."""
        id_, plan, _, _, _, currency, paid_by = running
        holder = Holder(paid_by)
        left, owner = _left_of(running, self.now), domain
        if holder is Holder.ACCOUNT:
            owner = self.account_id
        context.db.run(_CUT, id=id_, now=self.now)
        _add(context, holder, owner, left, currency, self.now, None, f"rest of plan {plan}")

    def _insert(self, context: WriteContext, kind: Holder, purse: dict[str, object]) -> None:
        terms = self.terms
        period = context.db.value(
            _INSERT_PERIOD,
            account=self.account_id,
            plan=terms.plan,
            starts=terms.starts,
            ends=terms.ends,
            price=terms.price,
            currency=terms.currency,
            kind=kind.value,
            now=self.now,
        )
        # The entry does not name the account: it outlives it.
        context.db.run(
            _ENTRY,
            **purse,
            amount=-terms.price,
            now=self.now,
            payment=None,
            period=period,
            note=f"plan {terms.plan}",
        )
        context.db.run(_DROP_NOTICE, account=self.account_id, kind=NoticeKind.UNPAID.value)


@dataclass(frozen=True, slots=True)
class SetNotice(_BillingMutation[bool]):
    """Remember a warning, or forget it (None), if what is remembered is as expected.

    Returns whether it was: who lost a race does nothing.
    """

    account_id: int
    kind: NoticeKind
    expected: Notice | None
    notice: Notice | None

    def write(self, context: WriteContext) -> bool:
        db, key = context.db, {"account": self.account_id, "kind": self.kind.value}
        lock_account(context, self.account_id)
        row = db.one(_NOTICE, **key)
        if (None if row is None else Notice(self.kind, *row)) != self.expected:
            return False
        if self.notice is None:
            db.run(_DROP_NOTICE, **key)
            return True
        one = self.notice
        db.run(
            _SET_NOTICE,
            **key,
            plan=one.plan,
            basis=one.basis,
            due=one.due,
            step=one.step,
            warned=one.warned,
            acted=one.acted,
        )
        return True


@dataclass(frozen=True, slots=True)
class MarkMailed(_BillingMutation[bool]):
    """Note that a receipt goes out in this transaction; False when it went out before."""

    payment_id: int
    now: int

    def write(self, context: WriteContext) -> bool:
        return context.db.run(_MAILED, id=self.payment_id, now=self.now) > 0


@dataclass(frozen=True, slots=True)
class NoteUse(_BillingMutation[None]):
    """Note that sessions of accounts are open, for those whose last use is a day ago."""

    account_ids: tuple[int, ...]

    def write(self, context: WriteContext) -> None:
        now = context.now
        rows = [{"id": id_, "now": now, "before": now - DAY} for id_ in self.account_ids]
        context.db.many(_NOTE_USE, rows)


def _left_of(period: Row, now: int) -> int:
    """The share of a period's price that is for the time behind ``now``."""
    _, _, starts, ends, price, _, _ = period
    left: int = price * max(0, min(ends - now, ends - starts)) // max(1, ends - starts)
    return left


def _check_text(text: str) -> None:
    if not text.strip() or len(text) > MAX_TEXT or not text.isprintable():
        raise InvalidContent(f"A reference is text of at most {MAX_TEXT} characters.")


def _payer(context: ReadContext, payer: str) -> tuple[Holder, int, str]:
    """Who pays: the kind, the id and the person's name."""
    if "@" not in payer:
        return Holder.DOMAIN, domain_id(context, payer), ""
    row = context.db.one(_ACCOUNT, address=payer)
    if row is None:
        raise NotFound(f"There is no account {payer}.")
    return Holder.ACCOUNT, row[0], row[1]


def _add(
    context: WriteContext,
    kind: Holder,
    holder: int,
    amount: int,
    currency: str,
    now: int,
    payment: int | None,
    note: str,
) -> int:
    """Change a credit; what it is now."""
    purse = {"kind": kind.value, "holder": holder, "currency": currency}
    context.db.run(_HAVE_CREDIT, **purse)
    row = context.db.one(_ADD_CREDIT, **purse, amount=amount)
    if row is None:
        raise Conflict("The credit is in another currency.")
    if row[0] > MAX_AMOUNT:
        raise LimitReached("That is too much credit.")
    context.db.run(_ENTRY, **purse, amount=amount, now=now, payment=payment, period=None, note=note)
    left: int = row[0]
    return left
