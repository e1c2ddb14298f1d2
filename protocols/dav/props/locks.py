"""supportedlock and lockdiscovery (RFC 4918 sections 15.8 and 15.10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from folkmoot.protocols.dav.locks import active_lock
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.registry import prefetch, prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.storage.types_tree import Folder, Item, Lock

_ENTRY = (
    "<D:lockentry><D:lockscope><D:{scope}/></D:lockscope>"
    "<D:locktype><D:write/></D:locktype></D:lockentry>"
)
_BOTH = _ENTRY.format(scope="exclusive") + _ENTRY.format(scope="shared")
_OF_MEMBERS = "locks of members"


@prefetch("locks", paged=True)
async def fetch_locks(
    request: Request, resource: Resource, nodes: Sequence[Folder | Item] | None
) -> None:
    """Locks of the resource itself, or of members of it."""
    if resource.path is None:
        return
    if nodes is None:
        request.facts[f"locks {resource.node.href}"] = await request.tree.locks(resource.path)
    elif nodes:
        folder_id = resource.folder.id
        request.facts[_OF_MEMBERS] = await request.tree.locks_listed(folder_id, nodes)


@prop(dav("supportedlock"), Kind.IN_TREE, everything=True)
def supportedlock(request: Request, node: Node) -> str:
    """Exclusive and shared write locks. # rfc4918#15.10"""
    return _BOTH


@prop(dav("lockdiscovery"), Kind.IN_TREE, needs="locks", everything=True)
def lockdiscovery(request: Request, node: Node) -> str:
    """The locks that cover it, its own and those from above. # rfc4918#15.8"""
    locks: list[Lock] | None = request.facts.get(f"locks {node.href}")
    if locks is None:
        of_member: Callable[[Folder | Item], list[Lock]] | None = request.facts.get(_OF_MEMBERS)
        thing = node.item or node.folder
        locks = of_member(thing) if of_member is not None and thing is not None else []
    return "".join([active_lock(request, lock) for lock in locks])
