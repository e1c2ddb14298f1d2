"""EXPUNGE and UID EXPUNGE (RFC 9051 sections 6.4.3 and 6.4.9)."""

from __future__ import annotations

from folkmoot.protocols.imap.commands.copy import chosen
from folkmoot.protocols.imap.cursor import Cursor
from folkmoot.protocols.imap.message_limit import capped
from folkmoot.protocols.imap.registry import Reply, State, command
from folkmoot.protocols.imap.sequence import SequenceSet
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import UidSet


def parse_set(cursor: Cursor) -> SequenceSet:
    """Read a sequence set as the only argument."""
    cursor.space()
    sequence = cursor.sequence_set()
    cursor.end()
    return sequence


@command("EXPUNGE", State.SELECTED)
async def expunge(session: Session, _: None) -> Reply:
    """Removes what has \\Deleted. # rfc9051#6.4.3"""
    return await _expunge(session, None)


@command("UID EXPUNGE", State.SELECTED, parse_set, example=b"UID EXPUNGE 1:3", extension="UIDPLUS")
async def uid_expunge(session: Session, sequence: SequenceSet) -> Reply:
    """Removes what has \\Deleted and is in the set. # rfc9051#6.4.9, rfc4315#2.1"""
    return await _expunge(session, capped(session, chosen(session, sequence, uid=True)))


async def _expunge(session: Session, uids: UidSet | None) -> Reply:
    view = session.selected
    if view.read_only:
        return Reply("The mailbox is open for reading only", "READ-ONLY", "NO")
    await session.workspace.expunge(view.mailbox_id, uids)
    view.dirty = True
    await session.refresh(show_expunges=True, own=True)
    # rfc7162#3.2.7: the client may take this as its new state.
    return Reply(None, f"HIGHESTMODSEQ {view.modseq}" if session.qresync else None)
