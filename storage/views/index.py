"""What the indexer reads: messages that wait for it, and how large the index is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.index import trigrams
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.views.base import View

# The newest first: they are what people look for. Both conditions are one for the index that
# holds only what waits.
_WAITING = Statement(
    "SELECT k.blob_id, k.state, b.size, b.file FROM message_keys k JOIN blobs b ON b.id = k.blob_id"
    " WHERE k.state <> 2 AND k.state < 2 ORDER BY k.blob_id DESC LIMIT :limit"
)
_CONTENT = Statement(
    "SELECT c.header, c.parts, b.data FROM contents c JOIN blobs b ON b.id = c.blob_id"
    " WHERE c.blob_id = :id"
)
_LEFT = Statement("SELECT COUNT(*), MAX(blob_id) FROM message_keys WHERE state <> 2 AND state < 2")
_TEXTS = Statement(
    "SELECT COUNT(*), COALESCE(SUM(LENGTH(subject) + LENGTH(sender) + LENGTH(recipients)"
    " + LENGTH(copied) + LENGTH(header) + LENGTH(body)), 0) FROM search_texts"
)


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that is to be indexed; its octets are in ``data`` or in the blob store's file."""

    blob_id: int
    state: int
    header: bytes
    parts: bytes
    data: bytes | None
    file: str | None


@dataclass(frozen=True, slots=True)
class WaitingMessages(View[list[WaitingMessage]]):
    """Some messages that wait for the indexer, of about ``octets`` together, one at least."""

    count: int
    octets: int

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> list[WaitingMessage]:
        found = []
        left = self.octets
        for blob_id, state, size, file in context.db.all(_WAITING, limit=self.count):
            header, parts, data = context.db.all(_CONTENT, id=blob_id)[0]
            found.append(WaitingMessage(blob_id, state, header, parts, data, file))
            left -= size
            if left <= 0:
                break
        return found


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """How far the index is, and what it takes.

    ``waiting`` messages are not in it yet, the last of them is ``newest`` (0: none). ``texts`` is
    the count of characters of the ``messages`` that are in it, ``trigrams`` the octets of what
    narrows searches down.
    """

    waiting: int
    newest: int
    messages: int
    texts: int
    trigrams: int


@dataclass(frozen=True, slots=True)
class Backlog(View[tuple[int, int]]):
    """How many messages wait, and the newest of them (0: none)."""

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> tuple[int, int]:
        waiting, newest = context.db.all(_LEFT)[0]
        return waiting, newest or 0


@dataclass(frozen=True, slots=True)
class DescribeIndex(View[IndexFacts]):
    """The size of the index. Reads all of it."""

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> IndexFacts:
        waiting, newest = Backlog().read(context)
        messages, texts = context.db.all(_TEXTS)[0]
        octets = trigrams.size(context.db)[0] if trigrams.present(context.db) else 0
        return IndexFacts(waiting, newest, messages, int(texts), octets)
