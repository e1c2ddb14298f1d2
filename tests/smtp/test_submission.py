"""Submission against the real server: who may send what, and where it goes."""

from __future__ import annotations

import smtplib
import socket
import ssl
from base64 import b64decode, b64encode
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from OpenSSL import SSL

from folkmoot.storage.types import Limit, Tool
from folkmoot.storage.types_accounts import Terms
from tests import LOOP
from tests.auth.support import ScramClient
from tests.kit.messages import simple
from tests.kit.server import TestAccount
from tests.smtp.conftest import MailServer, RawClient, fired, on_loop, unchecked


def message(sender: TestAccount, **words: str) -> bytes:
    """A message in the name of an account."""
    return simple(sender=f"Me <{sender.address}>", **words)


def test_to_a_neighbour(mail: MailServer) -> None:
    """STARTTLS, AUTH, a message to an account here: in the INBOX when the reply comes."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    mail.smtp(alice).sendmail(alice.address, [bob.address], message(alice))
    (octets,) = mail.inbox(bob)
    assert octets.startswith(b"Return-Path: <alice@example.test>\r\nReceived: from")
    assert b" with ESMTPSA\r\n" in octets
    assert b"tls TLS_" in octets
    assert mail.queue() == []


def test_implicit_tls(mail: MailServer) -> None:
    """Port 465 (RFC 8314): TLS first; no STARTTLS is offered inside."""
    alice = mail.base.account("alice")
    client = smtplib.SMTP_SSL("127.0.0.1", mail.smtps_port, context=unchecked(), timeout=60)
    client.ehlo()
    assert not client.has_extn("starttls")
    client.login(alice.address, alice.password)
    client.sendmail(alice.address, [alice.address], message(alice))
    assert len(mail.inbox(alice)) == 1


def test_elsewhere_is_queued(mail: MailServer) -> None:
    """Local copies are delivered, the others wait in the queue: both when the reply comes."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    client = mail.smtp(alice)
    client.sendmail(alice.address, ["x@example.org", bob.address, "y@example.net"], message(alice))
    assert len(mail.inbox(bob)) == 1
    (entry,) = mail.queue()
    assert [one.recipient.address for one in entry.recipients] == ["x@example.org", "y@example.net"]
    assert entry.message.sender == alice.address
    assert entry.message.account_id == alice.id


def test_header_is_completed(mail: MailServer) -> None:
    """Bcc is taken out; Date and Message-ID come where they are missing. # rfc6409#8"""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    text = f"From: {alice.address}\r\nBcc: {bob.address}\r\nSubject: x\r\n\r\nbody\r\n"
    mail.smtp(alice).sendmail(alice.address, [bob.address], text.encode())
    (octets,) = mail.inbox(bob)
    assert b"Bcc" not in octets
    assert b"\r\nDate: " in octets
    assert b"\r\nMessage-ID: <" in octets


def test_only_own_addresses(mail: MailServer) -> None:
    """MAIL FROM, From and Sender are the account's: own, alias, subaddress; nobody else's."""
    # rfc6409#6.1
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    fired(lambda: mail.base.accounts.add_alias(alice.address, "sales@example.test"))
    client = mail.smtp(alice)
    for good in (alice.address, "ALICE+x@example.test", "sales@example.test"):
        client.sendmail(good, [bob.address], simple(sender=good))
    for bad in (bob.address, "alice@example.org"):
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail(bad, [bob.address], simple(sender=alice.address))
        assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (550, b"5.7.1")
        client.rset()
    for header in (
        {"sender": "Bob <bob@example.test>"},
        {"sender": f"{alice.address}, bob@example.test"},
        {"sender": alice.address, "extra": "Sender: ceo@example.org\r\n"},
        {"sender": alice.address, "extra": "From: ceo@example.org\r\n"},
        {"sender": '"alice@example.test" <ceo@example.org>'},
        {"sender": f"x <{alice.address}> <ceo@example.org>"},
        {"sender": f"{alice.address} ceo@example.org"},
    ):
        with pytest.raises(smtplib.SMTPDataError) as wrong:
            client.sendmail(alice.address, [bob.address], simple(**header))
        assert (wrong.value.smtp_code, wrong.value.smtp_error[:5]) == (550, b"5.7.1")
    assert len(mail.inbox(bob)) == 3
    assert mail.queue() == []


