"""Content lines and components: from octets to a tree and back (RFC 5545 section 3.1).

A library of ours because of speed and bounds: an event with its time zone is read in some 80
microseconds, values are looked at only when somebody asks, and what is not understood comes out
of the tree as it went in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from folkmoot.storage.content.ical.errors import CalendarError, invalid

FOLD = 75
"""Octets of a line before it is folded."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one calendar object may have, at most. Times are seconds since 1970 UTC."""

    octets: int = 1 << 20
    depth: int = 10
    components: int = 10_000
    properties: int = 100_000
    line: int = 1 << 20
    attendees: int = 1_000
    dates: int = 10_000
    rules: int = 10
    steps: int = 20_000
    earliest: int = -(2**62)
    latest: int = 2**62


HARD_LIMITS = Limits(octets=10 << 20, line=10 << 20)
"""For data that is in the store already, and the most that a server can be set to."""

Params = tuple[tuple[str, tuple[str, ...]], ...]


class Property(NamedTuple):
    """One content line. Names are in upper case; ``value`` is as on the wire (escaped)."""

    name: str
    params: Params
    value: str

    def param(self, name: str) -> str:
        """Return the first value of a parameter, or "" where there is none."""
        for key, values in self.params:
            if key == name:
                return values[0] if values else ""
        return ""

    def with_param(self, name: str, value: str | None) -> Property:
        """Return the property with a parameter set, or without it (None)."""
        rest = tuple(pair for pair in self.params if pair[0] != name)
        added: Params = () if value is None else ((name, (value,)),)
        return self._replace(params=rest + added)


class Component(NamedTuple):
    """A component with what is in it, in order. ``name`` is in upper case."""

    name: str
    properties: tuple[Property, ...]
    components: tuple[Component, ...]

    def first(self, name: str) -> Property | None:
        """Return the first property of a name."""
        for each in self.properties:
            if each.name == name:
                return each
        return None

    def all(self, name: str) -> list[Property]:
        """Return all properties of a name."""
        return [each for each in self.properties if each.name == name]

    def value(self, name: str) -> str:
        """Return the raw value of the first property of a name, without outer spaces; or ""."""
        found = self.first(name)
        return found.value.strip() if found is not None else ""

    def without(self, *names: str) -> Component:
        """Return the component without the properties of these names."""
        return self._replace(properties=tuple(p for p in self.properties if p.name not in names))

    def plus(self, *added: Property) -> Component:
        """Return the component with properties at the end."""
        return self._replace(properties=self.properties + added)


# --- reading ---------------------------------------------------------------------------------

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_QUOTED_HEAD = re.compile(r'((?:[^":]++|"[^"]*+")*+):')
_PARAM = re.compile(r'(?:\A|;)((?:[^";]++|"[^"]*+"|")*+)')
_ITEM = re.compile(r'(?:\A|,)((?:[^",]++|"[^"]*+"|")*+)')
_CARET = re.compile(r"\^([n^'])")
_CARETS = {"n": "\n", "^": "^", "'": '"'}


def parse(octets: bytes, limits: Limits) -> Component:
    """Return the one component that the octets are.

    Bare LF and CR, a byte order mark and text in Windows-1252 are taken as what they mean.
    Raises `CalendarError`: "max-resource-size", "valid-calendar-data".
    """
    if len(octets) > limits.octets:
        raise CalendarError("max-resource-size", "The calendar object is too large.")
    stack: list[tuple[str, list[Property], list[Component]]] = []
    whole: Component | None = None
    components = properties = 0
    for line in _lines(octets, limits):
        prop = _property(line)
        if prop is None:
            continue
        if whole is not None:
            raise invalid("There is data behind the end of the calendar.")
        if prop.name == "BEGIN":
            components += 1
            if components > limits.components or len(stack) >= limits.depth:
                raise invalid("There are too many components, or they are nested too deeply.")
            stack.append((prop.value.strip().upper(), [], []))
        elif not stack:
            raise invalid("The data does not begin with BEGIN:VCALENDAR.")
        elif prop.name == "END":
            name, inside, children = stack.pop()
            if prop.value.strip().upper() != name:
                raise invalid("A component ends that is not the one that began.")
            done = Component(name, tuple(inside), tuple(children))
            if stack:
                stack[-1][2].append(done)
            else:
                whole = done
        else:
            properties += 1
            stack[-1][1].append(prop)
    if whole is None:
        raise invalid("The data ends before the calendar does.")
    if properties > limits.properties:
        raise invalid("There are too many properties.")
    return whole


