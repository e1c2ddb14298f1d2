"""Delivers the invitations that nobody delivered: after a crash, or while the store was away."""

from __future__ import annotations

import asyncio
import logging

from twisted.internet.defer import Deferred

from folkmoot.server.background import Background
from folkmoot.sharing.scheduling import deliver_waiting
from folkmoot.storage.errors import Unavailable
from folkmoot.storage.store import Store
from folkmoot.storage.types import Hint, Topic

log = logging.getLogger("folkmoot.server")

RETRY = 60.0  # seconds between looks
PATIENCE = 1.0  # seconds in which whoever made the change delivers by itself


class Scheduler(Background):
    """Looks at the start, a moment after each change, and now and then. On the asyncio loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wake = asyncio.Event()

    async def _run(self) -> None:
        unsubscribe = self._store.bus.subscribe(Topic.SCHEDULE, 0, self._changed)
        try:
            while True:
                await self._deliver()
                try:
                    await asyncio.wait_for(self._wake.wait(), RETRY)
                except TimeoutError:
                    continue
                self._wake.clear()
                await asyncio.sleep(PATIENCE)
        finally:
            unsubscribe()

    def _changed(self, hint: Hint) -> None:
        self._wake.set()

    async def _deliver(self) -> None:
        delivery = Deferred.fromCoroutine(deliver_waiting(self._store))
        try:
            await delivery.asFuture(asyncio.get_running_loop())
        except Unavailable as error:
            log.warning("invitations wait", extra={"why": str(error)})
        except Exception:
            log.exception("invitations not delivered")
