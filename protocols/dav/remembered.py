"""Listings that were printed already: programs ask for the same folder again and again.

A folder's number changes with every change of a member, so a listing is good for as long as the
folder has the number that it had; of each question the last answer is kept. Only folders whose
members are all items are remembered: what a folder is like inside does not change the number of the
one that it is in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from sys import getsizeof
from typing import Final, NamedTuple

from folkmoot.protocols.dav.request import Request

MAX_OCTETS: Final = 16 << 20  # of everybody together
MAX_LISTING: Final = 4 << 20
#: What one takes beside its text and its question: there may be any number of empty folders.
OVERHEAD: Final = 500
_FACT: Final = "listings"

Question = tuple[Hashable, ...]


class _Listing(NamedTuple):
    state: Hashable
    text: str
    octets: int


class Listings:
    """Texts by what was asked, the oldest forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Question, _Listing] = OrderedDict()
        self.octets = 0

    def get(self, question: Question, state: Hashable) -> str | None:
        """The responses of all members of a folder in this state; None if they are not known."""
        known = self._known.get(question)
        if known is None or known.state != state:
            return None
        self._known.move_to_end(question)
        return known.text

    def put(self, question: Question, state: Hashable, text: str) -> None:
        """Remember a listing, unless it is very long."""
        octets = OVERHEAD + getsizeof(text) + sum(map(getsizeof, _leaves(question)))
        before = self._known.pop(question, None)
        self.octets -= before.octets if before is not None else 0
        if octets > MAX_LISTING:
            return
        self._known[question] = _Listing(state, text, octets)
        self.octets += octets
        while self.octets > MAX_OCTETS:
            _, forgotten = self._known.popitem(last=False)
            self.octets -= forgotten.octets


def _leaves(question: Question) -> Iterator[object]:
    """All that a question is made of: whoever asks decides how much that is."""
    for part in question:
        if isinstance(part, tuple):
            yield from _leaves(part)
        else:
            yield part


def listings_of(request: Request) -> Listings:
    """Those of the application that answers the request."""
    if _FACT not in request.lasting:
        request.lasting[_FACT] = Listings()
    listings: Listings = request.lasting[_FACT]
    return listings
