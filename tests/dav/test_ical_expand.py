"""Recurrence: against a naive expander, against recurring-ical-events, and rules by hand."""

from __future__ import annotations

import datetime as datetime_module
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import icalendar  # type: ignore[import-untyped]
import pytest
import recurring_ical_events  # type: ignore[import-untyped]
from dateutil.rrule import rrule, rrulestr  # type: ignore[import-untyped]
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.expand import Series, instances
from folkmoot.storage.content.ical.intake import CalendarObject, read_calendar
from folkmoot.storage.content.ical.recur import occurrences
from folkmoot.storage.content.ical.rules import Budget, parse_rule
from folkmoot.storage.content.ical.values import FUTURE, PAST
from folkmoot.storage.content.ical.zones import UTC as UTC_ZONE
from folkmoot.storage.content.ical.zones import zone_named
from tests.dav.calendars import at, calendar, event, read, shown
from tests.kit.pace import within


class _Datetime:
    """The datetime module, whose years end soon: dateutil looks for what never comes till then."""

    MAXYEAR = 2050

    def __getattr__(self, name: str) -> object:
        return getattr(datetime_module, name)


@pytest.fixture(autouse=True, scope="module")
def _short_search() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dateutil.rrule.datetime", _Datetime())
        yield


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
EPOCH = datetime(1970, 1, 1)


def expanded(found: CalendarObject, since: str, before: str, zone: str = "UTC") -> list[str]:
    """Return the starts of the instances within a time."""
    clock = zone_named(zone)
    assert clock is not None
    series = found.series(clock)
    return [shown(each.start) for each in instances(series, at(since), at(before), 1000)]


# --- rules against dateutil ------------------------------------------------------------------

SPANS = {"YEARLY": 7000, "MONTHLY": 1500, "WEEKLY": 700, "DAILY": 400, "HOURLY": 60}


def several(item: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return a strategy for one to three of something with commas."""
    return st.lists(item, min_size=1, max_size=3, unique=True).map(",".join)


def numbers(most: int, least: int = 1) -> st.SearchStrategy[str]:
    """Return a strategy for numbers up to one, also from the end."""
    negative = st.integers(-most, -1).map(str) if least else st.nothing()
    return st.integers(least, most).map(str) | negative


def _days_by_number(frequency: str, some: Callable[..., bool]) -> bool:
    if frequency == "YEARLY" and some("BYYEARDAY", several(numbers(366)), 6):
        return True
    return frequency != "WEEKLY" and some("BYMONTHDAY", several(numbers(31)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that dateutil and RFC 5545 understand in the same way."""
    frequency = draw(st.sampled_from(sorted(SPANS)))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}"]

    def some(name: str, values: st.SearchStrategy[str], one_in: int = 3) -> bool:
        if draw(st.integers(1, one_in)) > 1:
            return False
        parts.append(f"{name}={draw(values)}")
        return True

    some("BYMONTH", several(st.integers(1, 12).map(str)))
    days = several(st.sampled_from(DAYS))
    # The first week counted from the end: dateutil forgets its days in the year before.
    weeks = numbers(53).filter(lambda number: number not in ("-52", "-53"))
    if frequency == "YEARLY" and some("BYWEEKNO", several(weeks), 6):
        # Without BYDAY dateutil takes all days of the week, RFC 5545 the one of DTSTART.
        parts.append(f"BYDAY={draw(days)}")
    elif _days_by_number(frequency, some):
        some("BYDAY", days)
    elif frequency in ("YEARLY", "MONTHLY"):
        # A mixture of "MO" and "2TU" is too much for dateutil.
        numbered = st.tuples(numbers(4), st.sampled_from(DAYS)).map("".join)
        some("BYDAY", several(numbered) if draw(st.booleans()) else days, 2)
    else:
        some("BYDAY", days, 2)
    some("BYHOUR", several(numbers(23, 0)), 5)
    some("BYMINUTE", several(numbers(59, 0)), 5)
    if len(parts) > 2 and frequency != "WEEKLY":
        # Of the week of DTSTART dateutil counts from DTSTART on only.
        some("BYSETPOS", several(numbers(4)), 3)
    some("WKST", st.sampled_from(DAYS), 3)
    some("COUNT", st.integers(1, 30).map(str), 3)
    return ";".join(parts)


