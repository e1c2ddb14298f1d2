"""DATA: the message itself, in bounded memory, and the replies to it."""

from __future__ import annotations

import asyncio

from folkmoot.protocols.smtp import replies
from folkmoot.protocols.smtp.data import DataDecoder
from folkmoot.protocols.smtp.errors import reply_to
from folkmoot.protocols.smtp.replies import Reply
from folkmoot.protocols.smtp.session import Hangup, Session, Transaction
from folkmoot.protocols.smtp.spool import (
    DiskFull,
    HeaderTooLarge,
    MailLoop,
    MessageTooLarge,
    Spool,
    SpoolError,
)
from folkmoot.storage.types_mail import MailEnvelope

_SPOOL_REPLIES: dict[type[SpoolError], Reply] = {
    DiskFull: replies.DISK_FULL,
    HeaderTooLarge: replies.HEADER_TOO_LARGE,
    MessageTooLarge: replies.MESSAGE_TOO_LARGE,
    MailLoop: replies.MAIL_LOOP,
}

# Messages that are being stored go on when their connection breaks: they are kept from here.
_unfinished: set[asyncio.Task[list[Reply]]] = set()


async def data(session: Session, argument: str) -> Reply | None:
    """Take a message (RFC 5321 section 4.1.1.4); LMTP gives one reply per recipient."""
    transaction = session.mail
    if argument:
        return replies.NO_ARGUMENT
    if transaction is None:
        return replies.BAD_SEQUENCE.with_text("Send MAIL first")
    if not transaction.recipients:
        # rfc2033#4.2: 503 when there is no successful recipient
        return replies.BAD_SEQUENCE.with_text("No valid recipients")
    session.mail = None
    await session.reply(replies.GO_AHEAD)
    spool = Spool(
        lambda header: session.role.stamp(session, transaction, header),
        session.service.intake.spool,
        size_limit=session.limits.message_size,
        header_limit=session.limits.header_size,
    )
    try:
        decoder, failure = await _receive(session, spool)
    except BaseException:
        await spool.close()
        raise
    task = asyncio.create_task(_hand_over(session, transaction, spool, decoder, failure))
    _unfinished.add(task)
    task.add_done_callback(_unfinished.discard)
    for reply in await asyncio.shield(task):
        await session.reply(reply)
    return None


async def _receive(session: Session, spool: Spool) -> tuple[DataDecoder, Reply | None]:
    """Read to the end of the message, whatever becomes of it."""
    decoder = DataDecoder()
    failure: Reply | None = None
    dropped = 0
    while not decoder.done:
        block = await session.wire.block(session.limits.data_seconds)
        content, rest = decoder.feed(block)
        session.wire.unread(rest)
        if failure is None:
            try:
                await spool.add(content)
            except SpoolError as error:
                failure = _SPOOL_REPLIES[type(error)]
        else:
            dropped += len(content)
            if dropped > session.limits.message_size:
                raise Hangup(Reply(421, "4.3.0", failure.text))
    return decoder, failure


async def _hand_over(
    session: Session,
    transaction: Transaction,
    spool: Spool,
    decoder: DataDecoder,
    failure: Reply | None,
) -> list[Reply]:
    try:
        if failure is None:
            await spool.finish()
            failure = _judge(session, decoder)
        if failure is not None:
            return session.role.failed(transaction, failure)
        envelope = _envelope(transaction, spool, decoder)
        return await session.role.message(session, transaction, envelope, spool)
    except SpoolError as error:
        return session.role.failed(transaction, _SPOOL_REPLIES[type(error)])
    except Exception as error:
        return session.role.failed(transaction, reply_to(error))
    finally:
        await spool.close()


def _judge(session: Session, decoder: DataDecoder) -> Reply | None:
    limit = session.limits.data_line
    if not session.role.strict:
        # An MTA has judged it, and its octets are not ours to change.
        return None
    # rfc5321#2.3.8: what a later hop might take for the end of the message goes no further
    if decoder.bare_newline:
        return replies.BARE_LF_IN_DATA
    if decoder.nul:
        return replies.NUL_IN_DATA
    if decoder.longest_line > limit:
        return replies.LONG_LINE_IN_DATA
    return None


def _envelope(transaction: Transaction, spool: Spool, decoder: DataDecoder) -> MailEnvelope:
    addresses = [transaction.sender, *(one.address for one in transaction.recipients)]
    # Many clients say SMTPUTF8 always; only what really needs it may fail at a peer without it.
    utf8 = not all(map(str.isascii, addresses)) or (
        transaction.parameters.utf8 and not spool.header.isascii()
    )
    return MailEnvelope(
        sender=transaction.sender,
        recipients=tuple(transaction.recipients),
        envelope_id=transaction.parameters.envelope_id,
        returns=transaction.parameters.returns,
        utf8=utf8,
        eight_bit=decoder.eight_bit,
    )
