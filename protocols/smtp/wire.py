"""Reading lines and blocks from a connection, and writing replies to it, both bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

READ_SIZE = 64 * 1024
WRITE_SIZE = 32 * 1024


class LineTooLong(Exception):
    """A line was longer than allowed; it has been read to its end and dropped."""


class Wire:
    """One side of a connection. Replies wait until more input is needed (RFC 2920 section 3.2).

    ``arm(seconds)`` is called before each wait for the peer, ``disarm()`` after it: what the
    server itself takes is not the client's idle time.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        arm: Callable[[float], None],
        disarm: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._arm = arm
        self._disarm = disarm
        self._input = b""
        self._output = bytearray()

    async def write(self, octets: bytes, seconds: float) -> None:
        """Queue octets; they are sent when there are many, or when the peer is waited for."""
        self._output += octets
        if len(self._output) >= WRITE_SIZE:
            await self.flush(seconds)

    async def flush(self, seconds: float) -> None:
        """Send what is queued, and wait until the peer takes it."""
        if not self._output:
            return
        self._writer.write(bytes(self._output))
        self._output.clear()
        self._arm(seconds)
        try:
            await self._writer.drain()
        finally:
            self._disarm()

    async def _fill(self, seconds: float) -> None:
        """Read more input. Raises EOFError when the peer has closed."""
        await self.flush(seconds)
        self._arm(seconds)
        try:
            more = await self._reader.read(READ_SIZE)
        finally:
            self._disarm()
        if not more:
            raise EOFError
        self._input += more

    async def line(self, limit: int, seconds: float) -> bytes:
        """Return the next line with its LF. Raises LineTooLong, EOFError."""
        searched = 0
        dropped = False
        while True:
            end = self._input.find(b"\n", searched)
            if end >= 0:
                line, self._input = self._input[: end + 1], self._input[end + 1 :]
                if dropped or len(line) > limit:
                    raise LineTooLong
                return line
            searched = len(self._input)
            if searched > limit:
                dropped, searched, self._input = True, 0, b""
            await self._fill(seconds)

    async def block(self, seconds: float) -> bytes:
        """Return what has come, at least one octet. Raises EOFError."""
        if not self._input:
            await self._fill(seconds)
        block, self._input = self._input, b""
        return block

    def unread(self, octets: bytes) -> None:
        """Put back what belongs to the next line."""
        self._input = octets + self._input

    def drop_input(self) -> None:
        """Forget what came before TLS (RFC 3207 section 4.2: nothing of it may be trusted)."""
        self._input = b""
