"""What scheduling looks at: messages that wait, where they go, what is there of a meeting.

Who may post into a calendar may see the one object there that has the UID of the message: the
server has to merge the two. Nobody else gets it this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Administration, Need, OnCollection, PerItem
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_scheduling import ScheduledObject, ScheduleHome, ScheduleMessage
from folkmoot.storage.types_tree import DEFAULT, SCHEDULE_INBOX, SCHEDULE_OUTBOX, Item
from folkmoot.storage.views.base import View
from folkmoot.storage.views.sight import ITEM, by_sight, find_items

_WAITING = Statement(
    "SELECT space_id, sender, recipient, data, id FROM schedule_messages"
    " WHERE id > :after ORDER BY id LIMIT :limit"
)
_FOLDERS = Statement(
    "SELECT c.id, c.shown, c.special_use, c.components FROM collections c WHERE c.parent_id = ("
    "SELECT r.id FROM collections r WHERE r.space_id = :space AND r.tool = 'calendar'"
    " AND r.parent_id IS NULL) ORDER BY c.id"
)
_DEFAULT_URL = "{urn:ietf:params:xml:ns:caldav}schedule-default-calendar-URL"
_CHOICE = Statement(
    "SELECT value FROM properties WHERE folder_id = :inbox AND item_id = 0 AND name = :name"
)
_MEETINGS = by_sight(
    "SELECT {item} FROM items i JOIN calendar_objects o ON o.item_id = i.id"
    " WHERE i.folder_id = :folder AND i.schedule_tag <> '' AND o.last > :now{sees}"
    " ORDER BY i.id LIMIT :limit"
)
_OBJECT = Statement(
    f"SELECT {ITEM}, b.size, b.data, b.file FROM collections c"  # noqa: S608
    " JOIN calendar_objects o ON o.folder_id = c.id AND o.uid = :uid"
    " JOIN items i ON i.id = o.item_id JOIN blobs b ON b.id = i.blob_id"
    " WHERE c.space_id = :space AND c.tool = 'calendar'"
    " AND c.special_use NOT IN ('schedule-inbox', 'schedule-outbox') ORDER BY c.id LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class WaitingMessages(View[list[ScheduleMessage]]):
    """Messages that were not delivered yet, the oldest first, those behind ``after``."""

    after: int = 0
    limit: int = 50

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> list[ScheduleMessage]:
        rows = context.db.all(_WAITING, after=self.after, limit=self.limit)
        return [ScheduleMessage(row[0], row[1], row[2], bytes(row[3]), row[4]) for row in rows]


@dataclass(frozen=True, slots=True)
class ReadScheduleHome(View[ScheduleHome]):
    """Where messages for a space may go. Raises ``NotFound`` where there is no such place."""

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> ScheduleHome:
        inbox = 0
        calendars: list[tuple[int, str, bool, tuple[str, ...]]] = []
        for id_, name, use, components in context.db.all(_FOLDERS, space=self.space_id):
            if use == SCHEDULE_OUTBOX:
                continue
            context.require(id_, Right.POST)
            if use == SCHEDULE_INBOX:
                inbox = id_
            else:
                calendars.append((id_, name, use == DEFAULT, tuple(components.split())))
        if not inbox:
            raise NotFound
        row = context.db.one(_CHOICE, inbox=inbox, name=_DEFAULT_URL)
        return ScheduleHome(inbox, tuple(calendars), row[0] if row else "")


@dataclass(frozen=True, slots=True)
class MeetingsAhead(View[list[Item]]):
    """The meetings of a calendar that are not over, at most ``limit`` of them."""

    folder_id: int
    limit: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, Right.READ)]

    def read(self, context: ReadContext) -> list[Item]:
        found = find_items(context, self.folder_id, _MEETINGS, now=context.now, limit=self.limit)
        return [item for item in found if not item.outlined]


@dataclass(frozen=True, slots=True)
class FindScheduled(View[ScheduledObject | None]):
    """The object that a space has of a meeting, in whichever of its calendars."""

    space_id: int
    calendar_id: int
    uid: str
    blobs: FileBlobs

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.calendar_id, Right.POST)]

    def read(self, context: ReadContext) -> ScheduledObject | None:
        if context.facts(self.calendar_id).space_id != self.space_id:
            raise NotFound
        row = context.db.one(_OBJECT, space=self.space_id, uid=self.uid)
        if row is None:
            return None
        *values, size, data, file = row
        octets = self.blobs.read(file, 0, size) if data is None else bytes(data)
        return ScheduledObject(Item(*values), octets)
