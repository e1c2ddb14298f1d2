"""How many messages one command may work on (RFC 9738), where the server limits that.

A command that names more works on those with the highest UIDs and says where it stopped; COPY,
which is all or nothing, is refused.
"""

from __future__ import annotations

from dataclasses import replace

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.registry import Reply
from folkmoot.protocols.imap.session import Session
from folkmoot.storage import types_search as find
from folkmoot.storage.types import UidSet


def capped(session: Session, uids: UidSet) -> UidSet:
    """Those of the UIDs that the command may work on; the reply says if they are not all."""
    limit = session.wire.limits.messages
    if not limit or len(uids) <= limit:
        return uids
    highest = list(uids)[-limit:]
    session.cut = f"MESSAGELIMIT {limit} {highest[0]}"
    return UidSet.from_iterable(highest)


def refuse_more(session: Session, number: int, *, saving: bool = False) -> None:
    """NO [MESSAGELIMIT] for a command that cannot be cut.

    ``saving`` is true for those that add messages, which have a limit of their own.
    """
    limits = session.wire.limits
    limit = limits.messages or (limits.saved if saving else 0)
    if limit and number > limit:
        raise BadSyntax("These are too many messages", status="NO", code=f"MESSAGELIMIT {limit}")


def capped_search(session: Session, key: find.SearchKey) -> find.SearchKey:
    """A search over as many messages as it may look at, those with the highest UIDs."""
    if not session.wire.limits.messages:
        return key
    looked_at = candidates(session, key)
    allowed = capped(session, looked_at)
    return key if allowed is looked_at else find.And((find.UidIn(allowed), key))


def refuse_wide(session: Session, key: find.SearchKey) -> None:
    """NO [MESSAGELIMIT] for sorting or threading more messages than allowed. # rfc9738#3.3"""
    if session.wire.limits.messages:
        refuse_more(session, len(candidates(session, key)))


def candidates(session: Session, key: find.SearchKey) -> UidSet:
    """The messages that a search has to look at: those that its UIDs and numbers name."""
    found = UidSet.from_iterable(session.selected.uids)
    waiting = [key]
    while waiting:
        match waiting.pop():
            case find.And(keys):
                waiting.extend(keys)
            case find.UidIn(uids):
                found = found.intersection(uids)
    return found


def finished(session: Session, reply: Reply) -> Reply:
    """The reply of a command, with word of what was cut."""
    code, session.cut = session.cut, None
    if code is None or reply.status == "BAD":
        return reply
    if reply.code is None and reply.status == "OK":
        return replace(reply, code=code, text="Only the newest of the messages were worked on")
    # rfc9738#3.1: there is room for one code in a reply
    session.wire.send(encoder.untagged("NO", "Only the newest of the messages", code))
    return reply
