"""Opening hours, as people write them: ``Mon-Fri 09:00-17:00``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from folkmoot.storage.errors import InvalidContent

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FORM = re.compile(
    r"([A-Za-z]{3})(?:-([A-Za-z]{3}))? ([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])"
)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Days of the week (0 is Monday), and minutes of the day."""

    days: frozenset[int]
    opens: int
    closes: int


def parse_hours(text: str) -> OpeningHours:
    """One line of opening hours. Raises ``InvalidContent``."""
    match = _FORM.fullmatch(text.strip())
    problem = InvalidContent('Opening hours look like "Mon-Fri 09:00-17:00".')
    if match is None:
        raise problem
    first, last = match[1].title(), (match[2] or match[1]).title()
    if first not in DAYS or last not in DAYS:
        raise problem
    begin, end = DAYS.index(first), DAYS.index(last)
    days = frozenset((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    opens, closes = int(match[3]) * 60 + int(match[4]), int(match[5]) * 60 + int(match[6])
    if not opens < closes <= 24 * 60:
        raise problem
    return OpeningHours(days, opens, closes)


def is_open(hours: Iterable[OpeningHours], start: int, end: int, zone: ZoneInfo) -> bool:
    """Whether a time window (seconds since 1970) lies in the hours of one day."""
    since, until = datetime.fromtimestamp(start, zone), datetime.fromtimestamp(end, zone)
    midnight = datetime.combine(since.date(), datetime.min.time(), zone)
    if until > midnight + timedelta(days=1):
        return False
    opens = since.hour * 60 + since.minute
    closes = until.hour * 60 + until.minute + (24 * 60 if until.date() > since.date() else 0)
    return any(
        since.weekday() in each.days and each.opens <= opens and closes <= each.closes
        for each in hours
    )
