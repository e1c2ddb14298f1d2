"""What is accepted as a calendar object, what is not, and with which precondition."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.facts import facts_of
from folkmoot.storage.content.ical.intake import read_calendar
from folkmoot.storage.content.ical.tree import Component, Limits, Property, parse, serialize
from folkmoot.storage.content.ical.values import escaped, texts, unescaped
from folkmoot.storage.content.ical.zones import UTC, zone_named, zone_of_vtimezone
from tests.dav.calendars import at, calendar, event, read, shown
from tests.kit.pace import within

START = "DTSTART:20240304T100000Z"
PLAIN = calendar(event(START))

ZONE = """
BEGIN:VTIMEZONE
TZID:{}
BEGIN:DAYLIGHT
TZOFFSETTO:+020000
TZOFFSETFROM:+010000
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETTO:+010000
TZOFFSETFROM:+020000
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""


def refused(octets: bytes, limits: Limits | None = None, **options: frozenset[str]) -> str:
    """Return the precondition that fails."""
    with pytest.raises(CalendarError) as caught:
        read_calendar(octets, limits=limits or Limits(), **options)
    return caught.value.precondition


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"hello",
        b"\xff\xfe\x00B",
        b"BEGIN:VCALENDAR\r\n",
        b"BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20240304T100000Z\r\nEND:VEVENT\r\n",
        PLAIN + PLAIN,
        PLAIN.replace(b"END:VEVENT", b"END:VTODO"),
        PLAIN.replace(b"UID:", b"UID"),
        PLAIN.replace(b"20240304T100000Z", b"20240231T100000Z"),
        PLAIN.replace(b"20240304T100000Z", b"20240304T250000Z"),
        PLAIN.replace(b"20240304T100000Z", b"0000"),
        PLAIN.replace(START.encode(), b"SUMMARY:no start"),
        calendar(event(START, "RRULE:FREQ=FORTNIGHTLY")),
        calendar(event(START, "RRULE:FREQ=DAILY;BYMONTH=13")),
        calendar(event(START, "RRULE:FREQ=DAILY;COUNT=-1")),
        calendar(event(START, "RRULE:FREQ=DAILY;BYDAY=XX")),
        calendar(event(START, "DURATION:one hour")),
        PLAIN.replace(b"event-1", b"event\x001"),
    ],
)
def test_data_that_is_no_calendar(octets: bytes) -> None:
    """Data that breaks the grammar is refused as such. # rfc4791#5.3.2.1"""
    assert refused(octets) == "valid-calendar-data"


@pytest.mark.parametrize(
    "octets",
    [
        calendar("METHOD:REQUEST", event(START)),
        calendar(event(START), event(START, uid="event-2")),
        calendar(event(START), event(START)),
        calendar(event(START), event(name="VTODO")),
        calendar(ZONE.format("A")),
        calendar(),
        calendar(event(START, uid="")),
        calendar(event(START, uid="x" * 2000)),
    ],
)
def test_calendars_that_are_no_object(octets: bytes) -> None:
    """RFC 4791 section 4.1: one UID, one type, one master, no METHOD."""
    assert refused(octets) == "valid-calendar-object-resource"


def test_components_that_are_not_taken() -> None:
    """A calendar for tasks takes no events, no calendar takes what nobody knows."""
    only_tasks = frozenset({"VTODO"})
    assert refused(PLAIN, components=only_tasks) == "supported-calendar-component"
    assert refused(calendar(event(name="VPOLL"))) == "supported-calendar-component"
    assert read_calendar(PLAIN, components=frozenset({"VEVENT"})).uid == "event-1"


def test_older_version() -> None:
    """vCalendar 1.0 is another format."""
    octets = PLAIN.replace(b"VERSION:2.0", b"VERSION:1.0")
    assert refused(octets) == "supported-calendar-data"


