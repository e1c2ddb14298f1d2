"""Files that operating systems leave behind (``._x``, ``.DS_Store``, ``Thumbs.db`` …).

They are never stored: a question for one is answered from memory, without the database. What is
written is remembered for a while, because Finder gives up a copy when the ``._x`` that it has just
written is not there. The memory is the process's own, small, and may forget at any time.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.dav.conditions import parse_if
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.locks import active_lock
from folkmoot.protocols.dav.methods.copymove import destination, overwrite
from folkmoot.protocols.dav.methods.propfind import plan_of
from folkmoot.protocols.dav.methods.storing import still
from folkmoot.protocols.dav.multistatus import XML_TYPE, Multistatus
from folkmoot.protocols.dav.names import DECLARATIONS
from folkmoot.protocols.dav.registry import interceptor
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.protocols.dav.xml import MAX_BODY
from folkmoot.storage.errors import NotFound, PreconditionFailed
from folkmoot.storage.types import ALL_RIGHTS, Tool
from folkmoot.storage.types_tree import Item, Lock, LockScope, TreePath

_NAMES: Final = frozenset(
    {
        ".ds_store",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        ".spotlight-v100",
        ".trashes",
        ".fseventsd",
        ".metadata_never_index",
        ".metadata_never_index_unless_rootfs",
        ".ql_disablethumbnails",
        ".ql_disablecache",
    }
)
KEPT_SECONDS: Final = 900
MAX_FILES: Final = 2_000  # of everybody together
MAX_OCTETS: Final = 16 << 20  # likewise
MAX_FILE: Final = 128 << 10  # octets of one whose content is kept; of larger ones only the size
MAX_SENT: Final = 64 << 20  # octets of one that is accepted at all
LOCK_SECONDS: Final = 600


def is_junk(path: TreePath) -> bool:
    """Whether a place in the drive is for such a file, or below such a folder."""
    return path.tool is Tool.DOCUMENTS and any(
        name.startswith("._") or name.lower() in _NAMES for name in path.names
    )


@dataclass(frozen=True, slots=True)
class Remembered:
    """A file of this kind that somebody wrote."""

    data: bytes
    size: int
    etag: str
    when: float


class Memory:
    """What was written lately: by account and place, the oldest forgotten first."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[int, TreePath], Remembered] = OrderedDict()
        self._octets = 0

    def get(self, account: int, path: TreePath) -> Remembered | None:
        """What was written there, unless it is forgotten."""
        found = self._files.get((account, path))
        if found is not None and time.time() - found.when > KEPT_SECONDS:
            self.forget(account, path)
            return None
        return found

    def put(self, account: int, path: TreePath, data: bytes, size: int) -> Remembered:
        """Remember a file, and forget others to have room for it."""
        self.forget(account, path)
        now = time.time()
        etag = hashlib.blake2b(data + str(now).encode(), digest_size=16).hexdigest()
        kept = data if size <= MAX_FILE else b""
        made = Remembered(kept, size, etag, now)
        self._files[account, path] = made
        self._octets += len(kept)
        while len(self._files) > MAX_FILES or self._octets > MAX_OCTETS:
            _, gone = self._files.popitem(last=False)
            self._octets -= len(gone.data)
        return made

    def forget(self, account: int, path: TreePath) -> bool:
        """Forget a file; whether there was one."""
        gone = self._files.pop((account, path), None)
        if gone is None:
            return False
        self._octets -= len(gone.data)
        return True


def memory(request: Request) -> Memory:
    """The application's memory."""
    kept: Memory = request.lasting.setdefault("junk", Memory())
    return kept


@interceptor
async def answer_junk(request: Request, path: TreePath) -> bool:
    """Answer requests about such files here."""
    method = request.exchange.method
    if not is_junk(path):
        if method in ("COPY", "MOVE"):
            target = request.tree_path(request.exchange.header("Destination") or "")
            if target is not None and is_junk(target):
                # Moved there, a real file would be out of sight.
                raise DavError(403, text="Files of this name are not kept.")
        return False
    handler = _HANDLERS.get(method)
    if handler is None:
        raise DavError(403, text="Files of this name are not kept.")
    await handler(request, path)
    return True


def _found(request: Request, path: TreePath) -> Remembered:
    found = memory(request).get(request.tree.actor.account_id, path)
    if found is None:
        raise NotFound
    return found


