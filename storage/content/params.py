"""Structured MIME fields: a value with parameters (RFC 2045 section 5.1, RFC 2231)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

PARAMETER_LIMIT = 100
"""The most parameters, and pieces of one, read from a field: five or so are usual."""

VALUE_LIMIT = 16_384
"""The most octets of a structured field that are looked at."""

Params = tuple[tuple[bytes, bytes], ...]
"""Names as they came (a joined RFC 2231 parameter keeps one `*`) and values without quotes."""

_TOKEN = rb"[!#$%&'*+.^_`{|}~0-9A-Za-z-]+"
_TYPE = re.compile(rb"\s*(" + _TOKEN + rb")\s*/\s*(" + _TOKEN + rb")\s*(?=[;\s(]|\Z)")
_FIRST = re.compile(rb"\s*(" + _TOKEN + rb")")
_PARAM = re.compile(
    rb""";\s*+([^\s=;"()<>@,]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;"]*+))""", re.DOTALL
)
# In a comment a quote is a quote only if it closes again.
_COMMENTED = re.compile(rb'"(?:[^"\\]|\\.)*+"|\\.|[^"\\()]++|.', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_SECTION = re.compile(rb"([^*]+)\*(?:(\d{1,9})(\*?))?\Z")
_UNSAFE = re.compile(rb"[^0-9A-Za-z!#$&+.^_`{|}~-]")


@dataclass(frozen=True, slots=True)
class Parameterized:
    """A parsed Content-Type or Content-Disposition; `subtype` is empty for the latter."""

    kind: bytes
    subtype: bytes
    params: Params

    @property
    def media(self) -> bytes:
        """`type/subtype` in lower case."""
        return self.kind.lower() + b"/" + self.subtype.lower()

    def param(self, name: bytes) -> bytes | None:
        """Return the value of a parameter (lower-case name), percent-decoded if it is RFC 2231."""
        for key, value in self.params:
            if key.lower() == name:
                return value
        for key, value in self.params:
            if key.lower() == name + b"*":
                return unquote_to_bytes(value.split(b"'", 2)[-1])
        return None


# rfc2045#5.2
DEFAULT_TYPE = Parameterized(b"text", b"plain", ())
# rfc2046#5.1.5
DIGEST_TYPE = Parameterized(b"message", b"rfc822", ())


def content_type(value: bytes) -> Parameterized:
    """Parse a Content-Type; one that is malformed is text/plain, as RFC 2045 section 5.2 says."""
    value = value[:VALUE_LIMIT]
    match = _TYPE.match(value)
    if match is None and b"(" in value:
        value = without_comments(value)
        match = _TYPE.match(value)
    if match is None:
        return DEFAULT_TYPE
    return Parameterized(match[1], match[2], parameters(value, match.end()))


def disposition(value: bytes) -> Parameterized:
    """Parse a Content-Disposition (RFC 2183); `kind` is empty if it does not start with a token."""
    value = value[:VALUE_LIMIT]
    match = _FIRST.match(value)
    kind, end = (match[1], match.end()) if match else (b"", 0)
    return Parameterized(kind, b"", parameters(value, end))


def without_comments(value: bytes) -> bytes:
    """Return a structured value with a space for each comment (RFC 5322 section 3.2.2)."""
    if b"(" not in value:
        return value
    out: list[bytes] = []
    depth = 0
    for match in _COMMENTED.finditer(value):
        piece = match[0]
        if piece == b"(":
            depth += 1
        elif piece == b")" and depth:
            depth -= 1
            piece = b" "
        if not depth:
            out.append(piece)
    return b"".join(out)


def parameters(value: bytes, start: int) -> Params:
    """Return the parameters behind the `;` signs of `value` from `start`, at most the limit."""
    found: list[tuple[bytes, bytes]] = []
    divided = False
    for match in _PARAM.finditer(value, start):
        name, quoted, bare = match.groups()
        if quoted is not None:
            text = _ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        else:
            text = _without_comment(name, bare.strip())
        divided = divided or b"*" in name
        found.append((name, text))
        if len(found) == PARAMETER_LIMIT:
            break
    return tuple(_joined(found) if divided else found)


def _without_comment(name: bytes, text: bytes) -> bytes:
    # Real file names have brackets and spaces and should be quoted, but often are not.
    if text.endswith(b")") and not name.lower().startswith((b"name", b"filename")):
        return text[: text.find(b"(")].rstrip()
    return text


def _joined(found: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Join continued parameters; a joined one with an encoded piece stays encoded, as `name*`."""
    # rfc2231#3 and rfc2231#4.1
    pieces: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    for name, text in found:
        match = _SECTION.match(name)
        if match and match[2] is not None:
            sections = pieces.setdefault(match[1].lower(), {})
            sections.setdefault(int(match[2]), (text, bool(match[3])))
    out: list[tuple[bytes, bytes]] = []
    done: set[bytes] = set()
    for name, text in found:
        match = _SECTION.match(name)
        base = match[1] if match and match[2] is not None else None
        if base is None or 0 not in pieces[base.lower()]:
            out.append((name, text))
        elif base.lower() not in done:
            done.add(base.lower())
            out.append(_join(base, pieces[base.lower()]))
    return out


def _join(base: bytes, sections: dict[int, tuple[bytes, bool]]) -> tuple[bytes, bytes]:
    run: list[tuple[bytes, bool]] = []
    while len(run) in sections:
        run.append(sections[len(run)])
    if not any(encoded for _, encoded in run):
        return base, b"".join(text for text, _ in run)
    head = b"" if run[0][1] else b"''"
    parts = [
        text if encoded else _UNSAFE.sub(lambda match: b"%%%02X" % match[0][0], text)
        for text, encoded in run
    ]
    return base + b"*", head + b"".join(parts)
