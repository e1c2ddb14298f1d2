"""Hostile and broken clients: clear errors, bounded memory, and a server that stays up."""

from __future__ import annotations

import contextlib
import random
import threading

import psutil  # type: ignore[import-untyped]
import pytest

from folkmoot.protocols.smtp.limits import SmtpLimits
from folkmoot.protocols.smtp.service import Connections
from folkmoot.storage.errors import Unavailable
from folkmoot.storage.types_mail import Poster
from tests.kit.waiting import until
from tests.smtp.conftest import MailServer, RawClient


def alive(mail: MailServer) -> None:
    """The server still answers."""
    client = mail.raw()
    assert client.ask(b"LHLO me.test").startswith("250-")
    client.close()


def test_over_long_lines(mail: MailServer) -> None:
    """A command line without end is dropped while it comes, and refused when it ends."""
    # rfc5321#4.5.3.1.4
    client = mail.raw()
    client.send(b"NOOP " + b"x" * 3_000_000 + b"\r\n")
    assert client.reply().startswith("500 5.5.2")
    assert client.ask(b"NOOP " + b"x" * 5000).startswith("500 5.5.2")
    assert client.ask(b"NOOP").startswith("250 2.0.0")


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\0", b"NOOP \0", b"\xff\xfe", b"NOOP\x07", b"MAIL", b"MAIL FROM", b"MAIL FROM:",
        b"RCPT TO:<>", b"DATA now", b"LHLO", b"QUIT now", b"RSET now", b"STARTTLS now", b"VRFY",
        b"AUTH PLAIN AAAA", b"BDAT 10 LAST", b"EXPN list", b"\x80", b"(" * 4000,
    ],
)  # fmt: skip
def test_wrong_commands(mail: MailServer, line: bytes) -> None:
    """Each has an error with an enhanced status code, and the connection goes on. # rfc2034#3"""
    client = mail.raw()
    client.ask(b"LHLO me.test")
    code, status, *_ = client.ask(line).split()
    assert code[0] == "5"
    assert status.startswith("5.")
    assert client.ask(b"NOOP").startswith("250 2.0.0")


def test_bare_line_feeds_in_commands(mail: MailServer) -> None:
    """A line that ends in LF only is no command (RFC 5321 section 2.3.8)."""
    client = mail.raw()
    client.send(b"LHLO me.test\n")
    assert client.reply().startswith("500 5.5.2")


def test_too_many_errors(mail: MailServer) -> None:
    """A client that talks nonsense is sent away."""
    client = mail.raw()
    client.send(b"NONSENSE\r\n" * 30)
    replies = [client.reply() for _ in range(21)]
    assert replies[19].startswith("500")
    assert replies[20].startswith("421 4.7.0")
    assert client.closed()


def test_unknown_recipients_are_no_errors_of_the_client(mail: MailServer) -> None:
    """An MTA with mail for many people who are gone keeps its connection."""
    bob = mail.base.account("bob")
    client = mail.raw()
    client.ask(b"LHLO me.test")
    client.ask(b"MAIL FROM:<a@example.org>")
    for number in range(50):
        assert client.ask(b"RCPT TO:<gone%d@example.test>" % number).startswith("550 5.1.1")
    assert client.ask(f"RCPT TO:<{bob.address}>".encode()).startswith("250")


def test_too_many_idle_commands(mail: MailServer) -> None:
    """NOOP for ever is not a way to keep a connection."""
    client = mail.raw()
    client.send(b"NOOP\r\n" * 201)
    replies = [client.reply() for _ in range(201)]
    assert replies[199].startswith("250")
    assert replies[200].startswith("421 4.7.0")


def test_connections_per_address(mail: MailServer) -> None:
    """One address has its share of connections, and gets it back when they end."""
    clients = [mail.raw() for _ in range(20)]
    refused = RawClient(mail.lmtp_port)
    assert refused.greeting.startswith("421 4.7.0")
    assert refused.closed()
    for client in clients:
        client.close()
    until(lambda: RawClient(mail.lmtp_port).greeting.startswith("220"))


