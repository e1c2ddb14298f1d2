"""Incoming mail: where it goes, who may send it, and one transaction for all its copies.

A subaddress (``bob+lists@``) is delivered into INBOX like mail for ``bob@``: the sender decides
what stands behind the separator, and must not be able to choose a mailbox. The address as it was
given stays in ``Delivered-To`` where the message has one recipient.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.mailing import Inboxes, MissingCopies, is_report, list_fields
from folkmoot.storage.blobs.fs import PIECE
from folkmoot.storage.content.headers import addresses, collect
from folkmoot.storage.errors import InvalidContent, PermissionDenied
from folkmoot.storage.mutations.queue import CountSent, EnqueueMail
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, BodySpool, Content
from folkmoot.storage.types_mail import (
    Delivered,
    MailEnvelope,
    MailRecipient,
    Notice,
    Octets,
    Poster,
    Resolved,
)
from folkmoot.storage.views.queue import MaySend
from folkmoot.storage.views.resolve import AccountMaySendAs, MaySendAs, ResolveAddress

R = TypeVar("R")

# Senders in one header: each costs a look-up.
MAX_SENDERS = 20

_SENDER_FIELDS = frozenset({b"from", b"sender"})
Copies = Mapping[int, Content]


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

    async def resolve(self, address: str, poster: Poster | None = None) -> Resolved:
        """Say where an address leads, for who writes to it."""
        view = ResolveAddress(address, self._rules.separator, poster)
        actor = Actor.system("resolve a recipient")
        return await _result(self._store.read(actor, "resolve", lambda txn: txn.view(view)))

    async def may_send_as(self, actor: Actor, address: str) -> bool:
        """Say whether mail to the address reaches the actor, or it is that of a group in whose
        name the actor may write: then it is one to send from."""
        view = MaySendAs(actor.space_id, address, self._rules.separator)
        return await _result(self._store.read(actor, "send as", lambda txn: txn.view(view)))

    async def deliver(
        self, envelope: MailEnvelope, message: Octets, account_id: int = 0
    ) -> tuple[Delivered, ...]:
        """Store a message for its local recipients; one outcome each, in order.

        ``account_id`` is who handed it in when that was an account.
        """
        content = await self._content(message)
        poster = Poster(account_id, envelope.sender, is_report(message.header))

        def work(txn: Txn, copies: Copies) -> tuple[Delivered, ...]:
            inboxes = Inboxes(txn, content, poster, self._rules.separator, copies)
            outcomes = inboxes.put([one.address for one in envelope.recipients])
            return tuple(
                Delivered(one.address, outcome)
                for one, outcome in zip(envelope.recipients, outcomes, strict=True)
            )

        return await self._run(Actor.system("delivery"), "deliver", content, work)

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
        poster = Poster(actor.account_id, envelope.sender)

        def work(txn: Txn, copies: Copies) -> tuple[Delivered, ...]:
            per_day = txn.view(MaySend(actor.account_id, actor.epoch, content.size))
            _check_senders(txn, actor, senders, rules.separator)
            inboxes = Inboxes(txn, content, poster, rules.separator, copies)
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
        return await self._run(system, "submit", content, work)

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

    async def _run(
        self, actor: Actor, label: str, content: Content, work: Callable[[Txn, Copies], R]
    ) -> R:
        """Run work that delivers; what groups hand on is prepared when it turns out to be needed,
        so that all other mail pays nothing for it."""
        copies: dict[int, Content] = {}
        while True:
            try:
                run = self._store.run(actor, label, lambda txn: work(txn, copies))
                return await _result(run)
            except MissingCopies as missing:
                for group in missing.groups:
                    fields = list_fields(content.header, group)
                    copies[group.group_id] = await self._below(fields, content)

    async def _below(self, fields: bytes, content: Content) -> Content:
        """The same message with more fields on top."""
        store, file = self._store, content.file

        def prepare() -> Content:
            if file is None:
                return store.prepare(fields + (content.data or b""))
            spool = store.spool()
            try:
                spool.write(fields)
                for offset in range(0, content.size, PIECE):
                    spool.write(store.blobs.read(file, offset, PIECE))
                return store.prepare(spool)
            finally:
                spool.discard()

        return await _result(store.compute(prepare)) if fields else content

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
        if not txn.view(AccountMaySendAs(actor.account_id, sender, separator)):
            raise PermissionDenied("You may not send mail in the name of this From address.")
