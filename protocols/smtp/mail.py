"""MAIL and RCPT: who sends, and who is to receive."""

from __future__ import annotations

from folkmoot.protocols.smtp import replies
from folkmoot.protocols.smtp.auth import passwords_allowed
from folkmoot.protocols.smtp.parameters import (
    ParameterError,
    mail_parameters,
    recipient_parameters,
)
from folkmoot.protocols.smtp.paths import PathError, is_literal, parse_path, split_address
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.protocols.smtp.session import Session, Transaction
from folkmoot.storage.types_mail import MailRecipient


def _after_keyword(argument: str, keyword: str) -> str | None:
    return argument[len(keyword) :] if argument[: len(keyword)].upper() == keyword else None


async def mail(session: Session, argument: str) -> Reply:
    """Begin a transaction (RFC 5321 section 4.1.1.2)."""
    refused = _not_now(session)
    if refused is not None:
        return refused
    path = _after_keyword(argument, "FROM:")
    if path is None:
        return replies.BAD_PARAMETER.with_text("Syntax: MAIL FROM:<address> [parameters]")
    try:
        sender, rest = parse_path(path)
        parameters = mail_parameters(rest)
    except PathError:
        return replies.BAD_SENDER_SYNTAX
    except ParameterError as error:
        return error.reply
    # rfc1870#6.1: refused before a single octet of it has come
    if parameters.size is not None and parameters.size > session.limits.message_size:
        return replies.MESSAGE_TOO_LARGE
    if not sender.isascii() and not parameters.utf8:
        return replies.UTF8_SENDER
    session.begin_message()
    reply = await session.role.sender(session, sender)
    if reply.code < 300:
        session.mail = Transaction(sender, parameters)
    return reply


def _not_now(session: Session) -> Reply | None:
    if not session.helo:
        return replies.BAD_SEQUENCE.with_text(f"Send {session.role.greeting} first")
    if session.role.needs_login and session.actor is None:
        # rfc3207#4: said only where passwords are not taken without TLS
        needs_tls = session.service.tls is not None and not passwords_allowed(session)
        return replies.NEEDS_TLS if needs_tls else replies.NEEDS_AUTH
    if session.mail is not None:
        return replies.BAD_SEQUENCE.with_text("A sender has been given already")
    return None


async def rcpt(session: Session, argument: str) -> Reply:
    """Add a recipient (RFC 5321 section 4.1.1.3)."""
    transaction = session.mail
    if transaction is None:
        return replies.BAD_SEQUENCE.with_text("Send MAIL first")
    path = _after_keyword(argument, "TO:")
    if path is None:
        return replies.BAD_PARAMETER.with_text("Syntax: RCPT TO:<address> [parameters]")
    try:
        address, rest = parse_path(path)
        parameters = recipient_parameters(rest)
    except PathError:
        return replies.BAD_ADDRESS_SYNTAX
    except ParameterError as error:
        return error.reply
    if not address:
        return replies.BAD_ADDRESS_SYNTAX
    if not address.isascii() and not transaction.parameters.utf8:
        return replies.UTF8_RECIPIENT
    if is_literal(split_address(address)[1]):
        return replies.ADDRESS_LITERAL
    if len(transaction.recipients) >= session.limits.recipients:
        return replies.TOO_MANY_RECIPIENTS
    recipient = MailRecipient(address, parameters.notify, parameters.original)
    reply = await session.role.recipient(session, recipient)
    if reply.code < 300:
        transaction.recipients.append(recipient)
    return reply
