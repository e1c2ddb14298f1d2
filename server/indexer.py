"""Fills the search index of a running server while nobody has to wait for it."""

from __future__ import annotations

import asyncio
import logging
import time

from folkmoot.server.background import Background
from folkmoot.storage.errors import StorageError
from folkmoot.storage.index import build
from folkmoot.storage.store import Store

log = logging.getLogger("folkmoot.indexer")

EVERY_SECONDS = 2.0
# While mail keeps coming in, storing it goes first; but not for longer than this.
PATIENCE_SECONDS = 30.0


class Indexer(Background):
    """Runs until ``stop``, on the asyncio loop; the work itself is done in a thread.

    What it has done is committed, and what waits stands in the database: a server that is killed
    goes on where it was.
    """

    def __init__(
        self, store: Store, *, every: float = EVERY_SECONDS, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._store = store
        self._every = every
        self._patience = patience

    async def _run(self) -> None:
        prepared = False
        newest, since = 0, 0.0
        while True:
            await asyncio.sleep(self._every)
            try:
                if not prepared:
                    await asyncio.to_thread(build.prepare, self._store)
                    prepared = True
                waiting, last = await asyncio.to_thread(build.backlog, self._store)
                now = time.monotonic()
                if not waiting:
                    newest = 0
                    continue
                if not newest:
                    since = now
                quiet, newest = last == newest, last
                if quiet or now - since > self._patience:
                    await self._work()
                    newest = 0
            except (StorageError, OSError) as error:
                log.warning("indexing failed", extra={"why": str(error)})

    async def _work(self) -> None:
        """Index all that waits, leaving half of the time to others."""
        done = 0
        while True:
            began = time.monotonic()
            count = await asyncio.to_thread(build.step, self._store)
            if not count:
                break
            done += count
            await asyncio.sleep(time.monotonic() - began)
        log.info("messages indexed", extra={"messages": done})
