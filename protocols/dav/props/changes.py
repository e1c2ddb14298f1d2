"""Numbers of changes: sync-token (RFC 6578) and Apple's older getctag.

They tell how much changed, which those do not learn who cannot read the collection.
"""

from __future__ import annotations

from folkmoot.protocols.dav.names import CALENDARSERVER, dav
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.protocols.dav.synctoken import sync_token
from folkmoot.storage.types import Right


@prop(dav("sync-token"), Kind.HOME | Kind.FOLDER)
def token(request: Request, node: Node) -> str | None:
    """The state of the members. # rfc6578#4"""
    if node.folder is None or Right.READ not in node.rights:
        return None
    return sync_token(node.folder.id, node.folder.modseq)


@prop(f"{{{CALENDARSERVER}}}getctag", Kind.HOME | Kind.FOLDER)
def getctag(request: Request, node: Node) -> str | None:
    """Changes with every change of the members."""
    if node.folder is None or Right.READ not in node.rights:
        return None
    return f"{node.folder.id}-{node.folder.modseq}"
