"""Calendar objects as responses of reports."""

from __future__ import annotations

from folkmoot.protocols.caldav.data import DataAsked
from folkmoot.protocols.caldav.words import CALENDAR_DATA, cal
from folkmoot.protocols.dav.answering import Answering, plan_of
from folkmoot.protocols.dav.multistatus import status_response
from folkmoot.protocols.dav.names import element
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Node, Resource
from folkmoot.protocols.http.xml import Element
from folkmoot.storage.content.ical.errors import CalendarError
from folkmoot.storage.content.ical.values import Zone


async def answering(
    request: Request, calendar: Resource, root: Element, data: DataAsked, zone: Zone
) -> Answering:
    """What makes the responses that a report wants of the objects of a calendar.

    Raises ``DavError`` 400.
    """
    plan = plan_of(request, root, {CALENDAR_DATA: data.answer(zone)})
    await plan.prefetch(calendar)

    def respond(node: Node) -> str:
        try:
            return plan.response(node)
        except CalendarError as error:
            # The others can still be answered.
            return status_response(node.href, 507, element(cal(error.precondition)))

    return Answering(request, calendar, plan, respond, data.wanted)
