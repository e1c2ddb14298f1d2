"""Upkeep of a store: called at start and now and then by the server, and by ``folkmoot check``."""

from __future__ import annotations

import contextlib
import time
from functools import partial

from folkmoot.storage.check import CheckStore, Finding, Recount
from folkmoot.storage.mutations.scheduling import SweepInboxes
from folkmoot.storage.mutations.upkeep import SWEEP_AGE, KeepUids, SweepBlobs, TrimLog
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor
from folkmoot.storage.views.blobs import NamedFiles
from folkmoot.storage.views.kept_uids import OutdatedUids, PackedUids

_ACTOR = Actor.system("upkeep")


def check(store: Store, *, deep: bool = False) -> list[Finding]:
    """Everything that is not as it must be. Blocks."""
    return store.call_read(_ACTOR, "check", lambda txn: txn.view(CheckStore(store.blobs, deep)))


def repair(store: Store) -> None:
    """Recount what can be recounted. Blocks."""
    store.call(_ACTOR, "repair", lambda txn: txn.apply(Recount()))


def sweep(store: Store, age: int = SWEEP_AGE) -> int:
    """Remove bodies, files and uploads that nothing names for ``age`` seconds. Blocks.

    Returns how many bodies and files went.
    """
    removed = sweep_bodies(store, age)
    removed += store.blobs.sweep_temporary(age)
    # Files of transactions that never committed. Names are read first: a file that appears
    # between the two looks is younger than ``age``.
    present = list(store.blobs.names())
    named = store.call_read(_ACTOR, "sweep", lambda txn: txn.view(NamedFiles()))
    limit = time.time() - age
    for name in present:
        if name not in named:
            with contextlib.suppress(FileNotFoundError):
                if store.blobs.path(name).stat().st_mtime < limit:
                    store.blobs.remove(name)
                    removed += 1
    return removed


def sweep_bodies(store: Store, age: int) -> int:
    """Remove bodies that nothing names for ``age`` seconds, with their files. Blocks.

    Rows of bodies are committed together with what names them, so a negative ``age`` is safe: it
    means those of this second too.
    """
    removed = 0
    while files := store.call(_ACTOR, "sweep", lambda txn: txn.apply(SweepBlobs(age))):
        for name in files:
            if name is not None:
                store.blobs.remove(name)
        removed += len(files)
    return removed


def sweep_inboxes(store: Store) -> int:
    """Remove old messages of scheduling; how many. Blocks."""
    removed = 0
    while some := store.call(_ACTOR, "sweep", lambda txn: txn.apply(SweepInboxes())):
        removed += some
    return removed


def trim(store: Store) -> int:
    """Forget old changes. Blocks."""
    return store.call(_ACTOR, "trim", lambda txn: txn.apply(TrimLog()))


def keep_uids(store: Store, seconds: float = float("inf")) -> int:
    """Keep the UIDs of large mailboxes in which much has happened, for so long. Blocks.

    Returns of how many.
    """
    end = time.monotonic() + seconds
    kept = 0
    for mailbox in store.call_read(_ACTOR, "keep uids", lambda txn: txn.view(OutdatedUids())):
        if time.monotonic() > end:
            break
        # Read beside others, so that the one writer has nothing to do but to write.
        packed = store.call_read(_ACTOR, "keep uids", partial(_pack, mailbox))
        if packed is not None:
            keep = KeepUids(mailbox, *packed)
            store.call(_ACTOR, "keep uids", partial(_keep, keep))
            kept += 1
    return kept


def _pack(mailbox: int, txn: ReadTxn) -> tuple[int, int, int, bytes] | None:
    return txn.view(PackedUids(mailbox))


def _keep(keep: KeepUids, txn: Txn) -> None:
    txn.apply(keep)
