"""Work for the database threads, and how its outcome gets back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from folkmoot.storage.engine.db import Db
from folkmoot.storage.types import Hint


class Job:
    """One transaction: ``work`` runs in a database thread.

    ``work`` returns its result and the hints to publish when (and only when) it is committed.
    After the commit ``settled`` is called in the same thread with (result, None), and otherwise
    with (None, the error).
    """

    __slots__ = ("settled", "work")

    def __init__(
        self,
        work: Callable[[Db], tuple[Any, Sequence[Hint]]],
        settled: Callable[[Any, BaseException | None], None],
    ) -> None:
        self.work = work
        self.settled = settled

    def succeed(self, result: Any) -> None:
        # A waiter that gave up (cancelled) is no longer interested in the outcome.
        with contextlib.suppress(Exception):
            self.settled(result, None)

    def fail(self, error: BaseException) -> None:
        with contextlib.suppress(Exception):
            self.settled(None, error)


class Database(Protocol):
    """An engine: runs jobs in threads of its own."""

    url: str

    def write(self, job: Job) -> None:
        """Queue a job that changes data. Raises ``ShuttingDown`` after ``close``."""

    def read(self, job: Job) -> None:
        """Queue a job that reads from one consistent snapshot."""

    def close(self) -> None:
        """Finish what was queued, then stop the threads. Idempotent."""
