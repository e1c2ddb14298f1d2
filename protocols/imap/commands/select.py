"""SELECT, EXAMINE, CLOSE, UNSELECT; with CONDSTORE and QRESYNC (RFC 7162)."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.basic import ENABLEABLE
from folkmoot.protocols.imap.commands.objectid import mailbox_id
from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.grammar import QResync, SelectArgs, parse_select
from folkmoot.protocols.imap.registry import (
    OK,
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.session import Session
from folkmoot.protocols.imap.view import View, flags_response
from folkmoot.storage.errors import NotFound, PermissionDenied
from folkmoot.storage.types import (
    MailboxChanges,
    MailboxInfo,
    MailboxState,
    MessageRow,
    Topic,
    UidSet,
)

capability("CONDSTORE", signed_in)  # rfc7162#3.1.1
capability("QRESYNC", signed_in)  # rfc7162#3.2.2
ENABLEABLE["CONDSTORE"] = "CONDSTORE"
ENABLEABLE["QRESYNC"] = "QRESYNC"


@command(
    "SELECT", State.SIGNED_IN, parse_select, expunges=Expunges.UNCHECKED, example=b"SELECT INBOX"
)
async def select(session: Session, arguments: SelectArgs) -> Reply:
    """RFC 9051 section 6.3.2."""
    return await _open(session, arguments, examined=False)


@command(
    "EXAMINE", State.SIGNED_IN, parse_select, expunges=Expunges.UNCHECKED, example=b"EXAMINE INBOX"
)
async def examine(session: Session, arguments: SelectArgs) -> Reply:
    """RFC 9051 section 6.3.3."""
    return await _open(session, arguments, examined=True)


async def _open(session: Session, arguments: SelectArgs, *, examined: bool) -> Reply:
    qresync = arguments.qresync
    if qresync is not None and not session.qresync:
        raise BadSyntax("QRESYNC is not enabled")  # rfc7162#3.2.5
    if qresync is not None and qresync.sequence_match is not None and session.uid_only:
        raise BadSyntax("Messages have no numbers: use UID", code="UIDREQUIRED")  # rfc9586#3.7
    if session.view is not None:
        session.select(None)
        # rfc9051#6.3.2, rfc7162#3.2.11: what follows is about the new mailbox.
        session.wire.send(encoder.untagged("OK", "Previous mailbox closed", "CLOSED"))
    if arguments.condstore:
        session.enabled.add("CONDSTORE")
    mark = session.workspace.mark()
    known = None if qresync is None else (qresync.uidvalidity, qresync.modseq)
    try:
        info, state, missed = await session.workspace.open(arguments.mailbox, known)
    except NotFound as error:
        # rfc9051#6.3.2: a failed SELECT leaves nothing selected.
        return Reply(error.text, "NONEXISTENT", "NO")
    space = 0 if info.personal else info.space_id
    view = View(info.name, state, examined=examined, space_id=space)
    session.select(view)
    _announce(session, info, state)
    if qresync is not None and missed is not None:
        await _resynchronise(session, view, state, qresync, *missed)
    if session.workspace.missed(mark, Topic.COLLECTION, view.mailbox_id):
        view.dirty = True  # a change between the snapshot and the watch raised no hint here
    # Removals since the snapshot are told with the next command: EXISTS has counted them.
    await session.refresh(show_expunges=False)
    return Reply("Selected", "READ-ONLY" if view.read_only else "READ-WRITE")


def _announce(session: Session, info: MailboxInfo, state: MailboxState) -> None:
    send = session.wire.send
    for line in session.selected.flags_known():
        send(line)
    send(b"* %d EXISTS\r\n" % len(state.uids))
    if not session.rev2:  # rfc9051#appendix-E: RECENT and UNSEEN are gone from rev2
        send(b"* 0 RECENT\r\n")
        if state.first_unseen is not None and not session.uid_only:
            number = session.selected.number(state.first_unseen)
            send(encoder.untagged("OK", "First unseen message", f"UNSEEN {number}"))
    send(encoder.untagged("OK", "UIDs are valid", f"UIDVALIDITY {state.uidvalidity}"))
    send(encoder.untagged("OK", "Predicted next UID", f"UIDNEXT {state.uidnext}"))
    send(encoder.untagged("OK", "Highest", f"HIGHESTMODSEQ {state.modseq}"))  # rfc7162#3.1.2.1
    # rfc8474#4.2
    send(encoder.untagged("OK", "Mailbox", f"MAILBOXID ({mailbox_id(state.mailbox_id)})"))
    if session.rev2:
        # rfc9051#6.3.2: the name in the server's spelling. Only for rev2: old clients (Python's
        # imaplib) would take it for a part of the next LIST answer.
        name = encoder.mailbox_name(info.name, session.utf8)
        attributes = b"\\HasChildren" if info.has_children else b"\\HasNoChildren"
        send(encoder.data(b"LIST", b"(%b)" % attributes, b'"/"', name))


async def _resynchronise(
    session: Session,
    view: View,
    state: MailboxState,
    known: QResync,
    changes: MailboxChanges,
    rows: Sequence[MessageRow],
) -> None:
    """Tell what the client missed since its modseq (RFC 7162 section 3.2.5)."""
    if changes.complete:
        vanished = changes.vanished
    else:
        # The log does not reach back: everything that the client may know and that is not here.
        vanished = _assumed(known, state).difference(UidSet.from_iterable(view.uids))
    if known.known_uids is not None:
        vanished = vanished.intersection(known.known_uids)
        rows = [row for row in rows if row[0] in known.known_uids]
    if known.sequence_match is not None and not changes.complete:
        vanished = vanished.difference(_still_matching(view, *known.sequence_match))
    if vanished:
        session.wire.send(b"* VANISHED (EARLIER) %b\r\n" % bytes(vanished))
    for uid, bits, keywords, modseq in rows:
        number = view.number(uid)
        if number and modseq > known.modseq:
            line = flags_response(number, uid, bits, keywords, modseq, uid_only=session.uid_only)
            session.wire.send(line)
            await session.wire.drain()


def _assumed(known: QResync, state: MailboxState) -> UidSet:
    given = UidSet.from_ranges([(1, state.uidnext - 1)] if state.uidnext > 1 else [])
    return given if known.known_uids is None else given.intersection(known.known_uids)


def _still_matching(view: View, numbers: UidSet, uids: UidSet) -> UidSet:
    """UIDs up to the last pair of number and UID that still holds: nothing vanished below it."""
    # rfc7162#3.2.5.2
    last = 0
    for number, uid in zip(numbers, uids, strict=True):
        if number > len(view.uids) or view.uids[number - 1] != uid:
            break
        last = uid
    return UidSet.from_ranges([(1, last)] if last else [])


@command("CLOSE", State.SELECTED, expunges=Expunges.UNCHECKED)
async def close(session: Session, _: None) -> Reply:
    """RFC 9051 section 6.4.1: removes what is marked, without telling what."""
    view = session.selected
    if not view.read_only:
        # One that another session deleted has nothing to remove and is closed all the same; so
        # is one where the person may not remove anything. # rfc4314#4
        with contextlib.suppress(NotFound, PermissionDenied):
            await session.workspace.expunge(view.mailbox_id)
    session.select(None)
    return OK


@command("UNSELECT", State.SELECTED, expunges=Expunges.UNCHECKED, extension="UNSELECT")
async def unselect(session: Session, _: None) -> Reply:
    """RFC 9051 section 6.4.2."""
    session.select(None)
    return OK
