"""PROPPATCH (RFC 4918 section 9.2): all of it, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.multistatus import Multistatus, status_line
from folkmoot.protocols.dav.names import dav, element
from folkmoot.protocols.dav.registry import REGISTRY, find_prop, method
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import MAX_BODY, whole
from folkmoot.protocols.http.xml import Element, child, children
from folkmoot.storage.types_tree import ItemTimes

MAX_PROPERTY = 64 * 1024  # characters of one property
MAX_PROPERTIES = 200  # in one request
PROTECTED = element(dav("cannot-modify-protected-property"))


@dataclass
class Changes:
    """What a client sets and removes. ``refused`` are (status, condition) by name."""

    values: dict[str, str | None] = field(default_factory=dict)
    times: ItemTimes = field(default_factory=ItemTimes)
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)

    def set(self, resource: Resource, prop: Element) -> None:
        """A property gets a value."""
        name = str(prop.tag)
        if _is_protected(resource, name):
            self.refused[name] = (403, PROTECTED)
            return
        entry = find_prop(name, resource.kind, resource.node.tool)
        try:
            times = entry.setter(resource, prop) if entry is not None and entry.setter else None
        except DavError as error:
            self.refused[name] = (error.status, error.condition)
            return
        self.accepted.append(name)
        if times is not None:
            self.times = ItemTimes(
                self.times.modified if times.modified is None else times.modified,
                self.times.created if times.created is None else times.created,
            )
            return
        value = whole(prop)
        if len(value) > MAX_PROPERTY:
            self.refused[name] = (507, "")
        self.values[name] = value
        for other in entry.replaces if entry is not None else ():
            self.values[other] = None

    def remove(self, resource: Resource, name: str) -> None:
        """A property loses its value; that there is none is no error. # rfc4918#14.23"""
        if _is_protected(resource, name):
            self.refused[name] = (403, PROTECTED)
            return
        self.accepted.append(name)
        self.values[name] = None

    def propstats(self) -> str:
        """What became of each property. # rfc4918#9.2.1"""
        accepted = [name for name in dict.fromkeys(self.accepted) if name not in self.refused]
        if not self.refused:
            return _propstat(accepted, 200)
        parts = [_propstat([name], *why) for name, why in self.refused.items()]
        if accepted:
            parts.append(_propstat(accepted, 424))
        return "".join(parts)


def _is_protected(resource: Resource, name: str) -> bool:
    """Whether the server keeps it to itself; what is live elsewhere is not dead here either."""
    entry = find_prop(name, resource.kind, resource.node.tool)
    if entry is not None:
        return entry.setter is None
    return any(other.setter is None for other in REGISTRY.props.get(name, ()))


@method("PROPPATCH", Kind.IN_TREE)
async def proppatch(request: Request, resource: Resource) -> None:
    """Set and remove properties in the order of the body."""
    path = resource.tree_path
    guard = request.guard(path)
    request.written = path
    root = await request.xml(MAX_BODY)
    if root is None or root.tag != dav("propertyupdate"):
        raise DavError(400, text="The body is no DAV:propertyupdate.")
    changes = changes_of(resource, root)
    if not changes.refused:
        await request.tree.set_properties(path, changes.values, guard, changes.times)
        if request.prefers("return=minimal"):
            await request.exchange.respond(200, [("Preference-Applied", "return=minimal")])
            return  # rfc8144#2.2
    answer = Multistatus(request.exchange)
    href = f"<D:href>{resource.node.href}</D:href>"
    await answer.add(f"<D:response>{href}{changes.propstats()}</D:response>")
    await answer.end()


def changes_of(resource: Resource, root: Element) -> Changes:
    """What the ``set`` and ``remove`` elements of a body ask for. Raises ``DavError`` 400."""
    # rfc4918#14.23, rfc4918#14.26
    changes = Changes()
    count = 0
    for step in children(root):
        if step.tag not in (dav("set"), dav("remove")):
            continue
        props = child(step, dav("prop"))
        for prop in children(props) if props is not None else ():
            count += 1
            if count > MAX_PROPERTIES:
                raise DavError(400, text="Too many properties are changed at once.")
            if step.tag == dav("set"):
                changes.set(resource, prop)
            else:
                changes.remove(resource, str(prop.tag))
    return changes


def _propstat(names: list[str], status: int, condition: str = "") -> str:
    props = "".join(map(element, names))
    error = f"<D:error>{condition}</D:error>" if condition else ""
    return f"<D:propstat><D:prop>{props}</D:prop>{status_line(status)}{error}</D:propstat>"
