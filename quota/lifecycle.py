"""Free accounts that nobody uses: dated warnings, then disabled, then deleted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from folkmoot.quota import letters
from folkmoot.quota.letters import Office
from folkmoot.quota.offers import DAY, Offer, Offers
from folkmoot.quota.stages import STAGES, advance, is_due, is_stale, stages_of
from folkmoot.quota.subscription import all_facts
from folkmoot.storage.errors import Conflict, StorageError
from folkmoot.storage.mutations.accounts import DeleteAccount, SetAccountState
from folkmoot.storage.mutations.billing import SetNotice, TakeUp
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import AccountState, Actor
from folkmoot.storage.types_billing import AccountFacts, Notice, NoticeKind
from folkmoot.storage.upkeep import sweep_bodies

log = logging.getLogger("folkmoot.quota")

_ACTOR = Actor.system("daily job")
INACTIVE = NoticeKind.INACTIVE


@dataclass(slots=True)
class Outcome:
    """What a run did, in accounts."""

    warned: int = 0
    disabled: int = 0
    deleted: int = 0
    failed: int = 0


def close_unused(store: Store, offers: Offers, office: Office, now: int) -> Outcome:
    """Warn, disable and delete accounts as their plans say. Blocks.

    Can be run as often as one likes, and again when it was killed: each account is one
    transaction that looks again at when it was last used.
    """
    outcome = Outcome()
    for facts in all_facts(store):
        if facts.inactive is None and not _may_begin(facts, offers, now):
            continue
        work = _work(store, offers, office, now, facts.id, outcome)
        try:
            store.call(_ACTOR, f"unused {facts.address}", work)
        except Conflict as error:  # it administers groups
            outcome.failed += 1
            log.warning("not deleted", extra={"account": facts.address, "why": str(error)})
        except StorageError as error:
            outcome.failed += 1
            log.error("not looked after", extra={"account": facts.address, "why": str(error)})
    if outcome.deleted:
        sweep_bodies(store, -1)
    return outcome


def last_use(facts: AccountFacts) -> int:
    """When somebody signed in last; the beginning, where nobody ever did."""
    return facts.last_used if facts.last_used is not None else facts.created


def limited(facts: AccountFacts, offers: Offers, now: int) -> Offer | None:
    """The plan that limits how long an account may be unused; None where nothing does.

    Nothing does where the plan costs something or a paid period runs.
    """
    offer = offers.get(facts.plan)
    if offer is None or offer.price or not offer.inactive_after:
        return None
    return None if facts.paid_until is not None and facts.paid_until > now else offer


def _may_begin(facts: AccountFacts, offers: Offers, now: int) -> bool:
    offer = limited(facts, offers, now)
    if offer is None or facts.state is not AccountState.ACTIVE:
        return False
    return now >= last_use(facts) + (offer.inactive_after - STAGES[0]) * DAY


def _work(
    store: Store, offers: Offers, office: Office, now: int, account_id: int, outcome: Outcome
) -> Callable[[Txn], None]:
    """The work of one account's transaction."""

    def work(txn: Txn) -> None:
        facts = txn.apply(TakeUp(account_id))
        if facts.plan not in offers:
            return
        offer, notice = limited(facts, offers, now), facts.inactive
        if notice is not None and notice.acted is not None:
            if facts.state is AccountState.DISABLED:
                _after_disabling(txn, facts, notice, notice.acted, offer, now, outcome)
                return
            # Somebody has enabled it: everything begins anew.
            txn.apply(SetNotice(facts.id, INACTIVE, notice, None))
            return
        if offer is None or facts.state is not AccountState.ACTIVE:
            if notice is not None:
                txn.apply(SetNotice(facts.id, INACTIVE, notice, None))
            return
        _before_disabling(txn, store, office, facts, notice, offer, now, outcome)

    return work


def _before_disabling(
    txn: Txn,
    store: Store,
    office: Office,
    facts: AccountFacts,
    notice: Notice | None,
    offer: Offer,
    now: int,
    outcome: Outcome,
) -> None:
    used = last_use(facts)
    fresh = Notice(INACTIVE, offer.name, used, used + offer.inactive_after * DAY, 0, 0)
    stages = stages_of(offer.inactive_after)
    if notice is not None and is_stale(notice, fresh):
        txn.apply(SetNotice(facts.id, INACTIVE, notice, None))
        notice = None
    if notice is not None and is_due(notice, stages, now):
        txn.apply(SetNotice(facts.id, INACTIVE, notice, replace(notice, acted=now)))
        txn.apply(SetAccountState(facts.id, AccountState.DISABLED))
        outcome.disabled += 1
        log.info("unused account disabled", extra={"account": facts.address})
        return
    warning = advance(notice, fresh, stages, now)
    if warning is not None and txn.apply(SetNotice(facts.id, INACTIVE, notice, warning)):
        letter = letters.unused(facts, warning, offer)
        letters.post(txn, store, office, facts.id, facts.address, letter)
        outcome.warned += 1


def _after_disabling(
    txn: Txn,
    facts: AccountFacts,
    notice: Notice,
    disabled: int,
    offer: Offer | None,
    now: int,
    outcome: Outcome,
) -> None:
    if offer is None:  # paid for meanwhile, or the plan allows it now
        txn.apply(SetNotice(facts.id, INACTIVE, notice, None))
        txn.apply(SetAccountState(facts.id, AccountState.ACTIVE))
        return
    if now >= disabled + offer.delete_after * DAY and now >= notice.warned + DAY:
        txn.apply(DeleteAccount(facts.id))
        outcome.deleted += 1
        log.info("unused account deleted", extra={"account": facts.address})
