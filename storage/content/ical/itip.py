"""Messages of scheduling: REQUEST, CANCEL, REPLY, and taking in a reply (RFC 5546)."""

from __future__ import annotations

from folkmoot.storage.content.ical.diff import Answer, instance_key
from folkmoot.storage.content.ical.facts import address
from folkmoot.storage.content.ical.freebusy import PRODUCT
from folkmoot.storage.content.ical.intake import CalendarObject, object_of
from folkmoot.storage.content.ical.people import (
    attendee_in,
    exception_of,
    for_attendee,
    mapped,
    stated_as,
    with_attendee,
    without_schedule_parameters,
)
from folkmoot.storage.content.ical.tree import Component, Limits, Property, parse, serialize
from folkmoot.storage.content.ical.values import Moment, moment_property, utc_text
from folkmoot.storage.content.ical.zones import UTC

_IN_CANCEL = frozenset(
    [
        "UID",
        "DTSTART",
        "DTEND",
        "DUE",
        "DURATION",
        "RECURRENCE-ID",
        "SUMMARY",
        "LOCATION",
        "SEQUENCE",
        "ORGANIZER",
    ]
)
_IN_REPLY = frozenset(
    [
        "UID",
        "DTSTART",
        "DTEND",
        "DUE",
        "DURATION",
        "RECURRENCE-ID",
        "SUMMARY",
        "SEQUENCE",
        "ORGANIZER",
        "COMMENT",
        "PERCENT-COMPLETE",
        "COMPLETED",
    ]
)


def request_for(found: CalendarObject, who: str, now: int) -> bytes | None:
    """Return the REQUEST that invites an attendee, or tells of a change; None if they are in
    nothing of it. ``now`` is seconds UTC (RFC 5546 section 3.2.2)."""
    view = for_attendee(found, who)
    if view is None:
        return None
    components = tuple(
        _stamped(each, now) if each.name == found.component else each for each in view.components
    )
    return _message("REQUEST", components)


def cancel_for(old: CalendarObject, new: CalendarObject | None, who: str, now: int) -> bytes | None:
    """Return the CANCEL that tells an attendee of what is no longer theirs; None for nothing.

    Somebody who is still invited to the series learns of single instances by the REQUEST (RFC 5546
    section 3.2.5).
    """
    seen = _seen_by(old, who)
    now_seen = _seen_by(new, who) if new is not None else {}
    if None in now_seen:
        return None
    gone = [seen[None]] if None in seen else [seen[key] for key in seen if key not in now_seen]
    if not gone:
        return None
    zones = [each for each in old.calendar.components if each.name == "VTIMEZONE"]
    made = [_cancelled(each, who, now) for each in gone]
    return _message("CANCEL", (*zones, *made))


def _seen_by(found: CalendarObject, who: str) -> dict[int | None, Component]:
    return {
        instance_key(found, timing.recurrence): timing.component
        for timing in found.timings
        if attendee_in(timing.component, who) is not None
    }


def _cancelled(component: Component, who: str, now: int) -> Component:
    kept = [prop for prop in component.properties if prop.name in _IN_CANCEL]
    sequence = component.value("SEQUENCE")
    known = sequence.isascii() and sequence.isdigit() and len(sequence) < 10
    number = int(sequence) + 1 if known else 1
    kept = [prop for prop in kept if prop.name != "SEQUENCE"]
    attendee = attendee_in(component, who)
    kept += [attendee] if attendee is not None else []
    kept += [Property("SEQUENCE", (), str(number)), Property("STATUS", (), "CANCELLED")]
    made = without_schedule_parameters(Component(component.name, tuple(kept), ()))
    return _stamped(made, now)


