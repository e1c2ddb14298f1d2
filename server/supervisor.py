"""Several worker processes that share the listening sockets, and the process that looks after them.

The supervisor binds the sockets, starts the workers, and starts again what ends by itself. It opens
no data and accepts no connection. Worker 0 comes up first (it brings the schema and the directory
file up to date, and later does what is to be done once) and the others when it is ready.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from folkmoot.config.schema import Config
from folkmoot.server.listeners import Bound, bind_all
from folkmoot.server.place import READY, Place
from folkmoot.server.run import STOP_SECONDS, StartFailed

log = logging.getLogger("folkmoot.server")

FIRST_PAUSE = 0.5  # seconds until a worker that ended is started again; doubled each time …
LONGEST_PAUSE = 30.0  # … up to this, and from the beginning again when one has lived for longer
_PROGRAM = "from folkmoot.server.main import main; main()"


def supervise(config: Config, file: Path, reopen_logs: Callable[[], None]) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reaches all workers. Returns the exit code.

    1 when worker 0 does not come up, or a worker does not end cleanly. ``file`` is the config file.
    """
    try:
        bound = bind_all(config.listener)
    except StartFailed as error:
        log.error("not started", extra={"why": str(error)})
        return 1
    return asyncio.run(Supervisor(bound, config.server.workers, file, reopen_logs).run())


class Supervisor:
    """Looks after the workers. ``run`` is called once."""

    def __init__(
        self, bound: list[Bound], count: int, file: Path, reopen_logs: Callable[[], None]
    ) -> None:
        self._bound = bound
        self._count = count
        self._file = file
        self._reopen_logs = reopen_logs
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._stop = asyncio.Event()
        self._exit_code = 0

    async def run(self) -> int:
        """The exit code, when all have ended."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        first_is_up = asyncio.Event()
        lives: list[Coroutine[None, None, None]] = [
            self._keep(number, first_is_up) for number in range(self._count)
        ]
        tasks = [asyncio.create_task(life) for life in lives]
        await self._stop.wait()
        first_is_up.set()
        self._pass_on(signal.SIGTERM)
        done, late = await asyncio.wait(tasks, timeout=STOP_SECONDS + 2)
        if late:
            log.error("workers did not end in time", extra={"workers": sorted(self._running)})
            self._pass_on(signal.SIGKILL)
            self._exit_code = 1
            await asyncio.wait(late)
        for task in done:
            task.result()
        return self._exit_code

    def _reload(self) -> None:
        self._reopen_logs()
        self._pass_on(signal.SIGHUP)

    def _pass_on(self, number: signal.Signals) -> None:
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, number: int, first_is_up: asyncio.Event) -> None:
        """Have one worker running until the end."""
        if number:
            await first_is_up.wait()
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            begun = time.monotonic()
            ready = first_is_up if number == 0 else asyncio.Event()
            code = await self._one_life(number, ready)
            if self._stop.is_set():
                self._exit_code = max(self._exit_code, abs(code))
                return
            if not first_is_up.is_set():  # worker 0 has said why
                self._exit_code = 1
                self._stop.set()
                return
            if time.monotonic() - begun > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            log.error("a worker ended", extra={"number": number, "code": code, "again_in": pause})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _one_life(self, number: int, ready: asyncio.Event) -> int:
        """Start a worker and wait for its end; its exit code, negative for a signal."""
        mine, its = socket.socketpair()
        with mine, its:
            sockets = tuple(one.socket.fileno() for one in self._bound)
            place = Place(number, self._count, sockets, its.fileno())
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _PROGRAM, "-c", str(self._file)),
                *("serve", "--worker", place.words()),
                pass_fds=(*sockets, its.fileno()),
                start_new_session=True,  # Ctrl-C is for the supervisor, which tells the workers
            )
            its.close()
            self._running[number] = process
            if self._stop.is_set():  # it began too late to hear of that
                process.terminate()
            hearing = asyncio.create_task(_wait_until_ready(mine, ready))
            try:
                return await process.wait()
            finally:
                hearing.cancel()
                del self._running[number]


async def _wait_until_ready(line: socket.socket, ready: asyncio.Event) -> None:
    line.setblocking(False)
    with suppress(OSError):
        if await asyncio.get_running_loop().sock_recv(line, len(READY)) == READY:
            ready.set()
