"""REPLACE and UID REPLACE (RFC 8508): a new message in the place of an old one, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.copy import chosen
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.grammar import AppendMessage, parse_append_message
from folkmoot.protocols.imap.incoming import Incoming
from folkmoot.protocols.imap.registry import Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.sequence import SequenceSet
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.errors import Conflict, NotFound

capability("REPLACE", signed_in)  # rfc8508#3.1


@dataclass(frozen=True, slots=True)
class ReplaceArgs:
    """The old message (one number), where the new one goes, and the new one."""

    sequence: SequenceSet
    mailbox: str
    message: AppendMessage


def parse_replace(cursor: Cursor) -> ReplaceArgs:
    """Read the arguments of REPLACE."""
    cursor.space()
    sequence = cursor.sequence_set()
    if len(sequence.parts) != 1 or sequence.parts[0][0] != sequence.parts[0][1]:
        raise BadSyntax("Expected the number of one message")  # rfc8508#5
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.space()
    message = parse_append_message(cursor)
    cursor.end()
    return ReplaceArgs(sequence, mailbox, message)


@command(
    "REPLACE",
    State.SELECTED,
    parse_replace,
    example=b"REPLACE 1 INBOX (\\Draft) {11+}\r\nA: b\r\n\r\nc\r\n",
    extension="REPLACE",
)
async def replace(session: Session, arguments: ReplaceArgs) -> Reply:
    """RFC 8508 section 3.2."""
    return await _replace(session, arguments, uid=False)


@command(
    "UID REPLACE",
    State.SELECTED,
    parse_replace,
    example=b"UID REPLACE 1 INBOX {11+}\r\nA: b\r\n\r\nc\r\n",
    extension="REPLACE",
)
async def uid_replace(session: Session, arguments: ReplaceArgs) -> Reply:
    """RFC 8508 section 3.3."""
    return await _replace(session, arguments, uid=True)


async def _replace(session: Session, arguments: ReplaceArgs, *, uid: bool) -> Reply:
    incoming = Incoming(session, [arguments.message])
    view = session.selected
    try:
        if view.read_only:
            return Reply("The mailbox is open for reading only", "READ-ONLY", "NO")
        if arguments.message.body.size == 0:
            return Reply("Replace cancelled", None, "NO")
        old = chosen(session, arguments.sequence, uid=uid)
        if not old:
            return Reply("There is no such message", "NONEXISTENT", "NO")
        appended = await session.workspace.replace(
            view.mailbox_id, old.ranges[0][0], arguments.mailbox, await incoming.builder()
        )
    except NotFound as error:
        return Reply(error.text, "TRYCREATE", "NO")
    except Conflict as error:
        # Another session removed it first: nothing was added. # rfc9051#7.1 EXPUNGEISSUED
        return Reply(error.text, "EXPUNGEISSUED", "NO")
    finally:
        incoming.discard()
    code = f"APPENDUID {appended.uidvalidity} {appended.uids[0]}"
    session.wire.send(encoder.untagged("OK", "Replacement is stored", code))
    # rfc8508#3.4: the new message is told of before the old one goes.
    if appended.mailbox_id == view.mailbox_id:
        view.own.update(appended.uids)
    view.dirty = True
    await session.refresh(show_expunges=False, own=True)
    await session.refresh(show_expunges=True, own=True)
    return Reply("Replaced", f"HIGHESTMODSEQ {view.modseq}" if session.qresync else None)
