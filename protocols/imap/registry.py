"""The table of commands and capabilities, filled by the modules in ``commands``.

A command stands in one place with its states, its grammar and its effect on message numbers; the
CAPABILITY answer is computed from the same modules, so what is advertised exists.
"""

from __future__ import annotations

import enum
import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from folkmoot.protocols.imap.cursor import Cursor

if TYPE_CHECKING:
    from folkmoot.protocols.imap.session import Session


class State(enum.IntFlag):
    """The states of RFC 9051 section 3 in which a command may be given."""

    NOT_AUTHENTICATED = 1
    AUTHENTICATED = 2
    SELECTED = 4

    ANY = 7
    SIGNED_IN = 6


class Expunges(enum.Enum):
    """Whether message numbers may change before the command completes (RFC 9051 7.5.1)."""

    SHOWN = "shown"
    HELD_BACK = "held back"  # FETCH, STORE, SEARCH: numbers of later pipelined commands hold
    UNCHECKED = "unchecked"  # nothing is looked up after it (LOGOUT, SELECT)


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command completes: its status line without the tag.

    ``text`` None stands for the command's name and "completed".
    """

    text: str | None = None
    code: str | None = None
    status: str = "OK"


OK = Reply()

Handler = Callable[["Session", Any], Awaitable[Reply]]
Parser = Callable[[Cursor], Any]


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One row of the table. ``example`` is a valid command without its tag, for fuzz seeds.

    ``extension`` is the capability that the command belongs to; where that is hidden from a client,
    the command is unknown to it.
    """

    name: str
    states: State
    parse: Parser
    handler: Handler
    expunges: Expunges
    example: bytes
    extension: str = ""


@dataclass(frozen=True, slots=True)
class _Capability:
    when: Callable[[Session], bool]
    value: Callable[[Session], object] | None


_commands: dict[str, CommandEntry] = {}
_capabilities: dict[str, _Capability] = {}


def no_arguments(cursor: Cursor) -> None:
    """The grammar of commands without arguments."""
    cursor.end()


def command(
    name: str,
    states: State,
    parse: Parser = no_arguments,
    *,
    expunges: Expunges = Expunges.SHOWN,
    example: bytes | None = None,
    extension: str = "",
) -> Callable[[Handler], Handler]:
    """Register the coroutine function that carries out a command.

    ``name`` is in upper case; commands behind UID are registered with it ("UID FETCH").
    """

    def keep(handler: Handler) -> Handler:
        if name in _commands:
            raise ValueError(f"command {name} is registered twice")
        _commands[name] = CommandEntry(
            name, states, parse, handler, expunges, example or name.encode(), extension
        )
        return handler

    return keep


def capability(
    name: str,
    when: Callable[[Session], bool] = lambda session: True,
    value: Callable[[Session], object] | None = None,
) -> None:
    """Advertise a capability while ``when`` is true of the session.

    With ``value`` it is printed as ``NAME=value``.
    """
    if name in _capabilities:
        raise ValueError(f"capability {name} is registered twice")
    _capabilities[name] = _Capability(when, value)


def signed_in(session: Session) -> bool:
    """For capabilities that mean nothing before login: keeps the greeting short."""
    return session.actor is not None


def find(name: str) -> CommandEntry | None:
    """The command with this name (upper case)."""
    return _commands.get(name)


def all_commands() -> list[CommandEntry]:
    """The whole table, by name."""
    return [_commands[name] for name in sorted(_commands)]


def all_capabilities() -> list[str]:
    """The names of all capabilities that were registered, whatever the session."""
    return sorted(_capabilities)


def capabilities(session: Session) -> list[str]:
    """What is offered to this session now, IMAP4rev1 first."""
    offered = [
        f"{name}={entry.value(session)}" if entry.value else name
        for name, entry in _capabilities.items()
        if entry.when(session) and not session.hides(name)
    ]
    offered += [f"AUTH={mechanism}" for mechanism in session.sasl_mechanisms()]
    return sorted(offered, key=lambda name: (not name.startswith("IMAP4"), name))


def load() -> None:
    """Import every module in ``commands``, which fills the table. Idempotent."""
    from folkmoot.protocols.imap import commands

    for module in pkgutil.iter_modules(commands.__path__):
        importlib.import_module(f"{commands.__name__}.{module.name}")
