"""INPROGRESS (RFC 9585): a word now and then while a command takes long."""

from __future__ import annotations

from typing import Any

from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.session import Wire


class Progress:
    """Tells the client that its command is still at work, every ``seconds`` that it is silent.

    Only before the first octet of an answer: what is sent later could come into the middle of a
    response. The timer is left running between commands, so that short ones cost nothing.
    """

    __slots__ = ("_reactor", "_seconds", "_since", "_tag", "_timer", "_wire", "quiet")

    def __init__(self, wire: Wire, reactor: Any, seconds: float) -> None:
        self._wire = wire
        self._reactor = reactor
        self._seconds = seconds
        self._since = 0.0
        self._tag = b""
        self._timer: Any = None
        self.quiet = False  # nothing was sent since the command began

    def begin(self, tag: bytes) -> None:
        """A command begins."""
        self._tag = tag
        self.quiet = True
        if self._seconds <= 0:
            return
        self._since = self._reactor.seconds()
        if self._timer is None:
            self._timer = self._reactor.callLater(self._seconds, self._look)

    def end(self) -> None:
        """It ended."""
        self._tag = b""

    def stop(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if not self._tag:
            return
        left = self._since + self._seconds - self._reactor.seconds()
        if left <= 0:
            if not self.quiet:
                return
            # rfc9585#5: of how much there is to do, nothing is known
            tag = encoder.quoted_or_literal(self._tag).decode("ascii")
            code = f"INPROGRESS ({tag} NIL NIL)"
            self._wire.send(encoder.untagged("OK", "Still at work", code))
            self._wire.flush()
            self.quiet = True
            left = self._seconds
            self._since = self._reactor.seconds()
        self._timer = self._reactor.callLater(left, self._look)
