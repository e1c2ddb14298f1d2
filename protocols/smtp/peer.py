"""The octets between us and a next hop: connection, TLS, replies, timeouts."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass
from typing import Any

from folkmoot.protocols.smtp.routing import Hop

MAX_REPLY_LINE = 4096
MAX_REPLY_LINES = 200

_REPLY = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?\Z", re.DOTALL)
_STATUS = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |\Z)")


class PeerError(Exception):
    """The connection failed, or the peer broke the protocol. ``text`` is for reports."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class PeerReply:
    """A reply of a next hop; ``lines`` are without code."""

    code: int
    lines: tuple[str, ...]

    @property
    def status(self) -> str:
        """The enhanced status code, made up from the code where the peer gave none."""
        found = _STATUS.match(self.lines[-1])
        if found and found.group(1)[0] == str(self.code)[0]:
            return found.group(1)
        return f"{self.code // 100}.0.0"

    @property
    def text(self) -> str:
        """The whole reply on one line."""
        return f"{self.code} {' '.join(self.lines)}"[:1000]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a peer (RFC 5321 section 4.5.3.2)."""

    connect: float = 60.0
    greeting: float = 300.0
    command: float = 300.0
    data_begin: float = 120.0
    data_block: float = 180.0
    data_end: float = 600.0


class Peer:
    """A connection to a next hop."""

    def __init__(
        self,
        hop: Hop,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        timeouts: Timeouts,
    ) -> None:
        self.hop = hop
        self.timeouts = timeouts
        self.secure = False
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, hop: Hop, timeouts: Timeouts, tls: ssl.SSLContext | None) -> Peer:
        """Open a connection, with TLS at once when a context is given. Raises PeerError."""
        server_hostname = hop.host if tls is not None else None
        try:
            async with asyncio.timeout(timeouts.connect):
                reader, writer = await asyncio.open_connection(
                    hop.address, hop.port, ssl=tls, server_hostname=server_hostname
                )
        except (OSError, TimeoutError) as error:
            raise PeerError(f"Cannot connect to {hop.host} [{hop.address}]") from error
        peer = cls(hop, reader, writer, timeouts)
        peer.secure = tls is not None
        return peer

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Make the connection a TLS one. Raises PeerError."""
        # rfc3207#4.2: what came in clear behind the reply is not the peer's
        reader: Any = self._reader
        if reader._buffer:
            raise PeerError(f"{self.hop.host} sent text in clear before TLS")
        try:
            async with asyncio.timeout(self.timeouts.command):
                await self._writer.start_tls(context, server_hostname=self.hop.host)
        except (OSError, TimeoutError) as error:
            raise PeerError(f"TLS with {self.hop.host} failed") from error
        self.secure = True

    async def send(self, octets: bytes, seconds: float) -> None:
        """Send, waiting until the peer takes it. Raises PeerError."""
        self._writer.write(octets)
        try:
            async with asyncio.timeout(seconds):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise PeerError(f"{self.hop.host} closed the connection") from error

    async def reply(self, seconds: float) -> PeerReply:
        """Read one reply. Raises PeerError."""
        lines: list[str] = []
        code: int | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = _REPLY.match(await self._line())
                    if found is None or (code is not None and int(found.group(1)) != code):
                        raise PeerError(f"{self.hop.host} sent something that is not SMTP")
                    code = int(found.group(1))
                    lines.append((found.group(3) or b"").decode("utf-8", "replace"))
                    if found.group(2) != b"-":
                        return PeerReply(code, tuple(lines))
                    if len(lines) >= MAX_REPLY_LINES:
                        raise PeerError(f"{self.hop.host} sent an endless reply")
        except TimeoutError as error:
            raise PeerError(f"{self.hop.host} did not answer in time") from error

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            raise PeerError(f"{self.hop.host} closed the connection") from error
        except asyncio.LimitOverrunError as error:
            raise PeerError(f"{self.hop.host} sent an over-long line") from error
        except OSError as error:
            raise PeerError(f"{self.hop.host} closed the connection") from error
        if len(line) > MAX_REPLY_LINE:
            raise PeerError(f"{self.hop.host} sent an over-long line")
        return line.rstrip(b"\r\n")

    async def command(self, line: str, seconds: float | None = None) -> PeerReply:
        """Send one line and read its reply. Raises PeerError."""
        await self.send(line.encode() + b"\r\n", self.timeouts.command)
        return await self.reply(self.timeouts.command if seconds is None else seconds)

    def abort(self) -> None:
        """Close without a goodbye."""
        self._writer.transport.abort()

    async def quit(self) -> None:
        """Say goodbye and close; a peer that does not answer is not waited for."""
        try:
            await self.send(b"QUIT\r\n", 5)
            await self.reply(5)
        except PeerError:
            pass
        self._writer.close()
