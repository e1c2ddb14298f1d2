"""What a soak found, as text, JSON and pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.plots import Line, Plot, svg
from benchmarks.soak.journal import Histogram, Journal
from benchmarks.soak.watch import GROWTH_MIB, Sample, Trend

_SHOWN = 20


@dataclass(frozen=True)
class Outcome:
    """A soak on one store. ``check`` and ``log`` are "" unless something was found."""

    kind: str
    people: int
    journal: Journal
    samples: list[Sample]
    trend: Trend
    check: str
    log: str

    @property
    def faults(self) -> list[str]:
        """Why it did not pass."""
        found = [f"{kind}: {count} times" for kind, count in self.journal.wrong.items()]
        if self.check:
            found.append(f"check found: {self.check}")
        if self.log:
            found.append(f"the server logged: {self.log[:2000]}")
        if self.trend.grows:
            found.append(f"memory grew by {self.trend.growth:.1f} MiB in the second half")
        return found

    @property
    def numbers(self) -> dict[str, object]:
        """The most important figures."""
        last = self.samples[-1]
        working = [one for one in self.samples if one.operations]
        done = sum(each.count for each in _kinds(self.journal).values())
        return {
            "people": self.people,
            "seconds": round(last.second),
            "operations": done,
            "operations a second": round(
                sum(one.operations for one in working) / max(1, len(working)), 1
            ),
            "rules checked": sum(self.journal.checks.values()),
            "connections dropped on purpose": self.journal.drops,
            "refused as it must be": sum(self.journal.refusals.values()),
            "violations": sum(self.journal.wrong.values()),
            "anonymous memory, first and last MiB": (
                round(self.samples[0].anonymous, 1),
                round(last.anonymous, 1),
            ),
            "most descriptors": max(one.descriptors for one in self.samples),
            "most threads": max(one.threads for one in self.samples),
            "processor": round(sum(one.processor for one in working) / max(1, len(working)), 2),
            "growth of the second half, MiB": round(self.trend.growth, 2),
            "growth by operation, octets": round(self.trend.each, 1),
        }


def _kinds(journal: Journal) -> Mapping[str, Histogram]:
    return {kind: one for kind, one in journal.total.items() if not kind.startswith("(")}


def summary(outcome: Outcome) -> Iterator[str]:
    """The report as lines of text."""
    yield f"== {outcome.kind}: {'FAILED' if outcome.faults else 'passed'} =="
    for name, value in outcome.numbers.items():
        yield f"{name}: {value}"
    judged = f"at most {GROWTH_MIB} MiB" if outcome.trend.judged else "too short to be judged"
    yield f"(growth is {judged})"
    yield f"{'':28}{'number':>9}{'median':>9}{'95 %':>9}{'99 %':>9}{'slowest':>9}  ms"
    for kind, one in sorted(outcome.journal.total.items()):
        times = [one.percentile(share) for share in (0.5, 0.95, 0.99)]
        shown = "".join(f"{each * 1000:9.1f}" for each in (*times, one.slowest))
        yield f"{kind:28}{one.count:9,}{shown}"
    for kind, count in sorted(outcome.journal.refusals.items()):
        yield f"refused as it must be: {kind}: {count:,}"
    for fault in outcome.faults:
        yield f"FAULT: {fault}"
    yield from outcome.journal.violations[:_SHOWN]


def write_files(folder: Path, outcome: Outcome, machine: Mapping[str, str]) -> None:
    """Write KIND.json, KIND.txt, KIND.svg, and what was said before faults."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = outcome.journal
    data = {
        "machine": dict(machine),
        "numbers": outcome.numbers,
        "trend": asdict(outcome.trend),
        "checks": dict(journal.checks),
        "refusals": dict(journal.refusals),
        "faults": outcome.faults,
        "violations": journal.violations,
        "samples": [asdict(one) for one in outcome.samples],
    }
    (folder / f"{outcome.kind}.json").write_text(json.dumps(data, indent=1))
    (folder / f"{outcome.kind}.txt").write_text("\n".join(summary(outcome)) + "\n")
    (folder / f"{outcome.kind}-traces.txt").write_text("\n\n".join(journal.traces))
    (folder / f"{outcome.kind}.svg").write_text(svg(list(_plots(outcome))))


def _plots(outcome: Outcome) -> Iterator[Plot]:
    samples = outcome.samples
    time = [one.second / 60 for one in samples]

    def line(name: str, values: list[float]) -> Line:
        return Line(name, time, values)

    title = f"{outcome.people} people on {outcome.kind}"
    yield Plot(
        f"{title}: memory",
        "MiB",
        [
            line("resident", [one.resident for one in samples]),
            line("anonymous", [one.anonymous for one in samples]),
        ],
    )
    yield Plot(
        "latency of all operations",
        "ms",
        [
            line("median", [_all(one, 1) for one in samples]),
            line("95 %", [_all(one, 2) for one in samples]),
            line("slowest", [_all(one, 4) for one in samples]),
        ],
        logarithmic=True,
    )
    yield Plot(
        "operations and violations",
        "a second",
        [
            line("operations", [one.operations for one in samples]),
            line("violations so far", [one.wrong for one in samples]),
        ],
    )
    yield Plot(
        "what is open",
        "number",
        [
            line("descriptors", [one.descriptors for one in samples]),
            line("threads", [one.threads for one in samples]),
        ],
    )


def _all(sample: Sample, place: int) -> float:
    """One of the latencies of a second, weighed over all kinds; the slowest is that of all."""
    each = [one for kind, one in sample.latency.items() if not kind.startswith(("(", "push"))]
    if not each:
        return 0.0
    if place == 4:
        return max(one[4] for one in each)
    return sum(one[0] * one[place] for one in each) / sum(one[0] for one in each)
