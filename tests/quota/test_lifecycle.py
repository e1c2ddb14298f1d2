"""Free accounts that nobody uses: warned with dates, disabled, deleted; never faster than said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from folkmoot.quota import letters, lifecycle
from folkmoot.quota.stages import stages_of
from folkmoot.storage.errors import NotFound
from folkmoot.storage.mutations.accounts import SetAccountState
from folkmoot.storage.mutations.groups import CreateGroup
from folkmoot.storage.types import AccountState
from folkmoot.storage.types_groups import NewGroup
from tests.quota.office import ADA, BOB, DAY, DOMAIN, Town
from tests.storage.accounts_kit import apply


def _subject(day: str) -> str:
    return f"Your account {ADA} will be disabled on {day}"


def test_the_stages_lie_in_the_second_half_of_the_time() -> None:
    """Nobody is warned on the day after a login, however short the time is."""
    assert stages_of(210) == (30, 7, 1)
    assert stages_of(60) == (30, 7, 1)
    assert stages_of(30) == (7, 1)
    assert stages_of(14) == (7, 1)
    assert stages_of(10) == (1,)
    assert stages_of(1) == (1,)


def test_the_whole_way(town: Town) -> None:
    """Three warnings with the same date, disabled on that date, deleted 30 days later."""
    town.person()
    assert town.days(209) == [
        ("06-30", _subject("2026-07-30")),
        ("07-23", _subject("2026-07-30")),
        ("07-29", _subject("2026-07-30")),
    ]
    assert town.account().state is AccountState.ACTIVE
    assert town.days(1) == []
    assert town.account().state is AccountState.DISABLED
    assert town.days(29) == []
    assert town.account().state is AccountState.DISABLED
    town.days(1)
    with pytest.raises(NotFound):
        town.account()


def test_the_warning_names_both_dates(town: Town) -> None:
    """Who reads it knows since when, until when, and what then."""
    town.person()
    town.now += 180 * DAY
    town.close()
    (mail,) = town.mail()
    assert mail["To"] == ADA
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert "since 2026-01-01" in text
    assert "On 2026-07-30" in text
    assert "30 days later" in text


def test_a_login_withdraws_the_warnings(town: Town) -> None:
    """Also one on the last day; then everything begins anew, from the new day."""
    town.person()
    town.days(209)
    town.use()
    assert town.days(100) == []
    assert town.facts().inactive is None
    assert town.account().state is AccountState.ACTIVE
    assert [day for day, _ in town.days(109)] == ["01-25", "02-17", "02-23"]


def test_a_login_after_the_job_has_looked(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading all accounts and acting on one: the transaction looks again."""
    town.person()
    town.days(209)
    town.now += DAY
    stale = [town.facts()]
    town.use()
    monkeypatch.setattr(lifecycle, "all_facts", lambda store: iter(stale))
    assert town.close().disabled == 0
    assert town.account().state is AccountState.ACTIVE


def test_running_often_does_nothing_twice(town: Town) -> None:
    """The job can run at any time, and again."""
    town.person()
    town.now += 180 * DAY
    assert [town.close().warned for _ in range(5)] == [1, 0, 0, 0, 0]
    assert len(town.mail()) == 1


