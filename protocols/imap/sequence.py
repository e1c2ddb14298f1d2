"""Sequence sets of IMAP commands (RFC 9051 section 9, ``sequence-set``), and UID sets."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from folkmoot.storage.types_uidset import MAX_UID, Range, UidSet, merge_ranges

__all__ = ["MAX_RANGES", "MAX_UID", "SAVED", "STAR", "Range", "SequenceSet", "UidSet"]

#: How many comma-separated parts a client may send in one set.
MAX_RANGES: Final = 10_000
#: Stands for ``*`` inside :attr:`SequenceSet.parts`; no message has this number.
STAR: Final = 0


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """A set of message numbers or UIDs as a client wrote it.

    `parts` are ``(first, last)`` pairs in the client's order, with :data:`STAR` for ``*``.
    `saved` is true for ``$``, the result that the last ``SEARCH RETURN (SAVE)`` kept; `parts` is
    empty then and the session supplies the numbers.
    """

    parts: tuple[Range, ...]
    saved: bool = False

    @classmethod
    def parse(cls, data: bytes, *, max_ranges: int = MAX_RANGES) -> SequenceSet:
        """Read ``1:*``, ``*``, ``3,5:7`` or ``$``. Raises ValueError with a short message."""
        if data == b"$":  # rfc9051#6.4.4.1
            return SAVED
        if data.count(b",") >= max_ranges:
            raise ValueError("Too many ranges in sequence set")
        return cls(tuple([_parse_part(part) for part in data.split(b",")]))

    @property
    def uses_star(self) -> bool:
        """Whether ``*`` occurs, so that the meaning depends on the highest number in use."""
        # rfc9051#4.1.1
        return any(first == STAR or last == STAR for first, last in self.parts)

    def resolve(self, max_value: int) -> list[Range]:
        """Sorted, disjoint ``(low, high)`` ranges with `max_value` put in for ``*``.

        Both ends of a range are in either order, so ``100:*`` holds the highest message even when
        its number is below 100 (RFC 9051 section 9, ``seq-range``). With `max_value` 0 (an empty
        mailbox) parts with ``*`` hold nothing. Values above `max_value` are kept: a caller that
        reads message numbers answers BAD when the last range ends above the number of messages.
        """
        ranges: list[Range] = []
        for first, last in self.parts:
            low = first or max_value
            high = last or max_value
            if low == 0 or high == 0:
                continue
            ranges.append((low, high) if low <= high else (high, low))
        return merge_ranges(ranges)

    def slices(self, values: Sequence[int]) -> list[Range]:
        """Where the set meets ascending `values`: ``(start, stop)`` indexes for slicing.

        ``*`` is the last of `values`. Each part costs two binary searches, so ``1:4294967295`` is
        as cheap as ``1``.
        """
        if not values:
            return []
        found: list[Range] = []
        for low, high in self.resolve(values[-1]):
            start = bisect_left(values, low)
            stop = bisect_right(values, high, start)
            if start < stop:
                found.append((start, stop))
        return found

    def intersect(self, values: Sequence[int]) -> list[int]:
        """The members of ascending `values` that are in the set, ascending."""
        found: list[int] = []
        for start, stop in self.slices(values):
            found.extend(values[start:stop])
        return found

    def __bytes__(self) -> bytes:
        if self.saved:
            return b"$"
        return b",".join([_print_part(first, last) for first, last in self.parts])


#: The parsed form of ``$``.
SAVED: Final = SequenceSet((), saved=True)


def _parse_part(part: bytes) -> Range:
    first, colon, second = part.partition(b":")
    low = _parse_number(first)
    return (low, _parse_number(second)) if colon else (low, low)


def _parse_number(digits: bytes) -> int:
    if digits == b"*":
        return STAR
    # The length test keeps int() cheap on hostile input.
    if digits.isdigit() and len(digits) <= 10:
        number = int(digits)
        if 0 < number <= MAX_UID:
            return number
    raise ValueError("Invalid sequence set")


def _print_part(first: int, last: int) -> bytes:
    if first == last:
        return b"%d" % first if first else b"*"
    return b"%b:%b" % (b"%d" % first if first else b"*", b"%d" % last if last else b"*")
