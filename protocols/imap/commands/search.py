"""SEARCH and UID SEARCH (RFC 9051 section 6.4.4), with ESEARCH and SEARCHRES."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from folkmoot.protocols.imap.message_limit import capped_search
from folkmoot.protocols.imap.partial import PartialRange
from folkmoot.protocols.imap.registry import (
    OK,
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.results import Found, numbered, send_esearch
from folkmoot.protocols.imap.search_keys import SearchArgs, parse_search
from folkmoot.protocols.imap.search_plan import Planner
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import UidSet

PIECE = 10_000  # numbers that are printed at a time

capability("ESEARCH", signed_in)  # rfc4731#3
capability("SEARCHRES", signed_in)  # rfc5182#2.1


@command(
    "SEARCH",
    State.SELECTED,
    parse_search,
    expunges=Expunges.HELD_BACK,
    example=b'SEARCH OR FROM "a" NOT SEEN',
)
async def search(session: Session, arguments: SearchArgs) -> Reply:
    """RFC 9051 section 6.4.4."""
    return await run_search(session, arguments, uid=False)


@command("UID SEARCH", State.SELECTED, parse_search, example=b"UID SEARCH RETURN (COUNT) ALL")
async def uid_search(session: Session, arguments: SearchArgs) -> Reply:
    """RFC 9051 section 6.4.9."""
    return await run_search(session, arguments, uid=True)


async def run_search(
    session: Session, arguments: SearchArgs, *, uid: bool, correlator: bytes = b""
) -> Reply:
    """Search the selected mailbox; ``correlator`` as in ``send_esearch``."""
    view = session.selected
    returns = arguments.returns if arguments.returns is not None else {"ALL": True}
    saving = "SAVE" in returns
    planner = Planner(view)
    try:
        key = capped_search(session, planner.plan(arguments.key))
        if planner.uses_modseq:
            session.enabled.add("CONDSTORE")
        rows = await session.workspace.search(view.mailbox_id, key)
    except BaseException:
        if saving:  # rfc5182#2.1: a failed search saves an empty result
            view.saved = UidSet()
        raise
    entries = numbered(view, rows)
    uids = [entry[1] for entry in entries]
    found = Found(
        mailbox_id=view.mailbox_id,
        key=key,
        uids=uids,
        told=uids if uid else [entry[0] for entry in entries],
        uid=uid,
        highest=highest([entry[2] for entry in entries], returns) if planner.uses_modseq else 0,
        returns=returns,
    )
    if saving:
        save(session, returns, uids)
    if arguments.returns is None and not session.rev2:
        send_old(session, b"SEARCH", found)
    else:
        await send_esearch(session, found, correlator)
    return OK


def highest(modseqs: Sequence[int], returns: Mapping[str, object]) -> int:
    """The highest modseq of what is told: of MIN and MAX alone, only theirs (RFC 7162 3.1.10).

    ``modseqs`` are in the order of the result.
    """
    if modseqs and not {"ALL", "COUNT"} & returns.keys():
        ends = {"MIN": modseqs[0], "MAX": modseqs[-1]}
        modseqs = [modseq for name, modseq in ends.items() if name in returns] or modseqs
    return max(modseqs, default=0)


def save(session: Session, returns: Mapping[str, object], uids: Sequence[int]) -> None:
    """RFC 5182 section 2.4, RFC 9394 section 3.2: without ALL and COUNT, what the others name."""
    partial = returns.get("PARTIAL")
    parts = {
        "MIN": uids[:1],
        "MAX": uids[-1:],
        "PARTIAL": partial.pick(uids) if isinstance(partial, PartialRange) else (),
    }
    if "ALL" not in returns and "COUNT" not in returns and parts.keys() & returns.keys():
        uids = [uid for name, part in parts.items() if name in returns for uid in part]
    session.selected.saved = UidSet.from_iterable(uids)


def send_old(session: Session, name: bytes, found: Found) -> None:
    """The response of a search (or sort) without RETURN: all numbers in their order."""
    tail = b" (MODSEQ %d)" % found.highest if found.highest else b""  # rfc7162#3.1.5
    session.wire.send(b"* %b%b%b\r\n" % (name, spaced(found.told), tail))


def spaced(numbers: Sequence[int]) -> bytes:
    """Numbers with a space before each."""
    # Not all at once: as texts of their own, they take ten times the memory.
    out = bytearray()
    for start in range(0, len(numbers), PIECE):
        piece = numbers[start : start + PIECE]
        out += (" %d" * len(piece) % tuple(piece)).encode()
    return bytes(out)