def _lines(octets: bytes, limits: Limits) -> Iterator[str]:
    if octets.startswith(b"\xef\xbb\xbf"):
        octets = octets[3:]
    if b"\0" in octets:
        raise invalid("There are NUL octets in the data.")
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # rfc5545#3.1: a fold may lie within a character, so octets are unfolded, not text.
    octets = octets.replace(b"\n ", b"").replace(b"\n\t", b"")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")
    for line in text.split("\n"):
        if len(line) > limits.line:
            raise invalid("A line is too long.")
        if line:
            yield line


def _property(line: str) -> Property | None:
    """Return the property of a line; None for a line that says nothing."""
    head, colon, value = line.partition(":")
    if '"' in head and (found := _QUOTED_HEAD.match(line)):
        head, value = found[1], line[found.end() :]
    read = _head if len(head) <= _REMEMBERED else _read_head
    parsed = read(head) if colon else None
    if parsed is None:
        if not line.strip() or line[:2] in ("X-", "x-"):
            return None
        raise invalid("A line is not of the form NAME:value.")
    return Property(parsed[0], parsed[1], value)


# Longer ones are seldom the same again, and would fill the memory.
_REMEMBERED = 300


@lru_cache(maxsize=4096)
def _head(head: str) -> tuple[str, Params] | None:
    return _read_head(head)


def _read_head(head: str) -> tuple[str, Params] | None:
    name, semicolon, rest = head.partition(";")
    name = name.strip()
    if not _NAME.fullmatch(name):
        return None
    return name.upper(), _params(rest) if semicolon else ()


def _params(text: str) -> Params:
    pieces = _PARAM.findall(text) if '"' in text else text.split(";")
    found = []
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name = name.strip().upper()
        # rfc5545#3.1: what is no name, with a quote in it maybe, would be read otherwise when it
        # is written
        if not equals or not _NAME.fullmatch(name):
            continue
        values = _ITEM.findall(value) if '"' in value else value.split(",")
        found.append((name, tuple(_unquoted(each) for each in values)))
    return tuple(found)


def _unquoted(value: str) -> str:
    if '"' in value:
        value = value.replace('"', "")
    # rfc6868#3
    return _CARET.sub(lambda found: _CARETS[found[1]], value) if "^" in value else value


# --- writing ---------------------------------------------------------------------------------

_NEEDS_QUOTES = re.compile(r"[:;,]")
_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127))


def serialize(component: Component) -> bytes:
    """Return the octets of a component: CRLF, folded at 75 octets, no control characters."""
    # rfc5545#3.1
    lines: list[bytes] = []
    _write(component, lines)
    return b"".join(lines)


def _write(component: Component, lines: list[bytes]) -> None:
    lines.append(_folded(f"BEGIN:{component.name}"))
    for prop in component.properties:
        head = prop.name
        for name, values in prop.params:
            head += f";{name}={','.join(_quoted(value) for value in values)}"
        lines.append(_folded(f"{head}:{prop.value}"))
    for child in component.components:
        _write(child, lines)
    lines.append(_folded(f"END:{component.name}"))


def _quoted(value: str) -> str:
    # rfc6868#3
    if "^" in value or '"' in value or "\n" in value:
        value = value.replace("^", "^^").replace('"', "^'").replace("\n", "^n")
    return f'"{value}"' if _NEEDS_QUOTES.search(value) else value


def _folded(line: str) -> bytes:
    if not line.isprintable():
        line = line.translate(_CONTROLS)
    octets = line.encode("utf-8", "replace")
    if len(octets) <= FOLD:
        return octets + b"\r\n"
    pieces = []
    at, room = 0, FOLD
    while len(octets) - at > room:
        end = at + room
        # rfc5545#3.1 allows to fold within a character; many readers do not.
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[at:end])
        at, room = end, FOLD - 1
    pieces.append(octets[at:])
    return b"\r\n ".join(pieces) + b"\r\n"