starts = st.datetimes(datetime(1998, 1, 1), datetime(2026, 1, 1)).map(
    lambda found: found.replace(microsecond=0)
)


def by_dateutil(rule: str, start: datetime, before: datetime) -> list[datetime]:
    """Return the set of a rule; dateutil leaves out a start that the rule does not have."""
    counted = "COUNT=" in rule
    plain = ";".join(part for part in rule.split(";") if not part.startswith("COUNT="))
    try:
        made = rrulestr(plain, dtstart=start)
    except ValueError:
        # dateutil refuses a rule that finds no hour.
        assume(False)
    assert isinstance(made, rrule)
    found = [start]
    for each in islice(made, 4000):
        if each >= before:
            break
        if each != start:
            found.append(each)
    return found[: int(rule.partition("COUNT=")[2].partition(";")[0])] if counted else found


def seconds(found: datetime) -> int:
    """Return the seconds on the clock that shows a time."""
    return int((found - EPOCH).total_seconds())


@settings(max_examples=150, deadline=None)
@given(rules(), starts)
def test_rules_against_dateutil(rule: str, start: datetime) -> None:
    """Every kind of rule gives the times that another implementation gives. # rfc5545#3.3.10"""
    frequency = rule[5:].partition(";")[0]
    before = start + timedelta(days=SPANS[frequency])
    wanted = by_dateutil(rule, start, before)
    assume(len(wanted) < 3000)
    first, budget = seconds(start), Budget(10**6)
    found = occurrences(
        parse_rule(rule), first, dates=False, since=first, before=seconds(before), budget=budget
    )
    assert list(found) == [seconds(each) for each in wanted]


@settings(max_examples=100, deadline=None)
@given(rules(), starts, st.integers(0, 3000))
def test_a_late_beginning_leaves_nothing_out(rule: str, start: datetime, later: int) -> None:
    """Where a rule is entered in its middle, it goes on as if it had been followed all along."""
    first = seconds(start)
    since, before = first + later * 86400, first + (later + 300) * 86400
    parsed = parse_rule(rule)

    def times(begin: int) -> list[int]:
        found = occurrences(
            parsed, first, dates=False, since=begin, before=before, budget=Budget(10**7)
        )
        return [each for each in found if each >= since]

    assert times(since) == times(first)


# --- series against two expanders ------------------------------------------------------------


@st.composite
def timed_events(draw: st.DrawFn) -> tuple[str, str, datetime, list[str]]:
    """An event in a zone: rule, zone, start, further lines."""
    rule = draw(
        st.sampled_from(
            (
                "FREQ=DAILY",
                "FREQ=DAILY;INTERVAL=3",
                "FREQ=WEEKLY;BYDAY=MO,WE,SU",
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU",
                "FREQ=MONTHLY;BYDAY=-1SU",
                "FREQ=MONTHLY;BYMONTHDAY=-1",
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
                "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
                "FREQ=YEARLY",
            )
        )
    )
    end = draw(st.sampled_from(("", ";COUNT=1", ";COUNT=9", ";UNTIL=20191027T013000Z")))
    zone = draw(st.sampled_from(ZONES))
    first = draw(st.datetimes(datetime(2018, 1, 1), datetime(2019, 12, 31)))
    start = first.replace(minute=30, second=0, microsecond=0)
    length = draw(
        st.sampled_from(("DURATION:PT1H", "DURATION:P1DT2H", "DURATION:PT0S", "DURATION:P2D"))
    )
    return rule + end, zone, start, [length]


