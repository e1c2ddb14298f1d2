"""Mutations of messages: append, expunge, copy, move."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Row, Statement, statement
from folkmoot.storage.errors import LimitReached
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.index.keys import insert_keys
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.bodies import insert_body
from folkmoot.storage.mutations.flag_rights import permitted
from folkmoot.storage.mutations.keywords import learn_keywords, spelled_row, spelling
from folkmoot.storage.mutations.links import messages_moved, messages_removed
from folkmoot.storage.policy import Charge
from folkmoot.storage.seen import (
    SEEN,
    carry_seen,
    forget_seen,
    keep_seen,
    own_seen,
    with_seen,
)
from folkmoot.storage.txn import Counters, ReadContext, WriteContext
from folkmoot.storage.types import (
    Appended,
    Content,
    Copied,
    Expunged,
    Flag,
    FlagSet,
    NewMessage,
    Right,
    Tool,
    UidSet,
)
from folkmoot.storage.views.mailboxes import ADDED, REMOVED
from folkmoot.storage.views.ranges import conditions

MAX_UID = 0xFFFF_FFFF

_CONTENT = Statement(
    "INSERT INTO contents (blob_id, envelope, bodystructure, body, parts, header, preview)"
    " VALUES (:blob, :envelope, :bodystructure, :body, :parts, :header, :preview)"
)
_MESSAGE = Statement(
    "INSERT INTO messages (mailbox_id, uid, modseq, flags, keywords, size, internal_date,"
    " internal_zone, saved, blob_id) VALUES (:mailbox, :uid, :modseq, :flags, :keywords, :size,"
    " :date, :zone, :saved, :blob)"
)
_DELETE = Statement(
    "DELETE FROM messages WHERE mailbox_id = :mailbox AND uid BETWEEN :low AND :high"
)
_ROW = "uid, flags, keywords, size, internal_date, internal_zone, blob_id, modseq"


def store_content(context: WriteContext, content: Content) -> int:
    """Insert content, once in a transaction however many mailboxes get it; its blob's id."""
    known = context.stored.get(content.digest)
    if known is not None:
        return known
    blob = insert_body(context, content)
    context.db.run(
        _CONTENT,
        blob=blob,
        envelope=content.envelope,
        bodystructure=content.bodystructure,
        body=content.body,
        parts=content.parts,
        header=content.header,
        preview=content.preview,
    )
    insert_keys(context.db, blob, content.keys)
    context.stored[content.digest] = blob
    return blob


def select_rows(context: ReadContext, mailbox_id: int, uids: UidSet, extra: str = "") -> list[Row]:
    """The rows (``_ROW``) of those of the UIDs that exist, ascending."""
    rows: list[Row] = []
    for condition, filtered, numbers in conditions(uids):
        found = context.db.all(
            statement(
                f"SELECT {_ROW} FROM messages WHERE mailbox_id = :id"  # noqa: S608
                f" AND {condition}{extra} ORDER BY uid"
            ),
            id=mailbox_id,
            **numbers,
        )
        rows += [row for row in found if row[0] in uids] if filtered else found
    return rows


def count(rows: Iterable[Row], sign: int, uids: int = 0) -> Counters:
    """What adding (sign 1) or removing (sign -1) these rows does to a mailbox's counters."""
    rows = list(rows)
    return Counters(
        uids=uids,
        messages=sign * len(rows),
        unseen=sign * sum(not row[1] & Flag.SEEN for row in rows),
        deleted=sign * sum(bool(row[1] & Flag.DELETED) for row in rows),
        size=sign * sum(row[3] for row in rows),
    )


def _weight(rows: Sequence[Row]) -> tuple[int, int, int]:
    """Octets, messages, and octets of the largest one."""
    sizes = [row[3] for row in rows]
    return sum(sizes), len(sizes), max(sizes, default=0)


