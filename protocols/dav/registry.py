"""Methods, live properties and reports, each registered beside the code that answers it.

What is registered later is found first, so that ``caldav`` can take a method of calendars over.

Everything that the server claims about itself is computed from here: ``Allow``, ``DAV:``,
supported-method-set, supported-live-property-set, supported-report-set.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from folkmoot.protocols.dav.resources import ALL_TOOLS, Kind, Node, Resource
from folkmoot.protocols.http.xml import Element
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Folder, Item, ItemTimes, TreePath

if TYPE_CHECKING:
    from folkmoot.protocols.dav.request import Request

#: Answers a request before anything is looked up; False leaves it to the methods.
Interceptor = Callable[["Request", TreePath], Awaitable[bool]]
MethodHandler = Callable[["Request", Resource], Awaitable[None]]
ReportHandler = Callable[["Request", Resource, Element], Awaitable[None]]
#: The content of a property's element as XML; None where the resource does not have it.
Getter = Callable[["Request", Node], str | None]
#: Fetches what getters need: for a resource, or (with nodes) for these members of it.
Fetch = Callable[["Request", Resource, Sequence[Folder | Item] | None], Awaitable[None]]
#: Judges a value that a client sets: times that it stands for, or None to store the element.
#: Raises ``DavError``.
Setter = Callable[[Resource, Element], ItemTimes | None]


@dataclass(frozen=True, slots=True)
class Method:
    """A method, and the kinds and tools that have it.

    ``located`` False says that the handler does not need to know what is there: it gets a resource
    of kind NOTHING for any place in a tree, and the store finds out.
    """

    name: str
    handler: MethodHandler
    kinds: Kind
    tools: frozenset[Tool]
    located: bool


class Column(NamedTuple):
    """The contents that a property has for many items at once, which is far cheaper.

    ``texts`` gives of values of a field of ``Item`` one text or number each, ready for XML and
    never empty. It has to agree with the getter for items on which nothing was set.
    """

    field: str
    texts: Callable[[Request, Sequence[Any]], Iterable[object]]


#: The column of a property whose element is empty for all items.
NO_CONTENT: Final = Column("id", lambda request, ids: [""] * len(ids))


@dataclass(frozen=True, slots=True)
class Prop:
    """A live property. ``needs`` names the ``Prefetch`` that has to run before its getter.

    ``stored`` says that a value that a client set, if there is one, is answered instead.
    ``setter`` is None for a protected one. ``everything`` says that allprop has it. ``replaces``
    names properties that say the same in another way: what was set of them goes when it is set.
    ``column`` gives the contents of many items, where it is known how.
    """

    name: str
    getter: Getter | None
    kinds: Kind
    tools: frozenset[Tool]
    needs: str
    stored: bool
    setter: Setter | None
    everything: bool
    replaces: tuple[str, ...] = ()
    column: Column | None = None


@dataclass(frozen=True, slots=True)
class Prefetch:
    """What runs before getters: once for a resource, and ``paged`` again for its members."""

    fetch: Fetch
    paged: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A report, and the kinds and tools that have it."""

    name: str
    handler: ReportHandler
    kinds: Kind
    tools: frozenset[Tool]


@dataclass(slots=True)
class Registry:
    """All that is registered."""

    methods: dict[str, list[Method]] = field(default_factory=dict)
    props: dict[str, list[Prop]] = field(default_factory=dict)
    reports: dict[str, list[Report]] = field(default_factory=dict)
    prefetches: dict[str, Prefetch] = field(default_factory=dict)
    compliance: list[str] = field(default_factory=list)
    interceptors: list[Interceptor] = field(default_factory=list)


REGISTRY = Registry()


def method(
    name: str, kinds: Kind, tools: Iterable[Tool] = ALL_TOOLS, *, located: bool = True
) -> Callable[[MethodHandler], MethodHandler]:
    """Register the handler of a method; several may share a name for different tools."""

    def register(handler: MethodHandler) -> MethodHandler:
        entry = Method(name, handler, kinds, frozenset(tools), located)
        REGISTRY.methods.setdefault(name, []).append(entry)
        return handler

    return register


