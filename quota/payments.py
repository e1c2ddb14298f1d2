"""Payments that came in: written down with a receipt, and used for the plan that they are for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.quota.letters import Office
from folkmoot.quota.offers import Offers
from folkmoot.quota.subscription import is_running, next_period
from folkmoot.quota.webhooks import Adapter, Headers, PaymentOrder, Useless
from folkmoot.storage.addresses import normalize_address, normalize_domain
from folkmoot.storage.errors import Conflict, InvalidContent, LimitReached, NotFound
from folkmoot.storage.mutations.accounts import UpdateAccount
from folkmoot.storage.mutations.billing import (
    AdjustCredit,
    BeginPeriod,
    RecordPayment,
    TakeUp,
)
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor
from folkmoot.storage.types_billing import (
    AccountBilling,
    Credit,
    CreditEntry,
    NewPayment,
    Payment,
    Recorded,
    Renewal,
)
from folkmoot.storage.views.billing import (
    ListPayments,
    ReadAccountBilling,
    ReadDomainCredit,
    ShowPayment,
)

log = logging.getLogger("folkmoot.quota")

T = TypeVar("T")
MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Counted:
    """A payment that was written down. ``plan`` is what it paid for at once, "" for nothing yet.

    ``fresh`` is False for one that had come before; nothing was done then.
    """

    payment: Payment
    fresh: bool
    plan: str


class Payments:
    """Payments, receipts and credit of a store.

    ``offers`` gives the plans as they are now; ``clock`` seconds since 1970. ``came`` is called
    after each new payment. An ``actor`` that administers a domain sees its credit and what its
    accounts have paid. Methods return Deferreds that fail with storage errors.
    """

    def __init__(
        self,
        store: Store,
        offers: Callable[[], Offers],
        office: Office,
        *,
        adapters: tuple[Adapter, ...] = (),
        clock: Callable[[], float] = time.time,
        reason: str = "administration",
        actor: Actor | None = None,
    ) -> None:
        self._store = store
        self._offers = offers
        self._office = office
        self.adapters: Mapping[str, Adapter] = {each.name: each for each in adapters}
        self._clock = clock
        self._actor = actor or Actor.system(reason)

    def record(self, order: PaymentOrder) -> Deferred[Counted]:
        """Write a payment down, once.

        An account's payment buys the period that is missing: of the plan that is named, of the one
        that had ended, or of the one it has; what is not used stays as its credit. Raises
        ``NotFound`` for a payer or plan that is not there, ``Conflict`` for another currency than
        that of the payer's credit, ``InvalidContent``.
        """
        return Deferred.fromCoroutine(self._record(order))

    async def _record(self, order: PaymentOrder) -> Counted:
        now, offers = int(self._clock()), self._offers()
        if order.plan and order.plan not in offers:
            raise NotFound(f"There is no plan {order.plan}.")
        new = NewPayment(
            order.payer,
            order.source,
            order.reference,
            order.amount,
            order.currency,
            self._office.issuer,
        )

        def work(txn: Txn) -> Counted:
            recorded = txn.apply(RecordPayment(new, now))
            plan = ""
            if recorded.fresh and recorded.account_id:
                plan = _use(txn, recorded, offers, order.plan, now)
            return Counted(recorded.payment, recorded.fresh, plan)

        counted = await self._store.run(self._actor, f"payment of {order.payer}", work)
        if counted.fresh:
            log.info("payment", extra={"receipt": counted.payment.number, "payer": order.payer})
        return counted

    def receive(self, source: str, header: Headers, body: bytes) -> Deferred[Counted | None]:
        """Take an event of a provider; None for one that is not about a payment of ours.

        Raises ``webhooks.Forged`` and ``webhooks.Useless``; the latter also for a payment that
        cannot be counted, which an administrator has to look into.
        """
        return Deferred.fromCoroutine(self._receive(source, header, body))

    async def _receive(self, source: str, header: Headers, body: bytes) -> Counted | None:
        order = self.adapters[source].read(header, body, int(self._clock()))
        if order is None:
            return None
        try:
            return await self._record(order)
        except (NotFound, Conflict, InvalidContent, LimitReached) as error:
            extra = {"source": source, "reference": order.reference, "payer": order.payer}
            log.error("payment not counted: %s", error, extra=extra)
            raise Useless(str(error)) from error

    def payments(self, payer: str | None = None) -> Deferred[list[Payment]]:
        """The latest payments, newest first; those of one account or domain."""
        return Deferred.fromCoroutine(self._payments(payer))

    async def _payments(self, payer: str | None) -> list[Payment]:
        view = ListPayments(normalize_payer(payer) if payer is not None else "")
        return await self._store.read(self._actor, "payments", lambda txn: txn.view(view))

    def payment(self, number: str) -> Deferred[Payment]:
        """A payment by the number of its receipt. Raises ``NotFound``."""
        return self._store.read(
            self._actor, "payment", lambda txn: txn.view(ShowPayment(number.strip()))
        )

    def account(self, address: str) -> Deferred[AccountBilling]:
        """What an account has paid, and what it was warned of. Raises ``NotFound``."""
        return Deferred.fromCoroutine(self._account(address))

    async def _account(self, address: str) -> AccountBilling:
        view = ReadAccountBilling(normalize_address(address))
        return await self._store.read(self._actor, "billing", lambda txn: txn.view(view))

    def domain_credit(self, domain: str) -> Deferred[tuple[Credit | None, list[CreditEntry]]]:
        """The credit of a domain and its latest changes. Raises ``NotFound``."""
        return Deferred.fromCoroutine(self._domain_credit(domain))

    async def _domain_credit(self, domain: str) -> tuple[Credit | None, list[CreditEntry]]:
        view = ReadDomainCredit(normalize_domain(domain))
        return await self._store.read(self._actor, "credit", lambda txn: txn.view(view))

    def adjust_credit(self, domain: str, amount: int, currency: str, note: str) -> Deferred[int]:
        """Change a domain's credit without a payment or receipt; what it has then.

        Raises ``NotFound``, ``LimitReached``, ``Conflict``.
        """
        return Deferred.fromCoroutine(self._adjust_credit(domain, amount, currency, note))

    async def _adjust_credit(self, domain: str, amount: int, currency: str, note: str) -> int:
        name = normalize_domain(domain)
        adjust = AdjustCredit(name, amount, currency, note, int(self._clock()))
        return await self._store.run(
            self._actor, f"credit of {name}", lambda txn: txn.apply(adjust)
        )


def normalize_payer(payer: str) -> str:
    """An account's address or a domain as they are stored. Raises ``InvalidName``."""
    return normalize_address(payer) if "@" in payer else normalize_domain(payer)


def _use(txn: Txn, recorded: Recorded, offers: Offers, wanted: str, now: int) -> str:
    """Begin the period that is missing, if the credit does; the plan, or "" for nothing."""
    facts = txn.apply(TakeUp(recorded.account_id))
    unpaid = facts.unpaid
    ended = unpaid.plan if unpaid is not None and unpaid.acted is not None else ""
    offer = offers.get(wanted or ended or facts.plan)
    if offer is None or not offer.price:
        return ""
    if is_running(facts, now) and offer.name == facts.plan == facts.paid_plan:
        return ""  # it is credit for the next period
    began = txn.apply(BeginPeriod(facts.id, next_period(facts, offer, now), now))
    if began is Renewal.LACKING:
        return ""
    if offer.name != facts.plan:
        txn.apply(UpdateAccount(facts.id, offer.update))
    return offer.name
