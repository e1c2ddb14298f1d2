"""What others see of a confidential calendar object, or of a calendar of busy times: when it is,
and nothing else.

What is kept is listed; whatever is not on the lists is left out, so that no property, parameter or
component that nobody thought of can tell anything.
"""

from __future__ import annotations

import re
from typing import Final

from folkmoot.storage.content.ical.facts import FREE, busy_kind
from folkmoot.storage.content.ical.freebusy import PRODUCT
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.timing import Timing
from folkmoot.storage.content.ical.tree import Component, Property, serialize
from folkmoot.storage.content.ical.zones import RuleZone, ZoneTable

#: Properties with times and rules; their values hold nothing else.
_TIMES: Final = re.compile(r"[0-9TZPWDHMS,/+-]*")
_TIMED: Final = frozenset(
    {"DTSTART", "DTEND", "DUE", "DURATION", "RDATE", "EXDATE", "RECURRENCE-ID", "DTSTAMP"}
)
_RULES: Final = frozenset({"RRULE", "EXRULE"})
_RULE_PART: Final = re.compile(
    r"(?:FREQ|UNTIL|COUNT|INTERVAL|WKST|RSCALE|SKIP|BY(?:SECOND|MINUTE|HOUR|DAY|MONTHDAY|YEARDAY"
    r"|WEEKNO|MONTH|SETPOS))=[A-Z0-9,+-]{1,400}",
    re.IGNORECASE,
)
_WORDS: Final = {
    "STATUS": frozenset(
        {
            "TENTATIVE",
            "CONFIRMED",
            "CANCELLED",
            "NEEDS-ACTION",
            "COMPLETED",
            "IN-PROCESS",
            "DRAFT",
            "FINAL",
        }
    ),
    "TRANSP": frozenset({"OPAQUE", "TRANSPARENT"}),
    "CLASS": frozenset({"CONFIDENTIAL", "PUBLIC"}),
}
_PARAMS: Final = {
    "TZID": None,  # names a zone that stays, or one that is known
    "VALUE": frozenset({"DATE", "DATE-TIME", "PERIOD", "DURATION"}),
    "RANGE": frozenset({"THISANDFUTURE"}),
}
_OF_ZONE: Final = frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"})
_BUSY: Final = Property("SUMMARY", (), "Busy")
_HEAD: Final = (Property("VERSION", (), "2.0"), Property("PRODID", (), PRODUCT))
#: Stands for the UID until the number of the item is known.
_UNNAMED: Final = "UID:busy\r\n"
#: When it was made is nobody's business, but has to be there. # rfc5545#3.8.7.2
_STAMP: Final = Property("DTSTAMP", (), "19700101T000000Z")


def confidential(found: CalendarObject) -> bytes:
    """The outline of an object: its UID, times, recurrence, state, and that somebody is busy."""
    parts = [_part(each) for each in found.parts]
    named = {prop.param("TZID") for part in parts for prop in part.properties} - {""}
    zones = [
        _zone(each)
        for each in found.calendar.components
        if each.name == "VTIMEZONE" and each.value("TZID") in named
    ]
    return serialize(Component("VCALENDAR", _HEAD, (*zones, *parts)))


def busy(found: CalendarObject) -> bytes | None:
    """What those see who learn busy times only; None for what makes nobody busy.

    ``named_busy`` gives it its UID. Names of zones that nobody else knows are replaced, too: what
    clients write may tell something. Exceptions that make nobody busy are left out of their series
    (RFC 4791 section 7.10 does not count them).
    """
    if found.component != "VEVENT":
        return None
    taken, left_out = found.timings, []
    free = [busy_kind("VEVENT", each) == FREE for each in taken]
    if all(free):
        return None
    if not any(each.future for each in taken):  # which say something of others than themselves
        left_out = [each for each, is_free in zip(taken, free, strict=True) if is_free]
        taken = [each for each, is_free in zip(taken, free, strict=True) if not is_free]
    zones = _Zones(found.zones)
    parts = [_busy_part(each, left_out if each is found.master else [], zones) for each in taken]
    rules = zones.rules(found.calendar)
    return serialize(Component("VCALENDAR", _HEAD, (*rules, *parts)))


