"""PROPFIND (RFC 4918 section 9.1)."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.listing import everything_below, members
from folkmoot.protocols.dav.multistatus import Multistatus
from folkmoot.protocols.dav.names import WIN32, dav
from folkmoot.protocols.dav.plan import NamesPlan, Plan
from folkmoot.protocols.dav.registry import method
from folkmoot.protocols.dav.request import INFINITY, Request, refuse
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import MAX_BODY, prop_names
from folkmoot.protocols.http.xml import Element, child, children

# Windows' redirector gives up on answers above 1 MB: it gets what it looks at and no more.
_REDIRECTOR: Final = "Microsoft-WebDAV-MiniRedir"
_FOR_REDIRECTOR: Final = (
    *map(dav, ("creationdate", "getcontentlength", "getlastmodified", "resourcetype")),
    f"{{{WIN32}}}Win32FileAttributes",
)


@method("PROPFIND", Kind.ANY)
async def propfind(request: Request, resource: Resource) -> None:
    """Properties of a resource and, by Depth, of its members. # rfc4918#9.1"""
    depth = request.depth(INFINITY)
    plan = plan_of(request, await request.xml(MAX_BODY))
    await plan.prefetch(resource)
    answer = Multistatus(request.exchange, location_fields(request, resource))
    if depth == 0 or not request.prefers("depth-noroot"):
        await answer.add(plan.response(resource.node))
    if depth != 0 and resource.kind is Kind.SITE:
        await _add_site(request, plan, answer, depth)
    elif depth == 1 and resource.node.folder is not None:
        async for text, _ in members(request, resource, plan):
            await answer.add(text)
    elif depth == INFINITY and resource.node.folder is not None:
        for text in await everything_below(request, resource, plan):
            await answer.add(text)
    await answer.end()


async def _add_site(request: Request, plan: Plan, answer: Multistatus, depth: int) -> None:
    if depth == INFINITY:
        raise refuse("propfind-finite-depth", text="There is too much below: ask by levels.")
    for place in request.urls.members(request.exchange.path):
        found = await request.locate(place)
        await plan.prefetch(found)
        await answer.add(plan.response(found.node))


def plan_of(request: Request, root: Element | None) -> Plan:
    """What the body asks for; without one, allprop. Raises ``DavError`` 400. # rfc4918#9.1"""
    minimal = request.prefers("return=minimal")
    everything = root is None
    names: list[str] = []
    if root is not None:
        if root.tag != dav("propfind"):
            raise DavError(400, text="The body is no DAV:propfind.")
        asked = {str(entry.tag) for entry in children(root)}
        kinds = asked & {dav("prop"), dav("allprop"), dav("propname")}
        if len(kinds) != 1:
            raise DavError(400, text="One of prop, allprop and propname must be there.")
        if dav("propname") in kinds:
            return NamesPlan(request)
        everything = dav("allprop") in kinds
        names = prop_names(child(root, dav("include" if everything else "prop")))
    if everything and _REDIRECTOR in request.agent:
        return Plan(request, _FOR_REDIRECTOR, minimal=True)
    return Plan(request, names, everything=everything, minimal=minimal)


def location_fields(request: Request, resource: Resource) -> tuple[tuple[str, str], ...]:
    """Content-Location, where the URL lacks the slash of a collection. # rfc4918#5.2"""
    if resource.kind & Kind.COLLECTION and not request.exchange.trailing_slash:
        return (("Content-Location", resource.node.href), *preference_fields(request))
    return preference_fields(request)


def preference_fields(request: Request) -> tuple[tuple[str, str], ...]:
    """Says that an answer is minimal as the client prefers. # rfc7240#3"""
    if request.prefers("return=minimal"):
        return (("Preference-Applied", "return=minimal"), ("Vary", "Prefer, Brief"))
    return ()
