"""Mutations of scheduling (RFC 6638).

Messages are written with the change that they tell of, and delivered by the system, each in a
transaction of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound, PermissionDenied
from folkmoot.storage.gate import Administration, Need, OnCollection, OnItem
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.tree_items import CreateItem, RemoveItem, ReplaceItem
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Right, Topic
from folkmoot.storage.types_scheduling import ScheduleFolders, ScheduleMessage
from folkmoot.storage.types_tree import Item, ItemContent
from folkmoot.storage.views.sight import ITEM

INBOX_AGE = 30 * 86_400  # seconds
SWEEP_BATCH = 200

_OLD = Statement(
    f"SELECT {ITEM} FROM collections c JOIN items i ON i.folder_id = c.id"  # noqa: S608
    " WHERE c.special_use = 'schedule-inbox' AND i.modified < :before ORDER BY i.id LIMIT :limit"
)
_INSERT = Statement(
    "INSERT INTO schedule_messages (space_id, sender, recipient, data, created)"
    " VALUES (:space, :sender, :recipient, :data, :now)"
)
_DELETE = Statement("DELETE FROM schedule_messages WHERE id = :id")


def insert_messages(context: WriteContext, messages: Sequence[ScheduleMessage]) -> None:
    """Let messages wait for their delivery, and tell who delivers at commit."""
    context.db.many(
        _INSERT,
        [
            {
                "space": message.space_id,
                "sender": message.sender,
                "recipient": message.recipient,
                "data": message.data,
                "now": context.now,
            }
            for message in messages
        ],
    )
    if messages:
        context.hint(Topic.SCHEDULE, 0)


@dataclass(frozen=True, slots=True)
class SendScheduling(Mutation[None]):
    """Tell other people of this server of a change in a calendar, in the name of its owner.

    Who may change what is in the calendar (``right``; of one item, where ``item_id`` is given),
    may do this.
    """

    calendar_id: int
    item_id: int
    right: Right
    messages: tuple[ScheduleMessage, ...]

    def needs(self) -> Sequence[Need]:
        if self.item_id:
            return [OnItem(self.calendar_id, self.item_id, self.right)]
        return [OnCollection(self.calendar_id, self.right)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()  # what they take, they take where they arrive

    def write(self, context: WriteContext) -> None:
        if self.messages and context.actor.support is not None:
            raise PermissionDenied("Support sends nothing in the name of a customer.")
        insert_messages(context, self.messages)


@dataclass(frozen=True, slots=True)
class DeliverScheduling(Mutation[None]):
    """Put a message into an inbox, and what it makes of the meeting into a calendar.

    ``update`` replaces ``existing``, or is new in the calendar that takes invitations; None changes
    nothing. ``forwards`` are messages that follow from it. Raises ``NotFound`` when the message
    was delivered already.
    """

    message_id: int
    folders: ScheduleFolders
    inbox_name: str
    inbox: ItemContent | None
    existing: Item | None
    name: str
    update: ItemContent | None
    forwards: tuple[ScheduleMessage, ...] = ()

    def needs(self) -> Sequence[Need]:
        needs: list[Need] = [
            Administration(),
            OnCollection(self.folders.inbox_id, Right.POST),
            OnCollection(self.folders.calendar_id, Right.POST),
        ]
        if self.existing is not None:
            needs.append(OnCollection(self.existing.folder_id, Right.POST))
        return needs

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return [charge for part in self._parts() for charge in part.cost(context)]

    def write(self, context: WriteContext) -> None:
        if not context.db.run(_DELETE, id=self.message_id):
            raise NotFound
        for part in self._parts():
            part.write(context)
        insert_messages(context, self.forwards)

    def _parts(self) -> list[CreateItem | ReplaceItem]:
        parts: list[CreateItem | ReplaceItem] = []
        if self.inbox is not None:
            parts.append(CreateItem(self.folders.inbox_id, self.inbox_name, self.inbox))
        if self.update is not None and self.existing is not None:
            parts.append(ReplaceItem(self.existing, self.update))
        elif self.update is not None:
            parts.append(CreateItem(self.folders.calendar_id, self.name, self.update))
        return parts


@dataclass(frozen=True, slots=True)
class SweepInboxes(Mutation[int]):
    """Remove messages that lie in inboxes for ``age`` seconds; returns how many, some at a time.

    Few programs tidy up there, and what a message says is in the calendar since it came.
    """

    age: int = INBOX_AGE

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return [charge for part in self._parts(context) for charge in part.cost(context)]

    def write(self, context: WriteContext) -> int:
        parts = self._parts(context)
        for part in parts:
            part.write(context)
        return len(parts)

    def _parts(self, context: ReadContext) -> list[RemoveItem]:
        rows = context.db.all(_OLD, before=context.now - self.age, limit=SWEEP_BATCH)
        return [RemoveItem(Item(*row)) for row in rows]


@dataclass(frozen=True, slots=True)
class DropScheduling(Mutation[None]):
    """Give a message up that cannot be delivered."""

    message_id: int

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        context.db.run(_DELETE, id=self.message_id)
