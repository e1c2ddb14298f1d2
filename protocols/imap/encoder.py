"""Values to octets: strings, names, flags, dates, status lines (RFC 9051 sections 7 and 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from folkmoot.protocols.imap import dates, mutf7

Status = Literal["OK", "NO", "BAD", "PREAUTH", "BYE"]

#: Characters of human-readable text in one reply; longer texts are cut.
MAX_TEXT: Final = 500

_ATOM: Final = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]++")
# What a quoted string cannot hold: 8-bit octets, NUL, CR, LF.
_UNQUOTABLE: Final = re.compile(rb"[\x00\r\n\x80-\xff]")
_UNQUOTABLE_UTF8: Final = re.compile(rb"[\x00\r\n]")
_NEEDS_ESCAPE: Final = re.compile(rb'["\\]')
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


def literal(data: bytes) -> bytes:
    """A literal: ``{size}`` CRLF and the octets (which must not hold NUL). # rfc9051#4.3"""
    return b"{%d}\r\n%b" % (len(data), data)


def literal8(data: bytes) -> bytes:
    """A literal that may hold NUL (RFC 9051 section 9)."""
    return b"~{%d}\r\n%b" % (len(data), data)


def quoted_or_literal(data: bytes, *, utf8: bool = False) -> bytes:
    """A string: quoted where it can be, else a literal.

    With `utf8` (UTF8=ACCEPT or IMAP4rev2 enabled) `data` must be UTF-8 and may stay quoted.
    """
    # rfc9051#4.3
    if (_UNQUOTABLE_UTF8 if utf8 else _UNQUOTABLE).search(data):
        return literal(data)
    return b'"%b"' % _NEEDS_ESCAPE.sub(rb"\\\g<0>", data)


def nstring(data: bytes | None, *, utf8: bool = False) -> bytes:
    """A string, or ``NIL`` for None. # rfc9051#4.5"""
    return b"NIL" if data is None else quoted_or_literal(data, utf8=utf8)


def astring(data: bytes, *, utf8: bool = False) -> bytes:
    """An atom where that is possible, else a string. # rfc9051#4.1"""
    if _ATOM.fullmatch(data) and data.upper() != b"NIL":
        return data
    return quoted_or_literal(data, utf8=utf8)


def mailbox_name(name: str, utf8: bool = False) -> bytes:
    """A mailbox name, in modified UTF-7 unless the session speaks UTF-8."""
    # rfc9051#5.1, rfc3501#5.1.3
    if utf8:
        return astring(name.encode("utf-8"), utf8=True)
    return astring(mutf7.encode(name))


def flag_list(flags: Iterable[str]) -> bytes:
    """``(\\Seen $Junk)``."""
    return f"({' '.join(flags)})".encode("ascii")


def date_time(moment: datetime) -> bytes:
    """``"17-Jul-1996 02:44:25 -0700"`` of an aware datetime."""
    return dates.format_date_time(moment)


def text(value: str) -> bytes:
    """Human-readable text as a reply can hold it: printable US-ASCII, not empty, bounded."""
    clean = _UNPRINTABLE.sub("?", value[:MAX_TEXT])
    # rfc9051#7.1: text that begins with "[" would be read as a response code.
    if clean.startswith("["):
        clean = "(" + clean[1:]
    return clean.encode("ascii") or b"-"


def status_line(prefix: bytes, status: Status, message: str, code: str | None = None) -> bytes:
    """``prefix STATUS [CODE] message`` CRLF. `code` stands without its brackets."""
    bracketed = b"[%b] " % _UNPRINTABLE.sub("?", code).encode("ascii") if code else b""
    return b"%b %b %b%b\r\n" % (prefix, status.encode("ascii"), bracketed, text(message))


def tagged(tag: bytes, status: Status, message: str, code: str | None = None) -> bytes:
    """The line that completes a command. # rfc9051#7.1"""
    return status_line(tag, status, message, code)


def untagged(status: Status, message: str, code: str | None = None) -> bytes:
    """A status line that belongs to no command."""
    return status_line(b"*", status, message, code)


def data(*words: bytes) -> bytes:
    """An untagged data line: ``* word word …`` CRLF."""
    return b"* %b\r\n" % b" ".join(words)


def continuation(message: str = "Ready") -> bytes:
    """A continuation request with human-readable text. # rfc9051#7.6"""
    return b"+ %b\r\n" % text(message)


def challenge(octets: bytes) -> bytes:
    """A continuation request of AUTHENTICATE; `octets` are base64 already (may be empty)."""
    return b"+ %b\r\n" % octets
