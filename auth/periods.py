"""How long a grant to support lasts. # M7.4"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from folkmoot.storage.errors import InvalidContent

HOUR, DAY = 3600, 86_400
_SECONDS: Final = {"1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR, "1w": 7 * DAY, "2w": 14 * DAY}
TODAY, MONTH, PERMANENT = "today", "1m", "permanent"
DEFAULT: Final = "1h"
PERIODS: Final = ("1h", "2h", "4h", TODAY, "1w", "2w", MONTH, PERMANENT)
NAMES: Final = {
    "1h": "one hour",
    "2h": "two hours",
    "4h": "four hours",
    TODAY: "until midnight",
    "1w": "one week",
    "2w": "two weeks",
    MONTH: "one month",
    PERMANENT: "without end, until you withdraw it",
}


def zone_named(name: str) -> ZoneInfo:
    """A time zone of the IANA database. Raises ``InvalidContent``."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidContent(f"There is no time zone {name[:60]!r}.") from None


def end_of(period: str, now: int, zone: ZoneInfo) -> int | None:
    """When a period that begins now ends (seconds since 1970), None for never.

    ``today`` ends at the next midnight of the zone, a month at the same time of the day a month
    later, or on the last day of a shorter one. Raises ``InvalidContent``.
    """
    if period in _SECONDS:
        return now + _SECONDS[period]
    local = datetime.fromtimestamp(now, zone)
    if period == TODAY:
        return _seconds(
            datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone)
        )
    if period == MONTH:
        year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
        day = min(local.day, calendar.monthrange(year, month)[1])
        return _seconds(local.replace(year=year, month=month, day=day))
    if period == PERMANENT:
        return None
    raise InvalidContent(f"The period is one of {', '.join(PERIODS)}.")


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
