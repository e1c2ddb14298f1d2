"""One connection of a mail client or an MTA: commands in, replies out.

aiosmtpd carries the connection. Its own command loop, DATA reader and replies are not used:
they hold whole messages in memory, accept bare line ends, know no enhanced status codes and
print the text of exceptions.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP

from folkmoot.auth.peer import plain_address
from folkmoot.protocols.smtp import replies
from folkmoot.protocols.smtp.errors import reply_to
from folkmoot.protocols.smtp.parameters import MailParameters
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.protocols.smtp.service import Service
from folkmoot.protocols.smtp.spool import Spool
from folkmoot.protocols.smtp.transport import Transport
from folkmoot.protocols.smtp.wire import READ_SIZE, LineTooLong, Wire
from folkmoot.storage.types import Actor
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient

log = logging.getLogger(__name__)
# aiosmtpd tells each command to this logger, addresses of people included.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class Hangup(Exception):
    """Send a last reply and close the connection."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


@dataclass(slots=True)
class Transaction:
    """One message on its way: what MAIL and RCPT said so far."""

    sender: str
    parameters: MailParameters
    recipients: list[MailRecipient] = field(default_factory=list)
    id: str = field(default_factory=lambda: secrets.token_hex(10))


class Role(Protocol):
    """What makes a connection submission or LMTP.

    ``base`` is the protocol's name in trace lines, ``strict`` whether messages must keep to the
    rules for line ends, NUL and length of lines.
    """

    base: str
    greeting: str
    needs_login: bool
    strict: bool

    async def sender(self, session: Session, address: str) -> Reply:
        """Judge the sender of MAIL; anything but a 2xx refuses it."""

    async def recipient(self, session: Session, recipient: MailRecipient) -> Reply:
        """Judge one recipient; anything but a 2xx refuses it."""

    def stamp(self, session: Session, transaction: Transaction, header: bytes) -> bytes:
        """Return the header block to keep. Raises SpoolError."""

    async def message(
        self, session: Session, transaction: Transaction, envelope: MailEnvelope, message: Spool
    ) -> list[Reply]:
        """Take a complete message over and return the final replies."""

    def failed(self, transaction: Transaction, reply: Reply) -> list[Reply]:
        """Return the final replies for a message that could not be taken."""


Command = Callable[["Session", str], Awaitable[Reply | None]]


