"""THREAD (RFC 5256): found messages in conversations.

REFS, which is not in the RFC, is REFERENCES without the joining by subjects, with the
conversations in the order of their latest messages (draft-ietf-morg-inthread).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.message_limit import refuse_wide
from folkmoot.protocols.imap.registry import (
    OK,
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.search_keys import SearchKey, parse_charset, parse_program
from folkmoot.protocols.imap.search_plan import Planner
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types_search import ThreadAlgorithm, Threads

for _algorithm in ThreadAlgorithm:
    capability(f"THREAD={_algorithm.name}", signed_in)


@dataclass(frozen=True, slots=True)
class ThreadArgs:
    """What THREAD and UID THREAD are given."""

    algorithm: ThreadAlgorithm
    key: SearchKey


def parse_thread(cursor: Cursor) -> ThreadArgs:
    """Read the arguments of THREAD (RFC 5256 section 5)."""
    cursor.space()
    try:
        algorithm = ThreadAlgorithm[cursor.keyword()]
    except KeyError:
        raise BadSyntax("Unknown threading algorithm") from None
    cursor.space()
    codec = parse_charset(cursor)
    cursor.space()
    return ThreadArgs(algorithm, parse_program(cursor, codec))


@command(
    "THREAD",
    State.SELECTED,
    parse_thread,
    expunges=Expunges.HELD_BACK,
    example=b"THREAD REFERENCES UTF-8 ALL",
    extension="THREAD",
)
async def thread(session: Session, arguments: ThreadArgs) -> Reply:
    """RFC 5256 section 3."""
    return await _thread(session, arguments, session.selected.number)


@command(
    "UID THREAD",
    State.SELECTED,
    parse_thread,
    example=b"UID THREAD ORDEREDSUBJECT US-ASCII UNSEEN",
    extension="THREAD",
)
async def uid_thread(session: Session, arguments: ThreadArgs) -> Reply:
    """RFC 5256 section 3."""
    return await _thread(session, arguments, lambda uid: uid)


async def _thread(session: Session, arguments: ThreadArgs, name: Callable[[int], int]) -> Reply:
    view = session.selected
    planner = Planner(view)
    key = planner.plan(arguments.key)
    refuse_wide(session, key)
    if planner.uses_modseq:
        session.enabled.add("CONDSTORE")  # rfc7162#3.1.5
    # What came after the client's last EXISTS has no number yet and is not for it.
    last = view.uidnext - 1
    threads = await session.workspace.threads(view.mailbox_id, key, arguments.algorithm, last)
    words = "".join([printed(root, threads, name) for root in threads.roots])
    session.wire.send(f"* THREAD {words}".rstrip().encode() + b"\r\n")
    return OK


def printed(root: int, threads: Threads, name: Callable[[int], int]) -> str:
    """One thread in parentheses; ``name`` gives the number of a UID. # rfc5256#4"""
    if root > 0 and root not in threads.children:  # most threads are one message
        return f"({name(root)})"
    out: list[str] = []
    # Not by recursion: a thread may be as deep as the mailbox has messages.
    waiting: list[int | str] = [")", root, "("]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            out.append(item)
            continue
        if item > 0:
            out.append(str(name(item)))
        below = threads.children.get(item, ())
        if below and item > 0:
            out.append(" ")
        if len(below) == 1:
            waiting.append(below[0])
        else:
            for child in reversed(below):
                waiting += (")", child, "(")
    return "".join(out)
