"""CALDAV:calendar-data in reports: what of the objects is asked for, and the answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

from folkmoot.protocols.caldav.times import time_range
from folkmoot.protocols.caldav.words import CALENDAR_DATA, cal, refuse
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Node
from folkmoot.protocols.http.xml import Element, child, children
from folkmoot.storage.content.ical.intake import load_calendar
from folkmoot.storage.content.ical.spans import TimeRange
from folkmoot.storage.content.ical.transform import (
    CalendarData,
    CompSelection,
    shape,
    without_timezones,
)
from folkmoot.storage.content.ical.tree import serialize
from folkmoot.storage.content.ical.values import Zone
from folkmoot.storage.content.ical.vtimezone import with_timezones

MAX_DEPTH: Final = 6
MAX_PARTS: Final = 300

#: What XML 1.0 cannot hold, beside U+FFFE and U+FFFF and what UTF-8 cannot be decoded to.
_CONTROLS: Final = bytes({*range(0x20)} - {*b"\t\r\n"})


class DataAsked:
    """What a report wants of the objects themselves. ``wanted`` is False where it wants nothing."""

    def __init__(self, request: Request, root: Element) -> None:
        """Raises ``DavError`` (supported-calendar-data, valid-filter)."""
        props = child(root, "{DAV:}prop")
        found = child(props, CALENDAR_DATA) if props is not None else None
        self.wanted = found is not None
        self.asked = _read(found) if found is not None else CalendarData()
        if timezones_unwanted(request):
            self.asked = dataclasses.replace(self.asked, no_timezones=True)

    def element(self, octets: bytes, zone: Zone) -> str:
        """The property's whole element. Raises ``CalendarError`` (max-instances)."""
        if not self.asked.changes_nothing:
            octets = shape(load_calendar(octets), self.asked, zone)
        elif lacks_timezones(octets):
            octets = completed(octets)
        return f"<C:calendar-data>{_escaped(octets)}</C:calendar-data>"

    def answer(self, zone: Zone) -> Callable[[Node], str | None]:
        """What a plan answers for the property."""

        def of(node: Node) -> str | None:
            return None if node.data is None else self.element(node.data, zone)

        return of


def _escaped(octets: bytes) -> str:
    octets = octets.translate(None, _CONTROLS)
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")
    if "\ufffe" in text or "\uffff" in text:
        text = text.replace("\ufffe", "").replace("\uffff", "")
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    return text.replace(">", "&gt;") if ">" in text else text


# --- time zones -----------------------------------------------------------------------------------


def timezones_unwanted(request: Request) -> bool:
    """Whether a client knows time zones by name and wants no rules of them. # rfc7809#3.1.3"""
    return (request.exchange.header("CalDAV-Timezones") or "").strip().upper() == "F"


def lacks_timezones(octets: bytes) -> bool:
    """Whether an object names zones and has none: a client stored it that knows them by name."""
    return b"TZID=" in octets and b"BEGIN:VTIMEZONE" not in octets


def completed(octets: bytes) -> bytes:
    """An object with the rules of its zones, for clients that do not know them by name."""
    return serialize(with_timezones(load_calendar(octets).calendar))


def stripped(octets: bytes) -> bytes:
    """An object without the rules of zones that are known by name."""
    return serialize(without_timezones(load_calendar(octets).calendar))


# --- reading --------------------------------------------------------------------------------------


def _read(found: Element) -> CalendarData:
    # rfc4791#9.6
    kind = str(found.get("content-type", "text/calendar")).strip().lower()
    version = str(found.get("version", "2.0")).strip()
    if (kind, version) != ("text/calendar", "2.0"):
        raise refuse("supported-calendar-data", text="Only iCalendar 2.0 is supported.")
    selection = None
    ranges: dict[str, TimeRange] = {}
    for each in children(found):
        if each.tag == cal("comp"):
            selection = _selection(each, [MAX_PARTS], 1)
        elif each.tag in _RANGES:
            ranges[str(each.tag)] = time_range(each, closed=True)
    if selection is not None and selection.name != "VCALENDAR":
        raise DavError(400, text="The outermost comp is VCALENDAR.")
    if cal("expand") in ranges and cal("limit-recurrence-set") in ranges:
        raise DavError(400, text="expand and limit-recurrence-set exclude each other.")
    return CalendarData(
        selection,
        ranges.get(cal("expand")),
        ranges.get(cal("limit-recurrence-set")),
        ranges.get(cal("limit-freebusy-set")),
    )


_RANGES: Final = {cal("expand"), cal("limit-recurrence-set"), cal("limit-freebusy-set")}


def _selection(found: Element, left: list[int], depth: int) -> CompSelection:
    # rfc4791#9.6.1
    inside = list(children(found))
    left[0] -= 1 + len(inside)
    if left[0] < 0 or depth > MAX_DEPTH:
        raise DavError(400, text="calendar-data asks for too much at once.")
    props = {
        str(each.get("name", "")).upper(): str(each.get("novalue", "no")).lower() == "yes"
        for each in inside
        if each.tag == cal("prop")
    }
    comps = [_selection(each, left, depth + 1) for each in inside if each.tag == cal("comp")]
    tags = {each.tag for each in inside}
    return CompSelection(
        str(found.get("name", "")).upper(),
        cal("allprop") in tags,
        props,
        cal("allcomp") in tags,
        tuple(comps),
    )
