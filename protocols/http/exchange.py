"""One request and its answer: all that protocol code above HTTP sees of a connection."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

from twisted.internet.defer import Deferred

from folkmoot.protocols.http.body import Body, ClientGone, Spooling
from folkmoot.protocols.http.compress import Compressor, compressible
from folkmoot.protocols.http.target import Target, parse_reference
from folkmoot.storage.errors import AuthenticationFailed
from folkmoot.storage.types import Actor, BodySpool

__all__ = ["BodySpool", "ClientGone", "Exchange", "Fields", "Spooling"]

Fields = Iterable[tuple[str, str]]
PIECE = 64 * 1024  # octets of an answer given to the connection at a time
NO_BODY = frozenset((204, 304))


class Wire(Protocol):
    """What an exchange needs of its connection."""

    gone: bool

    def head(self, status: int, fields: list[tuple[str, str]], length: int | None) -> None:
        """Send status and fields; without ``length`` the body is framed in chunks."""
        ...

    def send(self, data: bytes) -> None:
        """Send octets of the body."""
        ...

    def drained(self) -> Deferred[None]:
        """Fires when the client has taken most of what was sent, or has gone."""
        ...

    def end(self) -> None:
        """The answer is complete."""
        ...

    def break_off(self) -> None:
        """Drop the connection now."""
        ...


class Exchange:
    """A request with its answer. Everything runs on the reactor's thread.

    ``method`` is as sent (methods are case-sensitive). ``path`` holds the decoded names: no empty
    ones, no ``.`` or ``..``, no slash or NUL in them. ``secure`` tells whether TLS protects the
    connection itself, ``base_url`` is scheme and host without a slash at the end.
    """

    def __init__(
        self,
        wire: Wire,
        body: Body,
        method: str,
        target: Target,
        fields: list[tuple[str, str]],
        *,
        peer: str,
        secure: bool,
        host: str,
    ) -> None:
        """``fields`` are the header fields in the order they came, names in lower case."""
        self.method = method
        self.target = target
        self.peer = peer
        self.secure = secure
        self.host = host
        self.status = 0
        self.sent = 0
        self.began = time.monotonic()
        self._wire = wire
        self._body = body
        self._fields: dict[str, list[str]] = {}
        for name, value in fields:
            self._fields.setdefault(name, []).append(value)
        self._actor: Actor | None = None
        self._compressor: Compressor | None = None
        self._finished = False

    # --- the request --------------------------------------------------------------------------

    @property
    def path(self) -> tuple[str, ...]:
        """The decoded names of the path; () is the root."""
        return self.target.path

    @property
    def raw_path(self) -> str:
        """The path as it was sent, without the query."""
        return self.target.raw_path

    @property
    def trailing_slash(self) -> bool:
        """Whether the path ends with a slash."""
        return self.target.trailing_slash

    @property
    def query(self) -> str:
        """What stands behind "?" as it was sent; "" without."""
        return self.target.query

    @property
    def base_url(self) -> str:
        """Scheme and host as this client uses them, without a slash at the end."""
        return f"{'https' if self.secure else 'http'}://{self.host}"

    def header(self, name: str) -> str | None:
        """A header field in any case (several of one name joined by ", "); None without.

        The octets are decoded as Latin-1, which loses nothing.
        """
        values = self._fields.get(name.lower())
        return ", ".join(values) if values else None

    def headers(self, name: str) -> list[str]:
        """All fields of a name, in the order they came."""
        return list(self._fields.get(name.lower(), ()))

    @property
    def content_length(self) -> int | None:
        """Octets of the body; 0 without one, None where it comes in chunks."""
        return self._body.length

    def local(self, reference: str) -> Target:
        """The target of a URL or absolute path that the client named (Destination, If, href).

        Raises ``BadTarget``, and ``OtherHost`` for another server's.
        """
        return parse_reference(reference, self.host)

    # --- who asks -----------------------------------------------------------------------------

    @property
    def actor(self) -> Actor:
        """Who signed in. Raises ``AuthenticationFailed`` where nobody did (see ``signed_in``)."""
        if self._actor is None:
            raise AuthenticationFailed
        return self._actor

    @property
    def signed_in(self) -> bool:
        """Whether there is an actor: always, but for OPTIONS and pages open to everybody."""
        return self._actor is not None

    def sign_in(self, actor: Actor) -> None:
        """The router found out who it is."""
        self._actor = actor

    def cut_off(self) -> None:
        """Whoever asks may not any more: drop the connection, whatever is under way."""
        self._wire.break_off()

    # --- the body -----------------------------------------------------------------------------

    async def read_body(self, limit: int) -> bytes:
        """The whole body in memory.

        A client that waits for 100 Continue gets it now: judge the request first. Raises
        ``TooLarge`` above ``limit`` octets, before reading where the length is known, and
        ``ClientGone``.
        """
        return await self._body.read(limit)

    async def read_piece(self) -> bytes:
        """Octets of the body as they come, some 256 KiB at most; b"" at the end.

        Raises ``ClientGone``.
        """
        return await self._body.piece()

    async def spool_body(self, place: Spooling, limit: int) -> bytes | BodySpool:
        """The whole body: in memory up to the place's inline limit, else in a spool.

        The client is not read while a piece is being written. The caller makes something of the
        spool or calls its ``discard``. Raises ``TooLarge`` above ``limit`` octets, ``ClientGone``,
        and what the place raises; nothing is left behind then.
        """
        return await self._body.spool(place, limit)

    # --- the answer ---------------------------------------------------------------------------

    @property
    def started(self) -> bool:
        """Whether the status was sent already."""
        return self.status != 0

    @property
    def finished(self) -> bool:
        """Whether the answer is complete."""
        return self._finished

    async def respond(self, status: int, fields: Fields = (), body: bytes = b"") -> None:
        """A whole answer. Content-Length is added, and not to be given; gzip where it helps.

        What is left of the request's body is dropped. Does nothing when the client has gone.
        """
        pairs = list(fields)
        if len(body) > PIECE or self._compress(status, pairs, len(body)) is not None:
            await self._respond_long(status, pairs, body)
            return
        self._start(status, pairs, None if status in NO_BODY else len(body))
        if self.method != "HEAD" and status not in NO_BODY:
            self._send(body)
        self.finish()

    async def start(self, status: int, fields: Fields = (), length: int | None = None) -> None:
        """Begin an answer that is written in pieces; XML and text without ETag may be gzipped.

        ``length`` is the number of octets, where known: it becomes Content-Length, and exactly
        that many have to be written (none for HEAD).
        """
        pairs = list(fields)
        self._compressor = self._compress(status, pairs, length)
        if self._compressor is not None:
            pairs += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
            length = None
        self._start(status, pairs, length)

    async def write(self, data: bytes) -> None:
        """A piece of the body; returns when the client can take more.

        Pieces of some 64 to 256 KiB are best. Nothing is sent for HEAD. Raises ``ClientGone``.
        """
        if self._wire.gone:
            raise ClientGone
        if self.method == "HEAD" or self.status in NO_BODY:
            return
        if self._compressor is not None:
            data = self._compressor.add(data)
        if data:
            self._send(data)
            await self._wire.drained()
            if self._wire.gone:
                raise ClientGone

    def finish(self) -> None:
        """The answer is complete. Does nothing the second time, or when the client has gone."""
        if self._finished:
            return
        if self._compressor is not None and self.method != "HEAD":
            self._send(self._compressor.end())
        self._finished = True
        if not self._wire.gone:
            self._wire.end()

    async def _respond_long(self, status: int, pairs: list[tuple[str, str]], body: bytes) -> None:
        await self.start(status, pairs, len(body))
        try:
            view = memoryview(body)
            for offset in range(0, len(body), PIECE):
                await self.write(bytes(view[offset : offset + PIECE]))
        except ClientGone:
            return
        self.finish()

    def _compress(
        self, status: int, pairs: list[tuple[str, str]], length: int | None
    ) -> Compressor | None:
        wanted = compressible(status, pairs, length, self.header("Accept-Encoding") or "")
        return Compressor() if wanted else None

    def _start(self, status: int, pairs: list[tuple[str, str]], length: int | None) -> None:
        assert not self.started, "one answer to one request"
        if not self._wire.gone:
            self._wire.head(status, pairs, length)
        self.status = status

    def _send(self, data: bytes) -> None:
        self.sent += len(data)
        if data and not self._wire.gone:
            self._wire.send(data)