@pytest.mark.parametrize(
    ("limits", "lines", "precondition"),
    [
        (Limits(octets=100), ["X-A:" + "b" * 200], "max-resource-size"),
        (Limits(attendees=2), ["ATTENDEE:mailto:a@b.c"] * 3, "max-attendees-per-instance"),
        (Limits(dates=2), ["EXDATE:20240304T100000Z,20240305T100000Z"] * 2, "max-instances"),
        (Limits(rules=1), ["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "max-instances"),
        (Limits(earliest=at("2025-01-01")), [], "min-date-time"),
        (Limits(latest=at("2023-01-01")), [], "max-date-time"),
        (Limits(properties=3), ["X-A:b"] * 4, "valid-calendar-data"),
        (Limits(components=2), ["BEGIN:VALARM", "END:VALARM"] * 2, "valid-calendar-data"),
        (Limits(line=50), ["X-A:" + "b" * 60], "valid-calendar-data"),
    ],
)
def test_limits(limits: Limits, lines: list[str], precondition: str) -> None:
    """Each limit has its precondition, and the same data passes without it."""
    # rfc4791#5.2.8, rfc4791#5.2.9
    octets = calendar(event(START, *lines))
    assert refused(octets, limits) == precondition
    assert read_calendar(octets, limits=Limits()).uid == "event-1"


def test_of_two_exceptions_the_later_counts() -> None:
    """Two exceptions for one instance are one: what is shown is what is found."""
    found = read(
        event(START, "RRULE:FREQ=DAILY;COUNT=3"),
        event("RECURRENCE-ID:20240305T100000Z", "DTSTART:20240305T110000Z", "SUMMARY:old"),
        event("RECURRENCE-ID:20240305T100000Z", "DTSTART:20240305T120000Z", "SUMMARY:new"),
    )
    assert [part.value("SUMMARY") for part in found.parts] == ["", "new"]
    assert len(found.timings) == 2


def test_real_world() -> None:
    """What programs really send is taken: bare LF, BOM, no VERSION, 8-bit text, junk in X- lines,
    folds within characters, lower case, odd spaces."""
    octets = (
        b"\xef\xbb\xbfbegin:vcalendar\nBEGIN:VEVENT\nuid: a\nDTSTART ;TZID=Europe/Berlin : "
        b"20240304T100000\nSUMMARY:Caf\xc3\n \xa9\nX-JUNK\n\nX-A;B:c\nEND:VEVENT \n"
        b"end:vcalendar\n\n"
    )
    found = read_calendar(octets)
    assert found.uid == "a"
    assert found.parts[0].value("SUMMARY") == "Café"
    assert shown(facts_of(found).first) == "2024-03-04 09:00"
    windows = PLAIN.replace(b"END:VEVENT", b"SUMMARY:Caf\xe9\r\nEND:VEVENT")
    assert read_calendar(windows).parts[0].value("SUMMARY") == "Café"


@pytest.mark.parametrize(
    ("tzid", "first"),
    [
        ("Europe/Berlin", "08:00"),
        ("europe/berlin ", "08:00"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "08:00"),
        ("/freeassociation.sourceforge.net/America/Argentina/Buenos_Aires", "13:00"),
        ("Romance Standard Time", "08:00"),
        ('"tzone://Microsoft/Utc"', "10:00"),
        ('"(UTC+01:00) Amsterdam, Berlin, Bern"', "08:00"),
        ("GMT-0330", "13:30"),
        ("Nowhere", "10:00"),
        ("../../etc/passwd", "10:00"),
        ("x" * 5000, "10:00"),
    ],
)
def test_names_of_zones(tzid: str, first: str) -> None:
    """Zones are found by the names that programs give them; what nobody knows is floating."""
    found = read(event(f"DTSTART;TZID={tzid}:20240704T100000"))
    assert shown(facts_of(found).first)[11:] == first
    assert facts_of(found).floating == (tzid.startswith(("Nowhere", "..", "xxx")))


def test_zone_by_its_rules() -> None:
    """A VTIMEZONE with a name that nobody knows goes by its rules, for all years."""
    # rfc5545#3.6.5, rfc5545#3.3.14
    found = read(ZONE.format("Custom"), event("DTSTART;TZID=Custom:20240704T100000"))
    assert shown(facts_of(found).first)[11:] == "08:00"
    zone, berlin = zone_of_vtimezone(calendar(ZONE.format("Mine"))), zone_named("Europe/Berlin")
    assert berlin is not None
    for seconds in range(at("2000-01-01"), at("2030-01-01"), 1801 * 7):
        assert zone.to_utc(seconds) == berlin.to_utc(seconds)
        assert zone.from_utc(seconds) == berlin.from_utc(seconds)


@pytest.mark.parametrize(
    "octets",
    [
        PLAIN,
        calendar(),
        calendar(ZONE.format("A"), ZONE.format("B")),
        calendar(ZONE.format("")),
        calendar("BEGIN:VTIMEZONE", "TZID:x", "END:VTIMEZONE"),
        calendar(ZONE.format("A").replace("+020000", "+990000")),
        calendar(ZONE.format("A").replace("FREQ=YEARLY", "FREQ=SECONDLY")),
    ],
)
def test_calendar_timezone_that_is_none(octets: bytes) -> None:
    """CALDAV:calendar-timezone must be one VTIMEZONE with bounded rules. # rfc4791#5.2.2"""
    with pytest.raises(CalendarError):
        zone_of_vtimezone(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"BEGIN:VCALENDAR\r\n" * 10_000,
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + b"BEGIN:VALARM\r\nEND:VALARM\r\n" * 30_000,
        b"BEGIN:VCALENDAR\r\nX" + b";A=" + b'"' * 900_000 + b":b\r\nEND:VCALENDAR",
        b"BEGIN:VCALENDAR\r\nX" + b";A=b" * 200_000 + b":b\r\nEND:VCALENDAR",
        b"BEGIN:VCALENDAR\r\n" + b"\r\n " * 300_000,
        b"BEGIN:VCALENDAR\r\nX;A=" + b'"a",' * 200_000 + b":b\r\nEND:VCALENDAR",
        calendar(event(START, "RRULE:FREQ=DAILY;BYMONTHDAY=" + "1," * 400_000)),
        calendar(event(START, "RRULE:FREQ=SECONDLY;COUNT=99999999")),
        calendar(event(START, "RDATE:" + "20240304T100000Z," * 50_000)),
    ],
)
def test_enormous_input(octets: bytes) -> None:
    """Large and nested data is refused in about the time that it takes to read it."""
    with within(2), pytest.raises(CalendarError):
        facts_of(read_calendar(octets, limits=Limits()))


TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), max_size=300
)
NAMES = st.from_regex(r"[A-Z][A-Z0-9-]{0,12}", fullmatch=True).filter(
    lambda name: name not in ("BEGIN", "END")
)
PROPERTIES = st.builds(
    Property,
    NAMES,
    st.lists(st.tuples(NAMES, st.lists(TEXT, min_size=1, max_size=3).map(tuple)), max_size=3).map(
        tuple
    ),
    TEXT.map(escaped),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PROPERTIES, max_size=6))
