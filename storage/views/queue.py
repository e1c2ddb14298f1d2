"""Views of the outbound queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.errors import Expired, NotFound, TooLarge
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types_mail import (
    MailRecipient,
    Notify,
    Poster,
    QueuedMessage,
    QueuedRecipient,
    QueueEntry,
    Resolved,
    Return,
)
from folkmoot.storage.views.base import View
from folkmoot.storage.views.resolve import resolve

R = TypeVar("R", covariant=True)

COLUMNS = (
    "r.id, r.address, r.domain, r.orcpt, r.notify, r.attempts, r.next_attempt, r.last_reply,"
    " m.id, m.account_id, m.mail_from, m.envid, m.ret, m.utf8, m.body_8bit, m.created, m.expires,"
    " m.warned, b.size, b.data, b.file"
)
_FROM = (
    " FROM queue_recipients r JOIN queue_messages m ON m.id = r.message_id"
    " JOIN blobs b ON b.id = m.blob_id"
)
# A list needs no bodies.
_LIST = Statement(
    f"SELECT {COLUMNS.replace('b.data', 'NULL')}{_FROM} ORDER BY m.id, r.id LIMIT :limit"
)
_SHOW = Statement(f"SELECT {COLUMNS}{_FROM} WHERE m.id = :id ORDER BY r.id")
_NEXT = Statement(
    "SELECT next_attempt FROM queue_recipients WHERE lease_until <= :now"
    " ORDER BY next_attempt LIMIT 1"
)
_ACTIVE = Statement(
    "SELECT a.epoch, a.mail_per_day, u.largest_item FROM accounts a"
    " LEFT JOIN usage u ON u.space_id = a.space_id AND u.tool = 'mail'"
    " WHERE a.id = :id AND a.state = 'active'"
)
_INBOX = Statement(
    "SELECT c.id FROM collections c JOIN collections p ON p.id = c.parent_id"
    " WHERE c.space_id = :space AND c.tool = 'mail' AND c.name = 'INBOX' AND p.parent_id IS NULL"
)


def notify_text(notify: Notify) -> str:
    """The stored form: ``SUCCESS,FAILURE``, "" for what was not said."""
    return ",".join(str(one.name) for one in notify)


def _notify(text: str | None) -> Notify:
    found = Notify.UNSAID
    for name in (text or "").split(","):
        if name:
            found |= Notify[name]
    return found


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def entries(rows: Sequence[Row]) -> list[QueueEntry]:
    """Messages with their recipients, from rows of ``COLUMNS``, in order of first appearance."""
    messages: dict[int, QueuedMessage] = {}
    recipients: dict[int, list[QueuedRecipient]] = {}
    for row in rows:
        number = row[8]
        if number not in messages:
            messages[number] = QueuedMessage(
                id=number,
                account_id=row[9],
                sender=row[10],
                envelope_id=row[11] or "",
                returns=Return(row[12] or ""),
                utf8=bool(row[13]),
                eight_bit=bool(row[14]),
                created=_time(row[15]),
                expires=_time(row[16]),
                warned=bool(row[17]),
                size=row[18],
                data=row[19],
                file=row[20],
            )
        recipient = MailRecipient(row[1], _notify(row[4]), row[3] or "")
        recipients.setdefault(number, []).append(
            QueuedRecipient(row[0], recipient, row[2], row[5], _time(row[6]), row[7])
        )
    return [QueueEntry(message, tuple(recipients[id_])) for id_, message in messages.items()]


class _QueueView(View[R]):
    abstract: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]


@dataclass(frozen=True, slots=True)
class ListQueue(_QueueView[list[QueueEntry]]):
    """The oldest messages with their recipients; at most ``limit`` recipients, without octets."""

    limit: int = 1000

    def read(self, context: ReadContext) -> list[QueueEntry]:
        return entries(context.db.all(_LIST, limit=self.limit))


@dataclass(frozen=True, slots=True)
class ShowQueued(_QueueView[QueueEntry]):
    """One message with all its recipients. Raises ``NotFound``."""

    message_id: int

    def read(self, context: ReadContext) -> QueueEntry:
        found = entries(context.db.all(_SHOW, id=self.message_id))
        if not found:
            raise NotFound("There is no such message in the queue.")
        return found[0]


@dataclass(frozen=True, slots=True)
class NextDue(_QueueView[datetime | None]):
    """When the next recipient is due that nobody works on (it may be past); None: nothing waits."""

    def read(self, context: ReadContext) -> datetime | None:
        row = context.db.one(_NEXT, now=context.now)
        return None if row is None else _time(row[0])


@dataclass(frozen=True, slots=True)
class DeliveryTarget(_QueueView[tuple[Resolved, int]]):
    """Where an address leads for who writes, and the INBOX there (0 when it leads to none)."""

    address: str
    separator: str
    poster: Poster

    def read(self, context: ReadContext) -> tuple[Resolved, int]:
        found = resolve(context, self.address, self.separator, self.poster)
        row = context.db.one(_INBOX, space=found.space_id) if found.space_id else None
        return found, row[0] if row else 0


@dataclass(frozen=True, slots=True)
class MaySend(_QueueView[int | None]):
    """How many recipients on other servers an account may write to in a day; None: any number.

    For a session that is still good, and a message of ``size`` octets. Raises ``Expired``,
    ``TooLarge``.
    """

    account_id: int
    epoch: int
    size: int

    def read(self, context: ReadContext) -> int | None:
        row = context.db.one(_ACTIVE, id=self.account_id)
        if row is None or row[0] != self.epoch:
            raise Expired
        _, per_day, largest = row
        if largest is not None and self.size > largest:
            raise TooLarge(f"A message may have {largest:,} octets.")
        return None if per_day is None else int(per_day)
