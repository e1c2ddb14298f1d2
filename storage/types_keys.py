"""What is kept of a message for sorting and threading. No behaviour here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SortKeys:
    """Computed from the header when a message is stored (RFC 5256, RFC 5957).

    Texts are folded for comparison by code point (i;unicode-casemap, RFC 5051). ``subject`` is the
    base subject, ``reply`` whether its extraction took a sign of a reply or a forward away.
    ``sent`` is the Date field in seconds since 1970 UTC, None when it cannot be read. ``sender``,
    ``recipient`` and ``copied`` are the mailboxes (left of the @) of the first addresses of From,
    To and Cc, ``sender_name`` and ``recipient_name`` what is displayed of the first two.
    ``message_id`` and ``references`` are digests of message ids: of the message (None: it has
    none), and of those it refers to, eight octets each, the oldest first.
    """

    subject: str
    reply: bool
    sent: int | None
    sender: str
    recipient: str
    copied: str
    sender_name: str
    recipient_name: str
    message_id: int | None
    references: bytes
