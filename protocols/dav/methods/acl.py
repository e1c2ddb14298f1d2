"""ACL (RFC 3744 section 8.1).

The owner of a space has all privileges in it, and no ACL can change that. Rights for others are
given by sharing, which these ACEs do not reach: what asks for such is refused with the
precondition that says why.
"""

from __future__ import annotations

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.paths import principal_href
from folkmoot.protocols.dav.privileges import ATOMIC, WRITE
from folkmoot.protocols.dav.registry import compliance, method
from folkmoot.protocols.dav.request import Request, refuse
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import MAX_BODY, Element, child, children, text
from folkmoot.storage.types import Right

MAX_ACES = 200
_KNOWN = {*ATOMIC, *WRITE, dav("write"), dav("all")}

compliance("access-control")


@method("ACL", Kind.IN_TREE)
async def acl(request: Request, resource: Resource) -> None:
    """Accept what says the present state in other words."""
    if not resource.node.rights & Right.SHARE:
        raise refuse("need-privileges", text="You may not change who may do what.")
    root = await request.xml(MAX_BODY)
    if root is None or root.tag != dav("acl"):
        raise DavError(400, text="The body is no DAV:acl.")
    aces = [entry for entry in children(root) if entry.tag == dav("ace")]
    if len(aces) > MAX_ACES:
        raise refuse("limited-number-of-aces")
    for ace in aces:
        _check(request, resource, ace)
    await request.exchange.respond(200)


def _check(request: Request, resource: Resource, ace: Element) -> None:
    # rfc3744#8.1.1
    if child(ace, dav("invert")) is not None:
        raise refuse("no-invert")
    if child(ace, dav("deny")) is not None:
        raise refuse("grant-only")
    principal, grant = child(ace, dav("principal")), child(ace, dav("grant"))
    if principal is None or grant is None:
        raise DavError(400, text="An ACE has a principal and a grant.")
    for privilege in children(grant):
        for named in children(privilege):
            if named.tag not in _KNOWN:
                raise refuse("not-supported-privilege")
    if not _is_owner(request, resource, principal):
        raise refuse("allowed-principal", text="Rights for others are given by sharing.")


def _is_owner(request: Request, resource: Resource, principal: Element) -> bool:
    named = child(principal, dav("property"))
    if named is not None:
        return child(named, dav("owner")) is not None
    href = child(principal, dav("href"))
    if href is None:
        return False
    target = request.target(text(href))
    url = principal_href(resource.node.space_id).strip("/").split("/")
    if target.path == tuple(url):
        return True
    if target.path[: len(url) - 1] != tuple(url[:-1]):
        raise refuse("recognized-principal")
    return False
