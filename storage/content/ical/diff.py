"""What changed between two states of an object, for scheduling (RFC 6638 section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from folkmoot.storage.content.ical.expand import Series, name_of
from folkmoot.storage.content.ical.facts import address
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.people import (
    attendee_in,
    attendees_of,
    is_instance,
    mapped,
    organizer_of,
    partstat_of,
)
from folkmoot.storage.content.ical.rules import Budget
from folkmoot.storage.content.ical.timing import Timing
from folkmoot.storage.content.ical.tree import Component, Property
from folkmoot.storage.content.ical.values import Moment
from folkmoot.storage.content.ical.zones import UTC

_TIMES = frozenset(["DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE"])
_UNSEEN = frozenset(
    [
        "DTSTAMP",
        "CREATED",
        "LAST-MODIFIED",
        "SEQUENCE",
        "PRODID",
        "COMPLETED",
        "PERCENT-COMPLETE",
        "TRANSP",
        "X-MOZ-LASTACK",
        "X-MOZ-GENERATION",
        "X-MOZ-SNOOZE-TIME",
        "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR",
    ]
)
"""What may differ between the copies of people."""

_OF_ATTENDEES = _UNSEEN | {"ATTENDEE", "COMMENT", "REQUEST-STATUS", "STATUS", "EXDATE"}
"""What attendees may change in their copy (RFC 6638 section 3.2.2.1), with X- properties."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How an object of an organizer changed. Addresses are as `facts.address` gives them.

    ``removed`` are out of all of it; ``rescheduled`` says that times changed, so that everybody
    has to answer anew; ``significant`` that attendees have something new to see.
    """

    added: frozenset[str]
    removed: frozenset[str]
    rescheduled: bool
    significant: bool


def compare(old: CalendarObject | None, new: CalendarObject | None) -> Changes:
    """Return how an object changed; None is an object that is not there. # rfc6638#3.2.1"""
    before = attendees_of(old) if old is not None else frozenset()
    after = attendees_of(new) if new is not None else frozenset()
    if old is None or new is None:
        return Changes(after - before, before - after, False, True)
    seen = _by_instance(old, _seen) != _by_instance(new, _seen)
    gone = {instance_key(old, each.recurrence) for each in old.timings}
    gone -= {instance_key(new, each.recurrence) for each in new.timings}
    return Changes(after - before, before - after, bool(gone or _moved(old, new)), seen)


def with_answers_reset(old: CalendarObject, new: CalendarObject) -> Component:
    """Return the new calendar in which attendees of instances with other times have not answered.

    RFC 6638 section 3.2.8. The organizer's own status stays.
    """
    moved, organizer = _moved(old, new), organizer_of(new)

    def change(component: Component) -> Component:
        if id(component) not in moved:
            return component
        made = tuple(
            prop.with_param("PARTSTAT", "NEEDS-ACTION")
            if prop.name == "ATTENDEE" and address(prop.value) != organizer
            else prop
            for prop in component.properties
        )
        return component._replace(properties=made)

    return mapped(new, change)


def _moved(old: CalendarObject, new: CalendarObject) -> set[int]:
    """Return the ids of the components of the new object whose times are not those of the old."""
    before = _by_instance(old, _times)
    series = old.series(UTC) if old.master is not None else None
    kind, moved = new.component, set()
    for timing in new.timings:
        known = before.get(instance_key(new, timing.recurrence))
        if known is not None:
            same = known == _times(timing.component)
        elif timing.recurrence is not None and series is not None:
            # A new exception moves its instance, or it changes something else of it.
            was = series.unchanged(timing.recurrence)
            now = next(Series(kind, None, (timing,), UTC).stated())
            same = (was.start, was.end) == (now.start, now.end)
        else:
            same = False
        if not same:
            moved.add(id(timing.component))
    return moved


def instance_key(found: CalendarObject, rid: Moment | None) -> int | None:
    """Return what names an instance in an object; None is the series."""
    return None if rid is None else name_of(found.master, rid)


def _by_instance(
    found: CalendarObject, part: Callable[[Component], frozenset[Property]]
) -> dict[int | None, frozenset[Property]]:
    return {
        instance_key(found, timing.recurrence): part(timing.component) for timing in found.timings
    }


