"""What measurements of growth have in common: sizes stand where servers stand in a race."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.report import Prepares
from benchmarks.serve import ServerProcess
from benchmarks.subjects import Measure

TIMES = 3
ROUNDS = 20


class Grown(Protocol):
    """Servers that are filled and run: for each size the one that has it, and its subjects."""

    @property
    def servers(self) -> Sequence[ServerProcess]:
        """One for each size, or the same one."""

    @property
    def subjects(self) -> Sequence[Prepares]:
        """One for each size."""


@dataclass
class Sized:
    """One size, measured as if it were a server."""

    name: str
    server: ServerProcess

    def cpu(self) -> float:
        """Seconds of processor time that its server has used."""
        return self.server.cpu()


def milliseconds(name: str, work: Callable[[], object], rounds: int = ROUNDS) -> Measure:
    """The median time of something that is done some times."""

    def measured() -> float:
        times = []
        for _ in range(rounds):
            begin = time.perf_counter()
            work()
            times.append(time.perf_counter() - begin)
        return statistics.median(times) * 1000

    return Measure(name, "ms", measured, TIMES, warm=True)
