"""Twisted's reactor in a thread of its own, so that tests use plain blocking clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

from twisted.internet.defer import Deferred

from tests import LOOP

T = TypeVar("T")

_started = threading.Event()
_thread: threading.Thread | None = None


def start() -> None:
    """Run the reactor for the rest of the test run. Idempotent."""
    global _thread
    if _thread is not None:
        return

    def work() -> None:
        asyncio.set_event_loop(LOOP)
        from twisted.internet import reactor

        running: Any = reactor
        running.callWhenRunning(_started.set)
        running.run(installSignalHandlers=False)

    _thread = threading.Thread(target=work, name="reactor", daemon=True)
    _thread.start()
    _started.wait(60)


def get() -> Any:
    """The running reactor."""
    start()
    from twisted.internet import reactor

    return reactor


@overload
def call(work: Callable[[], Deferred[T]]) -> T: ...
@overload
def call(work: Callable[[], Coroutine[Any, Any, T]]) -> T: ...
@overload
def call(work: Callable[[], T]) -> T: ...
def call(work: Callable[[], Any]) -> Any:
    """Call something in the reactor's thread and wait for its result."""
    from twisted.internet.threads import blockingCallFromThread

    def run() -> Any:
        result = work()
        if asyncio.iscoroutine(result):
            return Deferred.fromCoroutine(result)
        return result

    return blockingCallFromThread(get(), run)
