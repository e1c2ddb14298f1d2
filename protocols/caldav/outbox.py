"""POST to the outbox: when other people are busy (RFC 6638 section 5)."""

from __future__ import annotations

import time
from typing import Final
from xml.sax.saxutils import escape

from folkmoot.protocols.caldav.objects import add_object
from folkmoot.protocols.caldav.times import zone_of_calendar
from folkmoot.protocols.caldav.types import is_outbox, makes_busy
from folkmoot.protocols.caldav.words import CALENDAR, refusal_of, refuse
from folkmoot.protocols.dav.inviting import answer_sharing
from folkmoot.protocols.dav.multistatus import XML_TYPE
from folkmoot.protocols.dav.names import DECLARATIONS
from folkmoot.protocols.dav.registry import compliance, method
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource, folder_node
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.facts import address
from folkmoot.storage.content.ical.freebusy import BusyPeriod, busy_periods, free_busy_reply
from folkmoot.storage.content.ical.intake import CalendarObject
from folkmoot.storage.content.ical.itip import read_message
from folkmoot.storage.content.ical.tree import Component, Limits
from folkmoot.storage.content.ical.values import property_moment
from folkmoot.storage.types_tree import Folder

# rfc6638#2: what is PUT is scheduled
compliance("calendar-auto-schedule")

_LIMIT: Final = 256 * 1024  # octets of a request
_ATTENDEES: Final = 100
_LONGEST: Final = 400 * 86_400  # seconds that may be asked for

SUCCESS: Final = "2.0;Success"
UNKNOWN_USER: Final = "3.7;Invalid calendar user"
NO_AUTHORITY: Final = "3.8;No authority"


@method("POST", Kind.FOLDER, CALENDAR)
async def post(request: Request, resource: Resource) -> None:
    """A request for busy times; in other collections a new member, or who shares it. # rfc6638#5"""
    if not is_outbox(resource.node):
        if not await answer_sharing(request, resource):
            await add_object(request, resource)
        return
    exchange = request.exchange
    media_type = (exchange.header("Content-Type") or "").partition(";")[0].strip().lower()
    if media_type != "text/calendar":
        raise refuse("supported-calendar-data", 415, "The outbox takes text/calendar.")
    message = _message(await exchange.read_body(_LIMIT))
    await _check_organizer(request, resource, message)
    component = message.parts[0]
    since, before = _range(component)
    parts = []
    for who in dict.fromkeys(prop.value.strip() for prop in component.all("ATTENDEE")):
        status, data = await _answer(request, message, who, since, before)
        parts.append(_response(who, status, data))
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<C:schedule-response{DECLARATIONS}>'
        f"{''.join(parts)}</C:schedule-response>"
    )
    await exchange.respond(200, [XML_TYPE], body.encode("utf-8", "replace"))


def _message(octets: bytes) -> CalendarObject:
    """The request. Raises ``DavError`` (valid-calendar-data, valid-scheduling-message)."""
    # rfc6638#5.2.1
    try:
        method_, message = read_message(octets, Limits(octets=_LIMIT, attendees=_ATTENDEES))
    except CalendarError as error:
        raise refusal_of(error) from None
    if method_ != "REQUEST" or message.component != "VFREEBUSY" or len(message.parts) != 1:
        raise refuse(
            "valid-scheduling-message", text="Only requests for busy times are posted here."
        )
    return message


async def _check_organizer(request: Request, outbox: Resource, message: CalendarObject) -> None:
    """Who asks must be whom the outbox belongs to. # rfc6638#5.2.2"""
    owner = await request.tree.principal(outbox.tree_path.space_id)
    organizer = address(message.parts[0].value("ORGANIZER"))
    if organizer not in {f"mailto:{each}" for each in owner.addresses}:
        raise refuse("valid-organizer", text="The organizer must be you.")


def _range(component: Component) -> tuple[int, int]:
    start, end = component.first("DTSTART"), component.first("DTEND")
    if start is None or end is None:
        raise refuse("valid-scheduling-message", text="A start and an end must be given.")
    try:
        since, before = (property_moment(each, lambda _: None).local for each in (start, end))
    except CalendarError as error:
        raise refusal_of(error) from None
    if not since < before <= since + _LONGEST:
        raise refuse("valid-scheduling-message", text="These times cannot be answered.")
    return since, before


async def _answer(
    request: Request, message: CalendarObject, who: str, since: int, before: int
) -> tuple[str, str]:
    """The status for one person, and their busy times as iCalendar text."""
    # rfc6638#5.1, rfc6638#10.2
    calendars = await request.tree.calendars_of(address(who))
    if calendars is None:
        return UNKNOWN_USER, ""
    if not calendars:
        return NO_AUTHORITY, ""
    component = message.parts[0]
    masked = component.value("X-CALENDARSERVER-MASK-UID")
    rows: list[BusyPeriod] = []
    for entry in calendars:
        if not makes_busy(entry.properties):
            continue
        assert isinstance(entry.node, Folder)
        zone = zone_of_calendar(folder_node("", entry.node, entry.properties))
        rows += await request.tree.busy_times(
            [entry.node.id], since, before, zone, except_uid=masked
        )
    periods = busy_periods(rows, since, before)
    reply = free_busy_reply(
        periods, since, before, int(time.time()), request=component, attendee=who
    )
    return SUCCESS, reply.decode("utf-8", "replace")


def _response(who: str, status: str, data: str) -> str:
    content = f"<C:calendar-data>{escape(data)}</C:calendar-data>" if data else ""
    return (
        f"<C:response><C:recipient><D:href>{escape(who)}</D:href></C:recipient>"
        f"<C:request-status>{status}</C:request-status>{content}</C:response>"
    )
