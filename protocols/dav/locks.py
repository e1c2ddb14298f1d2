"""Locks as XML (RFC 4918 section 14.1)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from folkmoot.protocols.dav.names import escape
from folkmoot.storage.types_tree import Lock

if TYPE_CHECKING:
    from folkmoot.protocols.dav.request import Request


def active_lock(request: Request, lock: Lock) -> str:
    """``DAV:activelock``. The token of another person's lock is not told. # rfc4918#6.8"""
    left = max(0, lock.expires - int(time.time()))
    depth = "infinity" if lock.infinite else "0"
    token = ""
    if lock.account_id == request.tree.actor.account_id:
        token = f"<D:locktoken><D:href>{escape(lock.token)}</D:href></D:locktoken>"
    return (
        f"<D:activelock><D:locktype><D:write/></D:locktype>"
        f"<D:lockscope><D:{lock.scope.value}/></D:lockscope><D:depth>{depth}</D:depth>"
        f"{lock.owner}<D:timeout>Second-{left}</D:timeout>{token}"
        f"<D:lockroot><D:href>{request.href(lock.root)}</D:href></D:lockroot></D:activelock>"
    )
