"""Calendar objects: intake, what is computed of them, and printing them back."""

from __future__ import annotations

import contextlib

from folkmoot.sharing.intake import calendar_content
from folkmoot.sharing.outgoing import outgoing
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.expand import instances
from folkmoot.storage.content.ical.facts import SPAN, facts_of
from folkmoot.storage.content.ical.intake import CalendarObject, read_calendar
from folkmoot.storage.content.ical.itip import apply_reply, read_message
from folkmoot.storage.content.ical.merge import apply_cancel, apply_request
from folkmoot.storage.content.ical.rules import Budget, parse_rule
from folkmoot.storage.content.ical.spans import TimeRange
from folkmoot.storage.content.ical.transform import CalendarData, shape
from folkmoot.storage.content.ical.tree import HARD_LIMITS, parse, serialize
from folkmoot.storage.content.ical.values import (
    duration,
    escaped,
    moment,
    texts,
    unescaped,
    utc_offset,
)
from folkmoot.storage.content.ical.vtimezone import with_timezones
from folkmoot.storage.content.ical.zones import UTC, zone_named, zone_of_vtimezone
from folkmoot.storage.errors import RuleBroken
from tests.fuzz.target import target

_HEAD = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
_ZONE = (
    b"BEGIN:VTIMEZONE\r\nTZID:Mine\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n"
    b"TZOFFSETTO:+0100\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n"
    b"DTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
    b"END:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
)
_EVENT = (
    b"BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Mine:20260101T100000\r\nDURATION:PT1H30M\r\n"
    b"RRULE:FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20270101T000000Z\r\nEXDATE;TZID=Mine:20260105T100000\r\n"
    b"RDATE;VALUE=PERIOD:20260201T100000Z/PT2H\r\nSUMMARY;LANGUAGE=de:a\\, b\\nc\r\nCLASS:PRIVATE\r\nTRANSP:OPAQUE\r\n"
    b'ORGANIZER;CN="A, B":mailto:a@x.example\r\nATTENDEE;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:b@x.example\r\n'
    b"ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:c@x.example\r\nCATEGORIES:x,y\\,z\r\n"
    b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER;RELATED=END:-PT5M\r\nREPEAT:2\r\nDURATION:PT1M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
    b"BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Mine:20260108T100000\r\n"
    b"DTSTART;TZID=Mine:20260108T110000\r\nDTEND;TZID=Mine:20260108T120000\r\nSTATUS:CANCELLED\r\n"
    b"ORGANIZER:mailto:a@x.example\r\nATTENDEE;PARTSTAT=DECLINED:mailto:b@x.example\r\nEND:VEVENT\r\n"
)
_TASK = (
    b"BEGIN:VTODO\r\nUID:t\r\nDUE;VALUE=DATE:20260301\r\nDTSTART;VALUE=DATE:20260225\r\nCOMPLETED:20260226T101010Z\r\n"
    b"RRULE:FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=-1;COUNT=3\r\nEND:VTODO\r\n"
)
_BUSY = b"BEGIN:VFREEBUSY\r\nUID:f\r\nFREEBUSY;FBTYPE=BUSY:20260101T000000Z/PT1H,20260102T000000Z/20260103T000000Z\r\nEND:VFREEBUSY\r\n"
_END = b"END:VCALENDAR\r\n"
_SEEDS = tuple(
    _HEAD + each + _END
    for each in (_ZONE + _EVENT, _TASK, _BUSY, b"METHOD:REPLY\r\n" + _ZONE + _EVENT)
)
_WORDS = (
    b"BEGIN:", b"END:", b"VEVENT\r\n", b"VTIMEZONE\r\n", b"\r\n ", b"\r\n", b"RRULE:", b"FREQ=", b"SECONDLY", b"MINUTELY",
    b"YEARLY", b";COUNT=", b";INTERVAL=", b"9999", b"0", b"-1", b";BYSETPOS=", b";BYWEEKNO=53", b";BYYEARDAY=-366",
    b";BYMONTHDAY=31", b";BYHOUR=", b";BYSECOND=", b";UNTIL=", b"00010101", b"99991231T235960Z", b"T000000", b"Z",
    b"RECURRENCE-ID:", b";RANGE=THISANDFUTURE", b"EXDATE:", b"RDATE:", b"DURATION:", b"-P9W", b"P999999999D", b"PT0S",
    b";TZID=", b"Europe/Berlin", b"America/New_York", b"UTC+14", b"(UTC) London", b";VALUE=DATE", b"\"", b"^n", b"^^",
    b"\\n", b"\\", b",", b";", b":", b"=", b"mailto:b@x.example", b"ATTENDEE:", b"ORGANIZER:", b"METHOD:REQUEST\r\n",
    b"\xc3\xa9", b"\xff", b"\xed\xa0\x80", b"TZOFFSETTO:+2359", b"CLASS:CONFIDENTIAL", b"TRANSP:TRANSPARENT",
)  # fmt: skip
_RANGES = (
    TimeRange(1767225600, 1772323200),
    TimeRange(None, 0),
    TimeRange(253_000_000_000, None),
)
_CONTROLS = bytes({*range(32), 127} - {9, 10, 13})
_ME, _BOSS = "mailto:b@x.example", "mailto:a@x.example"


