"""Mutations of the outbound queue: take in, claim, settle, and what administrators do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from folkmoot.storage.addresses import split_address
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import LimitReached, NotFound
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.messages import store_content
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Content, Topic
from folkmoot.storage.types_accounts import DAY
from folkmoot.storage.types_mail import MailEnvelope, QueueEntry, Settled
from folkmoot.storage.views.queue import COLUMNS, entries, notify_text

R = TypeVar("R", covariant=True)

_MESSAGE = Statement(
    "INSERT INTO queue_messages (account_id, mail_from, blob_id, utf8, body_8bit, envid, ret,"
    " created, expires, warned) VALUES (:account, :sender, :blob, :utf8, :eight_bit, :envid,"
    " :ret, :now, :expires, 0) RETURNING id"
)
_RECIPIENT = Statement(
    "INSERT INTO queue_recipients (message_id, address, domain, orcpt, notify, attempts,"
    " next_attempt, lease_until, last_reply) VALUES (:message, :address, :domain, :orcpt, :notify,"
    " 0, :now, 0, '')"
)
_COUNT = Statement(
    "INSERT INTO sent_counts (account_id, day, recipients) VALUES (:account, :day, :number)"
    " ON CONFLICT (account_id, day) DO UPDATE"
    " SET recipients = sent_counts.recipients + :number RETURNING recipients"
)
_FORGET_COUNTS = Statement("DELETE FROM sent_counts WHERE account_id = :account AND day < :day")
_LEASE = Statement(
    "UPDATE queue_recipients SET lease_until = :until"
    " WHERE id = :id AND next_attempt <= :now AND lease_until <= :now"
)
_TOO_LATE = Statement("UPDATE queue_recipients SET next_attempt = :now WHERE next_attempt > :last")
_RENEW = Statement("UPDATE queue_recipients SET lease_until = :until WHERE id = :id")
_DONE = Statement("DELETE FROM queue_recipients WHERE id = :id")
_RETRY = Statement(
    "UPDATE queue_recipients SET attempts = attempts + 1, next_attempt = :next, lease_until = 0,"
    " last_reply = :reply WHERE id = :id"
)
_WARNED = Statement("UPDATE queue_messages SET warned = 1 WHERE id = :id")
_FINISHED = Statement(
    "DELETE FROM queue_messages WHERE id = :id"
    " AND NOT EXISTS (SELECT 1 FROM queue_recipients WHERE message_id = :id)"
)
_NOW_ALL = Statement("UPDATE queue_recipients SET next_attempt = :now WHERE next_attempt > :now")
_NOW_ONE = Statement(
    "UPDATE queue_recipients SET next_attempt = :now WHERE message_id = :id AND next_attempt > :now"
)
_DROP_RECIPIENTS = Statement("DELETE FROM queue_recipients WHERE message_id = :id")
_DROP_MESSAGE = Statement("DELETE FROM queue_messages WHERE id = :id")
_EXISTS = Statement("SELECT 1 FROM queue_messages WHERE id = :id")


class _QueueMutation(Mutation[R]):
    """The queue is the server's own; it is charged to nobody."""

    abstract: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


@dataclass(frozen=True, slots=True)
class EnqueueMail(_QueueMutation[int]):
    """Queue a message; returns its number.

    ``account_id`` is 0 for the server's own mail. ``keep`` is how long it is tried, in seconds.
    """

    account_id: int
    envelope: MailEnvelope
    content: Content
    keep: int

    def write(self, context: WriteContext) -> int:
        envelope = self.envelope
        message: int = context.db.value(
            _MESSAGE,
            account=self.account_id,
            sender=envelope.sender,
            blob=store_content(context, self.content),
            utf8=int(envelope.utf8),
            eight_bit=int(envelope.eight_bit),
            envid=envelope.envelope_id or None,
            ret=str(envelope.returns) or None,
            now=context.now,
            expires=context.now + self.keep,
        )
        context.db.many(
            _RECIPIENT,
            [
                {
                    "message": message,
                    "address": one.address,
                    "domain": split_address(one.address)[1].lower(),
                    "orcpt": one.original or None,
                    "notify": notify_text(one.notify) or None,
                    "now": context.now,
                }
                for one in envelope.recipients
            ],
        )
        context.hint(Topic.QUEUE, 0)
        return message


