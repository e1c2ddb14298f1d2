"""What a calendar can hold, and how it can be asked (RFC 4791 section 5.2)."""

from __future__ import annotations

from itertools import combinations
from typing import Final

from folkmoot.protocols.caldav.types import is_calendar, is_inbox
from folkmoot.protocols.caldav.words import CALENDAR, cal
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.storage.content.ical.query import Collation
from folkmoot.storage.content.ical.tree import Limits

_COMPONENTS: Final = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY")
#: Those that a client may choose from when it makes a calendar.
_CHOICES: Final = _COMPONENTS[:3]
_LIMITS: Final = Limits()
_HOLDERS: Final = Kind.FOLDER
_DATA: Final = '<C:calendar-data content-type="text/calendar" version="2.0"/>'


def _holds_objects(node: Node) -> bool:
    return is_calendar(node) or is_inbox(node)


@prop(cal("supported-calendar-component-set"), _HOLDERS, CALENDAR)
def supported_components(request: Request, node: Node) -> str:
    """The components that it takes. # rfc4791#5.2.3"""
    names = node.folder.components if node.folder is not None else ()
    return _set(names or _COMPONENTS)


@prop(cal("supported-calendar-component-sets"), Kind.HOME, CALENDAR)
def supported_sets(request: Request, node: Node) -> str:
    """The sets of components that new calendars can be for: any. # rfc4791#5.2.3"""
    name = "C:supported-calendar-component-set"
    return "".join(
        f"<{name}>{_set(names)}</{name}>"
        for count in range(1, len(_CHOICES) + 1)
        for names in combinations(_CHOICES, count)
    )


def _set(names: tuple[str, ...]) -> str:
    return "".join(f'<C:comp name="{name}"/>' for name in names)


@prop(cal("supported-calendar-data"), _HOLDERS, CALENDAR)
def supported_data(request: Request, node: Node) -> str:
    """iCalendar 2.0. # rfc4791#5.2.4"""
    return _DATA


@prop(cal("supported-collation-set"), Kind.HOME | _HOLDERS, CALENDAR)
def supported_collations(request: Request, node: Node) -> str:
    """How texts can be compared. # rfc4791#7.5.1"""
    return "".join(
        f"<C:supported-collation>{each.value}</C:supported-collation>" for each in Collation
    )


@prop(cal("max-resource-size"), Kind.HOME | _HOLDERS, CALENDAR)
def max_resource_size(request: Request, node: Node) -> str:
    """Octets of an object. # rfc4791#5.2.5"""
    return str(request.tree.limits.calendar)


@prop(cal("min-date-time"), _HOLDERS, CALENDAR)
def min_date_time(request: Request, node: Node) -> str | None:
    """The first second of the year 1. # rfc4791#5.2.6"""
    return "00010101T000000Z" if _holds_objects(node) else None


@prop(cal("max-date-time"), _HOLDERS, CALENDAR)
def max_date_time(request: Request, node: Node) -> str | None:
    """The last second of the year 9999. # rfc4791#5.2.7"""
    return "99991231T235959Z" if _holds_objects(node) else None


@prop(cal("max-instances"), _HOLDERS, CALENDAR)
def max_instances(request: Request, node: Node) -> str | None:
    """Recurrences with an end that an object may have. # rfc4791#5.2.8"""
    return str(_LIMITS.steps) if _holds_objects(node) else None


@prop(cal("max-attendees-per-instance"), _HOLDERS, CALENDAR)
def max_attendees(request: Request, node: Node) -> str | None:
    """Attendees of one component. # rfc4791#5.2.9"""
    return str(_LIMITS.attendees) if _holds_objects(node) else None