def _read(data: bytes) -> CalendarObject | None:
    try:
        return read_calendar(data)
    except CalendarError as error:
        assert error.text.isprintable()
        return None


@target(_SEEDS, _WORDS)
def calendar_lines(data: bytes) -> None:
    """What is printed of a calendar is read as the same again."""
    try:
        read = parse(data, HARD_LIMITS)
    except CalendarError:
        return
    printed = serialize(read)
    again = parse(printed, HARD_LIMITS)
    assert serialize(again) == printed
    assert all(len(line) <= 75 for line in printed.split(b"\r\n"))
    assert len(printed) <= 8 * len(data) + 1000


@target(_SEEDS, _WORDS, base=2)
def calendar_intake(data: bytes) -> None:
    """An object is stored or refused; what is stored of it holds together."""
    try:
        content = calendar_content(data, "text/calendar")
    except RuleBroken as error:
        assert error.rule
        assert error.text.isprintable()
        return
    row = content.facts
    assert row is not None
    spans = getattr(row, "spans", b"")
    assert len(spans) % SPAN.size == 0
    for octets in (getattr(row, "outline", None), getattr(row, "busy", None)):
        if octets is not None:
            assert read_calendar(octets).component == content.component
            told = [line for line in octets.split(b"\r\n") if line.startswith(b"SUMMARY")]
            assert set(told) <= {b"SUMMARY:Busy"}


@target(_SEEDS, _WORDS, base=3, pace=4)
def calendar_answers(data: bytes) -> None:
    """What reports make of an object can be read again; work has a limit that is told."""
    found = _read(data)
    if found is None:
        return
    for asked in _RANGES:
        start = asked.start if asked.start is not None else -(2**62)
        end = asked.end if asked.end is not None else 2**62
        for data_of in (
            CalendarData(expand=asked),
            CalendarData(limit_recurrence_set=asked, no_timezones=True),
            CalendarData(limit_freebusy_set=asked),
        ):
            with contextlib.suppress(CalendarError):
                assert (
                    parse(shape(found, data_of, UTC, Budget(2000)), HARD_LIMITS).name == "VCALENDAR"
                )
        with contextlib.suppress(CalendarError):
            listed = instances(found.series(UTC), start, end, 200, Budget(2000))
            assert all(each.low < end and each.high > start for each in listed)
    completed = serialize(with_timezones(found.calendar))
    assert len(completed) <= 20 * len(data) + 500_000


@target(_SEEDS, _WORDS, base=2)
def calendar_scheduling(data: bytes) -> None:
    """Messages of scheduling that are made, and those that come, are read or refused."""
    base, found = _read(_SEEDS[0]), _read(data)
    assert base is not None
    if found is not None:
        for mine in ({_ME}, {_BOSS}):
            pairs = [(None, found), (found, None), (found, found), (base, found), (found, base)]
            for old, new in pairs:
                try:
                    made = outgoing(old, new, mine, 1_770_000_000)
                except RuleBroken:
                    continue
                except CalendarError:
                    continue
                for _, message in made.messages:
                    read_message(message, HARD_LIMITS)
    try:
        method, message_read = read_message(data, HARD_LIMITS)
    except CalendarError:
        return
    if message_read.component != base.component:
        return  # only messages about the same thing are ever joined
    with contextlib.suppress(CalendarError):
        serialize(apply_request(base if method == "REQUEST" else None, message_read))
    with contextlib.suppress(CalendarError):
        apply_cancel(base, message_read)
    with contextlib.suppress(CalendarError):
        apply_reply(base, message_read, _ME)


@target(
    [
        b"20260101T000000Z",
        b"-P1DT2H3M4S",
        b"+0100",
        b"Europe/Berlin",
        b"FREQ=DAILY;COUNT=2",
        b"a\\, b\\n,c",
    ],
    _WORDS,
)
def calendar_values(data: bytes) -> None:
    """Values are read or refused, texts go there and back."""
    text = data.decode("utf-8", "replace")
    for read in (
        lambda: moment(text, "", zone_named),
        lambda: duration(text),
        lambda: utc_offset(text),
        lambda: parse_rule(text),
    ):
        with contextlib.suppress(CalendarError):
            read()
    zone = zone_named(text)
    if zone is not None:
        for at in (0, 2**33, -(2**33)):
            assert abs(zone.to_utc(at) - at) <= 4 * 86_400
    assert unescaped(escaped(text)) == text.replace("\r\n", "\n")
    texts(text)
    with contextlib.suppress(CalendarError):
        zone_of_vtimezone(_HEAD + data + _END)


@target(_SEEDS, _WORDS, base=2)
def calendar_facts(data: bytes) -> None:
    """Facts do not depend on how a calendar is folded or which line ends it has."""
    found = _read(data)
    if found is None or len(data.translate(None, _CONTROLS)) < len(data):
        return  # control characters are left out where a calendar is printed
    again = _read(serialize(found.calendar))
    try:
        facts = facts_of(found, around=1_770_000_000)
    except CalendarError:
        return
    assert again is not None
    assert facts_of(again, around=1_770_000_000) == facts
