"""The report free-busy-query (RFC 4791 section 7.10)."""

from __future__ import annotations

import time

from folkmoot.protocols.caldav.homes import calendars_below
from folkmoot.protocols.caldav.times import time_range, zone_of_calendar
from folkmoot.protocols.caldav.types import makes_busy
from folkmoot.protocols.caldav.words import CALENDAR, cal
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import INFINITY, Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import Element, child
from folkmoot.storage.content.ical.freebusy import BusyPeriod, busy_periods, free_busy_reply


@report(cal("free-busy-query"), Kind.HOME | Kind.FOLDER, CALENDAR)
async def free_busy_query(request: Request, resource: Resource, root: Element) -> None:
    """When somebody is busy, without what with. The answer is iCalendar, no multistatus."""
    request.written = resource.tree_path
    found = child(root, cal("time-range"))
    if found is None:
        raise DavError(400, text="free-busy-query needs a time-range.")
    since, before = time_range(found, closed=True)
    assert since is not None
    assert before is not None
    # Depth 0 is the collection itself, in which there is nothing. Whoever says so means a calendar.
    depth = request.depth(INFINITY)
    if resource.kind is Kind.FOLDER:
        calendars = [resource]
    else:
        below = await calendars_below(request, resource) if depth == INFINITY else []
        # rfc6638#9.1
        calendars = [each for each in below if makes_busy(each.node.properties)]
    rows: list[BusyPeriod] = []
    for calendar in calendars:
        zone = zone_of_calendar(calendar.node)
        rows += await request.tree.busy_times([calendar.folder.id], since, before, zone)
    periods = busy_periods(rows, since, before)
    body = free_busy_reply(periods, since, before, int(time.time()))
    fields = [("Content-Type", "text/calendar; charset=utf-8"), ("Cache-Control", "no-cache")]
    await request.exchange.respond(200, fields, body)