def naively(
    rule: str, zone: str, start: datetime, length: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return start and end of each instance up to the end of 2020, by the plainest means."""
    clock = ZoneInfo(zone)
    days, exact = length
    until = None
    if "UNTIL" in rule:
        rule, _, text = rule.partition(";UNTIL=")
        until = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    found = []
    for local in by_dateutil(rule, start, datetime(2021, 1, 1)):
        begin = local.replace(tzinfo=clock).timestamp()
        if until is not None and begin > until.timestamp() and local != start:
            continue
        end = (local + timedelta(days=days)).replace(tzinfo=clock).timestamp() + exact
        found.append((int(begin), int(end)))
    return sorted(found)


LENGTHS = {
    "DURATION:PT1H": (0, 3600),
    "DURATION:P1DT2H": (1, 7200),
    "DURATION:PT0S": (0, 0),
    "DURATION:P2D": (2, 0),
}


@settings(max_examples=120, deadline=None)
@given(timed_events(), st.integers(0, 1000), st.integers(1, 400))
def test_series_against_a_naive_expander(
    made: tuple[str, str, datetime, list[str]], after: int, wide: int
) -> None:
    """Over changes of the clock, the instances in any window are those of a full expansion."""
    rule, zone, start, lines = made
    found = read(event(f"DTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}", f"RRULE:{rule}", *lines))
    since = at("2018-01-01") + after * 86400
    before = since + wide * 86400
    wanted = [
        (begin, end)
        for begin, end in naively(rule, zone, start, LENGTHS[lines[0]])
        if begin < before and (end > since or (end == begin and begin >= since))
    ]
    assume(before < at("2020-12-01"))
    got = instances(found.series(UTC_ZONE), since, before, 2000)
    assert [(each.start, each.end) for each in got] == wanted


@st.composite
def changed_series(draw: st.DrawFn) -> bytes:
    """A series with EXDATE, RDATE and moved instances, timed or of whole days."""
    whole_days = draw(st.booleans())
    zone = draw(st.sampled_from(ZONES))
    start = draw(st.datetimes(datetime(2019, 1, 1), datetime(2019, 3, 1)))
    start = start.replace(hour=12, minute=0, second=0, microsecond=0)
    step = draw(st.integers(1, 9))

    def prop(name: str, day: int, hours: int = 0) -> str:
        when = start + timedelta(days=day, hours=hours)
        if whole_days:
            return f"{name};VALUE=DATE:{when:%Y%m%d}"
        return f"{name};TZID={zone}:{when:%Y%m%dT%H%M%S}"

    kept = draw(st.permutations(range(1, 20)))
    gone, moved = kept[: draw(st.integers(0, 4))], kept[4 : 4 + draw(st.integers(0, 4))]
    lines = [prop("DTSTART", 0), f"RRULE:FREQ=DAILY;INTERVAL={step};COUNT=20"]
    lines += ["DURATION:P1D" if whole_days else "DURATION:PT2H"]
    lines += [prop("EXDATE", each * step) for each in gone]
    if draw(st.booleans()):
        lines.append(prop("RDATE", 20 * step + 1))
    others = [
        event(
            prop("RECURRENCE-ID", each * step),
            prop("DTSTART", each * step + draw(st.integers(-3, 3)), draw(st.integers(0, 5))),
            "DURATION:P2D" if whole_days else "DURATION:PT3H",
        )
        for each in moved
    ]
    return calendar(event(*lines), *others)


def stamp(found: date) -> int:
    """Return seconds UTC of what recurring-ical-events gives."""
    if isinstance(found, datetime):
        return int(found.timestamp())
    return (found - date(1970, 1, 1)).days * 86400


@settings(max_examples=60, deadline=None)
@given(changed_series())
def test_exceptions_against_recurring_ical_events(octets: bytes) -> None:
    """EXDATE, RDATE and overrides give what another implementation gives."""
    # rfc5545#3.8.5.1, rfc5545#3.8.5.2, rfc5545#3.8.4.4
    theirs = recurring_ical_events.of(icalendar.Calendar.from_ical(octets)).between(
        datetime(2018, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    )
    wanted = sorted((stamp(each.start), stamp(each.end)) for each in theirs)
    series = read_bytes(octets).series(UTC_ZONE)
    got = instances(series, at("2018-01-01"), at("2021-01-01"), 1000)
    assert sorted((each.start, each.end) for each in got) == wanted


def read_bytes(octets: bytes) -> CalendarObject:
    """Return the object of octets."""
    return read_calendar(octets)


# --- by hand ---------------------------------------------------------------------------------


def test_end_makes_instances_equally_long() -> None:
    """RFC 5545 section 3.8.5.3: with DTEND a night is eight hours also when the clock changes;
    with DURATION in days the end is at the same time of day."""
    by_end = read(
        event(
            "DTSTART;TZID=Europe/Berlin:20240329T220000",
            "DTEND;TZID=Europe/Berlin:20240330T060000",
            "RRULE:FREQ=DAILY;COUNT=3",
        )
    )
    by_day = read(
        event(
            "DTSTART;TZID=Europe/Berlin:20240329T220000", "DURATION:P1D", "RRULE:FREQ=DAILY;COUNT=3"
        )
    )
    lengths = [
        [each.end - each.start for each in instances(found.series(UTC_ZONE), PAST, FUTURE, 10)]
        for found in (by_end, by_day)
    ]
    assert lengths == [[8 * 3600] * 3, [24 * 3600, 23 * 3600, 24 * 3600]]


def test_clock_that_leaps_or_repeats() -> None:
    """RFC 5545 section 3.3.5: a time that is skipped goes by the offset before, of two times the
    first is meant."""
    found = read(
        event("DTSTART;TZID=Europe/Berlin:20240330T023000", "RRULE:FREQ=DAILY;COUNT=2"),
    )
    assert expanded(found, "2024-03-01", "2024-04-30") == ["2024-03-30 01:30", "2024-03-31 01:30"]
    found = read(event("DTSTART;TZID=Europe/Berlin:20241027T023000"))
    assert expanded(found, "2024-10-01", "2024-11-01") == ["2024-10-27 00:30"]


def test_start_outside_of_its_rule() -> None:
    """DTSTART is the first instance and counts, even where the rule would not give it."""
    # rfc5545#3.8.5.3
    found = read(event("DTSTART:20240303T100000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3"))
    assert expanded(found, "2024-01-01", "2025-01-01") == [
        "2024-03-03 10:00",
        "2024-03-04 10:00",
        "2024-03-11 10:00",
    ]


def test_week_number_without_weekday() -> None:
    """BYWEEKNO alone keeps the weekday of DTSTART (dateutil would take the whole week)."""
    # rfc5545#3.3.10
    found = read(event("DTSTART:20240514T100000Z", "RRULE:FREQ=YEARLY;BYWEEKNO=20;COUNT=3"))
    assert expanded(found, "2024-01-01", "2027-01-01") == [
        "2024-05-14 10:00",
        "2025-05-13 10:00",
        "2026-05-12 10:00",
    ]


def test_the_first_week_from_the_end() -> None:
    """It has days of the year before, as when it is counted from the beginning."""
    for number in (1, -52):
        rule = f"RRULE:FREQ=YEARLY;BYWEEKNO={number};BYDAY=MO;COUNT=3"
        found = read(event("DTSTART:20020101T100000Z", rule))
        assert expanded(found, "2002-01-01", "2005-01-01")[1] == "2002-12-30 10:00", number


def test_numbered_and_plain_weekdays_together() -> None:
    """BYDAY=2TU,FR is the second Tuesday and every Friday. # rfc5545#3.3.10"""
    rule = parse_rule("FREQ=MONTHLY;BYDAY=2TU,FR;BYMONTH=3")
    start = at("2024-03-01")
    found = occurrences(
        rule, start, dates=True, since=start, before=at("2024-04-01"), budget=Budget(1000)
    )
    assert [shown(each)[8:10] for each in found] == ["01", "08", "12", "15", "22", "29"]


@pytest.mark.parametrize(
    ("until", "count"),
    [("20240306", 3), ("20240306T090000Z", 3), ("20240306T085959Z", 2), ("20240306T100000", 3)],
)
def test_until_in_every_form(until: str, count: int) -> None:
    """UNTIL includes its own time; as a date, all of its day; without a zone, it is local."""
    # rfc5545#3.3.10
    found = read(
        event("DTSTART;TZID=Europe/Berlin:20240304T100000", f"RRULE:FREQ=DAILY;UNTIL={until}")
    )
    assert len(expanded(found, "2024-01-01", "2025-01-01")) == count


def test_until_before_the_start() -> None:
    """A rule that ended before it began leaves the first instance."""
    found = read(event("DTSTART:20240304T100000Z", "RRULE:FREQ=DAILY;UNTIL=20200101T000000Z"))
    assert expanded(found, "2000-01-01", "2030-01-01") == ["2024-03-04 10:00"]


def test_exclusion_by_date() -> None:
    """EXDATE;VALUE=DATE takes whatever is on the day out of a series with times."""
    # rfc5545#3.8.5.1
    found = read(
        event(
            "DTSTART;TZID=America/New_York:20240304T220000",
            "RRULE:FREQ=DAILY;COUNT=4",
            "EXDATE;VALUE=DATE:20240305,20240307",
        )
    )
    assert expanded(found, "2024-01-01", "2025-01-01") == ["2024-03-05 03:00", "2024-03-07 03:00"]


def test_exclusion_in_another_zone() -> None:
    """EXDATE means an instant, in whichever zone it is written."""
    found = read(
        event(
            "DTSTART;TZID=Europe/Berlin:20240304T100000",
            "RRULE:FREQ=DAILY;COUNT=3",
            "EXDATE:20240305T090000Z",
            "EXDATE;TZID=America/New_York:20240306T040000",
        )
    )
    assert expanded(found, "2024-01-01", "2025-01-01") == ["2024-03-04 09:00"]


def test_this_and_future() -> None:
    """RANGE=THISANDFUTURE moves all later instances, but those that have an override."""
    # rfc5545#3.2.13
    found = read(
        event("DTSTART:20240304T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:a"),
        event(
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20240306T100000Z",
            "DTSTART:20240306T120000Z",
            "DURATION:PT2H",
            "SUMMARY:b",
        ),
        event("RECURRENCE-ID:20240307T100000Z", "DTSTART:20240307T080000Z", "SUMMARY:c"),
    )
    got = instances(found.series(UTC_ZONE), PAST, FUTURE, 100)
    assert [
        (shown(each.start)[5:], each.end - each.start, each.timing.component.value("SUMMARY"))
        for each in got
    ] == [
        ("03-04 10:00", 3600, "a"),
        ("03-05 10:00", 3600, "a"),
        ("03-06 12:00", 7200, "b"),
        ("03-07 08:00", 0, "c"),
        ("03-08 12:00", 7200, "b"),
    ]


def test_periods_and_dates_added() -> None:
    """RDATE adds instances; those that are periods have their own length. # rfc5545#3.8.5.2"""
    found = read(
        event(
            "DTSTART:20240304T100000Z",
            "DTEND:20240304T110000Z",
            "RDATE:20240310T100000Z",
            "RDATE;VALUE=PERIOD:20240312T100000Z/PT3H,20240313T100000Z/20240313T103000Z",
        )
    )
    got = instances(found.series(UTC_ZONE), PAST, FUTURE, 100)
    assert [each.end - each.start for each in got] == [3600, 3600, 10800, 1800]


def test_exceptions_without_their_series() -> None:
    """Who is invited to some instances only has only these."""
    found = read(
        event("RECURRENCE-ID:20240306T100000Z", "DTSTART:20240306T120000Z"),
        event("RECURRENCE-ID:20240308T100000Z", "DTSTART:20240308T120000Z"),
    )
    assert found.master is None
    assert expanded(found, "2024-01-01", "2025-01-01") == ["2024-03-06 12:00", "2024-03-08 12:00"]


def test_days_are_where_one_is() -> None:
    """A date is a day of the zone of whoever asks."""
    found = read(event("DTSTART;VALUE=DATE:20240304"))
    assert expanded(found, "2024-03-03", "2024-03-06", "Asia/Tokyo") == ["2024-03-03 15:00"]
    assert expanded(found, "2024-03-05", "2024-03-06", "Asia/Tokyo") == []
    assert expanded(found, "2024-03-05", "2024-03-06", "America/New_York") == ["2024-03-04 05:00"]


@contextmanager
def suppress_too_many() -> Iterator[None]:
    """Let "max-instances" pass, and no other error."""
    try:
        yield
    except CalendarError as error:
        if error.precondition != "max-instances":
            raise


# --- hostile ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;COUNT=999999999",
        "FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE="
        + ",".join(map(str, range(60)))
        + ";BYSECOND="
        + ",".join(map(str, range(60)))
        + ";BYYEARDAY="
        + ",".join(map(str, range(1, 367)))
        + ";BYSETPOS=-1",
        "FREQ=DAILY;INTERVAL=999999999",
        "FREQ=HOURLY;INTERVAL=7;BYHOUR=3;BYSETPOS=366",
    ],
)
def test_rules_that_explode(rule: str) -> None:
    """Any rule ends in bounded work, in an answer or in "max-instances"."""
    found = read(event("DTSTART:20000101T000000Z", f"RRULE:{rule}"))
    with within(2), suppress_too_many():
        got = instances(found.series(UTC_ZONE), at("2024-01-01"), at("2124-01-01"), 1000)
        assert len(got) <= 1000


