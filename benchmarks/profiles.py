"""Where a server's time goes while a measurement runs: py-spy's samples, added up."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Failed
from benchmarks.report import Bench, Prepares, Result
from benchmarks.serve import ServerProcess
from benchmarks.subjects import Measure

RATE = 500
SECONDS = 5.0
_START_SECONDS = 30.0
_SHOWN = 12
#: What says nothing when it is repeated while one looks.
_NOT_LOOKED_AT = re.compile("cold|hashed|memory", re.IGNORECASE)
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+?)(?::\d+)?\)")


@dataclass(frozen=True)
class Share:
    """A function and its share of the samples, of 1."""

    share: float
    function: str
    file: str


@dataclass(frozen=True)
class Profile:
    """Where the time went: in functions themselves, and in them with all that they call."""

    what: str
    samples: int
    itself: Sequence[Share]
    within: Sequence[Share]


class NoProfiler(Exception):
    """There is no py-spy, or it may not look into other processes."""


def worst(results: Sequence[Result], number: int) -> list[Result]:
    """Those lines on which Folkmoot is furthest behind anybody, the worst one first."""
    found = []
    for one in results:
        ratios = [one.ratio(name) for name in one.values if name != ServerProcess.name]
        known = [ratio for ratio in ratios if ratio is not None]
        if known and not _NOT_LOOKED_AT.search(one.name):
            found.append((min(known), one))
    return [one for _, one in sorted(found, key=lambda each: each[0])[:number]]


class ProfilingBench(Bench):
    """Takes measurements on Folkmoot alone, and looks where its time goes in the wanted ones."""

    def __init__(
        self, server: ServerProcess, subjects: Prepares, wanted: Iterable[str], folder: Path
    ) -> None:
        super().__init__([server], [subjects])
        self._server = server
        self._wanted = set(wanted)
        self._folder = folder
        self.profiles: list[Profile] = []

    def measure(self, first: Measure, measures: Sequence[Measure | None]) -> None:
        """Do it once; or again and again for some seconds, and look."""
        try:
            first.work()
            if first.name in self._wanted:
                self.profiles.append(self._look(first))
        except Failed as error:
            self.notes.append(f"{first.name}: {error}")

    def _look(self, measure: Measure) -> Profile:
        output = self._folder / "samples"
        with _Looking(self._server.process.pid, output):
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                try:
                    measure.work()
                except Failed:  # what it needs is used up
                    break
        return summed(measure.name, output.read_text())


class _Looking:
    """py-spy while a block runs. Raises ``NoProfiler``."""

    def __init__(self, pid: int, output: Path) -> None:
        beside = Path(sys.executable).with_name("py-spy")
        program = str(beside) if beside.exists() else shutil.which("py-spy")
        if program is None:
            raise NoProfiler("py-spy is not installed")
        self._command = [program, "record", "--pid", str(pid), "--output", str(output)]
        self._command += ["--format", "raw", "--function", "--rate", str(RATE)]

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        said = ""
        # It tells when it has begun, and goes on until it is interrupted.
        while "Press Control-C" not in said:
            line = self._process.stdout.readline()
            if not line:
                self._process.wait(_START_SECONDS)
                raise NoProfiler(said.strip())
            said += line

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=_START_SECONDS)


def summed(what: str, samples: str) -> Profile:
    """The profile of samples in py-spy's raw form: ``frame;frame;frame number``."""
    itself: Counter[tuple[str, str]] = Counter()
    within: Counter[tuple[str, str]] = Counter()
    total = 0
    for line in samples.splitlines():
        stack, _, number = line.rpartition(" ")
        frames = [_frame(one) for one in stack.split(";")]
        count = int(number)
        total += count
        itself[frames[-1]] += count
        for one in set(frames):
            within[one] += count
    return Profile(what, total, _shares(itself, total), _shares(within, total))


def _frame(text: str) -> tuple[str, str]:
    match = _FRAME.fullmatch(text)
    return (match["function"], _short(match["file"])) if match else (text, "")


def _short(file: str) -> str:
    """A path within the package or a library."""
    for mark in ("/folkmoot/", "/site-packages/", "/python3."):
        if mark in file:
            file = file.rpartition(mark)[2]
            return file.partition("/")[2] if mark == "/python3." else file
    here = f"{Path(__file__).resolve().parent.parent}/"
    return file.removeprefix(here).removeprefix("folkmoot/")


def _shares(counts: Counter[tuple[str, str]], total: int) -> list[Share]:
    return [Share(count / total, *name) for name, count in counts.most_common(_SHOWN)]


def text(profile: Profile) -> str:
    """A profile as it can be read."""
    lines = [f"{profile.what}: {profile.samples} samples, {RATE} a second"]
    for title, shares in (("itself", profile.itself), ("with what it calls", profile.within)):
        lines.append(f"  {title}:")
        lines += [f"  {one.share:6.1%}  {one.function}  {one.file}" for one in shares]
    return "\n".join(lines) + "\n"
