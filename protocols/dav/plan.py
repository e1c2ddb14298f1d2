"""Which properties of resources are answered, and their answers as text.

A plan is compiled once for each kind of resource that an answer has; then each resource costs one
call for each property that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from folkmoot.protocols.dav.names import element, opening
from folkmoot.protocols.dav.registry import REGISTRY, Prefetch, Prop, find_prop, props_of
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Folder, Item

if TYPE_CHECKING:
    from folkmoot.protocols.dav.request import Request

#: The whole element of a property of a node, or None where it has none.
Answer = Callable[[Node], str | None]

OK: Final = "<D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
MISSING: Final = "<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"


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
        self._compiled: dict[tuple[Kind, Tool | None], list[tuple[Answer, str]]] = {}

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
        return self._answer(name, find_prop(name, node.kind, node.tool))(node)

    def response(self, node: Node) -> str:
        """The ``DAV:response`` of a node."""
        return f"<D:response><D:href>{node.href}</D:href>{self.propstats(node)}</D:response>"

    def propstats(self, node: Node) -> str:
        """The ``DAV:propstat`` elements of a node."""
        key = (node.kind, node.tool)
        answers = self._compiled.get(key)
        if answers is None:
            answers = self._compiled[key] = self._compile(*key)
        found: list[str] = []
        missing: list[str] = []
        for answer, name in answers:
            text = answer(node)
            if text is not None:
                found.append(text)
            elif name:
                missing.append(name)
        if self._everything and node.properties:
            found += self._dead(node)
        text = "".join(found)
        if missing and not self._minimal:
            lacking = f"<D:propstat><D:prop>{''.join(missing)}</D:prop>{MISSING}"
            if not found:
                return lacking
            return f"<D:propstat><D:prop>{text}</D:prop>{OK}{lacking}"
        return f"<D:propstat><D:prop>{text}</D:prop>{OK}"

    def _compile(self, kind: Kind, tool: Tool | None) -> list[tuple[Answer, str]]:
        """How each property is answered, and what stands for it where there is none ("": it is
        left out)."""
        answers: list[tuple[Answer, str]] = []
        for name in self._names:
            special = self._special.get(name)
            entry = None if special else find_prop(name, kind, tool)
            answers.append((special or self._answer(name, entry), element(name)))
        if self._everything:
            answers += [
                (self._answer(entry.name, entry), "")
                for entry in props_of(kind, tool)
                if entry.everything and entry.name not in self._names
            ]
        return answers

    def _answer(self, name: str, entry: Prop | None) -> Answer:
        if entry is None or entry.getter is None:
            return lambda node: node.properties.get(name)
        request, getter = self._request, entry.getter
        start, end = opening(name)

        def live(node: Node) -> str | None:
            content = getter(request, node)
            if content is None:
                return None
            return f"<{start}>{content}</{end}>" if content else f"<{start}/>"

        def set_or_live(node: Node) -> str | None:
            return node.properties.get(name) or live(node)

        return set_or_live if entry.stored else live

    def _dead(self, node: Node) -> list[str]:
        """What clients set that has no meaning here."""
        return [
            text
            for name, text in node.properties.items()
            if name not in self._names and find_prop(name, node.kind, node.tool) is None
        ]


class NamesPlan(Plan):
    """Answers only which properties there are. # rfc4918#9.1 propname"""

    def __init__(self, request: Request) -> None:
        super().__init__(request, [])

    def _needs(self) -> list[Prefetch]:
        """All of them, because some properties exist only where there is something."""
        return list(REGISTRY.prefetches.values())

    def propstats(self, node: Node) -> str:
        """One ``DAV:propstat`` with empty elements."""
        names = dict.fromkeys(node.properties)
        for entry in props_of(node.kind, node.tool):
            if entry.getter is not None and entry.getter(self._request, node) is not None:
                names[entry.name] = None
        text = "".join(element(name) for name in names)
        return f"<D:propstat><D:prop>{text}</D:prop>{OK}"
