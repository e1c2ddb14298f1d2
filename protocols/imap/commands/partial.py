"""PARTIAL (RFC 9394): results by position, in SEARCH, SORT and UID FETCH."""

from __future__ import annotations

from folkmoot.protocols.imap.fetch_items import FETCH_MODIFIERS
from folkmoot.protocols.imap.partial import PartialRange, parse_partial_range
from folkmoot.protocols.imap.registry import capability, signed_in
from folkmoot.protocols.imap.results import Found, result_item, sequence
from folkmoot.protocols.imap.search_keys import SEARCH_RETURNS
from folkmoot.protocols.imap.session import Session

capability("PARTIAL", signed_in)  # rfc9394#3

SEARCH_RETURNS.register("PARTIAL")(parse_partial_range)
FETCH_MODIFIERS.register("PARTIAL")(parse_partial_range)


@result_item("PARTIAL")
async def _partial(session: Session, found: Found, value: object) -> bytes | None:
    """The range that was asked for with its results, or NIL. # rfc9394#3.1"""
    assert isinstance(value, PartialRange)
    results = value.pick(found.told)
    return b"PARTIAL (%b %b)" % (value.label, sequence(results) if results else b"NIL")
