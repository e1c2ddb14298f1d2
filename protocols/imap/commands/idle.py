"""IDLE (RFC 9051 section 6.3.13): subscribe, look once, then push what is committed."""

from __future__ import annotations

import logging

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from folkmoot.protocols.imap import encoder, errors
from folkmoot.protocols.imap.cursor import BadSyntax
from folkmoot.protocols.imap.registry import OK, Reply, State, capability, command, signed_in
from folkmoot.protocols.imap.session import ConnectionLost, Session
from folkmoot.storage.errors import StorageError

log = logging.getLogger("folkmoot.imap")

capability("IDLE", signed_in)

MAX_DONE = 64  # octets of the line that ends it


class _Pusher:
    """Pushes changes while IDLE waits: one look at a time, and one more if hints came meanwhile."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._busy: Deferred[None] | None = None
        self._again = False
        self._stopped = False

    def wake(self) -> None:
        """Something was committed."""
        if self._stopped:
            return
        if self._busy is not None:
            self._again = True
            return
        busy = Deferred.fromCoroutine(self._push())
        self._busy = None if busy.called else busy
        busy.addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, StorageError):
            self._session.wire.close(error.text, errors.code(error))
        elif not isinstance(error, ConnectionLost):
            log.error("IDLE ended after a fault", exc_info=error)
            self._session.wire.close("Internal error")

    async def _push(self) -> None:
        while True:
            self._again = False
            await self._session.refresh(show_expunges=True)
            # A client that does not read holds its own pushes back, not our memory.
            await self._session.wire.drain()
            if not self._again or self._stopped:
                break
        self._busy = None

    async def stop(self) -> None:
        """No pushes after this; waits for the one under way."""
        self._stopped = True
        if self._busy is not None:
            await self._busy


@command("IDLE", State.SIGNED_IN, extension="IDLE")
async def idle(session: Session, _: None) -> Reply:
    """Runs until the client sends DONE."""
    session.wire.send(encoder.continuation("idling"))
    pusher = _Pusher(session)
    session.on_change(pusher.wake)
    try:
        if session.view is not None:
            session.view.dirty = True
        pusher.wake()
        line = await session.wire.next_line(MAX_DONE)
    finally:
        session.on_change(None)
        await pusher.stop()
    if line is None or line.data.strip().upper() != b"DONE":
        raise BadSyntax("Expected DONE")
    return OK
