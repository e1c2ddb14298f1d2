"""Points in time as HTTP and WebDAV write them, to and from seconds since 1970."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LATEST = 253_402_300_799  # the last second of the year 9999


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> str:
    """``Sun, 06 Nov 1994 08:49:37 GMT`` (RFC 9110 section 5.6.7)."""
    year, month, day, hour, minute, second, weekday = time.gmtime(_sane(seconds))[:7]
    return (
        f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04}"
        f" {hour:02}:{minute:02}:{second:02} GMT"
    )


@lru_cache(maxsize=4096)
def iso_date(seconds: int) -> str:
    """``1997-12-01T17:42:21Z`` (RFC 3339)."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_sane(seconds)))


def parse_http_date(text: str) -> int | None:
    """Seconds of a date in any of HTTP's forms; None for anything else."""
    if len(text) > 100:
        return None
    try:
        found = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return _seconds(found)


def parse_iso_date(text: str) -> int | None:
    """Seconds of a date of RFC 3339; None for anything else."""
    if len(text) > 60:
        return None
    try:
        return _seconds(datetime.fromisoformat(text.strip()))
    except ValueError:
        return None


def parse_date(text: str) -> int | None:
    """Seconds of a date in any form that clients set one in."""
    found = parse_http_date(text)
    return parse_iso_date(text) if found is None else found


def _seconds(when: datetime) -> int | None:
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    try:
        return int(when.timestamp())
    except (OverflowError, ValueError):
        return None


def _sane(seconds: int) -> int:
    return min(max(seconds, -62_135_596_800), LATEST)
