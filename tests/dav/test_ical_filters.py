"""Filters of CALDAV:calendar-query, and what stored facts answer instead of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.facts import SPAN, CalendarFacts, facts_of
from folkmoot.storage.content.ical.filters import (
    CalendarFilter,
    Collation,
    CompFilter,
    MatchType,
    ParamFilter,
    PropFilter,
    SimpleQuery,
    TextMatch,
    TimeRange,
    collation_named,
    matches,
    narrow,
    simple,
    span_hits,
    window,
)
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.values import FUTURE, PAST, Zone, utc_text
from folkmoot.storage.content.ical.zones import UTC, zone_named
from tests.dav.calendars import at, event, read


def berlin() -> Zone:
    """Return a zone with summer time."""
    zone = zone_named("Europe/Berlin")
    assert zone is not None
    return zone


def asking(*inner: CompFilter) -> CalendarFilter:
    """Return the filter for the whole calendar."""
    return CompFilter("VCALENDAR", comp_filters=inner)


def within(since: int | None, before: int | None, name: str = "VEVENT") -> CalendarFilter:
    """Return the filter for a time range."""
    return asking(CompFilter(name, time_range=TimeRange(since, before)))


def by_spans(facts: CalendarFacts, since: int, before: int, zone: Zone) -> bool | None:
    """Return what the stored facts say of a time range."""
    return span_hits(
        facts.spans,
        facts.covered_from,
        facts.covered_until,
        facts.floating,
        window(TimeRange(since, before), zone),
    )


# --- the tables of RFC 4791 section 9.9 ------------------------------------------------------

T = at("2024-03-04 10:00")
DTSTART, DUE, COMPLETED, CREATED = T, T + 100, T + 200, T + 50
LENGTH = 60

Row = tuple[list[str], Callable[[int, int], bool]]

TODO_TABLE: list[Row] = [
    (
        [f"DTSTART:{utc_text(DTSTART)}", "DURATION:PT60S"],
        lambda start, end: start <= DTSTART + LENGTH and (end > DTSTART or end >= DTSTART + LENGTH),
    ),
    (
        [f"DTSTART:{utc_text(DTSTART)}", "DURATION:PT0S"],
        lambda start, end: start <= DTSTART and (end > DTSTART or end >= DTSTART),
    ),
    (
        [f"DTSTART:{utc_text(DTSTART)}", f"DUE:{utc_text(DUE)}"],
        lambda start, end: (start < DUE or start <= DTSTART) and (end > DTSTART or end >= DUE),
    ),
    (
        [f"DTSTART:{utc_text(DTSTART)}", f"DUE:{utc_text(DTSTART)}"],
        lambda start, end: (
            (start < DTSTART or start <= DTSTART) and (end > DTSTART or end >= DTSTART)
        ),
    ),
    (
        [f"DTSTART:{utc_text(DTSTART)}"],
        lambda start, end: start <= DTSTART and end > DTSTART,
    ),
    ([f"DUE:{utc_text(DUE)}"], lambda start, end: start < DUE and end >= DUE),
    (
        [f"COMPLETED:{utc_text(COMPLETED)}", f"CREATED:{utc_text(CREATED)}"],
        lambda start, end: (
            (start <= CREATED or start <= COMPLETED) and (end >= CREATED or end >= COMPLETED)
        ),
    ),
    (
        [f"COMPLETED:{utc_text(COMPLETED)}"],
        lambda start, end: start <= COMPLETED and end >= COMPLETED,
    ),
    ([f"CREATED:{utc_text(CREATED)}"], lambda start, end: end > CREATED),
    ([], lambda start, end: True),
]

EVENT_TABLE: list[Row] = [
    (
        [f"DTSTART:{utc_text(T)}", f"DTEND:{utc_text(T + 60)}"],
        lambda start, end: start < T + 60 and end > T,
    ),
    (
        [f"DTSTART:{utc_text(T)}", "DURATION:PT60S"],
        lambda start, end: start < T + 60 and end > T,
    ),
    ([f"DTSTART:{utc_text(T)}", "DURATION:PT0S"], lambda start, end: start <= T and end > T),
    ([f"DTSTART:{utc_text(T)}"], lambda start, end: start <= T and end > T),
    (
        ["DTSTART;VALUE=DATE:20240304"],
        lambda start, end: start < at("2024-03-05") and end > at("2024-03-04"),
    ),
]

JOURNAL_TABLE: list[Row] = [
    ([f"DTSTART:{utc_text(T)}"], lambda start, end: start <= T and end > T),
    (
        ["DTSTART;VALUE=DATE:20240304"],
        lambda start, end: start < at("2024-03-05") and end > at("2024-03-04"),
    ),
    ([], lambda start, end: False),
]

TABLES = [
    *(("VTODO", row) for row in TODO_TABLE),
    *(("VEVENT", row) for row in EVENT_TABLE),
    *(("VJOURNAL", row) for row in JOURNAL_TABLE),
]


def _line_name(value: str | Row) -> str:
    """What a line of the tables is called, the same in each run."""
    return value if isinstance(value, str) else "+".join(value[0]) or "nothing"


@pytest.mark.parametrize(("name", "row"), TABLES, ids=_line_name)
def test_time_range_tables(name: str, row: Row) -> None:
    """Each line of the tables holds for every second around its times, parsed and by facts."""
    # rfc4791#9.9
    lines, expression = row
    found = read(event(*lines, name=name))
    facts = facts_of(found)
    edges = {DTSTART, DUE, COMPLETED, CREATED, T + 60, at("2024-03-04"), at("2024-03-05")}
    places = sorted(edge + delta for edge in edges for delta in (-2, -1, 0, 1, 2))
    for start in places:
        for end in (each for each in places if each > start):
            wanted = expression(start, end)
            asked = (start, end)
            assert matches(found, within(start, end, name), UTC) is wanted, asked
            assert by_spans(facts, start, end, UTC) is wanted, asked
            candidate = facts.first < end and (facts.last is None or facts.last > start)
            assert candidate or not wanted, asked
    for start in places:
        assert matches(found, within(start, None, name), UTC) is expression(start, FUTURE)
        assert matches(found, within(None, start, name), UTC) is expression(PAST, start)


def test_free_busy_component() -> None:
    """RFC 4791 section 9.9: a VFREEBUSY is found by its times, or without them by its periods."""
    lines = "UID:a", "DTSTART:20240304T100000Z", "DTEND:20240304T120000Z"
    found = read("\n".join(["BEGIN:VFREEBUSY", *lines, "END:VFREEBUSY"]))
    assert matches(found, within(at("2024-03-04 12:00"), None, "VFREEBUSY"), UTC)
    assert not matches(found, within(None, at("2024-03-04 10:00"), "VFREEBUSY"), UTC)
    periods = "FREEBUSY:20240304T100000Z/PT1H,20240305T100000Z/20240305T110000Z"
    found = read("\n".join(["BEGIN:VFREEBUSY", "UID:a", periods, "END:VFREEBUSY"]))
    facts = facts_of(found)
    for since, wanted in (("2024-03-04 10:30", True), ("2024-03-04 11:00", False)):
        assert matches(found, within(at(since), at(since) + 60, "VFREEBUSY"), UTC) is wanted
        assert by_spans(facts, at(since), at(since) + 60, UTC) is wanted


# --- facts against matching ------------------------------------------------------------------

SERIES = (
    ("DTSTART;TZID=Europe/Berlin:20240304T100000", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
    ("DTSTART;TZID=Europe/Berlin:20100304T100000", "DURATION:P2D", "RRULE:FREQ=WEEKLY;COUNT=900"),
    ("DTSTART;VALUE=DATE:20200229", "RRULE:FREQ=YEARLY"),
    ("DTSTART:20240304T100000", "RRULE:FREQ=DAILY;COUNT=1200"),
    ("DTSTART:20190101T000000Z", "DURATION:PT30M", "RRULE:FREQ=HOURLY;UNTIL=20260101T000000Z"),
    ("DTSTART;VALUE=DATE:20240301", "DTEND;TZID=Asia/Tokyo:20240303T100000"),
    ("DTSTART:20240304T100000Z", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    ("DTSTART:20240304T100000Z", "RDATE:20240404T100000Z,20250404T100000Z"),
)


EXCEPTIONS: list[list[str]] = [
    [],
    [event("RECURRENCE-ID:20250304T090000Z", "DTSTART:20250301T000000Z", "DURATION:P1D")],
    [
        event(
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20250304T090000Z",
            "DTSTART:20250308T090000Z",
            "DURATION:P1D",
        )
    ],
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SERIES),
    st.sampled_from(EXCEPTIONS),
    st.integers(at("2009-01-01") // 3600, at("2032-01-01") // 3600),
    st.sampled_from((1, 24, 168, 744)),
    st.sampled_from((None, at("2024-06-01"))),
    st.sampled_from(("UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York")),
)
def test_facts_agree_with_matching(
    lines: tuple[str, ...],
    exceptions: list[str],
    hour: int,
    wide: int,
    around: int | None,
    name: str,
) -> None:
    """Where facts answer, they answer as the parsed object; and no object escapes its bounds."""
    zone = zone_named(name)
    assert zone is not None
    found = read(event(*lines), *exceptions)
    facts = facts_of(found, around=around)
    since, before = hour * 3600, (hour + wide) * 3600
    wanted = matches(found, within(since, before), zone)
    answer = by_spans(facts, since, before, zone)
    assert answer is None or answer is wanted
    asked = window(TimeRange(since, before), zone)
    if facts.floating:
        since, before = asked.local_start, asked.local_end
    if wanted and facts.covered_until != PAST:
        assert facts.first < before
        assert facts.last is None or facts.last > since


def test_old_series_are_covered_where_they_are_asked_for() -> None:
    """An event repeated daily for decades answers this year's weeks without being parsed."""
    found = read(event("DTSTART:19990101T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
    facts = facts_of(found, around=at("2024-06-01"))
    assert by_spans(facts, at("2024-06-03"), at("2024-06-04"), UTC) is True
    assert by_spans(facts, at("2024-06-03 11:00"), at("2024-06-03 12:00"), UTC) is False
    assert by_spans(facts, at("2024-03-03 11:00"), at("2024-03-03 12:00"), UTC) is False
    assert by_spans(facts, at("2005-06-03 11:00"), at("2005-06-03 12:00"), UTC) is None
    assert facts.first == at("1999-01-01 10:00")
    assert facts.last is None


def test_spans_are_rows_in_order() -> None:
    """Spans are rows by start, 500 of a series without end; a finite set is covered for ever."""
    found = read(event("DTSTART:20240304T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=50"))
    facts = facts_of(found)
    rows = list(SPAN.iter_unpack(facts.spans))
    assert len(rows) == 50
    assert all(left < right for left, right in pairwise(rows))
    assert (facts.covered_from, facts.covered_until) == (PAST, FUTURE)
    endless = facts_of(read(event("DTSTART:20240304T100000Z", "RRULE:FREQ=DAILY")))
    assert len(endless.spans) == 500 * SPAN.size
    assert endless.last is None


def test_facts_of_an_event() -> None:
    """What lists and indexes show is computed once."""
    found = read(
        event(
            "DTSTART:20240304T100000Z",
            "SUMMARY:Straße\\, \u00c9tat",
            "SEQUENCE:3",
            "CLASS:X-SECRET",
            "STATUS:TENTATIVE",
            "DURATION:PT1H",
            'ORGANIZER;CN="Doe, Al":MAILTO:Al@Example.org',
            "ATTENDEE:mailto:B@example.org",
            "ATTENDEE:mailto:b@example.org",
            "BEGIN:VALARM",
            "TRIGGER:-PT5M",
            "END:VALARM",
        )
    )
    facts = facts_of(found)
    assert facts.summary == "Straße, \u00c9tat"
    assert (facts.sequence, facts.classification, facts.has_alarm) == (3, "PRIVATE", True)
    assert facts.organizer == "mailto:al@example.org"
    assert facts.attendees == ("mailto:b@example.org",)
    assert "SUMMARY\x1fstrasse, e\u0301tat\n" in facts.text
    assert "ORGANIZER\x1fdoe, al mailto:al@example.org\n" in facts.text
    assert [row[2] for row in SPAN.iter_unpack(facts.spans)] == [2]
    assert not facts.recurring


# --- components, properties, parameters ------------------------------------------------------

MEETING = (
    "DTSTART:20240304T100000Z",
    "DTEND:20240304T110000Z",
    "SUMMARY:Weekly Stand-Up \u00c9QUIPE",
    "CATEGORIES:Work,Home\\, garden",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION;CN=Bob:mailto:bob@example.org",
    "ATTENDEE;PARTSTAT=ACCEPTED;CN=Carol:mailto:carol@example.org",
    "CREATED:20240101T000000Z",
)


def has(*props: PropFilter) -> CalendarFilter:
    """Return the filter for properties of an event."""
    return asking(CompFilter("VEVENT", prop_filters=props))


def text(
    value: str, collation: Collation = Collation.ASCII_CASEMAP, *, negate: bool = False
) -> TextMatch:
    """Return a match for a text."""
    return TextMatch(value, collation, negate)


def placed(value: str, where: MatchType) -> TextMatch:
    """Return a match for a text at a place."""
    return TextMatch(value, match_type=where)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (CompFilter("VCALENDAR"), True),
        (CompFilter("VCALENDAR", is_not_defined=True), False),
        (CompFilter("VCARD"), False),
        (asking(CompFilter("VTODO")), False),
        (asking(CompFilter("VTODO", is_not_defined=True)), True),
        (asking(CompFilter("VEVENT", is_not_defined=True)), False),
        (asking(CompFilter("VEVENT"), CompFilter("VTODO")), False),
        (asking(CompFilter("VEVENT", comp_filters=(CompFilter("VALARM"),))), False),
        (asking(CompFilter("VEVENT", comp_filters=(CompFilter("VALARM", True),))), True),
        (has(PropFilter("SUMMARY")), True),
        (has(PropFilter("LOCATION")), False),
        (has(PropFilter("LOCATION", is_not_defined=True)), True),
        (has(PropFilter("SUMMARY", text_match=text("stand-up"))), True),
        (has(PropFilter("SUMMARY", text_match=text("stand-up", Collation.OCTET))), False),
        (has(PropFilter("SUMMARY", text_match=text("\u00e9quipe"))), False),
        (
            has(PropFilter("SUMMARY", text_match=text("\u00e9quipe", Collation.UNICODE_CASEMAP))),
            True,
        ),
        (has(PropFilter("SUMMARY", text_match=text("stand-up", negate=True))), False),
        (has(PropFilter("SUMMARY", text_match=text("lunch", negate=True))), True),
        (has(PropFilter("LOCATION", text_match=text("lunch", negate=True))), False),
        (
            has(
                PropFilter("CATEGORIES", text_match=TextMatch("work", match_type=MatchType.EQUALS))
            ),
            True,
        ),
        (
            has(
                PropFilter(
                    "CATEGORIES",
                    text_match=placed("home, garden", MatchType.EQUALS),
                )
            ),
            True,
        ),
        (
            has(PropFilter("SUMMARY", text_match=placed("WEEK", MatchType.STARTS_WITH))),
            True,
        ),
        (
            has(PropFilter("SUMMARY", text_match=placed("WEEK", MatchType.ENDS_WITH))),
            False,
        ),
        (has(PropFilter("ATTENDEE", text_match=text("bob@", negate=True))), False),
        (
            has(
                PropFilter(
                    "ATTENDEE",
                    text_match=text("bob@"),
                    param_filters=(ParamFilter("PARTSTAT", text_match=text("needs")),),
                )
            ),
            True,
        ),
        (
            has(
                PropFilter(
                    "ATTENDEE",
                    text_match=text("bob@"),
                    param_filters=(ParamFilter("PARTSTAT", text_match=text("accepted")),),
                )
            ),
            False,
        ),
        (has(PropFilter("ATTENDEE", param_filters=(ParamFilter("ROLE"),))), False),
        (has(PropFilter("ATTENDEE", param_filters=(ParamFilter("ROLE", True),))), True),
        (
            has(PropFilter("CREATED", time_range=TimeRange(at("2024-01-01"), at("2024-01-02")))),
            True,
        ),
        (
            has(PropFilter("CREATED", time_range=TimeRange(at("2023-01-01"), at("2024-01-01")))),
            False,
        ),
        (has(PropFilter("SUMMARY", time_range=TimeRange(None, None))), False),
    ],
)
def test_filters(asked: CalendarFilter, wanted: bool) -> None:
    """Each part of RFC 4791 section 9.7 by itself; and what narrows a query never loses a hit."""
    found = read(event(*MEETING))
    assert matches(found, asked, UTC) is wanted
    assert may_match(found, narrow(asked)) or not wanted
    exact = simple(asked)
    if exact is not None:
        assert may_match(found, exact) is wanted


