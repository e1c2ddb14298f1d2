"""A compact, immutable set of UIDs.

Mailboxes with a hundred thousand messages are mostly runs of consecutive UIDs, so the set keeps
sorted, disjoint, non-adjacent ranges. Its text form (``1:5,7,9:12``) is what IMAP prints
(RFC 9051 section 9, ``uid-set``) and what storage keeps in a column.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

#: The highest UID that IMAP can express (RFC 9051 section 2.3.1.1: 32 bits).
MAX_UID: Final = 0xFFFF_FFFF

Range = tuple[int, int]


def merge_ranges(ranges: Iterable[Range]) -> list[Range]:
    """Sort ``(low, high)`` pairs (inclusive, ``low <= high``) and join those that touch."""
    merged: list[Range] = []
    last_low = last_high = -2
    for low, high in sorted(ranges):
        if low <= last_high + 1 and merged:
            if high > last_high:
                last_high = high
                merged[-1] = (last_low, high)
        else:
            merged.append((low, high))
            last_low, last_high = low, high
    return merged


class UidSet:
    """An immutable set of integers from 1 to 2**32-1, kept as ranges.

    ``UidSet()`` is empty. Build others with :meth:`from_iterable`, :meth:`from_ranges` or
    :meth:`from_text`.
    """

    __slots__ = ("_lows", "_ranges")

    def __init__(self) -> None:
        self._ranges: tuple[Range, ...] = ()
        self._lows: tuple[int, ...] = ()

    @classmethod
    def _of(cls, ranges: Iterable[Range]) -> UidSet:
        """Build from ranges that are already sorted, disjoint and not adjacent."""
        new = cls()
        new._ranges = tuple(ranges)
        new._lows = tuple(low for low, _ in new._ranges)
        if new._ranges and (new._lows[0] < 1 or new._ranges[-1][1] > MAX_UID):
            raise ValueError("UID out of range")
        return new

    @classmethod
    def from_iterable(cls, uids: Iterable[int]) -> UidSet:
        """The set of `uids`, in any order, repeats allowed. Raises ValueError out of 1..2**32-1."""
        ranges: list[Range] = []
        ordered = sorted(uids)
        if not ordered:
            return cls()
        low = high = ordered[0]
        for uid in ordered:
            if uid <= high + 1:
                high = uid
            else:
                ranges.append((low, high))
                low = high = uid
        ranges.append((low, high))
        return cls._of(ranges)

    @classmethod
    def from_ascending(cls, uids: Sequence[int]) -> UidSet:
        """The set of `uids`, which ascend without repeats: quicker, where they are mostly runs."""
        ranges: list[Range] = []
        waiting = [(0, len(uids))]
        while waiting:
            first, end = waiting.pop()
            if first == end:
                continue
            low, high = uids[first], uids[end - 1]
            if high - low == end - first - 1:
                if ranges and ranges[-1][1] + 1 == low:
                    low = ranges.pop()[0]
                ranges.append((low, high))
            else:
                middle = (first + end) // 2
                waiting += [(middle, end), (first, middle)]
        return cls._of(ranges)

    @classmethod
    def from_ranges(cls, ranges: Iterable[Range]) -> UidSet:
        """The union of ``(low, high)`` pairs, both ends included and in either order."""
        return cls._of(merge_ranges((a, b) if a <= b else (b, a) for a, b in ranges))

    @classmethod
    def from_text(cls, text: str | bytes, *, max_ranges: int | None = None) -> UidSet:
        """Read ``1:5,7,9:12``; an empty text is the empty set.

        Raises ValueError when `text` is malformed or has more than `max_ranges` parts.
        """
        data = text.encode("ascii") if isinstance(text, str) else text
        if not data:
            return cls()
        if max_ranges is not None and data.count(b",") >= max_ranges:
            raise ValueError("too many ranges")
        return cls.from_ranges(_parse_range(part) for part in data.split(b","))

    #: The same reader under the name for octets.
    from_bytes = from_text

    @property
    def ranges(self) -> tuple[Range, ...]:
        """Sorted, disjoint, non-adjacent ``(low, high)`` pairs, both ends included."""
        return self._ranges

    def union(self, other: UidSet) -> UidSet:
        """UIDs in either set."""
        return self._of(merge_ranges(chain(self._ranges, other._ranges)))

    def intersection(self, other: UidSet) -> UidSet:
        """UIDs in both sets."""
        mine, theirs = self._ranges, other._ranges
        out: list[Range] = []
        i = j = 0
        while i < len(mine) and j < len(theirs):
            low = max(mine[i][0], theirs[j][0])
            high = min(mine[i][1], theirs[j][1])
            if low <= high:
                out.append((low, high))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return self._of(out)

    def difference(self, other: UidSet) -> UidSet:
        """UIDs of this set that are not in `other`."""
        out: list[Range] = []
        theirs = other._ranges
        j = 0
        for start, high in self._ranges:
            low = start
            while j < len(theirs) and theirs[j][1] < low:
                j += 1
            k = j
            while k < len(theirs) and theirs[k][0] <= high:
                if theirs[k][0] > low:
                    out.append((low, theirs[k][0] - 1))
                low = theirs[k][1] + 1
                k += 1
            j = max(j, k - 1)
            if low <= high:
                out.append((low, high))
        return self._of(out)

    __or__ = union
    __and__ = intersection
    __sub__ = difference

    def __contains__(self, uid: object) -> bool:
        if not isinstance(uid, int):
            return False
        at = bisect_right(self._lows, uid) - 1
        return at >= 0 and uid <= self._ranges[at][1]

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(range(low, high + 1) for low, high in self._ranges)

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self._ranges)

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UidSet) and self._ranges == other._ranges

    def __hash__(self) -> int:
        return hash(self._ranges)

    def __str__(self) -> str:
        return ",".join(
            [str(low) if low == high else f"{low}:{high}" for low, high in self._ranges]
        )

    def __bytes__(self) -> bytes:
        return str(self).encode("ascii")

    def __repr__(self) -> str:
        return f"UidSet({self!s})"


def _parse_range(part: bytes) -> Range:
    first, colon, second = part.partition(b":")
    low = _parse_uid(first)
    return (low, _parse_uid(second)) if colon else (low, low)


def _parse_uid(digits: bytes) -> int:
    # The length test keeps int() cheap on hostile input.
    if not digits.isdigit() or len(digits) > 10:
        raise ValueError("malformed UID set")
    return int(digits)
