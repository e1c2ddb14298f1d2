"""Pushes what is committed to a client that waits: for IDLE, and for NOTIFY between commands."""

from __future__ import annotations

import logging
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from folkmoot.protocols.imap import errors
from folkmoot.protocols.imap.session import ConnectionLost, Session
from folkmoot.storage.errors import ShuttingDown, StorageError, Unavailable

log = logging.getLogger("folkmoot.imap")

AWAY_SECONDS = 2.0  # between looks at a store that cannot work


class Pusher:
    """One look at a time, and one more if hints came meanwhile.

    ``show_expunges`` is asked before each look. With ``between_commands`` the connection's turn
    is taken while it pushes: commands wait, so that nothing comes between their responses, and
    while a command runs nothing is pushed (its end tells what there is).
    """

    def __init__(
        self,
        session: Session,
        *,
        show_expunges: Callable[[], bool] = lambda: True,
        between_commands: bool = False,
    ) -> None:
        self._session = session
        self._show_expunges = show_expunges
        self._between_commands = between_commands
        self._busy: Deferred[None] | None = None
        self._again = False
        self._stopped = False
        self._pausing = False  # the store is away

    def wake(self) -> None:
        """Something was committed."""
        if self._stopped or self._pausing:
            return
        if self._busy is not None:
            self._again = True
            return
        if self._between_commands and not self._session.wire.take_turn():
            return
        busy = Deferred.fromCoroutine(self._push())
        self._busy = None if busy.called else busy
        busy.addErrback(self._failed)
        busy.addCallback(lambda _: self._done())

    def _done(self) -> None:
        self._busy = None
        if self._between_commands:
            self._session.wire.give_turn()

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, Unavailable) and not isinstance(error, ShuttingDown):
            log.warning("changes are told later: %s", error.text)
            self._pausing = True
            self._session.wire.later(AWAY_SECONDS, self._go_on)
        elif isinstance(error, StorageError):
            self._session.wire.close(error.text, errors.code(error))
        elif not isinstance(error, ConnectionLost):
            log.error("pushing ended after a fault", exc_info=error)
            self._session.wire.close("Internal error")

    def _go_on(self) -> None:
        self._pausing = False
        self.wake()

    async def _push(self) -> None:
        while True:
            self._again = False
            await self._session.refresh(show_expunges=self._show_expunges())
            self._session.wire.flush()
            # A client that does not read holds its own pushes back, not our memory.
            await self._session.wire.drain()
            if not self._again or self._stopped:
                break
        # Before anything else runs: a hint from now on needs a new look.
        self._busy = None

    def halt(self) -> None:
        """No pushes after the look under way."""
        self._stopped = True

    async def stop(self) -> None:
        """No pushes after this; waits for the look under way."""
        self.halt()
        if self._busy is not None:
            await self._busy
