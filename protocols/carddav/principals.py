"""Properties of principals that lead to their contacts (RFC 6352 section 7.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from folkmoot.protocols.carddav.words import card, server
from folkmoot.protocols.dav.registry import prefetch, prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Folder, Item, TreePath

_HREF = re.compile(r"<(?:[\w.-]+:)?href\b[^>]*>([^<>]*)<")


@prop(card("addressbook-home-set"), Kind.PRINCIPAL)
def addressbook_home_set(request: Request, node: Node) -> str | None:
    """The one collection that has the address books. # rfc6352#7.1.1

    A group's are found in the homes of its members, and not twice.
    """
    if node.of_group or not request.offers(Tool.CONTACTS):
        return None
    home = request.urls.href(TreePath(node.space_id, Tool.CONTACTS), collection=True)
    return f"<D:href>{home}</D:href>"


@prefetch("contacts home")
async def fetch_home(
    request: Request, resource: Resource, nodes: Sequence[Folder | Item] | None
) -> None:
    """What was set on the home of a principal's contacts."""
    if resource.kind is not Kind.PRINCIPAL:
        return
    space_id = resource.node.space_id
    try:
        found = await request.tree.find(TreePath(space_id, Tool.CONTACTS))
    except NotFound:
        return
    if found.entry is not None:
        request.facts[_key(space_id)] = found.entry.properties


@prop(card("principal-address"), Kind.PRINCIPAL, needs="contacts home")
def principal_address(request: Request, node: Node) -> str | None:
    """The user's own card, where a program has said which one it is. # rfc6352#7.1.2"""
    properties = request.facts.get(_key(node.space_id), {})
    match = _HREF.search(properties.get(server("me-card"), ""))
    return f"<D:href>{match[1].strip()}</D:href>" if match is not None else None


def _key(space_id: int) -> str:
    return f"contacts home {space_id}"
