"""CALDAV:calendar-data and busy times."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.facts import BUSY, FREE, TENTATIVE, UNAVAILABLE, facts_of
from folkmoot.storage.content.ical.freebusy import (
    BusyPeriod,
    busy_in,
    busy_periods,
    free_busy_reply,
)
from folkmoot.storage.content.ical.intake import CalendarObject, load_calendar
from folkmoot.storage.content.ical.spans import TimeRange, spans_within, window
from folkmoot.storage.content.ical.transform import (
    CalendarData,
    CompSelection,
    shape,
    without_timezones,
)
from folkmoot.storage.content.ical.tree import HARD_LIMITS, Component, parse, serialize
from folkmoot.storage.content.ical.zones import UTC, zone_named
from tests.dav.calendars import at, calendar, event, read
from tests.dav.test_ical_intake import ZONE

WHOLE = TimeRange(None, None)


def shaped(found: CalendarObject, **asked: object) -> Component:
    """Return what a client sees, read again."""
    octets = shape(found, CalendarData(**asked), UTC)  # type: ignore[arg-type]
    return parse(octets, HARD_LIMITS)


def lines_of(component: Component) -> set[str]:
    """Return the properties as lines."""
    return set(serialize(component._replace(components=())).decode().split("\r\n")[1:-2])


def days(first: str, last: str) -> TimeRange:
    """Return a time range from one day to another."""
    return TimeRange(at(first), at(last))


SERIES = read(
    ZONE.format("Europe/Berlin"),
    event(
        "DTSTART;TZID=Europe/Berlin:20240329T100000",
        "DTEND;TZID=Europe/Berlin:20240329T110000",
        "RRULE:FREQ=DAILY;COUNT=6",
        "EXDATE;TZID=Europe/Berlin:20240330T100000",
        "SUMMARY:Daily",
        "BEGIN:VALARM",
        "TRIGGER:-PT5M",
        "END:VALARM",
    ),
    event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20240401T100000",
        "DTSTART;TZID=Europe/Berlin:20240405T120000",
        "DURATION:PT2H",
        "SUMMARY:Moved",
    ),
)


def test_expand() -> None:
    """RFC 4791 section 9.6.5: instances in UTC with RECURRENCE-ID, no rules, no zones."""
    found = shaped(SERIES, expand=days("2024-03-30", "2024-04-06"))
    assert {each.name for each in found.components} == {"VEVENT"}
    assert [each.value("DTSTART") for each in found.components] == [
        "20240331T080000Z",
        "20240402T080000Z",
        "20240403T080000Z",
        "20240405T100000Z",
    ]
    first, moved = found.components[0], found.components[-1]
    assert lines_of(first) == {
        "UID:event-1",
        "SUMMARY:Daily",
        "DTSTART:20240331T080000Z",
        "DTEND:20240331T090000Z",
        "RECURRENCE-ID:20240331T080000Z",
    }
    assert [each.name for each in first.components] == ["VALARM"]
    assert lines_of(moved) == {
        "UID:event-1",
        "SUMMARY:Moved",
        "DTSTART:20240405T100000Z",
        "DURATION:PT2H",
        "RECURRENCE-ID:20240401T080000Z",
    }
    assert load_calendar(shape(SERIES, CalendarData(expand=WHOLE), UTC)).uid == "event-1"


def test_expand_of_days_and_single_events() -> None:
    """Days stay days; what does not recur gets no RECURRENCE-ID."""
    whole_days = read(
        event(
            "DTSTART;VALUE=DATE:20240329", "DTEND;VALUE=DATE:20240331", "RRULE:FREQ=WEEKLY;COUNT=2"
        )
    )
    found = shaped(whole_days, expand=days("2024-04-01", "2024-05-01"))
    assert [lines_of(each) for each in found.components] == [
        {
            "UID:event-1",
            "DTSTART;VALUE=DATE:20240405",
            "DTEND;VALUE=DATE:20240407",
            "RECURRENCE-ID;VALUE=DATE:20240405",
        }
    ]
    single = read(event("DTSTART;TZID=Asia/Tokyo:20240329T100000", "DURATION:P1D"))
    found = shaped(single, expand=WHOLE)
    assert lines_of(found.components[0]) == {
        "UID:event-1",
        "DTSTART:20240329T010000Z",
        "DURATION:P1D",
    }


def test_expand_of_tasks() -> None:
    """A task without start recurs by its due time."""
    found = read(event("DUE:20240329T100000Z", "RRULE:FREQ=DAILY;COUNT=2", name="VTODO"))
    listed = shaped(found, expand=WHOLE).components
    assert [each.value("DUE") for each in listed] == ["20240329T100000Z", "20240330T100000Z"]


def test_expand_is_bounded() -> None:
    """A large text many times over is refused before it is made."""
    found = read(
        event("DTSTART:20240329T100000Z", "RRULE:FREQ=DAILY;COUNT=9000", "X-A:" + "b" * 100_000)
    )
    with pytest.raises(CalendarError) as caught:
        shape(found, CalendarData(expand=WHOLE), UTC)
    assert caught.value.precondition == "max-instances"


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (days("2024-04-05", "2024-04-06"), 2),
        (days("2024-04-01", "2024-04-02"), 2),
        (days("2024-03-31", "2024-04-01"), 1),
        (days("2024-04-02", "2024-04-04"), 1),
    ],
)
def test_limit_recurrence_set(asked: TimeRange, count: int) -> None:
    """RFC 4791 section 9.6.6: the master, and exceptions that are in the time or were."""
    found = shaped(SERIES, limit_recurrence_set=asked)
    assert len([each for each in found.components if each.name == "VEVENT"]) == count
    assert found.components[0].name == "VTIMEZONE"
    assert found.components[1] == SERIES.parts[0]


def test_limit_freebusy_set() -> None:
    """RFC 4791 section 9.6.7: the periods in the time only."""
    found = read(
        event(
            "FREEBUSY;FBTYPE=BUSY:20240329T100000Z/PT1H,20240330T100000Z/PT1H",
            "FREEBUSY:20240331T100000Z/20240331T110000Z",
            name="VFREEBUSY",
        )
    )
    limited = shaped(found, limit_freebusy_set=days("2024-03-30", "2024-03-31")).components[0]
    assert lines_of(limited) == {"UID:event-1", "FREEBUSY;FBTYPE=BUSY:20240330T100000Z/PT1H"}


def test_partial_retrieval() -> None:
    """RFC 4791 section 9.6: chosen properties, without values where not wanted, and components."""
    chosen = CompSelection(
        "VCALENDAR",
        props={"VERSION": False},
        comps=(
            CompSelection("VEVENT", props={"UID": False, "SUMMARY": True}),
            CompSelection("VTIMEZONE"),
        ),
    )
    found = shaped(SERIES, selection=chosen)
    assert lines_of(found) == {"VERSION:2.0"}
    zone, master, _ = found.components
    assert zone == SERIES.calendar.components[0]
    assert lines_of(master) == {"UID:event-1", "SUMMARY:"}
    assert master.components == ()
    everything = CompSelection("VCALENDAR", all_props=True, all_comps=True)
    assert shaped(SERIES, selection=everything) == SERIES.calendar


def test_timezones_by_reference() -> None:
    """RFC 7809: zones that everybody knows are left out, those of somebody's own are not."""
    found = read(
        ZONE.format("Europe/Berlin"), ZONE.format("Mine"), event("DTSTART:20240304T100000Z")
    )
    kept = [each.value("TZID") for each in without_timezones(found.calendar).components[:-1]]
    assert kept == ["Mine"]
    assert shaped(found, no_timezones=True) == without_timezones(found.calendar)
    assert CalendarData().changes_nothing
    assert not CalendarData(no_timezones=True).changes_nothing


