"""Fills the search index, a little at a time. Everything here blocks: call it in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.content.sections import PartTable
from folkmoot.storage.content.sortkeys import sort_keys
from folkmoot.storage.content.source import BytesSource, FileSource
from folkmoot.storage.index.keys import IndexState
from folkmoot.storage.index.texts import search_text
from folkmoot.storage.mutations.index import IndexEntry, IndexMessages, PrepareIndex
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor
from folkmoot.storage.views.index import (
    Backlog,
    DescribeIndex,
    IndexFacts,
    WaitingMessage,
    WaitingMessages,
)

_ACTOR = Actor.system("search index")

# One transaction holds the writer for some 20 milliseconds, and for less than 100 when trigrams
# are merged.
BATCH = 50
BATCH_OCTETS = 64 * 1024


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What rebuilding came to."""

    seconds: float
    facts: IndexFacts


def prepare(store: Store) -> bool:
    """Make the index ready to be filled; False when nothing can narrow searches down here."""
    return store.call(_ACTOR, "index", lambda txn: txn.apply(PrepareIndex()))


def backlog(store: Store) -> tuple[int, int]:
    """How many messages wait to be indexed, and the newest of them (0: none)."""
    return store.call_read(_ACTOR, "index", lambda txn: txn.view(Backlog()))


def step(store: Store) -> int:
    """Index some of the messages that wait; how many, 0 when none did."""
    view = WaitingMessages(BATCH, BATCH_OCTETS)
    waiting = store.call_read(_ACTOR, "index", lambda txn: txn.view(view))
    entries = tuple([_entry(one, store.blobs) for one in waiting])
    if entries:
        store.call(_ACTOR, "index", lambda txn: txn.apply(IndexMessages(entries)))
    return len(waiting)


def rebuild(store: Store, told: Callable[[int], None] = lambda done: None) -> Rebuilt:
    """Make the whole index anew; ``told`` hears how many messages are done."""
    began = time.monotonic()
    store.call(_ACTOR, "index", lambda txn: txn.apply(PrepareIndex(clear=True)))
    done = 0
    while count := step(store):
        done += count
        told(done)
    return Rebuilt(time.monotonic() - began, describe(store))


def describe(store: Store) -> IndexFacts:
    """How far the index is, and what it takes."""
    return store.call_read(_ACTOR, "index", lambda txn: txn.view(DescribeIndex()))


def _entry(message: WaitingMessage, blobs: FileBlobs) -> IndexEntry:
    keys = sort_keys(message.header) if message.state == IndexState.BARE else None
    table = PartTable.from_bytes(message.parts)
    if message.data is not None:
        text = search_text(message.header, BytesSource(message.data), table)
        return IndexEntry(message.blob_id, text, keys)
    assert message.file is not None
    try:
        with open(blobs.path(message.file), "rb") as file:
            text = search_text(message.header, FileSource(file.fileno()), table)
    except FileNotFoundError:
        # Swept meanwhile, or lost: `check` tells. Searches look for it themselves.
        text = None
    return IndexEntry(message.blob_id, text, keys)
