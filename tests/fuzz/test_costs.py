"""Shapes that once cost far more than their octets: twice as much of them costs twice as much."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from folkmoot.protocols.carddav.accept import version_wanted
from folkmoot.sharing.intake import calendar_content
from folkmoot.storage.content.ical.intake import load_calendar
from folkmoot.storage.content.ical.tree import HARD_LIMITS, _head, parse
from folkmoot.storage.content.ical.vtimezone import MOST, with_timezones
from folkmoot.storage.content.vcard.reading import properties_of
from tests.kit.pace import within

TIMES = 8  # how much longer the longer input is
FACTOR = 3.0  # over the proportion; growth by the square is TIMES over it


def calendar(*components: str) -> bytes:
    """A calendar of finished components."""
    inside = "".join(components)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{inside}END:VCALENDAR\r\n".encode()


def event(*lines: str) -> str:
    """An event with more lines."""
    start = ("BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z", "DTSTART:20260101T000000Z")
    return "\r\n".join((*start, *lines, "END:VEVENT", ""))


def changes_to_come(count: int) -> bytes:
    """A long series, and many changes of all instances from days on that are behind its end."""
    days = [f"{2030 + n // 336}{n % 336 // 28 + 1:02}{n % 28 + 1:02}T000000Z" for n in range(count)]
    later = [event(f"RECURRENCE-ID;RANGE=THISANDFUTURE:{day}") for day in days]
    return calendar(event(f"RRULE:FREQ=MINUTELY;COUNT={2 * count}"), *later)


def cities(count: int) -> bytes:
    """Many zones as Outlook calls them."""
    lines = [f"RDATE;TZID=(UTC) Nowhere{n}:20260101T000000" for n in range(count)]
    return calendar(event(*lines))


def soft_breaks(count: int) -> bytes:
    """A card from the times of vCard 2.1, one value over many lines."""
    value = "=\r\n" * count
    return f"BEGIN:VCARD\r\nNOTE;ENCODING=QUOTED-PRINTABLE:{value}\r\nEND:VCARD".encode()


def open_quotes(count: int) -> bytes:
    """An Accept field with a quote that does not end."""
    return b"a" * count + b'"' + b"b" * count


def escaped_quotes(count: int) -> bytes:
    """An Accept field of quotes that are escaped, outside of any."""
    return b"t" + b'\\"' * count


SHAPES: dict[str, tuple[Callable[[int], bytes], Callable[[bytes], object], int]] = {
    "changes to come": (changes_to_come, lambda data: calendar_content(data, ""), 250),
    "cities": (cities, lambda data: calendar_content(data, ""), 300),
    "soft breaks": (soft_breaks, lambda data: list(properties_of(data)), 4000),
    "open quotes": (open_quotes, lambda data: version_wanted(data.decode()), 1500),
    "escaped quotes": (escaped_quotes, lambda data: version_wanted(data.decode()), 1500),
}


def cost(work: Callable[[bytes], object], data: bytes) -> float:
    """Seconds of this thread, the best of three."""
    best = 1e9
    for _ in range(3):
        begun = time.thread_time()
        work(data)
        best = min(best, time.thread_time() - begun)
    return best


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_costs_more_than_its_length(name: str) -> None:
    """Each was quadratic: a megabyte of it held a thread, and all others, for many seconds."""
    make, work, count = SHAPES[name]
    small, large = make(count), make(count * TIMES)
    work(small)
    proportion = len(large) / len(small)
    assert cost(work, large) < FACTOR * proportion * cost(work, small) + 0.02


def test_rules_of_zones_have_an_end() -> None:
    """One zone under ever new names is computed once, and written a limited number of times."""
    lines = [f"X-A;TZID=/{n}/Europe/Berlin:x" for n in range(10 * MOST)]
    found = load_calendar(calendar(event(*lines)))
    with_timezones(found.calendar)
    with within(0.5):
        done = with_timezones(found.calendar)
    assert [each.name for each in done.components].count("VTIMEZONE") == MOST


def test_only_short_heads_are_remembered() -> None:
    """What is kept to read the next calendar faster must not be what somebody fills memory with."""
    _head.cache_clear()
    for n in range(20):
        parse(calendar(event(f"X-A;X-B={'b' * 10_000}{n}:x", f"X-C;D={n}:x")), HARD_LIMITS)
    assert 20 < _head.cache_info().currsize < 40
