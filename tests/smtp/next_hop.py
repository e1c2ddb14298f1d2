"""A next hop for the relay: a small SMTP server whose every answer a test can choose."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests import LOOP
from tests.kit import reactor

DEFAULT_EXTENSIONS = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "DSN")


@dataclass
class Taken:
    """One message that the next hop took."""

    mail: str
    rcpts: list[str]
    data: bytes


Answer = Callable[[str], str | None]


@dataclass
class NextHop:
    """Listens on loopback. ``answer(line)`` may give the reply to a command line.

    None means the usual reply, "drop" closes the connection; "." is asked after DATA.
    """

    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS
    answer: Answer = lambda line: None
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    greeting: str = "220 next.test ESMTP"
    taken: list[Taken] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    secured: int = 0
    connections: int = 0
    port: int = 0
    _arrived: threading.Event = field(default_factory=threading.Event)

    def start(self, port: int = 0) -> NextHop:
        """Listen; ``port`` 0 is any free one."""
        reactor.start()

        async def listen() -> asyncio.Server:
            return await asyncio.start_server(
                self._serve, "127.0.0.1", port, ssl=self.tls if self.implicit else None
            )

        self._server = asyncio.run_coroutine_threadsafe(listen(), LOOP).result(60)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        """Listen no longer."""
        LOOP.call_soon_threadsafe(self._server.close)

    def wait(self, number: int = 1, seconds: float = 60) -> list[Taken]:
        """The first ``number`` messages; fails when they do not come."""
        deadline = threading.TIMEOUT_MAX if seconds is None else seconds
        while len(self.taken) < number:
            self._arrived.clear()
            if len(self.taken) < number:
                assert self._arrived.wait(deadline), f"{len(self.taken)} of {number} came"
        return self.taken[:number]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{self.greeting}\r\n".encode())
        secure, mail, rcpts = self.implicit, "", list[str]()
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.lines.append(line)
            verb = line[:4].upper()
            chosen = self.answer(line)
            if chosen == "drop":
                return
            if chosen is not None:
                writer.write(f"{chosen}\r\n".encode())
                continue
            match verb:
                case "EHLO":
                    shown = [f"250-{one}\r\n" for one in ("next.test", *self.extensions)]
                    if self.tls is not None and not secure:
                        shown.append("250-STARTTLS\r\n")
                    writer.write("".join(shown).encode() + b"250 HELP\r\n")
                case "STAR":
                    assert self.tls is not None
                    writer.write(b"220 2.0.0 go\r\n")
                    await writer.drain()
                    await writer.start_tls(self.tls)
                    secure = True
                    self.secured += 1
                case "AUTH":
                    writer.write(b"235 2.7.0 welcome\r\n")
                case "MAIL":
                    mail, rcpts = line, []
                    writer.write(b"250 2.1.0 fine\r\n")
                case "RCPT":
                    rcpts.append(line)
                    writer.write(b"250 2.1.5 fine\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    data = await self._data(reader)
                    final = self.answer(".")
                    if final == "drop":
                        return
                    if final is None or final.startswith("250"):
                        self.taken.append(Taken(mail, rcpts, data))
                        self._arrived.set()
                    writer.write((final or "250 2.0.0 taken").encode() + b"\r\n")
                case "QUIT":
                    writer.write(b"221 2.0.0 bye\r\n")
                    return
                case _:
                    writer.write(b"250 2.0.0 fine\r\n")

    async def _data(self, reader: asyncio.StreamReader) -> bytes:
        data = b""
        while not (b"\r\n" + data).endswith(b"\r\n.\r\n"):
            data += await reader.readexactly(1) if len(data) < 5 else await reader.readline()
        return data[:-3].replace(b"\r\n.", b"\r\n").removeprefix(b".")
