"""Events, contacts and files, different for each number, and what is known of them.

Times are in Europe/Berlin with the VTIMEZONE that programs send along. Each twentieth event is a
weekly series of 30; all are within a working day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
MIDDLE = datetime(2027, 1, 4, tzinfo=ZONE)  # a Monday
DAYS = 728  # that events are spread over, half of them before the middle
SERIES = 30
Span = tuple[datetime, datetime]

#: Weeks and a month that have many.
WEEK: Span = (datetime(2026, 9, 7, tzinfo=UTC), datetime(2026, 9, 14, tzinfo=UTC))
MIDDLE_WEEK: Span = (datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 1, 11, tzinfo=UTC))
MONTH: Span = (datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))

_EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Folkmoot//Benchmark//EN
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T080000Z
DTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}
DTEND;TZID=Europe/Berlin:{end:%Y%m%dT%H%M%S}
SUMMARY:Meeting {number} in revision {revision}
LOCATION:Room {room}
DESCRIPTION:What was said last time\\, what is to be done\\, and who does it.
CATEGORIES:WORK
{rule}BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Meeting {number}
END:VALARM
END:VEVENT
END:VCALENDAR
"""

_CARD = """BEGIN:VCARD
VERSION:3.0
PRODID:-//Folkmoot//Benchmark//EN
UID:{uid}
FN:{first} {last} {number}
N:{last};{first};;;
EMAIL;TYPE=INTERNET,WORK:{first}.{last}{number}@example.test
EMAIL;TYPE=INTERNET,HOME:home{number}@example.test
TEL;TYPE=CELL:+49 170 {number:07d}
ADR;TYPE=HOME:;;Long Street {number};Town;;12345;Germany
ORG:Company {company};Department
NOTE:Met at the fair.
REV:20260101T080000Z
END:VCARD
"""
_FIRST_NAMES = ("Anna", "Bela", "Cora", "Dirk", "Edda", "Falk", "Gesa", "Hugo", "Ines", "Jens")
_LAST_NAMES = ("Ahrens", "Brandt", "Clasen", "Dreyer", "Ehlers", "Franke", "Grote", "Harms")
#: A part of a first name, and how many of ten contacts have it (none has it elsewhere).
PART, PART_OF_TEN = "edd", 1


def _start(number: int, days: int) -> datetime:
    day = MIDDLE + timedelta(days=number * 37 % days - days // 2)
    return day.replace(hour=8 + number % 9, minute=15 * (number % 4))


def _times(number: int, days: int) -> list[Span]:
    """When an event takes place. Local times: of a series all begin at the same hour."""
    start = _start(number, days)
    count = SERIES if number % 20 == 0 else 1
    starts = [start + timedelta(weeks=week) for week in range(count)]
    return [(one, one + timedelta(minutes=45)) for one in starts]


def event(number: int, series: str = "", revision: int = 0, days: int = DAYS) -> bytes:
    """An event of about 1 KiB; events of another series have other UIDs."""
    rule = f"RRULE:FREQ=WEEKLY;COUNT={SERIES}\n" if number % 20 == 0 else ""
    start = _start(number, days)
    text = _EVENT.format(
        uid=f"event-{series}-{number}@example.test",
        start=start,
        end=start + timedelta(minutes=45),
        number=number,
        revision=revision,
        room=number % 17,
        rule=rule,
    )
    return text.replace("\n", "\r\n").encode()


def contact(number: int) -> bytes:
    """A contact of about 400 octets."""
    text = _CARD.format(
        uid=f"contact-{number}@example.test",
        number=number,
        first=_FIRST_NAMES[number % 10],
        last=_LAST_NAMES[number // 10 % 8],
        company=number % 50,
    )
    return text.replace("\n", "\r\n").encode()


def contacts_with_part(count: int) -> int:
    """How many of so many contacts have ``PART`` in their name."""
    return sum(PART in _FIRST_NAMES[number % 10].lower() for number in range(count))


def events_in(count: int, span: Span, days: int = DAYS) -> int:
    """How many of so many events have a time within a span."""
    return sum(
        any(start < span[1] and end > span[0] for start, end in _times(number, days))
        for number in range(count)
    )


def busy_in(count: int, span: Span) -> list[Span]:
    """When somebody with so many events is busy: spans that do not touch, in order, in UTC."""
    return joined(
        (start.astimezone(UTC), end.astimezone(UTC))
        for number in range(count)
        for start, end in _times(number, DAYS)
        if start < span[1] and end > span[0]
    )


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans with those put together that touch."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def busy_told(answer: bytes) -> list[Span]:
    """The busy times of an answer to free-busy-query (RFC 5545 section 3.8.2.6)."""
    text = answer.decode().replace("\r\n", "\n").replace("\n ", "")
    found = []
    for value in re.findall(r"^FREEBUSY(?:;[^:\n]*)?:(.*)$", text, re.MULTILINE):
        for period in value.split(","):
            start, end = period.strip().split("/")
            begin = _utc(start)
            found.append((begin, begin + _duration(end) if end[0] == "P" else _utc(end)))
    return joined(found)


def _utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    if match is None:
        raise ValueError(text)
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def file(number: int, size: int = 1024) -> bytes:
    """A file that nothing would take for text."""
    return (number.to_bytes(4, "big") + bytes(range(252))) * (size // 256)