def _times(component: Component) -> frozenset[Property]:
    return frozenset(prop for prop in component.properties if prop.name in _TIMES)


def _seen(component: Component) -> frozenset[Property]:
    """Return what attendees see of a component: all but what changes with every copy."""
    return frozenset(
        prop._replace(params=(("PARTSTAT", (prop.param("PARTSTAT"),)),))
        if prop.name == "ATTENDEE"
        else prop._replace(params=tuple(p for p in prop.params if p[0] == "TZID"))
        for prop in component.properties
        if prop.name not in _UNSEEN
    )


# --- attendees -------------------------------------------------------------------------------


def is_allowed_to_attendee(old: CalendarObject, new: CalendarObject, who: str) -> bool:
    """Whether an attendee may change their copy so (RFC 6638 section 3.2.2.1).

    Else the precondition "allowed-attendee-scheduling-object-change" fails.
    """
    if organizer_of(old) != organizer_of(new) or old.component != new.component:
        return False
    main = _fixed(old.master.component, who) if old.master is not None else None
    before = {
        instance_key(old, each.recurrence): _fixed(each.component, who) for each in old.timings
    }
    series, budget = old.series(UTC), old.budget()
    for timing in new.timings:
        known = before.get(instance_key(new, timing.recurrence))
        fixed = _fixed(timing.component, who)
        if known is not None:
            if known != fixed:
                return False
        elif (
            main is None
            or _untimed(main) != _untimed(fixed)
            or not _is_unmoved(series, timing, budget)
        ):
            return False
    return True


def _is_unmoved(series: Series, timing: Timing, budget: Budget) -> bool:
    """Whether a new exception of an attendee is where the series has an instance."""
    rid, anchor = timing.recurrence, timing.anchor
    if rid is None or anchor is None or series.unchanged(rid).start != anchor.utc(UTC):
        return False
    return is_instance(series, rid, budget)


def _fixed(component: Component, who: str) -> frozenset[Property]:
    """Return what an attendee must leave as it is."""
    others = frozenset(
        Property("ATTENDEE", (), address(prop.value))
        for prop in component.properties
        if prop.name == "ATTENDEE" and address(prop.value) != who
    )
    return others | frozenset(
        prop._replace(params=tuple(p for p in prop.params if p[0] == "TZID"))
        for prop in component.properties
        if prop.name not in _OF_ATTENDEES
        and not prop.name.startswith("X-")
        and prop.name not in ("ORGANIZER", "RECURRENCE-ID")
    )


def _untimed(fixed: frozenset[Property]) -> frozenset[Property]:
    return frozenset(prop for prop in fixed if prop.name not in _TIMES)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an attendee answers: for the series (``instance`` is None), or one instance of it."""

    partstat: str
    instance: Moment | None
    component: Component


def answers(old: CalendarObject | None, new: CalendarObject | None, who: str) -> list[Answer]:
    """Return what an attendee has to tell the organizer about a change of their copy.

    A copy that is deleted, and an instance taken out, are declined (RFC 6638 section 3.2.2.3).
    """
    if new is None:
        assert old is not None
        listed = old.timings[:1] if old.master is not None else old.timings
        return [
            Answer("DECLINED", each.recurrence, each.component)
            for each in listed
            if partstat_of(each.component, who) not in ("", "DECLINED")
        ]
    before = {}
    if old is not None:
        before = {
            instance_key(old, each.recurrence): _answer(each.component, who) for each in old.timings
        }
    main = before.get(None, ("NEEDS-ACTION", ""))
    found = []
    for each in new.timings:
        said = _answer(each.component, who)
        if said[0] and said != before.get(instance_key(new, each.recurrence), main):
            found.append(Answer(said[0], each.recurrence, each.component))
    if old is not None and old.master is not None and new.master is not None:
        known = {instance_key(old, each) for each in old.master.removed}
        found += [
            Answer("DECLINED", each, new.master.component)
            for each in new.master.removed
            if instance_key(new, each) not in known and main[0] not in ("", "DECLINED")
        ]
    return found


def _answer(component: Component, who: str) -> tuple[str, str]:
    prop = attendee_in(component, who)
    return partstat_of(component, who), component.value("COMMENT") if prop is not None else ""
