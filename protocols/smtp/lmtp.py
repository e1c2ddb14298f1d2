"""LMTP (RFC 2033): an MTA in front hands over mail for the people here."""

from __future__ import annotations

from folkmoot.protocols.smtp import replies
from folkmoot.protocols.smtp.errors import reply_to
from folkmoot.protocols.smtp.headers import (
    delivered_to,
    received_count,
    received_field,
    return_path,
    without,
)
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.protocols.smtp.session import Session, Transaction
from folkmoot.protocols.smtp.spool import MailLoop, Spool
from folkmoot.protocols.smtp.submission import make_trace
from folkmoot.protocols.smtp.success import report_delivered
from folkmoot.storage.errors import OverQuota
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient, Poster, Standing

_STANDINGS = {
    Standing.LOCAL: replies.RECIPIENT_OK,
    Standing.REMOTE: replies.NOT_OURS,
    Standing.UNKNOWN: replies.NO_SUCH_USER,
    Standing.DISABLED: replies.USER_DISABLED,
    Standing.OVER_QUOTA: reply_to(OverQuota()),
    Standing.REFUSED: replies.NOT_A_WRITER,
}


class Lmtp:
    """The rules of local delivery."""

    base = "LMTP"
    greeting = "LHLO"
    needs_login = False
    strict = False

    async def sender(self, session: Session, address: str) -> Reply:
        """Anybody may write to the people here."""
        return replies.SENDER_OK

    async def recipient(self, session: Session, recipient: MailRecipient) -> Reply:
        """Accept the people here only."""
        assert session.mail is not None
        # Whether what comes from nobody is a report is seen when it is there.
        poster = Poster(address=session.mail.sender, report=True)
        found = await session.service.intake.resolve(recipient.address, poster)
        return _STANDINGS[found.standing]

    def stamp(self, session: Session, transaction: Transaction, header: bytes) -> bytes:
        """Put the trace of a final delivery on top (RFC 5321 section 4.4)."""
        if received_count(header) > session.limits.received_fields:
            raise MailLoop
        top = return_path(transaction.sender)
        if len(transaction.recipients) == 1:
            # With several, one content serves all, and nobody learns of the others.
            top += delivered_to(transaction.recipients[0].address)
        # rfc5321#4.4: there is only one Return-Path, that of the final delivery
        kept = without(header, frozenset({b"return-path"}))
        return top + received_field(make_trace(session, transaction)) + kept

    async def message(
        self, session: Session, transaction: Transaction, envelope: MailEnvelope, message: Spool
    ) -> list[Reply]:
        """Give each recipient's reply, in the order of RCPT (RFC 2033 section 4.2)."""
        service = session.service
        outcomes = await service.intake.deliver(envelope, message)
        await report_delivered(service.intake, service.hostname, envelope, message, outcomes)
        return [
            replies.OK.with_text(f"<{one.address}> delivered as {transaction.id}")
            if one.error is None
            else reply_to(one.error)
            for one in outcomes
        ]

    def failed(self, transaction: Transaction, reply: Reply) -> list[Reply]:
        """The same reply for each recipient."""
        return [reply] * len(transaction.recipients)
