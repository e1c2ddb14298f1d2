"""Taking measurements on servers that run side by side, and showing them."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from benchmarks.load import Failed
from benchmarks.serve import ServerProcess, drop_caches, fsync_seconds
from benchmarks.subjects import Measure, Measures


class Runs(Protocol):
    """A server that is measured."""

    name: str

    def cpu(self) -> float | None:
        """Seconds of processor time that it has used, if that is known."""


class Prepares(Protocol):
    """Measurements on a server: each further method is a subject that yields them."""

    def prepare(self) -> None:
        """Make what they need."""


@dataclass(frozen=True)
class Result:
    """One line of the table: the result on each server that has it, by its name.

    ``cpu`` is Folkmoot's processor time meanwhile, as a share of one core; ``subject`` is what it
    was measured with.
    """

    name: str
    unit: str
    lower: bool
    values: dict[str, float]
    cpu: float
    subject: str = ""

    def ratio(self, other: str) -> float | None:
        """How many times Folkmoot is ahead of the other: below 1 it is behind."""
        ours, theirs = self.values.get(ServerProcess.name), self.values.get(other)
        if not ours or not theirs:  # not measured, or no memory at all
            return None
        return theirs / ours if self.lower else ours / theirs


@dataclass(frozen=True)
class Race:
    """What one run has found on servers side by side, of which the first is Folkmoot.

    ``servers`` says of each by its name which version it is and what it makes durable. ``missing``
    are those that could not be had, ``notes`` what a server could not do, ``log`` what Folkmoot
    logged, and ``failed`` is whether it was Folkmoot that could not do something.
    """

    title: str
    machine: Mapping[str, str]
    servers: Mapping[str, str]
    results: Sequence[Result]
    missing: Sequence[str] = ()
    notes: Sequence[str] = ()
    log: str = ""
    failed: bool = False

    @property
    def names(self) -> list[str]:
        """The servers."""
        return list(self.servers)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Race:
        """What ``as_data`` made."""
        return Race(**{**data, "results": [Result(**one) for one in data["results"]]})


class Bench:
    """Takes the measurements on servers that run side by side.

    ``subjects`` are the measurements on each server. ``notes`` has what a server could not do,
    which then has no result there; ``failed`` is whether Folkmoot was one of these.
    """

    def __init__(self, servers: Sequence[Runs], subjects: Sequence[Prepares]) -> None:
        self._servers = servers
        self._subjects = subjects
        self.results: list[Result] = []
        self.notes: list[str] = []
        self.failed = False
        self._subject = ""

    def run(self, subjects: Iterable[str], console: Console) -> None:
        """Prepare, and measure these subjects."""
        with console.status("filling"):
            self.prepare()
        for name in subjects:
            with console.status(name):
                self.subject(name)

    def prepare(self) -> None:
        """Make what the subjects need."""
        for subjects in self._subjects:
            subjects.prepare()

    def subject(self, name: str) -> None:
        """Measure a subject: server by server, and again."""
        self._subject = name
        running: list[Measures] = [getattr(subjects, name)() for subjects in self._subjects]
        current = [self._next(place, one) for place, one in enumerate(running)]
        while any(current):
            # What only Folkmoot has comes before what others have too.
            first = next(one for one in current if one is not None)
            same = [one if one is not None and one.name == first.name else None for one in current]
            self.measure(first, same)
            for place, taken in enumerate(same):
                if taken is not None:
                    current[place] = self._next(place, running[place])

    def _next(self, place: int, measures: Measures) -> Measure | None:
        try:
            return next(measures, None)
        except Failed as error:
            self._failed(self._servers[place], "what comes next", error)
            return None

    def _failed(self, server: Runs, what: str, error: Failed) -> None:
        self.failed = self.failed or server.name == ServerProcess.name
        self.notes.append(f"{server.name}, {what}: {error}")

    def measure(self, first: Measure, measures: Sequence[Measure | None]) -> None:
        """Take one measurement on those that have it; ``first`` is any of them."""
        taken: dict[str, list[float]] = {}
        cpu = seconds = 0.0
        failed: set[str] = set()
        for turn in range(first.times + first.warm):
            for server, measure in zip(self._servers, measures, strict=True):
                if measure is None or server.name in failed:
                    continue
                before, begin = server.cpu(), time.perf_counter()
                try:
                    value = measure.work()
                except Failed as error:
                    failed.add(server.name)
                    self._failed(server, measure.name, error)
                    continue
                if turn >= first.warm:
                    taken.setdefault(server.name, []).append(value)
                    after = server.cpu()
                    # A server that was started again begins at nothing.
                    if before is not None and after is not None and after > before:
                        cpu += after - before
                        seconds += time.perf_counter() - begin
        values = {
            name: statistics.median(each) for name, each in taken.items() if name not in failed
        }
        share = cpu / seconds if seconds else 0.0
        self.results.append(
            Result(first.name, first.unit, first.lower, values, share, self._subject)
        )


def facts(folder: Path) -> dict[str, str]:
    """What the numbers depend on."""
    cores = len(os.sched_getaffinity(0))
    load = " to ".join(f"{each:.1f}" for each in sorted(os.getloadavg()[:2]))
    return {
        "processor cores": str(cores),
        "load before": load,
        "fsync of 4 KiB": f"{fsync_seconds(folder) * 1000:.2f} ms",
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "files forgotten for cold": "yes" if drop_caches() else "no, it is not allowed",
    }


def number(value: float) -> str:
    """With three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(results: Sequence[Result], names: Sequence[str]) -> Table:
    """The results, one line for each, with how many times Folkmoot is ahead of others."""
    others = names[1:] if names[:1] == [ServerProcess.name] else []
    processor = ["processor"] if any(one.cpu for one in results) else []
    shown = Table("what", "unit")
    for name in (*names, *(f"÷ {name}" for name in others), *processor):
        shown.add_column(name, justify="right")
    for one in results:
        ratios = [one.ratio(name) for name in others]
        shown.add_row(
            one.name,
            one.unit,
            *(number(one.values[name]) if name in one.values else "" for name in names),
            *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
            *(f"{one.cpu:.0%}" if one.cpu else "" for _ in processor),
        )
    return shown


def show(race: Race, console: Console) -> None:
    """Print what was found."""
    known = {**race.machine, **race.servers}
    console.print(*[f"{name}: {value}" for name, value in known.items() if value], sep="\n")
    console.print(table(race.results, race.names))
    for title, lines in (("Not there", race.missing), ("Not done", race.notes)):
        if lines:
            console.print(f"{title}:", *lines, sep="\n- ", markup=False)
    if race.log:
        console.print(f"The server has logged:\n{race.log}", markup=False)
