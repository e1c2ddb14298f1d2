"""Regular upkeep of a running server: what is superfluous goes, UIDs are kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from folkmoot.server.background import Background
from folkmoot.storage import upkeep
from folkmoot.storage.errors import StorageError
from folkmoot.storage.store import Store

log = logging.getLogger("folkmoot.upkeep")

T = TypeVar("T")

FIRST_SECONDS = 60.0  # after a start, clients come back: let them in first
EVERY_SECONDS = 6 * 3600.0
KEEP_SECONDS = 600.0
LAST_SECONDS = 1.0  # of a server that stops, for UIDs that are to be kept


class Upkeep(Background):
    """Runs until ``stop``, on the asyncio loop; the work itself is done in a thread."""

    def __init__(
        self, store: Store, *, first: float = FIRST_SECONDS, every: float = EVERY_SECONDS
    ) -> None:
        self._store = store
        self._first = first
        self._every = every

    async def _run(self) -> None:
        pause = self._first
        while True:
            await asyncio.sleep(pause)
            pause = self._every
            done = await _tried(self._clean, "upkeep failed")
            if done is not None:
                removed, trimmed = done
                log.info(
                    "upkeep done", extra={"bodies_removed": removed, "changes_trimmed": trimmed}
                )

    def _clean(self) -> tuple[int, int]:
        upkeep.sweep_inboxes(self._store)
        return upkeep.sweep(self._store), upkeep.trim(self._store)


class UidKeeper(Background):
    """Keeps the UIDs of large mailboxes together, so that they open quickly after a start."""

    def __init__(self, store: Store, *, every: float = KEEP_SECONDS) -> None:
        self._store = store
        self._every = every

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self._keep()

    async def stop(self) -> None:
        await super().stop()
        # Where the database does not answer, the server stops all the same.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._keep(LAST_SECONDS), 2 * LAST_SECONDS)

    async def _keep(self, seconds: float = float("inf")) -> None:
        keep = partial(upkeep.keep_uids, self._store, seconds)
        kept = await _tried(keep, "UIDs are not kept")
        if kept:
            log.info("UIDs kept", extra={"mailboxes": kept})


async def _tried(work: Callable[[], T], otherwise: str) -> T | None:
    """Work done in a thread; what stops it is logged, because the next time comes by itself."""
    try:
        return await asyncio.to_thread(work)
    except (StorageError, OSError) as error:
        log.warning(otherwise, extra={"why": str(error)})
    except Exception:
        log.exception(otherwise)
    return None
