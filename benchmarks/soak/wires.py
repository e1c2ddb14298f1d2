"""Clients of IMAP, HTTP and SMTP on asyncio: one connection each, one request at a time."""

from __future__ import annotations

import asyncio
import base64
import itertools
import re
from collections.abc import Mapping

from tests.kit.http import Answer
from tests.kit.imap import Response

HOST = "127.0.0.1"
ANSWER_SECONDS = 60.0
_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n\Z")
_LINE_LIMIT = 1 << 22


class Closed(Exception):
    """The server has closed the connection."""


class Wire:
    """A connection; ``drop`` ends it at once, with whatever is under way."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def drop(self) -> None:
        """Break it off."""
        self.writer.transport.abort()

    async def send(self, data: bytes) -> None:
        """Send all of it. Raises ``Closed``."""
        try:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), ANSWER_SECONDS)
        except ConnectionError as error:
            raise Closed(str(error)) from error

    async def line(self) -> bytes:
        """One line with its end. Raises ``Closed``."""
        try:
            line = await self.reader.readline()
        except ConnectionError as error:
            raise Closed(str(error)) from error
        if not line.endswith(b"\n"):
            raise Closed("in a line" if line else "no more lines")
        return line

    async def octets(self, count: int) -> bytes:
        """So many octets. Raises ``Closed``."""
        try:
            return await self.reader.readexactly(count)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise Closed("in a body") from error


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A new connection. Raises ``Closed``."""
    try:
        return await asyncio.wait_for(
            asyncio.open_connection(HOST, port, limit=_LINE_LIMIT), ANSWER_SECONDS
        )
    except OSError as error:
        raise Closed(str(error)) from error


class Imap(Wire):
    """IMAP; raises ``Closed`` and ``TimeoutError``."""

    _tags = itertools.count(1)
    _tag = b""

    @classmethod
    async def open(cls, port: int) -> Imap:
        """A connection that was greeted."""
        imap = cls(*await connect(port))
        await asyncio.wait_for(imap.line(), ANSWER_SECONDS)
        return imap

    async def whole_line(self) -> bytes:
        """A line with the literals in it, without its end."""
        pieces = []
        while True:
            piece = await self.line()
            pieces.append(piece)
            literal = _LITERAL.search(piece)
            if literal is None:
                return b"".join(pieces)[:-2]
            pieces.append(await self.octets(int(literal[1])))

    async def start(self, command: bytes) -> None:
        """Send a command."""
        self._tag = b"s%d" % next(self._tags)
        await self.send(self._tag + b" " + command + b"\r\n")

    async def finish(self) -> Response:
        """Read to the completion of the command that was sent."""
        return await asyncio.wait_for(self._finish(), ANSWER_SECONDS)

    async def _finish(self) -> Response:
        response = Response()
        while True:
            line = await self.whole_line()
            if line.startswith(self._tag + b" "):
                _, status, words = [*line.decode().split(" ", 2), ""][:3]
                response.status, response.text = status, words
                return response
            if line.startswith(b"* BYE"):
                raise Closed(line.decode(errors="replace"))
            response.lines.append(line)

    async def command(self, command: str | bytes) -> Response:
        """Send a command and read to its completion."""
        await self.start(command.encode() if isinstance(command, str) else command)
        return await self.finish()

    async def done(self) -> Response:
        """End IDLE."""
        await self.send(b"DONE\r\n")
        return await self.finish()


class Http(Wire):
    """HTTP/1.1, kept open; raises ``Closed`` and ``TimeoutError``."""

    closing = False

    @classmethod
    async def open(cls, port: int) -> Http:
        """A new connection."""
        return cls(*await connect(port))

    async def answer(self) -> Answer:
        """Read the answer to what was sent."""
        return await asyncio.wait_for(self._answer(), ANSWER_SECONDS)

    async def _answer(self) -> Answer:
        status = int((await self.line())[9:12])
        answer = Answer(status, "")
        while (line := await self.line()) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            answer.fields.append((name.lower(), value.strip()))
        if answer.header("transfer-encoding") == "chunked":
            pieces = []
            while size := int((await self.line()).split(b";")[0], 16):
                pieces.append((await self.octets(size + 2))[:-2])
            await self.line()
            answer.body = b"".join(pieces)
        elif status not in (204, 304):
            answer.body = await self.octets(int(answer.header("content-length") or 0))
        self.closing = (answer.header("connection") or "").lower() == "close"
        return answer


def request(
    method: str, path: str, secret: str, fields: Mapping[str, str], body: bytes | None
) -> bytes:
    """A request of HTTP, ready to be sent."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Authorization: {secret}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


class Smtp(Wire):
    """Submission; raises ``Closed`` and ``TimeoutError``."""

    @classmethod
    async def open(cls, port: int, name: str, password: str) -> Smtp:
        """A connection that has signed in."""
        smtp = cls(*await connect(port))
        await smtp.answer()
        await smtp.command(b"EHLO soak.example.test")
        plain = base64.b64encode(f"\0{name}\0{password}".encode())
        status = await smtp.command(b"AUTH PLAIN " + plain)
        if status != 235:
            raise AssertionError(f"AUTH was answered with {status}")
        return smtp

    async def answer(self) -> int:
        """The code of the next answer."""
        return await asyncio.wait_for(self._answer(), ANSWER_SECONDS)

    async def _answer(self) -> int:
        while (line := await self.line())[3:4] == b"-":
            pass
        return int(line[:3])

    async def command(self, command: bytes) -> int:
        """Send a line; the code of the answer."""
        await self.send(command + b"\r\n")
        return await self.answer()
