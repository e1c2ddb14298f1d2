"""Signing in: STARTTLS, LOGIN, AUTHENTICATE (with SASL-IR, RFC 4959)."""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from folkmoot.auth.sasl.steps import Challenge
from folkmoot.protocols.imap import encoder
from folkmoot.protocols.imap.cursor import BadSyntax, Cursor
from folkmoot.protocols.imap.registry import Expunges, Reply, State, capability, command
from folkmoot.protocols.imap.session import Session
from folkmoot.storage.types import Actor

MAX_RESPONSE = 16 * 1024  # octets of a SASL response in base64

capability("SASL-IR", lambda session: session.actor is None)  # rfc4959#3
capability("STARTTLS", lambda session: session.actor is None and session.wire.can_start_tls)
capability(
    "LOGINDISABLED",
    lambda session: session.actor is None and not _password_allowed(session),
)


def _password_allowed(session: Session) -> bool:
    return session.wire.secure or session.wire.plaintext_logins


@dataclass(frozen=True, slots=True)
class LoginArgs:
    """Name and password as sent."""

    name: bytes
    password: bytes


def parse_login(cursor: Cursor) -> LoginArgs:
    """Read the arguments of LOGIN."""
    cursor.space()
    name = cursor.astring()
    cursor.space()
    password = cursor.astring()
    cursor.end()
    return LoginArgs(name, password)


@dataclass(frozen=True, slots=True)
class AuthenticateArgs:
    """Mechanism, and the initial response in base64 (None: none; "=" is an empty one)."""

    mechanism: str
    initial: bytes | None


def parse_authenticate(cursor: Cursor) -> AuthenticateArgs:
    """Read the arguments of AUTHENTICATE."""
    cursor.space()
    mechanism = cursor.keyword()
    initial = cursor.astring() if cursor.more() else None
    cursor.end()
    return AuthenticateArgs(mechanism, initial)


@command("STARTTLS", State.NOT_AUTHENTICATED, expunges=Expunges.UNCHECKED)
async def starttls(session: Session, _: None) -> Reply:
    """RFC 9051 section 6.2.1."""
    if not session.wire.can_start_tls:
        raise BadSyntax("TLS is on already or not offered here")
    session.starting_tls = True
    return Reply("Begin TLS now")


@command(
    "LOGIN",
    State.NOT_AUTHENTICATED,
    parse_login,
    expunges=Expunges.UNCHECKED,
    example=b"LOGIN nobody@example.test wrong",
)
async def login(session: Session, arguments: LoginArgs) -> Reply:
    """RFC 9051 section 6.2.3."""
    if not _password_allowed(session):
        return Reply("Passwords are taken over TLS only", "PRIVACYREQUIRED", "NO")
    try:
        name, password = arguments.name.decode(), arguments.password.decode()
    except UnicodeDecodeError:
        raise BadSyntax("Name and password must be UTF-8") from None
    actor = await session.authenticator.authenticate(name, password, "imap", session.wire.peer)
    return _signed_in(session, actor)


@command(
    "AUTHENTICATE",
    State.NOT_AUTHENTICATED,
    parse_authenticate,
    expunges=Expunges.UNCHECKED,
    example=b"AUTHENTICATE PLAIN AGEAYg==",
)
async def authenticate(session: Session, arguments: AuthenticateArgs) -> Reply:
    """RFC 9051 section 6.2.2."""
    wire = session.wire
    if arguments.mechanism not in session.sasl_mechanisms():
        if arguments.mechanism in ("PLAIN", "LOGIN") and not _password_allowed(session):
            return Reply("Passwords are taken over TLS only", "PRIVACYREQUIRED", "NO")
        return Reply("This mechanism is not offered", None, "NO")
    exchange = session.authenticator.sasl(
        arguments.mechanism, "imap", wire.peer, wire.channel_bindings(), _password_allowed(session)
    )
    initial = arguments.initial
    outcome = await exchange.start(None if initial is None else _decode(initial))
    while isinstance(outcome, Challenge):
        wire.send(encoder.challenge(binascii.b2a_base64(outcome.data, newline=False)))
        line = await wire.next_line(MAX_RESPONSE)
        if line is None:
            raise BadSyntax("Response too long")
        if line.data == b"*":  # rfc9051#6.2.2: the client gave up
            raise BadSyntax("Authentication cancelled")
        outcome = await exchange.step(_decode(line.data))
    return _signed_in(session, outcome)


def _decode(response: bytes) -> bytes:
    if response == b"=":  # rfc4959#3
        return b""
    try:
        return binascii.a2b_base64(response, strict_mode=True)
    except binascii.Error:
        raise BadSyntax("Invalid base64") from None


def _signed_in(session: Session, actor: Actor) -> Reply:
    if not session.sign_in(actor):
        return Reply("Too many connections of this account", "LIMIT", "NO")
    # rfc9051#7.1: saves the client a CAPABILITY.
    return Reply("Logged in", f"CAPABILITY {session.capabilities()}")
