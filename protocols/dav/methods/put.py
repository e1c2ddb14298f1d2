"""PUT: store an item. Also the parts of one that curl and others send with Content-Range."""

from __future__ import annotations

import re

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.methods.partial import splice
from folkmoot.protocols.dav.methods.storing import answer, judge, media_type_of, store
from folkmoot.protocols.dav.registry import method, methods_of
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.storage.errors import AlreadyExists
from folkmoot.storage.types import Tool

_CONTENT_RANGE = re.compile(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(?:\d{1,18}|\*)\s*", re.IGNORECASE)


@method("PUT", Kind.ITEM | Kind.NOTHING, located=False)
async def put(request: Request, resource: Resource) -> None:
    """Store the body as it is. # rfc9110#9.3.4"""
    exchange, path = request.exchange, resource.tree_path
    request.written = path
    if not path.names:
        raise DavError(405, fields=[("Allow", ", ".join(methods_of(Kind.HOME, path.tool)))])
    if exchange.trailing_slash:
        raise DavError(409, text="Only collections have URLs that end with a slash.")
    header = exchange.header("Content-Range")
    if header is not None:
        await _put_part(request, await request.locate(path), header)
        return
    guard = request.guard(path)
    length = exchange.content_length
    waits = exchange.header("Expect") is not None
    if waits or length is None or length > request.tree.inline_limit:
        await judge(request, path, _announced(request), guard)
    body = await exchange.spool_body(request.tree, request.limits.max_upload)
    stored = await store(request, path, body, media_type_of(request), guard)
    await answer(request, stored)


def _announced(request: Request) -> int:
    """Octets that are to come, as far as that is known; Finder says it beside its chunks."""
    length = request.exchange.content_length
    if length is not None:
        return length
    expected = (request.exchange.header("X-Expected-Entity-Length") or "").strip()
    return int(expected) if expected.isascii() and expected.isdigit() and len(expected) < 19 else 0


async def _put_part(request: Request, resource: Resource, header: str) -> None:
    """A part goes to its place in what is there already; what is missing is not made up."""
    if resource.node.folder is not None:
        raise AlreadyExists
    if resource.node.tool is not Tool.DOCUMENTS:
        raise DavError(400, text="Parts can be put only into documents.")  # rfc9110#14.4
    match = _CONTENT_RANGE.fullmatch(header)
    if match is None or int(match[2]) < int(match[1]):
        raise DavError(400, text="This Content-Range cannot be read.")
    start, end = int(match[1]), int(match[2]) + 1
    length = request.exchange.content_length
    if length is not None and length != end - start:
        raise DavError(400, text="Content-Range and the length of the body differ.")
    size = resource.item.size if resource.kind is Kind.ITEM else 0
    if start > size:
        raise DavError(416, text="There is a gap before this part.")
    await answer(request, await splice(request, resource, start))
