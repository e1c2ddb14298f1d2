"""Mailboxes and groups out of the value of an address header field.

Mail in the wild breaks the grammar of RFC 5322 section 3.4 in every way, so nothing here fails:
each value gives the addresses that can be made out of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

ADDRESS_LIMIT = 1000
"""The most addresses taken from one field: they become some 50 octets each in an ENVELOPE."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address, or one of the two markers of a group (RFC 9051 section 7.5.2).

    `name` is the display name (or else a comment) with its quotes removed and encoded-words as
    they came, `route` the obsolete source route (`@a,@b`). `local` and `domain` are the two
    sides of the address, empty where the field left them out. A group starts with a marker
    whose `domain` is None and `local` is the group's name, and ends with one where both are None.
    """

    name: bytes | None
    route: bytes | None
    local: bytes | None
    domain: bytes | None


GROUP_END = Mailbox(None, None, None, None)

# One mailbox in the shape nearly all have; anything else goes to the tokens below.
_SIMPLE = re.compile(
    rb"""[ \t]*(?:
        (?:"([^"\\]*)"|([^"\\(),:;<>@\[\]\r\n]*))[ \t]*
        <([^\s"\\(),:;<>@\[\]]+)@([^\s"\\(),:;<>@\[\]]+)>
      | ([^\s"\\(),:;<>@\[\]]+)@([^\s"\\(),:;<>@\[\]]+)
    )[ \t]*(?:,|\Z)""",
    re.VERBOSE,
)

_QUOTED = rb"""(?P<quoted>"(?:[^"\\]|\\.)*+") |"""
_UNQUOTED = rb"""
        (?P<space>[ \t\r\n]+)
      | (?P<special>[(<>@,;:])
      | (?P<literal>\[[^\]]*\]?)
      | (?P<stray>")
      | (?P<atom>[^\s"(<>@,;:\[]+|.)"""
_TOKEN = re.compile(_QUOTED + _UNQUOTED, re.VERBOSE | re.DOTALL)
# Behind a quote that never closes: looking for the end of each further one would take forever.
_TOKEN_UNQUOTED = re.compile(_UNQUOTED, re.VERBOSE | re.DOTALL)
_ROUTE = re.compile(rb"\s*(@[^:<>\"]*):")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)


class _Kind(Enum):
    WORD = 1
    AT = 2


_Piece = tuple[_Kind, bytes, bool]
"""Kind, text without quoting, whether white space came before."""


def addresses(value: bytes, limit: int = ADDRESS_LIMIT) -> list[Mailbox]:
    """Return the mailboxes and group markers of an unfolded field value, at most `limit`.

    Reads RFC 5322 section 3.4 with its obsolete forms, and what is common though wrong: lists
    parted by semicolons, a bare `@` in display names, missing `>` and quotes.
    """
    found: list[Mailbox] = []
    position = 0
    end = len(value)
    while position < end and len(found) < limit:
        match = _SIMPLE.match(value, position)
        if match is None:
            break
        quoted, words, local, domain, bare_local, bare_domain = match.groups()
        if bare_local is not None:
            found.append(Mailbox(None, None, bare_local, bare_domain))
        else:
            name = quoted.strip() if quoted is not None else b" ".join(words.split())
            found.append(Mailbox(name or None, None, local, domain))
        position = match.end()
    if position < end and len(found) < limit:
        found += _Reader(value, position, limit - len(found)).read()
    return found


