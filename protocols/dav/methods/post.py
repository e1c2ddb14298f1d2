"""POST: add a member to a collection under a name that the server finds (RFC 5995)."""

from __future__ import annotations

import uuid
from typing import Final

from folkmoot.protocols.dav.inviting import answer_sharing
from folkmoot.protocols.dav.methods.storing import answer, judge, media_type_of, store
from folkmoot.protocols.dav.registry import compliance, method
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Guard

_SUFFIXES: Final = {
    "text/calendar": ".ics",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "text/plain": ".txt",
    "text/html": ".html",
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
}

compliance("add-member")


@method("POST", Kind.HOME, [Tool.DOCUMENTS])
@method("POST", Kind.FOLDER)
async def add_member(request: Request, resource: Resource) -> None:
    """Store the body as a new member and say where it is. # rfc5995#3.1

    What is said about sharing is no member.
    """
    if await answer_sharing(request, resource):
        return
    media_type = media_type_of(request)
    suffix = _SUFFIXES.get(media_type.partition(";")[0].strip().lower(), "")
    path = resource.tree_path.below(f"{uuid.uuid4()}{suffix}")
    request.written = path
    exchange, guard = request.exchange, Guard(tokens=request.guard(resource.tree_path).tokens)
    await judge(request, path, exchange.content_length or 0, guard)
    body = await exchange.spool_body(request.tree, request.limits.max_upload)
    stored = await store(request, path, body, media_type, guard)
    location = exchange.base_url + request.urls.href(path)
    await answer(request, stored, [("Location", location)])
