"""COPY, MOVE (RFC 6851) and their UID forms, with COPYUID (RFC 4315)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.message_limit import capped, refuse_more
from folkmoot.protocols.imap.registry import (
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.sequence import SequenceSet
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import Copied, UidSet

capability("MOVE", signed_in)  # rfc6851#3.1


@dataclass(frozen=True, slots=True)
class CopyArgs:
    """Which messages, and the name of the target mailbox."""

    sequence: SequenceSet
    mailbox: str


def parse_copy(cursor: Cursor) -> CopyArgs:
    """Read the arguments of COPY and MOVE."""
    cursor.space()
    sequence = cursor.sequence_set()
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return CopyArgs(sequence, mailbox)


@command("COPY", State.SELECTED, parse_copy, expunges=Expunges.HELD_BACK, example=b"COPY 1 INBOX")
async def copy(session: Session, arguments: CopyArgs) -> Reply:
    """RFC 9051 section 6.4.7."""
    return await _copy(session, arguments, uid=False)


@command("UID COPY", State.SELECTED, parse_copy, example=b"UID COPY 1 INBOX")
async def uid_copy(session: Session, arguments: CopyArgs) -> Reply:
    """RFC 9051 section 6.4.9."""
    return await _copy(session, arguments, uid=True)


@command("MOVE", State.SELECTED, parse_copy, example=b"MOVE 1 INBOX", extension="MOVE")
async def move(session: Session, arguments: CopyArgs) -> Reply:
    """RFC 9051 section 6.4.8."""
    return await _move(session, arguments, uid=False)


@command("UID MOVE", State.SELECTED, parse_copy, example=b"UID MOVE 1 INBOX", extension="MOVE")
async def uid_move(session: Session, arguments: CopyArgs) -> Reply:
    """RFC 9051 section 6.4.9."""
    return await _move(session, arguments, uid=True)


def chosen(session: Session, sequence: SequenceSet, *, uid: bool) -> UidSet:
    """The UIDs that a command names. Raises ``BadSyntax`` for numbers that do not exist."""
    try:
        return UidSet.from_ascending(session.selected.select(sequence, uid=uid))
    except IndexError:
        raise BadSyntax("There is no message with this number") from None


Operation = Callable[[int, UidSet, str], "Deferred[Copied]"]


async def _transfer(
    session: Session, uids: UidSet, arguments: CopyArgs, operation: Operation
) -> Copied | Reply:
    if not uids:
        return Reply("No messages")
    try:
        copied = await operation(session.selected.mailbox_id, uids, arguments.mailbox)
    except NotFound as error:
        return Reply(error.text, "TRYCREATE", "NO")
    if not copied.source:
        # All of them were expunged by another session meanwhile. # rfc9051#7.1 EXPUNGEISSUED
        return Reply("The messages are gone", "EXPUNGEISSUED", "NO")
    return copied


def _copyuid(copied: Copied) -> str:
    source = UidSet.from_iterable(copied.source)
    target = UidSet.from_iterable(copied.target)
    return f"COPYUID {copied.uidvalidity} {source} {target}"


async def _copy(session: Session, arguments: CopyArgs, *, uid: bool) -> Reply:
    uids = chosen(session, arguments.sequence, uid=uid)
    refuse_more(session, len(uids), saving=True)  # rfc9738#3.1: all or nothing
    copied = await _transfer(session, uids, arguments, session.workspace.copy)
    return copied if isinstance(copied, Reply) else Reply("Copied", _copyuid(copied))


async def _move(session: Session, arguments: CopyArgs, *, uid: bool) -> Reply:
    if session.selected.read_only:
        return Reply("The mailbox is open for reading only", "READ-ONLY", "NO")
    uids = capped(session, chosen(session, arguments.sequence, uid=uid))
    moved = await _transfer(session, uids, arguments, session.workspace.move)
    if isinstance(moved, Reply):
        return moved
    # rfc6851#4.3: COPYUID comes before the removals are told.
    session.wire.send(encoder.untagged("OK", "Moved", _copyuid(moved)))
    session.selected.dirty = True
    await session.refresh(show_expunges=True, own=True)
    code = f"HIGHESTMODSEQ {session.selected.modseq}" if session.qresync else None
    return Reply("Moved", code)
