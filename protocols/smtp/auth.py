"""AUTH: signing in by SASL (RFC 4954)."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Mapping

from folkmoot.auth.peer import is_loopback
from folkmoot.auth.sasl.steps import Challenge
from folkmoot.protocols.smtp import replies
from folkmoot.protocols.smtp.errors import reply_to
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.protocols.smtp.session import Hangup, Session
from folkmoot.protocols.smtp.transport import Transport
from folkmoot.protocols.smtp.wire import LineTooLong
from folkmoot.storage.errors import AuthenticationFailed, NotInPlan, StorageError, Unavailable
from folkmoot.storage.types import Actor

# The name by which app passwords are limited to this service.
PROTOCOL = "submission"

# Attempts in one connection; a client that tries more is guessing.
MAX_FAILURES = 5


class _Refused(Exception):
    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


def passwords_allowed(session: Session) -> bool:
    """Whether passwords may cross this connection as they are."""
    if session.secure or session.service.plaintext_logins:
        return True
    # A Unix socket has no address, and does not leave the machine.
    return session.address == "local" or is_loopback(session.address)


def _bindings(session: Session) -> Mapping[str, bytes]:
    transport = session.transport
    if not session.secure or not isinstance(transport, Transport):
        return {}
    found = session.service.channel_bindings(transport.twisted)
    # Where PLUS is offered, programs with GNU SASL (NeoMutt) choose it whatever they can bind to,
    # and try nothing else when it fails. On TLS 1.3 they cannot: they have no tls-exporter.
    return {} if "tls-exporter" in found else found


def offered_mechanisms(session: Session) -> tuple[str, ...]:
    """Return the mechanisms to advertise to this connection now."""
    authenticator = session.service.authenticator
    if authenticator is None or session.actor is not None:
        return ()
    return authenticator.mechanisms(_bindings(session), passwords_allowed(session))


async def auth(session: Session, argument: str) -> Reply:
    """Run one SASL exchange (RFC 4954 section 4)."""
    authenticator = session.service.authenticator
    if authenticator is None:
        return replies.NOT_IMPLEMENTED
    if not session.extended or session.actor is not None or session.mail is not None:
        return replies.BAD_SEQUENCE
    mechanism, _, initial = argument.partition(" ")
    mechanism = mechanism.upper()
    if not mechanism:
        return replies.AUTH_NO_MECHANISM
    if mechanism not in offered_mechanisms(session):
        known = authenticator.mechanisms({}, True)
        return replies.AUTH_NEEDS_TLS if mechanism in known else replies.AUTH_UNKNOWN
    exchange = authenticator.sasl(
        mechanism, PROTOCOL, session.address, _bindings(session), passwords_allowed(session)
    )
    loop = asyncio.get_running_loop()
    try:
        # rfc4954#4: "=" is an initial response without octets
        first = None if not initial.strip() else _decode(initial.strip().encode())
        outcome = await exchange.start(first).asFuture(loop)
        while isinstance(outcome, Challenge):
            response = await _challenge(session, outcome.data)
            outcome = await exchange.step(response).asFuture(loop)
    except _Refused as refused:
        return refused.reply
    except StorageError as error:
        return _failed(session, error)
    return _succeeded(session, outcome)


def _succeeded(session: Session, actor: Actor) -> Reply:
    session.logged_in(actor)
    return replies.AUTHENTICATED


def _failed(session: Session, error: StorageError) -> Reply:
    reply = reply_to(error)
    if isinstance(error, Unavailable):
        # rfc4954#6: temporary authentication failure
        reply = Reply(454, "4.7.0", reply.text)
    if isinstance(error, NotInPlan):
        # rfc5248#2.4: not a reason to ask for another password
        reply = Reply(535, "5.7.13", reply.text)
    if isinstance(error, AuthenticationFailed):
        session.failed_logins += 1
        if session.failed_logins >= MAX_FAILURES:
            raise Hangup(Reply(421, "4.7.0", "Too many failed logins"))
    return reply


async def _challenge(session: Session, challenge: bytes) -> bytes:
    limits = session.limits
    await session.wire.write(b"334 " + b64encode(challenge) + b"\r\n", limits.idle_seconds)
    try:
        line = await session.wire.line(limits.auth_line, limits.idle_seconds)
    except LineTooLong:
        # rfc4954#4: line too long
        raise _Refused(replies.AUTH_LINE_TOO_LONG) from None
    answer = line.rstrip(b"\r\n")
    if answer == b"*":
        raise _Refused(replies.AUTH_CANCELLED)
    return _decode(answer)


def _decode(text: bytes) -> bytes:
    if text == b"=":
        return b""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise _Refused(replies.AUTH_BASE64) from None
