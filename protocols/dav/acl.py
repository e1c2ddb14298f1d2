"""Who may do what with a resource, as the ACEs of RFC 3744 section 5.5.

What a client can change are the ACEs of grants on the resource itself. That of the owner (of a
group's: of its administrator), and what all members of a group have, cannot be changed; the grants
above count as inherited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from folkmoot.protocols.dav.paths import PrincipalPlace, principal_href
from folkmoot.protocols.dav.privileges import MEMBER, current_user_privilege_set
from folkmoot.protocols.dav.registry import prefetch
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Node, Resource
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import ALL_RIGHTS, Right
from folkmoot.storage.types_sharing import Access, Grant
from folkmoot.storage.types_tree import Folder, Item, TreePath

_OWNER: Final = "<D:property><D:owner/></D:property>"
_PROTECTED: Final = "<D:protected/>"


@prefetch("access", paged=True)
async def fetch_access(
    request: Request, resource: Resource, nodes: Sequence[Folder | Item] | None
) -> None:
    """Who may do what with the resource itself, or with members of it."""
    here = resource.node.folder or resource.parent
    if here is None:
        return
    ids = [here.id] if nodes is None else [each.id for each in nodes if isinstance(each, Folder)]
    if nodes is not None and here.id not in _known(request):
        ids.append(here.id)
    _known(request).update(await request.tree.access(ids))


def _known(request: Request) -> dict[int, Access]:
    found: dict[int, Access] = request.facts.setdefault("access", {})
    return found


def access_of(request: Request, node: Node) -> Access | None:
    """What was fetched for a node; None where whoever asks may not share it."""
    folder_id = node.folder.id if node.folder is not None else 0
    if node.item is not None:
        folder_id = node.item.folder_id
    return _known(request).get(folder_id)


def aces(request: Request, node: Node) -> str:
    """The value of ``DAV:acl``. Who may not share sees the owner and himself."""
    # rfc3744#5.5.1, rfc3744#5.5.2
    access = access_of(request, node)
    if access is None:
        if node.rights == ALL_RIGHTS:
            return _ace(_OWNER, ALL_RIGHTS, _PROTECTED)
        return _ace(_OWNER, ALL_RIGHTS, _PROTECTED) + _ace("<D:self/>", node.rights, _PROTECTED)
    parts = []
    if not access.administrator:
        parts.append(_ace(_OWNER, ALL_RIGHTS, _PROTECTED))
    else:
        administrator = principal_href(access.administrator)
        parts.append(_ace(_href(administrator), ALL_RIGHTS, _PROTECTED))
        if not any(grant.grantee == access.owner for grant, _ in access.grants):
            parts.append(_ace(_href(node.owner_href), MEMBER, _PROTECTED))
        parts += [
            _ace(_href(principal_href(space)), MEMBER | rights, _PROTECTED)
            for space, rights in access.members
        ]
    nearest: set[int] = set()
    for grant in own_grants(node, access):
        nearest.add(grant.grantee)
        who = principal_href(grant.grantee, of_group=grant.is_group)
        parts.append(_ace(_href(who), grant.rights))
    for grant, place in access.grants:
        if grant.grantee in nearest:
            continue
        nearest.add(grant.grantee)
        above = f"<D:inherited>{_href(_url(request, place))}</D:inherited>"
        who = principal_href(grant.grantee, of_group=grant.is_group)
        parts.append(_ace(_href(who), grant.rights, above))
    return "".join(parts)


def own_grants(node: Node, access: Access) -> list[Grant]:
    """What is granted on a collection or an item itself."""
    if node.item is not None:
        return list(access.items.get(node.item.id, ()))
    here = node.folder.id if node.folder is not None else 0
    return [grant for grant, _ in access.grants if grant.collection_id == here]


def inherited(request: Request, node: Node) -> str:
    """The value of ``DAV:inherited-acl-set``: the folders above that have grants. # rfc3744#5.7"""
    access = access_of(request, node)
    if access is None:
        return ""
    own = node.folder.id if node.folder is not None else 0
    places: dict[TreePath, None] = {
        place: None for grant, place in access.grants if grant.collection_id != own
    }
    return "".join(_href(_url(request, place)) for place in places)


async def principals_in(request: Request, resource: Resource) -> list[PrincipalPlace]:
    """The principals that the ACEs of a resource are about. # rfc3744#9.2"""
    await fetch_access(request, resource, None)
    node = resource.node
    places = {PrincipalPlace(node.space_id, node.of_group): None}
    access = access_of(request, node)
    if access is not None:
        if access.administrator:
            places[PrincipalPlace(access.administrator)] = None
        places |= {PrincipalPlace(space): None for space, _ in access.members}
        given = [grant for grant, _ in access.grants] + own_grants(node, access)
        places |= {PrincipalPlace(g.grantee, g.is_group): None for g in given}
    return [*places]


def _url(request: Request, place: TreePath) -> str:
    try:
        return request.urls.href(place, collection=True)
    except NotFound:
        return request.href(place)


def _ace(principal: str, rights: Right, more: str = "") -> str:
    granted = current_user_privilege_set(rights)
    return (
        f"<D:ace><D:principal>{principal}</D:principal><D:grant>{granted}</D:grant>{more}</D:ace>"
    )


def _href(url: str) -> str:
    return f"<D:href>{url}</D:href>"
