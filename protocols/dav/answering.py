"""Items of a calendar or an address book as responses of a report, page by page in bounded memory.

What reports of CalDAV and CardDAV have in common: those that search find items by number, those
that list them by name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.multistatus import Multistatus, status_response
from folkmoot.protocols.dav.names import dav, escape, printable
from folkmoot.protocols.dav.plan import Answer, NamesPlan, Plan
from folkmoot.protocols.dav.quoting import quoted
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource, folder_node, item_node
from folkmoot.protocols.dav.xml import hrefs, prop_names
from folkmoot.protocols.http.xml import Element, child, children
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types_tree import Entry, Folder, Item, TreePath

R = TypeVar("R")

#: Octets of items that are read at a time, and characters of their answer from which on the rest
#: of them waits: a small item can become a large answer.
READ: Final = 1 << 20
WRITTEN: Final = 2 << 20
AT_ONCE: Final = 500
MAX_HREFS: Final = 50_000

#: A URL that ends with a name that stands for itself.
_PLAIN_END = re.compile(r"([^?#]*/)([A-Za-z0-9_~@!$()*,;=:-][A-Za-z0-9._~@!$()*,;=:-]*)").fullmatch

Render = Callable[[list[Entry]], R]
Listed = tuple[dict[TreePath, dict[str, str]], list[str]]


class Page(NamedTuple):
    """Finished responses, and the items that they are of, in order."""

    text: str
    items: list[Item]


@dataclass
class Answering:
    """Makes responses for the items of one collection.

    ``respond`` is called in any thread. ``data`` says whether it needs the octets.
    """

    request: Request
    collection: Resource
    plan: Plan
    respond: Callable[[Node], str]
    data: bool

    def render(self, entries: list[Entry]) -> Page:
        """The responses of as many entries as make one page. For any thread."""
        base, folder = self.collection.node.href, self.collection.folder
        parts: list[str] = []
        items: list[Item] = []
        length = 0
        node = item_node(folder)
        for item, properties, data in entries:
            assert isinstance(item, Item)
            node.href, node.item = base + quoted(item.name), item
            node.properties, node.data = properties, data
            text = self.respond(node)
            parts.append(text)
            items.append(item)
            length += len(text)
            if length > WRITTEN:
                break
        return Page("".join(parts), items)

    async def page(self, read: Callable[[Render[object]], Awaitable[object]]) -> Page:
        """One page of what ``read`` finds; with what properties need that is not in the items."""
        if not self.plan.paged:
            page = await read(self.render)
            assert isinstance(page, Page)
            return page
        entries = await read(lambda found: found)
        assert isinstance(entries, list)
        await self.plan.prefetch_page(self.collection, [entry.node for entry in entries])
        return await self.request.tree.compute(lambda: self.render(entries))

    async def numbered(self, answer: Multistatus, ids: Sequence[int]) -> None:
        """Add the items with these numbers; those that are gone by now are left out."""
        tree, folder = self.request.tree, self.collection.folder
        at = 0
        while at < len(ids):
            some = ids[at : at + AT_ONCE]

            async def read(render: Render[object], some: Sequence[int] = some) -> object:
                return await tree.numbered(folder.id, some, render, data=self.data, budget=READ)

            page = await self.page(read)
            await answer.add(page.text)
            at += some.index(page.items[-1].id) + 1 if page.items else len(some)

    async def named(self, answer: Multistatus, wanted: Mapping[str, str]) -> None:
        """Add the items with these names; ``wanted`` has the URL of each as it was given."""
        tree, folder = self.request.tree, self.collection.folder
        names = {_compared(name): href for name, href in wanted.items()}
        keys = [*names]
        at = 0
        while at < len(keys):
            some = keys[at : at + AT_ONCE]

            async def read(render: Render[object], some: Sequence[str] = some) -> object:
                return await tree.named(folder.id, some, render, data=self.data, budget=READ)

            page = await self.page(read)
            found = [_compared(item.name) for item in page.items]
            seen = some.index(found[-1]) + 1 if found else len(some)
            missing = set(some[:seen]).difference(found)
            await answer.add(page.text + not_found(names[key] for key in some if key in missing))
            at += seen


def plan_of(request: Request, root: Element, special: Mapping[str, Answer]) -> Plan:
    """What a report asks for of each item: prop, allprop, propname, or nothing.

    Raises ``DavError`` 400. # rfc4791#9.5, rfc6352#8.6
    """
    asked = {str(entry.tag) for entry in children(root)}
    asked &= {dav("prop"), dav("allprop"), dav("propname")}
    if len(asked) > 1:
        raise DavError(400, text="Only one of prop, allprop and propname can be there.")
    if dav("propname") in asked:
        return NamesPlan(request)
    return Plan(
        request,
        prop_names(child(root, dav("prop"))),
        everything=dav("allprop") in asked,
        minimal=request.prefers("return=minimal"),
        special=special,
    )


async def by_collection(request: Request, resource: Resource, root: Element) -> Listed:
    """What a multiget lists: names with URLs as they were given, by the collection that they are
    in; and URLs that lead to nothing within ``resource``.

    Raises ``DavError`` 400 for none, or too many.
    """
    given = hrefs(root, MAX_HREFS)
    if not given:
        raise DavError(400, text="The report lists no resources.")
    if len(given) <= AT_ONCE:
        return _by_collection(request, resource, given)
    return await request.tree.compute(lambda: _by_collection(request, resource, given))


def _by_collection(request: Request, resource: Resource, given: list[str]) -> Listed:
    listed: dict[TreePath, dict[str, str]] = {}
    lost: list[str] = []
    here = resource.tree_path
    # Mostly URLs differ in their last name only: what is above it is looked at once.
    known: dict[str, dict[str, str]] = {}
    for href in given:
        url = escape(printable(href))
        plain = _PLAIN_END(href) if resource.kind is not Kind.ITEM else None
        if plain is not None and plain[1] in known:
            known[plain[1]][plain[2]] = url
            continue
        path = request.tree_path(href)
        if path is None or len(path.names) != 2 or not _within(path, here):
            lost.append(url)
            continue
        wanted = listed.setdefault(path.parent, {})
        wanted[path.names[-1]] = url
        if plain is not None:
            known[plain[1]] = wanted
    return listed, lost


async def collection_at(request: Request, resource: Resource, path: TreePath) -> Resource | None:
    """The collection of a ``by_collection`` path, None where there is none."""
    if path == resource.path:
        return resource if resource.kind is Kind.FOLDER else None
    try:
        found = await request.locate(path)
    except NotFound:
        return None
    return found if found.kind is Kind.FOLDER else None


async def collections_of(request: Request, home: Resource) -> list[Resource]:
    """The collections of a home."""
    found: list[Resource] = []
    after: Folder | Item | None = None
    while True:
        page: list[Entry] = await request.tree.entries(
            home.folder.id, lambda entries: entries, after=after
        )
        if not page:
            return found
        after = page[-1].node
        for node, properties, _ in page:
            if isinstance(node, Folder):
                path = home.tree_path.below(node.name)
                href = request.urls.href(path, collection=True)
                found.append(Resource(folder_node(href, node, properties), path, home.folder))


def not_found(urls: Iterable[str]) -> str:
    """Responses for URLs that lead to nothing. # rfc4791#7.9, rfc6352#8.7"""
    return "".join([status_response(url, 404) for url in urls])


def _within(path: TreePath, here: TreePath) -> bool:
    if (path.space_id, path.tool) != (here.space_id, here.tool):
        return False
    return [*map(_compared, path.names[: len(here.names)])] == [*map(_compared, here.names)]


def _compared(name: str) -> str:
    return unicodedata.normalize("NFC", name)
