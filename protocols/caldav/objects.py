"""PUT and GET of calendar object resources (RFC 4791 section 5.3.2)."""

from __future__ import annotations

import dataclasses
from typing import Final

from folkmoot.protocols.caldav.data import (
    completed,
    lacks_timezones,
    stripped,
    timezones_unwanted,
)
from folkmoot.protocols.caldav.words import CALENDAR, cal, refuse
from folkmoot.protocols.dav.conditions import Read, judge_read
from folkmoot.protocols.dav.methods.get import answer_item, item_fields, octets_of
from folkmoot.protocols.dav.methods.post import add_member
from folkmoot.protocols.dav.methods.put import put
from folkmoot.protocols.dav.methods.storing import media_type_of
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.registry import Column, MethodHandler, method, prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.storage.errors import TooLarge
from folkmoot.storage.types_tree import Item

_VARY: Final = ("Vary", "CalDAV-Timezones")
#: Types that clients send iCalendar with; some say nothing at all.
_TAKEN: Final = ("", "text/calendar", "text/plain", "application/octet-stream")


@method("PUT", Kind.ITEM | Kind.NOTHING, CALENDAR, located=False)
async def put_object(request: Request, resource: Resource) -> None:
    """Store an object as it is sent. # rfc4791#5.3.2"""
    await _store(request, resource, put)


async def add_object(request: Request, resource: Resource) -> None:
    """Store an object under a name that the server finds. # rfc5995#3.1"""
    await _store(request, resource, add_member)


async def _store(request: Request, resource: Resource, handler: MethodHandler) -> None:
    """Refuse what is no iCalendar, or too large, before it is read. # rfc4791#5.3.2.1"""
    if media_type_of(request).partition(";")[0].strip().lower() not in _TAKEN:
        raise refuse("supported-calendar-data", 415, "A calendar holds text/calendar.")
    request.limits = dataclasses.replace(request.limits, max_upload=request.tree.limits.calendar)
    try:
        await handler(request, resource)
    except TooLarge:
        raise refuse("max-resource-size", text="The object is larger than allowed.") from None


@method("HEAD", Kind.ITEM, CALENDAR)
@method("GET", Kind.ITEM, CALENDAR)
async def get_object(request: Request, resource: Resource) -> None:
    """The octets as they were stored, but with or without rules of zones as the client wants.

    The tag stays strong, because it is for If-Match that clients keep it. # rfc7809#3.1.3
    """
    exchange = request.exchange
    item = resource.item._replace(media_type=media_type(resource.item))
    if exchange.header("Range") is not None or judge_read(exchange, item) is not Read.SEND:
        await answer_item(request, item, [_VARY])
        return
    stored = await octets_of(request, item)
    octets = stored
    if timezones_unwanted(request):
        if b"BEGIN:VTIMEZONE" in stored:
            octets = await request.tree.compute(lambda: stripped(stored))
    elif lacks_timezones(stored):
        octets = await request.tree.compute(lambda: completed(stored))
    fields = [*item_fields(item), _VARY, ("Content-Type", item.media_type)]
    await exchange.respond(200, [*fields, ("X-Content-Type-Options", "nosniff")], octets)


_TYPES: Final = Column("component", lambda request, components: map(_type_of, components))


@prop(dav("getcontenttype"), Kind.ITEM, CALENDAR, everything=True, column=_TYPES)
def getcontenttype(request: Request, node: Node) -> str | None:
    """The media type with the component. # rfc5545#8.1"""
    return media_type(node.item) if node.item is not None else None


@prop(cal("schedule-tag"), Kind.ITEM, CALENDAR)
def schedule_tag(request: Request, node: Node) -> str | None:
    """Changes with what is more than an answer of an attendee. # rfc6638#3.2.10, rfc6638#9.3"""
    if node.item is None or not node.item.schedule_tag:
        return None
    return f'"{node.item.schedule_tag}"'


def media_type(item: Item) -> str:
    """``text/calendar`` with what it has in it."""
    return _type_of(item.component)


def _type_of(component: str) -> str:
    named = f"; component={component}" if component else ""
    return f"text/calendar; charset=utf-8{named}"
