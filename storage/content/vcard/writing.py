"""Lines of a vCard, to be changed and written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from folkmoot.storage.content.vcard.reading import Property, data_of
from folkmoot.storage.content.vcard.renaming import SPELLING

_FOLD = 75
_NEEDS_QUOTES = re.compile("[:;,]")
_CIRCUMFLEXES = {"\r\n": "^n", "\n": "^n", "\r": "^n", "^": "^^", '"': "^'"}
_NEEDS_CIRCUMFLEX = re.compile('\r\n|[\n\r^"]')


@dataclass(slots=True, eq=False)
class Line:
    """A property that may be changed: names in upper case, the value with its backslashes.

    `spelling` is the name as it was written; it is used as long as the name stays the same. Two
    lines are never equal, whatever they say.
    """

    name: str
    value: str
    params: dict[str, tuple[str, ...]] = field(default_factory=dict)
    group: str = ""
    spelling: str = ""

    def types(self) -> frozenset[str]:
        """Return the values of TYPE in lower case."""
        return frozenset([each.lower() for each in self.params.get("TYPE", ())])

    def only(self, *names: str) -> dict[str, tuple[str, ...]]:
        """Return those of the parameters that are named."""
        return {name: self.params[name] for name in names if name in self.params}

    def drop(self, *names: str) -> None:
        """Take parameters away."""
        for name in names:
            self.params.pop(name, None)

    def set_types(self, types: Iterable[str]) -> None:
        """Set TYPE, or take it away if there are none."""
        values = tuple(types)
        self.drop("TYPE")
        if values:
            self.params["TYPE"] = values


def line_of(found: Property) -> Line:
    """Return a property as a line, data included, and without what vCard 2.1 left in it."""
    value = data_of(found) if found.binary else found.value
    line = Line(found.name, value, dict(found.params), found.group, found.spelling())
    line.drop("CHARSET")
    if not found.binary:
        line.drop("ENCODING")
    return line


def written(version: str, lines: Iterable[Line]) -> bytes:
    """Return a card of these lines. # rfc6350#3.1, rfc2426#2"""
    out = [b"BEGIN:VCARD\r\nVERSION:", version.encode(), b"\r\n"]
    for line in lines:
        same = line.spelling.upper() == line.name
        name = line.spelling if same else SPELLING.get(line.name, line.name)
        out.append(folded(head(line.group, name, line.params) + line.value))
    out.append(b"END:VCARD\r\n")
    return b"".join(out)


def head(group: str, name: str, params: dict[str, tuple[str, ...]]) -> str:
    """Return a property up to its colon, parameters as RFC 6868 writes them."""
    pieces = [f"{group}.{name}" if group else name]
    pieces += [f"{each}={','.join(map(_param, values))}" for each, values in params.items()]
    return ";".join(pieces) + ":"


def folded(line: str) -> bytes:
    """Return a line of at most 75 octets each, with its line end; characters stay whole."""
    octets = line.encode()
    if len(octets) <= _FOLD:
        return octets + b"\r\n"
    # rfc6350#3.2: the blank of a following line counts
    pieces = []
    start, room = 0, _FOLD
    while start < len(octets):
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[start:end])
        start, room = end, _FOLD - 1
    return b"\r\n ".join(pieces) + b"\r\n"


def _param(value: str) -> str:
    # rfc6868#3.1
    value = _NEEDS_CIRCUMFLEX.sub(lambda match: _CIRCUMFLEXES[match[0]], value)
    return f'"{value}"' if _NEEDS_QUOTES.search(value) else value
