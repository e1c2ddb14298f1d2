"""The client side of DAV: HTTP/1.1 over raw sockets, kept open where the server allows that.

Answers are kept as they came and looked into after the clock has stopped; each must have the status
that is expected, so that nothing is fast because it failed.
"""

from __future__ import annotations

import base64
import selectors
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.load import Failed
from benchmarks.serve import HOST

TIMEOUT = 900.0
_CHUNK = 1 << 18
_MIB = 1 << 20


@dataclass(frozen=True)
class Site:
    """Where a server is, and what it wants to see in each request."""

    port: int
    name: str = ""
    password: str = ""

    def connect(self) -> socket.socket:
        """A connection that sends at once."""
        connection = socket.create_connection((HOST, self.port), TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Sequence[str] = ()
    ) -> bytes:
        """A request, ready to be sent."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{self.port}", *headers]
        if self.name:
            secret = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
            lines.append(f"Authorization: Basic {secret}")
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")

    def head(self, method: str, path: str, length: int) -> bytes:
        """The head of a request whose body is sent in pieces."""
        start = self.request(method, path)
        return start[:-2] + b"Content-Length: %d\r\n\r\n" % length


@dataclass
class Answer:
    """An answer that comes in pieces: ``feed`` says when it is complete."""

    data: bytearray = field(default_factory=bytearray)
    status: int = 0
    _start: int = 0
    _length: int | None = None
    _chunked: bool = False

    def feed(self, piece: bytes) -> bool:
        """Take what has come (nothing: the server closed); True at the end of the answer.

        Raises ``Failed`` when it ends too early.
        """
        self.data += piece
        if not self._start and not self._head():
            if not piece:
                raise Failed("the server closed the connection")
            return False
        if self._chunked:
            done = self.data.endswith(b"0\r\n\r\n") and self._chunks() is not None
        elif self._length is not None:
            done = len(self.data) - self._start >= self._length
        else:
            done = not piece
        if not piece and not done:
            raise Failed("the server closed the connection within an answer")
        return done

    def _head(self) -> bool:
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return False
        self.status = int(self.data[9:12])
        self._start = end + 4
        self._length = 0 if self.status in (204, 304) else None
        for line in bytes(self.data[:end]).lower().split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name == b"content-length":
                self._length = int(value)
            elif name == b"transfer-encoding" and value.strip() == b"chunked":
                self._chunked = True
        return True

    def _chunks(self) -> list[bytes] | None:
        parts: list[bytes] = []
        at = self._start
        while True:
            end = self.data.find(b"\r\n", at)
            if end < 0:
                return None
            size = int(self.data[at:end].split(b";")[0], 16)
            if size == 0:
                return parts
            parts.append(bytes(self.data[end + 2 : end + 2 + size]))
            at = end + size + 4

    @property
    def closes(self) -> bool:
        """Whether the server will not take another request on this connection."""
        head = bytes(self.data[: self._start]).lower()
        return head.startswith(b"http/1.0") or b"\r\nconnection: close" in head

    @property
    def head_size(self) -> int:
        """Octets before the body; 0 while they have not all come."""
        return self._start

    @property
    def body(self) -> bytes:
        """The body, put together."""
        if self._chunked:
            return b"".join(self._chunks() or ())
        return bytes(self.data[self._start :])

    def expect(self, *statuses: int) -> Answer:
        """Itself. Raises ``Failed`` with any other status."""
        if self.status not in statuses:
            text = self.body[:300].decode(errors="replace")
            raise Failed(f"status {self.status} instead of {statuses}: {text}")
        return self


class Http:
    """One blocking connection, opened again when the server closes it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._socket: socket.socket | None = None
        self.seconds = 0.0

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def run(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Sequence[str] = (),
        expect: Sequence[int] = (207,),
    ) -> bytes:
        """The body of the answer; ``seconds`` is how long it took to come."""
        request = self.site.request(method, path, body, headers)
        begin = time.perf_counter()
        answer = self._send([request])
        self.seconds = time.perf_counter() - begin
        return answer.expect(*expect).body

    def upload(self, path: str, block: bytes, times: int) -> float:
        """PUT a body of so many blocks; the seconds from first octet to answer."""
        begin = time.perf_counter()
        head = self.site.head("PUT", path, len(block) * times)
        self._send([head, *[block] * times]).expect(201, 204)
        return time.perf_counter() - begin

    def download(self, path: str, length: int) -> float:
        """GET a body and throw it away; the seconds. Raises ``Failed`` with another length."""
        request = self.site.request("GET", path)
        begin = time.perf_counter()
        connection = self._socket or self.site.connect()
        self._socket = connection
        connection.sendall(request)
        answer = Answer()
        while not answer.head_size:
            answer.feed(connection.recv(65536))
        answer.expect(200)
        left = length - (len(answer.data) - answer.head_size)
        buffer = bytearray(_MIB)
        while left > 0:
            count = connection.recv_into(buffer, min(left, _MIB))
            if not count:
                raise Failed("the body is too short")
            left -= count
        seconds = time.perf_counter() - begin
        if answer.closes:
            self.close()
        return seconds

    def _send(self, pieces: Iterable[bytes]) -> Answer:
        connection = self._socket or self.site.connect()
        self._socket = connection
        for piece in pieces:
            connection.sendall(piece)
        answer = Answer()
        while not answer.feed(receive(connection)):
            pass
        if answer.closes:
            self.close()
        return answer


def receive(connection: socket.socket) -> bytes:
    """What has come, acknowledged at once.

    A server that sends an answer in small pieces would else wait up to 40 ms for that, which says
    more of the network than of the server.
    """
    if sys.platform == "linux":
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    return connection.recv(_CHUNK)


def race(
    site: Site, batches: Sequence[Sequence[bytes]], warm: bytes, expect: Sequence[int]
) -> float:
    """Send each batch of requests on a connection of its own, all side by side; the seconds.

    ``warm`` is a request that each connection sends before the clock starts.
    """
    runners = [_Runner(site, batch, expect) for batch in batches]
    for one in runners:
        one.warm(warm)
    begin = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for one in runners:
            one.start(selector)
        while selector.get_map():
            ready = selector.select(TIMEOUT)
            if not ready:
                raise Failed("no answer in time")
            for key, _ in ready:
                key.data.more()
    return time.perf_counter() - begin


class _Runner:
    def __init__(self, site: Site, requests: Sequence[bytes], expect: Sequence[int]) -> None:
        self._site = site
        self._requests = iter(requests)
        self._expect = expect
        self._socket = site.connect()
        self._answer = Answer()

    def warm(self, request: bytes) -> None:
        self._socket.sendall(request)
        while not self._answer.feed(receive(self._socket)):
            pass
        self._answer.expect(200, 207)
        if self._answer.closes:
            self._socket.close()
            self._socket = self._site.connect()

    def start(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        selector.register(self._socket, selectors.EVENT_READ, self)
        self._next()

    def more(self) -> None:
        if not self._answer.feed(receive(self._socket)):
            return
        self._answer.expect(*self._expect)
        if self._answer.closes:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = self._site.connect()
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._selector.unregister(self._socket)
            self._socket.close()
            return
        self._answer = Answer()
        self._socket.sendall(request)
