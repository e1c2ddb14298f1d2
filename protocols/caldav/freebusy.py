"""The report free-busy-query (RFC 4791 section 7.10)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from folkmoot.protocols.caldav.homes import calendars_below
from folkmoot.protocols.caldav.times import time_range, zone_of_calendar
from folkmoot.protocols.caldav.types import makes_busy
from folkmoot.protocols.caldav.words import CALENDAR, cal
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.registry import interceptor, report
from folkmoot.protocols.dav.request import INFINITY, Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource, folder_node
from folkmoot.protocols.dav.xml import MAX_BODY
from folkmoot.protocols.http.xml import Element, child
from folkmoot.storage.content.ical.freebusy import BusyPeriod, busy_periods, free_busy_reply
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Folder, TreePath


@report(cal("free-busy-query"), Kind.HOME | Kind.FOLDER, CALENDAR)
async def free_busy_query(request: Request, resource: Resource, root: Element) -> None:
    """When somebody is busy, without what with. The answer is iCalendar, no multistatus."""
    request.written = resource.tree_path
    since, before = _range(root)
    # Depth 0 is the collection itself, in which there is nothing. Whoever says so means a calendar.
    depth = request.depth(INFINITY)
    if resource.kind is Kind.FOLDER:
        calendars = [resource]
    else:
        below = await calendars_below(request, resource) if depth == INFINITY else []
        # rfc6638#9.1
        calendars = [each for each in below if makes_busy(each.node.properties)]
    await _answer(request, [each.node for each in calendars], since, before)


@interceptor
async def of_fellow_member(request: Request, place: TreePath) -> bool:
    """The same for the home or a calendar of a fellow member, which looks absent otherwise.

    # rfc4791#6.1.1: read-free-busy is all that the report needs
    """
    if request.exchange.method != "REPORT" or place.tool is not Tool.CALENDAR:
        return False
    if place.space_id == request.urls.space_id or len(place.names) > 1:
        return False
    with contextlib.suppress(NotFound):
        await request.tree.find(place)
        return False
    root = await request.xml(MAX_BODY)
    if root is None or root.tag != cal("free-busy-query"):
        raise NotFound
    request.written = place
    nodes = [
        folder_node("", entry.node, entry.properties)
        for entry in await request.tree.busy_calendars(place)
        if isinstance(entry.node, Folder)
    ]
    if not nodes:
        raise NotFound
    since, before = _range(root)
    if not place.names:
        nodes = [node for node in nodes if makes_busy(node.properties)]
    await _answer(request, nodes, since, before)
    return True


def _range(root: Element) -> tuple[int, int]:
    found = child(root, cal("time-range"))
    if found is None:
        raise DavError(400, text="free-busy-query needs a time-range.")
    since, before = time_range(found, closed=True)
    assert since is not None
    assert before is not None
    return since, before


async def _answer(request: Request, calendars: Sequence[Node], since: int, before: int) -> None:
    rows: list[BusyPeriod] = []
    for calendar in calendars:
        assert calendar.folder is not None
        zone = zone_of_calendar(calendar)
        rows += await request.tree.busy_times([calendar.folder.id], since, before, zone)
    periods = busy_periods(rows, since, before)
    body = free_busy_reply(periods, since, before, int(time.time()))
    fields = [("Content-Type", "text/calendar; charset=utf-8"), ("Cache-Control", "no-cache")]
    await request.exchange.respond(200, fields, body)
