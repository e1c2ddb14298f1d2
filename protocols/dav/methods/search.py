"""SEARCH with DAV:basicsearch (RFC 5323), over names, dates, sizes and types."""

from __future__ import annotations

from collections import deque
from operator import itemgetter
from typing import Final

from folkmoot.protocols.dav.basicsearch import Condition, Order, parse_order, parse_where
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.multistatus import Multistatus, status_response
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.plan import Plan
from folkmoot.protocols.dav.registry import method
from folkmoot.protocols.dav.request import Request, refuse
from folkmoot.protocols.dav.resources import Kind, Node, Resource, member_node
from folkmoot.protocols.dav.xml import MAX_BODY, prop_names
from folkmoot.protocols.http.xml import Element, child, children, text
from folkmoot.storage.types_tree import Entry, Folder, Item, TreePath

MAX_FOUND: Final = 5_000  # of one search
MAX_KEPT: Final = 8 << 20  # characters of properties of what was found
MAX_SEEN: Final = 200_000  # resources that one search looks at
_TRUNCATED: Final = "<D:number-of-matches-within-limits/>"
_DEPTHS: Final = {"0": 0, "1": 1, "infinity": 1 << 30, "": 1 << 30}


@method("SEARCH", Kind.HOME | Kind.FOLDER)
async def search(request: Request, resource: Resource) -> None:
    """Resources below a scope for which a condition holds. # rfc5323#2"""
    root = await request.xml(MAX_BODY)
    if root is None or root.tag != dav("searchrequest"):
        raise DavError(400, text="The body is no DAV:searchrequest.")
    query = child(root, dav("basicsearch"))
    if query is None:
        raise refuse("search-grammar-supported", 422, "Only DAV:basicsearch is known here.")
    scope, levels = await _scope(request, resource, query)
    where = parse_where(child(query, dav("where")))
    orders = parse_order(child(query, dav("orderby")))
    most = min(_limit(query), MAX_FOUND)
    plan = _plan(request, query)
    await plan.prefetch(scope)
    found, complete = await _walk(request, scope, levels, where, MAX_FOUND if orders else most)
    _sort(found, orders)
    answer = Multistatus(request.exchange)
    for node in found[:most]:
        await answer.add(plan.response(node))
    if not complete or len(found) > most:
        await answer.add(status_response(scope.node.href, 507, _TRUNCATED))  # rfc5323#2.3.2
    await answer.end()


async def _scope(request: Request, resource: Resource, query: Element) -> tuple[Resource, int]:
    """Where to search, and how many levels below. # rfc5323#5.4"""
    origin = child(query, dav("from"))
    within = children(origin) if origin is not None else ()
    scopes = [entry for entry in within if entry.tag == dav("scope")]
    if len(scopes) != 1:
        raise refuse("search-multiple-scope-supported", 422, "A search has one scope.")
    href = text(child(scopes[0], dav("href"))).strip()
    levels = _DEPTHS.get(text(child(scopes[0], dav("depth"))).strip().lower())
    if levels is None:
        raise DavError(400, text="The depth of the scope is 0, 1 or infinity.")
    if not href:
        return resource, levels
    place = request.urls.place(request.target(href).path)
    if not isinstance(place, TreePath):
        raise refuse("search-scope-valid", 409, "Searches are within one home.")
    found = await request.locate(place)
    if found.kind is Kind.NOTHING:
        raise refuse("search-scope-valid", 409, "There is no such scope.")
    return found, levels


def _plan(request: Request, query: Element) -> Plan:
    select = child(query, dav("select"))
    if select is None:
        raise DavError(400, text="A search selects something.")
    if child(select, dav("allprop")) is not None:
        return Plan(request, [], everything=True)
    return Plan(request, prop_names(child(select, dav("prop"))))


def _limit(query: Element) -> int:
    # rfc5323#5.17
    found = child(query, dav("limit"))
    if found is None:
        return MAX_FOUND
    number = text(child(found, dav("nresults"))).strip()
    if not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise DavError(400, text="The limit is no number.")
    return int(number)


async def _walk(
    request: Request, scope: Resource, levels: int, where: Condition, most: int
) -> tuple[list[Node], bool]:
    """What fits, at most one more than ``most``, and whether everything was looked at."""
    found = [scope.node] if where(scope.node) else []
    if scope.node.folder is None or levels == 0:
        return found, True
    seen = kept = 0
    waiting = deque([(scope.node.href, scope.node.folder, levels)])
    while waiting:
        href, folder, left = waiting.popleft()
        after: Folder | Item | None = None

        def judged(
            entries: list[Entry], href: str = href, folder: Folder = folder
        ) -> tuple[list[Node], list[Node], Entry | None, int]:
            nodes = [member_node(href, folder, entry) for entry in entries]
            folders = [node for node in nodes if node.folder is not None]
            last = entries[-1] if entries else None
            return [node for node in nodes if where(node)], folders, last, len(nodes)

        while True:
            fitting, folders, last, count = await request.tree.entries(
                folder.id, judged, after=after, limit=request.limits.page
            )
            if last is None:
                break
            found += fitting
            seen += count
            kept += sum(len(text) for node in fitting for text in node.properties.values())
            if len(found) > most or seen > MAX_SEEN or kept > MAX_KEPT:
                return found, False
            if left > 1:
                waiting.extend(
                    (node.href, node.folder, left - 1) for node in folders if node.folder
                )
            after = last.node
    return found, True


def _sort(found: list[Node], orders: list[Order]) -> None:
    """By the least important first, because sorting keeps what is equal in its order."""
    for value, descending in reversed(orders):
        # What has no value is less than all that have one. # rfc5323#5.6
        without = [node for node in found if value(node) is None]
        having = [(given, node) for node in found if (given := value(node)) is not None]
        having.sort(key=itemgetter(0), reverse=descending)
        ordered = [node for _, node in having]
        found[:] = [*ordered, *without] if descending else [*without, *ordered]
