"""Numbers of changes: sync-token (RFC 6578) and Apple's older getctag.

They tell how much changed, which those do not learn who cannot read the collection. Those who see
busy times have others than those who read, because members have other names for them.
"""

from __future__ import annotations

from folkmoot.protocols.dav.names import CALENDARSERVER, dav
from folkmoot.protocols.dav.privileges import sees_busy_times
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.protocols.dav.synctoken import sync_token
from folkmoot.storage.types import Right


@prop(dav("sync-token"), Kind.HOME | Kind.FOLDER)
def token(request: Request, node: Node) -> str | None:
    """The state of the members. # rfc6578#4"""
    busy = sees_busy_times(node.rights, node.tool)
    if node.folder is None or not (busy or Right.READ in node.rights):
        return None
    return sync_token(node.folder.id, node.folder.modseq, busy=busy)


@prop(f"{{{CALENDARSERVER}}}getctag", Kind.HOME | Kind.FOLDER)
def getctag(request: Request, node: Node) -> str | None:
    """Changes with every change of the members."""
    busy = sees_busy_times(node.rights, node.tool)
    if node.folder is None or not (busy or Right.READ in node.rights):
        return None
    return f"{'b' * busy}{node.folder.id}-{node.folder.modseq}"
