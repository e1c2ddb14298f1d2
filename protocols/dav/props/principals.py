"""Properties of principals (RFC 3744 section 4)."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.protocols.dav.names import dav, escape
from folkmoot.protocols.dav.paths import principal_href
from folkmoot.protocols.dav.registry import prefetch, prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.storage.types_tree import Folder, Item


@prop(dav("principal-URL"), Kind.PRINCIPAL)
def principal_url(request: Request, node: Node) -> str:
    """Its one URL. # rfc3744#4.2"""
    return f"<D:href>{node.owner_href}</D:href>"


@prop(dav("alternate-URI-set"), Kind.PRINCIPAL)
def alternate_uri_set(request: Request, node: Node) -> str:
    """Its e-mail addresses. # rfc3744#4.1"""
    addresses = node.principal.addresses if node.principal is not None else ()
    return "".join(f"<D:href>mailto:{escape(address)}</D:href>" for address in addresses)


@prefetch("membership")
async def fetch_membership(
    request: Request, resource: Resource, nodes: Sequence[Folder | Item] | None
) -> None:
    """The members of a group, the groups of an account."""
    if resource.kind is Kind.PRINCIPAL:
        space_id = resource.node.space_id
        request.facts[_key(space_id)] = await request.tree.belonging(space_id)


@prop(dav("group-member-set"), Kind.PRINCIPAL, needs="membership")
def group_member_set(request: Request, node: Node) -> str:
    """The members of a group, who all see each other. # rfc3744#4.3"""
    members, _ = request.facts.get(_key(node.space_id), ((), ()))
    return "".join(f"<D:href>{principal_href(space)}</D:href>" for space in members)


@prop(dav("group-membership"), Kind.PRINCIPAL, needs="membership")
def group_membership(request: Request, node: Node) -> str:
    """The groups that it is a member of and the one who asks as well. # rfc3744#4.4"""
    _, groups = request.facts.get(_key(node.space_id), ((), ()))
    urls = [principal_href(space, of_group=True) for space in groups]
    return "".join(f"<D:href>{url}</D:href>" for url in urls)


def _key(space_id: int) -> str:
    return f"membership {space_id}"