@dataclass(frozen=True, slots=True)
class AppendMessages(Mutation[Appended]):
    """Add messages to a mailbox, all or none. ``right`` is INSERT, or POST for deliveries."""

    mailbox_id: int
    messages: tuple[NewMessage, ...]
    right: Right = Right.INSERT

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, self.right)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        size = sum(message.content.size for message in self.messages)
        space = context.facts(self.mailbox_id).space_id
        # What others send is as large as the server takes it: the plan is about one's own.
        own = self.right is not Right.POST
        largest = max((one.content.size for one in self.messages), default=0) if own else 0
        return [Charge(space, Tool.MAIL, size, len(self.messages), largest)]

    def write(self, context: WriteContext) -> Appended:
        number = len(self.messages)
        # What is delivered, nobody has read.
        own = self.right is not Right.POST
        seen = own_seen(context, self.mailbox_id) if own else None
        given = [message.flags for message in self.messages]
        if seen is not None:
            rights = context.require(self.mailbox_id, self.right)
            given = [permitted(each, rights) for each in given]
        flags = [each.system if seen is None else each.system & ~Flag.SEEN for each in given]
        bumped = context.bump(
            self.mailbox_id,
            Counters(
                uids=number,
                messages=number,
                unseen=sum(not flag & Flag.SEEN for flag in flags),
                deleted=sum(bool(flag & Flag.DELETED) for flag in flags),
                size=sum(message.content.size for message in self.messages),
            ),
        )
        first = bumped.uidnext - number
        if bumped.uidnext > MAX_UID:
            raise LimitReached("The mailbox has used all its numbers; move mail to a new one.")
        spelled = spelling(
            context, self.mailbox_id, (word for each in given for word in each.keywords)
        )
        learn_keywords(context, self.mailbox_id, spelled.values())
        for position, message in enumerate(self.messages):
            zone = message.internal_date.utcoffset()
            context.db.run(
                _MESSAGE,
                mailbox=self.mailbox_id,
                uid=first + position,
                modseq=bumped.modseq,
                flags=int(flags[position]),
                keywords=spelled_row(spelled, given[position].keywords),
                size=message.content.size,
                date=int(message.internal_date.timestamp()),
                zone=int(zone.total_seconds()) // 60 if zone else 0,
                saved=context.now,
                blob=store_content(context, message.content),
            )
        uids = range(first, first + number)
        if seen is not None:
            read = [uid for uid, each in zip(uids, given, strict=True) if each.system & Flag.SEEN]
            if read:
                keep_seen(context, self.mailbox_id, seen.union(UidSet.from_iterable(read)))
        context.changed(
            self.mailbox_id,
            bumped.modseq,
            ADDED,
            UidSet.from_ranges([(first, first + number - 1)] if number else []),
        )
        return Appended(self.mailbox_id, bumped.uidvalidity, tuple(uids))


@dataclass(frozen=True, slots=True)
class ExpungeMessages(Mutation[Expunged]):
    """Remove the messages that have \\Deleted, of ``uids`` or (None) of the whole mailbox."""

    mailbox_id: int
    uids: UidSet | None = None

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ | Right.EXPUNGE)]

    def _rows(self, context: ReadContext) -> list[Row]:
        uids = self.uids if self.uids is not None else UidSet.from_ranges([(1, MAX_UID)])
        return select_rows(context, self.mailbox_id, uids, " AND (flags & 8) = 8")

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        rows = self._rows(context)
        space = context.facts(self.mailbox_id).space_id
        return [Charge(space, Tool.MAIL, -sum(row[3] for row in rows), -len(rows))]

    def write(self, context: WriteContext) -> Expunged:
        rows = self._rows(context)
        if not rows:
            return Expunged(0, UidSet())
        return remove_rows(context, self.mailbox_id, rows)


def remove_rows(context: WriteContext, mailbox_id: int, rows: list[Row]) -> Expunged:
    """Remove message rows with their change row; blobs are left to the sweeper."""
    gone = UidSet.from_iterable(row[0] for row in rows)
    bumped = context.bump(mailbox_id, count(rows, -1))
    context.db.many(
        _DELETE,
        [{"mailbox": mailbox_id, "low": low, "high": high} for low, high in gone.ranges],
    )
    forget_seen(context, mailbox_id, gone)
    context.changed(mailbox_id, bumped.modseq, REMOVED, gone)
    messages_removed(context, mailbox_id, gone)
    return Expunged(bumped.modseq, gone)


