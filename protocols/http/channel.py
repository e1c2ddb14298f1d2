"""One HTTP connection: Twisted's parser, with the application asked as soon as the head is there.

Twisted reads a whole request, into memory or a file, before anybody looks at it. Here the
application runs when the head has come; it decides whether the body is wanted at all.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from folkmoot.auth.peer import plain_address
from folkmoot.protocols import prompt
from folkmoot.protocols.http.body import BadBody
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.request import Request
from folkmoot.protocols.http.target import BadTarget, is_host, parse_target

if TYPE_CHECKING:
    from folkmoot.protocols.http.server import HttpFactory

_MOST_DISCARDED = 64 * 2**20  # octets taken from a client that goes on sending after a refusal
_MOST_IN_TURN = 20  # requests that are answered before other connections have their turn


class Channel(HTTPChannel):
    """A connection of ``HttpFactory``. Requests are answered one after the other."""

    requestFactory: Any = Request  # noqa: N815
    transport: Any
    _networkProducer: Any  # noqa: N815
    _path: Any  # the target of the request, as it was sent
    requests: list[Request]
    _busyReceiving: bool  # noqa: N815

    def __init__(self, factory: HttpFactory) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.owner = factory
        limits = factory.limits
        self.MAX_LENGTH = limits.line
        self.totalHeadersSize = limits.head
        self.maxHeaders = limits.fields
        self.timeOut: Any = limits.idle_seconds
        self._deadline = math.inf
        self._timer: Any = None
        self.peer = ""
        self.keep = True
        self._limits = limits
        self._deaf = False  # what still comes is no HTTP
        self._shutting = False
        self._aborting: Any = None
        self._discarded = 0
        self._in_head = False
        self._in_turn = 0  # requests that were answered since octets came
        self._window = 0  # octets of a body that had come when its timer was last set
        self._drains: list[Deferred[None]] = []
        self._out: list[bytes] = []

    # --- life ---------------------------------------------------------------------------------

    def connectionMade(self) -> None:  # noqa: N802
        self.peer = plain_address(getattr(self.transport.getPeer(), "host", ""))
        super().connectionMade()  # type: ignore[no-untyped-call]
        if not self.owner.arrived(self.peer):
            self.refuse(503, "Too many connections from this address", self._limits.refused_seconds)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        for timer in (self._timer, self._aborting):
            if timer is not None and timer.active():
                timer.cancel()
        self._wake()
        self.owner.left(self)

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return not self.requests

    def close_when_idle(self) -> None:
        """The server stops: take no further request."""
        self.keep = False
        if self.idle:
            self._shut()

    def abort(self) -> None:
        """Drop the connection now."""
        self._shutting = True
        self.transport.abortConnection()

    # --- input --------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self._shutting or self._deaf:
            self._discarded += len(data)
            if self._discarded > _MOST_DISCARDED:
                self.abort()
            return
        self._begin_head()
        if not self._busyReceiving:
            self._in_turn = 0
        # Not HTTPChannel's own, which takes any octet for a sign of life.
        super(HTTPChannel, self).dataReceived(data)  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        if not self._shutting:  # what a refused client had sent already
            self._begin_head()
            super().lineReceived(line)  # type: ignore[no-untyped-call]

    def _begin_head(self) -> None:
        """Octets came: of the next request, if none is under way."""
        if not self.requests and not self._in_head:
            self._in_head = True
            self.setTimeout(self._limits.head_seconds)

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802
        if not self._shutting and not self._deaf:
            super().rawDataReceived(data)
            if self.requests:
                self.requests[-1].feed_body()

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        first = not self.requests
        self.refuse(414 if first else 431, "Line too long")

    def headerReceived(self, line: bytes) -> bool:  # noqa: N802
        name, _, value = line.partition(b":")
        lower = name.lower()
        if lower == b"content-length" and len(value.strip()) > 18:
            return self._bad()
        # rfc9112#6.1: "identity" is no transfer coding any more, and would hide a body.
        if lower == b"transfer-encoding" and value.strip().lower() != b"chunked":
            self.refuse(501, "Only the chunked transfer coding is known here")
            return False
        if not super().headerReceived(line):  # type: ignore[no-untyped-call]
            return False
        text = value.strip(b" \t").decode("latin-1")
        self.requests[-1].fields.append((lower.decode("latin-1"), text))
        return True

    def allHeadersReceived(self) -> None:  # noqa: N802
        if self._shutting:
            return
        request = self.requests[-1]
        method, version, length = self._command, self._version, self.length
        self.persistent = self.checkPersistence(request, version)  # type: ignore[no-untyped-call]
        hosts = [value for name, value in request.fields if name == "host"]
        # rfc9112#3.2
        if len(hosts) > 1 or (version == b"HTTP/1.1" and not hosts):
            self._bad()
            return
        host = hosts[0] if hosts else self.owner.hostname
        if not is_host(host) or (length is None and version != b"HTTP/1.1"):
            self._bad()
            return
        try:
            target = parse_target(self._path)
        except BadTarget:
            self._bad()
            return
        request.begin(method, version, length)
        self._in_head = False
        self._window = 0
        self.setTimeout(self._limits.body_seconds)
        proxies = self.owner.proxies
        exchange = Exchange(
            request,
            request.body,
            method.decode("ascii"),
            target,
            request.fields,
            peer=proxies.client(self.peer, request.fields),
            secure=self.owner.secure or proxies.secure(self.peer, request.fields),
            host=host,
        )
        self.owner.serve(request, exchange)

    def allContentReceived(self) -> None:  # noqa: N802
        if not self._shutting:
            super().allContentReceived()  # type: ignore[no-untyped-call]

    # --- the ends of requests -----------------------------------------------------------------

    def will_stay(self, request: Request) -> bool:
        """Whether the connection goes on after this request; asked when the answer begins."""
        # rfc9112#9.3
        body = request.body
        if not body.complete:
            rest = (body.length or 0) - body.received
            if request.expected or rest > self._limits.drain:
                self.keep = False
        return self.keep and bool(self.persistent)

    def answer_over(self, request: Request) -> None:
        """All of the answer was sent."""
        self.flush()
        body = request.body
        if body.complete:
            self._request_over(request)
        elif body.length == 0:
            return  # its end is about to be noticed, in this very turn
        elif not self.keep or not self.persistent:
            self._shut()
        else:
            self._window = body.received
            body.discard()

    def body_unwanted(self, request: Request) -> None:
        """More of a body came that was answered already."""
        if request.body.received - self._window > self._limits.drain:
            self._shut()

    def body_drained(self, request: Request) -> None:
        """The rest of a body that was answered before has come."""
        self._request_over(request)

    def body_over(self) -> None:
        """All of the body has come; the answer is still to be given."""
        if self._waitingForTransport:
            self.setTimeout(self._limits.stall_seconds)

    def _request_over(self, request: Request) -> None:
        self._savedTimeOut = self._limits.idle_seconds
        self.persistent = self.persistent and self.keep
        self._in_turn += 1
        if self._in_turn < _MOST_IN_TURN:
            self.requestDone(request)  # type: ignore[no-untyped-call]
        else:
            self.owner.clock.callLater(0, self._go_on, request)

    def _go_on(self, request: Request) -> None:
        """Look at the next request, now that others have had their turn."""
        if request in self.requests and not request.gone and not self._shutting:
            self.requestDone(request)  # type: ignore[no-untyped-call]

    # --- flow ---------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Octets for the client; they go out with ``flush``."""
        self._out.append(data)

    def flush(self) -> None:
        """Send what was gathered."""
        data = b"".join(self._out)
        self._out.clear()
        if not data or self._shutting:
            return
        prompt.write(self.transport, data)

    def drained(self) -> Deferred[None]:
        """Fires when there is room for more octets, or nobody to take them."""
        self.flush()
        if not self._waitingForTransport:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._drains.append(waiting)
        return waiting

    def hold_body(self) -> None:
        """Stop reading: enough of a body is waiting to be worked on."""
        self._networkProducer.pauseProducing()

    def release_body(self) -> None:
        """Go on reading."""
        if not self._waitingForTransport or self._handlingRequest:
            self._networkProducer.resumeProducing()

    def pauseProducing(self) -> None:  # noqa: N802
        super().pauseProducing()  # type: ignore[no-untyped-call]
        self.setTimeout(self._limits.stall_seconds)

    def resumeProducing(self) -> None:  # noqa: N802
        self._waitingForTransport = False
        if not self._handlingRequest and not (self.requests and self.requests[0].body.full):
            self._networkProducer.resumeProducing()
        if self._handlingRequest:
            self.setTimeout(None)
        elif self.requests and not self._in_head:
            self._watch_body()
        elif not self._in_head:
            self.setTimeout(self._limits.idle_seconds)
        self._wake()

    def _wake(self) -> None:
        waiting, self._drains = self._drains, []
        for one in waiting:
            one.callback(None)

    # --- time ---------------------------------------------------------------------------------

    def setTimeout(self, period: float | None) -> Any:  # noqa: N802
        """What comes next has so many seconds, from now; None is any. Returns what was set before.

        One timer is moved only when it would be late: a request sets four of these, and the
        reactor's timers cost more than its parsing.
        """
        previous, self.timeOut = self.timeOut, period
        if period is None:
            self._deadline = math.inf
            return previous
        self._deadline = self.owner.clock.seconds() + period
        if self._timer is None or self._timer.getTime() > self._deadline:
            self._arm()
        return previous

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait = max(self._deadline - self.owner.clock.seconds(), 0)
        self._timer = self.owner.clock.callLater(wait, self._timer_ran_out)

    def _timer_ran_out(self) -> None:
        self._timer = None
        if self._deadline == math.inf:
            return
        if self._deadline > self.owner.clock.seconds():
            self._arm()
        else:
            self.timeoutConnection()

    def timeoutConnection(self) -> None:  # noqa: N802
        """A timer of one of the phases ran out: idle, head, body, or an answer not taken."""
        if self._shutting:
            return
        if self._waitingForTransport:
            self.abort()
        elif self.requests and not self._handlingRequest and not self._in_head:
            self._body_late(self.requests[0])
        elif self.requests or self._in_head:
            self.refuse(408, "The request took too long")
        else:
            self._shut()

    def _body_late(self, request: Request) -> None:
        """A body has to come at some rate, unless it is this side that does not read."""
        body = request.body
        if not body.full and body.received - self._window < self._limits.body_rate:
            self.abort()
            return
        self._watch_body()

    def _watch_body(self) -> None:
        self._window = self.requests[0].body.received
        self.setTimeout(self._limits.body_seconds)

    # --- refusals and ends --------------------------------------------------------------------

    def refuse(self, status: int, text: str, patience: float | None = None) -> None:
        """Answer what is no request that could be handled, and close."""
        if self._shutting:
            return
        body = text.encode() + b".\n"
        self.send(
            b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%b"
            % (status, text.encode(), len(body), body)
        )
        self.flush()
        self._shut(patience)

    def _bad(self) -> bool:
        self.refuse(400, "Bad request")
        return False

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        """Twisted found something wrong in the head, or in the chunks of a body."""
        if not self._in_head:
            # Whoever reads the body decides about the answer, which may be under way.
            self._deaf = True
            self.keep = False
            self.requests[-1].body.fail(BadBody())
        elif self._receivedHeaderSize > self.totalHeadersSize:
            self.refuse(431, "Header too large")
        elif self._receivedHeaderCount > self.maxHeaders:
            self.refuse(431, "Too many header fields")
        else:
            self._bad()

    def loseConnection(self) -> None:  # noqa: N802
        """After the last answer, which may still be on its way."""
        self._shut(self._limits.stall_seconds)

    def _shut(self, seconds: float | None = None) -> None:
        """Close in good order: what was sent arrives, though the client may still be sending.

        Closing a socket with octets unread resets it, and the answer could be lost. A client that
        does not do its part in ``seconds`` is dropped.
        """
        if self._shutting:
            return
        self._shutting = True
        self.keep = False
        self.setTimeout(None)
        sending = bool(self.requests) or self._in_head
        self._aborting = self.owner.clock.callLater(
            seconds or self._limits.linger_seconds, self.transport.abortConnection
        )
        self._networkProducer.resumeProducing()
        self._networkProducer.unregisterProducer()
        if sending and not self.owner.secure:
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()
        for request in self.requests:
            request.body.fail()
