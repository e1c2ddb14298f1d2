"""Sorts what a search found, by stored keys (RFC 5256)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.budget import Budget, Share
from folkmoot.storage.content.sortkeys import sort_keys
from folkmoot.storage.engine.db import Row, Statement, statement
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.index.keys import COLUMNS, IndexState
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, SearchKey, SortKeys, UidSet
from folkmoot.storage.types_search import Order, SortCriterion, SortField
from folkmoot.storage.views.base import View
from folkmoot.storage.views.known_orders import KnownOrders, contents
from folkmoot.storage.views.relevance import ScoreMessages
from folkmoot.storage.views.search import SearchMessages, matches_all

PAGE = 5_000  # messages that are read at a time

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
class SortMessages(View[Order]):
    """The messages that match, sorted; where all criteria tie, by UID.

    Without ``modseqs`` there are none, and ``known`` may save the sorting; only for transactions
    that do not write. Raises ``LimitReached`` and ``Unavailable`` for more than ``held`` has room
    for, which is asked only where the database cannot sort by itself.
    """

    mailbox_id: int
    key: SearchKey
    criteria: tuple[SortCriterion, ...]
    blobs: FileBlobs
    modseqs: bool = True
    known: KnownOrders | None = None
    held: Budget = field(default_factory=Budget)

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> Order:
        relevancy = any(each.field is SortField.RELEVANCY for each in self.criteria)
        wanted = found_uids(context, self.mailbox_id, self.key, self.blobs)
        if relevancy:
            return self._held(context, wanted)
        if self.known is None or self.modseqs:
            return self._sorted(context, wanted)
        state = contents(context, self.mailbox_id)
        order: Order | None = self.known.get(self.mailbox_id, self.criteria, state)
        if order is None:
            order = self._sorted(context, wanted)
            if wanted is None:
                self.known.put(self.mailbox_id, self.criteria, state, order)
            return order
        if wanted is None:
            return order
        return Order(array("I", [uid for uid in order.uids if uid in wanted]), array("Q"))

    def _sorted(self, context: ReadContext, wanted: frozenset[int] | None) -> Order:
        order = self._by_database(context, wanted)
        return self._held(context, wanted) if order is None else order

    def _by_database(self, context: ReadContext, wanted: frozenset[int] | None) -> Order | None:
        """Sorted without being held; None where a message has no stored keys yet."""
        order = Order(array("I"), array("Q"))
        for rows in context.db.portions(self._statement(context), PAGE, id=self.mailbox_id):
            if IndexState.BARE in [row[1] for row in rows]:
                return None
            some = rows if wanted is None else [row for row in rows if row[0] in wanted]
            order.uids.extend([row[0] for row in some])
            if self.modseqs:
                order.modseqs.extend([row[2] for row in some])
        return order

    def _statement(self, context: ReadContext) -> Statement:
        fields = {criterion.field for criterion in self.criteria}
        keys = not fields <= _OF_ROW.keys()
        # By code points, as ``collation_key`` means it, whatever the database's language is.
        collation = "" if context.db.is_sqlite else ' COLLATE "C"'
        order = []
        for criterion in self.criteria:
            column = _OF_ROW.get(criterion.field) or _key(_OF_KEYS[criterion.field])
            text = criterion.field in _OF_KEYS and criterion.field is not SortField.DATE
            direction = " DESC" if criterion.reverse else ""
            order.append(f"{column}{collation if text else ''}{direction}")
        return statement(
            f"SELECT m.uid, {'k.state' if keys else 1}{', m.modseq' if self.modseqs else ''}"  # noqa: S608
            f" FROM messages m{' JOIN message_keys k ON k.blob_id = m.blob_id' if keys else ''}"
            f" WHERE m.mailbox_id = :id ORDER BY {', '.join([*order, 'm.uid'])}"
        )

    def _held(self, context: ReadContext, wanted: frozenset[int] | None) -> Order:
        """Sorted here: by what the database does not know, or with keys made of headers."""
        fields = [criterion.field for criterion in self.criteria]
        names = [_OF_KEYS[field] for field in fields if field in _OF_KEYS]
        extra = [_OF_ROW[field] for field in fields if field in _OF_ROW]
        with self.held.share() as share:
            pages = keyed_rows(context, self.mailbox_id, names, ["m.modseq", *extra], wanted, share)
            rows = [row for page in pages for row in page]
            if SortField.RELEVANCY in fields:
                rows = self._scored(context, rows)
            # Where the values of each criterion stand in a row.
            stored = [field for field in fields if field in _OF_ROW]
            stored += [field for field in fields if field in _OF_KEYS]
            places = {each: place for place, each in enumerate([*stored, SortField.RELEVANCY], 2)}
            # rfc5256#3: the last criterion first, as each sort keeps the order of what ties.
            for criterion in reversed(self.criteria):
                rows.sort(key=itemgetter(places[criterion.field]), reverse=criterion.reverse)
            modseqs = [row[1] for row in rows] if self.modseqs else ()
            return Order(array("I", [row[0] for row in rows]), array("Q", modseqs))

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


def _key(name: str) -> str:
    # rfc5256#2.2: a date that cannot be read is the one of arrival
    return "COALESCE(k.sent, m.internal_date)" if name == "sent" else f"k.{name}"


def keyed_rows(
    context: ReadContext,
    mailbox_id: int,
    names: Sequence[str],
    of_row: Sequence[str],
    wanted: frozenset[int] | None,
    share: Share,
) -> Iterator[list[Row]]:
    """Pages of (UID, ``of_row`` …, keys called ``names`` …) of the wanted messages, by UID.

    They are taken from the ``share`` page by page.
    """
    assert set(names) <= set(COLUMNS)
    columns = ", ".join(["m.uid", *of_row, *map(_key, names)])
    selected = statement(
        f"SELECT {columns}, k.state, m.blob_id, m.internal_date"  # noqa: S608
        " FROM messages m JOIN message_keys k ON k.blob_id = m.blob_id"
        f" WHERE m.mailbox_id = :id AND m.uid > :after ORDER BY m.uid LIMIT {PAGE}"
    )
    after = 0
    while rows := context.db.all(selected, id=mailbox_id, after=after):
        after = rows[-1][0]
        if wanted is not None:
            rows = [row for row in rows if row[0] in wanted]
        share.take(len(rows))
        yield [
            row[:-3]
            if row[-3] != IndexState.BARE
            else row[: 1 + len(of_row)] + _from_header(context, row[-2], row[-1], names)
            for row in rows
        ]


def _from_header(context: ReadContext, blob_id: int, arrived: int, names: Sequence[str]) -> Row:
    """Keys of a message from before there were stored ones, to which the indexer will come."""
    keys: SortKeys = sort_keys(context.db.value(_HEADER, id=blob_id))
    values = {
        "sent": arrived if keys.sent is None else keys.sent,
        "refs": keys.references,
        "reply": int(keys.reply),
    }
    return tuple(values[name] if name in values else getattr(keys, name) for name in names)
