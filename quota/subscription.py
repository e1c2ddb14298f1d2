"""Paid plans: each period is paid from credit, once; who does not pay falls back to a free plan."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from folkmoot.quota import letters
from folkmoot.quota.letters import Office
from folkmoot.quota.offers import DAY, Offer, Offers, end_of_period
from folkmoot.quota.stages import advance, is_due, is_stale, stages_of
from folkmoot.storage.errors import StorageError
from folkmoot.storage.mutations.accounts import UpdateAccount
from folkmoot.storage.mutations.billing import BeginPeriod, SetNotice, TakeUp
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import AccountState, Actor
from folkmoot.storage.types_billing import (
    AccountFacts,
    Credit,
    Notice,
    NoticeKind,
    PeriodTerms,
    Renewal,
)
from folkmoot.storage.views.billing import ReadFacts

log = logging.getLogger("folkmoot.quota")

PAGE = 500  # accounts that are read at a time
AHEAD = 31 * DAY  # nothing is to be done for longer periods
_ACTOR = Actor.system("daily job")
UNPAID = NoticeKind.UNPAID


@dataclass(slots=True)
class Outcome:
    """What a run did, in accounts."""

    renewed: int = 0
    warned: int = 0
    ended: int = 0
    failed: int = 0


def all_facts(store: Store) -> Iterator[AccountFacts]:
    """What decides about every account, page by page. Blocks."""
    after = 0
    while True:
        view = ReadFacts(after, PAGE)
        page = store.call_read(_ACTOR, "daily job", lambda txn, view=view: txn.view(view))  # type: ignore[misc]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id


def renew(store: Store, offers: Offers, office: Office, now: int) -> Outcome:
    """Renew what ends, warn those who lack credit, end what was not paid. Blocks.

    Can be run as often as one likes, and again when it was killed: each account is one
    transaction, and what was done is not done twice.
    """
    outcome = Outcome()
    reserved = _Reserved()
    concerned = [facts for facts in all_facts(store) if _concerned(facts, offers, now)]
    # Who ends first is paid first; the credit of a domain may not do for all.
    for facts in sorted(concerned, key=lambda each: (each.paid_until or 0, each.id)):
        offer = offers.get(facts.plan)
        enough = offer is not None and offer.price > 0 and reserved.take(facts, offer)
        work = _renewal(store, offers, office, now, facts.id, enough, outcome)
        try:
            store.call(_ACTOR, f"renew {facts.address}", work)
        except StorageError as error:
            outcome.failed += 1
            log.error("plan not renewed", extra={"account": facts.address, "why": str(error)})
    return outcome


def next_period(facts: AccountFacts, offer: Offer, now: int) -> PeriodTerms:
    """The period that follows the last one; from now on, where that was of another plan, or is
    long over."""
    starts = facts.paid_until if facts.paid_until is not None else now
    same = facts.plan == offer.name == facts.paid_plan
    if not same or end_of_period(starts, offer.months) <= now:
        starts = now
    ends = end_of_period(starts, offer.months)
    return PeriodTerms(offer.name, offer.price, offer.currency, starts, ends)


def is_running(facts: AccountFacts, now: int) -> bool:
    """Whether a paid period runs, of whatever plan."""
    return facts.paid_until is not None and facts.paid_until > now


def _concerned(facts: AccountFacts, offers: Offers, now: int) -> bool:
    if facts.state is not AccountState.ACTIVE:
        return False  # a disabled account costs nothing
    offer = offers.get(facts.plan)
    if offer is None or not offer.price:
        return offer is not None and facts.unpaid is not None and facts.unpaid.acted is None
    if facts.paid_until is None or facts.paid_plan != facts.plan or facts.unpaid is not None:
        return True
    return facts.paid_until < now + AHEAD


class _Reserved:
    """What the accounts that come first leave of each domain's credit."""

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}

    def take(self, facts: AccountFacts, offer: Offer) -> bool:
        """Whether there is enough for an account, its own credit first."""
        if _suffices(facts.credit, offer, 0):
            return True
        taken = self._taken.get(facts.domain_id, 0)
        if not _suffices(facts.domain_credit, offer, taken):
            return False
        self._taken[facts.domain_id] = taken + offer.price
        return True


def _suffices(credit: Credit | None, offer: Offer, taken: int) -> bool:
    return (
        credit is not None
        and credit.currency == offer.currency
        and credit.amount - taken >= offer.price
    )


def _renewal(
    store: Store,
    offers: Offers,
    office: Office,
    now: int,
    account_id: int,
    enough: bool,
    outcome: Outcome,
) -> Callable[[Txn], None]:
    """The work of one account's transaction, which looks at everything again."""

    def work(txn: Txn) -> None:
        facts = txn.apply(TakeUp(account_id))
        offer = offers.get(facts.plan)
        if offer is None or not offer.price:
            if facts.unpaid is not None and facts.unpaid.acted is None:
                txn.apply(SetNotice(account_id, UNPAID, facts.unpaid, None))
            return
        paid = is_running(facts, now) and facts.paid_plan == facts.plan
        if not paid:
            began = txn.apply(BeginPeriod(account_id, next_period(facts, offer, now), now))
            if began is not Renewal.LACKING:
                outcome.renewed += began is Renewal.BEGUN
                return
        elif enough:
            if facts.unpaid is not None:
                txn.apply(SetNotice(account_id, UNPAID, facts.unpaid, None))
            return
        _warn_or_end(txn, store, offers, office, now, facts, offer, outcome, running=paid)

    return work


def _warn_or_end(
    txn: Txn,
    store: Store,
    offers: Offers,
    office: Office,
    now: int,
    facts: AccountFacts,
    offer: Offer,
    outcome: Outcome,
    *,
    running: bool,
) -> None:
    # Who has paid for another plan and took this one without paying goes back to that.
    other = offers.get(facts.paid_plan or "") if is_running(facts, now) and not running else None
    after = other or offers[offer.fallback]
    basis = (facts.paid_until or 0) if other is None else 0
    fresh = Notice(UNPAID, offer.name, basis, basis or now, 0, 0)
    stages = stages_of(30 * offer.months)
    notice = facts.unpaid
    if notice is not None and not is_stale(notice, fresh) and is_due(notice, stages, now):
        ending = Notice(
            UNPAID, notice.plan, notice.basis, notice.due, notice.step, notice.warned, now
        )
        txn.apply(SetNotice(facts.id, UNPAID, notice, ending))
        excess = txn.apply(UpdateAccount(facts.id, after.update))
        letter = letters.ended(facts, offer, after, excess)
        letters.post(txn, store, office, facts.id, facts.address, letter)
        outcome.ended += 1
        log.info("plan ended", extra={"account": facts.address, "plan": offer.name})
        return
    warning = advance(notice, fresh, stages, now)
    if warning is not None and txn.apply(SetNotice(facts.id, UNPAID, notice, warning)):
        letter = letters.unpaid(facts, warning, offer, after, running=running)
        letters.post(txn, store, office, facts.id, facts.address, letter)
        outcome.warned += 1
