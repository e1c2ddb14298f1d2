"""How well messages match the fuzzy keys of a search (RFC 6203 section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.content.folding import fold
from folkmoot.storage.content.fuzzy import relevance
from folkmoot.storage.engine.db import Row
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.index.lookup import Lookup
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, SearchKey, UidSet
from folkmoot.storage.types_search import And, Fuzzy, Not, Or, searches_content
from folkmoot.storage.views.base import View
from folkmoot.storage.views.search import opened
from folkmoot.storage.views.search_sql import select_rows


@dataclass(frozen=True, slots=True)
class ScoreMessages(View[dict[int, int]]):
    """The score of messages by UID: 1 to 100, the better the higher.

    Of several fuzzy keys it is the mean of those that match.
    """

    mailbox_id: int
    uids: UidSet
    key: SearchKey
    blobs: FileBlobs

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> dict[int, int]:
        if searches_content(self.key):
            context.search_content()
        rows = select_rows(context, self.mailbox_id, self.uids)
        found: dict[int, list[float]] = {}
        lookup = Lookup(context.db, [row[7] for row in rows])
        for key in fuzzy_keys(self.key):
            query = fold(key.key.text)
            for blob_id, texts in self._texts(context, rows, lookup, key):
                score = relevance(query, texts)
                if score:
                    found.setdefault(blob_id, []).append(score)
        return {row[0]: _percent(found.get(row[7], ())) for row in rows}

    def _texts(
        self, context: ReadContext, rows: Sequence[Row], lookup: Lookup, key: Fuzzy
    ) -> Iterator[tuple[int, list[str]]]:
        known = set()
        for blob_id, texts in lookup.texts(key, [row[7] for row in rows]):
            known.add(blob_id)
            yield blob_id, texts
        for row in rows:
            if row[7] not in known:
                known.add(row[7])
                yield row[7], opened(context, row, self.blobs).looked_at(key.key) or []


def fuzzy_keys(key: SearchKey) -> Iterator[Fuzzy]:
    """The fuzzy keys in a tree."""
    match key:
        case Fuzzy():
            yield key
        case And(keys) | Or(keys):
            for one in keys:
                yield from fuzzy_keys(one)
        case Not(one):
            yield from fuzzy_keys(one)


def _percent(scores: Sequence[float]) -> int:
    return max(1, round(100 * sum(scores) / len(scores))) if scores else 1
