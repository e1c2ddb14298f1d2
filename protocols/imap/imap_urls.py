"""URLs of messages on this server (RFC 5092), as CATENATE names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.fetch_items import BodySection, parse_section

MAX_URL: Final = 8192  # octets

# Possessive quantifiers: a URL is read or refused in one pass. A slash ends what stands before
# ";UID=", ";SECTION=" and ";PARTIAL="; it is taken off afterwards.
_URL: Final = re.compile(
    rb"(?:/(?P<mailbox>[^;?#]++)(?:;UIDVALIDITY=(?P<validity>[1-9][0-9]{0,9}+)/)?)?"
    rb"/?;UID=(?P<uid>[1-9][0-9]{0,9}+)"
    rb"(?:/;SECTION=(?P<section>[^;?#]++))?"
    rb"(?:/?;PARTIAL=(?P<first>[0-9]{1,18}+)(?:\.(?P<count>[1-9][0-9]{0,17}+))?)?",
    re.IGNORECASE,
)
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class MessageUrl:
    """A message, or a section of one.

    ``mailbox`` is None for a URL relative to the selected mailbox, ``section`` None for the whole
    message. ``first`` and ``count`` name a part of that; ``count`` None goes to its end.
    """

    mailbox: str | None
    uidvalidity: int | None
    uid: int
    section: BodySection | None
    first: int = 0
    count: int | None = None


def parse_url(url: bytes) -> MessageUrl:
    """Read a relative IMAP URL (RFC 5092 section 7). Raises ValueError for all others.

    Those with a host in them are of other servers: this one does not fetch from anywhere.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL and url.isascii() else None
    if match is None or _BROKEN_ESCAPE.search(url):
        raise ValueError("not the URL of a message here")
    mailbox = match["mailbox"]
    name = None
    if mailbox is not None:
        if mailbox.startswith(b"/"):
            raise ValueError("the URL of another server")
        name = unquote_to_bytes(mailbox.removesuffix(b"/")).decode("utf-8")
    section = match["section"]
    return MessageUrl(
        name,
        int(match["validity"]) if match["validity"] else None,
        int(match["uid"]),
        None if section is None else _section(unquote_to_bytes(section.removesuffix(b"/"))),
        int(match["first"] or 0),
        int(match["count"]) if match["count"] else None,
    )


def _section(text: bytes) -> BodySection:
    cursor = Cursor((b"[%b]" % text,))
    try:
        section = parse_section(cursor, peek=True)
        cursor.end()
    except BadSyntax as error:
        raise ValueError(error.text) from None
    if section.partial is not None:
        raise ValueError("a section has no range of its own")
    return section
