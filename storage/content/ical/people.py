"""Organizer and attendees of an object, and what of it each attendee is to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from folkmoot.storage.content.ical.expand import Series
from folkmoot.storage.content.ical.facts import address
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.timing import Timing
from folkmoot.storage.content.ical.tree import Component, Property
from folkmoot.storage.content.ical.values import DAY, Form, Moment, date_text, time_text, utc_text
from folkmoot.storage.content.ical.zones import UTC

SCHEDULE_PARAMETERS = ("SCHEDULE-AGENT", "SCHEDULE-FORCE-SEND", "SCHEDULE-STATUS")
"""What RFC 6638 section 7 keeps between a client and its server."""


def organizer_of(found: CalendarObject) -> str:
    """Return the address of the organizer; "" where nobody is. # rfc5545#3.8.4.3"""
    listed = (each.value("ORGANIZER") for each in found.parts)
    return next((address(value) for value in listed if value), "")


def attendee_in(component: Component, who: str) -> Property | None:
    """Return the ATTENDEE of an address (as `facts.address` gives it) in one component."""
    # rfc5545#3.8.4.1
    for prop in component.properties:
        if prop.name == "ATTENDEE" and address(prop.value) == who:
            return prop
    return None


def attendees_of(found: CalendarObject, *, of_server: bool = False) -> frozenset[str]:
    """Return the addresses of attendees but the organizer.

    ``of_server`` leaves out those whom the client asked the server not to send to (SCHEDULE-AGENT
    NONE or CLIENT, RFC 6638 section 7.1).
    """
    skipped = {organizer_of(found)}
    return frozenset(
        address(prop.value)
        for part in found.parts
        for prop in part.properties
        if prop.name == "ATTENDEE"
        and address(prop.value) not in skipped
        and not (of_server and agent_of(prop) != "SERVER")
    )


def agent_of(prop: Property) -> str:
    """Return SCHEDULE-AGENT of an ATTENDEE or ORGANIZER: SERVER, CLIENT or NONE."""
    # rfc6638#7.1: what is unknown is as NONE.
    agent = prop.param("SCHEDULE-AGENT").upper() or "SERVER"
    return agent if agent in ("SERVER", "CLIENT") else "NONE"


def partstat_of(component: Component, who: str) -> str:
    """Return the participation status of an attendee; "" for somebody who is none."""
    # rfc5545#3.2.12
    prop = attendee_in(component, who)
    if prop is None:
        return ""
    return prop.param("PARTSTAT").upper() or "NEEDS-ACTION"


# --- changed objects -------------------------------------------------------------------------


def mapped(found: CalendarObject, change: Callable[[Component], Component | None]) -> Component:
    """Return the calendar with each component of the object changed, or left out (None)."""
    kept = []
    for each in found.calendar.components:
        made = change(each) if each.name == found.component else each
        kept += [made] if made is not None else []
    return found.calendar._replace(components=tuple(kept))


def with_attendee(component: Component, who: str, **params: str | None) -> Component:
    """Return a component with parameters of one ATTENDEE set (_ is -), or removed (None)."""
    made = []
    for prop in component.properties:
        if prop.name == "ATTENDEE" and address(prop.value) == who:
            for name, value in params.items():
                prop = prop.with_param(name.replace("_", "-").upper(), value)  # noqa: PLW2901
        made.append(prop)
    return component._replace(properties=tuple(made))


def set_partstat(found: CalendarObject, who: str, partstat: str) -> Component:
    """Return the calendar in which an attendee has answered for all instances."""
    return mapped(found, lambda each: with_attendee(each, who, partstat=partstat))


def set_schedule_status(found: CalendarObject, statuses: Mapping[str, str]) -> Component:
    """Return the calendar with SCHEDULE-STATUS of deliveries (RFC 6638 section 3.2.9).

    ``statuses`` has codes as "1.2" by the address of an attendee or the organizer.
    """

    def stated(prop: Property) -> Property:
        if prop.name not in ("ATTENDEE", "ORGANIZER"):
            return prop
        status = statuses.get(address(prop.value))
        return prop if status is None else prop.with_param("SCHEDULE-STATUS", status)

    def change(component: Component) -> Component:
        return component._replace(properties=tuple(map(stated, component.properties)))

    return mapped(found, change)


