"""SEARCH=FUZZY (RFC 6203): inexact search, and how well what was found matches.

The words of a fuzzy text may stand in any order, be parts of words, and be misspelt a little when
they are long. Keys that are not about text are as exact as ever.
"""

from __future__ import annotations

from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.partial import PartialRange
from folkmoot.protocols.imap.registry import capability, signed_in
from folkmoot.protocols.imap.results import Found, result_item
from folkmoot.protocols.imap.search_keys import (
    SEARCH_RETURNS,
    SearchKey,
    SearchParser,
    search_key,
)
from folkmoot.protocols.imap.search_plan import Wrapping, wraps
from folkmoot.protocols.imap.session import Session
from folkmoot.storage import types_search as find
from folkmoot.storage.types import UidSet

capability("SEARCH=FUZZY", signed_in)  # rfc6203#3

SEARCH_RETURNS.add("RELEVANCY")


class FuzzyKey(Wrapping):
    """What the inner key looks for, more or less."""


@search_key("FUZZY")
def _fuzzy(parser: SearchParser) -> SearchKey:
    return FuzzyKey(parser.inner())  # rfc6203#3


@wraps(FuzzyKey)
def _inexactly(key: find.SearchKey) -> find.SearchKey:
    match key:
        case find.And(keys):
            return find.And(tuple(map(_inexactly, keys)))
        case find.Or(keys):
            return find.Or(tuple(map(_inexactly, keys)))
        case find.Not(inner):
            return find.Not(_inexactly(inner))
        case find.HeaderContains() | find.BodyContains() | find.TextContains() if key.text:
            return find.Fuzzy(key)
    return key


def has_fuzzy(key: find.SearchKey) -> bool:
    """Whether there is a fuzzy key in a search."""
    match key:
        case find.And(keys) | find.Or(keys):
            return any(map(has_fuzzy, keys))
        case find.Not(inner):
            return has_fuzzy(inner)
    return isinstance(key, find.Fuzzy)


def require_fuzzy(key: find.SearchKey) -> None:
    """Scores are of fuzzy keys. Raises ``BadSyntax`` where there is none. # rfc6203#4"""
    if not has_fuzzy(key):
        raise BadSyntax("RELEVANCY needs a FUZZY search key")


@result_item("RELEVANCY")
async def _relevancy(session: Session, found: Found, _: object) -> bytes | None:
    """The scores of the results that are told, in their order. # rfc6203#4"""
    require_fuzzy(found.key)
    partial = found.returns.get("PARTIAL")
    uids = partial.pick(found.uids) if isinstance(partial, PartialRange) else found.uids
    scores = await session.workspace.scores(found.mailbox_id, UidSet.from_iterable(uids), found.key)
    # A message that was expunged meanwhile matches as little as can be said.
    return b"RELEVANCY (%b)" % " ".join([str(scores.get(uid, 1)) for uid in uids]).encode()
