"""Keys for sorting and threading out of a message's header (RFC 5256, RFC 5957)."""

from __future__ import annotations

import re
import unicodedata
from calendar import timegm
from datetime import date
from email.utils import parsedate_tz
from hashlib import blake2b

from folkmoot.storage.content.addresses import addresses
from folkmoot.storage.content.headers import collect
from folkmoot.storage.content.text import decoded_words
from folkmoot.storage.types_keys import SortKeys

SUBJECT_LIMIT = 1000
"""Characters of a subject that are looked at: a line of mail has no more (RFC 5322 2.1.1)."""

NAME_LIMIT = 255
"""Characters kept of an address's parts; no real mailbox or domain is longer (RFC 5321 4.5.3.1)."""

REFERENCES_LIMIT = 100
"""Message ids kept of a References field: the first, which began the thread, and the last."""

_FIELDS = frozenset(
    (b"subject", b"date", b"from", b"to", b"cc", b"message-id", b"references", b"in-reply-to")
)
_THREAD_FIELDS = frozenset((b"message-id", b"references", b"in-reply-to"))
_MINUTES_IN_DAY = 24 * 60

# rfc5256#2.1
_SPACES = re.compile(r"[ \t\r\n]+")
_TRAILER = re.compile(r"(?:\(fwd\)| )\Z", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*\] *")
_LEADER = re.compile(r"(?:\[[^\[\]]*\] *)*(?:re|fwd?) *(?:\[[^\[\]]*\] *)?:| ", re.IGNORECASE)
_FORWARDED = re.compile(r"\[fwd:(.*)\]\Z", re.IGNORECASE | re.DOTALL)

# No database can store them, and no client can send them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_MESSAGE_ID = re.compile(rb'<((?:"(?:[^"\\]|\\.)*+"|[^<>@"\s])++@[^<>\s]++)>')
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


def sort_keys(header: bytes) -> SortKeys:
    """Return the keys of the message with this header; any octets have some."""
    return keys_of(collect(header, _FIELDS))


def keys_of(fields: dict[bytes, list[bytes]]) -> SortKeys:
    """Return the keys of the message whose header has these fields (see `collect`)."""
    subject, reply = base_subject(_text(fields, b"subject"))
    sender, sender_name = _first_address(fields, b"from")
    recipient, recipient_name = _first_address(fields, b"to")
    own, references = _message_ids(fields)
    return SortKeys(
        subject=collation_key(subject),
        reply=reply,
        sent=sent_time(fields.get(b"date", [b""])[0]),
        sender=sender,
        recipient=recipient,
        copied=_first_address(fields, b"cc")[0],
        sender_name=sender_name,
        recipient_name=recipient_name,
        message_id=own,
        references=references,
    )


def collation_key(text: str) -> str:
    """Return a text whose order by code points is that of i;unicode-casemap (RFC 5051)."""
    if text.isascii():
        return text.upper().replace("\x00", "\ufffd")
    titled = [title if len(title := each.title()) == 1 else each for each in text]
    return _UNSTORABLE.sub("\ufffd", unicodedata.normalize("NFKD", "".join(titled)))


def base_subject(subject: str) -> tuple[str, bool]:
    """Return the base subject, and whether the subject is one of a reply or a forward.

    `subject` is decoded. # rfc5256#2.1
    """
    base = _SPACES.sub(" ", subject[:SUBJECT_LIMIT])
    reply = False
    while True:
        while match := _TRAILER.search(base):
            reply = reply or match[0] != " "
            base = base[: match.start()]
        base, found = _without_leaders(base)
        reply = reply or found
        forwarded = _FORWARDED.match(base)
        if forwarded is None:
            return base, reply
        base, reply = forwarded[1], True


def _without_leaders(base: str) -> tuple[str, bool]:
    reply = False
    while True:
        if match := _LEADER.match(base):
            reply = reply or match[0] != " "
            base = base[match.end() :]
        elif (match := _BLOB.match(base)) and match.end() < len(base):
            base = base[match.end() :]
        else:
            return base, reply


def sent_time(value: bytes) -> int | None:
    """Return the seconds since 1970 UTC that a Date field says, or None. # rfc5256#2.2"""
    parsed = parsedate_tz(value.decode("latin-1")) if value else None
    if parsed is None:
        return None
    year, month, day, hour, minute, second = parsed[:6]
    try:
        date(year, month, day)
    except (ValueError, OverflowError):
        return None
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second <= 60):
        hour = minute = second = 0
    zone = parsed[9] or 0
    if abs(zone) > _MINUTES_IN_DAY * 60:
        zone = 0
    return timegm((year, month, day, hour, minute, second)) - zone


def _text(fields: dict[bytes, list[bytes]], name: bytes) -> str:
    values = fields.get(name)
    return decoded_words(values[0]) if values else ""


def _first_address(fields: dict[bytes, list[bytes]], name: bytes) -> tuple[str, str]:
    """The mailbox of the first address, and what is displayed of it (RFC 5957 section 3)."""
    values = fields.get(name)
    found = addresses(values[0], 1) if values else []
    if not found:
        return "", ""
    first = found[0]
    local = (first.local or b"").decode("utf-8", "replace")[:NAME_LIMIT]
    mailbox = collation_key(local)
    if first.domain is None:  # a group: its name stands for it
        return mailbox, collation_key(decoded_words(first.local or b"")[:NAME_LIMIT])
    shown = _SPACES.sub(" ", decoded_words(first.name or b"")).strip()
    if not shown:
        shown = f"{local}@{first.domain.decode('utf-8', 'replace')}"
    return mailbox, collation_key(shown[:NAME_LIMIT])


def _message_ids(fields: dict[bytes, list[bytes]]) -> tuple[int | None, bytes]:
    own = _MESSAGE_ID.search(fields.get(b"message-id", [b""])[0])
    # rfc5256#3: In-Reply-To counts only without References, and only its first message id
    references = _MESSAGE_ID.findall(b" ".join(fields.get(b"references", [])))
    if not references:
        references = _MESSAGE_ID.findall(b" ".join(fields.get(b"in-reply-to", [])))[:1]
    if len(references) > REFERENCES_LIMIT:
        references = references[:1] + references[1 - REFERENCES_LIMIT :]
    number = int.from_bytes(_digest(own[1]), "big", signed=True) if own else None
    return number, b"".join([_digest(each) for each in references])


def thread_root(references: bytes, message_id: int | None) -> int | None:
    """Return what a conversation is known by from `SortKeys`: the digest of its first message id.

    That of the oldest message which this one refers to, or its own; None for neither.
    """
    # rfc8474#5.2
    if references:
        return int.from_bytes(references[:8], "big", signed=True)
    return message_id


def thread_of(header: bytes) -> int | None:
    """Return the same from a header block."""
    own, references = _message_ids(collect(header, _THREAD_FIELDS))
    return thread_root(references, own)


def _digest(message_id: bytes) -> bytes:
    """A message id as it is compared: without needless quoting."""
    if b'"' in message_id or b"\\" in message_id:
        message_id = _ESCAPE.sub(rb"\1", message_id.replace(b'"', b""))
    return blake2b(message_id, digest_size=8).digest()
