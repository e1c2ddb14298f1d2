"""What all HTTP connections of a listener share, and how a request is handed to the application."""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.web.http import HTTPFactory

from folkmoot.auth.peer import network_of
from folkmoot.protocols.http.body import BadBody, ClientGone
from folkmoot.protocols.http.channel import Channel
from folkmoot.protocols.http.errors import Refused, refusal
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.forwarded import Proxies
from folkmoot.protocols.http.limits import HttpLimits
from folkmoot.protocols.http.request import Request

log = logging.getLogger("folkmoot.http")

Application = Callable[[Exchange], Coroutine[Any, Any, None]]


class HttpFactory(HTTPFactory):
    """Makes connections for one listener, and counts them.

    ``secure`` says that the listener speaks TLS; wrap the factory then. ``counts`` (connections
    by network) is shared by all listeners of the server. ``proxies`` are believed when they say for
    whom they ask. ``hostname`` stands for the Host that a client of HTTP/1.0 does not send.
    """

    noisy = False

    def __init__(
        self,
        reactor: Any,
        application: Application,
        *,
        hostname: str,
        limits: HttpLimits,
        counts: Counter[str],
        secure: bool = False,
        proxies: Proxies | None = None,
    ) -> None:
        super().__init__(reactor=reactor)
        self.clock = reactor
        self.limits = limits
        self.hostname = hostname
        self.secure = secure
        self.proxies = proxies or Proxies()
        self.connections: set[Channel] = set()
        self._application = application
        self._counts = counts

    # --- connections --------------------------------------------------------------------------

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: N802
        """A connection. Twisted's own would choose HTTP/2 by TLS, which is not spoken here."""
        channel = Channel(self)
        channel.factory = self
        self.connections.add(channel)
        return channel

    def startFactory(self) -> None:  # noqa: N802
        """No access log of Twisted's."""

    def stopFactory(self) -> None:  # noqa: N802
        """Nothing was started."""

    def log(self, request: Any) -> None:
        """Requests are logged in ``serve``."""

    def arrived(self, peer: str) -> bool:
        """Count a connection; False when its address has too many."""
        network = network_of(peer)
        self._counts[network] += 1
        if self.proxies.trusted(peer):  # its connections are of many clients
            return True
        return self._counts[network] <= self.limits.connections_per_address

    def left(self, channel: Channel) -> None:
        """A connection ended."""
        self.connections.discard(channel)
        network = network_of(channel.peer)
        self._counts[network] -= 1
        if self._counts[network] <= 0:
            del self._counts[network]

    def close(self) -> None:
        """Take no further requests: idle connections end now, others after their answer."""
        for channel in [*self.connections]:
            channel.close_when_idle()

    def abort(self) -> None:
        """Cut off what is left."""
        for channel in [*self.connections]:
            channel.abort()

    # --- requests -----------------------------------------------------------------------------

    def serve(self, request: Request, exchange: Exchange) -> None:
        """Let the application answer; it never fails."""
        Deferred.fromCoroutine(self._serve(request, exchange))

    async def _serve(self, request: Request, exchange: Exchange) -> None:
        try:
            await self._answer(exchange)
        except ClientGone as error:
            if isinstance(error, BadBody) and not exchange.started:
                await _refuse(exchange, Refused(400, "The chunks of the body are broken."))
            else:
                request.break_off()
        except Exception:
            log.exception("an answer could not be sent")
            request.break_off()
        if log.isEnabledFor(logging.DEBUG):
            _log(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._application(exchange)
            assert exchange.finished, "the application left a request without an answer"
        except ClientGone:
            raise
        except Exception as error:
            known = refusal(error)
            if known is None:
                # The text of an unknown error may hold anything: the client gets a number to quote.
                log_id = secrets.token_hex(6)
                log.exception("%s failed, log id %s", exchange.method, log_id)
                known = Refused(500, f"Internal error, log id {log_id}.")
            if exchange.started:
                raise ClientGone from error  # too late for another answer: it must look broken
            await _refuse(exchange, known)


async def _refuse(exchange: Exchange, why: Refused) -> None:
    body = b"" if why.status in (204, 304) else why.text.encode() + b"\n"
    fields = [("Content-Type", "text/plain; charset=utf-8"), *why.fields]
    await exchange.respond(why.status, fields, body)


def _log(exchange: Exchange) -> None:
    log.debug(
        "request",
        extra={
            "method": exchange.method,
            "path": exchange.raw_path,
            "status": exchange.status,
            "octets": exchange.sent,
            "milliseconds": round((time.monotonic() - exchange.began) * 1000, 1),
            "peer": exchange.peer,
            "account": exchange.actor.account_id if exchange.signed_in else 0,
            "agent": exchange.header("User-Agent") or "",
        },
    )
