"""Measures mail: ``python -m benchmarks.mail [--dovecot] [--quick] [--json FILE] [only ...]``.

Each server runs in processes of its own on a fresh folder; clients run in this one and wait for
each answer before they send the next request. With ``--dovecot`` Debian's Dovecot runs beside
Folkmoot, once with sdbox and once with Maildir: each measurement is made on all of them in turn, as
often as it is repeated, and the median counts. Nothing is estimated or taken from elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.serve import DovecotProcess, Server, ServerProcess, drop_caches, fsync_seconds
from benchmarks.subjects import ACCOUNTS, NORMAL, QUICK, SUBJECTS, Measure, Sizes, Subjects


@dataclass(frozen=True)
class Result:
    """One line of the table: the result on each server that has it, by its name.

    ``cpu`` is Folkmoot's processor time meanwhile, as a share of one core.
    """

    name: str
    unit: str
    lower: bool
    values: dict[str, float]
    cpu: float

    def ratio(self, other: str) -> float | None:
        """How many times Folkmoot is ahead of the other: below 1 it is behind."""
        ours, theirs = self.values.get(ServerProcess.name), self.values.get(other)
        if ours is None or theirs is None:
            return None
        return theirs / ours if self.lower else ours / theirs


class Bench:
    """Takes the measurements on servers that run side by side."""

    def __init__(self, servers: Sequence[Server], sizes: Sizes) -> None:
        self._servers = servers
        self._subjects = [Subjects(server, sizes) for server in servers]
        self.results: list[Result] = []

    def prepare(self) -> None:
        """Make what the subjects need."""
        for subjects in self._subjects:
            subjects.prepare()

    def subject(self, name: str) -> None:
        """Measure a subject: server by server, and again."""
        running = [iter(getattr(subjects, name)()) for subjects in self._subjects]
        current = [next(one, None) for one in running]
        while any(current):
            # What only Folkmoot has comes before what others have too.
            first = next(one for one in current if one is not None)
            same = [one if one is not None and one.name == first.name else None for one in current]
            self._measure(first, same)
            for place, taken in enumerate(same):
                if taken is not None:
                    current[place] = next(running[place], None)

    def _measure(self, first: Measure, measures: Sequence[Measure | None]) -> None:
        taken: dict[str, list[float]] = {}
        cpu = seconds = 0.0
        for turn in range(first.times + first.warm):
            for server, measure in zip(self._servers, measures, strict=True):
                if measure is None:
                    continue
                before, begin = server.cpu(), time.perf_counter()
                value = measure.work()
                if turn >= first.warm:
                    taken.setdefault(server.name, []).append(value)
                    after = server.cpu()
                    # A server that was started again begins at nothing.
                    if before is not None and after is not None and after > before:
                        cpu += after - before
                        seconds += time.perf_counter() - begin
        values = {name: statistics.median(each) for name, each in taken.items()}
        share = cpu / seconds if seconds else 0.0
        self.results.append(Result(first.name, first.unit, first.lower, values, share))


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
    """The results, one line for each, with how many times Folkmoot is ahead."""
    others = names[1:]
    shown = Table("what", "unit")
    for name in (*names, *(f"÷ {name}" for name in others), "processor"):
        shown.add_column(name, justify="right")
    for one in results:
        ratios = [one.ratio(name) for name in others]
        shown.add_row(
            one.name,
            one.unit,
            *(number(one.values[name]) if name in one.values else "" for name in names),
            *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
            f"{one.cpu:.0%}" if one.cpu else "",
        )
    return shown


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.mail", description=__doc__)
    parser.add_argument("--dovecot", action="store_true", help="race with Dovecot")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to a file")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the fresh folder in here")
    parser.add_argument("only", nargs="*", help=f"of {', '.join(SUBJECTS)}")
    arguments = parser.parse_args()
    unknown = set(arguments.only) - set(SUBJECTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return arguments


def main() -> None:
    """Measure, print the table, write the file."""
    arguments = _arguments()
    console = Console(stderr=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.data)))
        # Dovecot's processes are of another user.
        folder.chmod(0o711)
        known = facts(folder)
        folkmoot = stack.enter_context(ServerProcess(folder / "server", ACCOUNTS))
        servers: list[Server] = [folkmoot]
        if arguments.dovecot:
            for storage in ("sdbox", "maildir"):
                dovecot = stack.enter_context(DovecotProcess(folder, ACCOUNTS, storage))
                servers.append(dovecot)
                known["Dovecot"] = dovecot.version
        bench = Bench(servers, QUICK if arguments.quick else NORMAL)
        with console.status("filling mailboxes"):
            bench.prepare()
        for name in arguments.only or SUBJECTS:
            with console.status(name):
                bench.subject(name)
        log = folkmoot.log
    names = [server.name for server in servers]
    wide = Console(width=120)
    wide.print(*[f"{name}: {value}" for name, value in known.items()], sep="\n")
    wide.print(table(bench.results, names))
    if arguments.json is not None:
        lines = [{"name": r.name, "unit": r.unit, "values": r.values} for r in bench.results]
        arguments.json.write_text(json.dumps({"machine": known, "results": lines}, indent=2))
    if log:
        console.print(f"The server has logged:\n{log}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
