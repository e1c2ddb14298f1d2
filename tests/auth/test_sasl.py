"""PLAIN, LOGIN and the list of mechanisms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.auth.sasl.login import Login
from folkmoot.auth.sasl.plain import Plain
from folkmoot.auth.sasl.registry import create, offered
from folkmoot.auth.sasl.steps import MAX_RESPONSE_OCTETS, BadExchange, Challenge, Credentials
from folkmoot.auth.session import SaslSession
from folkmoot.storage.errors import AuthenticationFailed
from folkmoot.storage.types import Actor
from tests.auth.support import ALICE, HOME, PASSWORD, World, result_of

MESSAGE = f"\0{ALICE}\0{PASSWORD}".encode()


def _session(world: World, mechanism: str) -> SaslSession:
    return world.authenticator.sasl(mechanism, "submission", HOME, {}, tls=True)


def _id(outcome: Challenge | Actor) -> int:
    assert isinstance(outcome, Actor)
    return outcome.account_id


@pytest.mark.parametrize("mechanism", ["PLAIN", "plain"])
def test_plain_with_and_without_initial_response(mechanism: str) -> None:
    """Both forms of AUTHENTICATE PLAIN sign in. # rfc4616#2, rfc4959#3"""
    session = _session(World(), mechanism)
    assert _id(result_of(session.start(MESSAGE))) == 1
    session = _session(World(), mechanism)
    assert result_of(session.start(None)) == Challenge(b"")
    assert _id(result_of(session.step(MESSAGE))) == 1


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0",
        b"\0\0",
        b"\0alice@example.test\0",
        b"\0\0correct horse",
        b"alice@example.test\0correct horse",
        b"\0alice@example.test\0correct horse\0",
        b"\0alice@example.test\0\xff\xfe",
        b"\0" * 10,
        b"\0alice@example.test\0" + b"x" * MAX_RESPONSE_OCTETS,
    ],
)
def test_damaged_plain_messages_fail(message: bytes) -> None:
    """Missing, empty, extra, oversized or undecodable fields. # rfc4616#2"""
    with pytest.raises(AuthenticationFailed):
        result_of(_session(World(), "PLAIN").start(message))


def test_plain_authorization_identity() -> None:
    """Empty or one's own in any spelling; somebody else's is refused even with one's password."""
    # rfc4616#2
    world = World()
    world.add(2, "bob@example.test", "bob's password")
    own = f"Alice@EXAMPLE.test\0{ALICE}\0{PASSWORD}".encode()
    assert _id(result_of(_session(world, "PLAIN").start(own))) == 1
    other = f"bob@example.test\0{ALICE}\0{PASSWORD}".encode()
    with pytest.raises(AuthenticationFailed):
        result_of(_session(world, "PLAIN").start(other))


def test_login_asks_for_name_and_password() -> None:
    """The prompts that clients wait for."""
    session = _session(World(), "LOGIN")
    assert result_of(session.start(None)) == Challenge(b"Username:")
    assert result_of(session.step(ALICE.encode())) == Challenge(b"Password:")
    assert _id(result_of(session.step(PASSWORD.encode()))) == 1


def test_login_with_the_name_at_once() -> None:
    """Outlook's servers send the name as initial response."""
    session = _session(World(), "LOGIN")
    assert result_of(session.start(ALICE.encode())) == Challenge(b"Password:")
    assert _id(result_of(session.step(PASSWORD.encode() + b"\0"))) == 1


def test_login_with_an_empty_initial_response() -> None:
    """``=`` says nothing about the name: it is asked for."""
    assert result_of(_session(World(), "LOGIN").start(b"")) == Challenge(b"Username:")


@pytest.mark.parametrize("answer", [b"", b"\0", b"a\0b", b"\xff", b"x" * (MAX_RESPONSE_OCTETS + 1)])
def test_damaged_login_answers_fail(answer: bytes) -> None:
    """Empty, NUL, undecodable and oversized answers."""
    session = _session(World(), "LOGIN")
    result_of(session.start(None))
    with pytest.raises(AuthenticationFailed):
        result_of(session.step(answer))


def test_an_exchange_that_ended_stays_ended() -> None:
    """No second try within one exchange, after a failure or a success."""
    session = _session(World(), "PLAIN")
    with pytest.raises(AuthenticationFailed):
        result_of(session.start(b"\0a\0b"))
    with pytest.raises(AuthenticationFailed):
        result_of(session.step(MESSAGE))
    session = _session(World(), "PLAIN")
    result_of(session.start(MESSAGE))
    with pytest.raises(AuthenticationFailed):
        result_of(session.step(MESSAGE))


def test_what_is_offered_depends_on_the_connection() -> None:
    """No password in the clear, no channel binding without a channel; strongest first."""
    bindings = {"tls-exporter": b"x"}
    assert offered(True, bindings) == ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN")
    assert offered(True, {}) == ("SCRAM-SHA-256", "PLAIN", "LOGIN")
    assert offered(False, {}) == ("SCRAM-SHA-256",)
    for name in offered(True, bindings):
        assert create(name, bindings).name == name


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256-PLUS", "CRAM-MD5", ""])
def test_what_is_not_offered_cannot_be_used(mechanism: str) -> None:
    """A client that insists on PLAIN without TLS gets nowhere."""
    with pytest.raises(AuthenticationFailed):
        World().authenticator.sasl(mechanism, "imap", HOME, {}, tls=False)


@given(st.lists(st.binary(max_size=60), max_size=5), st.sampled_from([Plain, Login]))
def test_garbage_never_breaks_a_mechanism(
    messages: list[bytes], mechanism: type[Plain] | type[Login]
) -> None:
    """Any messages give challenges, credentials without NUL, or ``BadExchange``."""
    exchange = mechanism()
    for message in messages:
        try:
            step = exchange.step(message)
        except BadExchange:
            return
        if isinstance(step, Credentials):
            assert step.authcid
            assert step.password
            assert "\0" not in step.authcid + step.password + step.authzid
            return
        assert isinstance(step, Challenge)
