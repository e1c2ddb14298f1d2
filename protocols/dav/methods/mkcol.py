"""MKCOL, also with properties (RFC 5689)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.methods.proppatch import Changes, changes_of
from folkmoot.protocols.dav.multistatus import XML_TYPE
from folkmoot.protocols.dav.names import CALDAV, CARDDAV, DECLARATIONS, dav, element
from folkmoot.protocols.dav.registry import compliance, method, methods_of
from folkmoot.protocols.dav.request import Request, refuse
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.dav.xml import MAX_BODY
from folkmoot.protocols.http.xml import Element, child, children
from folkmoot.storage.content.ical.intake import KINDS
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import NewFolder

#: What collections of a tool are beside ``DAV:collection``.
TYPES: Final[dict[Tool, frozenset[str]]] = {
    Tool.DOCUMENTS: frozenset(),
    Tool.CALENDAR: frozenset({f"{{{CALDAV}}}calendar"}),
    Tool.CONTACTS: frozenset({f"{{{CARDDAV}}}addressbook"}),
}
_RESOURCE_TYPE: Final = dav("resourcetype")
_COMPONENTS: Final = f"{{{CALDAV}}}supported-calendar-component-set"
_XML_TYPES: Final = ("application/xml", "text/xml", "")

compliance("extended-mkcol")


@method("MKCOL", Kind.IN_TREE | Kind.NOTHING)
async def mkcol(request: Request, resource: Resource) -> None:
    """Make a folder, or what the body says."""
    length = request.exchange.content_length
    root = None
    if length is None or length:
        kind = (request.exchange.header("Content-Type") or "").partition(";")[0].strip().lower()
        if kind not in _XML_TYPES:
            raise DavError(415)  # rfc4918#9.3.1
        root = await request.xml(MAX_BODY)
    if root is not None and root.tag != dav("mkcol"):
        raise DavError(415, text="The body is no DAV:mkcol.")
    check_place(resource)
    types = _types(root)
    tool = resource.node.tool
    assert tool is not None
    if types != TYPES[tool]:
        raise refuse("valid-resourcetype", text="Such a collection cannot be made here.")
    await make(request, resource, root, "D:mkcol-response")


def check_place(resource: Resource) -> None:
    """Raise ``DavError`` 405 where something is already. # rfc4918#9.3"""
    if resource.kind is not Kind.NOTHING:
        allowed = ", ".join(methods_of(resource.kind, resource.node.tool))
        raise DavError(405, text="Something is here already.", fields=[("Allow", allowed)])


async def make(request: Request, resource: Resource, root: Element | None, answer: str) -> None:
    """Make the collection with the properties of a body, all or nothing, and answer.

    ``answer`` is the tag of the element that says which properties could not be set.
    """
    path = resource.tree_path
    request.written = path
    guard = request.guard(path)
    # What may be set is what the new collection will have.
    future = Resource(Node(resource.node.href, Kind.FOLDER, path.tool, path.space_id), path)
    components: tuple[str, ...] = ()
    changes = Changes()
    if root is not None:
        components = _components(root)
        changes = changes_of(future, _without_handled(root))
    if changes.refused:
        # rfc5689#3
        body = f"<{answer}{DECLARATIONS}>{changes.propstats()}</{answer}>"
        await request.exchange.respond(403, [XML_TYPE], body.encode())
        return
    values = {name: value for name, value in changes.values.items() if value is not None}
    await request.tree.make(path, NewFolder(values, components), guard)
    location = request.exchange.base_url + request.urls.href(path, collection=True)
    await request.exchange.respond(201, [("Location", location), ("Cache-Control", "no-cache")])


def _props(root: Element) -> Iterator[Element]:
    for step in children(root):
        props = child(step, dav("prop"))
        if props is not None:
            yield props


def _types(root: Element | None) -> frozenset[str]:
    """The resource types that a body asks for, ``DAV:collection`` aside. # rfc5689#3"""
    found: set[str] = set()
    for props in _props(root) if root is not None else ():
        asked = child(props, _RESOURCE_TYPE)
        if asked is not None:
            found |= {str(entry.tag) for entry in children(asked)}
    return frozenset(found - {dav("collection")})


def _components(root: Element) -> tuple[str, ...]:
    """The components that a calendar is to take; () for all. # rfc4791#5.2.3

    What nobody stores (VPOLL) is left out of a list; a list of nothing else is refused.
    """
    names: list[str] = []
    for props in _props(root):
        asked = child(props, _COMPONENTS)
        if asked is not None:
            names += [str(entry.get("name", "")).upper() for entry in children(asked)]
    if not all(name.isalnum() and name.isascii() and len(name) < 20 for name in names):
        raise DavError(400, text="A component of the calendar has no proper name.")
    known = tuple(dict.fromkeys(name for name in names if name in KINDS))
    if names and not known:
        condition = element(f"{{{CALDAV}}}supported-calendar-component")
        raise DavError(403, condition, text="No such component can be stored.")
    return known


def _without_handled(root: Element) -> Element:
    """The body without those properties that become part of the collection itself."""
    for props in _props(root):
        for entry in list(children(props)):
            if entry.tag in (_RESOURCE_TYPE, _COMPONENTS):
                props.remove(entry)
    return root
