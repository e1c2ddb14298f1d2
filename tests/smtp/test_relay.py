"""The SMTP client against a next hop whose every answer is chosen."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.smtp.peer import PeerError, Timeouts
from folkmoot.protocols.smtp.relay import (
    Outgoing,
    Refused,
    RelayConnection,
    RelayOptions,
    TlsMode,
    Undecided,
    stuffed,
)
from folkmoot.protocols.smtp.routing import Hop
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.storage.types_mail import (
    MailEnvelope,
    MailRecipient,
    Notify,
    Return,
    SendResult,
    SendState,
)
from tests.smtp.conftest import on_loop
from tests.smtp.next_hop import NextHop

FAST = Timeouts(2, 2, 2, 2, 2, 2)
BOB = MailRecipient("bob@example.org", Notify.FAILURE | Notify.DELAY, "rfc822;b+b@example.org")
EVE = MailRecipient("eve@example.org")
BODY = b"Subject: x\r\n\r\n.one\r\n..two\r\n"


@pytest.fixture
def hop() -> Iterator[NextHop]:
    """A next hop that takes everything until a test says otherwise."""
    hop = NextHop()
    yield hop
    hop.stop()


async def pieces(data: bytes, size: int = 5) -> AsyncIterator[bytes]:
    """The data in small pieces."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def relay(
    hop: NextHop,
    *recipients: MailRecipient,
    envelope: MailEnvelope | None = None,
    body: bytes = BODY,
    options: RelayOptions | None = None,
) -> list[SendResult]:
    """Send one message to a next hop."""
    envelope = envelope or MailEnvelope("alice@example.test", recipients)
    options = options or RelayOptions("mail.example.test", timeouts=FAST)

    async def send() -> list[SendResult]:
        target = Hop("localhost", "127.0.0.1", hop.port)
        connection = await RelayConnection.open(target, options)
        try:
            result = await connection.send(Outgoing(envelope, recipients, len(body), pieces(body)))
        except BaseException:
            connection.abort()
            raise
        await connection.close()
        return result

    return on_loop(send())


def states(results: list[SendResult]) -> list[tuple[str, str]]:
    """States and enhanced codes."""
    return [(result.state, result.status) for result in results]


def test_a_message_goes_out(hop: NextHop) -> None:
    """Octets arrive as they were, with the DSN parameters passed on. # rfc3461#5.2.1"""
    hop.start()
    envelope = MailEnvelope(
        "alice@example.test", (BOB, EVE), "id+1", Return.HEADERS, eight_bit=True
    )
    results = relay(hop, BOB, EVE, envelope=envelope)
    assert states(results) == [("sent", "2.0.0")] * 2
    assert all(result.notified and result.peer == "localhost" for result in results)
    (taken,) = hop.taken
    assert taken.data == BODY
    assert taken.mail == (
        f"MAIL FROM:<alice@example.test> SIZE={len(BODY)} BODY=8BITMIME RET=HDRS ENVID=id+2B1"
    )
    assert taken.rcpts == [
        "RCPT TO:<bob@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b+2Bb@example.org",
        "RCPT TO:<eve@example.org>",
    ]


def test_a_plain_old_server(hop: NextHop) -> None:
    """HELO after a refused EHLO; no parameters that it does not know. # rfc5321#3.2"""
    hop.answer = lambda line: "502 what" if line.startswith("EHLO") else None
    hop.start()
    (result,) = relay(hop, BOB)
    assert (result.state, result.notified) == (SendState.SENT, False)
    assert hop.taken[0].mail == "MAIL FROM:<alice@example.test>"
    assert hop.taken[0].rcpts == ["RCPT TO:<bob@example.org>"]


def test_eight_bit_content_and_a_hop_without_8bitmime(hop: NextHop) -> None:
    """Such a hop might break it, so it is not given to it (RFC 6152 section 3)."""
    hop.extensions = ("PIPELINING",)
    hop.start()
    envelope = MailEnvelope("alice@example.test", (BOB,), eight_bit=True)
    assert states(relay(hop, BOB, envelope=envelope)) == [("failed", "5.6.3")]
    assert hop.taken == []


