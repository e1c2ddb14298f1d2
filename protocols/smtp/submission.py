"""Message submission (RFC 6409): signed-in people hand in mail for anybody."""

from __future__ import annotations

from datetime import datetime

from folkmoot.protocols.smtp import replies
from folkmoot.protocols.smtp.headers import (
    Trace,
    completed,
    received_count,
    return_path,
    with_protocol,
)
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.protocols.smtp.session import Session, Transaction
from folkmoot.protocols.smtp.spool import MailLoop, Spool
from folkmoot.protocols.smtp.success import report_delivered
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient, Poster, Standing


class Submission:
    """The rules of submission."""

    base = "ESMTP"
    greeting = "EHLO"
    needs_login = True
    strict = True

    async def sender(self, session: Session, address: str) -> Reply:
        """Let people send as themselves, as groups that let them, or with the null path (receipts,
        vacation notices)."""
        # rfc6409#6.1
        assert session.actor is not None
        if address and not await session.service.intake.may_send_as(session.actor, address):
            return replies.NOT_YOUR_ADDRESS
        return replies.SENDER_OK

    async def recipient(self, session: Session, recipient: MailRecipient) -> Reply:
        """Refuse at once what is known to fail. # rfc6409#6.2"""
        assert session.actor is not None
        poster = Poster(session.actor.account_id)
        found = await session.service.intake.resolve(recipient.address, poster)
        if found.standing is Standing.UNKNOWN:
            return replies.NO_SUCH_USER
        if found.standing is Standing.DISABLED:
            return replies.USER_DISABLED
        if found.standing is Standing.REFUSED:
            return replies.NOT_A_WRITER
        return replies.RECIPIENT_OK

    def stamp(self, session: Session, transaction: Transaction, header: bytes) -> bytes:
        """Complete the header and put the trace on top."""
        if received_count(header) > session.limits.received_fields:
            raise MailLoop
        # For the copies that are delivered at once. A relay takes it off (rfc5321#4.4).
        top = return_path(transaction.sender)
        return top + completed(header, transaction.sender, make_trace(session, transaction))

    async def message(
        self, session: Session, transaction: Transaction, envelope: MailEnvelope, message: Spool
    ) -> list[Reply]:
        """Acknowledge what is stored and queued, and nothing before."""
        assert session.actor is not None
        service = session.service
        outcomes = await service.intake.submit(session.actor, envelope, message)
        await report_delivered(service.intake, service.hostname, envelope, message, outcomes)
        return [replies.OK.with_text(f"Accepted as {transaction.id}")]

    def failed(self, transaction: Transaction, reply: Reply) -> list[Reply]:
        """One reply for all."""
        return [reply]


def make_trace(session: Session, transaction: Transaction) -> Trace:
    """Return what the Received field of this transaction tells."""
    base = session.role.base if session.extended else "SMTP"
    recipients = transaction.recipients
    return Trace(
        hostname=session.service.hostname,
        helo=session.helo,
        address="" if session.address == "local" else session.address,
        protocol=with_protocol(
            base,
            utf8=transaction.parameters.utf8,
            tls=session.secure,
            authenticated=session.actor is not None,
        ),
        id=transaction.id,
        when=datetime.now().astimezone(),
        recipient=recipients[0].address if len(recipients) == 1 else "",
        tls=session.cipher(),
    )
