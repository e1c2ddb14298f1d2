"""Regular upkeep of a running server: superfluous bodies and old log entries go."""

from __future__ import annotations

import asyncio
import logging

from folkmoot.server.background import Background
from folkmoot.storage import upkeep
from folkmoot.storage.errors import StorageError
from folkmoot.storage.store import Store

log = logging.getLogger("folkmoot.upkeep")

FIRST_SECONDS = 60.0  # after a start, clients come back: let them in first
EVERY_SECONDS = 6 * 3600.0


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