def test_recipients_are_judged_one_by_one(hop: NextHop) -> None:
    """One is refused, one deferred, one taken."""
    answers = {"bob": "550 5.1.1 no bob", "eve": "450 4.2.1 busy"}
    hop.answer = lambda line: next(
        (reply for name, reply in answers.items() if line.startswith(f"RCPT TO:<{name}")), None
    )
    hop.start()
    results = relay(hop, BOB, EVE, MailRecipient("dan@example.org"))
    assert states(results) == [("failed", "5.1.1"), ("deferred", "4.2.1"), ("sent", "2.0.0")]
    assert results[0].reply == "550 5.1.1 no bob"


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("where", "reply", "state", "status"),
    [
        ("MAIL", "550 5.7.1 not you", "failed", "5.7.1"),
        ("MAIL", "421 4.3.2 later", "deferred", "4.3.2"),
        ("RCPT", "554 no code", "failed", "5.0.0"),
        ("DATA", "451 hm", "deferred", "4.0.0"),
        (".", "554 5.6.0 bad", "failed", "5.6.0"),
        (".", "452 4.3.1 full", "deferred", "4.3.1"),
        (".", "250-two\r\n250 2.6.0 lines", "sent", "2.6.0"),
    ],
)
def test_answers_decide(
    hop: NextHop, where: str, reply: str, state: str, status: str, pipelining: bool
) -> None:
    """Whatever step the peer refuses at, the outcome is the one that its code says."""
    hop.answer = lambda line: reply if line.startswith(where) else None
    hop.extensions = ("PIPELINING",) if pipelining else ()
    hop.start()
    (result,) = relay(hop, BOB)
    assert (result.state, result.status) == (state, status)