@dataclass(frozen=True, slots=True)
class CountSent(_QueueMutation[None]):
    """Count recipients outside this server. Raises ``LimitReached`` above ``limit`` a day (UTC).

    ``limit`` None is: no limit.
    """

    account_id: int
    number: int
    limit: int | None

    def write(self, context: WriteContext) -> None:
        day = context.now // DAY
        sent: int = context.db.value(_COUNT, account=self.account_id, day=day, number=self.number)
        if self.limit is not None and sent > self.limit:
            raise LimitReached(
                f"The plan allows {self.limit} recipients on other servers in a day (UTC)."
            )
        context.db.run(_FORGET_COUNTS, account=self.account_id, day=day)


@dataclass(frozen=True, slots=True)
class ClaimDue(_QueueMutation[list[QueueEntry]]):
    """Take due recipients for ``lease`` seconds; nobody else gets them in that time.

    ``busy`` are domains that are left alone now. At most ``limit`` recipients. ``longest`` is how
    many seconds an attempt is put off at most (0: any number): what is due later than that is due
    now, because the clock has gone back since.
    """

    lease: int
    limit: int
    busy: frozenset[str] = frozenset()
    longest: int = 0

    def write(self, context: WriteContext) -> list[QueueEntry]:
        if self.longest:
            context.db.run(_TOO_LATE, now=context.now, last=context.now + self.longest)
        names = {f"busy{number}": domain for number, domain in enumerate(sorted(self.busy))}
        but = f" AND r.domain NOT IN ({', '.join(f':{name}' for name in names)})" if names else ""
        due = Statement(
            f"SELECT {COLUMNS} FROM queue_recipients r"  # noqa: S608
            " JOIN queue_messages m ON m.id = r.message_id JOIN blobs b ON b.id = m.blob_id"
            f" WHERE r.next_attempt <= :now AND r.lease_until <= :now{but}"
            " ORDER BY r.next_attempt, r.id LIMIT :limit"
        )
        until = context.now + self.lease
        rows = [
            row
            for row in context.db.all(due, now=context.now, limit=self.limit, **names)
            if context.db.run(_LEASE, id=row[0], until=until, now=context.now)
        ]
        return entries(rows)


@dataclass(frozen=True, slots=True)
class RenewLeases(_QueueMutation[None]):
    """Keep recipients that are still worked on."""

    recipient_ids: tuple[int, ...]
    lease: int

    def write(self, context: WriteContext) -> None:
        until = context.now + self.lease
        context.db.many(_RENEW, [{"id": id_, "until": until} for id_ in self.recipient_ids])


@dataclass(frozen=True, slots=True)
class SettleQueued(_QueueMutation[None]):
    """Record what attempts decided; a message without recipients left is gone.

    ``warned`` says that the sender has now been told of the delay.
    """

    message_id: int
    settled: tuple[Settled, ...]
    warned: bool = False

    def write(self, context: WriteContext) -> None:
        for one in self.settled:
            if one.retry_in is None:
                context.db.run(_DONE, id=one.recipient_id)
            else:
                context.db.run(
                    _RETRY,
                    id=one.recipient_id,
                    next=context.now + max(1, round(one.retry_in)),
                    reply=one.reply[:2000],
                )
        if self.warned:
            context.db.run(_WARNED, id=self.message_id)
        context.db.run(_FINISHED, id=self.message_id)


@dataclass(frozen=True, slots=True)
class RetryQueued(_QueueMutation[int]):
    """Make a message due now, None: all of them; returns how many recipients that concerns."""

    audited: ClassVar[bool] = True

    message_id: int | None

    def write(self, context: WriteContext) -> int:
        if self.message_id is None:
            number = context.db.run(_NOW_ALL, now=context.now)
        else:
            _must_exist(context, self.message_id)
            number = context.db.run(_NOW_ONE, now=context.now, id=self.message_id)
        context.hint(Topic.QUEUE, 0)
        return number


@dataclass(frozen=True, slots=True)
class DropQueued(_QueueMutation[None]):
    """Forget a message without telling anybody. Raises ``NotFound``."""

    audited: ClassVar[bool] = True

    message_id: int

    def write(self, context: WriteContext) -> None:
        _must_exist(context, self.message_id)
        context.db.run(_DROP_RECIPIENTS, id=self.message_id)
        context.db.run(_DROP_MESSAGE, id=self.message_id)


def _must_exist(context: WriteContext, message_id: int) -> None:
    if context.db.one(_EXISTS, id=message_id) is None:
        raise NotFound("There is no such message in the queue.")
