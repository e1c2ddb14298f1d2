"""The report calendar-query (RFC 4791 section 7.8)."""

from __future__ import annotations

from folkmoot.protocols.caldav.answering import answering
from folkmoot.protocols.caldav.data import DataAsked
from folkmoot.protocols.caldav.filters import filter_of
from folkmoot.protocols.caldav.homes import calendars_below
from folkmoot.protocols.caldav.times import zone_asked
from folkmoot.protocols.caldav.words import CALENDAR, cal
from folkmoot.protocols.dav.multistatus import Multistatus
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import INFINITY, Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.http.xml import Element

_WINDOWS = "MSFT-"


@report(cal("calendar-query"), Kind.IN_TREE, CALENDAR)
async def calendar_query(request: Request, resource: Resource, root: Element) -> None:
    """The objects that match a filter, with properties and parts of their data. # rfc4791#7.8"""
    request.written = resource.tree_path
    data, asked = DataAsked(request, root), filter_of(root)
    answer = Multistatus(request.exchange)
    for calendar in await _searched(request, resource):
        zone = zone_asked(root, calendar.node)
        ids = await request.tree.find_objects(calendar.folder.id, asked, zone)
        if resource.kind is Kind.ITEM:
            ids = [id_ for id_ in ids if id_ == resource.item.id]
        await (await answering(request, calendar, root, data, zone)).numbered(answer, ids)
    await answer.end()


async def _searched(request: Request, resource: Resource) -> list[Resource]:
    """The calendars that are looked through, by Depth: 0 is the resource itself.

    Windows 10 says 0 for a calendar where it means what is in it, as do those who say nothing.
    # rfc4791#7.8
    """
    if resource.kind is Kind.ITEM:
        return [await request.locate(resource.tree_path.parent)]
    depth = request.depth(1)
    if depth == 0 and not request.agent.startswith(_WINDOWS):
        return []
    if resource.kind is Kind.FOLDER:
        return [resource]
    return await calendars_below(request, resource) if depth == INFINITY else []
