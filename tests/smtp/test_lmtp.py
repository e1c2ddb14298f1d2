"""LMTP against the real server: octets, per-recipient replies, limits."""

from __future__ import annotations

import smtplib

import pytest

from folkmoot.protocols.smtp.limits import SmtpLimits
from folkmoot.storage.types import Limit, Tool
from tests.kit.messages import simple
from tests.kit.waiting import until
from tests.smtp.conftest import MailServer, RawClient


def stored(octets: bytes) -> bytes:
    """What was delivered, without the stamps on top."""
    _, _, rest = octets.partition(b"Received: ")
    return rest[rest.index(b"+0000\r\n") + 7 :]


def transaction(client: RawClient, recipients: list[str], data: bytes) -> list[str]:
    """Greet, name sender and recipients, send dot-stuffed data; the replies to the data."""
    client.ask(b"LHLO mta.test")
    assert client.ask(b"MAIL FROM:<sender@example.org>").startswith("250 2.1.0")
    for one in recipients:
        assert client.ask(f"RCPT TO:<{one}>".encode()).startswith("250 2.1.5")
    assert client.ask(b"DATA").startswith("354")
    client.send(data)
    return [client.reply() for _ in recipients]


def test_a_message_arrives(mail: MailServer) -> None:
    """The thinnest slice: in by LMTP, in the INBOX with Return-Path and a trace line."""
    # rfc2033#4.2, rfc5321#4.4
    bob = mail.base.account("bob")
    client = mail.lmtp()
    assert client.sendmail("sender@example.org", [bob.address], simple()) == {}
    (octets,) = mail.inbox(bob)
    assert octets.startswith(
        b"Return-Path: <sender@example.org>\r\nDelivered-To: bob@example.test\r\nReceived: from"
    )
    assert b" with LMTP\r\n" in octets
    assert stored(octets) == simple()


def test_extensions(mail: MailServer) -> None:
    """What is advertised; STARTTLS no longer after TLS; HELO and EHLO are not LMTP."""
    # rfc2033#4.1, rfc5321#4.1.1.1
    client = mail.raw()
    shown = client.ask(b"LHLO mta.test")
    for name in ("PIPELINING", "SIZE ", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN"):
        assert name in shown
    assert "STARTTLS" in shown
    assert client.ask(b"EHLO mta.test").startswith("500 5.5.2")
    assert client.ask(b"HELO mta.test").startswith("500 5.5.2")
    assert client.ask(b"MAIL FROM:<>").startswith("250 ")


def test_one_reply_for_each_recipient(mail: MailServer) -> None:
    """Aliases, subaddresses and catch-all reach people, two addresses of one person one copy."""
    # rfc2033#4.2
    bob, carol = mail.base.account("bob"), mail.base.account("carol")
    replies = transaction(
        mail.raw(),
        [bob.address, "BOB+lists@Example.Test", carol.address],
        b"A: b\r\n\r\nx\r\n.\r\n",
    )
    assert [reply[:9] for reply in replies] == ["250 2.0.0"] * 3
    assert "BOB+lists@example.test" in replies[1]
    assert len(mail.inbox(bob)) == 1
    (octets,) = mail.inbox(carol)
    # With several recipients nobody learns of the others.
    assert b"Delivered-To" not in octets
    assert b"bob" not in octets.lower()


def test_refused_recipients(mail: MailServer) -> None:
    """Unknown, elsewhere, disabled, full: each with the code that an MTA understands."""
    # rfc3463#3.2, rfc3463#3.3
    full = mail.base.account("full", {Tool.MAIL: Limit(bytes=10, items=0)})
    client = mail.raw()
    client.ask(b"LHLO mta.test")
    client.ask(b"MAIL FROM:<sender@example.org>")
    assert client.ask(b"RCPT TO:<nobody@example.test>").startswith("550 5.1.1")
    assert client.ask(b"RCPT TO:<bob@example.org>").startswith("550 5.1.2")
    assert client.ask(b"RCPT TO:<a@[127.0.0.1]>").startswith("550 5.1.2")
    assert client.ask(f"RCPT TO:<{full.address}>".encode()).startswith("452 4.2.2")
    assert client.ask(b"RCPT TO:<no spaces@example.test>").startswith("501 5.1.3")
    assert client.ask(b"DATA").startswith("503 5.5.1")


def test_over_quota_is_only_theirs(mail: MailServer) -> None:
    """One full mailbox gets 452, and the other recipients of the transaction their copies."""
    # rfc2033#4.2
    bob = mail.base.account("bob")
    small = mail.base.account("small", {Tool.MAIL: Limit(bytes=1500, items=None)})
    body = b"A: b\r\n\r\n" + b"x" * 600 + b"\r\n.\r\n"
    transaction(mail.raw(), [small.address], body)
    replies = transaction(mail.raw(), [small.address, bob.address], body)
    assert [reply[:9] for reply in replies] == ["452 4.2.2", "250 2.0.0"]
    assert len(mail.inbox(small)) == 1
    assert len(mail.inbox(bob)) == 1


def test_larger_than_the_whole_mailbox(mail: MailServer) -> None:
    """What would not fit into an empty mailbox is refused for good: trying again is of no use."""
    small = mail.base.account("small", {Tool.MAIL: Limit(bytes=500, items=None)})
    body = b"A: b\r\n\r\n" + b"x" * 600 + b"\r\n.\r\n"
    (reply,) = transaction(mail.raw(), [small.address], body)
    assert reply.startswith("552 5.2.2")
    assert mail.inbox(small) == []


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: bare\r\n\r\none\ntwo\rthree\r\n",
        b"Subject: nul\r\n\r\na\0b\r\n",
        b"Subject: dots\r\n\r\n.\r\r\n..\r\n\n.\n\r.\r\r\n",
        b"Subject: 8bit\r\n\r\n\xff\xfe\r\n",
        b"Subject: no end of line at the end of the header",
        b"LF: only\n\nbody\nof\nunix\n",
        b"Subject: long\r\n\r\n" + b"x" * 300_000 + b"\r\n",
        b"",
    ],
)
def test_octet_for_octet(mail: MailServer, content: bytes) -> None:
    """What an MTA hands over is stored as it is, whatever its line ends and lengths are."""
    bob = mail.base.account("bob")
    if not content.endswith(b"\r\n") and content:
        content += b"\r\n"
    wire = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    (reply,) = transaction(mail.raw(), [bob.address], wire + b".\r\n")
    assert reply.startswith("250 2.0.0")
    (octets,) = mail.inbox(bob)
    assert stored(octets) == content


