"""Content-Transfer-Encoding undone, in bounded memory (RFC 2045 section 6)."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from folkmoot.storage.content.sections import Encoding, Extent, Part
from folkmoot.storage.content.source import Source

_CHUNK = 1 << 16

# White space at the end of what was read may be the end of a line; more of it than a line can
# hold is content.
_HELD_BACK = 1000

_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64 = bytes(each for each in range(256) if each not in _BASE64)

# The look-behind keeps a long run of spaces from being tried at each of them.
_TRAILING_SPACE = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n)")


class UnknownEncoding(ValueError):
    """The part has a Content-Transfer-Encoding that is none of RFC 2045's.

    RFC 3516 calls it UNKNOWN-CTE.
    """


def decode_part(source: Source, part: Part) -> Iterator[bytes]:
    """Yield the decoded octets of a part's body in pieces of at most 64 KiB.

    Raises UnknownEncoding, before anything is yielded. Broken base64 gives what can be decoded:
    octets outside of the alphabet are passed over, and the end is at the padding.
    """
    if part.encoding is Encoding.UNKNOWN:
        raise UnknownEncoding
    if part.encoding is Encoding.BASE64:
        return _base64(source, part.body)
    if part.encoding is Encoding.QUOTED_PRINTABLE:
        return _quoted_printable(source, part.body)
    return _chunks(source, part.body)


def decoded_size(source: Source, part: Part) -> int:
    """Return the count of octets that `decode_part` yields. Raises UnknownEncoding."""
    if part.encoding is Encoding.IDENTITY:
        return part.body_length
    return sum(len(piece) for piece in decode_part(source, part))


def _chunks(source: Source, extent: Extent) -> Iterator[bytes]:
    end = extent.offset + extent.length
    for offset in range(extent.offset, end, _CHUNK):
        yield source.read(offset, min(_CHUNK, end - offset))


def _base64(source: Source, extent: Extent) -> Iterator[bytes]:
    # rfc2045#6.8
    rest = b""
    for chunk in _chunks(source, extent):
        digits = rest + chunk.translate(None, _NOT_BASE64)
        padding = digits.find(b"=")
        if padding >= 0:
            rest = digits[:padding]
            break
        whole = len(digits) & ~3
        rest = digits[whole:]
        if whole:
            yield binascii.a2b_base64(digits[:whole])
    # One digit left over is six bits, less than an octet.
    digits = rest if len(rest) % 4 != 1 else rest[:-1]
    if digits:
        yield binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _quoted_printable(source: Source, extent: Extent) -> Iterator[bytes]:
    # rfc2045#6.7
    rest = b""
    for chunk in _chunks(source, extent):
        text = rest + chunk
        # Cut behind a line, or in a long one in front of what the next chunk may complete.
        cut = text.rfind(b"\n") + 1
        if cut == 0:
            cut = _safe_cut(text)
        rest = text[cut:]
        if cut:
            yield _decode_quoted(text[:cut])
    if rest:
        # rfc2045#6.7 rule 3: white space at the end of a line was added on the way
        yield _decode_quoted(rest.rstrip(b" \t"))


def _safe_cut(text: bytes) -> int:
    """Return where a piece of a long line ends that the next chunk cannot change."""
    cut = len(text.rstrip(b" \t\r"))
    escape = text.rfind(b"=", max(0, cut - 2), cut)
    if escape >= 0:
        cut = escape
    return cut if len(text) - cut <= _HELD_BACK else len(text)


def _decode_quoted(text: bytes) -> bytes:
    return binascii.a2b_qp(_TRAILING_SPACE.sub(b"", text))
