"""Trace and repair of the header block of a message in transit. The body is never looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

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
    # rfc3848#2, rfc6531#4.3
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


def fields(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (lower-case name, all octets of the field) of a header block, in order.

    Lines that are no field come with the name ``b""``; the empty line is not given.
    """
    name, start, position = b"", 0, 0
    while position < len(header):
        end = header.find(b"\n", position) + 1 or len(header)
        line = header[position:end]
        if line in (b"\r\n", b"\n"):
            break
        if line[:1] not in (b" ", b"\t") or position == 0:
            if position > start:
                yield name, header[start:position]
            name = line.partition(b":")[0].rstrip().lower() if _FIELD.match(line) else b""
            start = position
        position = end
    if position > start:
        yield name, header[start:position]


def received_count(header: bytes) -> int:
    """Return the number of Received fields (RFC 5321 section 6.3)."""
    return sum(name == b"received" for name, _ in fields(header))


def without(header: bytes, names: frozenset[bytes]) -> bytes:
    """Return the header block without the fields called ``names`` (lower case)."""
    kept = [raw for name, raw in fields(header) if name not in names]
    length = sum(len(raw) for _, raw in fields(header))
    return b"".join(kept) + header[length:]


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
    """Return the Return-Path field of a final delivery, with its CRLF."""
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
    present = {name for name, _ in fields(header)}
    added = b""
    if b"from" not in present and sender:
        added += f"From: <{sender}>\r\n".encode()
    if b"date" not in present:
        added += f"Date: {format_datetime(trace.when)}\r\n".encode()
    if b"message-id" not in present:
        added += f"Message-ID: <{trace.id}@{trace.hostname}>\r\n".encode()
    return received_field(trace) + added + header
