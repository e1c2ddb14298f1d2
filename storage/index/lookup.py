"""What the index knows about the keys of a search.

It answers exactly as the scan would, or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from folkmoot.storage.content.folding import fold
from folkmoot.storage.content.fuzzy import clues, relevance, words_of
from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.index import trigrams
from folkmoot.storage.index.keys import IndexState
from folkmoot.storage.index.texts import COLUMN_OF_FIELD, searchable
from folkmoot.storage.types import SearchKey
from folkmoot.storage.types_search import And, BodyContains, Fuzzy, HeaderContains, Or, TextContains

FEW = 200  # messages that are sooner read than narrowed down
NARROW = 2000  # messages that may match, above which a mailbox is better gone through
CHUNK = 500  # numbers in one IN list
MANY_WAITING = 5000  # messages without a place in the index that are read at once

_WAITING = Statement("SELECT blob_id FROM message_keys WHERE state <> 2 LIMIT :limit")
_HIGHEST = (1 << 63) - 1

TextKey = HeaderContains | BodyContains | TextContains | Fuzzy


class Answer(NamedTuple):
    """The bodies that match a key for sure, and all that may."""

    surely: frozenset[int]
    maybe: frozenset[int]


class Lookup:
    """Answers for some messages, by the numbers of their bodies; looked up when first asked."""

    def __init__(self, db: Db, blobs: Collection[int]) -> None:
        self._db = db
        self._blobs = frozenset(blobs)
        self._indexed = _indexed(db, self._blobs)
        self._open = self._blobs - self._indexed
        self._found: dict[tuple[str, str], frozenset[int]] = {}
        self._answers: dict[TextKey, Answer] = {}
        self._trigrams: bool | None = None

    def answer(self, key: TextKey) -> Answer:
        """What is known of a key."""
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._answer(key)
        return answer

    def verdict(self, key: TextKey, blob_id: int) -> bool | None:
        """Whether a message matches; None when the message itself must be looked at."""
        surely, maybe = self.answer(key)
        if blob_id in surely:
            return True
        return None if blob_id in maybe else False

    def texts(self, key: TextKey, blobs: Iterable[int]) -> Iterator[tuple[int, list[str]]]:
        """(body, texts that a key is about) of those of the bodies that are indexed.

        Nothing for header fields that have no column.
        """
        columns = _columns(key.key if isinstance(key, Fuzzy) else key)
        if not columns:
            return
        for numbers in chunks(self._indexed.intersection(blobs)):
            statement = Statement(
                f"SELECT blob_id, {', '.join(columns)} FROM search_texts"  # noqa: S608
                f" WHERE blob_id IN ({numbers})"
            )
            for row in self._db.all(statement):
                yield row[0], list(row[1:])

    def _fuzzy(self, key: Fuzzy) -> Answer:
        query = fold(key.key.text)
        words = words_of(query)
        if not words:
            return self.answer(key.key)
        columns = _columns(key.key) or ["header"]
        may: frozenset[int] = self._indexed
        for word in words:
            holding: frozenset[int] = frozenset()
            for clue in clues(word):
                for column in columns:
                    holding |= self._in(column, clue)
            may &= holding
        if not _columns(key.key):
            return Answer(frozenset(), may | self._open)
        found = frozenset(
            blob_id for blob_id, texts in self.texts(key, may) if relevance(query, texts)
        )
        return Answer(found, found | self._open)

    def _answer(self, key: TextKey) -> Answer:
        if isinstance(key, Fuzzy):
            return self._fuzzy(key)
        text = fold(key.text)
        if not searchable(text):
            return Answer(frozenset(), self._blobs)
        match key:
            case TextContains():
                found = self._in("header", text) | self._in("body", text)
            case BodyContains():
                found = self._in("body", text)
            case HeaderContains(name):
                column = COLUMN_OF_FIELD.get(name)
                if column is None:
                    # The header as a whole tells what cannot be in any field. Where several
                    # fields have the name, line ends join them.
                    maybe = self._indexed if "\n" in text else self._in("header", text)
                    return Answer(frozenset(), maybe | self._open)
                found = self._in(column, text)
        return Answer(found, found | self._open)

    def _in(self, column: str, text: str) -> frozenset[int]:
        found = self._found.get((column, text))
        if found is None:
            found = frozenset(self._search(column, text))
            self._found[column, text] = found
        return found

    def _search(self, column: str, text: str) -> Iterator[int]:
        db = self._db
        holds = f"INSTR({column}, :text)" if db.is_sqlite else f"STRPOS({column}, :text)"
        # LIKE is the faster in SQLite, INSTR the exact one.
        condition = rf"{column} LIKE :pattern ESCAPE '\' AND {holds} > 0"
        for numbers in chunks(self._candidates(text)):
            statement = Statement(
                f"SELECT blob_id FROM search_texts"  # noqa: S608
                f" WHERE blob_id IN ({numbers}) AND {condition}"
            )
            rows = db.all(statement, text=text, pattern=trigrams.pattern(text))
            yield from (row[0] for row in rows)

    def _candidates(self, text: str) -> Collection[int]:
        """Indexed messages that may hold a text."""
        mine = self._indexed
        if len(mine) <= FEW or not _narrowable(text):
            return mine
        if self._trigrams is None:
            self._trigrams = trigrams.present(self._db)
        if not self._trigrams:
            return mine
        # In a store of many mailboxes a common word is in more messages than this one has.
        limit = 2 * len(mine) + 1000
        found = trigrams.candidates(self._db, text, min(mine), max(mine), limit)
        return mine if found is None else mine.intersection(found)


def _columns(key: HeaderContains | BodyContains | TextContains) -> list[str]:
    match key:
        case TextContains():
            return ["header", "body"]
        case BodyContains():
            return ["body"]
        case HeaderContains(name):
            return [COLUMN_OF_FIELD[name]] if name in COLUMN_OF_FIELD else []


def narrow(db: Db, key: SearchKey) -> frozenset[int] | None:
    """The bodies in the whole store that may match a key; None when that is not known, or many."""
    if not _narrows(key) or not trigrams.present(db):
        return None
    waiting = db.all(_WAITING, limit=NARROW)
    if len(waiting) >= NARROW:
        return None
    found = _narrow(db, key)
    return None if found is None else found.union(row[0] for row in waiting)


def _narrows(key: SearchKey) -> bool:
    match key:
        case And(keys):
            return any(map(_narrows, keys))
        case Or(keys):
            return bool(keys) and all(map(_narrows, keys))
        case HeaderContains() | BodyContains() | TextContains():
            text = fold(key.text)
            return searchable(text) and _narrowable(text)
    return False


def _narrow(db: Db, key: SearchKey) -> frozenset[int] | None:
    match key:
        case And(keys):
            for part in keys:
                if _narrows(part) and (found := _narrow(db, part)) is not None:
                    return found
            return None
        case Or(keys):
            union: frozenset[int] = frozenset()
            for part in keys:
                found = _narrow(db, part)
                if found is None:
                    return None
                union |= found
            return union if len(union) < NARROW else None
        case HeaderContains() | BodyContains() | TextContains():
            rows = trigrams.candidates(db, fold(key.text), 0, _HIGHEST, NARROW)
            return None if rows is None else frozenset(rows)
    raise AssertionError("only keys that narrow")


def _narrowable(text: str) -> bool:
    # Line ends join fields of one name where the index of the whole header has the names.
    return len(text) >= trigrams.SIZE and "\n" not in text


def _indexed(db: Db, blobs: frozenset[int]) -> frozenset[int]:
    waiting = db.all(_WAITING, limit=MANY_WAITING)
    if len(waiting) < MANY_WAITING:
        return blobs.difference(row[0] for row in waiting)
    found: set[int] = set()
    for numbers in chunks(blobs):
        statement = Statement(
            f"SELECT blob_id FROM message_keys WHERE blob_id IN ({numbers})"  # noqa: S608
            f" AND state = {int(IndexState.INDEXED)}"
        )
        found.update(row[0] for row in db.all(statement))
    return frozenset(found)


def chunks(numbers: Iterable[int]) -> Iterator[str]:
    """Lists for IN, ascending; the numbers are ours."""
    ordered = sorted(numbers)
    for start in range(0, len(ordered), CHUNK):
        yield ",".join(map(str, ordered[start : start + CHUNK]))
