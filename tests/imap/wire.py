"""Shortcuts of the wire tests: from octets to a cursor, as a connection would."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.framer import AFTER_LOGIN, Command, Continue, Framer

T = TypeVar("T")


def command(octets: bytes) -> Command:
    """The one command that `octets` (without the last CRLF) hold."""
    framer = Framer(AFTER_LOGIN)
    framer.feed(octets + b"\r\n")
    event = framer.next_event()
    while isinstance(event, Continue):
        event = framer.next_event()
    assert isinstance(event, Command), event
    assert framer.pending == 0
    return event


def cursor(octets: bytes, *, utf8: bool = False) -> Cursor:
    """A cursor at the start of `octets`."""
    return Cursor(command(octets), utf8=utf8)


def parse(parser: Callable[[Cursor], T], arguments: bytes, *, utf8: bool = False) -> T:
    """What `parser` makes of the arguments of a command (without their first space)."""
    return parser(cursor(b" " + arguments, utf8=utf8))


def refused(parser: Callable[[Cursor], object], arguments: bytes) -> BadSyntax:
    """The error that `parser` gives for `arguments`."""
    with pytest.raises(BadSyntax) as caught:
        parse(parser, arguments)
    return caught.value