def test_a_window_of_a_series_that_seldom_is() -> None:
    """A rule that never finds anything costs no more than the window that is asked for."""
    found = read(event("DTSTART:20000101T000000Z", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"))
    series, budget = found.series(UTC_ZONE), Budget(50)
    assert instances(series, at("2024-01-01"), at("2024-01-08"), 10, budget) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:00010101T000000Z", "RRULE:FREQ=YEARLY;COUNT=3"),
        ("DTSTART:99991231T235959Z", "DURATION:P999999999W", "RRULE:FREQ=DAILY"),
        ("DTSTART;TZID=Europe/Berlin:99991231T235959", "RRULE:FREQ=DAILY"),
        ("DTSTART;TZID=Europe/Berlin:00010101T000000", "RRULE:FREQ=WEEKLY;COUNT=2"),
        ("DTSTART:20240101T000000Z", "DTEND:20230101T000000Z"),
        ("DTSTART:20240101T000000Z", "DURATION:-P5D"),
        ("DTSTART;VALUE=DATE:20240101", "DTEND:20240102T000000Z"),
        ("DTSTART:20240101T000000", "DTEND;TZID=Asia/Tokyo:20240102T000000"),
        ("DTSTART:20240101T000000Z", "RRULE:FREQ=DAILY;COUNT=0"),
    ],
)
def test_odd_times(lines: tuple[str, ...]) -> None:
    """Times at the edges and times that contradict each other give instances, not failures."""
    found = read(event(*lines))
    got = instances(
        found.series(UTC_ZONE), PAST, at("2030-01-01") if "9999" not in lines[0] else FUTURE, 1000
    )
    assert got
    assert all(each.end >= each.start for each in got)
    assert isinstance(found.series(UTC_ZONE), Series)
