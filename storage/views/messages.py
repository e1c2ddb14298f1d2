"""Views of messages: UIDs, flags, stored wire forms, octets."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from folkmoot.storage.engine.db import Row, Statement, statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.seen import own_seen, with_seen
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import (
    Flag,
    FlagSet,
    MailboxState,
    MessageColumn,
    MessageRow,
    Right,
    UidSet,
)
from folkmoot.storage.views.base import View
from folkmoot.storage.views.kept_uids import LARGE, read_kept, read_uids
from folkmoot.storage.views.known_uids import Known, KnownUids
from folkmoot.storage.views.ranges import conditions

_STATE = Statement(
    "SELECT modseq, log_floor, uidvalidity, uidnext, messages, unseen, keywords"
    " FROM collections WHERE id = :id"
)
_REMOVED = Statement(
    "SELECT uids FROM changes WHERE collection_id = :id AND modseq > :since AND kind = 'removed'"
)
_FIRST_UNSEEN = Statement(
    "SELECT uid FROM messages WHERE mailbox_id = :id AND (flags & 1) = 0 ORDER BY uid LIMIT 1"
)
_BLOB = Statement("SELECT blob_id, size FROM messages WHERE mailbox_id = :id AND uid = :uid")

MANY_GONE = 10_000  # removals from which on it is quicker to read the UIDs

_SOURCES = {
    MessageColumn.FLAGS: "m.flags, m.keywords",
    MessageColumn.MODSEQ: "m.modseq",
    MessageColumn.SIZE: "m.size",
    MessageColumn.INTERNAL_DATE: "m.internal_date, m.internal_zone",
    MessageColumn.SAVED: "m.saved",
    MessageColumn.BLOB: "m.blob_id",
    MessageColumn.ENVELOPE: "c.envelope",
    MessageColumn.BODYSTRUCTURE: "c.bodystructure",
    MessageColumn.BODY: "c.body",
    MessageColumn.HEADER: "c.header",
    MessageColumn.PARTS: "c.parts",
    MessageColumn.PREVIEW: "c.preview",
    MessageColumn.THREAD: "k.refs, k.message_id",
}
_IN_CONTENTS = frozenset(column for column, source in _SOURCES.items() if source.startswith("c."))

# What the stored forms of one message can come to, for bounding memory before they are read: a
# header block is stored up to the first of these, the others hardly ever pass the second.
_HEADER_AT_MOST = 256 * 1024
_FORMS_AT_MOST = 32 * 1024


@lru_cache(maxsize=1 << 9)
def flag_set(bits: int, keywords: str) -> FlagSet:
    """The stored form of flags as a value; cached, because few combinations occur."""
    return FlagSet(Flag(bits), tuple(keywords.split()))


@dataclass(frozen=True, slots=True)
class ReadState(View[MailboxState]):
    """What SELECT reports and what a session starts from: counters and all UIDs, one snapshot.

    ``known`` saves reading what is known; only for transactions that do not write.
    """

    mailbox_id: int
    known: KnownUids | None = None

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> MailboxState:
        row = context.db.one(_STATE, id=self.mailbox_id)
        if row is None:
            raise NotFound
        modseq, floor, uidvalidity, uidnext, messages, unseen, keywords = row
        known = self.known.get(self.mailbox_id) if self.known is not None else None
        if known is None or (known.uidvalidity, known.modseq) != (uidvalidity, modseq):
            first = context.db.one(_FIRST_UNSEEN, id=self.mailbox_id) if unseen else None
            if known is None and self.known is not None and messages >= LARGE:
                known = read_kept(context.db, self.mailbox_id)
            uids = None
            if known is not None and known.uidvalidity == uidvalidity and known.modseq >= floor:
                uids = self._caught_up(context, known, uidnext)
            if uids is None or len(uids) != messages:
                uids = read_uids(context.db, self.mailbox_id)
            known = Known(uidvalidity, uidnext, modseq, uids, first[0] if first else None)
            if self.known is not None:
                self.known.put(self.mailbox_id, known)
        first_unseen = known.first_unseen
        seen = own_seen(context, self.mailbox_id)
        if seen is not None:
            unread = UidSet.from_ascending(known.uids).difference(seen).ranges
            first_unseen = unread[0][0] if unread else None
        return MailboxState(
            mailbox_id=self.mailbox_id,
            modseq=modseq,
            log_floor=floor,
            uidvalidity=uidvalidity,
            uidnext=uidnext,
            keywords=tuple(keywords.split()),
            first_unseen=first_unseen,
            uids=known.uids[:],
            rights=context.require(self.mailbox_id, Right.READ),
        )

    def _caught_up(self, context: ReadContext, known: Known, uidnext: int) -> array[int] | None:
        """The UIDs after what happened since; None where much did."""
        gone: set[int] = set()
        for (text,) in context.db.all(_REMOVED, id=self.mailbox_id, since=known.modseq):
            removed = UidSet.from_text(text)
            if len(gone) + len(removed) > MANY_GONE:
                return None
            gone.update(removed)
        uids = known.uids[:]
        if uidnext > known.uidnext:
            uids.extend(read_uids(context.db, self.mailbox_id, known.uidnext))
        return array("I", [uid for uid in uids if uid not in gone]) if gone else uids


@dataclass(frozen=True, slots=True)
class FetchRows(View[list[MessageRow]]):
    """Rows of messages in ascending order of UID, each with exactly the columns asked for.

    A row is ``(uid, column, …)`` in the order of ``columns``; FLAGS gives two values (bits,
    keywords), INTERNAL_DATE two (seconds, minutes east of UTC). UIDs that do not exist are left
    out. ``budget`` bounds the octets of stored forms (header, ENVELOPE, BODYSTRUCTURE) that are
    read at once, 0 means no bound: ask again with the UIDs after the last one that came.
    """

    mailbox_id: int
    uids: UidSet
    columns: tuple[MessageColumn, ...]
    budget: int = 0

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> list[MessageRow]:
        joined = any(column in _IN_CONTENTS for column in self.columns)
        wanted = self._affordable(context) if joined and self.budget else self.uids
        select = ", ".join(["m.uid", *(_SOURCES[column] for column in self.columns)])
        table = "messages m" + (" JOIN contents c ON c.blob_id = m.blob_id" if joined else "")
        if MessageColumn.THREAD in self.columns:
            table += " JOIN message_keys k ON k.blob_id = m.blob_id"
        rows: list[Row] = []
        for condition, filtered, numbers in conditions(wanted):
            found = context.db.all(
                statement(
                    f"SELECT {select} FROM {table} WHERE m.mailbox_id = :id"  # noqa: S608
                    f" AND m.{condition} ORDER BY m.uid"
                ),
                id=self.mailbox_id,
                **numbers,
            )
            if filtered:
                found = [row for row in found if row[0] in wanted]
            rows += found
        if MessageColumn.PREVIEW in self.columns:
            self._hand_out(context, [row[0] for row in rows])
        return self._as_read(context, rows) if MessageColumn.FLAGS in self.columns else rows

    def _hand_out(self, context: ReadContext, uids: list[int]) -> None:
        """Charge previews like the messages that they are the beginning of."""
        context.show_texts(len(uids))
        for uid in uids if context.actor.support is not None else ():
            context.hand_out(context.db.all(_BLOB, id=self.mailbox_id, uid=uid))

    def _as_read(self, context: ReadContext, rows: list[Row]) -> list[Row]:
        """The rows with the actor's own \\Seen."""
        seen = own_seen(context, self.mailbox_id)
        if seen is None:
            return rows
        before = self.columns[: self.columns.index(MessageColumn.FLAGS)]
        at = 1 + sum(_SOURCES[column].count(",") + 1 for column in before)
        return [(*row[:at], with_seen(row[at], row[0], seen), *row[at + 1 :]) for row in rows]

    def _sum(self, context: ReadContext, at_most: int) -> int:
        """What all of them can come to, and those between them."""
        total = 0
        for condition, _, numbers in conditions(self.uids):
            added = statement(
                f"SELECT SUM(CASE WHEN size < {at_most} THEN size ELSE {at_most} END)"  # noqa: S608
                f" FROM messages WHERE mailbox_id = :id AND {condition}"
            )
            total += int(context.db.value(added, id=self.mailbox_id, **numbers) or 0)
        return total

    def _affordable(self, context: ReadContext) -> UidSet:
        """The first of the UIDs whose stored forms fit the budget, at least one message."""
        header = MessageColumn.HEADER in self.columns
        at_most = _HEADER_AT_MOST if header else _FORMS_AT_MOST
        left = self.budget
        if self._sum(context, at_most) <= left:
            return self.uids
        for condition, filtered, numbers in conditions(self.uids):
            sizes = statement(
                f"SELECT uid, size FROM messages WHERE mailbox_id = :id"  # noqa: S608
                f" AND {condition} ORDER BY uid"
            )
            for uid, size in context.db.all(sizes, id=self.mailbox_id, **numbers):
                if filtered and uid not in self.uids:
                    continue
                left -= size if size < at_most else at_most
                if left <= 0:
                    return self.uids.intersection(UidSet.from_ranges([(1, uid)]))
        return self.uids
