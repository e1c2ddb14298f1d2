"""Incoming mail: where it goes, who may send it, and one transaction for all its copies.

A subaddress (``bob+lists@``) is delivered into INBOX like mail for ``bob@``: the sender decides
what stands behind the separator, and must not be able to choose a mailbox. The address as it was
given stays in ``Delivered-To`` where the message has one recipient.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.storage.content.headers import addresses, collect
from folkmoot.storage.errors import InvalidContent, NotFound, PermissionDenied, StorageError
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.mutations.queue import CountSent, EnqueueMail
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, BodySpool, Content, FlagSet, NewMessage, Right
from folkmoot.storage.types_mail import (
    Delivered,
    MailEnvelope,
    MailRecipient,
    Notice,
    Octets,
    Resolved,
    Standing,
)
from folkmoot.storage.views.queue import DeliveryTarget, MaySend
from folkmoot.storage.views.resolve import MaySendAs, ResolveAddress

R = TypeVar("R")

# Senders in one header: each costs a look-up.
MAX_SENDERS = 20

_SENDER_FIELDS = frozenset({b"from", b"sender"})
_ANSWERABLE = (Standing.LOCAL, Standing.OVER_QUOTA)


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """``separator`` begins a subaddress ("": there are none). ``keep`` is how long mail is tried
    to be sent, in seconds.
    """

    separator: str = "+"
    keep: int = 5 * 86_400


async def _result(deferred: Deferred[R]) -> R:
    return await deferred.asFuture(asyncio.get_running_loop())


class Delivery:
    """Implements ``protocols.smtp.intake.MailIntake``. To be called on the asyncio loop."""

    def __init__(self, store: Store, rules: DeliveryRules | None = None) -> None:
        self._store = store
        self._rules = rules or DeliveryRules()

    def spool(self) -> BodySpool:
        """Begin to store a large message (worker threads only). Raises OSError."""
        return self._store.spool()

    async def resolve(self, address: str) -> Resolved:
        """Say where an address leads."""
        view = ResolveAddress(address, self._rules.separator)
        actor = Actor.system("resolve a recipient")
        return await _result(self._store.read(actor, "resolve", lambda txn: txn.view(view)))

    async def may_send_as(self, actor: Actor, address: str) -> bool:
        """Say whether mail to the address reaches the actor: then it is one to send from."""
        view = MaySendAs(actor.space_id, address, self._rules.separator)
        return await _result(self._store.read(actor, "send as", lambda txn: txn.view(view)))

    async def deliver(self, envelope: MailEnvelope, message: Octets) -> tuple[Delivered, ...]:
        """Store a message for its local recipients; one outcome each, in order."""
        content = await self._content(message)

        def work(txn: Txn) -> tuple[Delivered, ...]:
            inboxes = _Inboxes(txn, content, self._rules.separator)
            outcomes = inboxes.put([one.address for one in envelope.recipients])
            return tuple(
                Delivered(one.address, outcome)
                for one, outcome in zip(envelope.recipients, outcomes, strict=True)
            )

        return await _result(self._store.run(Actor.system("delivery"), "deliver", work))

    async def submit(
        self, actor: Actor, envelope: MailEnvelope, message: Octets
    ) -> tuple[Delivered, ...]:
        """Take over a message of an account: local copies and queued ones in one transaction.

        Returns the recipients whose copies are in their mailboxes now. Those that cannot be
        stored (over quota) wait in the queue like the ones elsewhere.
        """
        senders = _senders(message.header)
        content = await self._content(message)
        rules = self._rules

        def work(txn: Txn) -> tuple[Delivered, ...]:
            per_day = txn.view(MaySend(actor.account_id, actor.epoch, content.size))
            _check_senders(txn, actor, senders, rules.separator)
            inboxes = _Inboxes(txn, content, rules.separator)
            delivered: list[Delivered] = []
            waiting: list[MailRecipient] = []
            outcomes = inboxes.put([one.address for one in envelope.recipients])
            for one, outcome in zip(envelope.recipients, outcomes, strict=True):
                if outcome is None:
                    delivered.append(Delivered(one.address))
                else:
                    waiting.append(one)
            if inboxes.remote:
                txn.apply(CountSent(actor.account_id, inboxes.remote, per_day))
            if waiting:
                queued = _for_recipients(envelope, tuple(waiting))
                txn.apply(EnqueueMail(actor.account_id, queued, content, rules.keep))
            return tuple(delivered)

        system = Actor.system(f"submission by {actor.name}")
        return await _result(self._store.run(system, "submit", work))

    async def notify(self, notices: Sequence[Notice]) -> None:
        """Queue reports to senders."""
        if not notices:
            return
        prepare = self._store.prepare
        contents = await _result(
            self._store.compute(lambda: [prepare(notice.content) for notice in notices])
        )

        def work(txn: Txn) -> None:
            for notice, content in zip(notices, contents, strict=True):
                txn.apply(enqueue_notice(notice, content, self._rules.keep))

        await _result(self._store.run(Actor.system("delivery report"), "notify", work))

    async def _content(self, message: Octets) -> Content:
        body = message.data if message.data is not None else message.file
        assert body is not None
        prepare = self._store.prepare
        return await _result(self._store.compute(lambda: prepare(body)))  # type: ignore[arg-type]


def enqueue_notice(notice: Notice, content: Content, keep: int) -> EnqueueMail:
    """The mutation that queues a report, from the null reverse-path (RFC 3461 section 6.1)."""
    envelope = MailEnvelope(
        sender="",
        recipients=(MailRecipient(notice.recipient),),
        utf8=notice.utf8,
        eight_bit=not notice.content.isascii(),
    )
    return EnqueueMail(0, envelope, content, keep)


class _Inboxes:
    """Puts one message into the INBOX of each local recipient, once for each account."""

    def __init__(self, txn: Txn, content: Content, separator: str) -> None:
        self._txn = txn
        self._separator = separator
        message = NewMessage(content, FlagSet(), datetime.now().astimezone())
        self._messages = (message,)
        self._outcomes: dict[int, StorageError | None] = {}
        self.remote = 0

    def put(self, addresses: Sequence[str]) -> list[StorageError | None]:
        """Store the message for all addresses; for each, the error when that cannot be."""
        targets = [self._target(address) for address in addresses]
        # In the order of their ids, as all transactions lock mailboxes: two messages to the same
        # people in another order cannot wait for each other. Two addresses of one person in one
        # message make one copy.
        for inbox in sorted({target for target in targets if isinstance(target, int)}):
            outcome = self._txn.attempt(AppendMessages(inbox, self._messages, Right.POST))
            self._outcomes[inbox] = outcome if isinstance(outcome, StorageError) else None
        return [self._outcomes[target] if isinstance(target, int) else target for target in targets]

    def _target(self, address: str) -> int | StorageError:
        """The INBOX of an address, or why there is none."""
        found, inbox = self._txn.view(DeliveryTarget(address, self._separator))
        if found.standing is Standing.REMOTE:
            self.remote += 1
            return NotFound("This server does not receive mail for that domain.")
        if found.standing not in _ANSWERABLE or not inbox:
            return NotFound("No such user here.")
        return inbox


def _for_recipients(envelope: MailEnvelope, recipients: tuple[MailRecipient, ...]) -> MailEnvelope:
    return MailEnvelope(
        envelope.sender,
        recipients,
        envelope.envelope_id,
        envelope.returns,
        envelope.utf8,
        envelope.eight_bit,
    )


# Quoted names and comments, which programs show as names.
_NOT_AN_ADDRESS = re.compile(rb'"(?:[^"\\]|\\.)*+"(?!@)|\((?:[^()\\]|\\.)*+\)', re.DOTALL)
_LIKE_AN_ADDRESS = re.compile(rb'[^\s<>(),;:"@]++@[^\s<>(),;:"@]++')


def _senders(header: bytes) -> list[str]:
    """The addresses in From and Sender. Raises ``InvalidContent``, ``PermissionDenied``."""
    found = collect(header, _SENDER_FIELDS)
    if not found.get(b"from"):
        raise InvalidContent("The message has no From field.")
    senders: list[str] = []
    for value in (value for values in found.values() for value in values):
        for mailbox in addresses(value, MAX_SENDERS + 1):
            if mailbox.domain is None:  # a group marker
                continue
            try:
                senders.append(f"{(mailbox.local or b'').decode()}@{mailbox.domain.decode()}")
            except UnicodeDecodeError:
                raise InvalidContent("A sender's address is not UTF-8.") from None
        # What a mail program might take for the address, though the parser does not.
        bare = _NOT_AN_ADDRESS.sub(b" ", value)
        senders += [each.decode("utf-8", "replace") for each in _LIKE_AN_ADDRESS.findall(bare)]
    senders = list(dict.fromkeys(senders))
    if not senders or len(senders) > MAX_SENDERS:
        raise InvalidContent("The From field has no address, or too many.")
    return senders


def _check_senders(txn: Txn, actor: Actor, senders: list[str], separator: str) -> None:
    for sender in senders:
        found, _ = txn.view(DeliveryTarget(sender, separator))
        if found.account_id != actor.account_id:
            raise PermissionDenied("You may not send mail in the name of this From address.")
