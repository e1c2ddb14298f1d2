"""The body of a request on its way in: a bounded queue that stops reading from the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from folkmoot.storage.errors import TooLarge
from folkmoot.storage.types import BodySpool

QUEUE = 256 * 1024  # octets from which on the client is not read; one read more may come


class ClientGone(Exception):
    """The client went away, or broke its body off. Nothing of what it sent may be kept."""


class BadBody(ClientGone):
    """What came is no body at all (chunks that are none), so the rest of it cannot be found."""


class Spooling(Protocol):
    """Where large bodies go; ``Workspace`` and ``Tree`` are such places."""

    @property
    def inline_limit(self) -> int:
        """Octets up to which a body is held in memory."""
        ...

    def spool(self) -> Deferred[BodySpool]:
        """Begin a large body."""
        ...

    def spool_write(self, spool: BodySpool, data: bytes, /) -> Deferred[None]:
        """Append to it, off the reactor. Raises ``Unavailable`` on a full disk."""
        ...


class Body:
    """One request's body. The connection feeds it, one reader at a time takes from it.

    ``length`` is None where the client sends chunks. ``hold`` and ``release`` stop and resume
    reading from the client; ``begin`` is called before the first octet is waited for.
    """

    def __init__(
        self,
        length: int | None,
        *,
        hold: Callable[[], None],
        release: Callable[[], None],
        begin: Callable[[], None],
    ) -> None:
        self.length = length
        self.received = 0
        self.complete = False
        self.full = False
        self._hold, self._release, self._begin = hold, release, begin
        self._begun = False
        self._queue: list[bytes] = []
        self._queued = 0
        self._gone: ClientGone | None = None
        self._discarding = False
        self._waiting: Deferred[None] | None = None

    # --- the connection's side ----------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Octets of the body came."""
        self.received += len(data)
        if self._discarding or not data:
            return
        self._queue.append(data)
        self._queued += len(data)
        if self._queued >= QUEUE and not self.full:
            self.full = True
            self._hold()
        self._wake()

    def end(self) -> None:
        """All of it has come."""
        self.complete = True
        self._wake()

    def fail(self, reason: ClientGone | None = None) -> None:
        """The rest will not come. What came whole stays readable."""
        if self.complete or self._gone is not None:
            return
        self._gone = reason or ClientGone()
        self._queue.clear()
        self._wake()

    def discard(self) -> None:
        """Nobody will read the rest; take it from the client and drop it."""
        self._discarding = True
        self._take()

    # --- the reader's side --------------------------------------------------------------------

    async def piece(self) -> bytes:
        """The octets that are there, waiting for the first; b"" at the end.

        Raises ``ClientGone``.
        """
        if not self._begun:
            self._begun = True
            if self.length != 0 and not self.complete and not self.received:
                self._begin()
        while not self._queue and not self.complete and self._gone is None:
            self._waiting = Deferred()
            await self._waiting
        if self._gone is not None:
            raise self._gone
        return self._take()

    async def read(self, limit: int) -> bytes:
        """All of it in memory. Raises ``TooLarge`` above ``limit`` octets, and ``ClientGone``."""
        self._check(limit)
        pieces = []
        while piece := await self.piece():
            pieces.append(piece)
            self._check(limit)
        return b"".join(pieces)

    async def spool(self, place: Spooling, limit: int) -> bytes | BodySpool:
        """All of it, in memory while small; a spool is the caller's to ``discard``.

        Raises ``TooLarge``, ``ClientGone``, and what the place raises; then nothing is left.
        """
        self._check(limit)
        small = bytearray()
        spool: BodySpool | None = None
        try:
            while piece := await self.piece():
                self._check(limit)
                if spool is None:
                    small += piece
                    if len(small) <= place.inline_limit:
                        continue
                    spool = await place.spool()
                    piece = bytes(small)
                    small.clear()
                await place.spool_write(spool, piece)
        except BaseException:
            if spool is not None:
                spool.discard()
            raise
        return bytes(small) if spool is None else spool

    def _check(self, limit: int) -> None:
        if max(self.length or 0, self.received) > limit:
            raise TooLarge

    def _take(self) -> bytes:
        data = self._queue[0] if len(self._queue) == 1 else b"".join(self._queue)
        self._queue.clear()
        self._queued = 0
        if self.full:
            self.full = False
            self._release()
        return data

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)
