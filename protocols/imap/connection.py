"""One IMAP connection: octets in, commands run one after the other, octets out.

Input that arrives while a command runs stays in the framer, and the transport is paused when it
is too much. Output goes out in pieces of bounded size; a handler that sends much waits for the
client between them (``drain``). Large literals are written to the spool off the reactor.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet import interfaces
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer  # type: ignore[import-untyped]

from folkmoot.auth.peer import plain_address
from folkmoot.protocols import prompt
from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.deflate import Deflated
from folkmoot.protocols.imap.dispatch import Refused, execute, read_command
from folkmoot.protocols.imap.framer import (
    AFTER_LOGIN,
    BEFORE_LOGIN,
    Close,
    Command,
    Continue,
    Event,
    Framer,
    Line,
    Literal,
    LiteralHeader,
    MemorySink,
    Refuse,
    Rejected,
    Sink,
)
from folkmoot.protocols.imap.grammar import append_mailbox
from folkmoot.protocols.imap.progress import Progress
from folkmoot.protocols.imap.session import ConnectionLost, Session
from folkmoot.protocols.imap.spool import SpoolSink
from folkmoot.storage.types import Actor

if TYPE_CHECKING:
    from folkmoot.protocols.imap.server import ImapFactory

log = logging.getLogger("folkmoot.imap")

MAX_PENDING = 128 * 1024  # octets of input that wait behind a running command
MAX_MULTI = 4  # messages of full size that one MULTIAPPEND may hold
MAX_MEMORY = 1024 * 1024  # octets of one command's messages that need no spool
OUT_PIECE = 64 * 1024  # octets gathered before they are handed to the transport
FULL_PACKETS = 16 * 1024  # octets below which an answer waits for its end, to be sent with it
MAX_AT_ONCE = 200  # pipelined commands before other connections get their turn
MAX_BAD = 20  # commands in a row that make no sense: this is not a mail client
MAX_BAD_BEFORE_LOGIN = 5


@implementer(interfaces.IPushProducer)
class ImapConnection(Protocol):
    """See the module's text. Implements ``session.Wire``."""

    transport: Any  # TCP or TLS; Twisted's declared type knows neither startTLS nor producers

    def __init__(self, factory: ImapFactory) -> None:
        self._factory = factory
        self.limits = factory.limits
        self.hidden = factory.hidden
        self.plaintext_logins = False
        self.secure = factory.implicit_tls
        self.peer = ""
        self._framer = Framer(BEFORE_LOGIN, self._offer_literal)
        self.session = Session(self, factory.authenticator, factory.workspace_for)
        self._running = False
        self._pumping = False
        self._lost = False
        self._closing = False
        self._input_paused = False
        self._output_paused = False
        self._drained: list[Deferred[None]] = []
        self._out: list[bytes] = []
        self._out_size = 0
        self._line: tuple[Deferred[Line | None], int] | None = None
        self._spooling: SpoolSink | None = None
        self._deflated: Deflated | None = None
        self._compress: bool | None = None  # what changes behind the present reply
        self._progress = Progress(self, factory.reactor, self.limits.progress_seconds)
        self._bad = 0
        self._timeout: Any = None
        self._deadline = 0.0
        self._account = 0

    # --- transport ----------------------------------------------------------------------------

    def connectionMade(self) -> None:  # noqa: N802
        self.peer = plain_address(getattr(self.transport.getPeer(), "host", ""))
        self.plaintext_logins = self._factory.plaintext_logins(self.peer)
        # An answer in two pieces (IDLE's continuation, then its end) would otherwise wait 40 ms for
        # the client's delayed acknowledgement between them.
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)
        if not self._factory.arrived(self.peer):
            self._closing = True
            self.send(encoder.untagged("BYE", "Too many connections from your address", "LIMIT"))
            self._end(self.limits.refused_seconds)
            return
        self._restart_timeout(self.limits.login_seconds)
        code = f"CAPABILITY {self.session.capabilities()}"
        self.send(encoder.untagged("OK", f"{self._factory.hostname} Folkmoot ready", code))
        self.flush()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        self._lost = True
        self._stop_timeout()
        self._progress.stop()
        self._factory.connections.discard(self)
        self._framer.abort()
        if self._deflated is not None:
            self._deflated.lost()
        self.session.end()
        self._factory.left(self.peer, self._account)
        self._release_waiters()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self._closing:
            return
        self._restart_timeout()
        if self._deflated is not None:
            self._deflated.received(data)
        else:
            self.inflated(data)

    def inflated(self, data: bytes) -> None:
        """Take octets of commands."""
        if self._closing:
            return
        self._framer.feed(data)
        self._pump()

    def garbled(self) -> None:
        """What arrives is not what the client compressed."""
        self.close("The compressed data cannot be read")

    def pauseProducing(self) -> None:  # noqa: N802
        self._output_paused = True

    def resumeProducing(self) -> None:  # noqa: N802
        self._output_paused = False
        waiting, self._drained = self._drained, []
        for deferred in waiting:
            deferred.callback(None)
        self._pump()
        if not self._running:
            self.session.rested()

    def stopProducing(self) -> None:  # noqa: N802
        self._output_paused = False

    # --- what the session needs ---------------------------------------------------------------

    @property
    def can_start_tls(self) -> bool:
        return not self.secure and self._factory.tls is not None

    def send(self, data: bytes) -> None:
        self._progress.quiet = False
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size >= OUT_PIECE:
            self.flush()

    def flush(self) -> None:
        if self._out and not self._lost:
            prompt.write(self.transport, b"".join(self._out))
        self._out.clear()
        self._out_size = 0

    def drain(self) -> Deferred[None]:
        if self._out_size >= FULL_PACKETS:
            self.flush()
        deferred: Deferred[None] = Deferred()
        if self._lost:
            deferred.errback(ConnectionLost())
        elif self._output_paused:
            self._drained.append(deferred)
        else:
            deferred.callback(None)
        return deferred

    def next_line(self, max_length: int) -> Deferred[Line | None]:
        self.flush()
        deferred: Deferred[Line | None] = Deferred()
        if self._lost:
            deferred.errback(ConnectionLost())
            return deferred
        self._line = (deferred, max_length)
        self._pump_line()
        return deferred

    def start_tls(self) -> None:
        """Begin TLS; what the client sent behind STARTTLS is dropped."""
        assert self._factory.tls is not None
        self.flush()
        # It was not protected and must not be obeyed. # rfc9051#6.2.1
        self._framer.abort()
        self._framer = Framer(BEFORE_LOGIN, self._offer_literal)
        self.transport.startTLS(self._factory.tls)
        self.secure = True

    def signed_in(self, actor: Actor) -> bool:
        if not self._factory.account_arrived(actor.account_id):
            return False
        self._account = actor.account_id
        self._framer.limits = AFTER_LOGIN
        self._restart_timeout(self.limits.idle_seconds)
        return True

    def signed_out(self) -> None:
        self._factory.account_left(self._account)
        self._account = 0
        self._framer.limits = BEFORE_LOGIN
        self._restart_timeout(self.limits.login_seconds)

    @property
    def compressed(self) -> bool:
        return self._deflated is not None

    def compress_after_reply(self, on: bool) -> None:
        self._compress = on

    async def _switch_compression(self, on: bool) -> None:
        self.flush()
        await self.drain()
        if on:
            # rfc4978#3: what follows the command is compressed already.
            pending = self._framer.take_pending()
            self._deflated = Deflated(self.transport, self, self._factory.reactor)
            self.transport = self._deflated
            self._deflated.received(pending)
        elif self._deflated is not None:
            self.transport = self._deflated.detach()
            self._deflated = None
            self.transport.registerProducer(self, True)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self._factory.reactor.callLater(seconds, call)

    def take_turn(self) -> bool:
        # What the client has not taken yet is no reason to make more for it.
        if self._running or self._closing or self._lost or self._output_paused:
            return False
        self._running = True
        return True

    def give_turn(self) -> None:
        self._finished()

    def channel_bindings(self) -> dict[str, bytes]:
        return self._factory.channel_bindings(self.transport) if self.secure else {}

    def close(self, reason: str, code: str | None = None, patience: float | None = None) -> None:
        if self._closing or self._lost:
            return
        self._closing = True
        self.send(encoder.untagged("BYE", reason, code))  # rfc9051#7.1.5
        self._end(patience)

    def _end(self, patience: float | None = None) -> None:
        self.flush()
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        # A client that does not read keeps the connection no longer than this.
        self._restart_timeout(self.limits.close_seconds if patience is None else patience)

    # --- input --------------------------------------------------------------------------------

    def _pump(self) -> None:
        if self._pumping:  # a command that ends at once comes back here: the loop below goes on
            return
        self._pumping = True
        try:
            self._pump_line()
            self._pump_commands()
        finally:
            self._pumping = False
        self._balance_input()

    def _pump_commands(self) -> None:
        # A client that does not read its answers gets no new ones made: they would pile up here.
        for _ in range(MAX_AT_ONCE):
            if self._running or self._closing or self._lost or self._output_paused:
                return
            if self._flush_spool():
                return
            event = self._framer.next_event()
            if event is None:
                self._flush_spool()
                return
            self._handle(event)
        self._factory.reactor.callLater(0, self._pump)

    def _pump_line(self) -> None:
        if self._line is None:
            return
        deferred, max_length = self._line
        line = self._framer.next_line(max_length)
        if line is None:
            return
        self._line = None
        if isinstance(line, Close):
            self.close(line.reason)
            deferred.errback(ConnectionLost())
        else:
            deferred.callback(line if isinstance(line, Line) else None)

    def _balance_input(self) -> None:
        """Pause the transport while too much input waits, or the spool is being written."""
        spooling = self._spooling is not None and self._spooling.writing
        wanted = spooling or self._framer.pending > MAX_PENDING
        if wanted != self._input_paused and not self._lost:
            self._input_paused = wanted
            if wanted:
                self.transport.pauseProducing()
            else:
                self.transport.resumeProducing()

    def _flush_spool(self) -> bool:
        """Write what waits for the spool off the reactor; True while that is under way."""
        spool = self._spooling
        if spool is None:
            return False
        if spool.writing:
            return True
        if not spool.due:
            return False
        spool.flush().addBoth(lambda _: self._pump())
        return spool.writing

    def _handle(self, event: Event) -> None:
        match event:
            case Continue():
                self.send(encoder.continuation())
                self.flush()
            case Rejected(tag, refusal):
                if refusal.status == "NO":
                    line = encoder.tagged(tag or b"*", "NO", refusal.text, refusal.code)
                    self.send(line)
                    self.flush()
                else:
                    self._complain(tag, refusal.text, refusal.code)
            case Close(reason):
                self.close(reason)
            case Command():
                self._spooling = None
                self._running = True
                done = Deferred.fromCoroutine(self._run(event))
                done.addErrback(self._broken)
                done.addCallback(lambda _: self._finished())

    def _finished(self) -> None:
        self._running = False
        self._progress.end()
        self.flush()
        self._pump()
        if not self._running:
            self.session.rested()

    def _broken(self, failure: Failure) -> None:
        """A command died in a way that its own handling did not see."""
        if not isinstance(failure.value, ConnectionLost):
            log.error("connection closed after a fault", exc_info=failure.value)
            self.close("Internal error")

    def _offer_literal(self, header: LiteralHeader) -> Sink | Refuse:
        """Decide about a literal before any of its octets is taken."""
        if self.session.actor is None:
            return MemorySink()
        mailbox = append_mailbox(header.prefix, utf8=self.session.utf8)
        if mailbox is None:
            return MemorySink()
        before = sum(part.size for part in header.prefix if isinstance(part, Literal))
        limit = self.limits.append
        if header.size > limit or before + header.size > MAX_MULTI * limit:
            # rfc7889#4: refused before the client sends it.
            return Refuse("The message is larger than allowed", "NO", "TOOBIG")
        workspace = self.session.workspace
        in_memory = header.size <= workspace.inline_limit and before + header.size <= MAX_MEMORY
        self._spooling = SpoolSink(workspace, in_memory=in_memory)
        return self._spooling

    # --- commands -----------------------------------------------------------------------------

    async def _run(self, event: Command) -> None:
        session = self.session
        try:
            tag, entry, arguments = read_command(session, event)
        except Refused as refused:
            error = refused.error
            if error.status == "NO":
                self.send(encoder.tagged(refused.tag or b"*", "NO", error.text, error.code))
            else:
                self._complain(refused.tag, error.text, error.code)
            return
        self._bad = 0
        session.tag = tag
        self._progress.begin(tag)
        reply = await execute(session, entry, arguments)
        if self._closing or self._lost:
            return
        text = reply.text or f"{entry.name} completed"
        self.send(encoder.status_line(tag, reply.status, text, reply.code))  # type: ignore[arg-type]
        if session.logged_out:
            self._closing = True
            self._end()
        elif session.starting_tls:
            session.starting_tls = False
            self.start_tls()
        elif self._compress is not None:
            wanted, self._compress = self._compress, None
            await self._switch_compression(wanted)

    def _complain(self, tag: bytes | None, text: str, code: str | None = None) -> None:
        self.send(encoder.tagged(tag or b"*", "BAD", text, code))
        self.flush()
        self._bad += 1
        limit = MAX_BAD_BEFORE_LOGIN if self.session.actor is None else MAX_BAD
        if self._bad >= limit:
            self.close("Too many bad commands")

    # --- time ---------------------------------------------------------------------------------

    def _restart_timeout(self, seconds: float | None = None) -> None:
        reactor = self._factory.reactor
        if seconds is None:
            # Before login, nothing that the client sends buys it more time. After it, the timer
            # finds the new end when it fires: moving it each time costs as much as a command.
            if self.session.actor is not None:
                self._deadline = reactor.seconds() + self.limits.idle_seconds
            return
        self._stop_timeout()
        self._deadline = reactor.seconds() + seconds
        self._timeout = reactor.callLater(seconds, self._timed_out)

    def _stop_timeout(self) -> None:
        if self._timeout is not None and self._timeout.active():
            self._timeout.cancel()
        self._timeout = None

    def _timed_out(self) -> None:
        reactor = self._factory.reactor
        left = self._deadline - reactor.seconds()
        if left > 0:
            self._timeout = reactor.callLater(left, self._timed_out)
            return
        if self._closing:
            self.transport.abortConnection()
        elif self._running and self._line is None and self.session.actor is not None:
            self._restart_timeout(self.limits.idle_seconds)  # at work, not idle
            if self._output_paused:
                self.transport.abortConnection()  # a client that does not read its answer
        else:
            self.close("Autologout; idle for too long")

    def _release_waiters(self) -> None:
        waiting, self._drained = self._drained, []
        line, self._line = self._line, None
        for deferred in waiting:
            deferred.errback(ConnectionLost())
        if line is not None:
            line[0].errback(ConnectionLost())
