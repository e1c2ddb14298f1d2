"""Properties of principals (RFC 3744 section 4)."""

from __future__ import annotations

from folkmoot.protocols.dav.names import dav, escape
from folkmoot.protocols.dav.paths import principal_href
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node


@prop(dav("principal-URL"), Kind.PRINCIPAL)
def principal_url(request: Request, node: Node) -> str:
    """Its one URL. # rfc3744#4.2"""
    return f"<D:href>{principal_href(node.space_id)}</D:href>"


@prop(dav("alternate-URI-set"), Kind.PRINCIPAL)
def alternate_uri_set(request: Request, node: Node) -> str:
    """Its e-mail addresses. # rfc3744#4.1"""
    addresses = node.principal.addresses if node.principal is not None else ()
    return "".join(f"<D:href>mailto:{escape(address)}</D:href>" for address in addresses)


@prop(dav("group-member-set"), Kind.PRINCIPAL)
def group_member_set(request: Request, node: Node) -> str:
    """An account has no members. # rfc3744#4.3"""
    return ""


@prop(dav("group-membership"), Kind.PRINCIPAL)
def group_membership(request: Request, node: Node) -> str:
    """The groups that it is a member of. # rfc3744#4.4"""
    return ""
