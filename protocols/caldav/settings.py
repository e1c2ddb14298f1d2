"""What people set for a calendar: its description, zone, color, order, default alarms."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.caldav.times import (
    TIMEZONE,
    TIMEZONE_ID,
    element_text,
    zone_by_id,
    zone_stated,
)
from folkmoot.protocols.caldav.types import TRANSPARENCY, is_calendar
from folkmoot.protocols.caldav.words import CALENDAR, apple, cal, refusal_of, refuse
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import escape
from folkmoot.protocols.dav.props.basic import any_value
from folkmoot.protocols.dav.registry import prop, stored_prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.http.xml import Element, children, text
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.freebusy import PRODUCT
from folkmoot.storage.content.ical.tree import Component, Limits, Property, parse, serialize
from folkmoot.storage.content.ical.vtimezone import vtimezone
from folkmoot.storage.content.ical.zones import zone_named

_ALARMS: Final = (
    "default-alarm-vevent-datetime",
    "default-alarm-vevent-date",
    "default-alarm-vtodo-datetime",
    "default-alarm-vtodo-date",
)
_ALARM_LIMITS: Final = Limits(octets=1 << 16, components=20)


def _description(resource: Resource, value: Element) -> None:
    """Text and nothing else. # rfc4791#5.2.1"""
    if next(children(value), None) is not None:
        raise DavError(409, text="A description is text.")


def _timezone(resource: Resource, value: Element) -> None:
    """One VTIMEZONE. # rfc4791#5.2.2"""
    zone_stated(text(value))


def _timezone_id(resource: Resource, value: Element) -> None:
    """A name that is known here. # rfc7809#5.2"""
    zone_by_id(text(value))


def _transparency(resource: Resource, value: Element) -> None:
    """opaque or transparent. # rfc6638#9.1"""
    inside = [each.tag for each in children(value)]
    if inside not in ([cal("opaque")], [cal("transparent")]):
        raise DavError(409, text="It is either opaque or transparent.")


def _alarm(resource: Resource, value: Element) -> None:
    """VALARMs, or nothing: no alarm."""
    inside = text(value).strip()
    if not inside:
        return
    wrapped = f"BEGIN:VCALENDAR\r\n{inside}\r\nEND:VCALENDAR\r\n"
    try:
        found = parse(wrapped.encode("utf-8", "replace"), _ALARM_LIMITS)
    except CalendarError as error:
        raise refusal_of(error) from None
    if found.properties or any(each.name != "VALARM" for each in found.components):
        raise refuse("valid-calendar-data", text="A default alarm is a VALARM.")


stored_prop(cal("calendar-description"), Kind.FOLDER, CALENDAR, setter=_description)
stored_prop(apple("calendar-color"), Kind.FOLDER, CALENDAR, setter=any_value)
stored_prop(apple("calendar-order"), Kind.FOLDER, CALENDAR, setter=any_value)
for _name in _ALARMS:
    stored_prop(cal(_name), Kind.HOME | Kind.FOLDER, CALENDAR, setter=_alarm)


@prop(TIMEZONE, Kind.FOLDER, CALENDAR, stored=True, setter=_timezone, replaces=(TIMEZONE_ID,))
def timezone(request: Request, node: Node) -> str | None:
    """The zone of floating times: what was set, or that of the name that was set. # rfc7809#5.2"""
    named = node.properties.get(TIMEZONE_ID)
    found = vtimezone(element_text(named).strip()) if named is not None else None
    if found is None:
        return None
    top = (Property("VERSION", (), "2.0"), Property("PRODID", (), PRODUCT))
    return escape(serialize(Component("VCALENDAR", top, (found,))).decode())


@prop(TIMEZONE_ID, Kind.FOLDER, CALENDAR, stored=True, setter=_timezone_id, replaces=(TIMEZONE,))
def timezone_id(request: Request, node: Node) -> str | None:
    """The same by name: what was set, or the name of the zone that was set. # rfc7809#5.2"""
    stated = node.properties.get(TIMEZONE)
    if stated is None:
        return None
    name = zone_stated(element_text(stated)).name
    return escape(name) if zone_named(name) is not None else None


@prop(TRANSPARENCY, Kind.FOLDER, CALENDAR, stored=True, setter=_transparency)
def transparency(request: Request, node: Node) -> str | None:
    """Whether what is in it makes busy. # rfc6638#9.1"""
    return "<C:opaque/>" if is_calendar(node) else None
