"""Trace and repair of the header block of a message in transit. The body is never looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import cache

# The folding limit that RFC 5322 section 2.1.1 recommends.
FOLD_AT = 78

_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_END = re.compile(rb"\r?\n\r?\n|\A\r?\n")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a Received field tells (RFC 5321 section 4.4).

    ``helo`` is what the client called itself, ``address`` its IP address; ``recipient`` is given
    only where the message has one, so that nobody learns of the others. ``tls`` is the name of
    the cipher suite, or "".
    """

    hostname: str
    helo: str
    address: str
    protocol: str
    id: str
    when: datetime
    recipient: str = ""
    tls: str = ""


def with_protocol(base: str, *, utf8: bool, tls: bool, authenticated: bool) -> str:
    """Return the protocol name of a Received field: ``ESMTPSA``, ``UTF8LMTPS`` …

    ``base`` is ``SMTP`` (only after HELO), ``ESMTP`` or ``LMTP``.
    """
    # rfc3848#1, rfc6531#4.3
    if base == "SMTP":
        return base
    if utf8:
        base = "UTF8" + base.removeprefix("E")
    return base + ("S" if tls else "") + ("A" if authenticated else "")


def header_length(data: bytes | bytearray, start: int = 0) -> int:
    """Return the length of the header block with its empty line; -1 when that has not come.

    ``start`` says how far it is known not to be.
    """
    found = _END.search(data, start)
    return found.end() if found else -1


def starts_header(data: bytes | bytearray) -> bool:
    """Return whether the first line is a header field or empty, not already text of a body."""
    return data.startswith((b"\r\n", b"\n")) or _FIELD.match(data) is not None


@cache
def _named(names: frozenset[bytes]) -> re.Pattern[bytes]:
    """A field called one of ``names`` with its folded lines, its value being group 1.

    A header of a megabyte may have hundreds of thousands of fields: they are not to be looked at
    one by one in Python.
    """
    either = b"|".join(re.escape(name) for name in sorted(names))
    return re.compile(
        rb"^(?:%s)[ \t]*:(.*(?:\n|\Z)(?:[ \t].*(?:\n|\Z))*)" % either, re.IGNORECASE | re.MULTILINE
    )


_RECEIVED = frozenset({b"received"})


def received_count(header: bytes) -> int:
    """Return the number of Received fields (RFC 5321 section 6.3)."""
    return sum(1 for _ in _named(_RECEIVED).finditer(header))


def values(header: bytes, name: bytes) -> list[bytes]:
    """Return what follows the colon of each field called ``name`` (lower case), folds kept."""
    return _named(frozenset({name})).findall(header)


def without(header: bytes, names: frozenset[bytes]) -> bytes:
    """Return the header block without the fields called ``names`` (lower case)."""
    return _named(names).sub(b"", header)


def received_field(trace: Trace) -> bytes:
    """Return the Received field, folded, with its CRLF."""
    # rfc5321#4.4
    literal = f"IPv6:{trace.address}" if ":" in trace.address else trace.address
    words = [
        f"from {_token(trace.helo) or 'unknown'}",
        f"([{literal}])" if literal else "(local)",
        f"by {trace.hostname}",
        f"with {trace.protocol}",
    ]
    words.append(f"id {trace.id}")
    if trace.recipient:
        words.append(f"for <{trace.recipient}>")
    if trace.tls:
        # rfc8314#4.3: the cipher suite
        words.append(f"tls {trace.tls}")
    words[-1] += ";"
    words.append(format_datetime(trace.when))
    return b"Received: " + _folded(words).encode() + b"\r\n"


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.:_\[\]\-\u0080-\U0010ffff]", "", text)[:255]


def _folded(words: list[str]) -> str:
    lines, used = [words[0]], len("Received: ") + len(words[0])
    for word in words[1:]:
        if used + 1 + len(word) > FOLD_AT:
            lines.append(word)
            used = 8 + len(word)
        else:
            lines[-1] += f" {word}"
            used += 1 + len(word)
    return "\r\n\t".join(lines)


def return_path(sender: str) -> bytes:
    """Return the Return-Path field of a final delivery, with its CRLF. # rfc5321#4.4"""
    return f"Return-Path: <{sender}>\r\n".encode()


def delivered_to(address: str) -> bytes:
    """Return a Delivered-To field, with its CRLF."""
    return f"Delivered-To: {address}\r\n".encode()


_SUBMISSION_REMOVES = frozenset({b"bcc", b"resent-bcc", b"return-path"})


def completed(header: bytes, sender: str, trace: Trace) -> bytes:
    """Return what a submission agent makes of a header block, with the trace line on top.

    Bcc and Return-Path go; From, Date and Message-ID come where they are missing.
    """
    # rfc6409#8: the submission server may add what RFC 5322 requires
    header = without(header, _SUBMISSION_REMOVES)
    added = b""
    if sender and not values(header, b"from"):
        added += f"From: <{sender}>\r\n".encode()
    if not values(header, b"date"):
        added += f"Date: {format_datetime(trace.when)}\r\n".encode()
    if not values(header, b"message-id"):
        added += f"Message-ID: <{trace.id}@{trace.hostname}>\r\n".encode()
    return received_field(trace) + added + header
