"""CALDAV:calendar-data: what of an object a client wants to see (RFC 4791 section 9.6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.expand import STEPS, Instance, Series, instances
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.spans import TimeRange
from folkmoot.storage.content.ical.timing import Timing
from folkmoot.storage.content.ical.tree import Component, Property, serialize
from folkmoot.storage.content.ical.values import (
    FUTURE,
    PAST,
    Form,
    Moment,
    Zone,
    moment_property,
    period,
    property_moment,
)
from folkmoot.storage.content.ical.zones import UTC, zone_named

INSTANCES = 10_000
"""Instances of one object that CALDAV:expand returns."""

EXPANDED = 32 << 20
"""Characters that CALDAV:expand makes of one object."""

_REWRITTEN = frozenset(
    ["DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"]
)


@dataclass(frozen=True, slots=True)
class CompSelection:
    """CALDAV:comp: names in upper case; ``props`` has name to "no value wanted".

    One without anything in it asks for all of its component (as the examples of RFC 4791 do).
    """

    name: str
    all_props: bool = False
    props: dict[str, bool] = field(default_factory=dict)
    all_comps: bool = False
    comps: tuple[CompSelection, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarData:
    """CALDAV:calendar-data of a report. ``no_timezones`` is RFC 7809 section 3.1.3."""

    selection: CompSelection | None = None
    expand: TimeRange | None = None
    limit_recurrence_set: TimeRange | None = None
    limit_freebusy_set: TimeRange | None = None
    no_timezones: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether the octets can be sent as they are stored."""
        return self == CalendarData()


def shape(
    found: CalendarObject, asked: CalendarData, zone: Zone, budget: Budget | None = None
) -> bytes:
    """Return the octets of what is asked for of an object; floating times are those of a zone.

    Raises `CalendarError` "max-instances".
    """
    calendar = found.calendar
    if asked.expand is not None:
        calendar = _expanded(found, asked.expand, zone, budget or Budget(STEPS))
    elif asked.limit_recurrence_set is not None:
        calendar = _limited(found, asked.limit_recurrence_set, zone)
    if asked.limit_freebusy_set is not None:
        calendar = _limited_freebusy(calendar, asked.limit_freebusy_set)
    if asked.no_timezones:
        calendar = without_timezones(calendar)
    if asked.selection is not None:
        calendar = _selected(calendar, asked.selection)
    return serialize(calendar)


def without_timezones(calendar: Component) -> Component:
    """Return a calendar without the VTIMEZONEs whose TZID everybody knows (RFC 7809)."""
    kept = [
        each
        for each in calendar.components
        if each.name != "VTIMEZONE" or zone_named(each.value("TZID")) is None
    ]
    return calendar._replace(components=tuple(kept))


def _bounds(asked: TimeRange) -> tuple[int, int]:
    return (
        PAST if asked.start is None else asked.start,
        FUTURE if asked.end is None else asked.end,
    )


# --- expand ----------------------------------------------------------------------------------


def _expanded(found: CalendarObject, asked: TimeRange, zone: Zone, budget: Budget) -> Component:
    # rfc4791#9.6.5
    if found.component == "VFREEBUSY":
        return found.calendar
    since, before = _bounds(asked)
    listed = instances(found.series(zone), since, before, INSTANCES, budget)
    sizes = {id(timing): _size(timing.component) for timing in found.timings}
    if sum(sizes[id(each.timing)] for each in listed) > EXPANDED:
        raise CalendarError("max-instances", "All instances together are too large.")
    recurs = bool(found.overrides) or any(timing.recurs for timing in found.timings)
    made = [_single(found, each, recurs) for each in listed]
    kept = [
        each
        for each in found.calendar.components
        if each.name not in ("VTIMEZONE", found.component)
    ]
    return found.calendar._replace(components=(*kept, *made))


def _size(component: Component) -> int:
    own = sum(len(prop.value) + 100 for prop in component.properties)
    return own + sum(map(_size, component.components))


def _single(found: CalendarObject, instance: Instance, recurs: bool) -> Component:
    """Return the component of one instance: times in UTC, no rules."""
    timing = instance.timing
    added: list[Property] = []
    if timing.start is not None:
        added.append(_time("DTSTART", timing.start, instance.local, instance.start))
        if timing.end is not None:
            added.append(_end(timing, timing.end, instance))
        elif timing.duration is not None:
            added.append(_length(timing, instance))
    elif timing.end is not None:
        added.append(_time("DUE", timing.end, instance.local, instance.start))
    if recurs:
        added.append(recurrence_id(found, instance))
    kept = [
        _in_utc(prop, found) for prop in timing.component.properties if prop.name not in _REWRITTEN
    ]
    return timing.component._replace(properties=(*kept, *added))


