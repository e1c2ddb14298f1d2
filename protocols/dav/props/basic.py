"""What every resource has: its type, its name, its times, its octets (RFC 4918 section 15)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from folkmoot.protocols.dav.dates import http_date, iso_date, parse_date
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import dav, escape, printable
from folkmoot.protocols.dav.registry import no_content, prop, stored_prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.dav.types import resource_type
from folkmoot.protocols.http.xml import Element, text
from folkmoot.storage.types_tree import Item, ItemTimes

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


@prop(dav("resourcetype"), everything=True, column=no_content)
def resourcetype(request: Request, node: Node) -> str:
    """What kind of thing it is; empty for an item. # rfc4918#15.9"""
    return resource_type(node)


def _names(request: Request, items: Sequence[Item]) -> Iterable[object]:
    return [escape(printable(item.name)) for item in items]


@prop(dav("displayname"), everything=True, stored=True, setter=any_value, column=_names)
def displayname(request: Request, node: Node) -> str:
    """The name for people: what was set, or else the last part of the path. # rfc4918#15.2"""
    return escape(printable(node.name or node.title))


def _sizes(request: Request, items: Sequence[Item]) -> Iterable[object]:
    return [item.size for item in items]


@prop(dav("getcontentlength"), Kind.ITEM, everything=True, column=_sizes)
def getcontentlength(request: Request, node: Node) -> str | None:
    """Octets. # rfc4918#15.4"""
    return str(node.item.size) if node.item is not None else None


def _type(item: Item) -> str:
    return escape(item.media_type) or "application/octet-stream"


def _types(request: Request, items: Sequence[Item]) -> Iterable[object]:
    return map(_type, items)


@prop(dav("getcontenttype"), Kind.ITEM, everything=True, column=_types)
def getcontenttype(request: Request, node: Node) -> str | None:
    """The media type as GET says it. # rfc4918#15.5"""
    return _type(node.item) if node.item is not None else None


stored_prop(dav("getcontentlanguage"), Kind.ITEM, setter=any_value, everything=True)


def _tags(request: Request, items: Sequence[Item]) -> Iterable[object]:
    return [f'"{item.etag}"' for item in items]


@prop(dav("getetag"), Kind.ITEM, everything=True, column=_tags)
def getetag(request: Request, node: Node) -> str | None:
    """A strong entity tag, with its quotes. # rfc4918#15.6"""
    return f'"{node.item.etag}"' if node.item is not None else None


def _modified(request: Request, items: Sequence[Item]) -> Iterable[object]:
    return map(http_date, [item.modified for item in items])


def _created(request: Request, items: Sequence[Item]) -> Iterable[object]:
    return map(iso_date, [item.created for item in items])


@prop(
    dav("getlastmodified"),
    Kind.IN_TREE,
    everything=True,
    setter=modification_time,
    column=_modified,
)
def getlastmodified(request: Request, node: Node) -> str | None:
    """When it was changed; clients may set it for what they upload. # rfc4918#15.7"""
    thing = node.item or node.folder
    return http_date(thing.modified) if thing is not None else None


@prop(dav("creationdate"), Kind.IN_TREE, everything=True, setter=creation_time, column=_created)
def creationdate(request: Request, node: Node) -> str | None:
    """When it came to be. # rfc4918#15.1"""
    thing = node.item or node.folder
    return iso_date(thing.created) if thing is not None else None