def may_match(found: CalendarObject, query: SimpleQuery) -> bool:
    """Return what an index finds (time ranges aside)."""
    facts = facts_of(found)
    if query.component is not None and (facts.component == query.component) is query.absent:
        return False
    return all(each in facts.text for each in query.texts)


def test_time_range_and_properties_of_one_instance() -> None:
    """The instance in the time range must be the one that has the property."""
    found = read(
        event("DTSTART:20240304T100000Z", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:plain"),
        event("RECURRENCE-ID:20240306T100000Z", "DTSTART:20240306T100000Z", "SUMMARY:special"),
    )

    def ask(day: str, summary: str) -> bool:
        inner = CompFilter(
            "VEVENT",
            time_range=TimeRange(at(day), at(day) + 86400),
            prop_filters=(PropFilter("SUMMARY", text_match=text(summary)),),
        )
        return matches(found, asking(inner), UTC)

    assert ask("2024-03-06", "special")
    assert not ask("2024-03-06", "plain")
    assert not ask("2024-03-05", "special")
    assert ask("2024-03-05", "plain")


def alarm(*lines: str) -> list[str]:
    """Return the lines of an alarm."""
    return ["BEGIN:VALARM", *lines, "END:VALARM"]


@pytest.mark.parametrize(
    ("lines", "fires"),
    [
        (["TRIGGER:-PT15M"], ["2024-03-05 09:45", "2024-03-06 09:45"]),
        (["TRIGGER;RELATED=END:PT5M"], ["2024-03-05 11:05"]),
        (["TRIGGER;RELATED=START:-P1D"], ["2024-03-03 10:00"]),
        (["TRIGGER;VALUE=DATE-TIME:20200101T000000Z"], ["2020-01-01 00:00"]),
        (["TRIGGER:-PT15M", "REPEAT:2", "DURATION:PT5M"], ["2024-03-05 09:50", "2024-03-05 09:55"]),
    ],
)
def test_alarms(lines: list[str], fires: list[str]) -> None:
    """A time range on VALARM finds the minutes in which an instance's alarm goes off, only."""
    # rfc4791#9.9, rfc5545#3.6.6, rfc5545#3.8.6.3
    found = read(
        event(
            "DTSTART:20240304T100000Z",
            "DURATION:PT1H",
            "RRULE:FREQ=DAILY;COUNT=5",
            *alarm("ACTION:AUDIO", *lines),
        )
    )

    def ask(since: int, before: int) -> bool:
        inner = CompFilter("VALARM", time_range=TimeRange(since, before))
        return matches(found, asking(CompFilter("VEVENT", comp_filters=(inner,))), UTC)

    for each in fires:
        assert ask(at(each), at(each) + 1)
        assert not ask(at(each) + 1, at(each) + 60)
        assert not ask(at(each) - 60, at(each))


def test_alarm_and_time_range_of_one_instance() -> None:
    """Alarm and instance must be in their ranges together."""
    found = read(
        event("DTSTART:20240304T100000Z", "RRULE:FREQ=DAILY;COUNT=5", *alarm("TRIGGER:-PT15M"))
    )

    def ask(day: str, fires: str) -> bool:
        inner = CompFilter("VALARM", time_range=TimeRange(at(fires), at(fires) + 3600))
        outer = CompFilter(
            "VEVENT", time_range=TimeRange(at(day), at(day) + 86400), comp_filters=(inner,)
        )
        return matches(found, asking(outer), UTC)

    assert ask("2024-03-05", "2024-03-05 09:00")
    assert not ask("2024-03-06", "2024-03-05 09:00")


def test_floating_times_go_by_the_zone_of_the_question() -> None:
    """A floating event at ten is at nine UTC for Berlin in winter, at eight in summer."""
    # rfc4791#7.3
    found = read(event("DTSTART:20240304T100000", "DURATION:PT1H", "RRULE:FREQ=MONTHLY"))
    facts = facts_of(found)
    for since, wanted in (
        ("2024-03-04 09:30", True),
        ("2024-03-04 10:30", False),
        ("2024-07-04 08:30", True),
        ("2024-07-04 09:30", False),
    ):
        asked = at(since), at(since) + 60
        assert matches(found, within(*asked), berlin()) is wanted
        assert by_spans(facts, *asked, berlin()) is wanted


def test_collations() -> None:
    """Unknown collations are refused by name; there is a default. # rfc4791#7.5"""
    assert collation_named("") is Collation.ASCII_CASEMAP
    assert collation_named("i;unicode-casemap") is Collation.UNICODE_CASEMAP
    with pytest.raises(CalendarError) as caught:
        collation_named("i;made-up")
    assert caught.value.precondition == "supported-collation"


def test_one_budget_for_many_objects() -> None:
    """A report can bound the work of all its expansions together."""
    found = read(event("DTSTART:20240304T100000Z", "RRULE:FREQ=SECONDLY;COUNT=5000;INTERVAL=2"))
    budget = Budget(25_000)
    asked = within(at("2030-01-01"), at("2030-01-02"))
    assert not matches(found, asked, UTC, budget)
    assert not matches(found, asked, UTC, budget)
    with pytest.raises(CalendarError) as caught:
        matches(found, asked, UTC, budget)
    assert caught.value.precondition == "max-instances"
