"""Reports about principals (RFC 3744 section 9)."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from folkmoot.protocols.dav.acl import principals_in
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.listing import members
from folkmoot.protocols.dav.multistatus import XML_TYPE, Multistatus
from folkmoot.protocols.dav.names import DECLARATIONS, dav, element
from folkmoot.protocols.dav.paths import (
    GROUP_PRINCIPALS,
    USERS,
    PrincipalPlace,
    principal_href,
)
from folkmoot.protocols.dav.plan import Plan
from folkmoot.protocols.dav.registry import report
from folkmoot.protocols.dav.request import Request, principal_node
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.dav.xml import prop_names
from folkmoot.protocols.http.xml import Element, child, children, text
from folkmoot.storage.types_tree import Principal

MAX_TERMS: Final = 20
#: Properties that principals are searched by, with what they are called.
SEARCHABLE: Final = {
    dav("displayname"): "Name",
    dav("alternate-URI-set"): "E-mail address",
}
_PARTS: Final = frozenset(
    map(dav, ("property-search", "prop", "apply-to-principal-collection-set"))
)
_TAGS = re.compile(r"<[^>]*>")


@report(dav("principal-search-property-set"), Kind.SITE)
async def principal_search_property_set(
    request: Request, resource: Resource, root: Element
) -> None:
    """By what one can search. # rfc3744#9.5"""
    entries = "".join(
        f"<D:principal-search-property><D:prop>{element(name)}</D:prop>"
        f'<D:description xml:lang="en">{title}</D:description></D:principal-search-property>'
        for name, title in SEARCHABLE.items()
    )
    name = "principal-search-property-set"
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<D:{name}{DECLARATIONS}>{entries}</D:{name}>'
    await request.exchange.respond(200, [XML_TYPE], body.encode())


@report(dav("principal-property-search"), Kind.COLLECTION)
async def principal_property_search(request: Request, resource: Resource, root: Element) -> None:
    """Principals whose properties contain texts. # rfc3744#9.4"""
    if request.depth(0) != 0:
        raise DavError(400, text="principal-property-search has Depth 0.")
    terms = _terms(root)
    # Apple's addition: test="anyof" takes those for which one term holds.
    judge = any if terms and root.get("test") == "anyof" else all
    wanted, complete = _wanted(root)
    plan = Plan(request, wanted)
    answer = Multistatus(request.exchange)
    path = request.exchange.path
    everywhere = child(root, dav("apply-to-principal-collection-set")) is not None
    if everywhere or path in (USERS[: len(path)], GROUP_PRINCIPALS):
        for principal in await _candidates(request, [match for _, match in terms]):
            node = principal_node(principal)
            found = Resource(node)
            await plan.prefetch(found)
            if complete and any(plan.value(name, node) is None for name in wanted):
                continue
            if judge(_holds(plan, node, names, match) for names, match in terms):
                await answer.add(plan.response(node))
    await answer.end()


def _wanted(root: Element) -> tuple[list[str], bool]:
    """The properties that are asked for, and whether all of them must be there.

    python-caldav writes them beside an empty prop, and fails when it is told of a principal that
    lacks one of them: a group, which has no calendar-home-set.
    """
    found = prop_names(child(root, dav("prop")))
    if found:
        return found, False
    return [name for name in prop_names(root) if name not in _PARTS], True


def _terms(root: Element) -> list[tuple[list[str], str]]:
    """Names of properties and a text for each search; none is a search for everybody."""
    # rfc3744#9.4
    terms: list[tuple[list[str], str]] = []
    for search in children(root):
        if search.tag != dav("property-search"):
            continue
        names = prop_names(child(search, dav("prop")))
        if not names:
            raise DavError(400, text="A search names no property.")
        terms.append((names, text(child(search, dav("match"))).strip().casefold()))
    if len(terms) > MAX_TERMS:
        raise DavError(400, text="There are too many searches.")
    return terms


async def _candidates(request: Request, matches: list[str]) -> list[Principal]:
    """Whom the searches can mean: oneself, one's groups and who is in them, and whoever has an
    address that is given whole."""
    found = {request.urls.space_id: await request.tree.principal(request.urls.space_id)}
    found |= {each.space_id: each for each in await request.tree.circle()}
    for match in matches:
        address = match.removeprefix("mailto:")
        if "@" in address:
            principal = await request.tree.principal_by_address(address)
            if principal is not None:
                found.setdefault(principal.space_id, principal)
    return list(found.values())


def _holds(plan: Plan, node: Node, names: list[str], match: str) -> bool:
    """Whether all these properties contain a text, capitals or not."""
    for name in names:
        value = plan.value(name, node)
        if value is None or match not in unescape(_TAGS.sub("\n", value)).casefold():
            return False
    return True


@report(dav("principal-match"), Kind.COLLECTION)
async def principal_match(request: Request, resource: Resource, root: Element) -> None:
    """Members that are, or belong to, the one who asks. # rfc3744#9.3"""
    if request.depth(0) != 0:
        raise DavError(400, text="principal-match has Depth 0.")
    plan = Plan(request, prop_names(child(root, dav("prop"))))
    answer = Multistatus(request.exchange)
    me = principal_href(request.urls.space_id)
    wanted = prop_names(child(root, dav("principal-property")))
    if child(root, dav("self")) is not None:
        if me.startswith(resource.node.href) and resource.node.href.startswith("/dav/principals/"):
            found = await request.locate(PrincipalPlace(request.urls.space_id))
            await plan.prefetch(found)
            await answer.add(plan.response(found.node))
    elif not wanted:
        raise DavError(400, text="principal-match names neither self nor a property.")
    elif resource.node.folder is not None:
        value = plan.value(wanted[0], resource.node)
        # Whom a member belongs to is said by its space, which its collection shares.
        if value is not None and f"<D:href>{me}</D:href>" in value:
            await plan.prefetch(resource)
            async for page, _ in members(request, resource, plan):
                await answer.add(page)
    await answer.end()


@report(dav("acl-principal-prop-set"), Kind.IN_TREE)
async def acl_principal_prop_set(request: Request, resource: Resource, root: Element) -> None:
    """Properties of the principals in the ACL. # rfc3744#9.2"""
    if request.depth(0) != 0:
        raise DavError(400, text="acl-principal-prop-set has Depth 0.")
    plan = Plan(request, prop_names(child(root, dav("prop"))))
    answer = Multistatus(request.exchange)
    for place in await principals_in(request, resource):
        found = await request.locate(place)
        await plan.prefetch(found)
        await answer.add(plan.response(found.node))
    await answer.end()