def test_null_sender(mail: MailServer) -> None:
    """Receipts have no sender, but an author who must be the account."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    mail.smtp(alice).sendmail("", [bob.address], message(alice))
    assert mail.inbox(bob)[0].startswith(b"Return-Path: <>\r\n")


def test_known_failures_are_told_at_once(mail: MailServer) -> None:
    """Recipients here that do not exist are refused before any message is sent."""
    alice = mail.base.account("alice")
    client = mail.smtp(alice)
    client.ehlo()
    client.mail(alice.address)
    assert client.rcpt("nobody@example.test")[0] == 550
    assert client.rcpt("x@[127.0.0.1]")[0] == 550
    assert client.rcpt("x@example.org")[0] == 250


def test_full_neighbour_waits_in_the_queue(mail: MailServer) -> None:
    """A neighbour without room does not fail the others; the copy waits."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    small = mail.base.account("small", {Tool.MAIL: Limit(bytes=100, items=None)})
    mail.smtp(alice).sendmail(alice.address, [small.address, bob.address], message(alice))
    assert len(mail.inbox(bob)) == 1
    (entry,) = mail.queue()
    assert entry.recipients[0].recipient.address == small.address


def test_recipients_per_day(mail: MailServer) -> None:
    """The plan's limit counts recipients elsewhere; what is above it is refused whole."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    mail.base.update(alice, terms=Terms(mail_per_day=3))
    client = mail.smtp(alice)
    client.sendmail(alice.address, ["a@example.org", "b@example.org"], message(alice))
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail(
            alice.address, ["c@example.org", "d@example.org", bob.address], message(alice)
        )
    assert (refused.value.smtp_code, refused.value.smtp_error[:5]) == (452, b"4.5.3")
    assert mail.inbox(bob) == []
    client.sendmail(alice.address, ["c@example.org", bob.address], message(alice))
    assert len(mail.queue()) == 2
    assert len(mail.inbox(bob)) == 1


@pytest.mark.parametrize(
    "body", ["one\ntwo\r\n", "one\rtwo\r\n", "n\0l\r\n", "x" * 999 + "\r\n", "a\n.\nb\r\n"]
)
def test_what_a_relay_could_not_pass_on(mail: MailServer, body: str) -> None:
    """Bare line ends, NUL and over-long lines are refused: nothing is smuggled through us."""
    # rfc5321#2.3.8
    alice = mail.base.account("alice")
    client = mail.smtp(alice)
    client.ehlo()
    client.mail(alice.address)
    client.rcpt(alice.address)
    client.docmd("DATA")
    client.send(message(alice, body=body) + b".\r\n")
    code, text = client.getreply()
    assert (code, text[:5]) == (550, b"5.6.0")
    assert mail.inbox(alice) == []
    assert client.noop()[0] == 250


def test_a_line_of_998_octets_passes(mail: MailServer) -> None:
    """The limit of RFC 5321 section 4.5.3.1.6 itself is allowed, dots not counted."""
    alice = mail.base.account("alice")
    mail.smtp(alice).sendmail(alice.address, [alice.address], message(alice, body="." * 998))
    assert len(mail.inbox(alice)) == 1


# --- signing in --------------------------------------------------------------------------------


def test_sending_needs_a_login(mail: MailServer) -> None:
    """Without AUTH nothing is taken; off this machine TLS is asked for first, then the login."""
    # rfc6409#4.3
    client = mail.raw(mail.smtp_port)
    assert client.ask(b"MAIL FROM:<a@example.test>").startswith("503 5.5.1")
    client.ask(b"EHLO me.test")
    assert client.ask(b"MAIL FROM:<a@example.test>") == "530 5.7.0 Authentication required"
    (session,) = [one for factory in mail._factories for one in factory.sessions]
    session.address = "192.0.2.1"
    assert "STARTTLS" in client.ask(b"MAIL FROM:<a@example.test>")
    assert client.ask(b"RCPT TO:<a@example.test>").startswith("503 5.5.1")
    assert client.ask(b"DATA").startswith("503 5.5.1")


def encoded(text: str) -> bytes:
    """Base64 of a text."""
    return b64encode(text.encode())


def test_auth_plain_and_login_in_all_forms(mail: MailServer) -> None:
    """With and without initial response, as Outlook and others do it (RFC 4954)."""
    alice = mail.base.account("alice")
    name, password = encoded(alice.address), encoded(alice.password)
    plain = encoded(f"\0{alice.address}\0{alice.password}")
    for lines in (
        [b"AUTH PLAIN " + plain],
        [b"AUTH PLAIN", plain],
        [b"auth login", name, password],
        [b"AUTH LOGIN " + name, password],
    ):
        client = mail.raw(mail.smtp_port)
        assert "AUTH " in client.ask(b"EHLO me.test")
        for line in lines[:-1]:
            assert client.ask(line).startswith("334 ")
        assert client.ask(lines[-1]).startswith("235 2.7.0")
        assert "AUTH" not in client.ask(b"EHLO me.test")
        assert client.ask(b"AUTH PLAIN " + plain).startswith("503 5.5.1")
        client.close()


def test_auth_scram(mail: MailServer) -> None:
    """SCRAM-SHA-256: both sides prove that they know the password. # rfc5802#3, rfc4954#4"""
    alice = mail.base.account("alice")
    client = mail.raw(mail.smtp_port)
    client.ask(b"EHLO me.test")
    scram = ScramClient(alice.address, alice.password)
    answer = client.ask(b"AUTH SCRAM-SHA-256 " + b64encode(scram.first()))
    answer = client.ask(b64encode(scram.final(_challenge(answer))))
    assert _challenge(answer) == b"v=" + b64encode(scram.server_signature)
    assert client.ask(b"=").startswith("235 2.7.0")


