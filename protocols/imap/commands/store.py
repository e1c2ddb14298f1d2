"""STORE and UID STORE (RFC 9051 section 6.4.6), with UNCHANGEDSINCE (RFC 7162 section 3.1.3)."""

from __future__ import annotations

from folkmoot.protocols.imap.commands.copy import chosen
from folkmoot.protocols.imap.fetch_items import FLAGS, MODSEQ, UID, FetchItem
from folkmoot.protocols.imap.fetch_send import Answer
from folkmoot.protocols.imap.flags import flag_set
from folkmoot.protocols.imap.grammar import StoreArgs, parse_store
from folkmoot.protocols.imap.message_limit import capped
from folkmoot.protocols.imap.registry import OK, Expunges, Reply, State, command
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import FlagChange, UidSet

FEW = 100  # messages whose flags are told out of the transaction that changes them

_CHANGES = {"REPLACE": FlagChange.REPLACE, "ADD": FlagChange.ADD, "REMOVE": FlagChange.REMOVE}


@command(
    "STORE",
    State.SELECTED,
    parse_store,
    expunges=Expunges.HELD_BACK,
    example=b"STORE 1:* +FLAGS (\\Seen $Junk)",
)
async def store(session: Session, arguments: StoreArgs) -> Reply:
    """RFC 9051 section 6.4.6."""
    return await _store(session, arguments, uid=False)


@command(
    "UID STORE",
    State.SELECTED,
    parse_store,
    example=b"UID STORE 1:* (UNCHANGEDSINCE 5) -FLAGS.SILENT \\Flagged",
)
async def uid_store(session: Session, arguments: StoreArgs) -> Reply:
    """RFC 9051 section 6.4.9."""
    return await _store(session, arguments, uid=True)


async def _store(session: Session, arguments: StoreArgs, *, uid: bool) -> Reply:
    view = session.selected
    if view.read_only:
        return Reply("The mailbox is open for reading only", "READ-ONLY", "NO")
    if arguments.unchanged_since is not None:
        session.enabled.add("CONDSTORE")  # rfc7162#3.1
    uids = capped(session, chosen(session, arguments.sequence, uid=uid))
    if not uids:
        return OK
    flags = flag_set(arguments.flags)
    # The answer to a change of a few messages is read where it is made.
    few = not arguments.silent and len(uids) <= FEW
    stored = await session.workspace.store_flags(
        view.mailbox_id,
        uids,
        _CHANGES[arguments.operation],
        flags,
        arguments.unchanged_since,
        tell=few,
    )
    view.changed_here(stored.modseq)
    if stored.changed and arguments.operation != "REMOVE":
        for line in view.learn(flags.keywords):
            session.wire.send(line)
    answer = Answer(session, _items(session, uid=uid))
    if few:
        answer.send_rows(stored.rows)
        there = answer.sent
    elif not arguments.silent:
        await answer.send(list(uids))
        there = answer.sent
    else:
        there = await _tell_silently(session, uids, stored.refused, answer)
    if stored.refused:
        # rfc7162#3.1.3: numbers or UIDs, as the command has them
        failed = stored.refused if uid else UidSet.from_iterable(view.numbers(stored.refused))
        return Reply("Some messages were changed meanwhile", f"MODIFIED {failed}")
    if uid or there or stored.changed:
        return OK
    if await session.workspace.fetch(view.mailbox_id, uids, (), bool):
        return OK
    return Reply("The messages are gone", "EXPUNGEISSUED", "NO")


def _items(session: Session, *, uid: bool) -> list[FetchItem]:
    """What is told of changed messages."""
    # rfc9051#6.4.9, rfc7162#3.2.4
    known = [UID] if (uid or session.qresync) and not session.uid_only else []
    return [*known, FLAGS, *([MODSEQ] if session.condstore else [])]


async def _tell_silently(session: Session, uids: UidSet, refused: UidSet, full: Answer) -> bool:
    """Send what a silent change has to tell; whether any message was there.

    That is the mod-sequence alone, and only with CONDSTORE; what was refused is told with its
    flags, because somebody else changed them.
    """
    brief = Answer(session, [item for item in full.items if item != FLAGS])
    if session.condstore:  # rfc7162#3.1.3: also for .SILENT
        await brief.send(list(uids.difference(refused)))
    await full.send(list(refused))
    return full.sent or brief.sent
