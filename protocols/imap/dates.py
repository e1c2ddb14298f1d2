"""Dates of IMAP: ``17-Jul-1996`` and ``"17-Jul-1996 02:44:25 -0700"`` (RFC 9051 section 9).

Month names are English whatever the locale, so neither strftime nor strptime is used.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

_MONTHS: Final = (
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun",
    b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
)  # fmt: skip
_NUMBER: Final = {name.upper(): number for number, name in enumerate(_MONTHS, 1)}

_DATE: Final = re.compile(rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")
_DATE_TIME: Final = re.compile(
    rb" ?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})"
    rb" ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"
)


def parse_date(data: bytes) -> date:
    """Read ``1-Feb-1994``, without quotes. Raises ValueError."""
    match = _DATE.fullmatch(data)
    if match is None:
        raise ValueError("malformed date")
    return date(int(match[3]), _month(match[2]), int(match[1]))


def parse_date_time(data: bytes) -> datetime:
    """Read ``17-Jul-1996 02:44:25 -0700``, without quotes, as an aware datetime.

    Raises ValueError, also when the moment cannot be expressed in UTC.
    """
    match = _DATE_TIME.fullmatch(data)
    if match is None:
        raise ValueError("malformed date and time")
    offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
    if int(match[9]) > 59:
        raise ValueError("malformed zone")
    second = 59 if match[6] == b"60" else int(match[6])  # a leap second
    moment = datetime(
        int(match[3]), _month(match[2]), int(match[1]),
        int(match[4]), int(match[5]), second,
        tzinfo=timezone(-offset if match[7] == b"-" else offset),
    )  # fmt: skip
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("date out of range") from None
    return moment


def format_date(value: date) -> bytes:
    """Print ``1-Feb-1994``."""
    return b"%d-%b-%04d" % (value.day, _MONTHS[value.month - 1], value.year)


def format_date_time(moment: datetime) -> bytes:
    """Print an aware datetime as ``"17-Jul-1996 02:44:25 -0700"``, with quotes.

    The day is padded with a space to two columns (RFC 9051 section 9, ``date-day-fixed``).
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("naive datetime")
    minutes = int(offset.total_seconds()) // 60
    zone_hours, zone_minutes = divmod(abs(minutes), 60)
    return b'"%2d-%b-%04d %02d:%02d:%02d %b%02d%02d"' % (
        moment.day, _MONTHS[moment.month - 1], moment.year,
        moment.hour, moment.minute, moment.second,
        b"-" if minutes < 0 else b"+", zone_hours, zone_minutes,
    )  # fmt: skip


def _month(name: bytes) -> int:
    number = _NUMBER.get(name.upper())
    if number is None:
        raise ValueError("unknown month")
    return number
