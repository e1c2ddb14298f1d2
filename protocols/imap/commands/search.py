"""SEARCH and UID SEARCH (RFC 9051 section 6.4.4), with ESEARCH and SEARCHRES."""

from __future__ import annotations

from collections.abc import Mapping

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.registry import (
    OK,
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.search_keys import SearchArgs, parse_search
from folkmoot.protocols.imap.search_plan import Planner
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import UidSet

capability("ESEARCH", signed_in)
capability("SEARCHRES", signed_in)

Found = list[tuple[int, int]]


@command(
    "SEARCH",
    State.SELECTED,
    parse_search,
    expunges=Expunges.HELD_BACK,
    example=b'SEARCH OR FROM "a" NOT SEEN',
)
async def search(session: Session, arguments: SearchArgs) -> Reply:
    """RFC 9051 section 6.4.4."""
    return await _search(session, arguments, uid=False)


@command("UID SEARCH", State.SELECTED, parse_search, example=b"UID SEARCH RETURN (COUNT) ALL")
async def uid_search(session: Session, arguments: SearchArgs) -> Reply:
    """RFC 9051 section 6.4.9."""
    return await _search(session, arguments, uid=True)


async def _search(session: Session, arguments: SearchArgs, *, uid: bool) -> Reply:
    view = session.selected
    saving = bool(arguments.returns and "SAVE" in arguments.returns)
    planner = Planner(view)
    try:
        key = planner.plan(arguments.key)
        if planner.uses_modseq:
            session.enabled.add("CONDSTORE")
        found: Found = await session.workspace.search(view.mailbox_id, key)
    except BaseException:
        if saving:  # rfc5182#2.1: a failed search saves an empty result
            view.saved = UidSet()
        raise
    # What came after the client's last EXISTS has no number yet and is not for it.
    numbered = [(view.number(one), one, modseq) for one, modseq in found]
    numbered = [entry for entry in numbered if entry[0]]
    results = [entry[1] if uid else entry[0] for entry in numbered]
    highest = _highest(numbered, arguments.returns) if planner.uses_modseq else 0
    if saving:
        assert arguments.returns is not None
        _save(session, arguments.returns, [entry[1] for entry in numbered])
    if arguments.returns is None and not session.rev2:
        _send_old(session, results, highest)
    else:
        returns = arguments.returns if arguments.returns is not None else {"ALL": True}
        _send_extended(session, results, returns, highest, uid=uid)
    return OK


def _highest(found: list[tuple[int, int, int]], returns: Mapping[str, object] | None) -> int:
    """The highest modseq of what is told: of MIN and MAX alone, only theirs (RFC 7162 3.1.10)."""
    if found and returns and not {"ALL", "COUNT"} & returns.keys():
        ends = {"MIN": found[0], "MAX": found[-1]}
        found = [entry for name, entry in ends.items() if name in returns] or found
    return max((entry[2] for entry in found), default=0)


def _save(session: Session, returns: Mapping[str, object], uids: list[int]) -> None:
    """RFC 5182 section 2.4: MIN and MAX alone save only what they name."""
    if "ALL" not in returns and "COUNT" not in returns and {"MIN", "MAX"} & returns.keys():
        uids = [
            uid
            for name, uid in (("MIN", min(uids, default=0)), ("MAX", max(uids, default=0)))
            if name in returns and uid
        ]
    session.selected.saved = UidSet.from_iterable(uids)


def _send_old(session: Session, results: list[int], highest: int) -> None:
    tail = b" (MODSEQ %d)" % highest if highest else b""  # rfc7162#3.1.5
    words = "".join([f" {number}" for number in results]).encode()
    session.wire.send(b"* SEARCH%b%b\r\n" % (words, tail))


def _send_extended(
    session: Session,
    results: list[int],
    returns: Mapping[str, object],
    highest: int,
    *,
    uid: bool,
) -> None:
    """RFC 4731: nothing is said of MIN, MAX and ALL when nothing was found."""
    if returns.keys() == {"SAVE"}:
        return  # rfc5182#2.1
    tag = encoder.quoted_or_literal(session.tag)
    words = [b"ESEARCH (TAG %b)" % tag]
    if uid:
        words.append(b"UID")
    if results and "MIN" in returns:
        words.append(b"MIN %d" % min(results))
    if results and "MAX" in returns:
        words.append(b"MAX %d" % max(results))
    if results and "ALL" in returns:
        words.append(b"ALL %b" % bytes(UidSet.from_iterable(results)))
    if "COUNT" in returns:
        words.append(b"COUNT %d" % len(results))
    if highest:
        words.append(b"MODSEQ %d" % highest)
    session.wire.send(encoder.data(*words))
