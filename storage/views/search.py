"""Searches a mailbox: what the row tells first, then the index, then headers and bodies.

Every key is answered True, False or None (not known yet). A message whose row alone decides is
never opened; for the others the index is asked. Of those that it does not know, the header is
read, and the body only when that leaves doubt too: this scan is the truth, and what the index
answers is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_tz

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.content.folding import fold
from folkmoot.storage.content.fuzzy import relevance
from folkmoot.storage.content.headers import first_value
from folkmoot.storage.content.sections import PartTable
from folkmoot.storage.content.sortkeys import thread_of
from folkmoot.storage.content.source import BytesSource, FileSource
from folkmoot.storage.content.text import body_texts, decoded_header
from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.index.lookup import Lookup, TextKey, narrow
from folkmoot.storage.seen import own_seen, searched
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, SearchKey
from folkmoot.storage.types_search import (
    And,
    ArrivedBetween,
    BlobIs,
    BodyContains,
    Fuzzy,
    HasFlags,
    HasKeyword,
    HeaderContains,
    InternalDate,
    Larger,
    ModseqAtLeast,
    Not,
    Or,
    SavedDate,
    SentDate,
    Smaller,
    TextContains,
    ThreadIs,
    UidIn,
    searches_content,
)
from folkmoot.storage.views.base import View
from folkmoot.storage.views.search_sql import (
    bounds_of,
    condition_of,
    rows_among,
    said_in_sql,
    select_found,
)

BATCH = 200  # messages whose headers are in memory at a time

_BODY = Statement(
    "SELECT b.data, b.file, c.parts FROM blobs b JOIN contents c ON c.blob_id = b.id"
    " WHERE b.id = :id"
)
_ALL = Statement("SELECT uid, modseq FROM messages WHERE mailbox_id = :id ORDER BY uid")
_HEADER = Statement("SELECT header FROM contents WHERE blob_id = :id")

Verdict = bool | None


@dataclass(frozen=True, slots=True)
class SearchMessages(View[list[tuple[int, int]]]):
    """(UID, modseq) of the messages that match, ascending."""

    mailbox_id: int
    key: SearchKey
    blobs: FileBlobs

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> list[tuple[int, int]]:
        if searches_content(self.key):
            context.search_content()
        if matches_all(self.key):
            return [(uid, modseq) for uid, modseq in context.db.all(_ALL, id=self.mailbox_id)]
        seen = own_seen(context, self.mailbox_id)
        if seen is not None:
            theirs = replace(self, key=searched(self.key, seen))
            return theirs.found(context)
        return self.found(context)

    def found(self, context: ReadContext) -> list[tuple[int, int]]:
        """The same, where rows say all that the key asks for."""
        bounds, condition = bounds_of(self.key), condition_of(self.key)
        if said_in_sql(self.key):
            return select_found(context, self.mailbox_id, bounds, condition)
        narrowed = narrow(context.db, self.key)
        rows = rows_among(context, self.mailbox_id, bounds, condition, narrowed)
        found: list[Row] = []
        if not _only_content(self.key):
            rows = self._decide(rows, found, None)
        if rows:
            lookup = Lookup(context.db, [row[7] for row in rows])
            if isinstance(self.key, HeaderContains | BodyContains | TextContains | Fuzzy):
                surely, maybe = lookup.answer(self.key)
                found += [row for row in rows if row[7] in surely]
                rows = [row for row in rows if row[7] in maybe and row[7] not in surely]
            else:
                rows = self._decide(rows, found, lookup)
            for start in range(0, len(rows), BATCH):
                found += self._look_inside(context, rows[start : start + BATCH], lookup)
        return sorted([row[:2] for row in found])

    def _decide(self, rows: Sequence[Row], found: list[Row], lookup: Lookup | None) -> list[Row]:
        """Add those that match to ``found``; returns those that are still open."""
        judge, key = _JUDGES[type(self.key)], self.key
        open_: list[Row] = []
        for row in rows:
            verdict = judge(key, _Message(row, lookup))
            if verdict is None:
                open_.append(row)
            elif verdict:
                found.append(row)
        return open_

    def _look_inside(
        self, context: ReadContext, rows: Sequence[Row], lookup: Lookup
    ) -> Iterator[Row]:
        blobs = ",".join(str(row[7]) for row in rows)
        headers: dict[int, bytes] = {
            row[0]: row[1]
            for row in context.db.all(
                Statement(
                    f"SELECT blob_id, header FROM contents WHERE blob_id IN ({blobs})"  # noqa: S608
                )
            )
        }
        for row in rows:
            header = headers[row[7]]
            verdict = _judge(self.key, _Message(row, lookup, header))
            if verdict is None:
                texts = _texts(context, row[7], self.blobs)
                verdict = _judge(self.key, _Message(row, lookup, header, texts))
            if verdict:
                yield row


class _Message:
    """One message with as much of it as is known; ``lookup`` knows more of indexed ones."""

    __slots__ = ("header", "lookup", "row", "texts")

    def __init__(
        self,
        row: Row,
        lookup: Lookup | None,
        header: bytes | None = None,
        texts: list[str] | None = None,
    ) -> None:
        self.row = row
        self.lookup = lookup
        self.header = header
        self.texts = texts

    def indexed(self, key: TextKey) -> Verdict:
        """What the index says."""
        return None if self.lookup is None else self.lookup.verdict(key, self.row[7])

    def looked_at(self, key: HeaderContains | BodyContains | TextContains) -> list[str] | None:
        """The folded texts that a key is about; None while they are not known."""
        if self.header is None or (self.texts is None and not isinstance(key, HeaderContains)):
            return None
        match key:
            case HeaderContains(name):
                return [fold(decoded_header(self.header, name.encode()))]
            case BodyContains():
                return self.texts
            case TextContains():
                return [fold(decoded_header(self.header)), *(self.texts or ())]


def matches_all(key: SearchKey) -> bool:
    """Whether a key asks for nothing."""
    return isinstance(key, And) and all(map(matches_all, key.keys))


def _only_content(key: SearchKey) -> bool:
    """Whether rows alone decide nothing."""
    if isinstance(key, And | Or):
        return bool(key.keys) and all(map(_only_content, key.keys))
    if isinstance(key, Not):
        return _only_content(key.key)
    return isinstance(
        key, HeaderContains | BodyContains | TextContains | Fuzzy | SentDate | ThreadIs
    )


def _texts(context: ReadContext, blob_id: int, blobs: FileBlobs) -> list[str]:
    row = context.db.one(_BODY, id=blob_id)
    if row is None:
        raise NotFound
    data, file, parts = row
    table = PartTable.from_bytes(parts)
    if data is not None:
        return [fold(text) for text in body_texts(BytesSource(data), table)]
    with open(blobs.path(file), "rb") as opened:
        return [fold(text) for text in body_texts(FileSource(opened.fileno()), table)]


def opened(context: ReadContext, row: Row, blobs: FileBlobs) -> _Message:
    """A message with all that there is of it."""
    header = context.db.value(_HEADER, id=row[7])
    return _Message(row, None, header, _texts(context, row[7], blobs))


def _judge(key: SearchKey, message: _Message) -> Verdict:
    judge: Callable[[SearchKey, _Message], Verdict] = _JUDGES[type(key)]
    return judge(key, message)


def _and(key: And, message: _Message) -> Verdict:
    verdict: Verdict = True
    for part in key.keys:
        one = _judge(part, message)
        if one is False:
            return False
        if one is None:
            verdict = None
    return verdict


def _or(key: Or, message: _Message) -> Verdict:
    verdict: Verdict = False
    for part in key.keys:
        one = _judge(part, message)
        if one:
            return True
        if one is None:
            verdict = None
    return verdict


def _not(key: Not, message: _Message) -> Verdict:
    verdict = _judge(key.key, message)
    return None if verdict is None else not verdict


def _keyword(key: HasKeyword, message: _Message) -> Verdict:
    return key.keyword.lower() in message.row[3].lower().split()


def _internal(key: InternalDate, message: _Message) -> Verdict:
    seconds, zone = message.row[5], message.row[6]
    local = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds, minutes=zone)
    return _between(local.date(), key.since, key.before)


def _saved(key: SavedDate, message: _Message) -> Verdict:
    return _between(datetime.fromtimestamp(message.row[8], UTC).date(), key.since, key.before)


def _arrived(key: ArrivedBetween, message: _Message) -> Verdict:
    seconds = message.row[5]
    since = key.since is None or seconds >= key.since
    return since and (key.before is None or seconds < key.before)


def _between(day: date, since: date | None, before: date | None) -> bool:
    return (since is None or day >= since) and (before is None or day < before)


def _sent(key: SentDate, message: _Message) -> Verdict:
    if message.header is None:
        return None
    value = first_value(message.header, b"date")
    parsed = parsedate_tz(value.decode("latin-1")) if value else None
    if parsed is None:
        return False
    try:
        day = date(*parsed[:3])
    except (ValueError, OverflowError):
        return False
    return _between(day, key.since, key.before)


def _thread(key: ThreadIs, message: _Message) -> Verdict:
    return None if message.header is None else thread_of(message.header) == key.root


def _header(key: HeaderContains, message: _Message) -> Verdict:
    verdict = message.indexed(key)
    if verdict is not None or message.header is None:
        return verdict
    name = key.name.encode()
    if first_value(message.header, name) is None:
        return False
    return fold(key.text) in fold(decoded_header(message.header, name))


def _body(key: BodyContains, message: _Message) -> Verdict:
    verdict = message.indexed(key)
    if verdict is not None or message.texts is None:
        return verdict
    wanted = fold(key.text)
    return any(wanted in text for text in message.texts)


def _text(key: TextContains, message: _Message) -> Verdict:
    verdict = message.indexed(key)
    if verdict is not None or message.header is None:
        return verdict
    wanted = fold(key.text)
    if wanted in fold(decoded_header(message.header)):
        return True
    return None if message.texts is None else any(wanted in text for text in message.texts)


def _fuzzy(key: Fuzzy, message: _Message) -> Verdict:
    verdict = message.indexed(key)
    if verdict is not None:
        return verdict
    texts = message.looked_at(key.key)
    return None if texts is None else relevance(fold(key.key.text), texts) > 0


_JUDGES: dict[type, Callable[..., Verdict]] = {
    And: _and,
    Or: _or,
    Not: _not,
    HasFlags: lambda key, message: message.row[2] & key.system == key.system,
    HasKeyword: _keyword,
    UidIn: lambda key, message: message.row[0] in key.uids,
    Larger: lambda key, message: message.row[4] > key.octets,
    Smaller: lambda key, message: message.row[4] < key.octets,
    ModseqAtLeast: lambda key, message: message.row[1] >= key.modseq,
    InternalDate: _internal,
    SavedDate: _saved,
    ArrivedBetween: _arrived,
    BlobIs: lambda key, message: message.row[7] == key.blob_id,
    SentDate: _sent,
    ThreadIs: _thread,
    HeaderContains: _header,
    BodyContains: _body,
    TextContains: _text,
    Fuzzy: _fuzzy,
}
