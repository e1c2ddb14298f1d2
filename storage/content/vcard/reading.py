"""The properties of a vCard, out of its octets.

Data of photos, sounds and keys are not unfolded, let alone decoded: a card with a photo costs
little more than the search for the end of its line.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from folkmoot.storage.content.charsets import decode
from folkmoot.storage.content.vcard.escaping import unescape

PROPERTY_LIMIT = 10_000
"""Properties of a card: a group has one for each member."""

PARAM_LIMIT = 100
"""Parameters of a property; three are many."""


class Malformed(ValueError):
    """These octets are not a vCard; the text says why, and holds nothing of them."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property.

    `group` is as written and may be empty; `name` is in upper case. `params` has each parameter
    once, its name in upper case, its values unquoted (RFC 6868). `value` is unfolded text with its
    backslashes, and empty if the value is binary (`data_of` has it then). `raw` are the octets of
    the line, folded as they came, without the last line end.
    """

    group: str
    name: str
    params: tuple[tuple[str, tuple[str, ...]], ...]
    value: str
    binary: bool
    raw: bytes

    def param(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter, given in upper case; none if it is not there."""
        for found, values in self.params:
            if found == name:
                return values
        return ()

    def spelling(self) -> str:
        """Return the name as it was written."""
        match = _NAME.match(_unfolded(self.raw[:_NAME_ROOM]))
        return match[1].decode() if match else self.name

    def text(self) -> str:
        """Return the value without backslashes; parts of structured values stay apart by `;`."""
        return unescape(self.value)


def properties_of(
    octets: bytes,
    *,
    only: frozenset[str] | None = None,
    property_limit: int = PROPERTY_LIMIT,
    param_limit: int = PARAM_LIMIT,
) -> Iterator[Property]:
    """Yield the properties of a vCard, BEGIN and END among them, or those whose names are wanted.

    Bare LF and CR as line ends, a byte order mark, empty lines and quoted-printable (left over
    from vCard 2.1) are understood. What is not UTF-8 is taken for Windows-1252. Raises
    `Malformed`.
    """
    octets = _normal(octets)
    position = count = 0
    size = len(octets)
    while position < size:
        end = _line_end(octets, position)
        line = octets[position:end]
        if not line or line.isspace():
            position = end + 1
            continue
        head, start = _head(line)
        if _QUOTED.search(head[0]):
            while end < size and octets[end - 2 : end].rstrip(b"\r").endswith(b"="):
                end = _line_end(octets, end + 1)
            line = octets[position:end]
        position = end + 1
        count += 1
        if count > property_limit:
            raise Malformed("The card has too many properties.")
        name = head[2].decode().upper()
        if only is None or name in only:
            yield _property(line, head, start, name, param_limit)


def data_of(found: Property) -> str:
    """Return the value of a binary property: base64 or a data URI, unfolded."""
    unfolded = _unfolded(found.raw)
    match = _HEAD.match(unfolded)
    assert match is not None
    return "".join(_text(unfolded[match.end() :]).split())


def as_text(octets: bytes) -> str:
    """Return a card that passed the intake as text, for an answer that cannot hold octets.

    Characters that folding cut in two are whole again.
    """
    try:
        return octets.decode()
    except UnicodeDecodeError:
        lines = _unfolded(octets).split(b"\n")
        return "\n".join([_text(line) for line in lines])


# What cannot be in the XML of an answer, either: one such card would break every report on the
# book. TAB, CR and LF are allowed.
_CONTROLS = bytes(sorted(set(range(32)) - {9, 10, 13}))
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_BARE_CR = re.compile(rb"\r(?!\n)")
_LINE_END = re.compile(rb"\n(?![ \t])")
_HEAD = re.compile(
    rb'(?:([A-Za-z0-9_-]{1,100})\.)?([A-Za-z0-9_-]{1,100})((?:;[^":;]*(?:"[^"]*"[^":;]*)*)*):'
)
_NAME = re.compile(rb"(?:[A-Za-z0-9_-]{1,100}\.)?([A-Za-z0-9_-]{1,100})")
_PARAM_NAME = re.compile("[A-Za-z0-9_-]+")
_NAME_ROOM = 1000  # octets in which group and name end, even if folded at each of them
_QUOTED = re.compile(rb"[;=]QUOTED-PRINTABLE\b", re.IGNORECASE)
_VALUES = re.compile(r'((?:"[^"]*"|[^",])*)(?:,|$)')
_CIRCUMFLEX = re.compile(r"\^([n^'])")
_CIRCUMFLEXES = {"n": "\n", "^": "^", "'": '"'}
_BASE64 = frozenset(("B", "BASE64"))
_MEDIA = frozenset(("KEY", "LOGO", "PHOTO", "SOUND"))  # rfc6350#6: they take data: URIs as they are
_BARE_ENCODINGS = frozenset(("B", "BASE64", "QUOTED-PRINTABLE", "8BIT", "7BIT"))


