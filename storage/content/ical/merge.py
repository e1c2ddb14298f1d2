"""Taking a message of an organizer into the copy of an attendee (RFC 6638 section 4.1)."""

from __future__ import annotations

from folkmoot.storage.content.ical.diff import instance_key
from folkmoot.storage.content.ical.facts import address
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.people import (
    exception_of,
    mapped,
    partstat_of,
    with_attendee,
)
from folkmoot.storage.content.ical.tree import Component, Property
from folkmoot.storage.content.ical.zones import UTC

_OWN = frozenset({"TRANSP", "X-MOZ-LASTACK", "X-MOZ-SNOOZE-TIME", "X-MOZ-GENERATION"})
"""Properties that an attendee has for themself, beside alarms."""


def apply_request(found: CalendarObject | None, request: CalendarObject) -> Component:
    """Return the calendar of an attendee with what the organizer says now.

    It is as the organizer has it, with the alarms of the attendee and what else is theirs.
    """
    # rfc5546#3.2.2
    if found is None:
        return request.calendar
    own = {instance_key(found, each.recurrence): each.component for each in found.timings}
    main = own.get(None)
    times = {id(each.component): each.recurrence for each in request.timings}

    def keep(component: Component) -> Component:
        mine = own.get(instance_key(request, times[id(component)]), main)
        if mine is None:
            return component
        kept = [prop for prop in mine.properties if prop.name in _OWN]
        alarms = tuple(each for each in mine.components if each.name == "VALARM")
        changed = component.without(*{prop.name for prop in kept}).plus(*kept)
        others = tuple(each for each in component.components if each.name != "VALARM")
        return changed._replace(components=others + alarms)

    return mapped(request, keep)


def apply_cancel(found: CalendarObject, cancel: CalendarObject) -> Component | None:
    """Return the calendar of an attendee in which the series, or instances, are cancelled.

    None if nothing of it is there.
    """
    # rfc5546#3.2.5
    gone = {instance_key(found, each.recurrence): each for each in cancel.timings}
    if None in gone:
        return mapped(found, _cancelled)
    keys = {id(each.component): instance_key(found, each.recurrence) for each in found.timings}
    changed = mapped(
        found,
        lambda each: _cancelled(each) if keys[id(each)] in gone else each,
    )
    added: list[Component] = []
    series, budget, present = found.series(UTC), found.budget(), set(keys.values())
    for key, timing in gone.items():
        if key in present or timing.recurrence is None:
            continue
        made = exception_of(found, series, timing.recurrence, budget)
        added += [_cancelled(made)] if made is not None else []
    changed = changed._replace(components=(*changed.components, *added))
    return None if changed == found.calendar else changed


def _cancelled(component: Component) -> Component:
    return component.without("STATUS").plus(Property("STATUS", (), "CANCELLED"))


def with_answers_of(found: CalendarObject, new: CalendarObject, organizer: str) -> Component:
    """Return the new calendar of an organizer with the answers that have come in meanwhile.

    For a client that knew the schedule tag, but not the latest answers (RFC 6638 section 3.2.10.1).
    """
    own = {instance_key(found, each.recurrence): each.component for each in found.timings}
    main = own.get(None)
    times = {id(each.component): each.recurrence for each in new.timings}

    def keep(component: Component) -> Component:
        known = own.get(instance_key(new, times[id(component)]), main)
        for prop in component.all("ATTENDEE"):
            who = address(prop.value)
            status = partstat_of(known, who) if known is not None and who != organizer else ""
            if status:
                component = with_attendee(component, who, partstat=status)
        return component

    return mapped(new, keep)


def differs_beyond_answers(old: CalendarObject, new: CalendarObject) -> bool:
    """Whether more changed than who takes part (RFC 6638 section 3.2.10)."""
    return _without_answers(old) != _without_answers(new)


def _without_answers(found: CalendarObject) -> frozenset[frozenset[Property]]:
    return frozenset(
        frozenset(
            prop._replace(params=(), value=address(prop.value))
            if prop.name in ("ATTENDEE", "ORGANIZER")
            else prop
            for prop in part.properties
            if prop.name not in ("DTSTAMP", "CREATED", "LAST-MODIFIED", "REQUEST-STATUS")
        )
        for part in found.parts
    )
