"""A small IMAP client that shows every octet: for tests of the wire itself."""

from __future__ import annotations

import itertools
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from OpenSSL import SSL

from tests.kit.pace import patience

TIMEOUT = patience(20.0)
_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n\Z")


@dataclass
class Response:
    """What came for one command: untagged lines (literals inlined), and its completion."""

    lines: list[bytes] = field(default_factory=list)
    status: str = ""
    text: str = ""

    def matching(self, word: str) -> list[bytes]:
        """Untagged lines that contain a word."""
        return [line for line in self.lines if word.encode() in line]

    @property
    def code(self) -> str:
        """The response code of the completion without brackets, or ""."""
        match = re.match(r"\[([^\]]*)\]", self.text)
        return match[1] if match else ""


class ImapClient:
    """One connection. ``cmd`` sends a command and reads to its completion."""

    def __init__(
        self, host: str, port: int, *, greeting: bool = True, tls: SSL.Context | None = None
    ) -> None:
        self.socket: Any = socket.create_connection((host, port), TIMEOUT)
        if tls is not None:
            self.start_tls(tls)
        self._buffer = b""
        self._tags = itertools.count(1)
        self.greeting = self.line() if greeting else b""

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()

    def start_tls(self, context: SSL.Context) -> None:
        """Begin TLS now. The socket becomes pyOpenSSL's, which can export keying material."""
        self.socket.settimeout(None)  # pyOpenSSL wants a socket that blocks
        self.socket = SSL.Connection(context, self.socket)
        self.socket.set_connect_state()
        self.socket.do_handshake()

    # --- octets -------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        self.socket.sendall(data)

    def _more(self) -> None:
        try:
            data = self.socket.recv(65536)
        except (SSL.ZeroReturnError, SSL.SysCallError):
            data = b""
        if not data:
            raise EOFError("the server closed the connection")
        self._buffer += data

    def read(self, count: int) -> bytes:
        """Exactly so many octets."""
        while len(self._buffer) < count:
            self._more()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def line(self) -> bytes:
        """One line with the literals in it, without its CRLF at the end."""
        pieces = []
        while True:
            while (end := self._buffer.find(b"\r\n")) < 0:
                self._more()
            piece = self.read(end + 2)
            pieces.append(piece)
            literal = _LITERAL.search(piece)
            if literal is None:
                return b"".join(pieces)[:-2]
            pieces.append(self.read(int(literal[1])))

    def at_end(self) -> bool:
        """Whether the server closed the connection (waits for it)."""
        try:
            while True:
                self._more()
        except (EOFError, ConnectionError):
            return True
        except TimeoutError:
            return False

    # --- commands -----------------------------------------------------------------------------

    def start(self, command: str | bytes, tag: str | None = None) -> str:
        """Send a command without waiting; returns its tag."""
        tag = tag or f"t{next(self._tags)}"
        raw = command.encode() if isinstance(command, str) else command
        self.send(tag.encode() + b" " + raw + b"\r\n")
        return tag

    def finish(self, tag: str) -> Response:
        """Read to the completion of a command."""
        response = Response()
        while True:
            line = self.line()
            if line.startswith(tag.encode() + b" "):
                _, status, text = [*line.decode().split(" ", 2), ""][:3]
                response.status, response.text = status, text
                return response
            response.lines.append(line)

    def cmd(self, command: str | bytes) -> Response:
        """Send a command and read to its completion."""
        return self.finish(self.start(command))

    def ok(self, command: str | bytes) -> Response:
        """The same, and it must complete with OK."""
        response = self.cmd(command)
        assert response.status == "OK", (command, response)
        return response

    def login(self, name: str, password: str) -> Response:
        """LOGIN, which must succeed."""
        return self.ok(f'LOGIN "{name}" "{password}"')

    def append(self, mailbox: str, message: bytes, flags: str = "", date: str = "") -> Response:
        """APPEND with a non-synchronising literal."""
        words = [f"APPEND {mailbox}"]
        if flags:
            words.append(f"({flags})")
        if date:
            words.append(f'"{date}"')
        words.append(f"{{{len(message)}+}}")
        return self.ok(" ".join(words).encode() + b"\r\n" + message)

    def idle(self) -> str:
        """Begin IDLE; returns the tag."""
        tag = self.start("IDLE")
        line = self.line()
        while not line.startswith(b"+"):
            line = self.line()
        return tag

    def wait_line(self, word: str, seconds: float = 2.0) -> bytes:
        """The next untagged line with a word, which must come in ``patience(seconds)``."""
        longest = patience(seconds)
        until = time.monotonic() + longest
        self.socket.settimeout(longest)
        try:
            while True:
                line = self.line()
                if word.encode() in line:
                    return line
                if time.monotonic() > until:
                    raise AssertionError(f"no {word} in {longest} seconds")
        finally:
            self.socket.settimeout(TIMEOUT)

    def done(self, tag: str) -> Response:
        """End IDLE."""
        self.send(b"DONE\r\n")
        return self.finish(tag)
