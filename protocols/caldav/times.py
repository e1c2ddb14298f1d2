"""Times and time zones in the XML of requests."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from lxml import etree

from folkmoot.protocols.caldav.words import cal, refusal_of, refuse
from folkmoot.protocols.dav.resources import Node
from folkmoot.protocols.http.xml import Element, child, text
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.spans import TimeRange
from folkmoot.storage.content.ical.values import Zone, moment
from folkmoot.storage.content.ical.zones import UTC, zone_named, zone_of_vtimezone

TIMEZONE: Final = cal("calendar-timezone")
TIMEZONE_ID: Final = cal("calendar-timezone-id")


def time_range(found: Element, *, closed: bool = False) -> TimeRange:
    """The range of an element with ``start`` and ``end``, one of which may be missing.

    ``closed`` says that both must be there. Raises ``DavError`` (valid-filter).
    # rfc4791#9.9, rfc4791#9.6.5
    """
    start, end = _time(found, "start"), _time(found, "end")
    if closed and (start is None or end is None):
        raise refuse("valid-filter", text="Both start and end must be given.")
    if start is None and end is None:
        raise refuse("valid-filter", text="A time range needs a start or an end.")
    if start is not None and end is not None and end <= start:
        raise refuse("valid-filter", text="A time range ends before it begins.")
    return TimeRange(start, end)


def _time(found: Element, name: str) -> int | None:
    value = found.get(name)
    if value is None:
        return None
    try:
        at = moment(str(value), "", lambda _: None)
    except CalendarError:
        raise refuse("valid-filter", text="A time is not of the form YYYYMMDDThhmmssZ.") from None
    # Without Z it is against the RFC; whoever writes so can mean nothing but UTC.
    return at.local


def zone_asked(root: Element, calendar: Node) -> Zone:
    """The zone of floating times: what the request says, what the calendar has, or UTC.

    Raises ``DavError`` (valid-calendar-data, valid-timezone). # rfc4791#7.3, rfc7809#3.1.6
    """
    stated, named = child(root, cal("timezone")), child(root, cal("timezone-id"))
    if named is not None:
        return zone_by_id(text(named))
    if stated is not None:
        return zone_stated(text(stated))
    return zone_of_calendar(calendar)


def zone_by_id(name: str) -> Zone:
    """The zone of a name. Raises ``DavError`` (valid-timezone). # rfc7809#3.1.5"""
    zone = zone_named(name)
    if zone is None:
        raise refuse("valid-timezone", text="This time zone is not known.")
    return zone


def zone_stated(vtimezone: str) -> Zone:
    """The zone of iCalendar text. Raises ``DavError`` (valid-calendar-data)."""
    try:
        return zone_of_vtimezone(vtimezone.strip().encode("utf-8", "replace"))
    except CalendarError as error:
        raise refusal_of(error) from None


def zone_of_calendar(calendar: Node) -> Zone:
    """The zone that was set for a calendar; else UTC."""
    named, stated = calendar.properties.get(TIMEZONE_ID), calendar.properties.get(TIMEZONE)
    if named is not None and (zone := _by_id(named)) is not None:
        return zone
    return _by_rules(stated) if stated is not None else UTC


def element_text(stored: str) -> str:
    """The text of a property as it is stored: a whole element."""
    return text(etree.fromstring(stored.encode()))


# Few different ones are in use, and each may be as long as a property.
@lru_cache(maxsize=64)
def _by_id(stored: str) -> Zone | None:
    return zone_named(element_text(stored))


@lru_cache(maxsize=64)
def _by_rules(stored: str) -> Zone:
    try:
        return zone_of_vtimezone(element_text(stored).strip().encode())
    except CalendarError:
        return UTC
