"""How much may be in memory at the same time for work that has to hold all that it is about."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from folkmoot.storage.errors import LimitReached, Unavailable

LIMIT = 300_000
"""Messages, and message ids that they refer to: THREAD takes up to 0.8 KiB for each of them."""


class Budget:
    """So many messages may be held by all threads together."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._taken = 0
        self._lock = threading.Lock()

    @contextmanager
    def share(self) -> Iterator[Share]:
        """What one piece of work takes, until it ends."""
        share = Share(self)
        try:
            yield share
        finally:
            with self._lock:
                self._taken -= share.taken

    def take(self, share: Share, number: int) -> None:
        """See ``Share.take``."""
        with self._lock:
            if share.taken + number > self._limit:
                raise LimitReached(
                    "These are too many messages for one command; search for fewer of them."
                )
            if self._taken + number > self._limit:
                raise Unavailable("Others work on many messages at the moment; try again later.")
            share.taken += number
            self._taken += number


class Share:
    """What one piece of work has taken of a budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.taken = 0

    def take(self, number: int) -> None:
        """Hold so many more. Raises ``LimitReached`` where one may not have so many at all, and
        ``Unavailable`` where others have them now."""
        self._budget.take(self, number)
