"""What may be a calendar object resource (RFC 4791 sections 4.1 and 5.3.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.storage.content.ical.errors import CalendarError, invalid
from folkmoot.storage.content.ical.expand import STEPS, Series
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.timing import Timing, timing_of
from folkmoot.storage.content.ical.tree import HARD_LIMITS, Component, Limits, parse
from folkmoot.storage.content.ical.values import Zone, property_moment
from folkmoot.storage.content.ical.zones import ZoneTable

KINDS = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})
"""Components that a calendar object can be of."""

UID_LIMIT = 1000
"""Octets of a UID, which databases index."""


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """A calendar object: one thing by its UID, as a series and its exceptions.

    ``master`` is None where only exceptions are there (somebody invited to some instances), and
    for VFREEBUSY, which ``timings`` leaves out. ``zones`` finds the zone of a TZID.
    """

    calendar: Component
    component: str
    uid: str
    master: Timing | None
    overrides: tuple[Timing, ...]
    zones: ZoneTable

    @property
    def parts(self) -> tuple[Component, ...]:
        """The components of the object, without time zones."""
        return tuple(each for each in self.calendar.components if each.name == self.component)

    @property
    def timings(self) -> list[Timing]:
        """The times of the master, then of the exceptions."""
        return ([self.master] if self.master is not None else []) + list(self.overrides)

    def budget(self) -> Budget:
        """Return the work that one expansion of it may be."""
        return Budget(STEPS)

    def series(self, zone: Zone) -> Series:
        """Return the instances for somebody in a zone."""
        return Series(self.component, self.master, self.overrides, zone)


def read_calendar(
    octets: bytes, *, components: frozenset[str] | None = None, limits: Limits = HARD_LIMITS
) -> CalendarObject:
    """Return the calendar object that the octets are.

    ``components`` are those that the calendar takes; None is all. Raises `CalendarError`:
    "max-resource-size", "valid-calendar-data", "valid-calendar-object-resource",
    "supported-calendar-data", "supported-calendar-component", "min-date-time", "max-date-time",
    "max-instances", "max-attendees-per-instance".
    """
    calendar = parse(octets, limits)
    # rfc4791#4.1
    if calendar.first("METHOD") is not None:
        raise _not_a_resource("It has a METHOD: a message about scheduling, not an object.")
    found = object_of(calendar, components=components, limits=limits)
    if found.component == "VEVENT" and any(each.start is None for each in found.timings):
        # rfc5545#3.6.1
        raise invalid("An event has no DTSTART.")
    return found


def object_of(
    calendar: Component, *, components: frozenset[str] | None, limits: Limits
) -> CalendarObject:
    """Return the object that a calendar has, which may be a message (that may lack DTSTART).

    Raises `CalendarError` as `read_calendar`.
    """
    if calendar.name != "VCALENDAR":
        raise invalid("The data does not begin with BEGIN:VCALENDAR.")
    if calendar.value("VERSION") not in ("", "2.0"):
        raise CalendarError("supported-calendar-data", "Only iCalendar 2.0 is supported.")
    parts = [each for each in calendar.components if each.name != "VTIMEZONE"]
    if any(each.name not in KINDS and not each.name.startswith("X-") for each in parts):
        raise CalendarError("supported-calendar-component", "This component is not supported.")
    parts = [each for each in parts if each.name in KINDS]
    kinds = {each.name for each in parts}
    if len(kinds) != 1:
        raise _not_a_resource("It must have components of one type, and at least one.")
    kind = kinds.pop()
    if components is not None and kind not in components:
        raise CalendarError("supported-calendar-component", f"This calendar takes no {kind}.")
    uid = _uid(parts)
    zones = ZoneTable(calendar)
    if kind == "VFREEBUSY":
        return _free_busy(calendar, uid, parts, zones)
    timings = [timing_of(each, zones, limits) for each in parts]
    master, overrides = _split(timings)
    if len(overrides) + (master is not None) < len(timings):
        calendar = _without_earlier(calendar, parts, overrides, master)
    return CalendarObject(calendar, kind, uid, master, overrides, zones)


def load_calendar(octets: bytes) -> CalendarObject:
    """Return the calendar object that was stored. Raises `CalendarError` as `read_calendar`."""
    return read_calendar(octets, components=None, limits=HARD_LIMITS)


def _not_a_resource(text: str) -> CalendarError:
    return CalendarError("valid-calendar-object-resource", text)


def _uid(parts: list[Component]) -> str:
    uids = {each.value("UID") for each in parts}
    if len(uids) != 1:
        raise _not_a_resource("All components must have the same UID.")
    uid = uids.pop()
    if not uid:
        raise _not_a_resource("There is no UID.")
    if len(uid.encode()) > UID_LIMIT:
        raise _not_a_resource("The UID is too long.")
    return uid


def _split(timings: list[Timing]) -> tuple[Timing | None, tuple[Timing, ...]]:
    masters = [each for each in timings if each.recurrence is None]
    if len(masters) > 1:
        raise _not_a_resource("Several components without RECURRENCE-ID have the same UID.")
    # Of two exceptions for one instance, the last written counts.
    overrides = {
        (each.recurrence.local, each.recurrence.form): each
        for each in timings
        if each.recurrence is not None
    }
    return (masters[0] if masters else None), tuple(overrides.values())


def _without_earlier(
    calendar: Component,
    parts: list[Component],
    overrides: tuple[Timing, ...],
    master: Timing | None,
) -> Component:
    """Return the calendar without exceptions that a later one replaces."""
    counted = {id(each.component) for each in overrides}
    counted |= {id(master.component)} if master is not None else set()
    unwanted = {id(each) for each in parts} - counted
    kept = tuple(each for each in calendar.components if id(each) not in unwanted)
    return calendar._replace(components=kept)


def _free_busy(
    calendar: Component, uid: str, parts: list[Component], zones: ZoneTable
) -> CalendarObject:
    for part in parts:
        for name in ("DTSTART", "DTEND"):
            if (prop := part.first(name)) is not None:
                property_moment(prop, zones)
    return CalendarObject(calendar, "VFREEBUSY", uid, None, (), zones)
