"""PATCH as sabre/dav defines it: parts of an item are replaced, or something is appended.

The new whole is put together in a spool from what is there and what was sent, so that others see
either the old octets or the new ones, and a client that stops in the middle changes nothing.
"""

from __future__ import annotations

import re

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.methods.get import PIECE
from folkmoot.protocols.dav.methods.storing import answer, judge, still, store
from folkmoot.protocols.dav.registry import compliance, method
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.storage.content.source import BytesSource, FileSource
from folkmoot.storage.errors import TooLarge
from folkmoot.storage.types import BodySpool, Tool
from folkmoot.storage.types_tree import Stored

PARTIAL_TYPE = "application/x-sabredav-partialupdate"
_UPDATE_RANGE = re.compile(
    r"\s*(?:(append)|bytes=(\d{1,18})-(\d{0,18})|bytes=-(\d{1,18}))\s*", re.IGNORECASE
)

compliance("sabredav-partialupdate")


@method("PATCH", Kind.ITEM, [Tool.DOCUMENTS])
async def patch(request: Request, resource: Resource) -> None:
    """X-Update-Range says where: ``append``, ``bytes=3-``, ``bytes=3-6``, ``bytes=-5``."""
    exchange, item = request.exchange, resource.item
    request.written = resource.path
    kind = (exchange.header("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != PARTIAL_TYPE:
        raise DavError(415, text=f"PATCH needs the type {PARTIAL_TYPE}.")
    match = _UPDATE_RANGE.fullmatch(exchange.header("X-Update-Range") or "")
    if match is None:
        raise DavError(400, text="X-Update-Range is missing or cannot be read.")
    if exchange.content_length is None:
        raise DavError(411, text="PATCH needs a Content-Length.")
    start = int(match[2]) if match[2] else item.size - int(match[4] or 0)  # else "append"
    if not 0 <= start <= item.size:
        raise DavError(416, text="There is a gap before this part.")
    if match[3] and int(match[3]) + 1 - start != exchange.content_length:
        raise DavError(416, text="The range and the length of the body differ.")
    await answer(request, await splice(request, resource, start))


async def splice(request: Request, resource: Resource, start: int) -> Stored:
    """Put what is there with the body of the request written over it from ``start`` on.

    The item must still be as it was found. Raises what ``Tree.put`` does, and ``ClientGone``.
    """
    path, tree = resource.tree_path, request.tree
    item = resource.item if resource.kind is Kind.ITEM else None
    size = item.size if item is not None else 0
    guard = still(request.guard(path), item.etag if item is not None else None)
    sent = request.exchange.content_length or 0
    await judge(request, path, max(size, start + sent), guard)
    old = await _source(request, resource)
    spool = await tree.spool()
    try:
        await _copy(request, old, 0, start, spool)
        await _receive(request, spool)
        await _copy(request, old, spool.size, size, spool)
    except BaseException:
        spool.discard()
        raise
    finally:
        if isinstance(old, FileSource):
            old.close()
    media_type = item.media_type if item is not None else ""
    return await store(request, path, spool, media_type, guard)


async def _source(request: Request, resource: Resource) -> BytesSource | FileSource:
    if resource.kind is not Kind.ITEM:
        return BytesSource(b"")
    body = await request.tree.body(resource.item)
    if body.data is not None:
        return BytesSource(body.data)
    return await request.tree.open_body(body)


async def _copy(
    request: Request, old: BytesSource | FileSource, start: int, end: int, spool: BodySpool
) -> None:
    for position in range(start, end, PIECE):
        length = min(PIECE, end - position)

        def work(position: int = position, length: int = length) -> None:
            spool.write(old.read(position, length))

        await request.tree.compute(work)


async def _receive(request: Request, spool: BodySpool) -> None:
    while piece := await request.exchange.read_piece():
        if spool.size + len(piece) > request.limits.max_upload:
            raise TooLarge
        await request.tree.spool_write(spool, piece)
