"""PUT and GET of calendar object resources (RFC 4791 section 5.3.2)."""

from __future__ import annotations

import dataclasses
from typing import Final

from folkmoot.protocols.caldav.words import CALENDAR, cal, refuse
from folkmoot.protocols.dav.methods.get import get
from folkmoot.protocols.dav.methods.put import put
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.registry import method, prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.storage.types_tree import Item

#: Types that clients send iCalendar with; some say nothing at all.
_TAKEN: Final = ("", "text/calendar", "text/plain", "application/octet-stream")


@method("PUT", Kind.ITEM | Kind.NOTHING, CALENDAR, located=False)
async def put_object(request: Request, resource: Resource) -> None:
    """Store an object as it is sent. Only iCalendar can be one. # rfc4791#5.3.2.1"""
    stated = (request.exchange.header("Content-Type") or "").partition(";")[0].strip().lower()
    if stated not in _TAKEN:
        raise refuse("supported-calendar-data", 415, "A calendar holds text/calendar.")
    await put(request, resource)


@method("HEAD", Kind.ITEM, CALENDAR)
@method("GET", Kind.ITEM, CALENDAR)
async def get_object(request: Request, resource: Resource) -> None:
    """The octets as they were stored, with the type that they are of."""
    resource.node.item = dataclasses.replace(resource.item, media_type=media_type(resource.item))
    await get(request, resource)


@prop(dav("getcontenttype"), Kind.ITEM, CALENDAR, everything=True)
def getcontenttype(request: Request, node: Node) -> str | None:
    """The media type with the component. # rfc5545#8.1"""
    return media_type(node.item) if node.item is not None else None


@prop(cal("schedule-tag"), Kind.ITEM, CALENDAR)
def schedule_tag(request: Request, node: Node) -> str | None:
    """Changes with what is more than an answer of an attendee. # rfc6638#3.2.10"""
    if node.item is None or not node.item.schedule_tag:
        return None
    return f'"{node.item.schedule_tag}"'


def media_type(item: Item) -> str:
    """``text/calendar`` with what it has in it."""
    component = f"; component={item.component}" if item.component else ""
    return f"text/calendar; charset=utf-8{component}"
