"""LANGUAGE (RFC 5255 section 3): texts for people are English, which is also i-default."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.commands.namespace import send_namespace
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.registry import (
    OK,
    Expunges,
    Reply,
    State,
    capability,
    command,
    signed_in,
)
from folkmoot.protocols.imap.session import Session

capability("LANGUAGE", signed_in)  # rfc5255#3.1

MAX_RANGES: Final = 50  # languages of one command
_SPOKEN: Final = (b"EN", b"I-DEFAULT")


def parse_language(cursor: Cursor) -> tuple[bytes, ...]:
    """Read the languages that the client likes, best first, in upper case; () asks for a list."""
    ranges: list[bytes] = []
    while cursor.more():
        if len(ranges) >= MAX_RANGES:
            raise BadSyntax("Too many languages")
        ranges.append(cursor.astring().upper())
    cursor.end()
    return tuple(ranges)


@command(
    "LANGUAGE",
    State.ANY,
    parse_language,
    expunges=Expunges.HELD_BACK,
    example=b'LANGUAGE "de" en',
    extension="LANGUAGE",
)
async def language(session: Session, ranges: tuple[bytes, ...]) -> Reply:
    """RFC 5255 section 3.2."""
    if not ranges:
        session.wire.send(encoder.data(b"LANGUAGE", b"(%b)" % b" ".join(_SPOKEN)))
        return OK
    chosen = next((found for found in map(_spoken, ranges) if found), None)
    if chosen is None:
        return Reply("None of these languages is spoken here", None, "NO")
    session.wire.send(encoder.data(b"LANGUAGE", b"(%b)" % chosen))
    if signed_in(session) and not session.hides("NAMESPACE"):
        send_namespace(session)  # rfc5255#3.2: its names could have been translated
    return Reply("English is spoken")


def _spoken(wanted: bytes) -> bytes | None:
    """The language that serves for a language range: ``en-GB`` gets English."""
    if wanted == b"DEFAULT":
        return b"I-DEFAULT"
    return next((one for one in _SPOKEN if wanted == one or wanted.startswith(one + b"-")), None)