def copy_rows(context: WriteContext, source_id: int, target_id: int, rows: list[Row]) -> Copied:
    """Add the same content, flags and arrival times to another mailbox.

    Within a space, what each has read stays read; elsewhere only for the actor. Flags that the
    actor may not set there are left out. # rfc4314#4
    """
    source = tuple(row[0] for row in rows)
    within = context.facts(source_id).space_id == context.facts(target_id).space_id
    theirs, read = own_seen(context, target_id), frozenset[int]()
    if not within or theirs is not None:
        rows, read = _as_copied(context, source_id, target_id, rows)
    bumped = context.bump(target_id, count(rows, 1, len(rows)))
    if bumped.uidnext > MAX_UID:
        raise LimitReached("The mailbox has used all its numbers; move mail to a new one.")
    spelled = spelling(context, target_id, {word for row in rows for word in row[2].split()})
    learn_keywords(context, target_id, spelled.values())
    first = bumped.uidnext - len(rows)
    context.db.many(
        _MESSAGE,
        [
            {
                "mailbox": target_id,
                "uid": uid,
                "modseq": bumped.modseq,
                "flags": row[1],
                "keywords": spelled_row(spelled, row[2].split()),
                "size": row[3],
                "date": row[4],
                "zone": row[5],
                "saved": context.now,
                "blob": row[6],
            }
            for uid, row in enumerate(rows, first)
        ],
    )
    last = first + len(rows) - 1
    context.changed(target_id, bumped.modseq, ADDED, UidSet.from_ranges([(first, last)]))
    copies = dict(zip(source, range(first, last + 1), strict=True))
    if within:
        carry_seen(context, source_id, target_id, copies)
    elif theirs is not None and read:
        mine = UidSet.from_iterable([copies[uid] for uid in read])
        keep_seen(context, target_id, theirs.union(mine))
    return Copied(bumped.uidvalidity, source, tuple(copies.values()))


def _as_copied(
    context: ReadContext, source_id: int, target_id: int, rows: list[Row]
) -> tuple[list[Row], frozenset[int]]:
    """The rows as they come into a mailbox of others, or from one; and what the actor has read."""
    before, after = own_seen(context, source_id), own_seen(context, target_id)
    within = context.facts(source_id).space_id == context.facts(target_id).space_id
    rights = context.require(target_id, Right.INSERT)
    changed: list[Row] = []
    read: set[int] = set()
    for uid, bits, keywords, *rest in rows:
        mine = bits if before is None else with_seen(bits, uid, before)
        kept = permitted(FlagSet(Flag(mine), tuple(keywords.split())), rights)
        if kept.system & Flag.SEEN:
            read.add(uid)
        new = int(kept.system)
        if within:  # the bit is the owner's
            new = new & ~SEEN | bits & SEEN
        elif after is not None:
            new &= ~SEEN
        changed.append((uid, new, " ".join(kept.keywords), *rest))
    return changed, frozenset(read)


@dataclass(frozen=True, slots=True)
class CopyMessages(Mutation[Copied]):
    """Copy messages to another mailbox, all or none (RFC 9051 section 6.4.7)."""

    source_id: int
    uids: UidSet
    target_id: int

    def needs(self) -> Sequence[Need]:
        return [
            OnCollection(self.source_id, Right.READ),
            OnCollection(self.target_id, Right.INSERT),
        ]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        rows = select_rows(context, self.source_id, self.uids)
        space = context.facts(self.target_id).space_id
        return [Charge(space, Tool.MAIL, *_weight(rows))]

    def write(self, context: WriteContext) -> Copied:
        rows = select_rows(context, self.source_id, self.uids)
        return (
            copy_rows(context, self.source_id, self.target_id, rows) if rows else Copied(0, (), ())
        )


@dataclass(frozen=True, slots=True)
class MoveMessages(Mutation[Copied]):
    """Move messages to another mailbox, all or none (RFC 6851)."""

    source_id: int
    uids: UidSet
    target_id: int

    def needs(self) -> Sequence[Need]:
        return [
            OnCollection(self.source_id, Right.READ | Right.DELETE | Right.EXPUNGE),
            OnCollection(self.target_id, Right.INSERT),
        ]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        source = context.facts(self.source_id).space_id
        target = context.facts(self.target_id).space_id
        if source == target:
            return ()
        rows = select_rows(context, self.source_id, self.uids)
        size, number, largest = _weight(rows)
        return [
            Charge(source, Tool.MAIL, -size, -number),
            Charge(target, Tool.MAIL, size, number, largest),
        ]

    def write(self, context: WriteContext) -> Copied:
        rows = select_rows(context, self.source_id, self.uids)
        if not rows:
            return Copied(0, (), ())
        copied = copy_rows(context, self.source_id, self.target_id, rows)
        moved = zip(copied.source, copied.target, strict=True)
        messages_moved(context, self.source_id, self.target_id, moved)
        remove_rows(context, self.source_id, rows)
        return copied
