"""Where the octets of an APPEND go: memory while small, the store's spool when large."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.types import BodySpool

PIECE = 256 * 1024  # octets written at a time; at most about two of them are in memory


class SpoolSink:
    """A framer's sink for one message.

    ``write`` only gathers; the connection calls ``flush`` when ``due``, which writes in a thread,
    and stops reading from the client meanwhile. A disk that fails is remembered until ``finish``:
    the octets that still arrive are dropped.
    """

    def __init__(self, workspace: Workspace, *, in_memory: bool) -> None:
        self.writing = False
        self._workspace = workspace
        self._buffer = bytearray()
        self._spool: BodySpool | None = None
        self._error: Exception | None = None
        self._in_memory = in_memory
        self._aborted = False

    @property
    def due(self) -> bool:
        """Whether enough was gathered to be written."""
        return not self._in_memory and len(self._buffer) >= PIECE

    # --- the framer's side --------------------------------------------------------------------

    def write(self, data: bytes, /) -> None:
        if self._error is None:
            self._buffer += data

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self._aborted = True
        self._buffer.clear()
        if self._spool is not None and not self.writing:
            self._spool.discard()
            self._spool = None

    # --- the connection's side ----------------------------------------------------------------

    def flush(self) -> Deferred[None]:
        """Write what was gathered, off the reactor. Never fails; see ``finish``."""
        self.writing = True
        return Deferred.fromCoroutine(self._flush())

    async def _flush(self) -> None:
        data = bytes(self._buffer)
        self._buffer.clear()
        try:
            if self._spool is None:
                self._spool = await self._workspace.spool()
            await self._workspace.spool_write(self._spool, data)
        except Exception as error:  # with a piece missing, nothing of it may be stored
            self._error = error
        finally:
            self.writing = False
        if self._aborted or self._error is not None:
            self.discard()

    async def finish(self) -> bytes | BodySpool:
        """The whole body. Raises ``Unavailable`` when it could not be written."""
        if self._in_memory:
            return bytes(self._buffer)
        await self.flush()
        if self._error is not None:
            raise self._error
        assert self._spool is not None
        return self._spool

    def discard(self) -> None:
        """Forget it; does nothing once the body was stored."""
        self._buffer.clear()
        if self._spool is not None:
            self._spool.discard()
            self._spool = None
