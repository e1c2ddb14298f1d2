"""How what was found is told: the ESEARCH response and its result items (RFC 4731, RFC 5267).

SEARCH, SORT and the search of several mailboxes share it. An extension adds an item with
``@result_item("NAME")`` beside its option in ``SEARCH_RETURNS``.
"""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, repeat

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.session import Session
from folkmoot.protocols.imap.view import View
from folkmoot.storage.types_search import Order, SearchKey, SortCriterion

TABLE = 100_000  # messages in a table of numbers, which is quicker and takes a hundred octets each


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
    numbers = _numbers(view, [row[0] for row in rows])
    return [(number, *row) for number, row in zip(numbers, rows, strict=True) if number]


def numbered_order(view: View, order: Order) -> tuple[array[int], Order]:
    """The message numbers of what was sorted, and the order without what has no number yet."""
    numbers = array("I", _numbers(view, order.uids))
    if 0 not in numbers:
        return numbers, order
    places = [place for place, number in enumerate(numbers) if number]
    kept = Order(
        array("I", [order.uids[place] for place in places]),
        array("Q", [order.modseqs[place] for place in places] if order.modseqs else ()),
    )
    return array("I", filter(None, numbers)), kept


def _numbers(view: View, uids: Sequence[int]) -> Iterable[int]:
    """The message numbers of UIDs, 0 for those that have none."""
    if not len(view.uids) // 10 <= len(uids) <= TABLE:
        return map(view.number, uids)
    numbers = dict(zip(view.uids, count(1), strict=False))
    return map(numbers.get, uids, repeat(0))


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
    out = bytearray()
    low = high = 0
    for number in numbers:
        if number == high + 1 and low:
            high = number
            continue
        if low:
            out += b"%d:%d," % (low, high) if high > low else b"%d," % low
        low = high = number
    if low:
        out += b"%d:%d" % (low, high) if high > low else b"%d" % low
    return bytes(out)


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