# --- busy times ------------------------------------------------------------------------------

ROWS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20), st.integers(FREE, UNAVAILABLE)).map(
        lambda row: (row[0], row[0] + row[1], row[2])
    ),
    max_size=12,
)


@given(ROWS)
def test_busy_periods_second_by_second(rows: list[tuple[int, int, int]]) -> None:
    """At every second the strongest kind counts; periods are in order, merged, and clipped."""
    merged = busy_periods(rows, 5, 55)
    strength = [BUSY, UNAVAILABLE, TENTATIVE]
    for second in range(-1, 90):
        kinds = {kind for start, end, kind in rows if start <= second < end and kind != FREE}
        wanted = [kind for kind in strength if kind in kinds][:1] if 5 <= second < 55 else []
        assert [each.kind for each in merged if each.start <= second < each.end] == wanted
    for left, right in pairwise(merged):
        assert left.end <= right.start
        assert left.kind != right.kind or left.end < right.start


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["DURATION:PT1H"], BUSY),
        (["DURATION:PT1H", "TRANSP:TRANSPARENT"], FREE),
        (["DURATION:PT1H", "STATUS:CANCELLED"], FREE),
        (["DURATION:PT1H", "STATUS:TENTATIVE"], TENTATIVE),
        ([], FREE),
    ],
)
def test_who_is_busy(lines: list[str], kind: int) -> None:
    """RFC 4791 section 7.10: from spans as by expanding."""
    found = read(event("DTSTART;TZID=Europe/Berlin:20240304T100000", "RRULE:FREQ=DAILY", *lines))
    since, before = at("2024-03-04"), at("2024-03-06")
    wanted = (
        [
            BusyPeriod(at(f"2024-03-0{day} 09:00"), at(f"2024-03-0{day} 10:00"), kind)
            for day in (4, 5)
        ]
        if kind != FREE
        else []
    )
    assert busy_in(found, since, before, UTC) == wanted
    facts = facts_of(found)
    rows = spans_within(facts.spans, facts.floating, window(TimeRange(since, before), UTC), UTC)
    assert busy_periods(rows, since, before) == wanted


