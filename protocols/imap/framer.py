"""Cuts a stream of octets into IMAP commands, without a transport and without meaning.

The connection feeds what arrives and pulls one event at a time, when it is ready for the next
command; what lies behind it stays in the buffer (:attr:`Framer.pending`, by which the connection
pauses its transport). A literal is offered to `on_literal` before any of its octets is taken.

A command that cannot be taken (a line too long, a refused literal, a NUL) is swallowed whole,
with its non-synchronising literals, so that none of its octets is ever read as a command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from folkmoot.protocols.imap.frames import (
    AFTER_LOGIN,
    BEFORE_LOGIN,
    Close,
    Command,
    Continue,
    Decide,
    Event,
    Limits,
    Line,
    Literal,
    LiteralHeader,
    MemorySink,
    Refuse,
    Rejected,
    Segment,
    Sink,
    SinkFailed,
)

__all__ = [
    "AFTER_LOGIN",
    "BEFORE_LOGIN",
    "Close",
    "Command",
    "Continue",
    "Decide",
    "Event",
    "Framer",
    "Limits",
    "Line",
    "Literal",
    "LiteralHeader",
    "MemorySink",
    "Refuse",
    "Rejected",
    "Segment",
    "Sink",
    "SinkFailed",
    "default_decision",
]


class _Step(Enum):
    AGAIN = auto()


_AGAIN: Final = _Step.AGAIN
_Outcome = Event | _Step | None  # None: more octets are needed

LINE_TOO_LONG: Final = Refuse("Line too long", code="LIMIT")
_BAD_OCTET: Final = Refuse("NUL or bare CR in command")
_TOO_MANY: Final = Refuse("Too many literals", code="LIMIT")
_TOO_BIG: Final = Refuse("Literal too large", code="TOOBIG")
_FLOOD: Final = Close("Too much unusable data")

# rfc9051#9: tag = 1*<any ASTRING-CHAR except "+">
_TAG: Final = re.compile(rb"([!#$&',-\[\]-z|}~]{1,64})(?= |\Z)")
_HEADER: Final = re.compile(rb"\{([0-9]+)([+-]?)\}")
# Digits behind which a size is not worth computing.
_MAX_DIGITS: Final = 19
# Octets of a swallowed line that are kept, to see whether it ends in a literal header.
_TAIL: Final = 64


def default_decision(header: LiteralHeader) -> Sink | Refuse:
    """Take every literal into memory, as far as `Limits.max_memory` allows."""
    return MemorySink()


class Framer:
    """See the module's text. `limits` may be replaced at any time (after login)."""

    def __init__(self, limits: Limits = BEFORE_LOGIN, on_literal: Decide = default_decision):
        self.limits = limits
        self._on_literal = on_literal
        self._buffer = bytearray()
        self._scan = 0  # the buffer holds no LF before this
        self._closed = False
        self._segments: list[Segment] = []
        self._text_size = 0
        self._memory = 0
        self._literal: Literal | None = None
        self._left = 0  # octets of self._literal still to come
        self._rejected: Rejected | None = None  # the command is being swallowed
        self._skip = 0  # octets of a literal to swallow
        self._budget = 0  # octets that may still be swallowed
        self._tail = b""
        self._overlong = False  # a raw line is being swallowed

    @property
    def pending(self) -> int:
        """Octets that were fed and not yet taken out by an event."""
        return len(self._buffer)

    @property
    def closed(self) -> bool:
        """Whether a :class:`Close` event was given; everything fed later is dropped."""
        return self._closed

    def feed(self, data: bytes) -> None:
        """Add octets as they arrived, cut anywhere."""
        if not self._closed:
            self._buffer += data

    def next_event(self) -> Event | None:
        """The next event, or None until more is fed."""
        while not self._closed:
            outcome = self._step()
            if outcome is None:
                return None
            if not isinstance(outcome, _Step):
                if isinstance(outcome, Close):
                    self.abort()
                return outcome
        return None

    def next_line(self, max_length: int) -> Line | Rejected | Close | None:
        """The next line as it is, for IDLE and AUTHENTICATE; None until more is fed.

        Use it only between commands. A line longer than `max_length` octets (without its end) is
        swallowed and gives Rejected without a tag.
        """
        if self._closed:
            return None
        end = self._buffer.find(b"\n", self._scan)
        if end < 0 and not self._overlong and len(self._buffer) <= max_length + 1:
            self._scan = len(self._buffer)
            return None
        line = self._cut(end + 1 if end >= 0 else len(self._buffer))
        content = line.removesuffix(b"\n").removesuffix(b"\r")
        if end >= 0 and not self._overlong and len(content) <= max_length:
            return Line(content)
        return self._drop(line)

    def take_pending(self) -> bytes:
        """Take out what was fed and not yet read: between commands, when its meaning changes."""
        return self._cut(len(self._buffer))

    def abort(self) -> None:
        """The connection is gone: drop everything and abort the sinks of an unfinished command."""
        self._closed = True
        self._buffer.clear()
        self._give_up()

    # One step of the state machine each: swallow, fill a literal, read a line.

    def _step(self) -> _Outcome:
        if self._skip:
            return self._skip_octets()
        if self._rejected is not None:
            return self._swallow_line(self._rejected)
        if self._literal is not None:
            return self._fill(self._literal)
        return self._read_line()

    def _read_line(self) -> _Outcome:
        buffer = self._buffer
        room = self.limits.max_line - self._text_size
        end = buffer.find(b"\n", self._scan)
        if end < 0:
            # One octet more may be the CR of the line's end.
            if len(buffer) > room + 1:
                return self._spoil(LINE_TOO_LONG, bytes(buffer[:room]))
            self._scan = len(buffer)
            return None
        if end > room and not (end == room + 1 and buffer[room] == 13):
            return self._spoil(LINE_TOO_LONG, bytes(buffer[:room]))
        line = self._take(end)
        if b"\0" in line or b"\r" in line:
            return self._spoil(_BAD_OCTET, line, whole_line=True)
        header = _match_header(line) if line.endswith(b"}") else None
        if header is not None:
            return self._offer(line, header)
        self._segments.append(line)
        command = Command(tuple(self._segments))
        self._reset()
        return command

    def _offer(self, line: bytes, header: _Header) -> _Outcome:
        """Ask whether a literal is wanted, and refuse or prepare for it. # rfc9051#4.3"""
        self._text_size += len(line)
        self._segments.append(line[: header.start])
        if len(self._segments) > 2 * self.limits.max_literals:
            return self._refuse(_TOO_MANY, header)
        answer = self._on_literal(
            LiteralHeader(tuple(self._segments), header.size, header.sync, header.binary)
        )
        if isinstance(answer, Refuse):
            return self._refuse(answer, header)
        if isinstance(answer, MemorySink):
            self._memory += header.size
            if self._memory > self.limits.max_memory:
                return self._refuse(_TOO_BIG, header)
        self._literal = Literal(header.size, header.sync, header.binary, answer)
        self._left = header.size
        return Continue() if header.sync else _AGAIN

    def _refuse(self, refusal: Refuse, header: _Header) -> _Outcome:
        if header.sync:
            # rfc9051#4.3: without a continuation the client does not send the octets.
            rejected = Rejected(_tag_of(self._segments, b""), refusal)
            self._give_up()
            return rejected
        outcome = self._spoil(refusal, b"")
        return self._skip_literal(header) or outcome

    def _fill(self, literal: Literal) -> _Outcome:
        """Move octets from the buffer into the literal's sink."""
        chunk = self._cut(min(self._left, len(self._buffer)))
        self._left -= len(chunk)
        try:
            if chunk:
                literal.sink.write(chunk)
            if self._left:
                return None
            literal.sink.close()
        except SinkFailed as failure:
            left = self._left
            outcome = self._spoil(failure.refusal, b"")
            self._skip = left
            self._budget += left  # these were wanted: the client is not to blame
            return outcome
        self._segments.append(literal)
        self._literal = None
        return _AGAIN

    def _spoil(self, refusal: Refuse, text: bytes, *, whole_line: bool = False) -> _Outcome:
        """Give the command up and swallow it to its end; `text` is what follows the segments.

        With `whole_line` the line was taken from the buffer already.
        """
        rejected = Rejected(_tag_of(self._segments, text), refusal)
        self._give_up()
        self._rejected = rejected
        self._budget = self.limits.max_discard
        return self._end_of_line(rejected, text) if whole_line else _AGAIN

    def _swallow_line(self, rejected: Rejected) -> _Outcome:
        end = self._buffer.find(b"\n")
        chunk = self._cut(len(self._buffer) if end < 0 else end + 1)
        self._budget -= len(chunk)
        if self._budget < 0:
            return _FLOOD
        self._tail = (self._tail + chunk[-_TAIL:])[-_TAIL:]
        if end < 0:
            return None
        return self._end_of_line(rejected, self._tail.removesuffix(b"\n").removesuffix(b"\r"))

    def _end_of_line(self, rejected: Rejected, tail: bytes) -> _Outcome:
        """A swallowed line has ended: with a literal that must be swallowed too, or for good."""
        self._tail = b""
        header = _match_header(tail[-_TAIL:])
        if header is not None and not header.sync:
            return self._skip_literal(header) or _AGAIN
        self._rejected = None
        return rejected

    def _skip_literal(self, header: _Header) -> Close | None:
        self._skip = header.size
        return _FLOOD if header.size > self._budget else None

    def _skip_octets(self) -> _Outcome:
        chunk = self._cut(min(self._skip, len(self._buffer)))
        self._skip -= len(chunk)
        self._budget -= len(chunk)
        return None if self._skip else _AGAIN

    def _drop(self, octets: bytes) -> Rejected | Close | None:
        """Swallow a piece of an over-long raw line."""
        if not self._overlong:
            self._budget = self.limits.max_discard
        self._budget -= len(octets)
        if self._budget < 0:
            self.abort()
            return _FLOOD
        self._overlong = not octets.endswith(b"\n")
        return None if self._overlong else Rejected(None, LINE_TOO_LONG)

    # Small change of state.

    def _take(self, end: int) -> bytes:
        """Take the line whose LF is at `end` out of the buffer; without CRLF or bare LF."""
        return self._cut(end + 1)[:-1].removesuffix(b"\r")

    def _cut(self, count: int) -> bytes:
        """Take `count` octets from the front of the buffer."""
        self._scan = 0
        if count == len(self._buffer):
            chunk = bytes(self._buffer)
            self._buffer.clear()
            return chunk
        with memoryview(self._buffer) as view:
            chunk = bytes(view[:count])
        del self._buffer[:count]
        return chunk

    def _give_up(self) -> None:
        """Abort the sinks of the unfinished command and forget it."""
        for segment in self._segments:
            if isinstance(segment, Literal):
                segment.sink.abort()
        if self._literal is not None:
            self._literal.sink.abort()
        self._reset()

    def _reset(self) -> None:
        self._segments = []
        self._text_size = self._memory = self._left = self._skip = 0
        self._literal = None
        self._rejected = None
        self._tail = b""


@dataclass(frozen=True, slots=True)
class _Header:
    start: int  # where the header begins in its line
    size: int
    sync: bool
    binary: bool


def _match_header(line: bytes) -> _Header | None:
    """The literal header that ends `line`, if any.

    ``{n-}`` is read as non-synchronising: a client that writes it does not wait.
    """
    start = line.rfind(b"{")
    match = _HEADER.fullmatch(line, max(start, 0))
    if match is None:
        if start < 0 and len(line) >= _TAIL - 2 and line.rstrip(b"+-}").isdigit():
            # The last _TAIL octets (with CRLF) of a line: cut inside a number without end.
            return _Header(0, 10**_MAX_DIGITS, not line.endswith((b"+}", b"-}")), False)
        return None
    size = int(match[1]) if len(match[1]) <= _MAX_DIGITS else 10**_MAX_DIGITS
    binary = line[max(start - 1, 0) : start] == b"~"
    return _Header(start - binary, size, not match[2], binary)


def _tag_of(segments: list[Segment], text: bytes) -> bytes | None:
    """The tag of a command that consists of `segments` and then `text`."""
    first = segments[0] if segments else text
    match = _TAG.match(first) if isinstance(first, bytes) else None
    return match[1] if match else None
