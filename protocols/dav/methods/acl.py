"""ACL (RFC 3744 section 8.1): grants on a collection to groups and fellow members, on a single item
to groups.

The ACEs of a request are those that are there afterwards, beside the protected and the inherited
ones. What can be granted, and to whom, the store decides.
"""

from __future__ import annotations

from folkmoot.protocols.dav.acl import access_of, fetch_access, own_grants
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.parties import party_at
from folkmoot.protocols.dav.privileges import ATOMIC, WRITE, privileges_of, rights_given
from folkmoot.protocols.dav.registry import compliance, method
from folkmoot.protocols.dav.request import Request, refuse
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import MAX_BODY
from folkmoot.protocols.http.xml import Element, child, children, text
from folkmoot.storage.errors import PermissionDenied, Unchangeable
from folkmoot.storage.types import Right
from folkmoot.storage.types_sharing import Access

MAX_ACES = 200
_KNOWN = {*ATOMIC, *WRITE, dav("write"), dav("all")}

compliance("access-control")


@method("ACL", Kind.IN_TREE)
async def acl(request: Request, resource: Resource) -> None:
    """Grant what the body says, and nothing else. # rfc3744#8.1"""
    if not resource.node.rights & Right.SHARE:
        raise refuse("need-privileges", text="You may not change who may do what.")
    root = await request.xml(MAX_BODY)
    if root is None or root.tag != dav("acl"):
        raise DavError(400, text="The body is no DAV:acl.")
    aces = [entry for entry in children(root) if entry.tag == dav("ace")]
    if len(aces) > MAX_ACES:
        raise refuse("limited-number-of-aces")
    path = request.written = resource.tree_path
    guard = request.guard(path)
    await fetch_access(request, resource, None)
    access = access_of(request, resource.node)
    wanted: dict[int, set[str]] = {}
    for ace in aces:
        space, names = await _read(request, resource, ace, access)
        if space:
            wanted.setdefault(space, set()).update(names)
    own: dict[int, Right] = {}
    if access is not None:
        own = {each.grantee: each.rights for each in own_grants(resource.node, access)}
    if wanted or own:
        changes = {space: _rights(names, own.get(space)) for space, names in wanted.items()}
        try:
            await request.tree.share(path, changes, guard, others=False)
        except (PermissionDenied, Unchangeable) as error:
            raise refuse("allowed-principal", text=error.text) from None
    await request.exchange.respond(200)


def _rights(names: set[str], before: Right | None) -> Right:
    """Rights of privileges; what says the same as before leaves them as they are."""
    if before is not None and names == privileges_of(before):
        return before
    try:
        return rights_given(names)
    except KeyError:
        raise refuse("not-supported-privilege", text="Only owners decide what is shared.") from None


async def _read(
    request: Request, resource: Resource, ace: Element, access: Access | None
) -> tuple[int, set[str]]:
    """The space and the privileges of an ACE; 0 for one that is there anyway. # rfc3744#8.1.1"""
    if child(ace, dav("invert")) is not None:
        raise refuse("no-invert")
    if child(ace, dav("deny")) is not None:
        raise refuse("grant-only")
    principal, grant = child(ace, dav("principal")), child(ace, dav("grant"))
    if principal is None or grant is None:
        raise DavError(400, text="An ACE has a principal and a grant.")
    names = {str(named.tag) for privilege in children(grant) for named in children(privilege)}
    if not names <= _KNOWN:
        raise refuse("not-supported-privilege")
    space = await _space(request, resource, principal)
    if child(ace, dav("inherited")) is not None:
        if access is None or not _is_inherited(resource, access, space):
            raise refuse("no-inherited-ace-conflict")
        return 0, names
    if space == _all_powerful(resource, access):
        return 0, names  # has everything already
    if child(ace, dav("protected")) is not None:
        return 0, names
    if dav("write") in names:
        names = {*names, *WRITE} - {dav("write")}
    return space, names


def _all_powerful(resource: Resource, access: Access | None) -> int:
    """The space of whoever has all rights."""
    if access is not None and access.administrator:
        return access.administrator
    return resource.node.space_id


def _is_inherited(resource: Resource, access: Access, space: int) -> bool:
    own = resource.folder.id if resource.node.folder is not None else 0
    return any(grant.grantee == space and grant.collection_id != own for grant, _ in access.grants)


async def _space(request: Request, resource: Resource, principal: Element) -> int:
    """The space of a principal of an ACE. Raises ``DavError`` (recognized-principal …)."""
    # rfc3744#5.5.1
    named = child(principal, dav("property"))
    if named is not None:
        if child(named, dav("owner")) is None:
            raise refuse("allowed-principal", text="Rights are given to groups and people.")
        return resource.node.space_id
    href = child(principal, dav("href"))
    if href is None:
        raise refuse("allowed-principal", text="Rights are given to groups and people.")
    party = await party_at(request, text(href))
    if party is None:
        raise refuse("recognized-principal")
    return party.space_id
