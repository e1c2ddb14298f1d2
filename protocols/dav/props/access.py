"""Who owns a resource and who may do what with it (RFC 3744, RFC 5397)."""

from __future__ import annotations

from folkmoot.protocols.dav.acl import aces, inherited
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.paths import principal_href
from folkmoot.protocols.dav.privileges import (
    current_user_privilege_set,
    rights_to_read,
    supported_privilege_set,
)
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.storage.types import Right

SUPPORTED = supported_privilege_set()


@prop(dav("current-user-principal"))
def current_user_principal(request: Request, node: Node) -> str:
    """Who asks. # rfc5397#3"""
    return _href(principal_href(request.urls.space_id))


@prop(dav("principal-collection-set"))
def principal_collection_set(request: Request, node: Node) -> str:
    """Where principals are. # rfc3744#5.8"""
    return _href("/dav/principals/users/")


@prop(dav("owner"), Kind.IN_TREE | Kind.PRINCIPAL)
def owner(request: Request, node: Node) -> str:
    """Whose space it lies in. # rfc3744#5.1"""
    return _href(node.owner_href)


@prop(dav("group"), Kind.IN_TREE | Kind.PRINCIPAL)
def group(request: Request, node: Node) -> str:
    """There are no groups of files' kind. # rfc3744#5.2"""
    return ""


@prop(dav("supported-privilege-set"))
def supported(request: Request, node: Node) -> str:
    """The privileges that there are. # rfc3744#5.3"""
    return SUPPORTED


@prop(dav("current-user-privilege-set"))
def current(request: Request, node: Node) -> str:
    """What the one who asks may do. # rfc3744#5.4"""
    if node.kind & Kind.IN_TREE:
        return current_user_privilege_set(rights_to_read(node.rights, node.tool))
    return current_user_privilege_set(Right.LOOKUP | Right.READ)


@prop(dav("acl"), Kind.IN_TREE, needs="access")
def acl(request: Request, node: Node) -> str:
    """Who may do what. # rfc3744#5.5"""
    return aces(request, node)


@prop(dav("acl-restrictions"), Kind.IN_TREE)
def acl_restrictions(request: Request, node: Node) -> str:
    """What an ACL here can be. # rfc3744#5.6"""
    return "<D:grant-only/><D:no-invert/>"


@prop(dav("inherited-acl-set"), Kind.IN_TREE, needs="access")
def inherited_acl_set(request: Request, node: Node) -> str:
    """Where grants on it come from. # rfc3744#5.7"""
    return inherited(request, node)


def _href(url: str) -> str:
    return f"<D:href>{url}</D:href>"
