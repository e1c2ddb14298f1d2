"""LOCK and UNLOCK (RFC 4918 sections 9.10 and 9.11)."""

from __future__ import annotations

import re
from typing import Final

from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.locks import active_lock
from folkmoot.protocols.dav.multistatus import XML_TYPE
from folkmoot.protocols.dav.names import DECLARATIONS, dav
from folkmoot.protocols.dav.registry import method
from folkmoot.protocols.dav.request import INFINITY, Request, refuse
from folkmoot.protocols.dav.resources import Kind, Resource
from folkmoot.protocols.dav.xml import whole
from folkmoot.protocols.http.xml import Element, child, children
from folkmoot.storage.errors import Conflict
from folkmoot.storage.types_tree import Lock, LockRequest, LockScope

MAX_BODY: Final = 64 * 1024
_SECONDS = re.compile(r"\s*second-(\d{1,18})\s*", re.IGNORECASE)


@method("LOCK", Kind.IN_TREE | Kind.NOTHING)
async def lock(request: Request, resource: Resource) -> None:
    """Take a lock, or refresh one when there is no body. # rfc4918#9.10"""
    path = resource.tree_path
    request.written = path
    guard = request.guard(path)
    timeout = timeout_of(request)
    root = await request.xml(MAX_BODY)
    if root is None:
        if not guard.tokens:
            raise DavError(400, text="A refresh names its lock in the If header.")
        refreshed = await request.tree.refresh(path, timeout, guard)
        await _answer(request, 200, refreshed)
        return
    # Windows' redirector sends no Depth; infinity is what that means. # rfc4918#9.10.3
    depth = request.depth(INFINITY)
    if depth == 1:
        raise DavError(400, text="LOCK has Depth 0 or infinity.")
    scope, owner = _lock_info(root)
    infinite = depth == INFINITY and resource.node.item is None
    wanted = LockRequest(scope, infinite, owner, timeout)
    taken = await request.tree.lock(path, wanted, guard)
    await _answer(request, 201 if taken.created else 200, taken.lock, new=True)


@method("UNLOCK", Kind.IN_TREE | Kind.NOTHING)
async def unlock(request: Request, resource: Resource) -> None:
    """End the lock that the Lock-Token header names. # rfc4918#9.11"""
    header = request.exchange.header("Lock-Token")
    if header is None:
        raise DavError(400, text="The Lock-Token header is missing.")
    token = header.strip().removeprefix("<").removesuffix(">")  # some clients leave out <>
    try:
        await request.tree.unlock(resource.tree_path, token)
    except Conflict as error:
        raise refuse("lock-token-matches-request-uri", 409, error.text) from None
    await request.exchange.respond(204)


def timeout_of(request: Request) -> int | None:
    """The first timeout of the Timeout header that is understood; None for as long as it gets."""
    # rfc4918#10.7
    for word in (request.exchange.header("Timeout") or "").split(","):
        match = _SECONDS.fullmatch(word)
        if match is not None:
            return int(match[1])
        if word.strip().lower() == "infinite":
            return None
    return None


def _lock_info(root: Element) -> tuple[LockScope, str]:
    # rfc4918#14.11
    if root.tag != dav("lockinfo"):
        raise DavError(400, text="The body is no DAV:lockinfo.")
    scope, kind = child(root, dav("lockscope")), child(root, dav("locktype"))
    if kind is None or child(kind, dav("write")) is None or scope is None:
        raise DavError(400, text="Scope and type of the lock are missing or unknown.")
    scopes = {str(entry.tag) for entry in children(scope)}
    if scopes == {dav("exclusive")}:
        found = LockScope.EXCLUSIVE
    elif scopes == {dav("shared")}:
        found = LockScope.SHARED
    else:
        raise DavError(400, text="The lock's scope is unknown.")
    owner = child(root, dav("owner"))
    return found, whole(owner) if owner is not None else ""


async def _answer(request: Request, status: int, taken: Lock, *, new: bool = False) -> None:
    active = active_lock(request, taken)
    body = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<D:prop{DECLARATIONS}>'
        f"<D:lockdiscovery>{active}</D:lockdiscovery></D:prop>"
    )
    fields = [XML_TYPE]
    if new:
        fields.append(("Lock-Token", f"<{taken.token}>"))
    await request.exchange.respond(status, fields, body.encode())
