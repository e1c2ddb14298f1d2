"""Login records that were read a moment ago, so that not each request of HTTP reads its own again.

What is remembered is never the last word: every transaction of an account compares its epoch, as it
does for sessions that last for days. A record goes when its account changes, or is old.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from folkmoot.storage.bus.local import Bus
from folkmoot.storage.types import LoginRecord, Topic

LIFETIME: Final = 10.0  # seconds
SIZE: Final = 1_000


class _Known(NamedTuple):
    record: LoginRecord
    until: float
    unwatch: Callable[[], None]


class RecentRecords:
    """Records by the name that was asked for. Used on the reactor's thread only."""

    def __init__(self, bus: Bus, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def get(self, name: str) -> LoginRecord | None:
        """The record of a name, if it was read within the last seconds and holds."""
        known = self._known.get(name)
        if known is None:
            return None
        if known.until <= self._clock():
            self._forget(name)
            return None
        return known.record

    def put(self, name: str, record: LoginRecord, mark: int) -> None:
        """Remember a record; ``mark`` is that of the bus (``Bus.mark``) before it was read."""
        self._forget(name)
        account = record.account.id
        if self._bus.missed(mark, Topic.ACCOUNT, account):
            return
        unwatch = self._bus.subscribe(Topic.ACCOUNT, account, lambda _: self._forget(name))
        self._known[name] = _Known(record, self._clock() + LIFETIME, unwatch)
        if len(self._known) > SIZE:
            self._forget(next(iter(self._known)))

    def _forget(self, name: str) -> None:
        known = self._known.pop(name, None)
        if known is not None:
            known.unwatch()
