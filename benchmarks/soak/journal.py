"""What all simulated people write down: how long things took, and what was wrong."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

KEPT_VIOLATIONS = 200
KEPT_TRACES = 30
_STEP = math.log(1.1)


class Histogram:
    """Times in classes that are a tenth wide, so that hours of them take no room."""

    def __init__(self) -> None:
        self.count = 0
        self.slowest = 0.0
        self._classes: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """One more."""
        self.count += 1
        self.slowest = max(self.slowest, seconds)
        self._classes[math.floor(math.log(max(seconds, 1e-6)) / _STEP)] += 1

    def percentile(self, share: float) -> float:
        """Seconds within which this share of all lies, to a tenth; 0 of nothing."""
        left = share * self.count
        for number, count in sorted(self._classes.items()):
            left -= count
            if left <= 0:
                return min(math.exp((number + 1) * _STEP), self.slowest)
        return self.slowest

    def merge(self, other: Histogram) -> None:
        """Take all of another."""
        self.count += other.count
        self.slowest = max(self.slowest, other.slowest)
        self._classes += other._classes


@dataclass
class Journal:
    """``seconds`` has a histogram for each kind of operation, of the current second only.

    ``violations`` are what must not happen, in words, the first of them; ``wrong`` counts all by
    kind. ``refusals`` counts what was refused as it must be, ``drops`` the connections that people
    dropped on purpose. ``traces`` are the last words between a program and the server before
    something was found wrong, the first of them. Without ``timing`` nothing is measured any more.
    """

    seconds: dict[str, Histogram] = field(default_factory=dict)
    total: dict[str, Histogram] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    drops: int = 0
    timing: bool = True
    traces: list[str] = field(default_factory=list)
    begin: float = field(default_factory=monotonic)

    def took(self, kind: str, seconds: float) -> None:
        """An operation is done."""
        if not self.timing:
            return
        self.seconds.setdefault(kind, Histogram()).add(seconds)

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Measure a block that ends well."""
        begin = monotonic()
        yield
        self.took(kind, monotonic() - begin)

    def second(self) -> dict[str, Histogram]:
        """What was done since the last call."""
        taken, self.seconds = self.seconds, {}
        for kind, each in taken.items():
            self.total.setdefault(kind, Histogram()).merge(each)
        return taken

    def wrong_is(self, kind: str, what: str) -> None:
        """Something happened that must not."""
        self.wrong[kind] += 1
        if len(self.violations) < KEPT_VIOLATIONS:
            self.violations.append(f"{monotonic() - self.begin:.1f} s: {kind}: {what}")

    def trace(self, words: Iterable[str]) -> None:
        """Keep what was said before something was found wrong."""
        if len(self.traces) < KEPT_TRACES:
            self.traces.append("\n".join([f"{monotonic() - self.begin:.3f} s", *words]))

    def hold(self, true: bool, kind: str, what: str) -> bool:
        """Check a rule; returns whether it holds."""
        self.checks[kind] += 1
        if not true:
            self.wrong_is(kind, what)
        return true
