"""Handing messages on to a next hop by SMTP (RFC 5321), one connection for several messages."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

from folkmoot.protocols.smtp.parameters import encode_original, encode_xtext
from folkmoot.protocols.smtp.paths import ascii_domain, split_address
from folkmoot.protocols.smtp.peer import Peer, PeerError, PeerReply, Timeouts
from folkmoot.protocols.smtp.routing import Hop
from folkmoot.storage.types_mail import (
    MailEnvelope,
    MailRecipient,
    Notify,
    Return,
    SendResult,
    SendState,
)


class TlsMode(StrEnum):
    """How a connection is secured. OPPORTUNISTIC takes what it gets, and checks nothing."""

    # rfc7435#3

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """How to speak to next hops. ``username`` "" is: without AUTH.

    ``tls_context`` checks certificates (for STARTTLS and IMPLICIT); None takes the system's
    authorities.
    """

    hostname: str
    tls: TlsMode = TlsMode.OPPORTUNISTIC
    username: str = ""
    password: str = ""
    tls_context: ssl.SSLContext | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to hand on; ``chunks`` yields its octets and is used once."""

    envelope: MailEnvelope
    recipients: Sequence[MailRecipient]
    size: int
    chunks: AsyncIterator[bytes]


@cache
def _checked_context() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _unchecked_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # rfc7435#3: for want of a name to check, any encryption is better than none
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class RelayConnection:
    """An open, greeted, secured and signed-in connection to one hop."""

    def __init__(self, peer: Peer, options: RelayOptions) -> None:
        self._peer = peer
        self._options = options
        self._features: dict[str, str] = {}

    @property
    def host(self) -> str:
        """The name of the hop."""
        return self._peer.hop.host

    @classmethod
    async def open(cls, hop: Hop, options: RelayOptions) -> RelayConnection:
        """Connect and get ready. Raises PeerError or Refused.

        A hop whose opportunistic TLS fails is tried again in clear.
        """
        if options.tls is not TlsMode.OPPORTUNISTIC:
            return await cls._open(hop, options, starttls=options.tls is TlsMode.STARTTLS)
        try:
            return await cls._open(hop, options, starttls=True)
        except TlsFailed:
            return await cls._open(hop, options, starttls=False)

    @classmethod
    async def _open(cls, hop: Hop, options: RelayOptions, *, starttls: bool) -> RelayConnection:
        implicit = None
        if options.tls is TlsMode.IMPLICIT:
            implicit = options.tls_context or _checked_context()
        peer = await Peer.connect(hop, options.timeouts, implicit)
        connection = cls(peer, options)
        try:
            greeting = await peer.reply(options.timeouts.greeting)
            _demand(greeting, 220, hop)
            await connection._hello()
            if starttls:
                await connection._start_tls()
            if options.username:
                await connection._sign_in()
        except BaseException:
            peer.abort()
            raise
        return connection

    async def _hello(self) -> None:
        reply = await self._peer.command(f"EHLO {self._options.hostname}")
        if reply.code // 100 == 5:
            # rfc5321#3.2: an old server
            self._features = {}
            reply = await self._peer.command(f"HELO {self._options.hostname}")
            _demand(reply, 250, self._peer.hop)
            return
        _demand(reply, 250, self._peer.hop)
        pairs = [line.partition(" ") for line in reply.lines[1:]]
        self._features = {name.upper(): value for name, _, value in pairs}

    async def _start_tls(self) -> None:
        required = self._options.tls is TlsMode.STARTTLS
        if "STARTTLS" not in self._features:
            if required:
                raise PeerError(f"{self.host} does not offer STARTTLS")
            return
        reply = await self._peer.command("STARTTLS")
        if reply.code == 220:
            try:
                await self._peer.start_tls(
                    (self._options.tls_context or _checked_context())
                    if required
                    else _unchecked_context()
                )
            except PeerError as error:
                raise TlsFailed(error.text) from error
            await self._hello()
        elif required:
            raise PeerError(f"{self.host} refused STARTTLS")

    async def _sign_in(self) -> None:
        # rfc4954#9: a password does not cross a connection that others may read
        if not self._peer.secure and self._options.tls is not TlsMode.NONE:
            raise PeerError(f"The connection with {self.host} is not private, not signing in")
        name, password = self._options.username, self._options.password
        mechanisms = self._features.get("AUTH", "").upper().split()
        if "PLAIN" in mechanisms:
            reply = await self._peer.command("AUTH PLAIN " + _base64(f"\0{name}\0{password}"))
        elif "LOGIN" in mechanisms:
            reply = await self._peer.command("AUTH LOGIN")
            for answer in (name, password):
                if reply.code == 334:
                    reply = await self._peer.command(_base64(answer))
        else:
            raise PeerError(f"{self.host} offers no way to sign in that is known here")
        if reply.code != 235:
            raise PeerError(f"{self.host} refused the login: {reply.text}")

    # --- one message -------------------------------------------------------------------------

    async def send(self, message: Outgoing) -> list[SendResult]:
        """Hand one message on; one result per recipient, in order.

        Raises PeerError when the connection broke before anything was decided. When this raises
        or ``usable`` says no, the connection is to be closed.
        """
        refusal = self._impossible(message)
        if refusal is not None:
            return [_result(one, SendState.FAILED, *refusal) for one in message.recipients]
        envelope = message.envelope
        lines = [self._mail(message), *(self._rcpt(one) for one in message.recipients)]
        mail, *rcpts = await self._exchange(lines)
        if mail.code // 100 != 2:
            await self._reset()
            return [self._judged(one, mail) for one in message.recipients]
        accepted = [reply.code // 100 == 2 for reply in rcpts]
        if not any(accepted):
            await self._reset()
            return [
                self._judged(one, reply)
                for one, reply in zip(message.recipients, rcpts, strict=True)
            ]
        final = await self._data(message)
        notified = "DSN" in self._features
        return [
            self._judged(one, final if was else reply, notified=notified and bool(envelope.sender))
            for one, reply, was in zip(message.recipients, rcpts, accepted, strict=True)
        ]

    async def close(self) -> None:
        """Say goodbye."""
        await self._peer.quit()

    def abort(self) -> None:
        """Close at once."""
        self._peer.abort()

    def _impossible(self, message: Outgoing) -> tuple[str, str] | None:
        """Return (status, text) when the hop says beforehand that it will not take this."""
        if message.envelope.utf8 and "SMTPUTF8" not in self._features:
            # rfc6531#3.5
            return "5.6.7", "550 5.6.7 The next hop does not know SMTPUTF8"
        if message.envelope.eight_bit and "8BITMIME" not in self._features:
            # rfc6152#3: such a hop must not be given 8-bit content, and we do not rewrite it
            return "5.6.3", "550 5.6.3 The next hop does not take 8-bit content"
        limit = self._features.get("SIZE", "")
        if limit.isascii() and limit.isdigit() and 0 < int(limit[:20]) < message.size:
            # rfc1870#5
            return "5.3.4", f"552 5.3.4 The message is larger than the next hop takes ({limit})"
        return None

    def _mail(self, message: Outgoing) -> str:
        envelope = message.envelope
        words = [f"MAIL FROM:<{self._address(envelope.sender, envelope.utf8)}>"]
        if "SIZE" in self._features:
            words.append(f"SIZE={message.size}")
        if envelope.eight_bit:
            words.append("BODY=8BITMIME")
        if envelope.utf8:
            words.append("SMTPUTF8")
        if "DSN" in self._features:
            if envelope.returns is not Return.UNSAID:
                words.append(f"RET={envelope.returns}")
            if envelope.envelope_id:
                words.append(f"ENVID={encode_xtext(envelope.envelope_id)}")
        return " ".join(words)

    def _rcpt(self, recipient: MailRecipient) -> str:
        words = [f"RCPT TO:<{self._address(recipient.address, not recipient.address.isascii())}>"]
        if "DSN" in self._features:
            if recipient.notify is not Notify.UNSAID:
                words.append("NOTIFY=" + ",".join(str(one.name) for one in recipient.notify))
            if recipient.original:
                words.append(f"ORCPT={encode_original(recipient.original)}")
        return " ".join(words)

    def _address(self, address: str, utf8: bool) -> str:
        if not address or utf8:
            return address
        local, domain = split_address(address)
        return f"{local}@{ascii_domain(domain) or domain}"

    async def _exchange(self, lines: Sequence[str]) -> list[PeerReply]:
        timeouts = self._options.timeouts
        if "PIPELINING" not in self._features:
            return [await self._peer.command(line) for line in lines]
        octets = "".join(f"{line}\r\n" for line in lines).encode()
        await self._peer.send(octets, timeouts.command)
        return [await self._peer.reply(timeouts.command) for _ in lines]

    async def _data(self, message: Outgoing) -> PeerReply:
        timeouts = self._options.timeouts
        reply = await self._peer.command("DATA", timeouts.data_begin)
        if reply.code != 354:
            await self._reset()
            return reply
        async for block in stuffed(message.chunks):
            await self._peer.send(block, timeouts.data_block)
        try:
            return await self._peer.reply(timeouts.data_end)
        except PeerError as error:
            raise Undecided(error.text) from error

    async def _reset(self) -> None:
        _demand(await self._peer.command("RSET"), 250, self._peer.hop)

    def _judged(
        self, recipient: MailRecipient, reply: PeerReply, *, notified: bool = False
    ) -> SendResult:
        match reply.code // 100:
            case 2:
                state = SendState.SENT
            case 5:
                state = SendState.FAILED
            case _:
                state = SendState.DEFERRED
        notified = notified and state is SendState.SENT
        return SendResult(recipient.address, state, reply.status, reply.text, self.host, notified)


class Undecided(PeerError):
    """The whole message was sent, and no answer came: it may have been taken."""


class TlsFailed(PeerError):
    """The TLS handshake failed."""


class Refused(PeerError):
    """The hop does not want to talk to us; ``reply`` says why."""

    def __init__(self, reply: PeerReply, hop: Hop) -> None:
        super().__init__(f"{hop.host} said: {reply.text}")
        self.reply = reply


def _demand(reply: PeerReply, code: int, hop: Hop) -> None:
    if reply.code != code:
        raise Refused(reply, hop)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _result(recipient: MailRecipient, state: SendState, status: str, reply: str) -> SendResult:
    return SendResult(recipient.address, state, status, reply)


async def stuffed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the octets as DATA wants them: dots doubled, line ends CRLF, the end marked.

    Bare CR and LF become CRLF: a host behind us might take them for line ends, and what follows
    for the end of the message.
    """
    at_line_start = True
    held_cr = b""
    async for chunk in chunks:
        piece = held_cr + chunk
        # A CR at the end of a chunk may belong to an LF that has not come yet.
        held_cr = b"\r" if piece.endswith(b"\r") else b""
        if held_cr:
            piece = piece[:-1]
        if not piece:
            continue
        piece = _crlf(piece)
        # rfc5321#4.5.2
        doubled = piece.replace(b"\r\n.", b"\r\n..")
        if at_line_start and doubled.startswith(b"."):
            doubled = b"." + doubled
        at_line_start = piece.endswith(b"\r\n")
        yield doubled
    if held_cr:
        yield b"\r\n"
        at_line_start = True
    yield b".\r\n" if at_line_start else b"\r\n.\r\n"


def _crlf(octets: bytes) -> bytes:
    pairs = octets.count(b"\r\n")
    if octets.count(b"\n") == pairs and octets.count(b"\r") == pairs:
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