def without_schedule_parameters(component: Component) -> Component:
    """Return a component without what is between a client and its server only."""
    made = tuple(
        prop._replace(params=tuple(p for p in prop.params if p[0] not in SCHEDULE_PARAMETERS))
        if prop.name in ("ATTENDEE", "ORGANIZER")
        else prop
        for prop in component.properties
    )
    return component._replace(properties=made)


# --- exceptions ------------------------------------------------------------------------------


def stated_as(master: Timing, name: str, model: Property, local: int) -> Property:
    """Return a property with a time on the clock of a series, in the form of a property of it."""
    anchor = master.anchor
    assert anchor is not None
    if anchor.form is Form.DATE:
        value = date_text(local)
    else:
        value = utc_text(local) if anchor.form is Form.UTC else time_text(local)
    return Property(name, model.params, value)


def is_instance(series: Series, rid: Moment, budget: Budget) -> bool:
    """Whether a series has an instance by its rules or RDATEs, without exception as yet.

    Raises `CalendarError` "max-instances".
    """
    name, start = series.key(rid), series.unchanged(rid).start
    near = series.ruled(start - DAY, start + 2 * DAY, budget)
    return any(each.original == name for each in near) or series.has_added(name)


def exception_of(
    found: CalendarObject, series: Series, rid: Moment, budget: Budget
) -> Component | None:
    """Return the component for an instance that has none yet; None if there is no such instance.

    It is the master at the time of the instance, without rules. ``series`` is that of the object.
    Raises `CalendarError` "max-instances".
    """
    master = found.master
    if master is None or master.anchor is None or not is_instance(series, rid, budget):
        return None
    local = series.local_of(rid)
    first = "DTSTART" if master.start is not None else "DUE"
    model = master.component.first(first)
    assert model is not None
    shift = local - master.anchor.local
    made = [stated_as(master, "RECURRENCE-ID", model, local)]
    for prop in master.component.properties:
        if prop.name in ("RRULE", "RDATE", "EXDATE", "EXRULE"):
            continue
        if prop.name == first:
            prop = stated_as(master, first, model, local)  # noqa: PLW2901
        elif prop.name in ("DTEND", "DUE"):
            prop = _shifted(prop, master, shift)  # noqa: PLW2901
        made.append(prop)
    return master.component._replace(properties=tuple(made))


def _shifted(prop: Property, master: Timing, shift: int) -> Property:
    assert master.end is not None
    local = master.end.local + shift
    if master.end.form is Form.DATE:
        return prop._replace(value=date_text(local))
    text = utc_text(local) if master.end.form is Form.UTC else time_text(local)
    return prop._replace(value=text)


# --- views -----------------------------------------------------------------------------------


def for_attendee(found: CalendarObject, who: str) -> Component | None:
    """Return the calendar as one attendee is to see it; None if nothing of it is for them.

    Exceptions without the attendee become EXDATEs; who is in exceptions only gets only these
    (RFC 6638 section 3.2.6). There are no alarms of the organizer in it.
    """
    master = found.master
    invited = master is not None and attendee_in(master.component, who) is not None
    missed: list[Timing] = []
    kept: list[Component] = []
    for timing in found.overrides:
        if attendee_in(timing.component, who) is not None:
            kept.append(_clean(timing.component))
        else:
            missed.append(timing)
    if invited and master is not None:
        kept.insert(0, _clean(_excluding(found, master, missed)))
    if not kept:
        return None
    zones = [each for each in found.calendar.components if each.name == "VTIMEZONE"]
    return found.calendar._replace(components=(*zones, *kept))


def _excluding(found: CalendarObject, master: Timing, missed: Iterable[Timing]) -> Component:
    series = found.series(UTC)
    model = master.component.first("DTSTART" if master.start is not None else "DUE")
    if model is None:
        return master.component
    added = [
        stated_as(master, "EXDATE", model, series.local_of(each.recurrence))
        for each in missed
        if each.recurrence is not None
    ]
    return master.component.plus(*added)


def _clean(component: Component) -> Component:
    kept = tuple(each for each in component.components if each.name != "VALARM")
    return without_schedule_parameters(component)._replace(components=kept)
