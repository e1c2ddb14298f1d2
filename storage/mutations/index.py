"""What the indexer writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.index import trigrams
from folkmoot.storage.index.keys import IndexState, update_keys
from folkmoot.storage.index.texts import VERSION, SearchText
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import SortKeys

_STATE = Statement("SELECT state FROM message_keys WHERE blob_id = :id")
_STATE_LOCKED = Statement("SELECT state FROM message_keys WHERE blob_id = :id FOR UPDATE")
_SET_STATE = Statement("UPDATE message_keys SET state = :state WHERE blob_id = :id")
_INSERT = Statement(
    f"INSERT INTO search_texts (blob_id, {', '.join(SearchText._fields)})"  # noqa: S608
    f" VALUES (:id, {', '.join(f':{name}' for name in SearchText._fields)})"
)
_FORGET_TEXT = Statement("DELETE FROM search_texts WHERE blob_id = :id")
_FORGET_KEYS = Statement("DELETE FROM message_keys WHERE blob_id = :id")
_CLEAR = Statement("DELETE FROM search_texts")
_AGAIN = Statement("UPDATE message_keys SET state = 1 WHERE state > 1")
_VERSION = Statement("SELECT value FROM settings WHERE name = 'search_texts'")
_SET_VERSION = Statement(
    "INSERT INTO settings (name, value) VALUES ('search_texts', :value)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A message for the index: its text (None: too much), and keys if it had none."""

    blob_id: int
    text: SearchText | None
    keys: SortKeys | None = None


@dataclass(frozen=True, slots=True)
class IndexMessages(Mutation[int]):
    """Take messages into the index; returns how many. Those that are in it already stay."""

    entries: tuple[IndexEntry, ...]

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()  # nobody pays for how the server finds things

    def write(self, context: WriteContext) -> int:
        db = context.db
        narrowed = trigrams.present(db)
        state_of = _STATE if db.is_sqlite else _STATE_LOCKED
        done = 0
        for entry in self.entries:
            row = db.one(state_of, id=entry.blob_id)
            # Swept, or indexed by another process, since it was read.
            if row is None or row[0] in (IndexState.INDEXED, IndexState.SCANNED):
                continue
            if entry.keys is not None:
                update_keys(db, entry.blob_id, entry.keys)
            state = IndexState.SCANNED
            if entry.text is not None:
                state = IndexState.INDEXED
                db.run(_INSERT, id=entry.blob_id, **entry.text._asdict())
                if narrowed:
                    trigrams.add(db, entry.blob_id)
            db.run(_SET_STATE, id=entry.blob_id, state=int(state))
            done += 1
        return done


@dataclass(frozen=True, slots=True)
class PrepareIndex(Mutation[bool]):
    """Make the index ready to be filled; False when there are no trigrams in this database.

    An index of an older kind of texts is emptied. ``clear`` empties it in any case.
    """

    clear: bool = False

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> bool:
        db = context.db
        row = db.one(_VERSION)
        if self.clear or (row is not None and row[0] != VERSION):
            trigrams.drop(db)
            db.run(_CLEAR)
            db.run(_AGAIN)
        db.run(_SET_VERSION, value=VERSION)
        return trigrams.create(db)


def forget(db: Db, blob_ids: Iterable[int]) -> None:
    """Remove what sorting and searching kept of bodies that are about to be deleted."""
    narrowed = trigrams.present(db)
    for blob_id in blob_ids:
        if narrowed:
            trigrams.remove(db, blob_id)
        db.run(_FORGET_TEXT, id=blob_id)
        db.run(_FORGET_KEYS, id=blob_id)
