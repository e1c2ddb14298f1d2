"""Passwords are hashed in threads: not too many wait, and the same one is hashed once at a time.

The programs of one person sign in with each request of HTTP. When their password is forgotten, all
of them are asked for it at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from folkmoot.storage.errors import Unavailable

R = TypeVar("R")
S = TypeVar("S")


class RunInThread(Protocol):
    """Runs a function that takes long where it does not keep the reactor waiting."""

    def __call__(self, work: Callable[[], S], /) -> Deferred[S]: ...


class SharedWork(Generic[R]):
    """On the reactor's thread only. ``most`` bounds the works that wait for a thread."""

    def __init__(self, run_in_thread: RunInThread, most: int) -> None:
        self._run_in_thread = run_in_thread
        self._most = most
        self._waiting: dict[Hashable, list[Deferred[R]]] = {}

    def run(self, key: Hashable, work: Callable[[], R]) -> Deferred[R]:
        """The outcome of ``work``, or of the one with the same key that is under way.

        Who cancels stops waiting; the work goes on. Raises ``Unavailable`` when there is too much.
        """
        outcome: Deferred[R] = Deferred()
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.append(outcome)
            return outcome
        if len(self._waiting) >= self._most:
            raise Unavailable
        self._waiting[key] = [outcome]
        self._run_in_thread(work).addBoth(self._done, key)
        return outcome

    def _done(self, result: Any, key: Hashable) -> None:
        for one in self._waiting.pop(key):
            if one.called:  # cancelled
                continue
            if isinstance(result, Failure):
                one.errback(result)
            else:
                one.callback(result)
