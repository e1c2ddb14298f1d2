"""Where a server's time goes while a measurement runs: py-spy's samples, added up.

Once those of the thread that holds Python's lock, of which there is one at a time, and once those
of all threads for what the database does without it. Threads that wait look busy now and then:
so of the second kind only what calls into the database counts.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
#: What cannot be repeated, or says nothing then.
_NOT_LOOKED_AT = re.compile("cold|hashed|memory|DELETE", re.IGNORECASE)
_OWN = ("protocols/", "sharing/", "auth/", "quota/", "storage/")
_DATABASE = "storage/engine/"
_Function = tuple[str, str]
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+?)(?::\d+)?\)")


@dataclass(frozen=True)
class Share:
    """A function and its share of the samples, of 1."""

    share: float
    function: str
    file: str


@dataclass(frozen=True)
class Profile:
    """Where the time went while something was done again and again for ``seconds``.

    ``busy`` is the share of the time in which Python was busy. Of this are the shares in functions
    themselves, and in functions of Folkmoot with all that they call. ``database`` are shares of all
    of the time, in which the database was at work for a function, with Python's lock or without.
    """

    what: str
    seconds: float
    busy: float
    itself: Sequence[Share]
    within: Sequence[Share]
    database: Sequence[Share]


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
        locked, seconds = self._sampled(measure, "--gil")
        # Without stopping the threads: what is stopped does not wait any more.
        everywhere, longer = self._sampled(measure, "--nonblocking")
        return summed(measure.name, locked, seconds, everywhere, longer)

    def _sampled(self, measure: Measure, *options: str) -> tuple[str, float]:
        """The samples, and the seconds that they are from."""
        output = self._folder / "samples"
        output.unlink(missing_ok=True)
        begin = time.monotonic()
        with _Looking(self._server.process.pid, output, options):
            begin = time.monotonic()
            while time.monotonic() - begin < SECONDS:
                try:
                    measure.work()
                except Failed:  # what it needs is used up
                    break
            seconds = time.monotonic() - begin
        return output.read_text() if output.exists() else "", seconds


class _Looking:
    """py-spy while a block runs. Raises ``NoProfiler``."""

    def __init__(self, pid: int, output: Path, options: Sequence[str]) -> None:
        beside = Path(sys.executable).with_name("py-spy")
        program = str(beside) if beside.exists() else shutil.which("py-spy")
        if program is None:
            raise NoProfiler("py-spy is not installed")
        self._command = [program, "record", "--pid", str(pid), "--output", str(output)]
        self._command += ["--format", "raw", "--function", "--rate", str(RATE), *options]

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


def summed(
    what: str, locked: str, seconds: float, everywhere: str = "", longer: float = 1.0
) -> Profile:
    """The profile of samples in py-spy's raw form: ``frame;frame;frame number``.

    First those of who holds Python's lock, then those of all threads, each with their seconds.
    """
    itself: Counter[_Function] = Counter()
    within: Counter[_Function] = Counter()
    for frames, count in _stacks(locked):
        itself[frames[-1]] += count
        for one in set(frames):
            if one[1].startswith(_OWN):
                within[one] += count
    database: Counter[_Function] = Counter()
    for frames, count in _stacks(everywhere):
        function, file = frames[-1]
        if file.startswith(_DATABASE) and not function.endswith("_loop"):
            database[frames[-1]] += count
    total = itself.total()
    return Profile(
        what,
        round(seconds, 1),
        min(1.0, total / (seconds * RATE)),
        _shares(itself, total),
        _shares(within, total),
        _shares(database, round(longer * RATE)),
    )


def _stacks(samples: str) -> Iterator[tuple[list[_Function], int]]:
    for line in samples.splitlines():
        stack, _, number = line.rpartition(" ")
        yield [_frame(one) for one in stack.split(";")], int(number)


def _frame(text: str) -> _Function:
    match = _FRAME.fullmatch(text)
    return (match["function"], _short(match["file"])) if match else (text, "")


def _short(file: str) -> str:
    """A path within the package or a library; "" of what has no file."""
    if file.startswith("<"):
        return ""
    for mark in ("/folkmoot/", "/site-packages/", "/python3."):
        if mark in file:
            file = file.rpartition(mark)[2]
            return file.partition("/")[2] if mark == "/python3." else file
    here = f"{Path(__file__).resolve().parent.parent}/"
    return file.removeprefix(here).removeprefix("folkmoot/")


def _shares(counts: Counter[_Function], total: int) -> list[Share]:
    return [Share(count / total, *name) for name, count in counts.most_common(_SHOWN)]


def text(profile: Profile) -> str:
    """A profile as it can be read."""
    lines = [f"{profile.what}: Python busy {profile.busy:.0%} of {profile.seconds:.0f} s"]
    for title, shares in (
        ("of this in the function itself", profile.itself),
        ("of this in functions of Folkmoot with what they call", profile.within),
        ("of all the time in the database", profile.database),
    ):
        lines.append(f"  {title}:")
        lines += [f"  {one.share:6.1%}  {one.function}  {one.file}" for one in shares]
    return "\n".join(lines) + "\n"
