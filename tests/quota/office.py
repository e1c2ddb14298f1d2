"""People with plans, a clock that is moved by hand, and what was written to them."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from folkmoot.quota import lifecycle, receipts, subscription
from folkmoot.quota.letters import Office
from folkmoot.quota.offers import Offer
from folkmoot.quota.payments import Payments
from folkmoot.quota.webhooks import Adapter, PaymentOrder
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.mutations.accounts import CreateAccount, UpdateAccount
from folkmoot.storage.mutations.billing import AdjustCredit
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Account, Limit, Tool
from folkmoot.storage.types_accounts import AccountUpdate, NewAccount
from folkmoot.storage.types_billing import AccountFacts
from folkmoot.storage.views.billing import ReadFacts
from tests.storage.accounts_kit import SYSTEM, account, apply, make_domain, view

DAY = 86_400
DOMAIN = "example.test"
ADA = f"ada@{DOMAIN}"
BOB = f"bob@{DOMAIN}"
OFFICE = Office("mail.example.test", "office@example.test", issuer="Example Ltd\nMain Street 1")


_NEW = Statement(
    "SELECT b.id, b.data FROM messages m JOIN blobs b ON b.id = m.blob_id WHERE b.id > :after"
    " ORDER BY b.id"
)


def offer(name: str, **facts: Any) -> Offer:
    """A plan; the larger its price, the more mail it may hold."""
    room = Limit(1000 * (1 + facts.get("price", 0)), None)
    update = AccountUpdate(plan=name, limits={Tool.MAIL: room})
    return Offer(name=name, update=update, **facts)


def plans() -> dict[str, Offer]:
    """A free plan that may be unused for 210 days, one for 30, and paid ones."""
    return {
        "free": offer("free", inactive_after=210, delete_after=30),
        "short": offer("short", inactive_after=30, delete_after=10),
        "forever": offer("forever"),
        "pro": offer("pro", price=1200, currency="EUR", months=12, fallback="free"),
        "max": offer("max", price=3650, currency="EUR", months=12, fallback="free"),
        "monthly": offer("monthly", price=100, currency="EUR", months=1, fallback="free"),
    }


def at(text: str) -> int:
    """A moment, as in 2026-03-31."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


class Town:
    """``now`` is what the clock shows."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.offers = plans()
        self.now = at("2026-01-01")
        make_domain(store, DOMAIN)
        self._read = 0

    def person(self, address: str = ADA, plan: str = "free", *, domain_admin: bool = False) -> None:
        """An account that was made now and never used."""
        new = NewAccount(address, "", "hash", None, plan, domain_admin=domain_admin)
        id_ = apply(self.store, CreateAccount(new))
        apply(self.store, UpdateAccount(id_, self.offers[plan].update))
        self.sql("UPDATE accounts SET created = :now WHERE id = :id", id=id_, now=self.now)

    def change(self, plan: str, address: str = ADA) -> None:
        """Give somebody another plan by hand."""
        apply(self.store, UpdateAccount(self.facts(address).id, self.offers[plan].update))

    def use(self, address: str = ADA) -> None:
        """Somebody signs in now."""
        self.sql("UPDATE accounts SET last_used = :now WHERE address = :a", now=self.now, a=address)

    def sql(self, text: str, **parameters: Any) -> None:
        """What no mutation would do, such as a moved clock."""
        work = partial(_run, Statement(text), parameters)
        self.store.call(SYSTEM, "test", work)

    def facts(self, address: str = ADA) -> AccountFacts:
        """What is known of an account."""
        return next(each for each in view(self.store, ReadFacts(0, 100)) if each.address == address)

    def account(self, address: str = ADA) -> Account:
        """The account."""
        return account(self.store, address)

    def credit(self, units: int, currency: str = "EUR") -> None:
        """Give the domain credit."""
        apply(self.store, AdjustCredit(DOMAIN, units, currency, "a gift", self.now))

    # --- the job ------------------------------------------------------------------------------

    def renew(self) -> subscription.Outcome:
        """Run the first half of the job."""
        return subscription.renew(self.store, self.offers, OFFICE, self.now)

    def close(self) -> lifecycle.Outcome:
        """Run the second half."""
        return lifecycle.close_unused(self.store, self.offers, OFFICE, self.now)

    def days(self, number: int) -> list[tuple[str, str]]:
        """Run the job daily for so many days; what was written, as (day, subject)."""
        written = []
        for _ in range(number):
            self.now += DAY
            self.renew()
            self.close()
            day = f"{datetime.fromtimestamp(self.now, UTC):%m-%d}"
            written += [(day, str(mail["Subject"])) for mail in self.mail()]
        return written

    def mail(self) -> list[EmailMessage]:
        """What was written since the last look, whatever else lies in the mailboxes."""
        new = self.store.call(
            SYSTEM, "test", lambda txn: txn._context.db.all(_NEW, after=self._read)
        )
        found = []
        for id_, data in new:
            self._read = max(self._read, id_)
            mail = email.message_from_bytes(data, policy=email.policy.default)
            if mail["From"] == OFFICE.sender:
                found.append(mail)
        return found

    def send_receipts(self) -> int:
        """Run the third part of the job."""
        return receipts.send_receipts(self.store, OFFICE, self.now)

    # --- payments -----------------------------------------------------------------------------

    def payments(self, *adapters: Adapter) -> Payments:
        """The payments of this store."""
        return Payments(
            self.store, lambda: self.offers, OFFICE, adapters=adapters, clock=lambda: self.now
        )

    def pay(
        self,
        units: int,
        payer: str = ADA,
        reference: str = "1",
        currency: str = "EUR",
        plan: str = "",
    ) -> Any:
        """Record a payment by hand."""
        order = PaymentOrder(payer, "manual", reference, units, currency, plan)
        return result(self.payments().record(order))


def result(deferred: Deferred[Any]) -> Any:
    """The outcome of a Deferred that fires in another thread."""
    import queue

    outcomes: queue.SimpleQueue[Any] = queue.SimpleQueue()
    deferred.addBoth(outcomes.put)
    outcome = outcomes.get(timeout=60)
    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome


def _run(statement: Statement, parameters: dict[str, Any], txn: Txn) -> None:
    txn._context.db.run(statement, **parameters)