def test_what_counts_as_one_address() -> None:
    """IPv4 clients of a socket for both families are counted one by one, IPv6 by their /64."""
    connections = Connections(1)
    assert connections.enter("::ffff:192.0.2.1")
    assert connections.enter("::ffff:192.0.2.2")
    assert not connections.enter("192.0.2.1")
    assert connections.enter("2001:db8::1")
    assert not connections.enter("2001:db8::2")
    connections.leave("::ffff:192.0.2.1")
    assert connections.enter("192.0.2.1")


def test_timeouts(mail: MailServer) -> None:
    """Silence ends a connection with 421: idle, in DATA, and before the login."""
    # rfc5321#4.5.3.2.7
    mail.base.account("bob")
    port = mail.listen("lmtp", SmtpLimits(idle_seconds=0.2))
    assert mail.raw(port).reply().startswith("421 4.4.2")
    client = mail.raw(mail.listen("lmtp", SmtpLimits(data_seconds=0.2)))
    client.ask(b"LHLO me.test")
    client.ask(b"MAIL FROM:<a@example.org>")
    client.ask(b"RCPT TO:<bob@example.test>")
    client.ask(b"DATA")
    client.send(b"A: b\r\n")
    assert client.reply().startswith("421 4.4.2")
    busy = mail.raw(mail.listen("submission", SmtpLimits(login_seconds=0.3)))
    answers = [""]

    def told() -> bool:
        with contextlib.suppress(OSError):  # it may be closed before what was said is read
            answers.append(busy.ask(b"NOOP"))
        return answers[-1].startswith("421 4.4.2")

    until(told)


def test_cut_off_in_data(mail: MailServer) -> None:
    """A message that ends in the middle is not delivered, and leaves no file."""
    bob = mail.base.account("bob")
    client = mail.raw()
    client.ask(b"LHLO me.test")
    client.ask(b"MAIL FROM:<a@example.org>")
    client.ask(b"RCPT TO:<bob@example.test>")
    client.ask(b"DATA")
    client.send(b"A: b\r\n\r\n" + b"x" * 1_000_000)
    client.close()
    incoming = mail.base.folder / "blobs" / "incoming"
    until(lambda: not any(incoming.iterdir()))
    alive(mail)
    assert mail.inbox(bob) == []


def test_cut_off_while_it_is_stored(mail: MailServer) -> None:
    """A client that leaves after the final dot: the message is whole or not there at all."""
    bob = mail.base.account("bob")
    client = mail.raw()
    client.send(
        b"LHLO me.test\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
        b"A: b\r\n\r\nx\r\n.\r\n"
    )
    client.close()
    until(lambda: len(mail.inbox(bob)) == 1)


def test_half_closed_connection(mail: MailServer) -> None:
    """A client that closes its side after sending everything still reads all replies."""
    bob = mail.base.account("bob")
    client = mail.raw()
    client.send(
        b"LHLO me.test\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
        b"A: b\r\n\r\nx\r\n.\r\n"
    )
    client.socket.shutdown(1)
    replies = [client.reply() for _ in range(5)]
    assert replies[4].startswith("250 2.0.0 <bob@example.test>")
    assert len(mail.inbox(bob)) == 1


