"""DELETE: an item, or a folder with all that is in it."""

from __future__ import annotations

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.registry import method
from folkmoot.protocols.dav.request import INFINITY, Request
from folkmoot.protocols.dav.resources import Kind, Resource


@method("DELETE", Kind.IN_TREE | Kind.NOTHING, located=False)
async def delete(request: Request, resource: Resource) -> None:
    """All or nothing, in one transaction. # rfc4918#9.6"""
    path = request.written = resource.tree_path
    if request.exchange.header("Depth") is not None:
        found = await request.locate(path)
        if found.node.folder is not None and request.depth(INFINITY) != INFINITY:
            raise DavError(400, text="A collection can be removed only with all that is in it.")
    # rfc6638#8.1: F takes a meeting away without declining it
    replies = (request.exchange.header("Schedule-Reply") or "T").strip().upper() != "F"
    await request.tree.delete(path, request.guard(path), replies=replies)
    await request.exchange.respond(204)