class _Reader:
    """Reads what is not of the simple shape, token by token."""

    def __init__(self, value: bytes, position: int, limit: int) -> None:
        self.value = value
        self.position = position
        self.limit = limit
        self.found: list[Mailbox] = []
        self.in_group = False
        self._reset()

    def _reset(self) -> None:
        self.outside: list[_Piece] = []
        self.angle: list[_Piece] | None = None
        self.angle_closed = False
        self.route: bytes | None = None
        self.comment: bytes | None = None

    def read(self) -> list[Mailbox]:
        spaced = False
        tokens = _TOKEN
        while self.position < len(self.value) and len(self.found) < self.limit:
            match = tokens.match(self.value, self.position)
            assert match is not None
            self.position = match.end()
            kind, text = match.lastgroup, match[0]
            if kind == "special":
                self._special(text, spaced)
            elif kind == "stray":
                tokens = _TOKEN_UNQUOTED
                continue
            elif kind != "space":
                if kind == "quoted":
                    text = _ESCAPE.sub(rb"\1", text[1:-1])
                self._add(_Kind.WORD, text, spaced)
            spaced = kind == "space"
        self._finish()
        if self.in_group:
            self.found.append(GROUP_END)
        return self.found

    def _special(self, text: bytes, spaced: bool) -> None:
        in_angle = self.angle is not None and not self.angle_closed
        if text == b"(":
            self.comment = self._read_comment() or self.comment
        elif text == b"<":
            if self.angle is None:
                self.angle = []
                self._read_route()
        elif text == b">":
            self.angle_closed = self.angle is not None
        elif text == b"@":
            self._add(_Kind.AT, text, spaced)
        elif text == b":":
            if in_angle or self.in_group:
                self._add(_Kind.WORD, text, spaced)
            else:
                self._start_group()
        else:
            self._finish()
            if text == b";" and self.in_group:
                self.in_group = False
                self.found.append(GROUP_END)

    def _add(self, kind: _Kind, text: bytes, spaced: bool) -> None:
        if self.angle is None:
            self.outside.append((kind, text, spaced))
        elif not self.angle_closed:
            self.angle.append((kind, text, spaced))

    def _read_comment(self) -> bytes:
        """Read on behind `(`; return the text of the comment (RFC 5322 section 3.2.2)."""
        depth = 1
        at = start = self.position
        while at < len(self.value) and depth:
            octet = self.value[at]
            if octet == 0x5C:
                at += 1
            elif octet == 0x28:
                depth += 1
            elif octet == 0x29:
                depth -= 1
            at += 1
        self.position = min(at, len(self.value))
        text = self.value[start : self.position - (depth == 0)]
        return _ESCAPE.sub(rb"\1", text).strip()

    def _read_route(self) -> None:
        # rfc5322#4.4: obs-route
        match = _ROUTE.match(self.value, self.position)
        if match is not None:
            self.route = b"".join(match.group(1).split())
            self.position = match.end()

    def _start_group(self) -> None:
        # rfc5322#3.4: group
        self.found.append(Mailbox(None, None, _joined(self.outside), None))
        self.in_group = True
        self._reset()

    def _finish(self) -> None:
        """Close the mailbox read so far, if there is one."""
        if self.angle is not None:
            local, domain = _spec(self.angle)
            name: bytes | None = _joined(self.outside)
            self.found.append(Mailbox(name or self.comment, self.route, local, domain))
        elif self.outside:
            words = self.outside
            split = _phrase_length(words)
            local, domain = _spec(words[split : _spec_end(words, split)])
            name = _joined(words[:split])
            self.found.append(Mailbox(name or self.comment, None, local, domain))
        self._reset()


def _joined(pieces: list[_Piece]) -> bytes:
    return b"".join(b" " + text if spaced else text for _, text, spaced in pieces).strip()


def _spec(pieces: list[_Piece]) -> tuple[bytes, bytes]:
    """Part an address at its first `@`; white space has no meaning there."""
    for at, (kind, _, _) in enumerate(pieces):
        if kind is _Kind.AT:
            return _closed(pieces[:at]), _closed(pieces[at + 1 :])
    return _closed(pieces), b""


def _closed(pieces: list[_Piece]) -> bytes:
    return b"".join(text for _, text, _ in pieces)


def _phrase_length(pieces: list[_Piece]) -> int:
    """Count the pieces that are words of a name before an address without `<` and `>`."""
    kinds = [kind for kind, _, _ in pieces]
    if _Kind.AT not in kinds:
        # One word is an address that lacks its domain, more are a name that lacks its address.
        return 0 if len(pieces) == 1 else len(pieces)
    first = kinds.index(_Kind.AT) - 1
    # rfc5322#4.4: obs-local-part has spaces around its dots
    while first > 0 and (
        not pieces[first][2]
        or pieces[first][1].startswith(b".")
        or pieces[first - 1][1].endswith(b".")
    ):
        first -= 1
    return max(first, 0)


def _spec_end(pieces: list[_Piece], start: int) -> int:
    """Return where an address ends that is not in `<` and `>`: before a word set off by space."""
    kinds = [kind for kind, _, _ in pieces]
    if _Kind.AT not in kinds[start:]:
        return len(pieces)
    at = kinds.index(_Kind.AT, start) + 2
    # rfc5322#4.4: obs-domain has spaces around its dots
    while at < len(pieces) and (
        not pieces[at][2]
        or pieces[at][1].startswith(b".")
        or pieces[at - 1][1].endswith(b".")
        or pieces[at][0] is _Kind.AT
        or pieces[at - 1][0] is _Kind.AT
    ):
        at += 1
    return at
