"""VTIMEZONEs of zones that are known by name, for clients that want them in full (RFC 7809)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from folkmoot.storage.content.ical.rules import WEEKDAYS
from folkmoot.storage.content.ical.tree import Component, Property
from folkmoot.storage.content.ical.values import DAY, EPOCH, Zone, time_text, utc_text
from folkmoot.storage.content.ical.zones import FixedZone, zone_named

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2037
"""The rules of this year are taken to hold for ever."""

MOST: Final = 50
"""Zones whose rules are added to one object; more than a few are nobody's calendar."""

_STEP: Final = 7 * DAY
"""No zone has changed its offset and back within a week."""


class _Change(NamedTuple):
    """The clock changes: at a time UTC, from one offset to another."""

    utc: int
    before: int
    after: int

    @property
    def local(self) -> int:
        """What the clock shows in that moment, by the offset before."""
        return self.utc + self.before

    @property
    def day(self) -> date:
        return date.fromordinal(self.local // DAY + EPOCH)


@dataclass
class _Rule:
    """Changes of successive years on, say, the last Sunday of March at the same time of day."""

    changes: list[_Change]
    ordinals: set[int] = field(default_factory=set)

    def takes(self, change: _Change) -> bool:
        """Whether a change follows the rule; then it becomes part of it."""
        last = self.changes[-1]
        here, there = change.day, last.day
        ordinals = self.ordinals & _ordinals(here)
        if (
            (change.before, change.after, change.local % DAY)
            != (last.before, last.after, last.local % DAY)
            or here.year != there.year + 1
            or (here.month, here.weekday()) != (there.month, there.weekday())
            or not ordinals
        ):
            return False
        self.changes.append(change)
        self.ordinals = ordinals
        return True

    def component(self) -> Component:
        """STANDARD or DAYLIGHT, with a RRULE where there is more than one change."""
        first, last = self.changes[0], self.changes[-1]
        rules: tuple[Property, ...] = ()
        if len(self.changes) > 1:
            day = first.day
            until = "" if last.day.year == LAST_YEAR else f";UNTIL={utc_text(last.utc)}"
            place = f"{min(self.ordinals)}{WEEKDAYS[day.weekday()]}"
            value = f"FREQ=YEARLY;BYMONTH={day.month};BYDAY={place}{until}"
            rules = (Property("RRULE", (), value),)
        return _observance(first.local, first.before, first.after, rules)


def _ordinals(day: date) -> set[int]:
    """Which of its weekday a day is in its month, from the start and from the end."""
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    length = (following - day.replace(day=1)).days
    return {(day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)}


def _observance(local: int, before: int, after: int, rules: tuple[Property, ...]) -> Component:
    stated = (
        Property("DTSTART", (), time_text(local)),
        Property("TZOFFSETFROM", (), _offset_text(before)),
        Property("TZOFFSETTO", (), _offset_text(after)),
    )
    return Component("DAYLIGHT" if after > before else "STANDARD", stated + rules, ())


def _offset_text(seconds: int) -> str:
    sign, rest = ("-", -seconds) if seconds < 0 else ("+", seconds)
    text = f"{sign}{rest // 3600:02}{rest // 60 % 60:02}"
    return f"{text}{rest % 60:02}" if rest % 60 else text


def _changes(zone: Zone) -> Iterator[_Change]:
    at = (date(FIRST_YEAR, 1, 1).toordinal() - EPOCH) * DAY
    end = (date(LAST_YEAR + 1, 1, 1).toordinal() - EPOCH) * DAY
    offset = zone.from_utc(at) - at
    while at < end:
        then = min(at + _STEP, end)
        later = zone.from_utc(then) - then
        if later != offset:
            low, high = at, then
            while high - low > 1:
                middle = (low + high) // 2
                if zone.from_utc(middle) - middle == offset:
                    low = middle
                else:
                    high = middle
            yield _Change(high, offset, later)
            offset = later
        at = then


def vtimezone(tzid: str) -> Component | None:
    """Return the VTIMEZONE of a zone under the name that it is asked for; None for unknown ones.

    It is right from `FIRST_YEAR` on, and after `LAST_YEAR` as far as rules stay.
    """
    # rfc5545#3.6.5
    zone = zone_named(tzid)
    if zone is None:
        return None
    named = [Property("TZID", (), tzid)]
    if zone.name != tzid:
        named.append(Property("X-LIC-LOCATION", (), zone.name))
    return Component("VTIMEZONE", tuple(named), _observances(zone.name))


# By the zone's own name, not by what it is called: clients may invent any number of those.
@lru_cache(maxsize=1024)
def _observances(name: str) -> tuple[Component, ...]:
    zone = zone_named(name)
    assert zone is not None
    rules: list[_Rule] = []
    for change in () if isinstance(zone, FixedZone) else _changes(zone):
        if not any(rule.takes(change) for rule in rules[-4:]):
            rules.append(_Rule([change], _ordinals(change.day)))
    start = (date(FIRST_YEAR, 1, 1).toordinal() - EPOCH) * DAY
    first = zone.from_utc(start) - start
    return (_observance(start, first, first, ()), *(rule.component() for rule in rules))


def with_timezones(calendar: Component) -> Component:
    """Return a calendar with the VTIMEZONEs that its TZIDs lack, where they are known: of the
    first `MOST` of them."""
    stated = {each.value("TZID") for each in calendar.components if each.name == "VTIMEZONE"}
    lacking = (tzid for tzid in dict.fromkeys(_tzids(calendar)) if tzid.strip() not in stated)
    known = (found for tzid in lacking if (found := vtimezone(tzid)) is not None)
    added = list(islice(known, MOST))
    return calendar._replace(components=(*added, *calendar.components)) if added else calendar


def _tzids(component: Component) -> Iterator[str]:
    for prop in component.properties:
        if prop.params and (tzid := prop.param("TZID")):
            yield tzid
    for child in component.components:
        if child.name != "VTIMEZONE":
            yield from _tzids(child)
