"""Whether a calendar object matches a filter (RFC 4791 section 9.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from folkmoot.storage.content.ical.alarms import Alarm, alarm_of
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.expand import STEPS, Instance, Series
from folkmoot.storage.content.ical.facts import busy_rows
from folkmoot.storage.content.ical.intake import KINDS, CalendarObject
from folkmoot.storage.content.ical.query import (
    CalendarFilter,
    Collation,
    CompFilter,
    MatchType,
    ParamFilter,
    PropFilter,
    SimpleQuery,
    TextMatch,
    collation_named,
    narrow,
    simple,
)
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.spans import TimeRange, Window, span_hits, window
from folkmoot.storage.content.ical.tree import Component, Property
from folkmoot.storage.content.ical.values import (
    DAY,
    FUTURE,
    PAST,
    Form,
    Zone,
    property_moment,
    texts,
    unescaped,
)

_LISTS = frozenset({"CATEGORIES", "RESOURCES"})


def matches(
    found: CalendarObject, asked: CalendarFilter, zone: Zone, budget: Budget | None = None
) -> bool:
    """Whether an object matches a filter; floating times are those of a zone.

    Raises `CalendarError` "max-instances" when the budget (that of one expansion, if None) does
    not suffice.
    """
    # rfc4791#9.7
    if asked.name != "VCALENDAR":
        return asked.is_not_defined
    if asked.is_not_defined or asked.time_range is not None:
        return False
    if not all(_prop(found, found.calendar, each, zone) for each in asked.prop_filters):
        return False
    question = _Question(found, zone, budget or Budget(STEPS))
    return all(question.top(each) for each in asked.comp_filters)


class _Question:
    """One object and one filter. The instances are expanded as far as the answer needs."""

    def __init__(self, found: CalendarObject, zone: Zone, budget: Budget) -> None:
        self.found = found
        self.zone = zone
        self.budget = budget
        self._series: Series | None = None

    @property
    def series(self) -> Series:
        if self._series is None:
            self._series = self.found.series(self.zone)
        return self._series

    def top(self, asked: CompFilter) -> bool:
        """Whether the calendar has a component that matches."""
        components = [each for each in self.found.calendar.components if each.name == asked.name]
        if asked.is_not_defined or not components:
            return asked.is_not_defined and not components
        # Instances of a component are alike in all but their times.
        good = [each for each in components if self._without_times(asked, each)]
        if not good:
            return False
        timed = [each for each in asked.comp_filters if _has_times(each)]
        if asked.time_range is None and not timed:
            return True
        if asked.name == "VFREEBUSY":
            return any(_free_busy_in(self.found, each, asked.time_range) for each in good)
        if asked.name not in KINDS:
            return False
        return self._some_instance(asked, timed, {id(each) for each in good})

    def _without_times(self, asked: CompFilter, component: Component) -> bool:
        if not all(_prop(self.found, component, each, self.zone) for each in asked.prop_filters):
            return False
        return all(
            self._inner(each, component) for each in asked.comp_filters if not _has_times(each)
        )

    def _inner(self, asked: CompFilter, component: Component) -> bool:
        inside = [each for each in component.components if each.name == asked.name]
        if asked.is_not_defined:
            return not inside
        return any(self._without_times(asked, each) for each in inside)

    def _some_instance(self, asked: CompFilter, timed: list[CompFilter], good: set[int]) -> bool:
        """Whether one instance lies in the time range and has the alarms that are asked for."""
        alarms = {each: self._alarms(each, good) for each in timed}
        if any(not any(of.values()) for of in alarms.values()):
            return False
        since, before = _bounds(asked.time_range)
        for inner, of in alarms.items():
            # Instances far from the time of the alarm need not be looked at.
            low, high = _alarm_bounds(inner, [each for listed in of.values() for each in listed])
            since, before = max(since, low), min(before, high)
        for instance in self.series.within(since, before, self.budget):
            if id(instance.timing.component) not in good:
                continue
            if all(_fires(alarms[each], each, instance) for each in timed):
                return True
        return False

    def _alarms(self, asked: CompFilter, good: set[int]) -> dict[int, list[Alarm]]:
        """Return by component the alarms that match but for their time."""
        listed: dict[int, list[Alarm]] = {}
        for timing in self.found.timings:
            component = timing.component
            if id(component) not in good:
                continue
            for inner in component.components:
                if inner.name != asked.name or not self._without_times(asked, inner):
                    continue
                alarm = alarm_of(inner, self.found.zones, self.zone)
                if alarm is not None:
                    listed.setdefault(id(component), []).append(alarm)
        return listed


def _has_times(asked: CompFilter) -> bool:
    return asked.time_range is not None and not asked.is_not_defined


def _bounds(asked: TimeRange | None) -> tuple[int, int]:
    if asked is None:
        return PAST, FUTURE
    return (
        PAST if asked.start is None else asked.start,
        FUTURE if asked.end is None else asked.end,
    )


def _alarm_bounds(asked: CompFilter, alarms: list[Alarm]) -> tuple[int, int]:
    since, before = _bounds(asked.time_range)
    if any(alarm.at is not None for alarm in alarms):
        return PAST, FUTURE
    away = max(alarm.farthest for alarm in alarms)
    return (since - away if since > PAST else PAST), (before + away if before < FUTURE else FUTURE)


def _fires(of: dict[int, list[Alarm]], asked: CompFilter, instance: Instance) -> bool:
    since, before = _bounds(asked.time_range)
    alarms = of.get(id(instance.timing.component), ())
    return any(alarm.fires(instance, since, before) for alarm in alarms)


def _free_busy_in(found: CalendarObject, component: Component, asked: TimeRange | None) -> bool:
    since, before = _bounds(asked)
    start, end = component.first("DTSTART"), component.first("DTEND")
    if start is not None and end is not None:
        # rfc4791#9.9: (start <= DTEND) AND (end > DTSTART)
        low = property_moment(start, found.zones).local
        return since <= property_moment(end, found.zones).local and before > low
    return any(since < high and before > low for low, high, _ in busy_rows(component))


# --- properties and parameters ---------------------------------------------------------------


def _prop(found: CalendarObject, component: Component, asked: PropFilter, zone: Zone) -> bool:
    props = component.all(asked.name)
    if asked.is_not_defined or not props:
        return asked.is_not_defined and not props
    match = asked.text_match
    # Of several values none may have a text that is negated.
    if match is not None and match.negate and any(_text(each, match) for each in props):
        return False
    return any(_one(found, each, asked, zone) for each in props)


def _one(found: CalendarObject, prop: Property, asked: PropFilter, zone: Zone) -> bool:
    if asked.time_range is not None and not _in_range(found, prop, asked.time_range, zone):
        return False
    match = asked.text_match
    if match is not None and not match.negate and not _text(prop, match):
        return False
    return all(_param(prop, each) for each in asked.param_filters)


def _text(prop: Property, match: TextMatch) -> bool:
    if match.finds(unescaped(prop.value)):
        return True
    return prop.name in _LISTS and any(match.finds(each) for each in texts(prop.value))


def _in_range(found: CalendarObject, prop: Property, asked: TimeRange, zone: Zone) -> bool:
    """Whether a time lies in a range; a date lasts a day (RFC 4791 section 9.9)."""
    since, before = _bounds(asked)
    try:
        at = property_moment(prop, found.zones)
    except CalendarError:
        return False
    start = at.utc(zone)
    end = zone.to_utc(at.local + DAY) if at.form is Form.DATE else start + 1
    return since < end and before > start


def _param(prop: Property, asked: ParamFilter) -> bool:
    values: Iterable[str] | None = next(
        (values for name, values in prop.params if name == asked.name), None
    )
    if asked.is_not_defined or values is None:
        return asked.is_not_defined and values is None
    match = asked.text_match
    if match is None:
        return True
    finds: Callable[[str], bool] = match.finds
    return any(map(finds, values)) != match.negate


__all__ = [
    "CalendarFilter",
    "Collation",
    "CompFilter",
    "MatchType",
    "ParamFilter",
    "PropFilter",
    "SimpleQuery",
    "TextMatch",
    "TimeRange",
    "Window",
    "collation_named",
    "matches",
    "narrow",
    "simple",
    "span_hits",
    "window",
]
