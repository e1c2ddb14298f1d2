"""How what was found is told: the ESEARCH response and its result items (RFC 4731, RFC 5267).

SEARCH, SORT and the search of several mailboxes share it. An extension adds an item with
``@result_item("NAME")`` beside its option in ``SEARCH_RETURNS``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.session import Session
from folkmoot.protocols.imap.view import View
from folkmoot.storage.types_search import SearchKey, SortCriterion


@dataclass(frozen=True, slots=True)
class Found:
    """What a search or sort found in a mailbox, in the order of the result.

    ``told`` are UIDs when ``uid``, else message numbers. ``criteria`` is empty unless sorted.
    ``highest`` is the modseq to tell, 0 for none; ``returns`` are all options with their values.
    """

    mailbox_id: int
    key: SearchKey
    uids: Sequence[int]
    told: Sequence[int]
    uid: bool
    criteria: tuple[SortCriterion, ...] = ()
    highest: int = 0
    returns: Mapping[str, object] = field(default_factory=dict)


def numbered(view: View, rows: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(message number, UID, modseq) of what was found, in its order.

    What came after the client's last EXISTS has no number yet, is not for it and is left out.
    """
    if len(rows) < len(view.uids) // 10:
        return [(number, uid, modseq) for uid, modseq in rows if (number := view.number(uid))]
    numbers = {uid: number for number, uid in enumerate(view.uids, 1)}
    return [(numbers[uid], uid, modseq) for uid, modseq in rows if uid in numbers]


#: Gives one item with its value (``COUNT 3``), None to leave it out.
ResultItem = Callable[[Session, Found, object], Awaitable[bytes | None]]
_ITEMS: dict[str, ResultItem] = {}


def result_item(name: str) -> Callable[[ResultItem], ResultItem]:
    """Decorate the coroutine that makes a result item, for the option ``name`` (upper case)."""

    def keep(item: ResultItem) -> ResultItem:
        if name in _ITEMS:
            raise ValueError(f"result item {name} is registered twice")
        _ITEMS[name] = item
        return item

    return keep


async def send_esearch(session: Session, found: Found, correlator: bytes = b"") -> None:
    """Send the ESEARCH response, unless nothing but SAVE was asked for (RFC 5182 section 2.1).

    ``correlator`` goes behind the tag.
    """
    # rfc9051#7.3.4
    items = [
        item
        for name, make in _ITEMS.items()
        if name in found.returns
        and (item := await make(session, found, found.returns[name])) is not None
    ]
    if found.returns.keys() == {"SAVE"}:
        return
    words = [b"ESEARCH (TAG %b%b)" % (encoder.quoted_or_literal(session.tag), correlator)]
    if found.uid:
        words.append(b"UID")
    words += items
    if found.highest:
        words.append(b"MODSEQ %d" % found.highest)
    session.wire.send(encoder.data(*words))


def sequence(numbers: Sequence[int]) -> bytes:
    """Numbers in their order, runs that ascend by one as ranges; ascending ones are a set."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    texts = [f"{low}:{high}" if high > low else str(low) for low, high in parts]
    return ",".join(texts).encode()


# rfc4731#3.1: nothing is said of MIN, MAX and ALL when nothing was found. rfc5267#3.1: of a
# sorted result, MIN and MAX are the first and the last.


@result_item("MIN")
async def _min(session: Session, found: Found, _: object) -> bytes | None:
    return b"MIN %d" % found.told[0] if found.told else None


@result_item("MAX")
async def _max(session: Session, found: Found, _: object) -> bytes | None:
    return b"MAX %d" % found.told[-1] if found.told else None


@result_item("ALL")
async def _all(session: Session, found: Found, _: object) -> bytes | None:
    return b"ALL %b" % sequence(found.told) if found.told else None


@result_item("COUNT")
async def _count(session: Session, found: Found, _: object) -> bytes | None:
    return b"COUNT %d" % len(found.told)
