"""What the framer deals in: sinks, literals, limits and events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from typing import Literal as Either


class Sink(Protocol):
    """Takes the octets of one literal.

    The framer calls `write` any number of times, then `close` when all octets have arrived, or
    `abort` when the command was given up or the connection went away: then nothing may be kept.
    `abort` may also follow `close`, when a later part of the same command fails. After a
    :class:`Command` event the sinks belong to whoever took the event. `write` and `close` raise
    :class:`SinkFailed` when they cannot store; the rest of the command is swallowed then.
    """

    def write(self, data: bytes, /) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


class MemorySink:
    """Keeps a literal in memory; the framer limits the total of a command."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def value(self) -> bytes:
        """The octets so far."""
        return bytes(self._data)

    def write(self, data: bytes, /) -> None:
        self._data += data

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self._data.clear()


@dataclass(frozen=True, slots=True)
class Literal:
    """One literal of a command: its announced size in octets and where its octets went."""

    size: int
    sync: bool
    binary: bool  # announced with "~", may hold NUL (rfc9051#9, literal8)
    sink: Sink


Segment = bytes | Literal


@dataclass(frozen=True, slots=True)
class LiteralHeader:
    """A literal that a client announces: ``{size}``, ``{size+}``, ``~{size}``.

    `prefix` is the command so far, from its tag to the text before the header. `sync` is true when
    the client waits for a continuation before it sends the octets.
    """

    prefix: tuple[Segment, ...]
    size: int
    sync: bool
    binary: bool


@dataclass(frozen=True, slots=True)
class Refuse:
    """Why a command is refused, in the words of its tagged reply."""

    text: str
    status: Either["NO", "BAD"] = "BAD"
    code: str | None = None


class SinkFailed(Exception):
    """A sink could not store; `refusal` is what the client gets to read."""

    def __init__(self, refusal: Refuse) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


Decide = Callable[[LiteralHeader], Sink | Refuse]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one command may cost, in octets unless said otherwise."""

    max_line: int = 64 * 1024  # text of a command, without its literals
    max_literals: int = 1000  # literals of one command, a count
    max_memory: int = 1024 * 1024  # literals of one command in memory sinks together
    max_discard: int = 8 * 1024 * 1024  # swallowed of one command before the connection ends


#: Before a client has signed in nothing but a name and a password is worth memory.
BEFORE_LOGIN: Final = Limits(8 * 1024, 20, 64 * 1024, 256 * 1024)
AFTER_LOGIN: Final = Limits()


@dataclass(frozen=True, slots=True)
class Command:
    """A whole command: text, literal, text, … Text stands first and last (it may be empty)."""

    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Continue:
    """The client waits for a continuation request (``+ …``) before it sends a literal."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A command that was not taken. `tag` is None when none could be read: answer untagged."""

    tag: bytes | None
    refusal: Refuse


@dataclass(frozen=True, slots=True)
class Line:
    """One line outside commands (SASL response, DONE), without its line end."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The stream cannot be followed any further; say BYE and close. Nothing comes after it."""

    reason: str


Event = Command | Continue | Rejected | Close
