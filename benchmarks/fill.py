"""Fills a store off the wire, in large transactions, while no server runs on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import load
from benchmarks.serve import address
from folkmoot.auth.audit import Auditor
from folkmoot.quota.ledger import Ledger
from folkmoot.sharing.intake import ItemLimits, item_content
from folkmoot.sharing.policy import GroupPolicy
from folkmoot.storage.content.prepare import prepare
from folkmoot.storage.index import build
from folkmoot.storage.migrate import upgrade
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.mutations.tree_items import CreateItem
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Decisions, Txn
from folkmoot.storage.types import Actor, ActorKind, FlagSet, NewMessage, Tool
from folkmoot.storage.types_tree import ItemTimes, TreePath
from folkmoot.storage.views.accounts import FindAccount, ReadLoginRecord
from folkmoot.storage.views.mailboxes import LocateMailbox
from folkmoot.storage.views.tree import FindPath

SYSTEM = Actor.system("benchmark")
AT_ONCE = 200
_ARRIVED = datetime(2026, 3, 13, 10, 11, 12, tzinfo=UTC)


def open_store(folder: Path) -> Store:
    """The store in a data folder, made if it is not there."""
    url = f"sqlite:///{folder / 'folkmoot.db'}"
    upgrade(url)
    decisions = Decisions(GroupPolicy(), Ledger(), Auditor())
    return Store(url, folder / "blobs", decisions, lambda call: call())


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """The store in a data folder, closed afterwards."""
    store = open_store(folder)
    try:
        yield store
    finally:
        store.close()


def apply(store: Store, mutation: Any, actor: Actor = SYSTEM) -> Any:
    """Apply one mutation in a transaction of its own."""
    return store.call(actor, "fill", partial(_applied, mutation))


def _applied(mutation: Any, txn: Txn) -> Any:
    return txn.apply(mutation)


def find_account(store: Store, number: int) -> Actor:
    """Somebody by the number."""

    def find(txn: Any) -> Actor:
        account = txn.view(FindAccount(address(number)))
        record = txn.view(ReadLoginRecord(address(number)))
        return Actor(
            ActorKind.ACCOUNT, account.id, account.space_id, account.address, epoch=record.epoch
        )

    return store.call_read(SYSTEM, "find", find)


def add_messages(store: Store, actor: Actor, mailbox: str, count: int, size: int) -> None:
    """Append so many messages of ``size`` octets to one's mailbox, and index them."""
    levels = tuple(mailbox.split("/"))
    place = store.call_read(
        actor, "find", lambda txn: txn.view(LocateMailbox(actor.space_id, levels))
    )
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        # What has the same octets is stored once: mailboxes do not share theirs.
        texts = [load.message(place * 1_000_000 + one, size, actor.name) for one in numbers]
        new = [NewMessage(prepare(text), FlagSet(), _ARRIVED) for text in texts]
        apply(store, AppendMessages(place, tuple(new)), actor)


def index(store: Store) -> None:
    """Do what the server would begin with: take messages into the search index."""
    if build.prepare(store):
        while build.step(store):
            pass


def add_items(store: Store, actor: Actor, path: TreePath, items: Mapping[str, bytes]) -> None:
    """Put items by their names into one's folder, calendar or address book."""
    found = store.call_read(actor, "find", lambda txn: txn.view(FindPath(path))).entry
    assert found is not None
    folder = found.node.id
    waiting = iter(items.items())
    while batch := list(itertools.islice(waiting, AT_ONCE)):
        mutations = [
            CreateItem(folder, name, _content(path.tool, octets)) for name, octets in batch
        ]
        store.call(actor, "fill", partial(_apply_all, mutations))


def _apply_all(mutations: Iterable[CreateItem], txn: Txn) -> None:
    for one in mutations:
        txn.apply(one)


def _content(tool: Tool, octets: bytes) -> Any:
    kinds = {Tool.CALENDAR: "text/calendar", Tool.CONTACTS: "text/vcard"}
    kind = kinds.get(tool, "application/octet-stream")
    return item_content(tool, octets, kind, ItemTimes(), ItemLimits())
