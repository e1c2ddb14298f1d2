"""Modified UTF-7, the encoding of mailbox names (RFC 3501 section 5.1.3).

Every name has exactly one encoding here: :func:`decode` refuses the others, so that two spellings
never mean one mailbox.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from typing import Final

# Runs of what must be shifted into base64: all but printable US-ASCII.
_SHIFTED: Final = re.compile(r"[^\x20-\x7e]+")
_PIECE: Final = re.compile(rb"&([A-Za-z0-9+,]*)-|[\x20-\x25\x27-\x7e]+")


def encode(name: str) -> bytes:
    """Encode `name`. Raises ValueError (UnicodeEncodeError) for lone surrogates."""
    if name.isascii() and name.isprintable():
        return name.replace("&", "&-").encode("ascii")
    return _SHIFTED.sub(_shift, name.replace("&", "&-")).encode("ascii")


def decode(data: bytes) -> str:
    """Decode `data`. Raises ValueError when it is not the canonical encoding of any name."""
    name = "".join(_pieces(data))
    # rfc3501#5.1.3: printable US-ASCII is never in base64, no superfluous shifts, zero padding.
    if b"&" in data and encode(name) != data:
        raise ValueError("not canonical modified UTF-7")
    return name


def _shift(match: re.Match[str]) -> str:
    octets = match[0].encode("utf-16-be")
    text = b2a_base64(octets, newline=False).rstrip(b"=").replace(b"/", b",")
    return f"&{text.decode('ascii')}-"


def _pieces(data: bytes) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(data):
        match = _PIECE.match(data, at)
        if match is None:
            raise ValueError("malformed modified UTF-7")
        at = match.end()
        shifted = match[1]
        if shifted is None:
            out.append(match[0].decode("ascii"))
        elif not shifted:
            out.append("&")
        else:
            out.append(_unshift(shifted))
    return out


def _unshift(shifted: bytes) -> str:
    padding = b"=" * (-len(shifted) % 4)
    # binascii.Error and UnicodeDecodeError are ValueErrors.
    return a2b_base64(shifted.replace(b",", b"/") + padding).decode("utf-16-be")