def test_text_without_a_header(mail: MailServer) -> None:
    """Text that is no header does not become part of the stamps."""
    bob = mail.base.account("bob")
    transaction(mail.raw(), [bob.address], b"Hello there\r\nSubject: not one\r\n.\r\n")
    (octets,) = mail.inbox(bob)
    header, _, body = octets.partition(b"\r\n\r\n")
    assert header.startswith(b"Return-Path")
    assert body == b"Hello there\r\nSubject: not one\r\n"


def test_pipelining(mail: MailServer) -> None:
    """Everything in one packet, with the next transaction behind the message (RFC 2920)."""
    bob = mail.base.account("bob")
    client = mail.raw()
    one = (
        b"MAIL FROM:<a@example.org>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n"
        b"Subject: one\r\n\r\nx\r\n.\r\n"
    )
    client.send(b"LHLO mta.test\r\n" + one + one + b"QUIT\r\n")
    assert client.reply().startswith("250-")
    codes = [client.reply()[:3] for _ in range(9)]
    assert codes == ["250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert client.closed()
    assert len(mail.inbox(bob)) == 2


def test_large_messages_go_through_a_file(mail: MailServer) -> None:
    """Above 256 KiB a message is spooled; it arrives whole, and no temporary file stays."""
    bob = mail.base.account("bob")
    message = simple(body="0123456789abcde\r\n" * 60_000)
    client = mail.lmtp()
    client.sendmail("a@example.org", [bob.address], message)
    (octets,) = mail.inbox(bob)
    assert stored(octets) == message
    assert list((mail.base.folder / "blobs" / "incoming").iterdir()) == []


def test_size_limits(mail: MailServer) -> None:
    """Too large is refused at MAIL when declared, and after DATA when it was not. # rfc1870#6.1"""
    bob = mail.base.account("bob")
    port = mail.listen("lmtp", SmtpLimits(message_size=400_000, header_size=5000))
    client = mail.raw(port)
    client.ask(b"LHLO mta.test")
    assert client.ask(b"MAIL FROM:<a@example.org> SIZE=400001").startswith("552 5.3.4")
    client.close()
    large = b"A: b\r\n\r\n" + b"x" * 70 + (b"y" * 70 + b"\r\n") * 6000 + b".\r\n"
    client = mail.raw(port)
    assert transaction(client, [bob.address], large)[0].startswith("552 5.3.4")
    # The connection goes on.
    client.ask(b"RSET")
    assert transaction(client, [bob.address], b"A: b\r\n\r\nx\r\n.\r\n")[0].startswith("250")
    header = b"A: " + b"x" * 6000 + b"\r\n\r\nbody\r\n.\r\n"
    assert transaction(mail.raw(port), [bob.address], header)[0].startswith("552 5.3.4")
    assert len(mail.inbox(bob)) == 1


def test_mail_loop(mail: MailServer) -> None:
    """A message that went round in circles is refused for good. # rfc5321#6.3"""
    bob = mail.base.account("bob")
    data = b"Received: x\r\n" * 60 + b"\r\nbody\r\n.\r\n"
    assert transaction(mail.raw(), [bob.address], data)[0].startswith("554 5.4.6")


def test_many_recipients(mail: MailServer) -> None:
    """The limit of recipients is temporary for those above it (RFC 5321 section 4.5.3.1.10)."""
    mail.base.account("bob")
    port = mail.listen("lmtp", SmtpLimits(recipients=300))
    client = mail.raw(port)
    client.ask(b"LHLO mta.test")
    client.ask(b"MAIL FROM:<a@example.org>")
    client.send(b"".join(b"RCPT TO:<bob+%d@example.test>\r\n" % n for n in range(305)))
    codes = [client.reply()[:9] for _ in range(305)]
    assert codes == ["250 2.1.5"] * 300 + ["452 4.5.3"] * 5
    client.ask(b"DATA")
    client.send(b"A: b\r\n\r\nx\r\n.\r\n")
    assert [client.reply()[:3] for _ in range(300)] == ["250"] * 300


def test_success_report(mail: MailServer) -> None:
    """NOTIFY=SUCCESS brings a report to a sender here, with ENVID and ORCPT in it (RFC 3461)."""
    # rfc3461#5.2.3
    alice, bob = mail.base.account("alice"), mail.base.account("bob")
    client = mail.raw()
    client.ask(b"LHLO mta.test")
    client.ask(f"MAIL FROM:<{alice.address}> ENVID=my+2Bid RET=HDRS".encode())
    rcpt = f"RCPT TO:<{bob.address}> NOTIFY=SUCCESS ORCPT=rfc822;Robert+40example.test"
    client.ask(rcpt.encode())
    client.ask(b"DATA")
    client.send(b"Subject: hi\r\n\r\nsecret body\r\n.\r\n")
    assert client.reply().startswith("250")
    mail.worker(1)
    until(lambda: len(mail.inbox(alice)) == 1)
    (report,) = mail.inbox(alice)
    assert report.startswith(b"Return-Path: <>\r\n")
    for text in (
        b"Original-Envelope-Id: my+id\r\n", b"Original-Recipient: rfc822; Robert@example.test\r\n",
        b"Action: delivered\r\n", b"Status: 2.1.5\r\n", b"Subject: hi\r\n",
    ):  # fmt: skip
        assert text in report
    assert b"secret body" not in report
    assert mail.queue() == []


def test_smtputf8(mail: MailServer) -> None:
    """Addresses beyond ASCII with SMTPUTF8 only (RFC 6531)."""
    jo = mail.base.account("jörg")
    client = mail.raw()
    client.ask(b"LHLO mta.test")
    assert client.ask("MAIL FROM:<ü@example.org>".encode()).startswith("550 5.6.7")
    client.ask(b"MAIL FROM:<a@example.org>")
    assert client.ask("RCPT TO:<jörg@example.test>".encode()).startswith("553 5.6.7")
    client.ask(b"RSET")
    client.ask("MAIL FROM:<ü@example.org> SMTPUTF8".encode())
    assert client.ask("RCPT TO:<JÖRG@example.test>".encode()).startswith("250")
    client.ask(b"DATA")
    client.send("Subject: ü\r\n\r\nx\r\n.\r\n".encode())
    assert client.reply().startswith("250")
    (octets,) = mail.inbox(jo)
    assert b" with UTF8LMTP" in octets


def test_lmtp_library_sees_partial_failure(mail: MailServer) -> None:
    """smtplib's LMTP client reports the one recipient that does not exist."""
    bob = mail.base.account("bob")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mail.lmtp().sendmail("a@example.org", ["nobody@example.test"], simple())
    refused = mail.lmtp().sendmail("a@example.org", ["no@example.test", bob.address], simple())
    assert list(refused) == ["no@example.test"]