def test_what_is_written_is_read_again(properties: list[Property]) -> None:
    """Any text, in values and parameters, survives folding, quoting and escaping."""
    # rfc5545#3.1, rfc6868#3, rfc6868#3.1, rfc6868#3.2
    made = Component("VCALENDAR", tuple(properties), ())
    octets = serialize(made)
    assert all(len(line) <= 75 for line in octets.split(b"\r\n"))
    for line in octets.split(b"\r\n"):
        line.decode("utf-8")
    assert parse(octets, Limits()) == made


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_escapes(values: list[str]) -> None:
    """Escaped texts are what they were, alone and in lists. # rfc5545#3.3.11"""
    assert unescaped(escaped(values[0])) == values[0]
    if values[-1]:
        assert texts(",".join(map(escaped, values))) == values


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_objects(data: st.DataObject) -> None:
    """Whatever is damaged in an object, the answer is an object or a `CalendarError`."""
    whole = calendar(
        ZONE.format("Custom"),
        event(
            "DTSTART;TZID=Custom:20240304T100000",
            "DTEND;TZID=Custom:20240304T110000",
            "RRULE:FREQ=MONTHLY;BYDAY=2MO;COUNT=5",
            "EXDATE;TZID=Custom:20240408T100000",
            "RDATE;VALUE=PERIOD:20240312T100000Z/PT3H",
        ),
        event("RECURRENCE-ID:20240513T080000Z", "DTSTART:20240513T090000Z", "DURATION:PT1H"),
    )
    octets = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        found = read_calendar(bytes(octets))
        facts = facts_of(found)
    except CalendarError:
        return
    assert facts.uid == found.uid
    assert found.series(UTC) is not None
