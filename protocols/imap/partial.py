"""Ranges of results: ``PARTIAL 1:500`` from the beginning, ``PARTIAL -1:-100`` from the end.

RFC 9394 section 4, which SEARCH, SORT and UID FETCH share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from folkmoot.protocols.imap.cursor import MAX_NUMBER, BadSyntax, Cursor

T = TypeVar("T")

_RANGE: Final = re.compile(rb"(-?)([1-9][0-9]{0,9}+):(-?)([1-9][0-9]{0,9}+)")


@dataclass(frozen=True, slots=True)
class PartialRange:
    """Positions from ``first`` to ``last``, counted from 1; ``from_end`` counts backwards.

    ``label`` is the range as the client wrote it.
    """

    first: int
    last: int
    from_end: bool
    label: bytes

    def pick(self, results: Sequence[T]) -> Sequence[T]:
        """The part of the results that it names; what lies beyond them is not there."""
        if self.from_end:
            end = len(results) - self.first + 1
            return results[max(0, len(results) - self.last) : max(0, end)]
        return results[self.first - 1 : self.last]


def parse_partial_range(cursor: Cursor) -> PartialRange:
    """Read a space and a range; its ends may stand in either order."""
    cursor.space()
    match = cursor.match(_RANGE, "range of results")
    ends = sorted((int(match[2]), int(match[4])))
    if match[1] != match[3] or ends[1] > MAX_NUMBER:
        raise BadSyntax("Invalid range of results")
    return PartialRange(ends[0], ends[1], match[1] == b"-", match[0])
