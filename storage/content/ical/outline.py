"""What others see of a confidential calendar object: when it is, and nothing else.

What is kept is listed; whatever is not on the lists is left out, so that no property, parameter or
component that nobody thought of can tell anything.
"""

from __future__ import annotations

import re
from typing import Final

from folkmoot.storage.content.ical.freebusy import PRODUCT
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.tree import Component, Property, serialize

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


def confidential(found: CalendarObject) -> bytes:
    """The outline of an object: its UID, times, recurrence, state, and that somebody is busy."""
    parts = [_part(each) for each in found.parts]
    named = {prop.param("TZID") for part in parts for prop in part.properties} - {""}
    zones = [
        _zone(each)
        for each in found.calendar.components
        if each.name == "VTIMEZONE" and each.value("TZID") in named
    ]
    head = (Property("VERSION", (), "2.0"), Property("PRODID", (), PRODUCT))
    return serialize(Component("VCALENDAR", head, (*zones, *parts)))


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


def _zone(zone: Component) -> Component:
    """The rules of a time zone, without its names and comments."""
    inside = [
        Component(each.name, tuple(filter(None, map(_rule_of_zone, each.properties))), ())
        for each in zone.components
        if each.name in ("STANDARD", "DAYLIGHT")
    ]
    return Component("VTIMEZONE", (Property("TZID", (), zone.value("TZID")),), tuple(inside))


def _rule_of_zone(prop: Property) -> Property | None:
    if prop.name not in _OF_ZONE:
        return None
    return _kept(prop) if prop.name in _TIMED | _RULES else _offset(prop)


def _offset(prop: Property) -> Property | None:
    value = prop.value.strip()
    return Property(prop.name, (), value) if _TIMES.fullmatch(value) else None
