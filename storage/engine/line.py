"""Jobs that wait for a thread, and threads that wait for a job.

Waking a thread costs as much as a small query. One queue that all threads wait at wakes two of them
for each job: the one that gets it opens the lock for the next, which finds nothing. Here each waits
at a place of its own, and the one that waits for the shortest time, whose connection has read last
and whose memory is warm, is the only one that is woken.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import Generic, TypeVar

from folkmoot.storage.errors import ShuttingDown

T = TypeVar("T")


class Line(Generic[T]):
    """Jobs are taken in the order in which they came. All methods may be called in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: deque[T] = deque()
        self._waiting: list[queue.SimpleQueue[T | None]] = []
        self._closed = False

    def put(self, job: T) -> None:
        """Have a thread take the job. Raises ``ShuttingDown`` after ``close``."""
        with self._lock:
            if self._closed:
                raise ShuttingDown
            if not self._waiting:
                self._jobs.append(job)
                return
            place = self._waiting.pop()
        place.put(job)

    def take(self, place: queue.SimpleQueue[T | None]) -> T | None:
        """The next job, waited for at a place of the thread's own; None when there are no more."""
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            if self._closed:
                return None
            self._waiting.append(place)
        return place.get()

    def close(self) -> None:
        """Take no more jobs; those that wait are still done. Idempotent."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, []
        for place in waiting:
            place.put(None)
