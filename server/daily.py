"""The daily job: paid plans, unused accounts, and receipts that wait to be sent."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from folkmoot.quota.letters import Office
from folkmoot.quota.lifecycle import close_unused
from folkmoot.quota.offers import Offers
from folkmoot.quota.receipts import send_receipts
from folkmoot.quota.subscription import renew
from folkmoot.server.background import Background
from folkmoot.storage.errors import StorageError
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor, Hint, Topic

log = logging.getLogger("folkmoot.daily")

FIRST_SECONDS = 120.0  # after a start, clients come back: their use (``Presence``) is noted first
# More often than daily, so that a server that is restarted every night does it too; what was done
# is not done twice.
EVERY_SECONDS = 6 * 3600.0
_ACTOR = Actor.system("daily job")


class Daily(Background):
    """Runs until ``stop``, on the asyncio loop; the work itself is done in a thread.

    ``clock`` gives seconds since 1970. A payment, by whatever process, has its receipt sent at
    once.
    """

    def __init__(
        self,
        store: Store,
        offers: Callable[[], Offers],
        office: Office,
        *,
        clock: Callable[[], float] = time.time,
        first: float = FIRST_SECONDS,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._store = store
        self._offers = offers
        self._office = office
        self._clock = clock
        self._first = first
        self._every = every
        self._wake = asyncio.Event()

    async def _run(self) -> None:
        unsubscribe = self._store.bus.subscribe(Topic.RECEIPT, 0, self._paid)
        try:
            await self._rounds()
        finally:
            unsubscribe()

    def _paid(self, hint: Hint) -> None:
        self._wake.set()

    async def _rounds(self) -> None:
        next_round = time.monotonic() + self._first
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.0, next_round - time.monotonic()))
            self._wake.clear()
            now = int(self._clock())
            if time.monotonic() >= next_round:
                next_round = time.monotonic() + self._every
                offers = self._offers()
                await self._attempt(lambda: renew(self._store, offers, self._office, now))  # noqa: B023
                await self._attempt(lambda: close_unused(self._store, offers, self._office, now))  # noqa: B023
            await self._attempt(lambda: send_receipts(self._store, self._office, now))  # noqa: B023

    async def _attempt(self, work: Callable[[], object]) -> None:
        """One part; what goes wrong in it is logged, and the others are done all the same."""
        try:
            outcome = await asyncio.to_thread(work)
        except StorageError as error:
            log.warning("daily job failed", extra={"why": str(error)})
        except Exception:
            log.exception("daily job failed")
        else:
            if dataclasses.is_dataclass(outcome) and not isinstance(outcome, type):
                log.info("daily job", extra=dataclasses.asdict(outcome))
