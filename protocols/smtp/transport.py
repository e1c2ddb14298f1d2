"""Lets a session, which is a protocol of asyncio's as aiosmtpd is, live on a Twisted connection.

So all listeners of the server have one kind of connection, and one TLS, whose keying material SASL
can be bound to (RFC 9266), which Python's own ``ssl`` does not give.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

from folkmoot.protocols import prompt

CLOSE_SECONDS = 20.0  # for a client to take the last octets, or to end a TLS handshake


class Transport(asyncio.Transport):
    """asyncio's view of a Twisted transport."""

    def __init__(self, transport: Any, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.twisted = transport
        self._protocol = protocol
        self._closing = False
        self._lost = False
        self._aborting: asyncio.TimerHandle | None = None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``peername``, and with TLS the name of the ``cipher``."""
        if name == "peername":
            peer = self.twisted.getPeer()
            return (peer.host, peer.port) if hasattr(peer, "port") else default
        handle = self.twisted.getHandle()
        if not isinstance(handle, SSL.Connection):
            return default
        return (handle.get_cipher_name() or default) if name == "cipher" else default

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Send what is written, then close."""
        self.close_within(CLOSE_SECONDS)

    def close_within(self, seconds: float) -> None:
        """The same; a client that has not taken it in time is cut off."""
        if not self._closing:
            self._closing = True
            self._aborting = asyncio.get_running_loop().call_later(seconds, self.abort)
            # Twisted keeps a connection open for as long as somebody produces for it.
            self.twisted.unregisterProducer()
            self.twisted.loseConnection()

    def abort(self) -> None:
        if not self._lost:
            self._closing = True
            self.twisted.abortConnection()

    def lost(self) -> None:
        """The connection is gone: nothing reaches Twisted's transport any more."""
        self._closing = self._lost = True
        if self._aborting is not None:
            self._aborting.cancel()

    def pause_reading(self) -> None:
        if not self._closing:
            self.twisted.pauseProducing()

    def resume_reading(self) -> None:
        if not self._closing:
            self.twisted.resumeProducing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        prompt.write(self.twisted, bytes(data))

    def can_write_eof(self) -> bool:
        return False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def start_tls(self, creator: Any) -> None:
        """Go on with TLS as the server's side, behind all that was written."""
        self.twisted.startTLS(creator)


@implementer(IHalfCloseableProtocol, IPushProducer)
class Connection(Protocol):
    """Twisted's view of a session."""

    transport: Any  # TCP or TLS; Twisted's declared type knows neither startTLS nor producers

    def __init__(self, session: asyncio.Protocol, gone: Callable[[], None]) -> None:
        self._session = session
        self._gone = gone

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's names
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)
        self._side = Transport(self.transport, self._session)
        self._session.connection_made(self._side)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self._session.data_received(data)

    def readConnectionLost(self) -> None:  # noqa: N802
        """The client has closed its side."""
        self._session.eof_received()

    def writeConnectionLost(self) -> None:  # noqa: N802
        """The server does not close its side alone."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        clean = isinstance(reason.value, ConnectionDone)
        self._side.lost()
        self._session.connection_lost(None if clean else ConnectionResetError())
        self._gone()

    def pauseProducing(self) -> None:  # noqa: N802
        """The client takes less than is sent."""
        self._session.pause_writing()

    def resumeProducing(self) -> None:  # noqa: N802
        self._session.resume_writing()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is lost; ``connectionLost`` says so."""