def reply_for(found: CalendarObject, who: str, said: list[Answer], now: int) -> bytes | None:
    """Return the REPLY of an attendee with what `diff.answers` found; None for nothing to say.

    ``found`` is the copy of the attendee (RFC 5546 section 3.2.3).
    """
    made = []
    for answer in said:
        attendee = attendee_in(answer.component, who)
        if attendee is None:
            continue
        kept = [prop for prop in answer.component.properties if prop.name in _IN_REPLY]
        if answer.instance is not None and answer.component.first("RECURRENCE-ID") is None:
            kept = [prop for prop in kept if prop.name in ("UID", "SEQUENCE", "ORGANIZER")]
            kept.append(_instance_property(found, answer.instance))
        kept.append(attendee.with_param("PARTSTAT", answer.partstat).with_param("RSVP", None))
        kept.append(Property("REQUEST-STATUS", (), "2.0;Success"))
        clean = without_schedule_parameters(Component(found.component, tuple(kept), ()))
        made.append(_stamped(clean, now))
    if not made:
        return None
    zones = [each for each in found.calendar.components if each.name == "VTIMEZONE"]
    return _message("REPLY", (*zones, *made))


def _instance_property(found: CalendarObject, rid: Moment) -> Property:
    master = found.master
    model = master.component.first("DTSTART") if master is not None else None
    if master is None or model is None:
        return moment_property("RECURRENCE-ID", rid)
    return stated_as(master, "RECURRENCE-ID", model, found.series(UTC).local_of(rid))


def _stamped(component: Component, now: int) -> Component:
    return component.without("DTSTAMP").plus(Property("DTSTAMP", (), utc_text(now)))


def _message(method: str, components: tuple[Component, ...]) -> bytes:
    top = (
        Property("VERSION", (), "2.0"),
        Property("PRODID", (), PRODUCT),
        Property("METHOD", (), method),
    )
    return serialize(Component("VCALENDAR", top, components))


# --- taking in -------------------------------------------------------------------------------


def read_message(octets: bytes, limits: Limits) -> tuple[str, CalendarObject]:
    """Return METHOD (upper case; "" for none) and the object of a message.

    Raises `CalendarError` as `intake.read_calendar`.
    """
    # rfc5545#3.7.2
    calendar = parse(octets, limits)
    method = calendar.value("METHOD").upper()
    return method, object_of(calendar.without("METHOD"), components=None, limits=limits)


def apply_reply(found: CalendarObject, reply: CalendarObject, who: str) -> Component | None:
    """Return the organizer's calendar with the answers of one attendee; None if nothing changes.

    An answer for an instance makes an exception of it where there is none. Answers of somebody who
    is no attendee, or for what does not exist, change nothing (RFC 6638 section 4.2). Raises
    `CalendarError` "max-instances".
    """
    wanted: dict[int | None, str] = {}
    for timing in reply.timings:
        prop = attendee_in(timing.component, who)
        if prop is not None:
            status = prop.param("PARTSTAT").upper() or "NEEDS-ACTION"
            wanted[instance_key(found, timing.recurrence)] = status
    keys = {id(each.component): instance_key(found, each.recurrence) for each in found.timings}

    def change(component: Component) -> Component:
        status = wanted.get(keys[id(component)]) if id(component) in keys else None
        if status is None or attendee_in(component, who) is None:
            return component
        return with_attendee(component, who, partstat=status)

    changed = mapped(found, change)
    added = []
    series, budget, present = found.series(UTC), found.budget(), set(keys.values())
    for timing in reply.timings:
        rid = timing.recurrence
        key = instance_key(found, rid)
        if rid is None or key in present or key not in wanted:
            continue
        made = exception_of(found, series, rid, budget)
        if made is not None and attendee_in(made, who) is not None:
            added.append(with_attendee(made, who, partstat=wanted[key]))
    changed = changed._replace(components=changed.components + tuple(added))
    return None if changed == found.calendar else changed


def is_about(message: CalendarObject, who: str) -> bool:
    """Whether somebody is organizer or attendee of a message."""
    return any(
        address(prop.value) == who
        for part in message.parts
        for prop in part.properties
        if prop.name in ("ORGANIZER", "ATTENDEE")
    )
