"""The privileges that the collections of scheduling have beside the others (RFC 6638 section 6)."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.caldav.types import is_inbox, is_outbox
from folkmoot.protocols.caldav.words import CALENDAR
from folkmoot.protocols.dav.names import dav
from folkmoot.protocols.dav.privileges import current_user_privilege_set, rights_to_read
from folkmoot.protocols.dav.props.access import SUPPORTED
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.storage.types import Right

_INBOX: Final = {
    "schedule-deliver": "Have messages arrive",
    "schedule-deliver-invite": "Have invitations arrive",
    "schedule-deliver-reply": "Have answers arrive",
    "schedule-query-freebusy": "Be asked for busy times",
}
_OUTBOX: Final = {
    "schedule-send": "Send messages",
    "schedule-send-invite": "Send invitations",
    "schedule-send-reply": "Send answers",
    "schedule-send-freebusy": "Ask for busy times",
}


def _added(node: Node) -> dict[str, str]:
    """Names and descriptions; the first one is the sum of the others."""
    if is_inbox(node):
        return _INBOX
    return _OUTBOX if is_outbox(node) else {}


@prop(dav("supported-privilege-set"), Kind.FOLDER, CALENDAR)
def supported(request: Request, node: Node) -> str:
    """The tree of privileges, with those of scheduling below all. # rfc6638#6.3"""
    added = _added(node)
    if not added:
        return SUPPORTED
    first, *others = (
        f"<D:supported-privilege><D:privilege><C:{name}/></D:privilege>"
        f'<D:description xml:lang="en">{text}</D:description>'
        for name, text in added.items()
    )
    end = "</D:supported-privilege>"
    inside = first + "".join(each + end for each in others) + end
    return SUPPORTED.removesuffix(end) + inside + end


@prop(dav("current-user-privilege-set"), Kind.FOLDER, CALENDAR)
def current(request: Request, node: Node) -> str:
    """What the one who asks may do: scheduling is the owner's. # rfc6638#6.1, rfc6638#6.2"""
    listed = current_user_privilege_set(rights_to_read(node.rights, node.tool))
    if not node.rights & Right.EDIT:
        return listed
    return listed + "".join(f"<D:privilege><C:{name}/></D:privilege>" for name in _added(node))
