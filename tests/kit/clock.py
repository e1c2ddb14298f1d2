"""Time that passes when a test says so, for timers of connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock

from tests.kit import reactor

STEPS = 64  # so that a whole number of seconds is passed exactly


class HandClock:
    """The running reactor with other timers: what is to happen later waits for ``advance``.

    What is to happen at once (in 0 seconds) does.
    """

    def __init__(self) -> None:
        self._reactor = reactor.get()
        self._clock = Clock()

    def seconds(self) -> float:
        """The time of its timers."""
        return float(self._clock.seconds())

    def callLater(self, delay: float, call: Callable[..., Any], *args: Any) -> Any:
        """Call in ``delay`` seconds of this clock."""
        keeper = self._clock if delay > 0 else self._reactor
        return keeper.callLater(delay, call, *args)

    def advance(self, seconds: float) -> None:
        """Let time pass, in steps so small that timers which follow each other all run."""

        def step() -> None:
            self._clock.advance(seconds / STEPS)

        for _ in range(STEPS):
            reactor.call(step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)
