"""Brings calls from database threads to the reactor's thread, many at one wake-up."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

log = logging.getLogger("folkmoot.storage")

Deliver = Callable[[Callable[[], None]], None]


class Postbox:
    """Used like the ``deliver`` that it is made with, from any thread; calls keep their order.

    Waking the reactor costs more than what most calls do. What is posted before it has woken up
    is done at the same time, so that all answers of one commit cost one wake-up.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._calls: deque[Callable[[], None]] = deque()
        self._waking = False

    def __call__(self, call: Callable[[], None]) -> None:
        """Have ``call`` run in the reactor's thread. Raises what ``deliver`` raises."""
        self._calls.append(call)
        # Whoever sees True here appended before `_empty` began, which then takes the call with it.
        if not self._waking:
            self._waking = True
            try:
                self._deliver(self._empty)
            except BaseException:
                self._waking = False
                raise

    def _empty(self) -> None:
        self._waking = False
        while self._calls:
            try:
                call = self._calls.popleft()
            except IndexError:  # where no reactor is, several threads may be here
                return
            try:
                call()
            except Exception:  # those behind it must not wait for the next wake-up
                log.exception("a call from the store failed")
