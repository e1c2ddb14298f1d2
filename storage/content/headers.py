"""Fields of a message header: finding them, cutting them out, unfolding them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from folkmoot.storage.content.addresses import Mailbox, addresses

__all__ = ["Mailbox", "addresses", "collect", "first_value", "header_fields", "iter_fields"]


def iter_fields(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (lower-case name, octets of the field with its folding and line ends) in order.

    Ends at the empty line. Lines that are no field (no colon) come with the name `b""`.
    """
    name = b""
    start = position = 0
    end = len(header)
    while position < end:
        line_end = header.find(b"\n", position) + 1 or end
        first = header[position]
        if first in b"\r\n" and header[position:line_end] in (b"\n", b"\r\n"):
            break
        if first not in b" \t" or position == 0:
            if position > start:
                yield name, header[start:position]
            start = position
            colon = header.find(b":", position, line_end)
            name = header[position:colon].rstrip(b" \t").lower() if colon >= 0 else b""
        position = line_end
    if position > start:
        yield name, header[start:position]


def unfolded(raw: bytes) -> bytes:
    """Return what follows the colon of a field on one line, each fold being one space.

    NUL octets are dropped: no wire form can hold them. A CR within a line is a space.
    """
    value = raw.partition(b":")[2].strip(b" \t\r\n")
    if b"\n" in value:
        first, *rest = value.split(b"\n")
        lines = [first.rstrip(b"\r"), *(line.rstrip(b"\r").lstrip(b" \t") for line in rest)]
        value = b" ".join(lines)
    if b"\r" in value:
        value = value.replace(b"\r", b" ")
    if b"\0" in value:
        value = value.replace(b"\0", b"")
    return value


def first_value(header: bytes, name: bytes) -> bytes | None:
    """Return the unfolded value of the first field called `name` (lower case), or None."""
    for found, raw in iter_fields(header):
        if found == name:
            return unfolded(raw)
    return None


def collect(header: bytes, wanted: frozenset[bytes]) -> dict[bytes, list[bytes]]:
    """Return the unfolded values of the fields whose lower-case names are `wanted`, in order."""
    found: dict[bytes, list[bytes]] = {}
    for raw in _cutter(wanted, False)(b"\n" + header):
        name = raw[1 : raw.find(b":")].rstrip(b" \t").lower()
        found.setdefault(name, []).append(unfolded(raw))
    return found


def header_fields(header: bytes, names: frozenset[bytes], *, inverse: bool) -> bytes:
    """Return the fields called (or, `inverse`, not called) one of `names`, as FETCH sends them.

    `names` are lower case. The fields come octet for octet, in their order, then the empty
    line that always closes them. A header with bare LF comes with CRLF. Lines that are no field
    belong to the inverse only.
    """
    return picker(names, inverse)(header)


def picker(names: frozenset[bytes], inverse: bool) -> Callable[[bytes], bytes]:
    """Return `header_fields` for these names, for those who have many headers."""
    # rfc9051#6.4.5: HEADER.FIELDS, HEADER.FIELDS.NOT
    if len(names) > _PATTERN_LIMIT or sum(map(len, names)) > _PATTERN_OCTETS:
        return lambda header: _with_crlf(
            b"".join([raw for name, raw in iter_fields(header) if (name in names) is not inverse])
            + b"\r\n"
        )
    return _pattern_picker(names, inverse)


@lru_cache(maxsize=128)
def _pattern_picker(names: frozenset[bytes], inverse: bool) -> Callable[[bytes], bytes]:
    cut = _cutter(names, inverse)

    def pick(header: bytes) -> bytes:
        # Each match starts with the line end before it: a search for that octet is the fastest.
        found = cut(b"\n" + header)
        found.append(b"\n\r\n")
        out = b"".join(found)[1:]
        if inverse and header[:1] in (b" ", b"\t"):
            continued = _CONTINUED.match(header)
            out = continued[0] + out if continued else out
        return out if out.count(b"\n") == out.count(b"\r\n") else _with_crlf(out)

    return pick


def _with_crlf(octets: bytes) -> bytes:
    return _BARE_LF.sub(b"\r\n", octets)


_CONTINUED = re.compile(rb"(?:[ \t][^\n]*(?:\n|\Z))*+")
_BARE_LF = re.compile(rb"(?<!\r)\n")

# Compiling a pattern of more names costs more than it saves. A client chooses the names, and what
# is compiled is remembered.
_PATTERN_LIMIT = 50
_PATTERN_OCTETS = 2_000


@lru_cache(maxsize=128)
def _cutter(names: frozenset[bytes], inverse: bool) -> Callable[[bytes], list[bytes]]:
    by_first: dict[bytes, list[bytes]] = {}
    for name in sorted(names):
        by_first.setdefault(re.escape(name[:1]), []).append(re.escape(name[1:]))
    choices = b"|".join(
        first + b"(?:" + b"|".join(rests) + b")" for first, rests in by_first.items()
    )
    called = rb"(?:" + choices + rb")[ \t]*:" if names else rb"(?!)"
    start = rb"(?![ \t]|\r?(?:\n|\Z)|" + called + b")" if inverse else called
    return re.compile(rb"\n" + start + rb"[^\n]*(?:\n[ \t][^\n]*)*+", re.IGNORECASE).findall
