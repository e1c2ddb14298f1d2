"""Runs the real command line for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = "from folkmoot.server.main import main; main()"
SECONDS = 180  # in which a process starts, or ends, however busy the machine is


def command(*args: str | Path | int) -> list[str]:
    """The command line as people's shells start it."""
    return [sys.executable, "-c", _PROGRAM, *map(str, args)]


def run(*args: str | Path | int, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run to the end; output is text."""
    return subprocess.run(
        command(*args), input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False
    )


class Running:
    """A server process that writes its output into a file."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output

    def text(self) -> str:
        """Everything that it has printed so far."""
        return self._output.read_text("utf-8")

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until the output holds a text so many times; fails when the process ends first."""

        def there() -> bool:
            ended = self.process.poll() is not None
            found = self.text().count(text) >= times
            assert found or not ended, self.text()
            return found

        eventually(there)

    def hup(self) -> None:
        """Send SIGHUP."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@contextmanager
def running(
    output: Path,
    *args: str | Path | int,
    prefix: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """A process that is there until the end of the block at the latest.

    ``prefix`` is a command that becomes the server's (``sh -c '…; exec "$@"' sh``), ``env`` are
    variables beside those that are there.
    """
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [*prefix, *command(*args)],
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
    try:
        yield Running(process, output)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(SECONDS)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
