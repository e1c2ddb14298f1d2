"""The report calendar-multiget (RFC 4791 section 7.9)."""

from __future__ import annotations

from folkmoot.protocols.caldav.answering import answering
from folkmoot.protocols.caldav.data import DataAsked
from folkmoot.protocols.caldav.times import zone_asked
from folkmoot.protocols.caldav.words import CALENDAR, cal
from folkmoot.protocols.dav.answering import by_collection, collection_at, not_found
from folkmoot.protocols.dav.multistatus import Multistatus
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.http.xml import Element


@report(cal("calendar-multiget"), Kind.IN_TREE, CALENDAR)
async def calendar_multiget(request: Request, resource: Resource, root: Element) -> None:
    """The objects that the request lists by URL. # rfc4791#7.9"""
    request.written = resource.tree_path
    data = DataAsked(request, root)
    listed, lost = await by_collection(request, resource, root)
    answer = Multistatus(request.exchange)
    for path, wanted in listed.items():
        calendar = await collection_at(request, resource, path)
        if calendar is None:
            lost += wanted.values()
            continue
        zone = zone_asked(root, calendar.node)
        await (await answering(request, calendar, root, data, zone)).named(answer, wanted)
    await answer.add(not_found(lost))
    await answer.end()
