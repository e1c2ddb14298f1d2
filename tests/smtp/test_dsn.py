"""Reports: when they are wanted, and what stands in them."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from folkmoot.protocols.smtp.dsn import Action, Report, notification, wanted
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient, Notify, Return

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MESSAGE = b"Subject: original\r\nX: y\r\n\r\nsecret body\r\n"
BOB = MailRecipient("bob@example.org", original="rfc822;Robert@example.org")


@pytest.mark.parametrize(
    ("notify", "told"),
    [
        (Notify.UNSAID, {Action.FAILED, Action.DELAYED}),
        (Notify.NEVER, set()),
        (Notify.FAILURE, {Action.FAILED}),
        (Notify.DELAY, {Action.DELAYED}),
        (Notify.SUCCESS, {Action.DELIVERED, Action.RELAYED}),
        (Notify.SUCCESS | Notify.FAILURE, {Action.DELIVERED, Action.RELAYED, Action.FAILED}),
    ],
)
def test_when_a_report_is_wanted(notify: Notify, told: set[Action]) -> None:
    """NOTIFY decides; a message without a sender never has a report (no report on a report)."""
    # rfc3461#4.1, rfc3461#6.2
    recipient = MailRecipient("bob@example.org", notify)
    assert {action for action in Action if wanted("a@b.test", recipient, action)} == told
    assert not any(wanted("", recipient, action) for action in Action)


def build(
    report: Report,
    returns: Return = Return.UNSAID,
    message: bytes = MESSAGE,
    *,
    utf8: bool = False,
) -> EmailMessage:
    """A notification about one recipient, parsed by Python's own parser."""
    envelope = MailEnvelope("alice@example.test", (report.recipient,), "env+1", returns, utf8)
    notice = notification("mail.test", envelope, NOW, [report], message, NOW)
    assert notice.recipient == "alice@example.test"
    bare = notice.content.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    if not utf8:
        assert notice.content.isascii() or not message.isascii()
    return message_from_bytes(notice.content, policy=policy.default)


FAILED = Report(BOB, Action.FAILED, "5.1.1", "550 5.1.1 no such user", "mx.example.org", NOW)


def test_structure() -> None:
    """multipart/report with text for people, fields for machines, and the header (RFC 3464)."""
    # rfc3464#2.2, rfc3464#2.3, rfc3834#5
    message = build(FAILED)
    assert message.get_content_type() == "multipart/report"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["To"] == "alice@example.test"
    parts: Any = message.iter_parts()
    human, machine, header = parts
    assert "bob@example.org" in human.get_content()
    assert "no such user" in human.get_content()
    per_message, recipient = machine.get_payload()
    assert per_message["Reporting-MTA"] == "dns; mail.test"
    assert per_message["Original-Envelope-Id"] == "env+1"
    assert recipient["Original-Recipient"] == "rfc822; Robert@example.org"
    assert recipient["Final-Recipient"] == "rfc822; bob@example.org"
    assert recipient["Action"] == "failed"
    assert recipient["Status"] == "5.1.1"
    assert recipient["Remote-MTA"] == "dns; mx.example.org"
    assert recipient["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user"
    assert header.get_content_type() == "text/rfc822-headers"
    assert "original" in header.get_content()


def test_what_comes_back() -> None:
    """The whole message only on RET=FULL, for failures, and when it is not too large."""
    # rfc3461#4.3, rfc3461#6.2
    assert b"secret body" in build(FAILED, Return.FULL).as_bytes()
    assert b"secret body" not in build(FAILED, Return.HEADERS).as_bytes()
    assert b"secret body" not in build(FAILED).as_bytes()
    delayed = Report(BOB, Action.DELAYED, "4.4.1", "451 later", "", NOW, NOW)
    assert b"secret body" not in build(delayed, Return.FULL).as_bytes()
    large = MESSAGE + b"x" * 300_000
    assert b"xxxx" not in build(FAILED, Return.FULL, large).as_bytes()
    endless = b"X: y\r\n" * 100_000
    assert len(build(FAILED, message=endless).as_bytes()) < 80_000


def test_delay_says_until_when() -> None:
    """A warning says that nothing is lost, and until when it is tried. # rfc3464#2.3.9"""
    delayed = Report(BOB, Action.DELAYED, "4.4.1", "451 4.4.1 busy", "mx.test", NOW, NOW)
    text = build(delayed).as_bytes()
    assert b"THIS IS A WARNING ONLY" in text
    assert b"Will-Retry-Until: Fri, 02 Jan 2026 03:04:05 +0000" in text


def test_foreign_text_cannot_break_out() -> None:
    """Replies with line ends or other alphabets become one line of ASCII. # rfc3464#2.3.6"""
    reply = "550 5.0.0 evil\r\nX-Injected: yes\x00 ünïcode"
    message = build(Report(BOB, Action.FAILED, "5.0.0", reply, "mx\r\n.test", NOW))
    parts: Any = message.iter_parts()
    _, machine, _ = parts
    _, recipient = machine.get_payload()
    assert recipient["X-Injected"] is None
    assert "X-Injected" in recipient["Diagnostic-Code"]


def test_bare_line_ends_come_back_as_crlf() -> None:
    """What LMTP took octet for octet must not smuggle anything when it goes back by SMTP."""
    message = b"Subject: x\nY: z\r\n\r\nbody\n.\nmore\r\n"
    build(FAILED, Return.FULL, message)


def test_international_report() -> None:
    """With SMTPUTF8 the types of RFC 6533 are used, and addresses stay readable."""
    recipient = MailRecipient("jürgen@example.org", original="utf-8;jürgen@example.org")
    report = Report(recipient, Action.FAILED, "5.1.1", "550 nein", "mx.test", NOW)
    text = build(report, utf8=True).as_bytes(policy=policy.default.clone(utf8=True))
    assert b"message/global-delivery-status" in text
    assert b"message/global-headers" in text
