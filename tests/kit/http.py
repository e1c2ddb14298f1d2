"""A small HTTP client that shows every octet: for tests of the wire itself."""

from __future__ import annotations

import base64
import gzip
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.kit.pace import patience

TIMEOUT = patience(20.0)


@dataclass
class Answer:
    """A response. Names of ``fields`` are in lower case; the body is without its chunks."""

    status: int
    reason: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    chunks: int = 0

    def header(self, name: str) -> str | None:
        """The first field of a name."""
        return next((value for key, value in self.fields if key == name.lower()), None)

    @property
    def text(self) -> str:
        """The body as UTF-8, without gzip."""
        packed = self.header("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()


class HttpClient:
    """One connection that is kept alive. ``request`` sends and reads one answer."""

    def __init__(
        self,
        port: int,
        login: tuple[str, str] | None = None,
        *,
        tls: bool = False,
        host: str = "127.0.0.1",
        timeout: float = TIMEOUT,
    ) -> None:
        self.socket: socket.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.host = f"{host}:{port}"
        self.login = login
        self._buffer = b""

    def close(self) -> None:
        """Drop the connection."""
        self.socket.close()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *trouble: object) -> None:
        self.close()

    # --- octets -------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        self.socket.sendall(data)

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        self._buffer += data

    def read(self, count: int) -> bytes:
        """Exactly so many octets."""
        pieces = [self._buffer[:count]]
        self._buffer = self._buffer[count:]
        missing = count - len(pieces[0])
        while missing:
            data = self.socket.recv(min(missing, 2**20))
            if not data:
                raise EOFError("the server closed the connection")
            pieces.append(data)
            missing -= len(data)
        return b"".join(pieces)

    def line(self) -> bytes:
        """One line without its CRLF."""
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._more()
        return self.read(end + 2)[:-2]

    def at_end(self) -> bool:
        """Whether the server closed the connection (waits for it)."""
        try:
            while True:
                self._more()
        except (EOFError, ConnectionError):
            return True
        except TimeoutError:
            return False

    # --- requests -----------------------------------------------------------------------------

    def head(
        self,
        method: str,
        path: str,
        fields: Iterable[tuple[str, str]] = (),
        *,
        length: int | None = None,
        version: str = "1.1",
    ) -> None:
        """Send the head of a request; Host and Authorization are added unless they are given."""
        pairs = list(fields)
        names = {name.lower() for name, _ in pairs}
        if "host" not in names:
            pairs.insert(0, ("Host", self.host))
        if self.login is not None and "authorization" not in names:
            pairs.append(("Authorization", basic(*self.login)))
        if length is not None:
            pairs.append(("Content-Length", str(length)))
        lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in pairs)]
        self.send("\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n")

    def answer(self, method: str = "GET") -> Answer:
        """Read one answer; ``method`` is what it answers (HEAD has no body)."""
        version, status, reason = [*self.line().decode("latin-1").split(" ", 2), ""][:3]
        assert version == "HTTP/1.1", version
        answer = Answer(int(status), reason)
        while line := self.line().decode("latin-1"):
            name, _, value = line.partition(":")
            answer.fields.append((name.lower(), value.strip()))
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        if answer.header("transfer-encoding") == "chunked":
            while size := int(self.line(), 16):
                answer.chunks += 1
                answer.body += self.read(size)
                assert self.line() == b""
            assert self.line() == b""
        elif (length := answer.header("content-length")) is not None:
            answer.body = self.read(int(length))
        else:
            answer.body = self._rest()
        return answer

    def _rest(self) -> bytes:
        self.at_end()
        rest, self._buffer = self._buffer, b""
        return rest

    def request(
        self,
        method: str,
        path: str,
        fields: Iterable[tuple[str, str]] = (),
        body: bytes | str | None = None,
    ) -> Answer:
        """A whole request and its answer."""
        data = body.encode() if isinstance(body, str) else body
        self.head(method, path, fields, length=None if data is None else len(data))
        if data:
            self.send(data)
        return self.answer(method)

    def chunked(
        self,
        method: str,
        path: str,
        chunks: Iterable[bytes],
        fields: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """A request whose body comes in chunks, and its answer."""
        self.head(method, path, [*fields, ("Transfer-Encoding", "chunked")])
        for chunk in chunks:
            self.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.send(b"0\r\n\r\n")
        return self.answer(method)


def basic(name: str, password: str, encoding: str = "utf-8") -> str:
    """An Authorization field."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode(encoding)).decode()
