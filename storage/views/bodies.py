"""Views of the octets of messages: where they are, or they themselves when they are few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Row, Statement, statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import MessageBody, Right, UidSet
from folkmoot.storage.views.base import View
from folkmoot.storage.views.ranges import conditions

_BODY = Statement(
    "SELECT b.id, m.uid, b.size, b.data, b.file, c.parts FROM messages m"
    " JOIN blobs b ON b.id = m.blob_id JOIN contents c ON c.blob_id = m.blob_id"
    " WHERE m.mailbox_id = :id AND m.uid = :uid"
)
_WHOLE = Statement(
    "SELECT b.id, m.uid, b.size, b.data, b.file FROM messages m JOIN blobs b ON b.id = m.blob_id"
    " WHERE m.mailbox_id = :id AND m.uid = :uid"
)


@dataclass(frozen=True, slots=True)
class LocateBody(View[MessageBody]):
    """Where the octets of one message are: in ``data``, or in a file of the blob store."""

    mailbox_id: int
    uid: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> MessageBody:
        row = context.db.one(_BODY, id=self.mailbox_id, uid=self.uid)
        if row is None:
            raise NotFound
        context.hand_out([(row[0], row[2])])
        return MessageBody(*row[1:])


@dataclass(frozen=True, slots=True)
class ReadBodies(View[list[MessageBody]]):
    """The octets of messages, or where they are, in ascending order of UID.

    UIDs that do not exist are left out. Stops when ``budget`` octets are read, but not before the
    first message: ask again with the UIDs after the last one that came. ``parts`` says whether
    the tables of parts are wanted; else they are empty.
    """

    mailbox_id: int
    uids: UidSet
    budget: int
    parts: bool

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> list[MessageBody]:
        if len(self.uids) == 1:
            [uid] = self.uids
            row = context.db.one(_BODY if self.parts else _WHOLE, id=self.mailbox_id, uid=uid)
            return [] if row is None else self._handed_out(context, [row])
        columns = "b.id, m.uid, b.size, b.data, b.file" + (", c.parts" if self.parts else "")
        joined = " JOIN contents c ON c.blob_id = m.blob_id" if self.parts else ""
        if context.actor.support is not None:
            context.show_texts(self._existing(context))
        wanted = self._affordable(context)
        found: list[Row] = []
        for condition, filtered, numbers in conditions(wanted):
            selected = statement(
                f"SELECT {columns} FROM messages m JOIN blobs b ON b.id = m.blob_id{joined}"  # noqa: S608
                f" WHERE m.mailbox_id = :id AND m.{condition} ORDER BY m.uid"
            )
            rows = context.db.all(selected, id=self.mailbox_id, **numbers)
            found += [row for row in rows if not filtered or row[1] in wanted]
        return self._handed_out(context, found)

    def _handed_out(self, context: ReadContext, rows: list[Row]) -> list[MessageBody]:
        if context.actor.support is not None:
            context.hand_out([(row[0], row[2]) for row in rows])
        return [*map(self._body, rows)]

    def _existing(self, context: ReadContext) -> int:
        """How many of the messages there are, also of those that the budget leaves for later."""
        count = 0
        for condition, filtered, numbers in conditions(self.uids):
            there = statement(
                f"SELECT uid FROM messages WHERE mailbox_id = :id AND {condition}"  # noqa: S608
            )
            rows = context.db.all(there, id=self.mailbox_id, **numbers)
            count += sum(1 for (uid,) in rows if not filtered or uid in self.uids)
        return count

    def _body(self, row: Row) -> MessageBody:
        _, uid, size, data, file, *parts = row
        return MessageBody(uid, size, data, file, parts[0] if parts else b"")

    def _affordable(self, context: ReadContext) -> UidSet:
        """The first of the UIDs whose messages fit the budget, at least one that exists."""
        left = self.budget
        for condition, filtered, numbers in conditions(self.uids):
            sizes = statement(
                "SELECT uid, size FROM messages WHERE mailbox_id = :id"  # noqa: S608
                f" AND {condition} ORDER BY uid"
            )
            for uid, size in context.db.all(sizes, id=self.mailbox_id, **numbers):
                if filtered and uid not in self.uids:
                    continue
                left -= size
                if left <= 0:
                    return self.uids.intersection(UidSet.from_ranges([(1, uid)]))
        return self.uids