def report(
    name: str, kinds: Kind, tools: Iterable[Tool] = ALL_TOOLS
) -> Callable[[ReportHandler], ReportHandler]:
    """Register the handler of a report, by the name of its root element."""

    def register(handler: ReportHandler) -> ReportHandler:
        entry = Report(name, handler, kinds, frozenset(tools))
        REGISTRY.reports.setdefault(name, []).append(entry)
        return handler

    return register


def prop(
    name: str,
    kinds: Kind = Kind.ANY,
    tools: Iterable[Tool] = ALL_TOOLS,
    *,
    needs: str = "",
    stored: bool = False,
    setter: Setter | None = None,
    everything: bool = False,
    replaces: tuple[str, ...] = (),
    column: Column | None = None,
) -> Callable[[Getter], Getter]:
    """Register the getter of a live property (see ``Prop``)."""

    def register(getter: Getter) -> Getter:
        of = frozenset(tools)
        _add_prop(
            Prop(name, getter, kinds, of, needs, stored, setter, everything, replaces, column)
        )
        return getter

    return register


def stored_prop(
    name: str,
    kinds: Kind,
    tools: Iterable[Tool] = ALL_TOOLS,
    *,
    setter: Setter,
    everything: bool = False,
) -> None:
    """Register a live property that has the value that a client set, and else none."""
    _add_prop(Prop(name, None, kinds, frozenset(tools), "", True, setter, everything))


def prefetch(name: str, *, paged: bool = False) -> Callable[[Fetch], Fetch]:
    """Register what fetches for the getters that name it in ``needs``."""

    def register(fetch: Fetch) -> Fetch:
        assert name not in REGISTRY.prefetches, name
        REGISTRY.prefetches[name] = Prefetch(fetch, paged)
        return fetch

    return register


def interceptor(handler: Interceptor) -> Interceptor:
    """Register what may answer requests for a place in a tree before all else."""
    REGISTRY.interceptors.append(handler)
    return handler


def compliance(*names: str) -> None:
    """Register words of the ``DAV:`` header, which come in the order of registration."""
    # rfc4918#10.1
    REGISTRY.compliance.extend(name for name in names if name not in REGISTRY.compliance)


def load(*packages: ModuleType) -> None:
    """Import all modules of packages, which register what they have."""
    for package in packages:
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
            importlib.import_module(f"{package.__name__}.{module.name}")


def fits(entry: Method | Prop | Report, kind: Kind, tool: Tool | None) -> bool:
    """Whether an entry is for resources of a kind and tool."""
    return bool(entry.kinds & kind) and (tool is None or tool in entry.tools)


def find_method(name: str, kind: Kind, tool: Tool | None) -> Method | None:
    """The method of a name that a resource has."""
    return next((m for m in reversed(REGISTRY.methods.get(name, [])) if fits(m, kind, tool)), None)


def find_report(name: str, kind: Kind, tool: Tool | None) -> Report | None:
    """The report of a name that a resource has."""
    return next((r for r in reversed(REGISTRY.reports.get(name, [])) if fits(r, kind, tool)), None)


def find_prop(name: str, kind: Kind, tool: Tool | None) -> Prop | None:
    """The live property of a name that a resource may have."""
    return next((p for p in reversed(REGISTRY.props.get(name, [])) if fits(p, kind, tool)), None)


def methods_of(kind: Kind, tool: Tool | None) -> list[str]:
    """Names of the methods that a resource has."""
    return [name for name in REGISTRY.methods if find_method(name, kind, tool)]


def reports_of(kind: Kind, tool: Tool | None) -> list[str]:
    """Names of the reports that a resource has."""
    return [name for name in REGISTRY.reports if find_report(name, kind, tool)]


def props_of(kind: Kind, tool: Tool | None) -> list[Prop]:
    """The live properties that a resource may have."""
    found = (find_prop(name, kind, tool) for name in REGISTRY.props)
    return [entry for entry in found if entry is not None]


def _add_prop(entry: Prop) -> None:
    REGISTRY.props.setdefault(entry.name, []).append(entry)
