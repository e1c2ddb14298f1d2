"""Quota properties (RFC 4331), with values everywhere in the trees.

Clients without them (davfs2, GNOME, macOS) show nonsense or refuse to write, so what is not
limited says a large number. They ask at the place that is mounted: the top of the drive, where
things of several owners are, tells the room of one's own documents. # rfc4331#3
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.paths import DRIVE
from folkmoot.protocols.dav.quoting import quoted_path
from folkmoot.protocols.dav.registry import prefetch, prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Folder, Item, SpaceUsage, TreePath

_KINDS: Final = Kind.SITE | Kind.HOME | Kind.FOLDER
_TOP: Final = quoted_path(DRIVE, collection=True)
UNLIMITED = 1 << 50  # octets: a petabyte, that still fits into a float without loss


@prefetch("usage")
async def fetch_usage(
    request: Request, resource: Resource, nodes: Sequence[Folder | Item] | None
) -> None:
    """What the tool of the space takes; all its collections share it."""
    folder = resource.node.folder or resource.parent
    if resource.node.href == _TOP:
        own = TreePath(request.urls.space_id, Tool.DOCUMENTS)
        folder = (await request.locate(own)).node.folder
    if folder is not None:
        key = _key(folder.space_id, folder.tool)
        request.facts[key] = await request.tree.usage(folder.id)


@prop(dav("quota-available-bytes"), _KINDS, needs="usage")
def available(request: Request, node: Node) -> str | None:
    """Octets that can still be stored. # rfc4331#3"""
    usage = _usage(request, node)
    if usage is None:
        return None
    if usage.bytes_limit is None:
        return str(UNLIMITED)
    return str(max(0, usage.bytes_limit - usage.bytes_used))


@prop(dav("quota-used-bytes"), _KINDS, needs="usage")
def used(request: Request, node: Node) -> str | None:
    """Octets that are stored. # rfc4331#4"""
    usage = _usage(request, node)
    return str(usage.bytes_used) if usage is not None else None


def _usage(request: Request, node: Node) -> SpaceUsage | None:
    usage: SpaceUsage | None = None
    if node.href == _TOP:
        usage = request.facts.get(_key(request.urls.space_id, Tool.DOCUMENTS))
    elif node.tool is not None:
        usage = request.facts.get(_key(node.space_id, node.tool))
    return usage


def _key(space_id: int, tool: Tool) -> str:
    return f"usage {space_id} {tool.value}"