async def _get(request: Request, path: TreePath) -> None:
    found = _found(request, path)
    fields = [("ETag", f'"{found.etag}"'), ("Content-Type", "application/octet-stream")]
    await request.exchange.respond(200, fields, found.data)


async def _put(request: Request, path: TreePath) -> None:
    account = request.tree.actor.account_id
    if (request.exchange.content_length or 0) > MAX_SENT:
        raise DavError(507, text="Files of this name are not kept.")
    kept, size = b"", 0
    while piece := await request.exchange.read_piece():
        size += len(piece)
        if size > MAX_SENT:
            raise DavError(507, text="Files of this name are not kept.")
        if size <= MAX_FILE:
            kept += piece
    new = memory(request).get(account, path) is None
    made = memory(request).put(account, path, kept, size)
    await request.exchange.respond(201 if new else 204, [("ETag", f'"{made.etag}"')])


async def _delete(request: Request, path: TreePath) -> None:
    if not memory(request).forget(request.tree.actor.account_id, path):
        raise NotFound
    await request.exchange.respond(204)


async def _propfind(request: Request, path: TreePath) -> None:
    found = _found(request, path)
    seconds = int(found.when)
    item = Item(
        id=0,
        folder_id=0,
        name=path.names[-1],
        modseq=0,
        created=seconds,
        modified=seconds,
        size=found.size,
        etag=found.etag,
        media_type="",
        blob_id=0,
        component="",
        schedule_tag="",
    )
    href = request.urls.href(path)
    node = Node(href, Kind.ITEM, path.tool, path.space_id, item=item, rights=ALL_RIGHTS)
    plan = plan_of(request, await request.xml(MAX_BODY))
    answer = Multistatus(request.exchange)
    await answer.add(plan.response(node))
    await answer.end()


async def _proppatch(request: Request, path: TreePath) -> None:
    """Nothing is set, and nobody has to know."""
    _found(request, path)
    await request.xml(MAX_BODY)
    answer = Multistatus(request.exchange)
    href = request.urls.href(path)
    await answer.add(
        f"<D:response><D:href>{href}</D:href><D:status>HTTP/1.1 200 OK</D:status></D:response>"
    )
    await answer.end()


async def _lock(request: Request, path: TreePath) -> None:
    """A lock that locks nothing: there is nothing to protect."""
    account = request.tree.actor.account_id
    new = memory(request).get(account, path) is None
    body = await request.exchange.read_body(MAX_BODY)
    if new:
        memory(request).put(account, path, b"", 0)
    given = [
        condition.token
        for entry in parse_if(request.exchange.header("If"), path, request.tree_path)
        for condition in entry.conditions
        if condition.token
    ]
    token = given[0] if given and not body.strip() else f"urn:uuid:{uuid.uuid4()}"
    expires = int(time.time()) + LOCK_SECONDS
    lock = Lock(token, path, LockScope.EXCLUSIVE, False, "", account, LOCK_SECONDS, expires)
    text = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<D:prop{DECLARATIONS}>'
        f"<D:lockdiscovery>{active_lock(request, lock)}</D:lockdiscovery></D:prop>"
    )
    fields = [XML_TYPE, ("Lock-Token", f"<{token}>")]
    await request.exchange.respond(201 if new else 200, fields, text.encode())


async def _unlock(request: Request, path: TreePath) -> None:
    await request.exchange.respond(204)


async def _move(request: Request, path: TreePath) -> None:
    """To another such name it is remembered there; to a real one it becomes a file."""
    account = request.tree.actor.account_id
    found, target = _found(request, path), destination(request)
    if is_junk(target):
        there = memory(request).get(account, target) is not None
        if there and not overwrite(request):
            raise PreconditionFailed
        memory(request).put(account, target, found.data, found.size)
    else:
        if len(found.data) != found.size:
            raise DavError(409, text="Its content was not kept.")
        guard = request.guard(target)
        if not overwrite(request):
            guard = still(guard, None)
        there = not (await request.tree.put(target, found.data, "", guard)).created
    if request.exchange.method == "MOVE":
        memory(request).forget(account, path)
    await request.exchange.respond(204 if there else 201)


_HANDLERS: Final = {
    "GET": _get,
    "HEAD": _get,
    "PUT": _put,
    "DELETE": _delete,
    "PROPFIND": _propfind,
    "PROPPATCH": _proppatch,
    "LOCK": _lock,
    "UNLOCK": _unlock,
    "MOVE": _move,
    "COPY": _move,
}
