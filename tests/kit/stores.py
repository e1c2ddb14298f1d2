"""Stores for tests: real decisions, and hints delivered at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from folkmoot.auth.audit import Auditor
from folkmoot.quota.ledger import Ledger
from folkmoot.sharing.policy import GroupPolicy
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Decisions, Txn
from folkmoot.storage.types import Actor


def decisions() -> Decisions:
    """Those who decide in the real server."""
    return Decisions(GroupPolicy(), Ledger(), Auditor())


def at_once(call: Callable[[], None]) -> None:
    """Stands for ``reactor.callFromThread`` where no reactor runs."""
    call()


def open_store(url: str, folder: Path) -> Store:
    """A store on a database, with its blobs in a folder."""
    return Store(url, folder / "blobs", decisions(), at_once)


def without_drop_folder(store: Store, space: int) -> None:
    """Take the drop folder of an account away, for tests that begin with nothing."""

    def work(txn: Txn) -> None:
        db = txn._write_context.db
        gone = "DELETE FROM collections WHERE space_id = :space AND special_use = 'drop'"
        db.run(Statement(gone), space=space)
        again = "UPDATE collections SET modseq = 1 WHERE parent_id IS NULL AND space_id = :space"
        db.run(Statement(f"{again} AND tool = 'documents'"), space=space)

    store.call(Actor.system("test"), "test", work)