def _normal(octets: bytes) -> bytes:
    """Return octets whose lines end with LF or CRLF, and without anything that no card may have."""
    if octets.startswith(b"\xef\xbb\xbf"):
        octets = octets[3:]
    if _BARE_CR.search(octets):
        if b"\n" not in octets:
            octets = octets.replace(b"\r", b"\n")
        else:
            octets = re.sub(rb"\r+\n", b"\n", octets)
            if b"\r" in octets:
                raise Malformed("The card has control characters.")
    if len(octets.translate(None, _CONTROLS)) != len(octets):
        raise Malformed("The card has control characters.")
    if b"\xef" in octets and any(each in octets for each in _NONCHARACTERS):
        raise Malformed("The card has characters that are none.")
    return octets


def _line_end(octets: bytes, position: int) -> int:
    match = _LINE_END.search(octets, position)
    return len(octets) if match is None else match.start()


def _unfolded(line: bytes) -> bytes:
    # rfc6350#3.2
    if b"\n" not in line:
        return line
    if b"\r" in line:
        line = line.replace(b"\r\n", b"\n")
    return line.replace(b"\n ", b"").replace(b"\n\t", b"")


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return decode(octets, b"windows-1252")


def _head(line: bytes) -> tuple[re.Match[bytes], int]:
    """Return the match of group, name and parameters, and where the value starts in `line`.

    The place is -1 if it cannot be told because the head is folded.
    """
    match = _HEAD.match(line)
    if match is not None and b"\n" not in match[0]:
        return match, match.end()
    match = _HEAD.match(_unfolded(line))
    if match is None:
        raise Malformed("A line of the card is not a property.")
    return match, -1


def _property(
    line: bytes, head: re.Match[bytes], start: int, name: str, param_limit: int
) -> Property:
    if line.endswith(b"\r"):
        line = line[:-1]
    params = _params(head[3], param_limit) if head[3] else ()
    group = head[1].decode() if head[1] else ""
    encoding = ""
    # In a text, "Data: …" are words.
    may_be_data = name in _MEDIA or name.startswith("X-")
    for found, values in params:
        if found == "ENCODING":
            encoding = values[0].upper()
        elif found == "VALUE" and values[0].upper() == "BINARY":
            encoding = "B"
        elif found == "VALUE" and values[0].upper() == "URI":
            may_be_data = True
    if start < 0:
        line_value = _unfolded(line)[head.end() :]
    elif encoding in _BASE64 or (may_be_data and line[start : start + 5].lower() == b"data:"):
        return Property(group, name, params, "", True, line)
    else:
        line_value = _unfolded(line[start:])
    if encoding in _BASE64 or (may_be_data and line_value[:5].lower() == b"data:"):
        return Property(group, name, params, "", True, line)
    quoted = encoding == "QUOTED-PRINTABLE"
    value = _unquoted(line_value, params) if quoted else _text(line_value)
    return Property(group, name, params, value, False, line)


def _params(text: bytes, limit: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, tuple[str, ...]] = {}
    pieces = _pieces(_text(text))
    if len(pieces) > limit:
        raise Malformed("A property of the card has too many parameters.")
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name = name.strip().upper()
        if not equals:
            # vCard 2.1 has values without names: TEL;HOME;VOICE
            name, value = ("ENCODING" if name in _BARE_ENCODINGS else "TYPE"), name
        if not _PARAM_NAME.fullmatch(name):
            continue  # with a quote in it maybe, and read otherwise when it is written
        found[name] = found.get(name, ()) + _values(name, value)
    return tuple(found.items())


def _pieces(text: str) -> list[str]:
    if '"' not in text:
        return [each for each in text.split(";") if each]
    return [each for each in re.findall(r';((?:"[^"]*"|[^";])*)', text) if each]


def _values(name: str, text: str) -> tuple[str, ...]:
    if '"' in text:
        values = [each.replace('"', "") for each in _VALUES.findall(text)[:-1]]
        if name == "TYPE":
            # TYPE="home,work" is meant to be two types.
            values = ",".join(values).split(",")
    else:
        values = text.split(",")
    if "^" in text:
        # rfc6868#3.2
        values = [_CIRCUMFLEX.sub(lambda match: _CIRCUMFLEXES[match[1]], each) for each in values]
    return tuple([each.strip() for each in values])


_HARMLESS = {code: None for code in range(32) if code not in (9, 10)}


def _unquoted(octets: bytes, params: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Return a quoted-printable value as one of today: text, line ends as `\\n`."""
    charset = next((values[0] for name, values in params if name == "CHARSET"), "utf-8")
    plain = binascii.a2b_qp(octets)
    known = charset.encode("ascii", "replace")
    try:
        text = plain.decode() if charset.lower() == "utf-8" else decode(plain, known)
    except UnicodeDecodeError:
        text = decode(plain, b"windows-1252")
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_HARMLESS)
    return text.rstrip("\n").replace("\n", "\\n")
