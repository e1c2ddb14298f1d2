"""Periods of paid plans: paid once, from the right credit, and ended only after warnings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from folkmoot.quota import subscription
from folkmoot.quota.offers import end_of_period
from folkmoot.storage.errors import Conflict, LimitReached, NotFound, OverQuota
from folkmoot.storage.mutations.accounts import SetAccountState
from folkmoot.storage.mutations.billing import AdjustCredit
from folkmoot.storage.mutations.domains import DeleteDomain
from folkmoot.storage.types import AccountState
from folkmoot.storage.views.billing import ReadDomainCredit
from tests.quota.office import ADA, BOB, DAY, DOMAIN, Town, at
from tests.storage.accounts_kit import apply, view
from tests.storage.mail_kit import Mail


def _left(town: Town) -> int:
    credit, _ = view(town.store, ReadDomainCredit(DOMAIN))
    return credit.amount if credit is not None else 0


def test_ends_of_periods() -> None:
    """Months as people count them, also at their ends."""
    assert end_of_period(at("2026-01-31"), 1) == at("2026-02-28")
    assert end_of_period(at("2028-02-29"), 12) == at("2029-02-28")
    assert end_of_period(at("2026-12-15T10:30:00"), 1) == at("2027-01-15T10:30:00")


def test_a_domain_pays(town: Town) -> None:
    """The first period begins at once, the next one where the first one ends."""
    town.credit(3000)
    town.person(plan="pro")
    assert town.renew().renewed == 1
    assert town.facts().paid_until == at("2027-01-01")
    town.now = at("2027-01-01T08:00:00")
    assert town.renew().renewed == 1
    assert town.facts().paid_until == at("2028-01-01")
    assert _left(town) == 600
    _, entries = view(town.store, ReadDomainCredit(DOMAIN))
    assert [(each.amount, each.account) for each in entries] == [
        (-1200, ADA),
        (-1200, ADA),
        (3000, ""),
    ]
    assert town.mail() == []


def test_running_often_pays_once(town: Town) -> None:
    """Again and again, and by several at the same moment."""
    town.credit(5000)
    town.person(plan="pro")
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: town.renew(), range(8)))
    assert sum(run.renewed for run in runs) == 1
    town.now += DAY
    assert town.renew().renewed == 0
    assert _left(town) == 3800


def test_a_killed_run_goes_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was paid stays paid, the rest is paid by the next run."""
    town.credit(2400)
    town.person(plan="pro")
    town.person(BOB, "pro")
    real = subscription.next_period

    def crash(facts: object, *rest: object) -> object:
        if facts.address == BOB:  # type: ignore[attr-defined]
            raise RuntimeError("killed")
        return real(facts, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(subscription, "next_period", crash)
        with pytest.raises(RuntimeError):
            town.renew()
    assert _left(town) == 1200
    assert town.renew().renewed == 1
    assert _left(town) == 0


def test_without_credit_the_plan_ends(town: Town) -> None:
    """Three dated warnings, then the free plan: nothing is deleted, nothing can be added."""
    town.credit(1200)
    town.person(plan="pro")
    town.renew()
    box = Mail(town.store, ADA)
    inbox = box.box().id
    for _ in range(12):
        box.append(inbox, b"x" * 150)
    written = town.days(364)
    subject = 'Your plan "pro" ends on 2027-01-01'
    assert written == [("12-02", subject), ("12-25", subject), ("12-31", subject)]
    assert town.account().plan == "pro"
    town.use()
    town.now += DAY
    assert town.renew().ended == 1
    (mail,) = town.mail()
    assert mail["Subject"] == 'Your plan "pro" has ended'
    assert f"mail of {ADA}: " in mail.get_content()
    assert town.account().plan == "free"
    assert town.days(40) == []
    assert town.facts().unpaid is not None
    assert len(box.flags(inbox)) == 12 + 4
    with pytest.raises(OverQuota):
        box.append(inbox, b"x")


def test_credit_withdraws_the_warnings(town: Town) -> None:
    """On the last day too; the next period is paid from it."""
    town.credit(1200)
    town.person(plan="pro")
    town.renew()
    town.days(364)
    town.credit(1200)
    assert town.days(1) == []
    assert town.facts().paid_until == at("2028-01-01")
    assert town.facts().unpaid is None


def test_who_never_paid_is_warned_too(town: Town) -> None:
    """A plan that begins to cost something ends after 30 days at the earliest."""
    town.person(plan="pro")
    town.renew()
    (mail,) = town.mail()
    assert mail["Subject"] == 'Your plan "pro" ends on 2026-01-31'
    assert "is not paid" in mail.get_content()
    assert [day for day, _ in town.days(30)] == ["01-24", "01-30", "01-31"]
    assert town.account().plan == "free"


def test_credit_for_one_of_two(town: Town) -> None:
    """The one that ends first has it; the other one is warned in time, though there is credit."""
    town.credit(2400)
    town.person(plan="pro")
    town.renew()
    town.now += DAY
    town.person(BOB, "pro")
    town.renew()
    town.credit(1200)
    town.now = at("2026-12-20")
    town.renew()
    assert [mail["To"] for mail in town.mail()] == [BOB]


def test_after_long_downtime(town: Town) -> None:
    """Months in which nothing ran are not charged for; a day of it is."""
    town.credit(1000)
    town.person(plan="monthly")
    town.renew()
    town.now = at("2026-02-02")
    town.renew()
    assert town.facts().paid_until == at("2026-03-01")
    town.now = at("2026-08-10")
    assert town.renew().renewed == 1
    assert town.facts().paid_until == at("2026-09-10")
    assert _left(town) == 700


def test_own_credit_comes_first(town: Town) -> None:
    """What a person has paid is used before the domain's."""
    town.credit(1200)
    town.person(plan="pro")
    town.pay(2400)
    assert _left(town) == 1200
    town.now = at("2027-01-01")
    town.renew()
    assert (_left(town), town.facts().credit.amount) == (1200, 0)  # type: ignore[union-attr]


def test_credit_in_another_currency_does_not_pay(town: Town) -> None:
    """Nothing is converted."""
    town.credit(999_999, "USD")
    town.person(plan="pro")
    assert (town.renew().renewed, _left(town)) == (0, 999_999)


def test_disabled_accounts_cost_nothing(town: Town) -> None:
    """They are neither renewed nor warned."""
    town.credit(1200)
    town.person(plan="pro")
    apply(town.store, SetAccountState(town.facts().id, AccountState.DISABLED))
    assert town.days(3) == []
    assert _left(town) == 1200


def test_moving_to_a_free_plan_withdraws_warnings(town: Town) -> None:
    """Who does not want the plan any more is not told of it again."""
    town.person(plan="pro")
    assert len(town.days(1)) == 1
    town.sql("UPDATE accounts SET plan = 'free'")
    town.renew()
    assert town.facts().unpaid is None


def test_a_clock_that_jumps_ends_no_plan(town: Town) -> None:
    """A wrong clock costs one warning, and perhaps a period, and never the plan."""
    town.credit(1200)
    town.person(plan="pro")
    town.renew()
    town.now += 20 * 365 * DAY
    for _ in range(4):
        assert town.renew().ended == 0
    assert town.account().plan == "pro"
    town.now -= 20 * 365 * DAY
    town.renew()
    assert town.account().plan == "pro"


def test_credit_by_hand(town: Town) -> None:
    """It goes up and down, not below nothing, in one currency; a domain keeps what it has."""
    town.credit(500)
    town.credit(-200)
    assert _left(town) == 300
    with pytest.raises(LimitReached):
        town.credit(-301)
    with pytest.raises(Conflict):
        town.credit(5, "USD")
    with pytest.raises(NotFound):
        apply(town.store, AdjustCredit("nowhere.test", 5, "EUR", "a gift", 1))
    with pytest.raises(Conflict, match="credit left"):
        apply(town.store, DeleteDomain(DOMAIN))
    town.credit(-300)
    town.credit(5, "USD")
    town.credit(-5, "USD")
    apply(town.store, DeleteDomain(DOMAIN))


def test_without_a_fallback_in_the_file_nothing_ends(town: Town) -> None:
    """A plan that is not in the file any more is left alone."""
    town.person(plan="pro")
    del town.offers["pro"]
    assert town.days(60) == []
    assert town.account().plan == "pro"


def test_another_plan_is_paid_from_now_on(town: Town) -> None:
    """What is left of the year of the smaller one goes back to the credit."""
    town.credit(5000)
    town.person(plan="max")
    town.renew()
    town.now += 73 * DAY
    town.change("pro")
    assert town.renew().renewed == 1
    assert _left(town) == 5000 - 3650 + 3650 * 4 // 5 - 1200
    assert town.facts().paid_until == at("2027-03-15")
    assert town.renew().renewed == 0


def test_a_larger_plan_without_credit(town: Town) -> None:
    """It is warned of at once, and ends in the plan that is paid, not in the free one."""
    town.credit(1200)
    town.person(plan="pro")
    town.renew()
    town.change("max")
    subject = 'Your plan "max" ends on 2026-02-01'
    written = town.days(31)
    assert [text for _, text in written] == [*[subject] * 3, 'Your plan "max" has ended']
    assert town.account().plan == "pro"
    assert town.facts().paid_until == at("2027-01-01")
    assert town.days(30) == []
    # What is left of the smaller one is part of the price.
    town.credit(2700)
    assert town.pay(1, plan="max").plan == "max"
    assert town.account().plan == "max"


def test_back_to_a_plan_that_is_paid(town: Town) -> None:
    """Who left it for the free one comes back without paying again."""
    town.credit(1200)
    town.person(plan="pro")
    town.renew()
    town.change("free")
    town.days(3)
    assert town.facts().paid_until == at("2027-01-01")
    assert town.pay(1, plan="pro").plan == "pro"
    assert town.facts().credit.amount == 1  # type: ignore[union-attr]
