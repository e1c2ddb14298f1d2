"""Runs a server as a process: the reactor, signals, a clean end.

Import this module before anything that imports ``twisted.internet.reactor``.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from folkmoot.server.memory import give_memory_back

MAX_DESCRIPTORS = 2**20
STOP_SECONDS = 10  # a stop that takes longer ends the process the hard way
log = logging.getLogger("folkmoot.server")


class Runnable(Protocol):
    """What can be run: ``Server``, or something around it."""

    async def start(self) -> None:
        """Come up; an exception ends the process."""

    async def reload(self) -> None:
        """Take over changed files."""

    async def stop(self) -> None:
        """End cleanly."""


def install_reactor() -> Any:
    """Install Twisted's asyncio reactor, on uvloop where that is installed, and return it."""
    from twisted.internet import asyncioreactor

    loop = _new_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)  # type: ignore[no-untyped-call]
    from twisted.internet import reactor

    return reactor


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def run(reactor: Any, make: Callable[[], Runnable], watch: int = -1) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reloads. Returns the exit code.

    ``make`` is called with the reactor running. ``watch`` is the descriptor of a socket whose other
    end is held by whoever this process is not to outlive. 1 when the start failed, 0 after a clean
    end.
    """
    _take_descriptors()
    give_memory_back()
    process = _Process(reactor, make, watch)
    reactor.callWhenRunning(process.begin)
    reactor.run(installSignalHandlers=False)
    return process.exit_code


def _take_descriptors() -> None:
    """Use as many descriptors as the system allows: shells and units give 1024, which are few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Process:
    """The life of one server in one process."""

    def __init__(self, reactor: Any, make: Callable[[], Runnable], watch: int) -> None:
        self.exit_code = 0
        self._watch = watch
        self._reactor = reactor
        self._make = make
        self._server: Runnable | None = None
        self._starting: asyncio.Task[None] | None = None
        self._ending = False
        # Held, because asyncio itself keeps only weak references to tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Called when the reactor runs."""
        loop = asyncio.get_event_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        if self._watch >= 0:
            loop.add_reader(self._watch, self._left_alone)
        self._starting = self._spawn(self._start())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _start(self) -> None:
        try:
            self._server = self._make()
            await self._server.start()
            # What is there now stays: collections need not look through it again and again.
            gc.collect()
            gc.freeze()
        except StartFailed as error:
            log.error("not started", extra={"why": str(error)})
            self._fail()
        except Exception:
            log.exception("not started")
            self._fail()

    def _fail(self) -> None:
        self.exit_code = 1
        self._end(None)

    def _reload(self) -> None:
        if self._server is not None and not self._ending:
            self._spawn(self._reload_server(self._server))

    async def _reload_server(self, server: Runnable) -> None:
        try:
            await server.reload()
        except Exception:
            if self._ending:
                log.info("the end came before the reload was complete")
            else:
                log.exception("reload failed")

    def _left_alone(self) -> None:
        asyncio.get_event_loop().remove_reader(self._watch)
        self._end(signal.SIGTERM)

    def _end(self, number: int | None) -> None:
        if self._ending:
            return
        self._ending = True
        if number is not None:
            log.info("stopping", extra={"signal": signal.Signals(number).name})
        watchdog = threading.Timer(STOP_SECONDS, _give_up)
        watchdog.daemon = True
        watchdog.start()
        self._spawn(self._stop())

    async def _stop(self) -> None:
        try:
            if self._starting is not None:
                await asyncio.wait([self._starting])  # half a start cannot be undone
            if self._server is not None:
                await self._server.stop()
        except Exception:
            log.exception("the end was not clean")
            self.exit_code = 1
        if self.exit_code == 0:
            log.info("stopped")
        self._reactor.stop()


class StartFailed(Exception):
    """The server cannot start; the text tells people why."""


def _give_up() -> None:
    log.error("something did not end in time", extra={"seconds": STOP_SECONDS})
    logging.shutdown()
    os._exit(1)
