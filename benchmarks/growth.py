"""Measures how cost grows: ``python -m benchmarks.growth [--quick] [only ...]``.

What a few commands cost with the size of the mailbox, the calendar or the folder, with the number
of groups that one is in, and with the connections that wait. All sizes are measured in turn, as
often as it is repeated, and the median counts. Collections are filled in the store, off the wire.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from benchmarks.growth_dav import Calendars, Folders
from benchmarks.growth_mail import Mailboxes
from benchmarks.growth_people import Connections, Memberships
from benchmarks.growth_sized import Grown, Sized
from benchmarks.report import Bench, Race, facts, show

Maker = Callable[[Path, Sequence[int], ExitStack], Grown]


@dataclass(frozen=True)
class Subject:
    """What grows, in which units, and how to set it up."""

    what: str
    unit: str
    normal: Sequence[int]
    quick: Sequence[int]
    make: Maker


SUBJECTS: Mapping[str, Subject] = {
    "mailbox": Subject(
        "the size of the mailbox", "messages", (1000, 10_000, 100_000), (200, 1000, 5000), Mailboxes
    ),
    "calendar": Subject(
        "the size of the calendar", "events", (200, 2000, 20_000), (100, 400, 1600), Calendars
    ),
    "folder": Subject(
        "the size of the folder", "files", (100, 1000, 10_000), (100, 300, 1000), Folders
    ),
    "groups": Subject(
        "the groups that one is in", "groups", (0, 5, 20, 50), (0, 2, 5), Memberships
    ),
    "connections": Subject(
        "the connections that wait", "connections", (10, 100, 500, 2000), (10, 50, 200), Connections
    ),
}


def race(folder: Path, name: str, quick: bool, console: Console) -> Race:
    """Measure one subject on all its sizes, which take the place of servers."""
    subject = SUBJECTS[name]
    sizes = subject.quick if quick else subject.normal
    known = facts(folder)
    with ExitStack() as stack:
        with console.status(f"filling: {name}"):
            grown = subject.make(folder / name, sizes, stack)
        pairs = zip(sizes, grown.servers, strict=True)
        sized = [Sized(label(size), server) for size, server in pairs]
        bench = Bench(sized, grown.subjects)
        bench.run(["grow"], console)
        log = "".join(dict.fromkeys(server.log for server in grown.servers))
    # The share of a processor is that of all sizes together, which says nothing.
    results = [replace(one, cpu=0.0) for one in bench.results]
    about = dict.fromkeys((one.name for one in sized), "")
    return Race(name, known, about, results, (), bench.notes, log, bool(bench.notes))


def label(size: int) -> str:
    """A size as it is called in results."""
    return f"{size:,}"


def size_of(name: str) -> int:
    """The size that is called so."""
    return int(name.replace(",", ""))


def allow_descriptors() -> None:
    """Take as many descriptors as the system gives, for this process and the servers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    """Measure, print the tables, write the file."""
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to a file")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the fresh folder in here")
    parser.add_argument("only", nargs="*", help=f"of {', '.join(SUBJECTS)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - set(SUBJECTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    allow_descriptors()
    found = []
    with tempfile.TemporaryDirectory(dir=arguments.data) as name:
        for subject in arguments.only or SUBJECTS:
            console = Console(stderr=True)
            found.append(race(Path(name), subject, arguments.quick, console))
            show(found[-1], Console(width=140))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([one.as_data() for one in found], indent=2))
    if any(one.failed or one.log for one in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
