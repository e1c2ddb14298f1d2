"""Jobs for tests of the engines that can be waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from folkmoot.storage.engine.db import Db
from folkmoot.storage.engine.jobs import Job
from folkmoot.storage.types import Hint

Work = Callable[[Db], tuple[Any, Sequence[Hint]]]


class Request(Job):
    """A job whose outcome is ``done``; settling it twice is an error that fails the test."""

    __slots__ = ("done", "times")

    def __init__(self, work: Work) -> None:
        self.done: Future[Any] = Future()
        self.times = 0
        super().__init__(work, self._settle)

    def _settle(self, result: Any, error: BaseException | None) -> None:
        self.times += 1
        if error is None:
            self.done.set_result(result)
        else:
            self.done.set_exception(error)
