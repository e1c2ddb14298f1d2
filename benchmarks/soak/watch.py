"""What a server needs while people are at work: a sample each second."""

from __future__ import annotations

import statistics
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import psutil  # type: ignore[import-untyped]

from benchmarks.soak.journal import Histogram, Journal

GROWTH_MIB = 12.0
"""What the memory of the second half may grow by, as its trend says: less is noise."""
SHORTEST_TREND = 100.0
"""Seconds of a run below which nothing is said of a trend: caches are still filling."""
_POINTS = 60


Figures = tuple[int, float, float, float, float]


@dataclass(frozen=True)
class Sample:
    """One second: memory in MiB, what is open, and seconds by kind of operation.

    ``anonymous`` is memory that is not of files. ``latency`` has the number, the median, the 95th
    and the 99th percentile and the slowest of each kind, in milliseconds.
    """

    second: float
    resident: float
    anonymous: float
    descriptors: int
    threads: int
    processor: float
    wrong: int
    latency: dict[str, Figures]

    @property
    def operations(self) -> int:
        """How many were done."""
        return sum(each[0] for kind, each in self.latency.items() if not kind.startswith("("))


@dataclass
class Watch:
    """Takes samples of a process with all its children."""

    process: psutil.Process
    journal: Journal
    samples: list[Sample] = field(default_factory=list)
    begin: float = field(default_factory=monotonic)
    _cpu: float = 0.0

    def sample(self) -> None:
        """One more."""
        done = self.journal.second()
        family = [self.process, *self.process.children(recursive=True)]
        fields: Counter[str] = Counter()
        cpu = 0.0
        for one in family:
            with suppress(psutil.NoSuchProcess, OSError):
                fields.update(_status(one.pid))
                fields["descriptors"] += one.num_fds()
                times = one.cpu_times()
                cpu += times.user + times.system
        before, self._cpu = self._cpu, cpu
        self.samples.append(
            Sample(
                monotonic() - self.begin,
                fields["VmRSS"] / 1024,
                fields["RssAnon"] / 1024,
                fields["descriptors"],
                fields["Threads"],
                self._cpu - before if before else 0.0,
                sum(self.journal.wrong.values()),
                {kind: _figures(each) for kind, each in sorted(done.items())},
            )
        )


def _figures(times: Histogram) -> Figures:
    median, most, nearly_all = (
        round(times.percentile(share) * 1000, 3) for share in (0.5, 0.95, 0.99)
    )
    return times.count, median, most, nearly_all, round(times.slowest * 1000, 3)


def _status(pid: int) -> dict[str, int]:
    """Numbers of /proc/PID/status: KiB, or counts."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("VmRSS", "RssAnon", "Threads"):
            found[name] = int(rest.split()[0])
    return found


@dataclass(frozen=True)
class Trend:
    """How memory went in the second half of a run.

    ``growth`` is the trend over all of it in MiB: the median slope between all pairs of medians of
    short spans (Theil and Sen), so that single peaks do not count. ``each`` is that by operation,
    in octets. ``judged`` is False where the run was too short to tell.
    """

    seconds: float
    operations: int
    growth: float
    judged: bool

    @property
    def each(self) -> float:
        """Octets that stay behind for each operation."""
        return self.growth * (1 << 20) / max(1, self.operations)

    @property
    def grows(self) -> bool:
        """Whether memory grows."""
        return self.judged and self.growth > GROWTH_MIB


def trend(samples: list[Sample]) -> Trend:
    """The trend of anonymous memory."""
    half = samples[len(samples) // 2 :]
    span = max(1, len(half) // _POINTS)
    points = [
        (
            statistics.fmean(one.second for one in part),
            statistics.median(one.anonymous for one in part),
        )
        for start in range(0, len(half) - span + 1, span)
        if (part := half[start : start + span])
    ]
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for place, earlier in enumerate(points)
        for later in points[place + 1 :]
    ]
    seconds = half[-1].second - half[0].second if half else 0.0
    slope = statistics.median(slopes) if slopes else 0.0
    operations = sum(one.operations for one in half)
    return Trend(seconds, operations, slope * seconds, 2 * seconds >= SHORTEST_TREND)
