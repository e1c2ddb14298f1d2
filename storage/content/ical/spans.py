"""Whether stored spans answer a time range."""

from __future__ import annotations

from typing import NamedTuple

from folkmoot.storage.content.ical.facts import SPAN
from folkmoot.storage.content.ical.values import FUTURE, PAST, Zone


class TimeRange(NamedTuple):
    """CALDAV:time-range: seconds UTC, None where it is open (RFC 4791 section 9.9)."""

    start: int | None
    end: int | None


class Window(NamedTuple):
    """A time range in seconds UTC, and as the clock of whoever asks shows it (for floating)."""

    start: int
    end: int
    local_start: int
    local_end: int


def window(asked: TimeRange, zone: Zone) -> Window:
    """Return the window of a time range for somebody in a zone."""
    start = PAST if asked.start is None else asked.start
    end = FUTURE if asked.end is None else asked.end
    return Window(
        start,
        end,
        PAST if asked.start is None else zone.from_utc(start),
        FUTURE if asked.end is None else zone.from_utc(end),
    )


def span_hits(
    spans: bytes, covered_from: int, covered_until: int, floating: bool, asked: Window
) -> bool | None:
    """Whether an instance lies in a window; None if the object must be expanded to tell."""
    start, end = (asked.local_start, asked.local_end) if floating else asked[:2]
    rows = len(spans) // SPAN.size
    # Rows are by start: find the first that starts with the window or later.
    low, high = 0, rows
    while low < high:
        middle = (low + high) // 2
        if SPAN.unpack_from(spans, middle * SPAN.size)[0] < start:
            low = middle + 1
        else:
            high = middle
    if low < rows:
        first, last, _ = SPAN.unpack_from(spans, low * SPAN.size)
        if first < end and last > start:
            return True
    for at in range(low - 1, -1, -1):
        if SPAN.unpack_from(spans, at * SPAN.size)[1] > start and _begins(spans, at) < end:
            return True
    return False if covered_from <= start and end <= covered_until else None


def _begins(spans: bytes, at: int) -> int:
    return int(SPAN.unpack_from(spans, at * SPAN.size)[0])


def spans_within(
    spans: bytes, floating: bool, asked: Window, zone: Zone
) -> list[tuple[int, int, int]]:
    """Return the rows that lie in a window: start, end (seconds UTC), kind."""
    start, end = (asked.local_start, asked.local_end) if floating else asked[:2]
    rows = [row for row in SPAN.iter_unpack(spans) if row[0] < end and row[1] > start]
    if floating:
        return [(zone.to_utc(low), zone.to_utc(high), kind) for low, high, kind in rows]
    return rows
