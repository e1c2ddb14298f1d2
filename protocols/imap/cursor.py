"""Parsing primitives over one complete command (RFC 9051 section 9).

Every method reads at the cursor and moves it, or raises :class:`BadSyntax`. Messages are fixed
texts that never quote the client's input, so they are safe to print on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, TypeVar
from typing import Literal as Either

from folkmoot.protocols.imap import dates, mutf7
from folkmoot.protocols.imap.frames import Command, Literal, MemorySink, Segment
from folkmoot.protocols.imap.sequence import SequenceSet

T = TypeVar("T")

MAX_DEPTH: Final = 50  # open parentheses and nested search keys
MAX_LIST: Final = 1000  # members of one list, unless the caller says otherwise
MAX_MAILBOX: Final = 4096  # octets of a mailbox name as sent
MAX_FLAGS: Final = 128
MAX_FLAG: Final = 255  # octets of a flag
MAX_NUMBER: Final = 0xFFFF_FFFF
MAX_NUMBER64: Final = 0x7FFF_FFFF_FFFF_FFFF

#: RFC 9051 section 2.3.2, in the spelling that the server prints.
SYSTEM_FLAGS: Final = {
    flag.lower(): flag for flag in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
}


class BadSyntax(Exception):
    """The command cannot be parsed; the reply is ``tag {status} [{code}] {text}``."""

    def __init__(
        self, text: str, *, status: Either["BAD", "NO"] = "BAD", code: str | None = None
    ) -> None:
        super().__init__(text)
        self.text = text
        self.status: Either["BAD", "NO"] = status
        self.code = code


# Possessive quantifiers: a match is found or refused in one pass whatever the client sends.
_ATOM: Final = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]++")
_ASTRING: Final = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]++")
_TAG: Final = re.compile(rb"[!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]{1,64}+")
_MAILBOX: Final = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~\x80-\xff]++")
_PATTERN: Final = re.compile(rb"[!#$%&'*+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~\x80-\xff]++")
_QUOTED: Final = re.compile(rb'"((?:[^"\\\r\n\x00]++|\\["\\])*+)"')
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_FLAG: Final = re.compile(rb"\\?[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]++")
_NUMBER: Final = re.compile(rb"[0-9]{1,20}+(?![0-9])")
_SEQUENCE: Final = re.compile(rb"[0-9*][0-9*:,]*+|\$")
_DATE: Final = re.compile(rb'"?([0-9]{1,2}-[A-Za-z]{3}-[0-9]{4})"?')
_DATE_TIME: Final = re.compile(rb'"([^"]{1,40})"')
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # rfc9051#5.1
_SPACE: Final = re.compile(rb" ++")


class Cursor:
    """A position in one command.

    `utf8` is true when the session speaks UTF-8 names (UTF8=ACCEPT or IMAP4rev2 enabled).
    """

    __slots__ = ("_depth", "_index", "_pos", "_segments", "_text", "utf8")

    def __init__(self, segments: Sequence[Segment] | Command, *, utf8: bool = False) -> None:
        self._segments = segments.segments if isinstance(segments, Command) else segments
        self.utf8 = utf8
        self._index = 0
        self._pos = 0
        self._depth = 0
        self._text = self._text_at(0)

    def _text_at(self, index: int) -> bytes:
        segment = self._segments[index] if index < len(self._segments) else b""
        assert isinstance(segment, bytes), "text stands first, last and between literals"
        return segment

    # Position.

    def peek(self) -> bytes:
        """The next octet, ``{`` before a literal, empty at the end. Does not move."""
        if self._pos < len(self._text):
            return self._text[self._pos : self._pos + 1]
        return b"{" if self._index + 1 < len(self._segments) else b""

    def accept(self, token: bytes) -> bool:
        """Move over `token` if it comes next (exact case)."""
        if self._text.startswith(token, self._pos):
            self._pos += len(token)
            return True
        return False

    def expect(self, token: bytes) -> None:
        """Move over `token` (US-ASCII) or raise BadSyntax."""
        if not self.accept(token):
            raise BadSyntax(f"Expected {token.decode('ascii')}")

    def space(self) -> None:
        """Move over one space; more than one is taken as one."""
        if not self.skip_space():
            raise BadSyntax("Expected space")

    def skip_space(self) -> bool:
        """Move over spaces if there are any."""
        match = _SPACE.match(self._text, self._pos)
        if match is None:
            return False
        self._pos = match.end()
        return True

    def more(self) -> bool:
        """Whether another argument follows: moves over the space before it. False at the end."""
        spaced = self.skip_space()
        return spaced and self.peek() != b""

    def end(self) -> None:
        """The command ends here; spaces before its end do no harm."""
        self.skip_space()
        if self.peek():
            raise BadSyntax("Unexpected data after the arguments")

    def enter(self) -> None:
        """Go one level deeper; :meth:`leave` comes back. BadSyntax below MAX_DEPTH levels."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadSyntax("Nested too deeply")

    def leave(self) -> None:
        """Come back from :meth:`enter`."""
        self._depth -= 1

    # Words.

    def match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        """Move over `pattern`, or raise BadSyntax ``Expected {what}``.

        For grammar modules; the pattern must not backtrack without bound.
        """
        match = pattern.match(self._text, self._pos)
        if match is None:
            raise BadSyntax(f"Expected {what}")
        self._pos = match.end()
        return match

    def tag(self) -> bytes:
        """The tag of the command."""
        return self.match(_TAG, "tag")[0]

    def atom(self) -> bytes:
        """An atom, as sent."""
        return self.match(_ATOM, "atom")[0]

    def keyword(self) -> str:
        """An atom in upper case: the name of a command, an option, an extension."""
        return self.match(_ATOM, "keyword")[0].decode("ascii").upper()

    def accept_keyword(self, word: str) -> bool:
        """Move over `word` (upper case) if it comes next as a whole atom, in any case."""
        match = _ATOM.match(self._text, self._pos)
        if match is None or match[0].upper() != word.encode("ascii"):
            return False
        self._pos = match.end()
        return True

    def number(self, minimum: int = 0, maximum: int = MAX_NUMBER) -> int:
        """A decimal number from `minimum` to `maximum`."""
        value = int(self.match(_NUMBER, "number")[0])
        if not minimum <= value <= maximum:
            raise BadSyntax("Number out of range")
        return value

    def nz_number(self) -> int:
        """A number of 32 bits that is not zero."""
        return self.number(1)

    def number64(self) -> int:
        """A number of 63 bits."""
        return self.number(0, MAX_NUMBER64)

    # Strings.

    def quoted(self) -> bytes:
        """A quoted string without its quotes; octets above 127 are passed through."""
        value = self.match(_QUOTED, "quoted string")[1]
        return _ESCAPE.sub(rb"\1", value) if b"\\" in value else value

    def literal(self) -> Literal:
        """A literal with its sink, wherever its octets went (message data)."""
        if self._pos == len(self._text) and self._index + 1 < len(self._segments):
            literal = self._segments[self._index + 1]
            assert isinstance(literal, Literal), "literals stand between texts"
            self._index += 2
            self._text = self._text_at(self._index)
            self._pos = 0
            return literal
        raise BadSyntax("Expected literal")

    def literal_bytes(self) -> bytes:
        """A literal that is a string: in memory, without NUL, not literal8."""
        literal = self.literal()
        if not isinstance(literal.sink, MemorySink) or literal.binary:
            raise BadSyntax("Literal not allowed here")
        value = literal.sink.value
        if b"\0" in value:  # rfc9051#9: literal holds CHAR8, 1 to 255
            raise BadSyntax("NUL in string")
        return value

    def string(self) -> bytes:
        """A quoted string or literal."""
        return self.literal_bytes() if self.peek() == b"{" else self.quoted()

    def nstring(self) -> bytes | None:
        """A string, or None for NIL."""
        return None if self.nil() else self.string()

    def nil(self) -> bool:
        """Move over ``NIL`` if it comes next, in any case."""
        return self.accept_keyword("NIL")

    def astring(self) -> bytes:
        """An atom (in which ``]`` is allowed), quoted string or literal."""
        return self._atom_or_string(_ASTRING)

    def _atom_or_string(self, pattern: re.Pattern[bytes]) -> bytes:
        match = pattern.match(self._text, self._pos)
        if match is None:
            if self.peek() not in (b'"', b"{"):
                raise BadSyntax("Expected string")
            return self.string()
        self._pos = match.end()
        return match[0]

    # Mailboxes.

    def mailbox(self) -> str:
        """A mailbox name; ``INBOX`` is spelled so whatever case was sent."""
        name = self._name(self._atom_or_string(_MAILBOX))
        if not name:
            raise BadSyntax("Empty mailbox name")
        return "INBOX" if name.upper() == "INBOX" else name  # rfc9051#5.1

    def list_mailbox(self) -> str:
        """A pattern for LIST, with its wildcards ``*`` and ``%``; may be empty."""
        return self._name(self._atom_or_string(_PATTERN))

    def reference(self) -> str:
        """The reference name of LIST; may be empty."""
        return self._name(self._atom_or_string(_MAILBOX))

    def _name(self, data: bytes) -> str:
        if len(data) > MAX_MAILBOX:
            raise BadSyntax("Mailbox name too long")
        try:
            # Octets above 127 are never mUTF-7: clients that send them mean UTF-8, with or
            # without asking for it.
            plain = self.utf8 or not data.isascii()
            name = data.decode("utf-8") if plain else mutf7.decode(data)
        except ValueError:
            raise BadSyntax("Mailbox name is not valid UTF-7 or UTF-8") from None
        if _CONTROL.search(name):
            raise BadSyntax("Control character in mailbox name", status="NO", code="CANNOT")
        return name

    # Flags, dates, sets.

    def flag(self) -> str:
        """A flag that a client may set: a system flag in the server's spelling, or a keyword."""
        raw = self.match(_FLAG, "flag")[0]
        if len(raw) > MAX_FLAG:
            raise BadSyntax("Flag too long")
        text = raw.decode("ascii")
        if text[0] != "\\":
            return text
        system = SYSTEM_FLAGS.get(text.lower())
        if system is None:  # \Recent too: rfc3501#2.3.2
            raise BadSyntax("Flag cannot be set by a client")
        return system

    def flag_list(self) -> tuple[str, ...]:
        """A list of flags in parentheses, without repeats."""
        return unique_flags(self.list_of(self.flag, empty=True, limit=MAX_FLAGS))

    def date(self) -> date:
        """A date, with or without quotes."""
        try:
            return dates.parse_date(self.match(_DATE, "date")[1])
        except ValueError:
            raise BadSyntax("Invalid date") from None

    def date_time(self) -> datetime:
        """A quoted date and time, as an aware datetime."""
        try:
            return dates.parse_date_time(self.match(_DATE_TIME, "date and time")[1])
        except ValueError:
            raise BadSyntax("Invalid date and time") from None

    def sequence_set(self) -> SequenceSet:
        """A set of message numbers or UIDs, or ``$``."""
        raw = self.match(_SEQUENCE, "sequence set")[0]
        try:
            return SequenceSet.parse(raw)
        except ValueError as error:
            raise BadSyntax(str(error)) from None  # texts of that module, nothing of the client's

    # Lists.

    def list_of(
        self, parse: Callable[[], T], *, empty: bool = False, limit: int = MAX_LIST
    ) -> list[T]:
        """Members in parentheses, each read by `parse`, separated by spaces.

        An empty list is refused unless `empty`; so are more than `limit` members.
        """
        self.expect(b"(")
        self.enter()
        members: list[T] = []
        self.skip_space()
        if not (empty and self.peek() == b")"):
            members.append(parse())
            while self.skip_space() and self.peek() != b")":
                if len(members) >= limit:
                    raise BadSyntax("List too long")
                members.append(parse())
        self.expect(b")")
        self.leave()
        return members


def unique_flags(flags: Sequence[str]) -> tuple[str, ...]:
    """`flags` without repeats; flags compare without regard to case (RFC 9051 section 2.3.2)."""
    unique: dict[str, str] = {}
    for flag in flags:
        unique.setdefault(flag.lower(), flag)
    return tuple(unique.values())
