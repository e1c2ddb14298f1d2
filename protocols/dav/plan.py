"""Which properties of resources are answered, and their answers as text.

A plan is compiled once for each kind of resource that an answer has; then each resource costs one
call for each property that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from folkmoot.protocols.dav.names import element, opening
from folkmoot.protocols.dav.quoting import quoted
from folkmoot.protocols.dav.registry import (
    NO_CONTENT,
    REGISTRY,
    Column,
    Getter,
    Prefetch,
    Prop,
    find_prop,
    props_of,
)
from folkmoot.protocols.dav.resources import Kind, Node, Resource, folder_node, item_node
from folkmoot.protocols.dav.table import Table, verbatim
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Entry, Folder, Item

if TYPE_CHECKING:
    from folkmoot.protocols.dav.request import Request

#: The whole element of a property of a node, or None where it has none.
Answer = Callable[[Node], str | None]

OK: Final = "<D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
MISSING: Final = "<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"


class Part(NamedTuple):
    """One property: what gives its content, and what stands around that.

    ``empty`` stands for one without content, ``missing`` for one that is not there ("": it is left
    out).
    """

    getter: Getter
    before: str
    after: str
    empty: str
    missing: str

    def element(self, request: Request, node: Node) -> str | None:
        """The whole element; None where the node does not have it."""
        content = self.getter(request, node)
        if content is None:
            return None
        return f"{self.before}{content}{self.after}" if content else self.empty


def _whole(name: str, answer: Answer) -> Part:
    """A property that is answered with its whole element."""
    return Part(lambda _, node: answer(node), "", "", "", element(name))


class Plan:
    """Properties that are asked for, by name; ``special`` are those that only this request has.

    ``everything`` adds those of allprop and all dead ones. ``minimal`` leaves out what resources
    do not have (RFC 8144 section 2.1).
    """

    def __init__(
        self,
        request: Request,
        names: Sequence[str],
        *,
        everything: bool = False,
        minimal: bool = False,
        special: Mapping[str, Answer] | None = None,
    ) -> None:
        self._request = request
        self._names = list(names)
        self._everything = everything
        self._minimal = minimal
        self._special = special or {}
        self._compiled: dict[tuple[Kind, Tool | None], list[Part]] = {}
        self._last: tuple[Kind, Tool | None, list[Part]] = (Kind.NOTHING, None, [])

    def wants(self, name: str) -> bool:
        """Whether a property is named."""
        return name in self._names

    def _needs(self) -> list[Prefetch]:
        """What has to be fetched for the properties that are asked for."""
        asked = [
            entry
            for name in self._names
            if name not in self._special
            for entry in REGISTRY.props.get(name, ())
        ]
        if self._everything:
            asked += [
                entry
                for entries in REGISTRY.props.values()
                for entry in entries
                if entry.everything
            ]
        names = sorted({entry.needs for entry in asked if entry.needs})
        return [REGISTRY.prefetches[name] for name in names]

    @property
    def key(self) -> tuple[Hashable, ...] | None:
        """What is asked for, where the nodes alone decide the answer; else None."""
        if self._special or self._needs():
            return None
        return (*self._names, self._everything, self._minimal)

    async def prefetch(self, resource: Resource) -> None:
        """Fetch what the properties need that is not part of the nodes."""
        for entry in self._needs():
            await entry.fetch(self._request, resource, None)

    @property
    def paged(self) -> bool:
        """Whether ``prefetch_page`` has to be called for members."""
        return any(entry.paged for entry in self._needs())

    async def prefetch_page(self, resource: Resource, nodes: Sequence[Folder | Item]) -> None:
        """Fetch what the properties of these members need."""
        for entry in self._needs():
            if entry.paged:
                await entry.fetch(self._request, resource, nodes)

    def value(self, name: str, node: Node) -> str | None:
        """The whole element of one property; what it needs was fetched before."""
        return self._part(name, find_prop(name, node.kind, node.tool)).element(self._request, node)

    def response(self, node: Node) -> str:
        """The ``DAV:response`` of a node."""
        return f"<D:response><D:href>{node.href}</D:href>{self.propstats(node)}</D:response>"

    def propstats(self, node: Node) -> str:
        """The ``DAV:propstat`` elements of a node."""
        request = self._request
        found = missing = ""
        for getter, before, after, empty, lacking in self._parts(node):
            content = getter(request, node)
            if content:
                found += before + content + after
            elif content is None:
                missing += lacking
            else:
                found += empty
        if self._everything and node.properties:
            found += "".join(self._dead(node))
        return self._propstats(found, missing)

    def _propstats(self, found: str, missing: str) -> str:
        if not missing or self._minimal:
            return f"<D:propstat><D:prop>{found}</D:prop>{OK}"
        lacks = f"<D:propstat><D:prop>{missing}</D:prop>{MISSING}"
        return f"<D:propstat><D:prop>{found}</D:prop>{OK}{lacks}" if found else lacks

    def members(self, base: str, folder: Folder, entries: Sequence[Entry]) -> str:
        """The responses of members of a folder whose path in URLs is ``base`` (with a slash)."""
        table = self.table(folder.tool)
        if table is None:
            return self._each(base, folder, entries)
        parts: list[str] = []
        for plain, some in groupby(entries, _is_plain):
            if plain:
                items = [one.node for one in some if isinstance(one.node, Item)]
                parts.append(table.text_of(self._request, base, items))
            else:
                parts.append(self._each(base, folder, some))
        return "".join(parts)

    def _each(self, base: str, folder: Folder, entries: Iterable[Entry]) -> str:
        parts: list[str] = []
        item = item_node(folder)
        for node, properties, data in entries:
            if isinstance(node, Item):
                item.href = base + quoted(node.name)
                item.item, item.properties, item.data = node, properties, data
                parts.append(self.response(item))
            else:
                href = f"{base}{quoted(node.name)}/"
                parts.append(self.response(folder_node(href, node, properties)))
        return "".join(parts)

    def table(self, tool: Tool) -> Table | None:
        """What prints items on which nothing was set; None where that takes a look at each."""
        if self._everything:  # what is locked is to be looked up
            return None
        found = missing = ""
        columns: list[Column] = []
        for name in self._names:
            entry = find_prop(name, Kind.ITEM, tool)
            start, end = map(verbatim, opening(name))
            if name in self._special:
                return None
            if entry is None or entry.getter is None:
                missing += f"<{start}/>"
            elif entry.column is None:
                return None
            elif entry.column is NO_CONTENT:
                found += f"<{start}/>"
            else:
                found += f"<{start}>%s</{end}>"
                columns.append(entry.column)
        return Table(self._propstats(found, missing), columns)

    def _parts(self, node: Node) -> list[Part]:
        """How each property is answered for nodes of this kind."""
        kind, tool = node.kind, node.tool
        # Mostly that of the node before. Hashing members of enumerations is slow.
        if kind is not self._last[0] or tool is not self._last[1]:
            parts = self._compiled.get((kind, tool))
            if parts is None:
                parts = self._compiled[kind, tool] = self._compile(kind, tool)
            self._last = (kind, tool, parts)
        return self._last[2]

    def _compile(self, kind: Kind, tool: Tool | None) -> list[Part]:
        parts = []
        for name in self._names:
            special = self._special.get(name)
            parts.append(
                _whole(name, special) if special else self._part(name, find_prop(name, kind, tool))
            )
        if self._everything:
            parts += [
                Part(*self._part(entry.name, entry)[:4], "")
                for entry in props_of(kind, tool)
                if entry.everything and entry.name not in self._names
            ]
        return parts

    def _part(self, name: str, entry: Prop | None) -> Part:
        if entry is None or entry.getter is None:
            return _whole(name, lambda node: node.properties.get(name))
        getter = entry.getter
        start, end = opening(name)
        live = Part(getter, f"<{start}>", f"</{end}>", f"<{start}/>", element(name))
        if not entry.stored:
            return live
        request = self._request

        def set_or_live(node: Node) -> str | None:
            return node.properties.get(name) or live.element(request, node)

        return _whole(name, set_or_live)

    def _dead(self, node: Node) -> list[str]:
        """What clients set that has no meaning here."""
        return [
            text
            for name, text in node.properties.items()
            if name not in self._names and find_prop(name, node.kind, node.tool) is None
        ]


def _is_plain(entry: Entry) -> bool:
    return not entry.properties and isinstance(entry.node, Item)


class NamesPlan(Plan):
    """Answers only which properties there are. # rfc4918#9.1 propname"""

    def __init__(self, request: Request) -> None:
        super().__init__(request, [])

    def _needs(self) -> list[Prefetch]:
        """All of them, because some properties exist only where there is something."""
        return list(REGISTRY.prefetches.values())

    def table(self, tool: Tool) -> None:
        """Which names there are is to be found out for each."""

    def propstats(self, node: Node) -> str:
        """One ``DAV:propstat`` with empty elements."""
        names = dict.fromkeys(node.properties)
        for entry in props_of(node.kind, node.tool):
            if entry.getter is not None and entry.getter(self._request, node) is not None:
                names[entry.name] = None
        text = "".join(element(name) for name in names)
        return f"<D:propstat><D:prop>{text}</D:prop>{OK}"
