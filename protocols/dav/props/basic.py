"""What every resource has: its type, its name, its times, its octets (RFC 4918 section 15)."""

from __future__ import annotations

from folkmoot.protocols.dav.dates import http_date, iso_date, parse_date
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import dav, escape, printable
from folkmoot.protocols.dav.registry import NO_CONTENT, Column, prop, stored_prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.dav.types import resource_type
from folkmoot.protocols.http.xml import Element, text
from folkmoot.storage.types_tree import ItemTimes

SETTABLE = Kind.HOME | Kind.FOLDER | Kind.ITEM


def any_value(resource: Resource, value: Element) -> None:
    """Stored as it is."""


def modification_time(resource: Resource, value: Element) -> ItemTimes:
    """A time in any form of date: the one time of modification that is kept of an item."""
    seconds = parse_date(text(value))
    if seconds is None:
        raise DavError(409, text="This is no date.")
    return ItemTimes(modified=seconds)


def creation_time(resource: Resource, value: Element) -> ItemTimes:
    """The same for the time of creation."""
    seconds = parse_date(text(value))
    if seconds is None:
        raise DavError(409, text="This is no date.")
    return ItemTimes(created=seconds)


_NAMES = Column("name", lambda request, names: [escape(printable(name)) for name in names])
_SIZES = Column("size", lambda request, sizes: sizes)
_TYPES = Column("media_type", lambda request, types: map(_type, types))
_TAGS = Column("etag", lambda request, tags: [f'"{tag}"' for tag in tags])
_MODIFIED = Column("modified", lambda request, times: map(http_date, times))
_CREATED = Column("created", lambda request, times: map(iso_date, times))


@prop(dav("resourcetype"), everything=True, column=NO_CONTENT)
def resourcetype(request: Request, node: Node) -> str:
    """What kind of thing it is; empty for an item. # rfc4918#15.9"""
    return resource_type(node)


@prop(dav("displayname"), everything=True, stored=True, setter=any_value, column=_NAMES)
def displayname(request: Request, node: Node) -> str:
    """The name for people: what was set, or else the last part of the path. # rfc4918#15.2"""
    return escape(printable(node.name or node.title))


@prop(dav("getcontentlength"), Kind.ITEM, everything=True, column=_SIZES)
def getcontentlength(request: Request, node: Node) -> str | None:
    """Octets. # rfc4918#15.4"""
    return str(node.item.size) if node.item is not None else None


def _type(media_type: str) -> str:
    return escape(media_type) or "application/octet-stream"


@prop(dav("getcontenttype"), Kind.ITEM, everything=True, column=_TYPES)
def getcontenttype(request: Request, node: Node) -> str | None:
    """The media type as GET says it. # rfc4918#15.5"""
    return _type(node.item.media_type) if node.item is not None else None


stored_prop(dav("getcontentlanguage"), Kind.ITEM, setter=any_value, everything=True)


@prop(dav("getetag"), Kind.ITEM, everything=True, column=_TAGS)
def getetag(request: Request, node: Node) -> str | None:
    """A strong entity tag, with its quotes. # rfc4918#15.6"""
    return f'"{node.item.etag}"' if node.item is not None else None


@prop(
    dav("getlastmodified"),
    Kind.IN_TREE,
    everything=True,
    setter=modification_time,
    column=_MODIFIED,
)
def getlastmodified(request: Request, node: Node) -> str | None:
    """When it was changed; clients may set it for what they upload. # rfc4918#15.7"""
    thing = node.item or node.folder
    return http_date(thing.modified) if thing is not None else None


@prop(dav("creationdate"), Kind.IN_TREE, everything=True, setter=creation_time, column=_CREATED)
def creationdate(request: Request, node: Node) -> str | None:
    """When it came to be. # rfc4918#15.1"""
    thing = node.item or node.folder
    return iso_date(thing.created) if thing is not None else None
