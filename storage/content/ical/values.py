"""Values of properties: times, durations, periods, texts (RFC 5545 section 3.3).

Times are integers: seconds on a clock since 1970-01-01T00:00:00 of that clock, so that a day is
86,400 of them and no date is out of range. What is parsed has years 1 to 9999.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple, Protocol

from folkmoot.storage.content.ical.errors import invalid
from folkmoot.storage.content.ical.tree import Property

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()

FIRST_DAY = 1 - EPOCH
LAST_DAY = date(9999, 12, 31).toordinal() - EPOCH

PAST, FUTURE = -(2**62), 2**62
"""Before and after all times."""


class Zone(Protocol):
    """A clock that people go by."""

    @property
    def name(self) -> str:
        """How it is called (an IANA name where there is one)."""

    def to_utc(self, local: int) -> int:
        """Return the seconds UTC at which the clock shows ``local``.

        Of two the first; where the clock leaps over it, by the offset before (RFC 5545 section
        3.3.5).
        """

    def from_utc(self, utc: int) -> int:
        """Return what the clock shows."""


class Form(enum.Enum):
    """How a time is stated."""

    DATE = 0
    FLOATING = 1
    UTC = 2
    ZONED = 3


class Moment(NamedTuple):
    """A DATE or DATE-TIME. ``zone`` is there for ZONED only."""

    local: int
    form: Form
    zone: Zone | None = None

    def utc(self, floating: Zone) -> int:
        """Return seconds UTC; dates and floating times are those of a zone."""
        if self.form is Form.UTC:
            return self.local
        return (self.zone or floating).to_utc(self.local)

    @property
    def is_floating(self) -> bool:
        """Whether the time is another one elsewhere."""
        return self.form is Form.DATE or self.form is Form.FLOATING


class Duration(NamedTuple):
    """A span of time: ``days`` by the calendar, then exact ``seconds``. Both have the sign."""

    days: int
    seconds: int

    @property
    def total(self) -> int:
        """Seconds, if all days have 24 hours."""
        return self.days * DAY + self.seconds


class Period(NamedTuple):
    """A start, and an end or a duration (one of them is None)."""

    start: Moment
    end: Moment | None
    duration: Duration | None


ZoneLookup = Callable[[str], Zone | None]
"""From a TZID to the zone; None where nobody knows it."""

_TIME = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z)?)?", re.IGNORECASE
)
_DURATION = re.compile(
    r"([+-])?P(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LIST_ITEM = re.compile(r"(?:\A|,)((?:[^\\,]++|\\.|\\)*+)", re.DOTALL)


def moment(value: str, tzid: str, lookup: ZoneLookup) -> Moment:
    """Return the time that a value states. Raises `CalendarError` "valid-calendar-data".

    A TZID that nobody knows leaves the time floating.
    """
    found = _TIME.fullmatch(value.strip())
    if found is None:
        raise invalid("A date or time is not of the form YYYYMMDD or YYYYMMDDThhmmss.")
    year, month, day, hour, minute, second, utc = found.groups()
    try:
        local = (date(int(year), int(month), int(day)).toordinal() - EPOCH) * DAY
    except ValueError:
        raise invalid("A date does not exist.") from None
    if hour is None:
        return Moment(local, Form.DATE)
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > 23 or minutes > 59 or seconds > 60:
        raise invalid("A time of day does not exist.")
    # rfc5545#3.3.12: a leap second is the 59th for those who have none.
    local += hours * 3600 + minutes * 60 + min(seconds, 59)
    if utc is not None:
        return Moment(local, Form.UTC)
    zone = lookup(tzid) if tzid else None
    return Moment(local, Form.FLOATING) if zone is None else Moment(local, Form.ZONED, zone)


def property_moment(prop: Property, lookup: ZoneLookup) -> Moment:
    """Return the time of a property with one value."""
    return moment(prop.value, prop.param("TZID") if prop.params else "", lookup)


def property_moments(prop: Property, lookup: ZoneLookup) -> list[Moment | Period]:
    """Return the times or periods of RDATE and EXDATE. Empty items are left out."""
    tzid = prop.param("TZID")
    found: list[Moment | Period] = []
    for item in prop.value.split(","):
        if "/" in item:
            found.append(period(item, tzid, lookup))
        elif item.strip():
            found.append(moment(item, tzid, lookup))
    return found


def period(value: str, tzid: str, lookup: ZoneLookup) -> Period:
    """Return the PERIOD that a value states. Raises `CalendarError`. # rfc5545#3.3.9"""
    start, _, end = value.strip().partition("/")
    first = moment(start, tzid, lookup)
    if end[:1] in ("P", "p", "+", "-"):
        return Period(first, None, duration(end))
    return Period(first, moment(end, tzid, lookup), None)


def duration(value: str) -> Duration:
    """Return the DURATION that a value states. Raises `CalendarError`. # rfc5545#3.3.6"""
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise invalid("A duration is not of the form P1DT2H.")
    sign, weeks, days, hours, minutes, seconds = found.groups(default="0")
    factor = -1 if sign == "-" else 1
    whole = int(weeks) * 7 + int(days)
    return Duration(factor * whole, factor * (int(hours) * 3600 + int(minutes) * 60 + int(seconds)))


def utc_offset(value: str) -> int:
    """Return the seconds east of UTC of a TZOFFSETFROM or TZOFFSETTO. Raises `CalendarError`."""
    # rfc5545#3.3.14
    found = re.fullmatch(r"([+-])([0-9]{2}):?([0-9]{2}):?([0-9]{2})?", value.strip())
    if found is None:
        raise invalid("An offset from UTC is not of the form +hhmm.")
    seconds = int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4] or 0)
    if seconds >= DAY:
        raise invalid("An offset from UTC is longer than a day.")
    return -seconds if found[1] == "-" else seconds


# --- texts -----------------------------------------------------------------------------------


def unescaped(value: str) -> str:
    """Return a TEXT as people see it (RFC 5545 section 3.3.11)."""
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def escaped(text: str) -> str:
    """Return a TEXT as it is on the wire."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\n").replace("\n", "\\n")


def texts(value: str) -> list[str]:
    """Return the items of a list of TEXTs (CATEGORIES, RESOURCES)."""
    return [unescaped(item) for item in _LIST_ITEM.findall(value)] if value else []


# --- times on the wire -----------------------------------------------------------------------


def date_text(local: int) -> str:
    """Return a DATE as it is on the wire. # rfc5545#3.3.4"""
    day = date.fromordinal(min(max(local // DAY, FIRST_DAY), LAST_DAY) + EPOCH)
    return f"{day.year:04}{day.month:02}{day.day:02}"


def time_text(local: int) -> str:
    """Return a DATE-TIME as it is on the wire, without what tells its zone."""
    rest = local % DAY
    return f"{date_text(local)}T{rest // 3600:02}{rest // 60 % 60:02}{rest % 60:02}"


def utc_text(utc: int) -> str:
    """Return a DATE-TIME in UTC as it is on the wire."""
    return time_text(utc) + "Z"


def moment_property(name: str, at: Moment) -> Property:
    """Return the property that states a time."""
    if at.form is Form.DATE:
        return Property(name, (("VALUE", ("DATE",)),), date_text(at.local))
    if at.form is Form.UTC:
        return Property(name, (), utc_text(at.local))
    if at.zone is None:
        return Property(name, (), time_text(at.local))
    return Property(name, (("TZID", (at.zone.name,)),), time_text(at.local))
