"""Delivery status notifications (RFC 3461, RFC 3464, RFC 6533)."""

from __future__ import annotations

import enum
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from folkmoot.protocols.smtp.headers import header_length
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient, Notice, Notify, Return

# What of a message goes back at most; larger ones come back as their header only.
FULL_LIMIT = 256 * 1024
HEADER_LIMIT = 64 * 1024


class Action(enum.StrEnum):
    """What is being reported (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to one recipient.

    ``reply`` is the SMTP reply on one line, "" when no host gave one; ``peer`` the host that did.
    ``attempted`` is the time of the last try, ``retry_until`` is told with delays only.
    """

    # rfc3464#2.3

    recipient: MailRecipient
    action: Action
    status: str
    reply: str = ""
    peer: str = ""
    attempted: datetime | None = None
    retry_until: datetime | None = None


def wanted(sender: str, recipient: MailRecipient, action: Action) -> bool:
    """Return whether the sender is to hear of this; never about messages without a sender."""
    # rfc3461#6.2: no notification for a message from the null reverse-path
    if not sender or Notify.NEVER in recipient.notify:
        return False
    match action:
        case Action.FAILED:
            return recipient.notify is Notify.UNSAID or Notify.FAILURE in recipient.notify
        case Action.DELAYED:
            return recipient.notify is Notify.UNSAID or Notify.DELAY in recipient.notify
        case Action.DELIVERED | Action.RELAYED:
            return Notify.SUCCESS in recipient.notify


def notification(
    hostname: str,
    envelope: MailEnvelope,
    arrived: datetime,
    reports: Sequence[Report],
    message: bytes,
    now: datetime,
) -> Notice:
    """Build one notification about all ``reports``, which share their action.

    ``message`` is the message, or its beginning with at least the whole header when it is larger
    than FULL_LIMIT. Whether one is wanted is for ``wanted`` to say.
    """
    action = reports[0].action
    utf8 = envelope.utf8
    boundary = f"report-{secrets.token_hex(12)}"
    returned, kind = _returned(envelope, action, message, utf8)
    parts = [
        _part("text/plain; charset=utf-8", _text(_human(hostname, reports), utf8), eight_bit=utf8),
        _part(
            "message/global-delivery-status" if utf8 else "message/delivery-status",
            _text(_machine(hostname, envelope, arrived, reports), utf8),
            eight_bit=utf8,
        ),
        _part(kind, returned, eight_bit=not returned.isascii()),
    ]
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    header = (
        f"From: Mail Delivery System <MAILER-DAEMON@{hostname}>\r\n"
        f"To: <{envelope.sender}>\r\n"
        f"Subject: {_SUBJECTS[action]}\r\n"
        f"Date: {format_datetime(now)}\r\n"
        f"Message-ID: <{secrets.token_hex(12)}@{hostname}>\r\n"
        # rfc3834#5
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        f'\tboundary="{boundary}"\r\n'
        "\r\n"
    )
    return Notice(envelope.sender, header.encode() + body + b"--%s--\r\n" % boundary.encode(), utf8)


_SUBJECTS = {
    Action.FAILED: "Undelivered mail returned to sender",
    Action.DELAYED: "Delayed mail (still being retried)",
    Action.DELIVERED: "Successful delivery report",
    Action.RELAYED: "Delivery report (relayed)",
}

_INTRODUCTIONS = {
    Action.FAILED: (
        "Your message could not be delivered to one or more recipients.\r\n"
        "It has been returned; nothing more will be tried for these addresses."
    ),
    Action.DELAYED: (
        "Your message could not be delivered yet to one or more recipients.\r\n"
        "THIS IS A WARNING ONLY: you need not send it again, it is still being tried."
    ),
    Action.DELIVERED: "Your message was delivered to the recipients below.",
    Action.RELAYED: (
        "Your message was handed on to a host that sends no delivery reports,\r\n"
        "so this is the last that will be heard of it from here."
    ),
}


