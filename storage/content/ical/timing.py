"""When a component is: its times and rules as values, in one pass over its properties."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.rules import Rule, parse_rule
from folkmoot.storage.content.ical.tree import Component, Limits
from folkmoot.storage.content.ical.values import (
    Duration,
    Form,
    Moment,
    Period,
    ZoneLookup,
    duration,
    property_moment,
    property_moments,
)

_SINGLE = {
    "DTSTART": "start",
    "DTEND": "end",
    "DUE": "end",
    "RECURRENCE-ID": "recurrence",
    "COMPLETED": "completed",
    "CREATED": "created",
}
_CHECKED = ("start", "end", "recurrence")


@dataclass(slots=True)
class Timing:
    """The times of one VEVENT, VTODO or VJOURNAL. ``end`` is DTEND or DUE."""

    component: Component
    start: Moment | None = None
    end: Moment | None = None
    duration: Duration | None = None
    recurrence: Moment | None = None
    completed: Moment | None = None
    created: Moment | None = None
    future: bool = False
    """Whether RECURRENCE-ID has RANGE=THISANDFUTURE."""
    rules: tuple[Rule, ...] = ()
    added: tuple[Moment | Period, ...] = ()
    removed: tuple[Moment, ...] = ()

    @property
    def anchor(self) -> Moment | None:
        """The time that recurs: the start; of a to-do without one, when it is due."""
        return self.start if self.start is not None else self.end

    @property
    def recurs(self) -> bool:
        """Whether there may be more than one of it."""
        return bool(self.rules or self.added)


def timing_of(component: Component, lookup: ZoneLookup, limits: Limits) -> Timing:
    """Return the times of a component.

    Raises `CalendarError`: "valid-calendar-data", "min-date-time", "max-date-time",
    "max-attendees-per-instance", "max-instances" (too many RDATEs, EXDATEs, rules).
    """
    timing = Timing(component)
    rules: list[Rule] = []
    added: list[Moment | Period] = []
    removed: list[Moment] = []
    attendees = 0
    # Of a property that may come once, the first counts.
    for prop in reversed(component.properties):
        name = prop.name
        if name in _SINGLE:
            if name in ("COMPLETED", "CREATED") and not prop.value.strip():
                continue
            setattr(timing, _SINGLE[name], property_moment(prop, lookup))
            if name == "RECURRENCE-ID":
                timing.future = prop.param("RANGE").upper() == "THISANDFUTURE"
        elif name == "DURATION":
            timing.duration = duration(prop.value)
        elif name == "RRULE":
            rules.append(parse_rule(prop.value))
        elif name == "RDATE":
            added += property_moments(prop, lookup)
        elif name == "EXDATE":
            removed += [_start(each) for each in property_moments(prop, lookup)]
        elif name == "ATTENDEE":
            attendees += 1
    timing.rules, timing.added, timing.removed = tuple(rules), tuple(added), tuple(removed)
    if attendees > limits.attendees:
        raise CalendarError("max-attendees-per-instance", "There are too many attendees.")
    if len(added) + len(removed) > limits.dates or len(rules) > limits.rules:
        raise CalendarError("max-instances", "There are too many dates or rules.")
    _check(timing, limits)
    return timing


def _start(each: Moment | Period) -> Moment:
    return each.start if isinstance(each, Period) else each


def _check(timing: Timing, limits: Limits) -> None:
    for name in _CHECKED:
        at: Moment | None = getattr(timing, name)
        if at is None:
            continue
        # rfc4791#5.2.6, rfc4791#5.2.7
        if at.local < limits.earliest:
            raise CalendarError("min-date-time", "A time is too early.")
        if at.local > limits.latest:
            raise CalendarError("max-date-time", "A time is too late.")


def is_mixed(timings: list[Timing]) -> bool:
    """Whether some times are fixed and others depend on where one is."""
    forms = set()
    for timing in timings:
        for at in (timing.anchor, timing.end):
            if at is not None:
                forms.add(at.is_floating)
        forms.update(_start(at).is_floating for at in timing.added)
    return len(forms) > 1


def is_floating(timing: Timing) -> bool:
    """Whether the times of a component depend on where one is."""
    return timing.anchor is not None and timing.anchor.form in (Form.DATE, Form.FLOATING)
