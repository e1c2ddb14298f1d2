"""COMPRESS=DEFLATE (RFC 4978); the octets are ``deflate``'s."""

from __future__ import annotations

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.registry import Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import Session

EXTENSION = "COMPRESS=DEFLATE"
capability(EXTENSION, lambda session: signed_in(session) and not session.wire.compressed)


def parse_compress(cursor: Cursor) -> None:
    """Read the one algorithm that there is."""
    cursor.space()
    if cursor.keyword() != "DEFLATE":
        raise BadSyntax("Unknown algorithm")
    cursor.end()


# Only after login: who has not signed in is not worth the memory.
@command(
    "COMPRESS", State.SIGNED_IN, parse_compress, example=b"COMPRESS DEFLATE", extension=EXTENSION
)
async def compress(session: Session, _: None) -> Reply:
    """RFC 4978 section 3: everything behind the OK is compressed, both ways."""
    if session.wire.compressed:
        return Reply("Compression is on already", "COMPRESSIONACTIVE", "NO")
    session.wire.compress_after_reply(True)
    return Reply("Compression begins")