def test_smuggling_by_lmtp(mail: MailServer) -> None:
    """A message with a hidden second transaction arrives as one message. # rfc5321#4.1.1.4"""
    bob = mail.base.account("bob")
    hidden = (
        b"MAIL FROM:<ceo@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
        b"Subject: fake\r\n\r\n"
    )
    client = mail.raw()
    client.ask(b"LHLO me.test")
    client.ask(b"MAIL FROM:<a@example.org>")
    client.ask(b"RCPT TO:<bob@example.test>")
    client.ask(b"DATA")
    for fake in (b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r\r\n"):
        client.send(b"text" + fake + hidden)
    client.send(b"\r\n.\r\n")
    assert client.reply().startswith("250")
    assert client.ask(b"NOOP").startswith("250 2.0.0 OK")
    assert len(mail.inbox(bob)) == 1


def test_full_disk(mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes no more gives 452 4.3.1, and the connection goes on. # rfc3463#3.4"""
    mail.base.account("bob")

    def full() -> None:
        raise OSError(28, "No space left on device")

    client = mail.raw()
    client.ask(b"LHLO me.test")
    for large in (True, False):
        with monkeypatch.context() as patch:
            if large:
                patch.setattr(mail.base.store, "spool", full)
            else:
                patch.setattr(mail.base.store, "prepare", lambda body: full())
            client.ask(b"MAIL FROM:<a@example.org>")
            client.ask(b"RCPT TO:<bob@example.test>")
            client.ask(b"DATA")
            client.send(b"A: b\r\n\r\n" + b"x" * (700_000 if large else 1) + b"\r\n.\r\n")
            assert client.reply().startswith("452 4.3.1"), large
    assert client.ask(b"NOOP").startswith("250")


def test_store_that_is_away(mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unavailable store is temporary for the client, a bug shows nothing of itself."""
    client = mail.raw()
    client.ask(b"LHLO me.test")
    client.ask(b"MAIL FROM:<a@example.org>")
    for error, reply in ((Unavailable(), "452 4.3.1"), (RuntimeError("/etc/secret"), "451 4.3.0")):

        async def fail(address: str, poster: Poster, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(mail.delivery, "resolve", fail)
        answer = client.ask(b"RCPT TO:<bob@example.test>")
        assert answer.startswith(reply)
        assert "secret" not in answer


def test_random_octets(mail: MailServer) -> None:
    """Whatever comes in whatever state, the server answers others."""
    mail.base.account("bob")
    chance = random.Random(1)
    starts = [
        b"", b"LHLO x\r\n", b"LHLO x\r\nMAIL FROM:<>\r\n",
        b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\n",
        b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n",
        b"LHLO x\r\nSTARTTLS\r\n",
    ]  # fmt: skip
    words = [b"MAIL FROM:", b"<", b">", b"\r\n", b"\n", b"\0", b".", b"=", b"AUTH ", b'"', b"\\"]
    for number in range(60):
        client = RawClient(mail.smtp_port if number % 5 == 0 else mail.lmtp_port)
        rubbish = b"".join(
            chance.choice(words) if chance.random() < 0.7 else chance.randbytes(20)
            for _ in range(60)
        )
        client.send(chance.choice(starts) + rubbish)
        client.close()
    alive(mail)


@pytest.mark.slow
def test_a_message_of_50_mb_in_little_memory(mail: MailServer) -> None:
    """It goes in without being held in memory: less than 64 MB more at any time."""
    bob = mail.base.account("bob")
    process = psutil.Process()
    before = process.memory_info().rss
    peak = 0
    client = mail.raw()
    client.ask(b"LHLO me.test")
    client.ask(b"MAIL FROM:<a@example.org>")
    client.ask(b"RCPT TO:<bob@example.test>")
    client.ask(b"DATA")
    client.send(b"Subject: large\r\n\r\n")
    block = (b"x" * 76 + b"\r\n") * 1000
    for _ in range(50_000_000 // len(block)):
        client.send(block)
        peak = max(peak, process.memory_info().rss)
    client.send(b".\r\n")
    assert client.reply().startswith("250")
    peak = max(peak, process.memory_info().rss)
    assert peak - before < 64 * 1024 * 1024
    (octets,) = mail.inbox(bob)
    assert octets.count(block) == 50_000_000 // len(block)


@pytest.mark.slow
def test_ten_thousand_recipients(mail: MailServer) -> None:
    """The largest transaction that is allowed is delivered in one piece."""
    mail.base.account("bob")
    client = mail.raw()
    client.ask(b"LHLO me.test")
    client.ask(b"MAIL FROM:<a@example.org>")
    lines = b"".join(b"RCPT TO:<bob+%d@example.test>\r\n" % number for number in range(10_001))
    sender = threading.Thread(target=client.send, args=(lines,))
    sender.start()
    codes = [client.reply()[:3] for _ in range(10_001)]
    sender.join()
    assert codes == ["250"] * 10_000 + ["452"]
    client.ask(b"DATA")
    client.send(b"A: b\r\n\r\nx\r\n.\r\n")
    assert [client.reply()[:3] for _ in range(10_000)] == ["250"] * 10_000
