"""Regular upkeep of a running server: what is superfluous goes, UIDs are kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from folkmoot.server.background import Background
from folkmoot.storage import upkeep
from folkmoot.storage.errors import StorageError
from folkmoot.storage.store import Store

log = logging.getLogger("folkmoot.upkeep")

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
            try:
                await asyncio.to_thread(upkeep.sweep_inboxes, self._store)
                removed = await asyncio.to_thread(upkeep.sweep, self._store)
                trimmed = await asyncio.to_thread(upkeep.trim, self._store)
            except (StorageError, OSError) as error:
                log.warning("upkeep failed", extra={"why": str(error)})
                continue
            except Exception:
                log.exception("upkeep failed")
                continue
            log.info("upkeep done", extra={"bodies_removed": removed, "changes_trimmed": trimmed})


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
        try:
            kept = await asyncio.to_thread(upkeep.keep_uids, self._store, seconds)
        except StorageError as error:
            log.warning("UIDs are not kept", extra={"why": str(error)})
        except Exception:
            log.exception("UIDs are not kept")
        else:
            if kept:
                log.info("UIDs kept", extra={"mailboxes": kept})