class TlsClient:
    """Submission over TLS from the first octet, by a TLS that can export keying material."""

    def __init__(self, port: int, version: int) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
        plain = socket.create_connection(("127.0.0.1", port))
        self.connection = SSL.Connection(context, plain)
        self.connection.set_connect_state()
        self.connection.do_handshake()
        assert self.reply().startswith("220 ")

    def ask(self, line: str) -> str:
        """Send one command line and read its reply."""
        self.connection.sendall(line.encode() + b"\r\n")
        return self.reply()

    def reply(self) -> str:
        """Read one reply, which comes at once."""
        octets = b""
        while not octets.endswith(b"\n") or octets.splitlines()[-1][3:4] == b"-":
            octets += self.connection.recv(4096)
        return octets.decode()


def test_auth_scram_plus(mail: MailServer) -> None:
    """The exchange is tied to this connection by the certificate."""
    # rfc5929#4.1
    alice = mail.base.account("alice")
    client = TlsClient(mail.smtps_port, SSL.TLS1_2_VERSION)
    assert "SCRAM-SHA-256-PLUS" in client.ask("EHLO me.test")
    certificate = client.connection.get_peer_certificate(as_cryptography=True)
    assert certificate is not None
    header = "p=tls-server-end-point,,"
    for known, code in ((b"x" * 32, "535 "), (certificate.fingerprint(SHA256()), "235 ")):
        scram = ScramClient(alice.address, alice.password, header=header, channel=known)
        answer = client.ask(f"AUTH SCRAM-SHA-256-PLUS {b64encode(scram.first()).decode()}")
        answer = client.ask(b64encode(scram.final(_challenge(answer))).decode())
        assert (answer if code == "535 " else client.ask("=")).startswith(code)


def test_auth_scram_with_tls_1_3(mail: MailServer) -> None:
    """Without PLUS: NeoMutt would choose it, cannot bind to TLS 1.3, and would not send mail."""
    alice = mail.base.account("alice")
    client = TlsClient(mail.smtps_port, SSL.TLS1_3_VERSION)
    told = client.ask("EHLO me.test")
    assert "SCRAM-SHA-256" in told
    assert "PLUS" not in told
    # "y": the client could bind, and believes that the server cannot. # rfc5802#6
    scram = ScramClient(alice.address, alice.password, header="y,,")
    answer = client.ask(f"AUTH SCRAM-SHA-256 {b64encode(scram.first()).decode()}")
    client.ask(b64encode(scram.final(_challenge(answer))).decode())
    assert client.ask("=").startswith("235 ")


def _challenge(reply: str) -> bytes:
    assert reply.startswith("334 ")
    return b64decode(reply[4:])


def test_auth_refusals(mail: MailServer) -> None:
    """Wrong passwords, cancellation, broken base64, unknown mechanisms, endless lines."""
    # rfc4954#4, rfc4954#6
    alice = mail.base.account("alice")
    client = mail.raw(mail.smtp_port)
    assert client.ask(b"AUTH PLAIN").startswith("503 5.5.1")
    client.ask(b"EHLO me.test")
    assert client.ask(b"AUTH MAGIC").startswith("504 5.5.4")
    assert client.ask(b"AUTH").startswith("501 5.5.4")
    assert client.ask(b"AUTH PLAIN !!!").startswith("501 5.5.2")
    client.ask(b"AUTH PLAIN")
    assert client.ask(b"*").startswith("501 5.7.0")
    client.ask(b"AUTH PLAIN")
    assert client.ask(b"A" * 20_000).startswith("500 5.5.6")
    assert client.ask(b"AUTH PLAIN AAAA").startswith("535 5.7.8")
    wrong = encoded(f"\0{alice.address}\0wrong")
    assert client.ask(b"AUTH PLAIN " + wrong).startswith("535 5.7.8")
    assert client.ask(b"MAIL FROM:<alice@example.test>").startswith("530 5.7.0")