class Session(SMTP):
    """The state of one connection."""

    # aiosmtpd's name for the size of the read buffer.
    line_length_limit = READ_SIZE

    def __init__(
        self, service: Service, role: Role, commands: Mapping[str, Command], *, secure: bool
    ) -> None:
        super().__init__(
            None,
            hostname=service.hostname,
            enable_SMTPUTF8=True,
            timeout=service.limits.idle_seconds,
            loop=asyncio.get_running_loop(),
        )
        self.service = service
        self.limits = service.limits
        self.role = role
        self.secure = secure
        self.helo = ""
        self.extended = False
        self.actor: Actor | None = None
        self.mail: Transaction | None = None
        self.address = ""
        self.closing = False
        self.failed_logins = 0
        self._commands = commands
        self._errors = 0
        self._idle = 0
        self._messages = 0
        self._waiting = False
        self._login_timer: asyncio.TimerHandle | None = None
        self.wire: Wire

    # --- the connection ----------------------------------------------------------------------

    async def _handle_client(self) -> None:
        self.wire = Wire(self._reader, self._writer, self._arm, self._disarm)
        peer = self._writer.get_extra_info("peername")
        self.address = plain_address(str(peer[0])) if isinstance(peer, tuple) else "local"
        entered = self.service.connections.enter(self.address)
        try:
            if not entered:
                raise Hangup(replies.TOO_MANY_CONNECTIONS)
            await self._serve()
        except Hangup as hangup:
            await self._say_goodbye(hangup.reply)
        except (EOFError, ConnectionError):
            pass
        except Exception as error:
            await self._say_goodbye(Reply(421, "4.3.0", reply_to(error).text))
        finally:
            if entered:
                self.service.connections.leave(self.address)
            elif isinstance(self.transport, Transport):
                self.transport.close_within(self.limits.refused_seconds)
            if self._login_timer is not None:
                self._login_timer.cancel()
            self._writer.close()

    async def _say_goodbye(self, reply: Reply) -> None:
        try:
            await self.wire.write(reply.wire(), self.limits.idle_seconds)
            await self.wire.flush(self.limits.idle_seconds)
        except (EOFError, ConnectionError):
            pass

    async def _serve(self) -> None:
        if self.role.needs_login:
            self._login_timer = self.loop.call_later(self.limits.login_seconds, self._timeout_cb)
        # rfc2034#3: no enhanced code in the greeting
        await self.reply(Reply(220, "", f"{self.hostname} {self.role.base} ready"))
        while not self.closing:
            try:
                self._waiting = True
                line = await self._command_line()
                self._waiting = False
            except LineTooLong:
                await self.reply(replies.LINE_TOO_LONG)
                continue
            reply = await self._run(line)
            if reply is not None:
                if reply.code == 421:
                    raise Hangup(reply)
                await self.reply(reply)
        raise Hangup(replies.SHUTTING_DOWN)

    async def _command_line(self) -> bytes:
        line = await self.wire.line(self.limits.auth_line, self.limits.idle_seconds)
        # Only AUTH has long arguments; whether it may be given now is for AUTH to say.
        if len(line) > self.limits.command_line and line[:5].upper() != b"AUTH ":
            raise LineTooLong
        return line

    async def _run(self, line: bytes) -> Reply | None:
        if not line.endswith(b"\r\n"):
            return replies.BARE_NEWLINE
        try:
            text = line[:-2].decode("utf-8")
        except UnicodeDecodeError:
            return replies.BAD_CHARACTERS
        if any(character < " " and character != "\t" for character in text) or "\x7f" in text:
            return replies.BAD_CHARACTERS
        verb, _, argument = text.partition(" ")
        command = self._commands.get(verb.upper())
        if command is None:
            return replies.UNKNOWN_COMMAND
        try:
            return await command(self, argument.strip(" \t"))
        except (Hangup, EOFError, ConnectionError):
            raise
        except Exception as error:
            return reply_to(error)

    async def reply(self, reply: Reply) -> None:
        """Queue a reply. Raises Hangup after too many errors in one connection.

        Only errors of the protocol count: an MTA may well have mail for many unknown people.
        """
        await self.wire.write(reply.wire(), self.limits.idle_seconds)
        if 500 <= reply.code < 550:
            self._errors += 1
            if self._errors == self.limits.errors:
                raise Hangup(replies.TOO_MANY_ERRORS)

    def idle_command(self) -> None:
        """Count a command that brings no message nearer. Raises Hangup after too many."""
        self._idle += 1
        if self._idle > self.limits.idle_commands:
            raise Hangup(replies.TOO_MANY_COMMANDS)

    def begin_message(self) -> None:
        """Count a message. Raises Hangup after too many in one connection."""
        self._idle = 0
        self._messages += 1
        if self._messages > self.limits.messages:
            raise Hangup(replies.TOO_MANY_MESSAGES)

    def cipher(self) -> str:
        """Return the name of the cipher suite, "" without TLS."""
        return str(self._writer.get_extra_info("cipher", ""))

    def logged_in(self, actor: Actor) -> None:
        """Set who this is; the time limit for signing in ends."""
        self.actor = actor
        if self._login_timer is not None:
            self._login_timer.cancel()

    def abort(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            self._writer.transport.abort()

    def stop(self) -> None:
        """End the connection: now when it is idle, otherwise after the present command."""
        self.closing = True
        if self._waiting:
            self._cut(replies.SHUTTING_DOWN)

    # --- aiosmtpd's and asyncio's callbacks --------------------------------------------------

    def _arm(self, seconds: float) -> None:
        self._reset_timeout(seconds)

    def _disarm(self) -> None:
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()

    def _timeout_cb(self) -> None:
        self._cut(replies.TIMEOUT)

    def _cut(self, reply: Reply) -> None:
        if self.transport is not None:
            self._writer.write(reply.wire())
            self._writer.close()

    def eof_received(self) -> bool | None:
        # A client that closes its side still gets the reply to what it sent.
        result: bool | None = asyncio.StreamReaderProtocol.eof_received(self)
        return result

    async def start_tls(self) -> None:
        """Answer STARTTLS and go on with TLS; a handshake that fails ends the connection."""
        transport: Any = self.transport
        # What was sent in clear behind STARTTLS is an attempt to put words into the client's
        # mouth; it must not be read after the handshake (rfc3207#4.2).
        transport.pause_reading()
        self.wire.drop_input()
        reader: Any = self._reader
        reader._buffer.clear()
        await self.reply(replies.READY_FOR_TLS)
        await self.wire.flush(self.limits.idle_seconds)
        transport.start_tls(self.service.tls)
        transport.resume_reading()
        self.secure = True
        self.helo = ""
        self.extended = False
        self.mail = None
