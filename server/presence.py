"""Notes that accounts are in use whose sessions last for days, so that they count as used."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from folkmoot.server.background import Background
from folkmoot.storage.errors import StorageError
from folkmoot.storage.mutations.billing import NoteUse
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor

log = logging.getLogger("folkmoot.daily")

FIRST_SECONDS = 60.0  # after a start, clients come back
EVERY_SECONDS = 3 * 3600.0
_ACTOR = Actor.system("open sessions")


class Presence(Background):
    """Each process of a server has one. ``in_use`` gives the accounts that have sessions in it."""

    def __init__(
        self,
        store: Store,
        in_use: Callable[[], Collection[int]],
        *,
        first: float = FIRST_SECONDS,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._store = store
        self._in_use = in_use
        self._first = first
        self._every = every

    async def _run(self) -> None:
        pause = self._first
        while True:
            await asyncio.sleep(pause)
            pause = self._every
            used = tuple(self._in_use())
            try:
                await asyncio.to_thread(self._note, used)
            except StorageError as error:
                log.warning("use of accounts not noted", extra={"why": str(error)})
            except Exception:
                log.exception("use of accounts not noted")

    def _note(self, used: tuple[int, ...]) -> None:
        self._store.call(_ACTOR, "open sessions", lambda txn: txn.apply(NoteUse(used)))
