"""OPTIONS: what may be done here."""

from __future__ import annotations

from folkmoot.protocols.dav.paths import PARTS, Site, Urls
from folkmoot.protocols.dav.registry import REGISTRY, compliance, method, methods_of
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import TreePath

compliance("1", "2", "3")


@method("OPTIONS", Kind.ANY | Kind.NOTHING)
async def options(request: Request, resource: Resource) -> None:
    """What the resource has. # rfc9110#9.3.7"""
    await _answer(request.exchange, methods_of(resource.kind, resource.node.tool))


async def answer_open(exchange: Exchange) -> None:
    """For somebody who did not sign in: by the form of the URL, so that it tells nothing."""
    try:
        place = Urls(0).place(exchange.path)
    except NotFound:
        of_others = exchange.path[:3] in PARTS.values()
        place = TreePath(0, Tool.DOCUMENTS) if of_others else Site(())
    if isinstance(place, Site):
        await _answer(exchange, methods_of(Kind.SITE, None))
        return
    tool = place.tool if isinstance(place, TreePath) else None
    kinds = Kind.IN_TREE | Kind.NOTHING if tool is not None else Kind.PRINCIPAL
    await _answer(exchange, methods_of(kinds, tool))


async def _answer(exchange: Exchange, methods: list[str]) -> None:
    fields = [
        ("Allow", ", ".join(methods)),
        ("DAV", compliance_header()),
        ("MS-Author-Via", "DAV"),  # Office opens read-only without it
        ("Accept-Ranges", "bytes"),
    ]
    if "SEARCH" in methods:
        fields.append(("DASL", "<DAV:basicsearch>"))  # rfc5323#3.2
    await exchange.respond(200, fields)


def compliance_header() -> str:
    """``1, 2, 3, access-control, …``: the classes come first, as old clients expect."""
    # rfc4918#10.1, rfc4918#18
    words = sorted(REGISTRY.compliance, key=lambda word: (not word.isdigit(), word))
    return ", ".join(words)