def _part(kind: str, content: bytes, *, eight_bit: bool) -> bytes:
    encoding = "Content-Transfer-Encoding: 8bit\r\n" if eight_bit else ""
    ending = b"" if content.endswith(b"\r\n") else b"\r\n"
    return f"Content-Type: {kind}\r\n{encoding}\r\n".encode() + content + ending


def _human(hostname: str, reports: Sequence[Report]) -> str:
    lines = [f"This is the mail system at {hostname}.", "", _INTRODUCTIONS[reports[0].action], ""]
    for report in reports:
        lines.append(f"<{report.recipient.address}>")
        if report.reply:
            said = f"The host {report.peer} said:" if report.peer else "The reason:"
            lines += [f"    {said}", f"    {_line(report.reply)}"]
        if report.retry_until is not None:
            lines.append(f"    It will be tried until {format_datetime(report.retry_until)}.")
        lines.append("")
    return "\r\n".join(lines) + "\r\n"


def _machine(
    hostname: str, envelope: MailEnvelope, arrived: datetime, reports: Sequence[Report]
) -> str:
    # rfc3464#2.2: per-message fields
    lines = []
    if envelope.envelope_id:
        lines.append(f"Original-Envelope-Id: {_line(envelope.envelope_id)}")
    lines += [f"Reporting-MTA: dns; {hostname}", f"Arrival-Date: {format_datetime(arrived)}", ""]
    for report in reports:
        lines += [*_recipient_fields(report), ""]
    return "\r\n".join(lines)


def _recipient_fields(report: Report) -> list[str]:
    # rfc3464#2.3
    lines = []
    if report.recipient.original:
        kind, _, address = report.recipient.original.partition(";")
        lines.append(f"Original-Recipient: {kind}; {_line(address)}")
    address = report.recipient.address
    # rfc6533#3: addresses beyond ASCII have a type of their own
    kind = "rfc822" if address.isascii() else "utf-8"
    lines += [
        f"Final-Recipient: {kind}; {address}",
        f"Action: {report.action}",
        f"Status: {report.status}",
    ]
    if report.peer:
        lines.append(f"Remote-MTA: dns; {_line(report.peer)}")
    # rfc3464#2.3.6: only replies of another host; what we say ourselves has no such field
    if report.reply and report.peer:
        lines.append(f"Diagnostic-Code: smtp; {_line(report.reply)}")
    if report.attempted is not None:
        lines.append(f"Last-Attempt-Date: {format_datetime(report.attempted)}")
    if report.retry_until is not None:
        lines.append(f"Will-Retry-Until: {format_datetime(report.retry_until)}")
    return lines


def _text(text: str, utf8: bool) -> bytes:
    """Return octets for a part; without SMTPUTF8 what others said is put into ASCII."""
    return text.encode() if utf8 else text.encode("ascii", "replace")


def _line(text: str) -> str:
    """Return foreign text without anything that could begin a new line or field."""
    return "".join(character if character.isprintable() else " " for character in text)[:900]


def _returned(
    envelope: MailEnvelope, action: Action, message: bytes, utf8: bool
) -> tuple[bytes, str]:
    """Return what goes back of the message, and its media type."""
    # rfc3461#6.2: only failures return the whole message, and only when asked
    full = envelope.returns is Return.FULL and action is Action.FAILED
    if full and len(message) <= FULL_LIMIT:
        return _crlf(message), "message/global" if utf8 else "message/rfc822"
    length = header_length(message)
    header = message[: length if length >= 0 else len(message)]
    if len(header) > HEADER_LIMIT:
        header = header[: header.rfind(b"\n", 0, HEADER_LIMIT) + 1]
    return _crlf(header), "message/global-headers" if utf8 else "text/rfc822-headers"


def _crlf(octets: bytes) -> bytes:
    """Return the octets with every line end as CRLF: bare ones must not go out by SMTP."""
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