def _time(name: str, stated: Moment, local: int, utc: int) -> Property:
    if stated.is_floating:
        return moment_property(name, Moment(local, stated.form))
    return moment_property(name, Moment(utc, Form.UTC))


def _end(timing: Timing, stated: Moment, instance: Instance) -> Property:
    name = "DUE" if timing.component.name == "VTODO" else "DTEND"
    assert timing.start is not None
    if timing.start.is_floating and stated.is_floating:
        return _time(name, stated, instance.local + stated.local - timing.start.local, 0)
    return moment_property(name, Moment(instance.end, Form.UTC))


def _length(timing: Timing, instance: Instance) -> Property:
    assert timing.duration is not None
    assert timing.start is not None
    stated = timing.component.first("DURATION")
    length = instance.end - instance.start
    if stated is not None and (timing.start.is_floating or length == timing.duration.total):
        return stated
    # Where the clock changes, a day has other hours; a period of RDATE has its own length.
    name = "DUE" if timing.component.name == "VTODO" else "DTEND"
    return moment_property(name, Moment(instance.end, Form.UTC))


def recurrence_id(found: CalendarObject, instance: Instance) -> Property:
    """Return the RECURRENCE-ID of an instance: in UTC, unless the series floats or has dates."""
    first = found.master.anchor if found.master is not None else instance.timing.recurrence
    form = first.form if first is not None and first.is_floating else Form.UTC
    return moment_property("RECURRENCE-ID", Moment(instance.original, form))


def _in_utc(prop: Property, found: CalendarObject) -> Property:
    """Return a property with a time in a zone (there are few besides those rewritten) in UTC."""
    if not prop.params or not prop.param("TZID"):
        return prop
    try:
        at = property_moment(prop, found.zones)
    except CalendarError:
        return prop
    if at.form is not Form.ZONED:
        return prop.with_param("TZID", None)
    return moment_property(prop.name, Moment(at.utc(UTC), Form.UTC))


# --- limits ----------------------------------------------------------------------------------


def _limited(found: CalendarObject, asked: TimeRange, zone: Zone) -> Component:
    """Return the calendar with the exceptions only that change something in a time range."""
    # rfc4791#9.6.6
    if not found.overrides:
        return found.calendar
    since, before = _bounds(asked)
    series = found.series(zone)
    unwanted = {
        id(timing.component)
        for timing in found.overrides
        if not _matters(found, series, timing, zone, since, before)
    }
    kept = [each for each in found.calendar.components if id(each) not in unwanted]
    return found.calendar._replace(components=tuple(kept))


def _matters(
    found: CalendarObject, series: Series, timing: Timing, zone: Zone, since: int, before: int
) -> bool:
    """Whether an exception is in a time range, or its instance would be without it."""
    own = Series(found.component, None, (timing,), zone)
    if any(since < each.high and before > each.low for each in own.stated()):
        return True
    rid = timing.recurrence
    if rid is None or found.master is None:
        return True
    original = series.unchanged(rid)
    if timing.future:
        return before > original.low
    return since < original.high and before > original.low


def _limited_freebusy(calendar: Component, asked: TimeRange) -> Component:
    # rfc4791#9.6.7
    since, before = _bounds(asked)
    components = []
    for each in calendar.components:
        if each.name != "VFREEBUSY":
            components.append(each)
            continue
        kept = []
        for prop in each.properties:
            limited = prop if prop.name != "FREEBUSY" else _periods_in(prop, since, before)
            kept += [limited] if limited is not None else []
        components.append(each._replace(properties=tuple(kept)))
    return calendar._replace(components=tuple(components))


def _periods_in(prop: Property, since: int, before: int) -> Property | None:
    kept = []
    for item in prop.value.split(","):
        each = period(item, "", lambda _: None)
        start = each.start.utc(UTC)
        end = each.end.utc(UTC) if each.end is not None else start
        end += each.duration.total if each.duration is not None else 0
        if start < before and end > since:
            kept.append(item)
    return prop._replace(value=",".join(kept)) if kept else None


# --- partial retrieval -----------------------------------------------------------------------


def _selected(component: Component, asked: CompSelection) -> Component:
    # rfc4791#9.6.1
    if not (asked.all_props or asked.props or asked.all_comps or asked.comps):
        return component
    properties = component.properties
    if not asked.all_props:
        properties = tuple(
            prop._replace(value="") if asked.props[prop.name] else prop
            for prop in properties
            if prop.name in asked.props
        )
    components = component.components
    if not asked.all_comps:
        by_name = {each.name: each for each in asked.comps}
        components = tuple(
            _selected(each, by_name[each.name]) for each in components if each.name in by_name
        )
    return Component(component.name, properties, components)