def named_busy(outline: bytes, number: int) -> bytes:
    """The outline ``busy`` of the item with a number."""
    return outline.replace(_UNNAMED.encode(), f"UID:busy-{number}\r\n".encode())


def _busy_part(timing: Timing, left_out: list[Timing], zones: _Zones) -> Component:
    named = [Property("UID", (), "busy"), _STAMP]
    listed = timing.component.properties
    kept = [prop for each in listed if (prop := _kept(each)) is not None]
    kept = [zones.named(each) for each in kept if each.name not in _NOT_OF_BUSY]
    for each in left_out:
        without = _kept(each.component.first("RECURRENCE-ID") or _STAMP)
        if without is not None:
            kept.append(zones.named(without)._replace(name="EXDATE"))
    return Component("VEVENT", (*named, *kept, _BUSY), ())


_NOT_OF_BUSY: Final = frozenset({"UID", "DTSTAMP", "CLASS", "DUE"})


class _Zones:
    """What zones are called in an outline: as all the world knows them, or by a number."""

    def __init__(self, zones: ZoneTable) -> None:
        self._zones = zones
        self._numbered: dict[str, str] = {}

    def named(self, prop: Property) -> Property:
        """A property with the name of its zone; a zone that nobody knows is left out."""
        tzid = prop.param("TZID") if prop.params else ""
        if not tzid:
            return prop
        zone = self._zones(tzid)
        if zone is None:
            return prop.with_param("TZID", None)
        if not isinstance(zone, RuleZone):
            return prop.with_param("TZID", zone.name)
        number = self._numbered.setdefault(tzid.strip(), f"Zone-{len(self._numbered) + 1}")
        return prop.with_param("TZID", number)

    def rules(self, calendar: Component) -> list[Component]:
        """The rules of those that have a number."""
        return [
            _zone(each, self._numbered[each.value("TZID")])
            for each in calendar.components
            if each.name == "VTIMEZONE" and each.value("TZID") in self._numbered
        ]


def _part(part: Component) -> Component:
    kept = [prop for each in part.properties if (prop := _kept(each)) is not None]
    return Component(part.name, (*kept, _BUSY), ())


def _kept(prop: Property) -> Property | None:
    """A property as others see it; None where they do not."""
    value = prop.value.strip()
    if prop.name == "UID":
        return Property("UID", (), value)
    if prop.name in _WORDS:
        return (
            Property(prop.name, (), value.upper()) if value.upper() in _WORDS[prop.name] else None
        )
    # As it is read: small letters and spaces do no harm.
    value = "".join(value.split()).upper()
    if prop.name in _RULES:
        rule = ";".join(each for each in value.split(";") if _RULE_PART.fullmatch(each))
        return Property(prop.name, (), rule) if rule else None
    if prop.name in _TIMED and _TIMES.fullmatch(value):
        return Property(prop.name, _params(prop), value)
    return None


def _params(prop: Property) -> tuple[tuple[str, tuple[str, ...]], ...]:
    kept = []
    for name in _PARAMS:
        value = prop.param(name)
        known = _PARAMS[name]
        if value and (known is None or value.upper() in known):
            kept.append((name, (value,)))
    return tuple(kept)


def _zone(zone: Component, name: str = "") -> Component:
    """The rules of a time zone, without its names and comments."""
    inside = [
        Component(each.name, tuple(filter(None, map(_rule_of_zone, each.properties))), ())
        for each in zone.components
        if each.name in ("STANDARD", "DAYLIGHT")
    ]
    return Component(
        "VTIMEZONE", (Property("TZID", (), name or zone.value("TZID")),), tuple(inside)
    )


def _rule_of_zone(prop: Property) -> Property | None:
    if prop.name not in _OF_ZONE:
        return None
    return _kept(prop) if prop.name in _TIMED | _RULES else _offset(prop)


def _offset(prop: Property) -> Property | None:
    value = prop.value.strip().replace(":", "")
    return Property(prop.name, (), value) if _TIMES.fullmatch(value) else None
