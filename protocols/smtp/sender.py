"""One attempt to hand a queued message on: into a mailbox here, or to a next hop."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from folkmoot.protocols.smtp.errors import permanent, reply_to
from folkmoot.protocols.smtp.headers import header_length, return_path, values, without
from folkmoot.protocols.smtp.intake import MailIntake, OutboundQueue
from folkmoot.protocols.smtp.peer import PeerError
from folkmoot.protocols.smtp.relay import (
    Outgoing,
    Refused,
    RelayConnection,
    RelayOptions,
    Undecided,
)
from folkmoot.protocols.smtp.routing import (
    Hop,
    Resolver,
    RoutingError,
    fixed_route,
    mx_route,
)
from folkmoot.protocols.smtp.signing import Signer
from folkmoot.protocols.smtp.spool import Spool
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types_mail import (
    MailRecipient,
    QueuedMessage,
    SendResult,
    SendState,
    Standing,
)

log = logging.getLogger(__name__)

# The destination of mail for a smarthost, whatever the domains of its recipients are.
SMARTHOST = "*"

_RETURN_PATH = frozenset({b"return-path"})
_DOMAIN = re.compile(rb"@([A-Za-z0-9.\x80-\xff-]+)")


@dataclass(frozen=True, slots=True)
class Smarthost:
    """A mail server that takes everything."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Routes:
    """Where mail for elsewhere goes: to the smarthost, or where ``resolver`` says.

    ``mx_port`` and ``public_only`` are for tests with a next hop on this machine.
    """

    resolver: Resolver
    smarthost: Smarthost | None = None
    mx_port: int = 25
    public_only: bool = True


class Sender:
    """Makes attempts. ``options`` say how to speak to next hops."""

    def __init__(
        self,
        queue: OutboundQueue,
        intake: MailIntake,
        routes: Routes,
        options: RelayOptions,
        signer: Signer,
        *,
        header_limit: int = 1024 * 1024,
    ) -> None:
        self._queue = queue
        self._intake = intake
        self._routes = routes
        self._options = options
        self._signer = signer
        self._header_limit = header_limit

    def destination(self, domain: str) -> str:
        """Return what recipients must share to be handed on together."""
        return SMARTHOST if self._routes.smarthost is not None else domain

    async def send(
        self, message: QueuedMessage, domain: str, recipients: Sequence[MailRecipient]
    ) -> list[SendResult]:
        """Try once; one result for each recipient, in order.

        Raises StorageError and OSError when the message cannot be read.
        """
        results: dict[str, SendResult] = {}
        elsewhere: list[MailRecipient] = []
        for one in recipients:
            found = await self._intake.resolve(one.address)
            if found.standing is Standing.REMOTE:
                elsewhere.append(one)
            else:
                results[one.address] = await self._deliver(message, one)
        if elsewhere:
            for result in await self._relay(message, domain, elsewhere):
                results[result.address] = result
        return [results[one.address] for one in recipients]

    # --- here --------------------------------------------------------------------------------

    async def _deliver(self, message: QueuedMessage, recipient: MailRecipient) -> SendResult:
        """Store a copy in a mailbox of this server: for reports, and for what had no room."""

        def stamp(header: bytes) -> bytes:
            return return_path(message.sender) + without(header, _RETURN_PATH)

        limit = message.size + 1024
        spool = Spool(stamp, self._intake.spool, size_limit=limit, header_limit=self._header_limit)
        try:
            async for chunk in self._queue.chunks(message):
                await spool.add(chunk)
            await spool.finish()
            envelope = message.envelope((recipient,))
            (outcome,) = await self._intake.deliver(envelope, spool, message.account_id)
        finally:
            await spool.close()
        if outcome.error is None:
            return SendResult(recipient.address, SendState.SENT, "2.1.5", "250 2.1.5 Delivered")
        reply = reply_to(outcome.error)
        failed = permanent(reply) or isinstance(outcome.error, NotFound)
        state = SendState.FAILED if failed else SendState.DEFERRED
        return SendResult(recipient.address, state, reply.status, reply.line())

    # --- elsewhere ---------------------------------------------------------------------------

    async def _relay(
        self, message: QueuedMessage, domain: str, recipients: Sequence[MailRecipient]
    ) -> list[SendResult]:
        try:
            hops = await self._route(domain)
        except RoutingError as error:
            code = 550 if error.state is SendState.FAILED else 451
            reply = f"{code} {error.status} {error.text}"
            return [SendResult(one.address, error.state, error.status, reply) for one in recipients]
        return await self._try_hops(message, recipients, hops)

    async def _route(self, domain: str) -> list[Hop]:
        routes = self._routes
        if routes.smarthost is not None:
            return await fixed_route(routes.smarthost.host, routes.smarthost.port)
        return await mx_route(
            routes.resolver,
            domain,
            self._options.hostname,
            port=routes.mx_port,
            public_only=routes.public_only,
        )

    async def _try_hops(
        self, message: QueuedMessage, recipients: Sequence[MailRecipient], hops: Sequence[Hop]
    ) -> list[SendResult]:
        """Try one hop after the other until one decides something (RFC 5321 section 5.1)."""
        assert hops
        failure: PeerError | None = None
        for hop in hops:
            try:
                return await self._try_hop(message, recipients, hop)
            except PeerError as error:
                log.info("message %d: %s", message.id, error.text)
                failure = error
                if isinstance(error, Undecided):
                    # It may have taken the message: asking another one now would double it.
                    break
        assert failure is not None
        if isinstance(failure, Refused):
            reply = failure.reply
            state = SendState.FAILED if reply.code >= 500 else SendState.DEFERRED
            return [
                SendResult(one.address, state, reply.status, reply.text, hops[-1].host)
                for one in recipients
            ]
        text = f"451 4.4.1 {failure.text}"
        return [SendResult(one.address, SendState.DEFERRED, "4.4.1", text) for one in recipients]

    async def _try_hop(
        self, message: QueuedMessage, recipients: Sequence[MailRecipient], hop: Hop
    ) -> list[SendResult]:
        top, offset = await self._top(message)
        connection = await RelayConnection.open(hop, self._options)
        try:
            results = await connection.send(
                Outgoing(
                    message.envelope(tuple(recipients)),
                    recipients,
                    len(top) + message.size - offset,
                    self._outgoing(message, top, offset),
                )
            )
        except BaseException:
            # Never a goodbye in the middle of DATA: the peer must not take half a message.
            connection.abort()
            raise
        await connection.close()
        return results

    async def _top(self, message: QueuedMessage) -> tuple[bytes, int]:
        """Return the header block to send, and where the body begins in the stored octets."""
        stored = b""
        length = -1
        async for chunk in self._queue.chunks(message):
            stored += chunk
            length = header_length(stored)
            if length >= 0 or len(stored) > 2 * self._header_limit:
                break
        offset = length if length >= 0 else len(stored)
        # rfc5321#4.4: Return-Path is of the final delivery only
        header = without(stored[:offset], _RETURN_PATH)
        signature = await self._signer.field(
            _author_domain(header), header, self._queue.chunks(message, offset)
        )
        return signature + header, offset

    async def _outgoing(
        self, message: QueuedMessage, top: bytes, offset: int
    ) -> AsyncIterator[bytes]:
        yield top
        async for chunk in self._queue.chunks(message, offset):
            yield chunk


def _author_domain(header: bytes) -> str:
    """Return the domain of the From address: the one whose signature counts (RFC 7489 3.1.1)."""
    domains = _DOMAIN.findall(b"".join(values(header, b"from")[:1]))
    return domains[-1].decode("utf-8", "replace").lower() if domains else ""
