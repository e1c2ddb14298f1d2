"""Sorts what a search found, by stored keys (RFC 5256)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.content.sortkeys import sort_keys
from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.index.keys import COLUMNS, IndexState
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, SearchKey, SortKeys, UidSet
from folkmoot.storage.types_search import SortCriterion, SortField
from folkmoot.storage.views.base import View
from folkmoot.storage.views.known_orders import KnownOrders, contents
from folkmoot.storage.views.relevance import ScoreMessages
from folkmoot.storage.views.search import SearchMessages, matches_all

# Of the message's row; the others are keys of its content.
_OF_ROW = {SortField.ARRIVAL: "m.internal_date", SortField.SIZE: "m.size"}
_OF_KEYS = {
    SortField.CC: "copied",
    SortField.DATE: "sent",
    SortField.FROM: "sender",
    SortField.SUBJECT: "subject",
    SortField.TO: "recipient",
    SortField.DISPLAYFROM: "sender_name",
    SortField.DISPLAYTO: "recipient_name",
}
_HEADER = Statement("SELECT header FROM contents WHERE blob_id = :id")


@dataclass(frozen=True, slots=True)
class SortMessages(View[list[tuple[int, int]]]):
    """(UID, modseq) of the messages that match, sorted; where all criteria tie, by UID.

    Without ``modseqs`` these are 0, and ``known`` may save the sorting; only for transactions that
    do not write.
    """

    mailbox_id: int
    key: SearchKey
    criteria: tuple[SortCriterion, ...]
    blobs: FileBlobs
    modseqs: bool = True
    known: KnownOrders | None = None

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> list[tuple[int, int]]:
        relevancy = any(each.field is SortField.RELEVANCY for each in self.criteria)
        if self.known is None or self.modseqs or relevancy:
            return self._sorted(context)
        state = contents(context, self.mailbox_id)
        order = self.known.get(self.mailbox_id, self.criteria, state)
        if order is not None:
            wanted = found_uids(context, self.mailbox_id, self.key, self.blobs)
            return [(uid, 0) for uid in order if wanted is None or uid in wanted]
        rows = self._sorted(context)
        if matches_all(self.key):
            order = array("I", [uid for uid, _ in rows])
            self.known.put(self.mailbox_id, self.criteria, state, order)
        return rows

    def _sorted(self, context: ReadContext) -> list[tuple[int, int]]:
        fields = [criterion.field for criterion in self.criteria]
        names = [_OF_KEYS[field] for field in fields if field in _OF_KEYS]
        extra = [_OF_ROW[field] for field in fields if field in _OF_ROW]
        rows = list(keyed_rows(context, self.mailbox_id, names, ["m.modseq", *extra]))
        wanted = found_uids(context, self.mailbox_id, self.key, self.blobs)
        if wanted is not None:
            rows = [row for row in rows if row[0] in wanted]
        if SortField.RELEVANCY in fields:
            rows = self._scored(context, rows)
        # Where the values of each criterion stand in a row.
        stored = [field for field in fields if field in _OF_ROW]
        stored += [field for field in fields if field in _OF_KEYS]
        places = {field: place for place, field in enumerate([*stored, SortField.RELEVANCY], 2)}
        # rfc5256#3: the last criterion first, as each sort keeps the order of what ties.
        for criterion in reversed(self.criteria):
            rows.sort(key=itemgetter(places[criterion.field]), reverse=criterion.reverse)
        return [row[:2] for row in rows]

    def _scored(self, context: ReadContext, rows: list[Row]) -> list[Row]:
        """Rows with their relevance behind them, such that the best sorts first."""
        uids = UidSet.from_iterable(row[0] for row in rows)
        scores = ScoreMessages(self.mailbox_id, uids, self.key, self.blobs).read(context)
        return [(*row, -scores[row[0]]) for row in rows]


def found_uids(
    context: ReadContext, mailbox_id: int, key: SearchKey, blobs: FileBlobs
) -> frozenset[int] | None:
    """The UIDs of what a search finds; None stands for all."""
    if matches_all(key):
        return None
    return frozenset(uid for uid, _ in SearchMessages(mailbox_id, key, blobs).read(context))


def keyed_rows(
    context: ReadContext, mailbox_id: int, names: Sequence[str], of_row: Sequence[str]
) -> Iterator[Row]:
    """(UID, ``of_row`` …, keys called ``names`` …) of all messages of a mailbox, by UID.

    A date that cannot be read is the one of arrival (RFC 5256 section 2.2).
    """
    assert set(names) <= set(COLUMNS)
    columns = [
        "COALESCE(k.sent, m.internal_date)" if name == "sent" else f"k.{name}" for name in names
    ]
    selected = ", ".join(["m.uid", *of_row, *columns, "k.state", "m.blob_id", "m.internal_date"])
    join = " JOIN message_keys k ON k.blob_id = m.blob_id"
    if not names:  # the row alone has it all
        selected = ", ".join(["m.uid", *of_row, "1", "0", "0"])
        join = ""
    rows = context.db.all(
        Statement(
            f"SELECT {selected} FROM messages m{join}"  # noqa: S608
            " WHERE m.mailbox_id = :id ORDER BY m.uid"
        ),
        id=mailbox_id,
    )
    for row in rows:
        if row[-3] == IndexState.BARE:
            yield row[: 1 + len(of_row)] + _from_header(context, row[-2], row[-1], names)
        else:
            yield row[:-3]


def _from_header(context: ReadContext, blob_id: int, arrived: int, names: Sequence[str]) -> Row:
    """Keys of a message from before there were stored ones, to which the indexer will come."""
    keys: SortKeys = sort_keys(context.db.value(_HEADER, id=blob_id))
    values = {
        "sent": arrived if keys.sent is None else keys.sent,
        "refs": keys.references,
        "reply": int(keys.reply),
    }
    return tuple(values[name] if name in values else getattr(keys, name) for name in names)
