"""WITHIN (RFC 5032): search for messages that are older or younger than some seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from folkmoot.protocols.imap.registry import capability, signed_in
from folkmoot.protocols.imap.search_keys import SearchKey, SearchParser, search_key
from folkmoot.protocols.imap.search_plan import translates
from folkmoot.storage import types_search as find

capability("WITHIN", signed_in)  # rfc5032#3


@dataclass(frozen=True, slots=True)
class Older(SearchKey):
    """Messages that arrived so many seconds ago, or before that."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Younger(SearchKey):
    """Messages that arrived within the last so many seconds."""

    seconds: int


@search_key("OLDER")
def _older(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    return Older(parser.cursor.nz_number())


@search_key("YOUNGER")
def _younger(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    return Younger(parser.cursor.nz_number())


# rfc5032#3: both take in the moment itself.
@translates(Older)
def _by_older(key: Older) -> find.SearchKey:
    return find.ArrivedBetween(None, int(time.time()) - key.seconds + 1)


@translates(Younger)
def _by_younger(key: Younger) -> find.SearchKey:
    return find.ArrivedBetween(int(time.time()) - key.seconds, None)
