"""Stores for tests: real decisions, and hints delivered at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from folkmoot.auth.audit import Auditor
from folkmoot.quota.ledger import Ledger
from folkmoot.sharing.policy import GroupPolicy
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Decisions


def decisions() -> Decisions:
    """Those who decide in the real server."""
    return Decisions(GroupPolicy(), Ledger(), Auditor())


def at_once(call: Callable[[], None]) -> None:
    """Stands for ``reactor.callFromThread`` where no reactor runs."""
    call()


def open_store(url: str, folder: Path) -> Store:
    """A store on a database, with its blobs in a folder."""
    return Store(url, folder / "blobs", decisions(), at_once)