def test_a_killed_run_goes_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash inside a transaction leaves neither warning nor mail; the next run sends both."""
    town.person()
    town.now += 180 * DAY

    def crash(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(letters, "post", crash)
        with pytest.raises(RuntimeError):
            town.close()
    assert town.facts().inactive is None
    assert town.mail() == []
    assert town.close().warned == 1
    assert len(town.mail()) == 1


def test_after_downtime_warnings_come_one_by_one(town: Town) -> None:
    """A server that slept for a year sends the first one, and gives all the time it promises."""
    town.person()
    town.now += 365 * DAY
    town.close()
    (mail,) = town.mail()
    assert mail["Subject"] == _subject("2027-01-31")
    # It sleeps again, beyond that date: the second one moves the date.
    town.now += 40 * DAY
    town.close()
    (mail,) = town.mail()
    assert mail["Subject"] == _subject("2027-02-17")
    assert [day for day, _ in town.days(6)] == ["02-16"]
    assert town.account().state is AccountState.ACTIVE
    town.days(1)
    assert town.account().state is AccountState.DISABLED


def test_a_clock_that_jumps_makes_nothing_faster(town: Town) -> None:
    """One look at a wrong clock costs one warning, and neither the account nor its data."""
    town.person()
    town.days(185)
    real = town.now
    for wrong in (10 * 365 * DAY, 20 * 365 * DAY):
        town.now = real + wrong
        for _ in range(3):
            assert town.close().disabled == 0
        town.now = real
    assert town.close().disabled == 0
    assert town.account().state is AccountState.ACTIVE
    town.now = real - 3650 * DAY
    assert town.close() == lifecycle.Outcome()


def test_deletion_waits_for_the_last_warning(town: Town) -> None:
    """However the stored dates came to be: a day lies between the last warning and the end."""
    town.person()
    town.days(210)
    assert town.account().state is AccountState.DISABLED
    town.sql("UPDATE notices SET acted = 0, warned = :now", now=town.now)
    town.now += DAY - 1
    assert town.close().deleted == 0
    town.now += 1
    assert town.close().deleted == 1


def test_paid_accounts_are_left_alone(town: Town) -> None:
    """Those with a price, and free ones whose paid period still runs."""
    town.credit(1200)
    town.person(plan="pro")
    town.renew()
    town.now += 300 * DAY
    assert town.close() == lifecycle.Outcome()
    # Moved to the free plan by hand, before the year is over.
    town.sql("UPDATE accounts SET plan = 'free'")
    assert town.close() == lifecycle.Outcome()
    town.now += 66 * DAY
    assert town.close().warned == 1


def test_plans_without_a_limit(town: Town) -> None:
    """``inactive_after`` 0 is never, and a plan that is nowhere does nothing."""
    town.person(plan="forever")
    town.person(BOB)
    del town.offers["free"]
    town.now += 5000 * DAY
    assert town.close() == lifecycle.Outcome()


def test_short_times_have_fewer_warnings(town: Town) -> None:
    """30 days: 7 days and 1 day before, deleted after 10 more."""
    town.person(plan="short")
    assert [day for day, _ in town.days(29)] == ["01-24", "01-30"]
    town.days(11)
    with pytest.raises(NotFound):
        town.account()


def test_what_administrators_disabled_is_not_deleted(town: Town) -> None:
    """An account that somebody has disabled by hand stays as it is."""
    town.person()
    apply(town.store, SetAccountState(town.facts().id, AccountState.DISABLED))
    town.days(400)
    assert town.account().state is AccountState.DISABLED


def test_enabling_begins_anew(town: Town) -> None:
    """All warnings come again before it is disabled the second time."""
    town.person()
    town.days(215)
    apply(town.store, SetAccountState(town.facts().id, AccountState.ACTIVE))
    assert len(town.days(31)) == 3
    assert town.account().state is AccountState.ACTIVE
    town.days(1)
    assert town.account().state is AccountState.DISABLED


def test_paying_enables_what_the_job_disabled(town: Town) -> None:
    """Whoever pays does not lose the account."""
    town.person()
    town.days(215)
    town.pay(1200, plan="pro")
    assert town.close().deleted == 0
    assert town.account().state is AccountState.ACTIVE
    assert town.account().plan == "pro"


def test_administrators_of_groups_are_not_deleted(town: Town) -> None:
    """It is reported, day by day, and the others are looked after all the same."""
    town.person()
    town.person(BOB)
    apply(town.store, CreateGroup(NewGroup(f"choir@{DOMAIN}", "Choir", town.facts().id)))
    town.days(240)
    town.now += DAY
    outcome = town.close()
    assert (outcome.failed, outcome.deleted) == (1, 0)
    assert town.account().state is AccountState.DISABLED
    with pytest.raises(NotFound):
        town.account(BOB)


def test_a_changed_plan_begins_anew(town: Town) -> None:
    """Who comes to a plan with less time has all its warnings before anything happens."""
    town.person()
    town.days(208)
    town.sql("UPDATE accounts SET plan = 'short'")
    assert len(town.days(7)) == 2
    assert town.account().state is AccountState.ACTIVE
    town.offers["short"] = replace(town.offers["short"], inactive_after=0)
    town.days(100)
    assert town.facts().inactive is None
