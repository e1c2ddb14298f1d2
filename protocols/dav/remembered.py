"""Listings that were printed already: programs ask for the same folder again and again.

A folder's number changes with every change of a member, so a listing is good for as long as the
folder has the number that it had. Only folders whose members are all items are remembered: what a
folder is like inside does not change the number of the one that it is in.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from folkmoot.protocols.dav.request import Request

MAX_CHARACTERS: Final = 16 << 20  # of everybody together
MAX_LISTING: Final = 4 << 20
_FACT: Final = "listings"


class Listings:
    """Texts by what was asked, the oldest forgotten first."""

    def __init__(self) -> None:
        self._texts: OrderedDict[Hashable, str] = OrderedDict()
        self._characters = 0

    def get(self, key: Hashable) -> str | None:
        """The responses of all members; None if they are not known."""
        text = self._texts.get(key)
        if text is not None:
            self._texts.move_to_end(key)
        return text

    def put(self, key: Hashable, text: str) -> None:
        """Remember a listing, unless it is very long."""
        if len(text) > MAX_LISTING or key in self._texts:
            return
        self._texts[key] = text
        self._characters += len(text)
        while self._characters > MAX_CHARACTERS:
            _, forgotten = self._texts.popitem(last=False)
            self._characters -= len(forgotten)


def listings_of(request: Request) -> Listings:
    """Those of the application that answers the request."""
    listings: Listings = request.lasting.setdefault(_FACT, Listings())
    return listings
