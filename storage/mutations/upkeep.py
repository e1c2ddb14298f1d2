"""What the server does by itself: sweep unnamed bodies, trim the change log, keep UIDs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.index import forget
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext

# A body is written before the row that names it commits, and a queue or a draft may still want
# one that a mailbox let go: only bodies that have been alone for a while are swept.
SWEEP_AGE = 3600  # seconds
SWEEP_BATCH = 500  # bodies in one transaction
LOG_KEPT = 20_000  # change rows that a collection keeps

_UNUSED = Statement(
    "SELECT b.id, b.file FROM blobs b WHERE b.created < :before"
    " AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.blob_id = b.id)"
    " AND NOT EXISTS (SELECT 1 FROM items i WHERE i.blob_id = b.id)"
    " AND NOT EXISTS (SELECT 1 FROM profiles p WHERE p.blob_id = b.id)"
    " AND NOT EXISTS (SELECT 1 FROM queue_messages q WHERE q.blob_id = b.id)"
    " LIMIT :limit"
)
_DELETE_CONTENT = Statement("DELETE FROM contents WHERE blob_id = :id")
_DELETE = Statement("DELETE FROM blobs WHERE id = :id")
_LONG = Statement(
    "SELECT collection_id, COUNT(*) FROM changes GROUP BY collection_id HAVING COUNT(*) > :kept"
)
_CUT = Statement(
    "SELECT modseq FROM changes WHERE collection_id = :id ORDER BY modseq DESC LIMIT 1 OFFSET :kept"
)
_TRIM = Statement("DELETE FROM changes WHERE collection_id = :id AND modseq <= :floor")
_MANY_GONE = Statement(
    "SELECT folder_id FROM tombstones GROUP BY folder_id HAVING COUNT(*) > :kept"
)
_CUT_GONE = Statement(
    "SELECT modseq FROM tombstones WHERE folder_id = :id ORDER BY modseq DESC LIMIT 1 OFFSET :kept"
)
_TRIM_GONE = Statement("DELETE FROM tombstones WHERE folder_id = :id AND modseq <= :floor")
_KEEP = Statement(
    "INSERT INTO mailbox_uids (mailbox_id, uidvalidity, uidnext, modseq, uids)"
    " SELECT id, :uidvalidity, :uidnext, :modseq, :uids FROM collections WHERE id = :id"
    " ON CONFLICT (mailbox_id) DO UPDATE SET"
    " uidvalidity = excluded.uidvalidity, uidnext = excluded.uidnext, modseq = excluded.modseq,"
    " uids = excluded.uids"
)
_FLOOR = Statement("UPDATE collections SET log_floor = :floor WHERE id = :id")


@dataclass(frozen=True, slots=True)
class SweepBlobs(Mutation[list[str | None]]):
    """Remove body rows that nothing names; returns the file of each (None: it had none).

    The files are to be unlinked after the commit. A crash between the two leaves files, which
    ``upkeep.sweep`` finds by comparing names.
    """

    age: int = SWEEP_AGE

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()  # charges are of messages; an unnamed body belongs to nobody

    def write(self, context: WriteContext) -> list[str | None]:
        rows = context.db.all(_UNUSED, before=context.now - self.age, limit=SWEEP_BATCH)
        forget(context.db, [row[0] for row in rows])
        context.db.many(_DELETE_CONTENT, [{"id": row[0]} for row in rows])
        context.db.many(_DELETE, [{"id": row[0]} for row in rows])
        return [row[1] for row in rows]


@dataclass(frozen=True, slots=True)
class TrimLog(Mutation[int]):
    """Forget old change rows of collections with many; returns how many collections.

    Clients that know an older state are answered with a full comparison (``log_floor``).
    """

    kept: int = LOG_KEPT

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> int:
        long = context.db.all(_LONG, kept=self.kept)
        for collection, _ in long:
            floor = context.db.value(_CUT, id=collection, kept=self.kept)
            context.db.run(_TRIM, id=collection, floor=floor)
            context.db.run(_FLOOR, id=collection, floor=floor)
        buried = context.db.all(_MANY_GONE, kept=self.kept)
        for (folder,) in buried:
            floor = context.db.value(_CUT_GONE, id=folder, kept=self.kept)
            context.db.run(_TRIM_GONE, id=folder, floor=floor)
            context.db.run(_FLOOR, id=folder, floor=floor)
        return len(long) + len(buried)


@dataclass(frozen=True, slots=True)
class KeepUids(Mutation[None]):
    """Keep the UIDs of a mailbox in one row, as ``PackedUids`` gave them."""

    mailbox_id: int
    uidvalidity: int
    uidnext: int
    modseq: int
    packed: bytes

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()  # charges are of messages

    def write(self, context: WriteContext) -> None:
        context.db.run(  # nothing, where the mailbox is gone
            _KEEP,
            id=self.mailbox_id,
            uidvalidity=self.uidvalidity,
            uidnext=self.uidnext,
            modseq=self.modseq,
            uids=self.packed,
        )
