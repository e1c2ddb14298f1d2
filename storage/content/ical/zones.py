"""Time zones: by IANA name wherever one can be made out, else by the rules of a VTIMEZONE.

Clients send names with prefixes of their own, names of Windows, and VTIMEZONEs that were right in
the year when they were made; the IANA database is right for all years (features: Windows names,
trailing spaces, TZID without VTIMEZONE).
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC as UTC_ZONE
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from folkmoot.storage.content.ical.errors import CalendarError, invalid
from folkmoot.storage.content.ical.recur import occurrences
from folkmoot.storage.content.ical.rules import Budget, Rule, parse_rule
from folkmoot.storage.content.ical.tree import Component, Limits, parse
from folkmoot.storage.content.ical.values import (
    DAY,
    FIRST_DAY,
    LAST_DAY,
    Form,
    Period,
    Zone,
    moment,
    property_moments,
    utc_offset,
)
from folkmoot.storage.content.ical.windows_zones import WINDOWS_ZONES

_EPOCH = datetime(1970, 1, 1)
_KNOWN_DAYS = 20_000
"""Days whose offset is remembered, of each zone and direction."""

_MANY = 1 << 20
"""An offset that means that it changes on the day."""

ONSETS = 3_000
"""Changes of the clock that are computed of a VTIMEZONE, up to the year 2200."""

_RULES_END = 7_258_118_400
_NAME_LIMIT = 200


class FixedZone:
    """A clock that never changes. ``offset`` is seconds east of UTC."""

    __slots__ = ("name", "offset")

    def __init__(self, name: str, offset: int) -> None:
        self.name: Final = name
        self.offset: Final = offset

    def to_utc(self, local: int) -> int:
        """See `Zone`."""
        return local - self.offset

    def from_utc(self, utc: int) -> int:
        """See `Zone`."""
        return utc + self.offset


UTC: Final[Zone] = FixedZone("UTC", 0)


class IanaZone:
    """A zone of the IANA database. Offsets of days without a change are remembered."""

    __slots__ = ("_info", "_local", "_utc", "name")

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self._info = ZoneInfo(name)
        self._local: dict[int, int] = {}
        self._utc: dict[int, int] = {}

    def to_utc(self, local: int) -> int:
        """See `Zone`."""
        day = local // DAY
        offset = self._local.get(day)
        if offset is None:
            offset = _remember(self._local, day, self._local_offset)
        return local - (self._local_offset(local) if offset == _MANY else offset)

    def from_utc(self, utc: int) -> int:
        """See `Zone`."""
        day = utc // DAY
        offset = self._utc.get(day)
        if offset is None:
            offset = _remember(self._utc, day, self._utc_offset)
        return utc + (self._utc_offset(utc) if offset == _MANY else offset)

    def _local_offset(self, local: int) -> int:
        at = _EPOCH + timedelta(seconds=_inside(local))
        return _seconds(at.replace(tzinfo=self._info).utcoffset())

    def _utc_offset(self, utc: int) -> int:
        at = (_EPOCH + timedelta(seconds=_inside(utc))).replace(tzinfo=UTC_ZONE)
        return _seconds(at.astimezone(self._info).utcoffset())


def _inside(seconds: int) -> int:
    """Return the time, or one nearby that datetime can do."""
    return min(max(seconds, (FIRST_DAY + 400) * DAY), (LAST_DAY - 400) * DAY)


def _seconds(offset: timedelta | None) -> int:
    return offset.days * DAY + offset.seconds if offset is not None else 0


def _remember(known: dict[int, int], day: int, offset_at: Callable[[int], int]) -> int:
    first, after = offset_at(day * DAY), offset_at(day * DAY + DAY)
    if len(known) >= _KNOWN_DAYS:
        known.clear()
    offset = first if first == after else _MANY
    known[day] = offset
    return offset


class RuleZone:
    """A zone by the rules of a VTIMEZONE (RFC 5545 section 3.6.5)."""

    __slots__ = ("_before", "_local", "_offsets", "_utc", "name")

    def __init__(self, name: str, before: int, onsets: Iterable[tuple[int, int]]) -> None:
        """``before`` is the offset before all onsets, which are (seconds UTC, offset from then)."""
        self.name: Final = name
        self._before = before
        self._utc = array("q")
        self._local = array("q")
        self._offsets = array("i")
        last = before
        for utc, offset in sorted(onsets):
            self._utc.append(utc)
            # rfc5545#3.3.5: what is skipped or comes twice goes by the offset before.
            self._local.append(utc + max(last, offset))
            self._offsets.append(offset)
            last = offset

    def to_utc(self, local: int) -> int:
        """See `Zone`."""
        at = bisect_right(self._local, local)
        return local - (self._offsets[at - 1] if at else self._before)

    def from_utc(self, utc: int) -> int:
        """See `Zone`."""
        at = bisect_right(self._utc, utc)
        return utc + (self._offsets[at - 1] if at else self._before)


class ZoneTable:
    """The zones of one calendar object, found when they are asked for."""

    __slots__ = ("_known", "_stated")

    def __init__(self, calendar: Component) -> None:
        self._stated = {
            each.value("TZID"): each for each in calendar.components if each.name == "VTIMEZONE"
        }
        self._known: dict[str, Zone | None] = {}

    def __call__(self, tzid: str) -> Zone | None:
        """Return the zone that a TZID parameter means. Raises `CalendarError` for bad rules."""
        tzid = tzid.strip()
        if tzid not in self._known:
            zone = zone_named(tzid)
            if zone is None and (stated := self._stated.get(tzid)) is not None:
                zone = zone_of(stated)
            self._known[tzid] = zone
        return self._known[tzid]


# --- by name ---------------------------------------------------------------------------------

_OFFSET_NAME = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)


def zone_named(tzid: str) -> Zone | None:
    """Return the zone that a name means; None where nobody knows it.

    Names are IANA's (in any case, behind any prefix), those of Windows, and offsets ("UTC+2").
    """
    return _by_name(tzid) if len(tzid) <= _NAME_LIMIT else None


@lru_cache(maxsize=2048)
def _by_name(tzid: str) -> Zone | None:
    name = tzid.strip().strip('"').strip()
    if not name:
        return None
    parts = name.split("/")
    for at in range(max(len(parts) - 3, 0), len(parts)):
        # "/mozilla.org/20050126_1/Europe/Berlin", "tzone://Microsoft/Utc"
        if at == 0 or name[0] == "/" or "://" in name:
            known = _names().get("/".join(parts[at:]).casefold())
            if known is not None:
                return _iana(known)
    if len(parts) > 3 and (known := _names().get("/".join(parts[-3:]).casefold())):
        return _iana(known)
    if found := _OFFSET_NAME.fullmatch(name):
        seconds = int(found[2]) * 3600 + int(found[3] or 0) * 60
        if seconds >= DAY:
            return None
        return FixedZone(name, -seconds if found[1] == "-" else seconds)
    if name[0] == "(":
        return _city(name)
    return None


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    listed = files("tzdata").joinpath("zones").read_text("utf-8").split()
    names = {name.casefold(): name for name in listed}
    windows = {name.casefold(): zone for name, zone in WINDOWS_ZONES.items()}
    return windows | names


@lru_cache(maxsize=1024)
def _iana(name: str) -> Zone:
    return UTC if name in ("UTC", "Etc/UTC", "Zulu", "Etc/Zulu") else IanaZone(name)


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    return {known.rpartition("/")[2]: zone for known, zone in _names().items()}


def _city(name: str) -> Zone | None:
    """Return the zone of "(UTC+01:00) Amsterdam, Berlin, Bern", as Outlook shows them."""
    cities = _cities()
    for city in name.partition(")")[2].split(",")[:20]:
        found = cities.get(city.strip().casefold().replace(" ", "_"))
        if found is not None:
            return _iana(found)
    return None


# --- by rules --------------------------------------------------------------------------------


# Characters of a VTIMEZONE above which it is read anew each time: it would fill the memory.
_REMEMBERED = 8_000


def zone_of(vtimezone: Component) -> Zone:
    """Return the zone of a VTIMEZONE. Raises `CalendarError` "valid-calendar-data"."""
    small = _characters(vtimezone) <= _REMEMBERED
    return _known_rules(vtimezone) if small else _read_rules(vtimezone)


def _characters(component: Component) -> int:
    own = sum(
        len(prop.name)
        + len(prop.value)
        + sum(len(name) + sum(map(len, values)) for name, values in prop.params)
        for prop in component.properties
    )
    return own + sum(map(_characters, component.components))


@lru_cache(maxsize=256)
def _known_rules(vtimezone: Component) -> Zone:
    return _read_rules(vtimezone)


def _read_rules(vtimezone: Component) -> Zone:
    # rfc5545#3.6.5
    for name in (vtimezone.value("TZID"), vtimezone.value("X-LIC-LOCATION")):
        known = zone_named(name)
        if known is not None:
            return known
    observances = [each for each in vtimezone.components if each.name in ("STANDARD", "DAYLIGHT")]
    if not observances or len(observances) > 200:
        raise invalid("A VTIMEZONE has no observances, or too many.")
    onsets: list[tuple[int, int]] = []
    starts: list[tuple[int, int]] = []
    budget = Budget(4 * ONSETS)
    for each in observances:
        offset, found = _onsets(each, budget)
        onsets += [(utc, offset) for utc in found]
        starts += [(min(found), utc_offset(each.value("TZOFFSETFROM")))] if found else []
        if len(onsets) > ONSETS:
            raise invalid("A VTIMEZONE has too many changes.")
    before = min(starts)[1] if starts else 0
    return RuleZone(vtimezone.value("TZID"), before, onsets)


def _onsets(observance: Component, budget: Budget) -> tuple[int, list[int]]:
    """Return the offset of an observance and the times UTC at which it sets in."""
    before = utc_offset(observance.value("TZOFFSETFROM"))
    after = utc_offset(observance.value("TZOFFSETTO"))
    start = moment(observance.value("DTSTART"), "", lambda _: None)
    # rfc5545#3.6.5: DTSTART is local, by the offset before.
    found = {start.local - before}
    for prop in observance.properties:
        if prop.name == "RRULE":
            rule = parse_rule(prop.value)
            end = _rule_end(rule, before)
            found.update(
                at - before
                for at in occurrences(
                    rule, start.local, dates=False, since=start.local, before=end, budget=budget
                )
            )
        elif prop.name == "RDATE":
            for each in property_moments(prop, lambda _: None):
                at = each.start if isinstance(each, Period) else each
                found.add(at.local - (0 if at.form is Form.UTC else before))
    return after, sorted(found)


def _rule_end(rule: Rule, before: int) -> int:
    if rule.until is None:
        return _RULES_END
    shift = before if rule.until.form is Form.UTC else 0
    return min(rule.until.local + shift + 1, _RULES_END)


def zone_of_vtimezone(octets: bytes) -> Zone:
    """Return the zone of CALDAV:calendar-timezone: an iCalendar object with one VTIMEZONE.

    Raises `CalendarError` "valid-calendar-data" (RFC 4791 section 5.2.2).
    """
    calendar = parse(octets, Limits(octets=1 << 17))
    zones = [each for each in calendar.components if each.name == "VTIMEZONE"]
    if calendar.name != "VCALENDAR" or len(zones) != 1 or len(calendar.components) != 1:
        raise CalendarError("valid-calendar-data", "This is not one VTIMEZONE.")
    if not zones[0].value("TZID"):
        raise invalid("The VTIMEZONE has no TZID.")
    return zone_of(zones[0])