def test_guessing_is_cut_off(mail: MailServer) -> None:
    """After some wrong passwords the connection ends."""
    alice = mail.base.account("alice")
    client = mail.raw(mail.smtp_port)
    client.ask(b"EHLO me.test")
    replies = [
        client.ask(b"AUTH PLAIN " + encoded(f"\0{alice.address}\0wrong{n}")) for n in range(5)
    ]
    assert [reply[:3] for reply in replies] == ["535"] * 4 + ["421"]
    assert client.closed()


def test_passwords_do_not_cross_a_network_in_clear(mail: MailServer) -> None:
    """From other machines PLAIN and LOGIN are offered with TLS only. # rfc4954#4"""
    mail.service = replace(mail.service)
    client = mail.raw(mail.smtp_port)
    (session,) = [one for factory in mail._factories for one in factory.sessions]
    session.address = "192.0.2.1"
    shown = client.ask(b"EHLO me.test")
    assert "PLAIN" not in shown
    assert "SCRAM-SHA-256" in shown
    assert client.ask(b"AUTH PLAIN").startswith("538 5.7.11")


def test_app_passwords_are_limited_to_their_protocols(mail: MailServer) -> None:
    """A password for IMAP does not send mail."""
    alice = mail.base.account("alice")
    for protocol, code in (("imap", 535), ("submission", 235)):
        _, password = fired(
            partial(mail.base.accounts.add_app_password, alice.address, protocol, (protocol,))
        )
        client = mail.smtp()
        client.ehlo()
        plain = encoded(f"\0{alice.address}\0{password}").decode()
        assert client.docmd("AUTH", f"PLAIN {plain}")[0] == code


def test_starttls_drops_what_came_before(mail: MailServer) -> None:
    """Commands injected behind STARTTLS in clear are never answered inside TLS. # rfc3207#4.2"""
    client = mail.raw(mail.smtp_port)
    client.ask(b"EHLO before.test")
    client.send(b"STARTTLS\r\nRSET\r\nNOOP\r\n")
    assert client.reply().startswith("220 2.0.0")
    secure = unchecked().wrap_socket(client.socket)
    secure.sendall(b"NOOP\r\n")
    assert secure.recv(1000).startswith(b"250 2.0.0 OK\r\n")
    # What was said before is forgotten: a greeting is needed again (RFC 3207 section 4.2).
    secure.sendall(b"MAIL FROM:<a@example.test>\r\n")
    assert secure.recv(1000).startswith(b"503 5.5.1")
    secure.sendall(b"STARTTLS\r\n")
    assert secure.recv(1000).startswith(b"503 5.5.1")
    secure.settimeout(0.2)
    with pytest.raises(TimeoutError):
        secure.recv(1000)


def test_broken_handshake_closes_the_connection(mail: MailServer) -> None:
    """Rubbish instead of a handshake ends this connection and no other."""
    client = mail.raw(mail.smtp_port)
    client.ask(b"EHLO me.test")
    client.ask(b"STARTTLS")
    client.send(b"this is not TLS at all\r\n" * 10)
    client.socket.settimeout(60)
    assert client.file.read() is not None
    assert RawClient(mail.smtp_port).greeting.startswith("220 ")


def test_new_certificates_are_used_at_once(mail: MailServer) -> None:
    """The certificate is looked up at the handshake, not when the listener was opened."""
    first = ssl.get_server_certificate(("127.0.0.1", mail.smtps_port))
    from folkmoot.server.selfsigned import write_self_signed

    folder = mail.base.folder
    for name in ("certificate.pem", "key.pem"):
        (folder / name).unlink()
    write_self_signed(folder / "certificate.pem", folder / "key.pem", ["new.test"])
    assert mail.tls.reload()
    assert ssl.get_server_certificate(("127.0.0.1", mail.smtps_port)) != first


def test_sessions_end_with_the_password(mail: MailServer) -> None:
    """A changed password ends sessions of the old one: nothing more is taken."""
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    client = mail.smtp(alice)
    client.ehlo()
    fired(lambda: mail.base.accounts.set_password(alice.address, "another long one"))
    code, text = client.mail(alice.address)
    assert code == 421, text
    assert mail.inbox(bob) == []


def test_shutdown_tells_idle_clients(mail: MailServer) -> None:
    """Idle connections get a 421 and are closed when the server stops. # rfc5321#3.8"""
    client = mail.raw(mail.smtp_port)
    client.ask(b"EHLO me.test")
    for factory in mail._factories:
        on_loop(factory.close(1))
    assert client.reply().startswith("421 4.3.2")
    assert client.closed()
    assert LOOP.is_running()
