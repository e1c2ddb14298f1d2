"""FETCH and UID FETCH (RFC 9051 section 6.4.5), CHANGEDSINCE and VANISHED (RFC 7162).

Messages that other sessions expunged meanwhile are left out (RFC 2180 section 4.1.3). When that
leaves nothing of what was asked for by number, the answer is ``NO [EXPUNGEISSUED]``; UIDs that do
not exist are ignored as RFC 9051 section 6.4.9 has it.
"""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.protocols.imap.commands.copy import chosen
from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.fetch_items import FLAGS, MODSEQ, UID, FetchArgs, parse_fetch
from folkmoot.protocols.imap.fetch_send import Answer
from folkmoot.protocols.imap.message_limit import capped, refuse_more
from folkmoot.protocols.imap.partial import PartialRange
from folkmoot.protocols.imap.registry import OK, Expunges, Reply, State, command
from folkmoot.protocols.imap.session import Session
from folkmoot.protocols.imap.view import View
from folkmoot.storage.errors import PermissionDenied
from folkmoot.storage.types import Flag, FlagChange, FlagSet, MessageColumn, UidSet


@command(
    "FETCH",
    State.SELECTED,
    parse_fetch,
    expunges=Expunges.HELD_BACK,
    example=b"FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (From)])",
)
async def fetch(session: Session, arguments: FetchArgs) -> Reply:
    """RFC 9051 section 6.4.5."""
    return await _fetch(session, arguments, uid=False)


@command(
    "UID FETCH", State.SELECTED, parse_fetch, example=b"UID FETCH 1:* (BODY.PEEK[]<0.10> ENVELOPE)"
)
async def uid_fetch(session: Session, arguments: FetchArgs) -> Reply:
    """RFC 9051 section 6.4.9."""
    return await _fetch(session, arguments, uid=True)


async def _fetch(session: Session, arguments: FetchArgs, *, uid: bool) -> Reply:
    since = arguments.changed_since
    if arguments.vanished and not (uid and session.qresync and since is not None):
        # rfc7162#3.2.6
        raise BadSyntax("VANISHED needs UID FETCH, CHANGEDSINCE and ENABLE QRESYNC")
    if "PARTIAL" in arguments.modifiers and not uid:  # rfc9394#3.3
        raise BadSyntax("PARTIAL needs UID FETCH")
    items = list(arguments.items)
    if since is not None or MODSEQ in items:
        session.enabled.add("CONDSTORE")  # rfc7162#3.1
    if since is not None:
        items.append(MODSEQ)  # rfc7162#3.1.4.1
    if (uid or session.qresync) and not session.uid_only:
        items.insert(0, UID)  # rfc9051#6.4.9, rfc7162#3.2.4
    named = chosen(session, arguments.sequence, uid=uid)
    partial = arguments.modifiers.get("PARTIAL")
    if isinstance(partial, PartialRange):  # rfc9394#3.4: first these, then of them what changed
        refuse_more(session, partial.last - partial.first + 1)  # rfc9738#3.1
        named = UidSet.from_iterable(partial.pick(list(named)))
    uids: Sequence[int] = list(capped(session, named))
    if since is not None:
        uids = await _changed(session, arguments, uids, since)
    if not uids:
        return OK
    if any(item.sets_seen for item in items) and await _set_seen(session, uids):
        items += [FLAGS, MODSEQ] if session.condstore else [FLAGS]
    answer = Answer(session, items)
    await answer.send(uids)
    if answer.outcome.unknown_encoding:
        return Reply("The encoding of a part is not known", "UNKNOWN-CTE", "NO")
    if not (uid or answer.sent):
        return Reply("The messages are gone", "EXPUNGEISSUED", "NO")
    return OK


async def _changed(
    session: Session, arguments: FetchArgs, uids: Sequence[int], since: int
) -> Sequence[int]:
    """Those of the UIDs that changed after ``since``; tells VANISHED first if asked for."""
    view = session.selected
    changes = await session.workspace.changed(view.mailbox_id, since)
    wanted = UidSet.from_iterable(uids)
    if arguments.vanished:
        # rfc7162#3.2.6; what this client still counts as present comes with the other expunges.
        named = _named(view, arguments)
        present = UidSet.from_iterable(view.uids)
        gone = changes.vanished.intersection(named) if changes.complete else named
        gone = gone.difference(present)
        if gone:
            session.wire.send(b"* VANISHED (EARLIER) %b\r\n" % bytes(gone))
    if changes.complete:
        wanted = wanted.intersection(changes.changed)
    return await session.workspace.fetch(
        view.mailbox_id,
        wanted,
        (MessageColumn.MODSEQ,),
        lambda rows: [row[0] for row in rows if row[1] > since],
    )


def _named(view: View, arguments: FetchArgs) -> UidSet:
    """All UIDs that were ever given here and that the command names."""
    if arguments.sequence.saved:
        return view.saved
    last = view.uidnext - 1
    ever = UidSet.from_ranges([(1, last)] if last else [])
    return UidSet.from_ranges(arguments.sequence.resolve(last)).intersection(ever)


async def _set_seen(session: Session, uids: Sequence[int]) -> bool:
    """Set \\Seen before bodies are sent, in one transaction; whether any flag changed."""
    view = session.selected
    if view.read_only:  # rfc9051#6.3.3
        return False
    unseen: UidSet = await session.workspace.fetch(
        view.mailbox_id,
        UidSet.from_iterable(uids),
        (MessageColumn.FLAGS,),
        lambda rows: UidSet.from_iterable([row[0] for row in rows if not row[1] & Flag.SEEN]),
    )
    if not unseen:
        return False
    try:
        stored = await session.workspace.store_flags(
            view.mailbox_id, unseen, FlagChange.ADD, FlagSet(Flag.SEEN)
        )
    except PermissionDenied:
        # rfc4314#4: without the right to keep it, reading leaves \Seen as it is.
        return False
    view.changed_here(stored.modseq)
    return bool(stored.changed)
