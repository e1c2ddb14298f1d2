"""When alarms go off (RFC 5545 section 3.6.6, RFC 4791 section 9.9)."""

from __future__ import annotations

from typing import NamedTuple

from folkmoot.storage.content.ical.expand import Instance
from folkmoot.storage.content.ical.tree import Component, Property
from folkmoot.storage.content.ical.values import (
    DAY,
    Duration,
    Zone,
    ZoneLookup,
    duration,
    property_moment,
)

REPEATS = 1000
"""Repetitions of an alarm that are looked at."""


class Alarm(NamedTuple):
    """A VALARM. ``at`` is seconds UTC where the trigger is absolute, else ``offset`` counts."""

    at: int | None
    offset: Duration
    from_end: bool
    repeat: int
    gap: int

    @property
    def farthest(self) -> int:
        """Seconds that it may go off away from its instance, before or after."""
        return abs(self.offset.total) + self.repeat * self.gap + DAY

    def fires(self, instance: Instance, since: int, before: int) -> bool:
        """Whether it goes off for an instance within a time range (seconds UTC)."""
        # rfc4791#9.9: start <= trigger < end, for the first time or a repetition.
        first = self.at
        if first is None:
            first = (instance.end if self.from_end else instance.start) + self.offset.total
        if since <= first < before:
            return True
        if not self.repeat or not self.gap or first >= before:
            return False
        steps = max(-(-(since - first) // self.gap), 1)
        return steps <= self.repeat and first + steps * self.gap < before


def alarm_of(component: Component, lookup: ZoneLookup, zone: Zone) -> Alarm | None:
    """Return the alarm of a VALARM; None if it has no trigger. Raises `CalendarError`."""
    # rfc5545#3.8.6.3
    trigger = component.first("TRIGGER")
    if trigger is None:
        return None
    gap = duration(component.value("DURATION") or "PT0S").total
    text = component.value("REPEAT")
    repeat = min(int(text), REPEATS) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if _is_absolute(trigger):
        at = property_moment(trigger, lookup).utc(zone)
        return Alarm(at, Duration(0, 0), False, repeat, max(gap, 0))
    from_end = trigger.param("RELATED").upper() == "END"
    return Alarm(None, duration(trigger.value), from_end, repeat, max(gap, 0))


def _is_absolute(trigger: Property) -> bool:
    return trigger.value.strip()[:1].isdigit()
