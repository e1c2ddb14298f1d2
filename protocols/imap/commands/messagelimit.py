"""MESSAGELIMIT and SAVELIMIT (RFC 9738), of which a server offers one, and their search keys."""

from __future__ import annotations

from folkmoot.protocols.imap.registry import capability, signed_in
from folkmoot.protocols.imap.search_keys import Messages, SearchKey, SearchParser, search_key
from folkmoot.protocols.imap.sequence import MAX_UID, SequenceSet
from folkmoot.protocols.imap.session import Session


def _limits_all(session: Session) -> bool:
    return signed_in(session) and session.wire.limits.messages > 0


def _limits_saving(session: Session) -> bool:
    limits = session.wire.limits
    return signed_in(session) and limits.saved > 0 and not limits.messages


# rfc9738#3: one of the two, never both
capability("MESSAGELIMIT", _limits_all, lambda session: session.wire.limits.messages)
capability("SAVELIMIT", _limits_saving, lambda session: session.wire.limits.saved)


@search_key("UIDAFTER")  # rfc9738#3.2
def _after(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    uid = parser.cursor.nz_number()
    return _uids(uid + 1, MAX_UID)


@search_key("UIDBEFORE")
def _before(parser: SearchParser) -> SearchKey:
    parser.cursor.space()
    uid = parser.cursor.nz_number()
    return _uids(1, uid - 1)


def _uids(low: int, high: int) -> SearchKey:
    return Messages(SequenceSet(((low, high),) if low <= high else ()), uid=True)