def test_all_day_is_busy_where_one_is() -> None:
    """A day off in Tokyo begins in the afternoon of the day before, UTC."""
    tokyo = zone_named("Asia/Tokyo")
    assert tokyo is not None
    found = read(event("DTSTART;VALUE=DATE:20240304"))
    wanted = [(at("2024-03-03 15:00"), at("2024-03-04 15:00"), BUSY)]
    since, before = at("2024-03-01"), at("2024-03-08")
    assert busy_in(found, since, before, tokyo) == wanted
    facts = facts_of(found)
    asked = window(TimeRange(since, before), tokyo)
    assert spans_within(facts.spans, facts.floating, asked, tokyo) == wanted


def test_free_busy_reply() -> None:
    """Answers to a report and to a request: METHOD, ORGANIZER and ATTENDEE for the latter only."""
    # rfc5546#3.3.3
    periods = [
        BusyPeriod(at("2024-03-04 10:00"), at("2024-03-04 11:00"), BUSY),
        BusyPeriod(at("2024-03-04 12:00"), at("2024-03-04 13:00"), TENTATIVE),
    ]
    times = at("2024-03-04"), at("2024-03-05"), at("2024-03-01")
    plain = parse(free_busy_reply(periods, *times), HARD_LIMITS)
    assert plain.first("METHOD") is None
    assert lines_of(plain.components[0]) == {
        "DTSTAMP:20240301T000000Z",
        "DTSTART:20240304T000000Z",
        "DTEND:20240305T000000Z",
        "FREEBUSY;FBTYPE=BUSY:20240304T100000Z/20240304T110000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20240304T120000Z/20240304T130000Z",
    }
    request = parse(
        calendar(
            event(
                "ORGANIZER:mailto:a@example.org",
                "ATTENDEE:mailto:b@example.org",
                "ATTENDEE;CN=C:MAILTO:c@example.org",
                name="VFREEBUSY",
            )
        ),
        HARD_LIMITS,
    ).components[0]
    octets = free_busy_reply([], *times, request=request, attendee="mailto:c@example.org")
    reply = parse(octets, HARD_LIMITS)
    assert reply.value("METHOD") == "REPLY"
    assert lines_of(reply.components[0]) >= {
        "UID:event-1",
        "ORGANIZER:mailto:a@example.org",
        "ATTENDEE;CN=C:MAILTO:c@example.org",
    }
    assert len(reply.components[0].all("ATTENDEE")) == 1
