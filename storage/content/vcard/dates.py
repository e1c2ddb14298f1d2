"""Dates and times as vCard 3.0 writes them (1985-04-12) and as 4.0 does (19850412)."""

from __future__ import annotations

import re

_FULL = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:T(\d\d):?(\d\d)(?::?(\d\d))?(?:[.,]\d{1,9})?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?)?",
    re.IGNORECASE | re.ASCII,
)
_NO_YEAR = re.compile(r"--(\d\d)-?(\d\d)", re.ASCII)
# What 4.0 has and 3.0 has not: a year, a month, a day or a time alone.
_PARTIAL = re.compile(
    r"(?=.)(?:\d{4}(?:-\d\d)?|--\d\d(?:\d\d)?|---\d\d)?(?:T[-0-9:]{1,12}(?:Z|[+-]\d{2,4})?)?",
    re.ASCII,
)
_ZONE = re.compile(r"([+-]\d\d):?(\d\d)", re.ASCII)


def basic(text: str) -> str | None:
    """Return a date or time as 4.0 writes it, or None if it is none. # rfc6350#4.3"""
    if full := _FULL.fullmatch(text):
        return _joined(full, "", "")
    if short := _NO_YEAR.fullmatch(text):
        return f"--{short[1]}{short[2]}"
    return text if _PARTIAL.fullmatch(text) else None


def extended(text: str) -> str | None:
    """Return a date or time as 3.0 writes it, or None if it cannot. # rfc2426#4"""
    full = _FULL.fullmatch(text)
    return _joined(full, "-", ":") if full else None


def without_year(text: str) -> tuple[str, str] | None:
    """Return month and day of a date without a year (`--0412`), or None. # rfc6350#4.3.1"""
    short = _NO_YEAR.fullmatch(text)
    return (short[1], short[2]) if short else None


def timestamp(text: str) -> str | None:
    """Return a REV as 4.0 has it, always with a time, or None. # rfc6350#4.3.5"""
    found = basic(text)
    if found is None or not _FULL.fullmatch(found):
        return None
    return found if "T" in found else found + "T000000Z"


def basic_zone(text: str) -> str | None:
    """Return an offset as 4.0 writes it (-0500), or None if it is none."""
    zone = _ZONE.fullmatch(text)
    return zone[1] + zone[2] if zone else None


def extended_zone(text: str) -> str | None:
    """Return an offset as 3.0 writes it (-05:00), or None if it is none."""
    zone = _ZONE.fullmatch(text)
    return f"{zone[1]}:{zone[2]}" if zone else None


def _joined(full: re.Match[str], dash: str, colon: str) -> str:
    date = dash.join(full.group(1, 2, 3))
    if full[4] is None:
        return date
    time = colon.join([each for each in full.group(4, 5, 6) if each])
    if full[7]:
        return f"{date}T{time}Z"
    zone = colon.join([each for each in full.group(8, 9) if each])
    return f"{date}T{time}{zone}"
