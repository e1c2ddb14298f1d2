"""COPY and MOVE (RFC 4918 sections 9.8 and 9.9), each in one transaction."""

from __future__ import annotations

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.registry import method
from folkmoot.protocols.dav.request import INFINITY, Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types_tree import TreePath


@method("COPY", Kind.IN_TREE)
async def copy(request: Request, resource: Resource) -> None:
    """Depth 0 copies a folder without what is in it. # rfc4918#9.8.3"""
    depth = request.depth(INFINITY)
    if depth == 1:
        raise DavError(400, text="COPY has Depth 0 or infinity.")
    source, target = resource.tree_path, destination(request)
    replaced = await request.tree.copy(
        source,
        target,
        request.guard(source),
        overwrite=overwrite(request),
        deep=depth == INFINITY,
    )
    await _answer(request, target, replaced)


@method("MOVE", Kind.IN_TREE)
async def move(request: Request, resource: Resource) -> None:
    """What was at the destination is gone, its locks stay behind with the source."""
    # rfc4918#9.9, rfc4918#7.5
    if resource.node.folder is not None and request.depth(INFINITY) != INFINITY:
        raise DavError(400, text="A collection moves with all that is in it.")
    source, target = resource.tree_path, destination(request)
    replaced = await request.tree.move(
        source, target, request.guard(source), overwrite=overwrite(request)
    )
    await _answer(request, target, replaced)


def destination(request: Request) -> TreePath:
    """Where it goes. Raises ``DavError`` 400, 403 outside the trees, 502 on other servers."""
    # rfc4918#10.3
    header = request.exchange.header("Destination")
    if header is None:
        raise DavError(400, text="The Destination header is missing.")
    target = request.target(header)
    try:
        place = request.urls.place(target.path)
    except NotFound:
        place = None
    if not isinstance(place, TreePath) or not place.names:
        raise DavError(403, text="Nothing can be put there.")
    request.written = place
    return place


def overwrite(request: Request) -> bool:
    """The Overwrite header. # rfc4918#10.6"""
    header = (request.exchange.header("Overwrite") or "T").strip().upper()
    if header not in ("T", "F"):
        raise DavError(400, text="Overwrite is T or F.")
    return header == "T"


async def _answer(request: Request, target: TreePath, replaced: bool) -> None:
    if replaced:
        await request.exchange.respond(204)
        return
    location = request.exchange.base_url + request.href(target)
    await request.exchange.respond(201, [("Location", location)])