@pytest.mark.parametrize("where", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_dropped_connections(hop: NextHop, where: str) -> None:
    """A connection that breaks before the end decides nothing."""
    hop.answer = lambda line: "drop" if line.startswith(where) else None
    hop.start()
    with pytest.raises(PeerError) as error:
        relay(hop, BOB)
    assert not isinstance(error.value, Undecided)


def test_dropped_after_the_message(hop: NextHop) -> None:
    """A connection that breaks after the final dot leaves it open whether it was taken."""
    hop.answer = lambda line: "drop" if line == "." else None
    hop.start()
    with pytest.raises(Undecided):
        relay(hop, BOB)


@pytest.mark.parametrize(
    "rubbish", ["hello", "250", "999 x", "250-a\r\n251 b", "250-" + "x" * 5000, "250-a\r\n" * 300]
)
def test_rubbish_from_the_peer(hop: NextHop, rubbish: str) -> None:
    """Text that is not SMTP, too long or endless ends the attempt, not the process."""
    hop.answer = lambda line: rubbish if line.startswith("EHLO") else None
    hop.start()
    if rubbish == "250":
        assert relay(hop, BOB)[0].state is SendState.SENT
    else:
        with pytest.raises(PeerError):
            relay(hop, BOB)


def test_refused_at_the_greeting(hop: NextHop) -> None:
    """A peer that does not want us says so with its reply."""
    hop.greeting = "554 5.7.1 you are on a list"
    hop.start()
    with pytest.raises(Refused) as error:
        relay(hop, BOB)
    assert error.value.reply.status == "5.7.1"


def test_timeouts(hop: NextHop) -> None:
    """A silent peer is given up. # rfc5321#4.5.3.2"""
    hop.answer = lambda line: "" if line.startswith("EHLO") else None
    hop.start()
    options = RelayOptions("me.test", timeouts=Timeouts(1, 1, 0.2, 1, 1, 1))
    hop.answer = lambda line: "250-never ends" if line.startswith("EHLO") else None
    with pytest.raises(PeerError, match="did not answer"):
        relay(hop, BOB, options=options)


def test_what_the_peer_cannot_take(hop: NextHop) -> None:
    """Too large, or SMTPUTF8 unknown there: failed without sending a single octet of it."""
    # rfc1870#6.2, rfc6531#3.5
    hop.extensions = ("SIZE 10",)
    hop.start()
    assert states(relay(hop, BOB)) == [("failed", "5.3.4")]
    hop.extensions = ()
    envelope = MailEnvelope("ü@example.test", (BOB,), utf8=True)
    assert states(relay(hop, BOB, envelope=envelope)) == [("failed", "5.6.7")]
    assert not any(line.startswith("MAIL") for line in hop.lines)


def test_international_domain_without_smtputf8(hop: NextHop) -> None:
    """An ASCII local part at an international domain goes out in the ASCII form."""
    hop.extensions = ()
    hop.start()
    relay(hop, MailRecipient("bob@xn--bcher-kva.example"))
    assert hop.taken[0].rcpts == ["RCPT TO:<bob@xn--bcher-kva.example>"]


# --- TLS and AUTH -------------------------------------------------------------------------------


def tls_context(folder: Path) -> ssl.SSLContext:
    """A server's context with a self-signed certificate for localhost."""
    write_self_signed(folder / "c.pem", folder / "k.pem", ["localhost"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "c.pem", folder / "k.pem")
    return context


def trusting(folder: Path) -> ssl.SSLContext:
    """A client's context that trusts that certificate."""
    return ssl.create_default_context(cafile=str(folder / "c.pem"))


def test_opportunistic_tls(hop: NextHop, tmp_path: Path) -> None:
    """STARTTLS is used where it is offered, with any certificate. # rfc7435#3, rfc3207#4"""
    hop.tls = tls_context(tmp_path)
    hop.start()
    assert relay(hop, BOB)[0].state is SendState.SENT
    assert hop.secured == 1


def test_opportunistic_tls_that_fails(hop: NextHop, tmp_path: Path) -> None:
    """A peer whose TLS does not work gets the mail in clear, on a new connection. # rfc7435#3"""
    hop.tls = tls_context(tmp_path)
    hop.tls.maximum_version = ssl.TLSVersion.TLSv1_2
    hop.tls.set_ciphers("PSK")
    hop.start()
    assert relay(hop, BOB)[0].state is SendState.SENT
    assert (hop.secured, hop.connections) == (0, 2)


def test_required_tls(hop: NextHop, tmp_path: Path) -> None:
    """For the smarthost a missing STARTTLS or a wrong certificate means: no mail, no password."""
    # rfc3207#4.1
    options = RelayOptions("me.test", TlsMode.STARTTLS, "me", "secret", timeouts=FAST)
    hop.start()
    with pytest.raises(PeerError, match="STARTTLS"):
        relay(hop, BOB, options=options)
    hop.tls = tls_context(tmp_path)
    with pytest.raises(PeerError, match="TLS"):
        relay(hop, BOB, options=options)
    assert not any("AUTH" in line for line in hop.lines)


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN"])
def test_smarthost_login(hop: NextHop, tmp_path: Path, mode: TlsMode, mechanisms: str) -> None:
    """Certificate checked, signed in, sent: by STARTTLS and by implicit TLS. # rfc4954#4"""
    hop.tls, hop.implicit = tls_context(tmp_path), mode is TlsMode.IMPLICIT
    hop.extensions = (f"AUTH {mechanisms}",)
    if mechanisms == "LOGIN":
        steps = {"AUTH LOGIN": "334 VXNlcm5hbWU6", "bWU=": "334 UGFzc3dvcmQ6", "c2VjcmV0": "235 ok"}
        hop.answer = steps.get
    hop.start()
    options = RelayOptions("me.test", mode, "me", "secret", trusting(tmp_path), FAST)
    assert relay(hop, BOB, options=options)[0].state is SendState.SENT
    if mechanisms != "LOGIN":
        assert "AUTH PLAIN AG1lAHNlY3JldA==" in hop.lines


def test_refused_login(hop: NextHop, tmp_path: Path) -> None:
    """A wrong password at the smarthost keeps the mail here."""
    hop.tls, hop.extensions = tls_context(tmp_path), ("AUTH PLAIN",)
    hop.answer = lambda line: "535 5.7.8 no" if line.startswith("AUTH") else None
    hop.start()
    options = RelayOptions("me.test", TlsMode.STARTTLS, "me", "secret", trusting(tmp_path), FAST)
    with pytest.raises(PeerError, match="refused the login"):
        relay(hop, BOB, options=options)


def test_text_in_clear_before_tls(hop: NextHop, tmp_path: Path) -> None:
    """What somebody put behind the reply to STARTTLS is not taken for the peer's. # rfc3207#4.2"""
    hop.tls = tls_context(tmp_path)
    hop.answer = lambda line: "220 go\r\n250 injected" if line == "STARTTLS" else None
    hop.start()
    options = RelayOptions("me.test", TlsMode.STARTTLS, tls_context=trusting(tmp_path))
    with pytest.raises(PeerError, match="in clear"):
        relay(hop, BOB, options=options)


# --- stuffing -----------------------------------------------------------------------------------


WORDS = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"a"]), max_size=30)


@given(WORDS, st.integers(1, 4))
def test_nothing_ends_the_message_early(words: list[bytes], size: int) -> None:
    """CRLF.CRLF stands at the end only, every line end is CRLF, and nothing else is changed."""
    # rfc5321#4.5.2, rfc5321#2.3.8
    text = b"".join(words)

    async def run() -> bytes:
        return b"".join([piece async for piece in stuffed(pieces(text, size))])

    wire = asyncio.run(run())
    assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(wire) - 3
    bare = wire.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert [line.removeprefix(b".") for line in wire.split(b"\r\n")[:-2]] == lines
