"""Measures DAV: ``python -m benchmarks.dav [--peers] [--fetch] [--large] [--quick] [only ...]``.

Each server runs in processes of its own on a fresh folder; clients run in this one and wait for
each answer before they send the next request. With ``--peers`` Cyrus, Radicale, Xandikos, WsgiDAV
and Apache run beside Folkmoot, as far as they are there (``--fetch`` gets them): each measurement
is made on all of them in turn, as often as it is repeated, and the median counts. Each answer is
checked. Nothing is estimated or taken from elsewhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.davserve import DavServer, Folkmoot
from benchmarks.davsubjects import LARGE, NORMAL, QUICK, SUBJECTS, DavSubjects, Sizes
from benchmarks.peers import PEERS
from benchmarks.peers_install import DEFAULT, Cache
from benchmarks.report import Bench, Race, Result, facts, show

#: How many times Folkmoot is to be ahead of each.
AIMS: Mapping[str, float] = {
    "Cyrus": 2.0,
    "Radicale": 5.0,
    "Xandikos": 5.0,
    "Apache": 1.0,
}
#: What the aim for Apache is about: listings of folders, and operations on them.
_FOLDERS = ("PROPFIND", "COPY", "MOVE", "DELETE")


@dataclass(frozen=True)
class Peers:
    """Which servers run beside Folkmoot, where they are kept, and whether to get them first."""

    names: Sequence[str] = ()
    cache: Path = DEFAULT
    fetch: bool = False


def missed(results: Sequence[Result]) -> list[str]:
    """The lines on which Folkmoot is not as far ahead as it should be."""
    found = []
    for one in results:
        for name, aim in AIMS.items():
            ratio = one.ratio(name)
            # Memory has bounds of its own: who needs none cannot be beaten.
            if ratio is None or one.unit == "MiB more":
                continue
            if ratio < aim and (name != "Apache" or one.name.startswith(_FOLDERS)):
                found.append(f"{one.name}: {ratio:.2f} times {name} instead of {aim:g}")
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.dav", description=__doc__)
    parser.add_argument("--peers", action="store_true", help="race with the others")
    parser.add_argument("--fetch", action="store_true", help="get those that are missing")
    parser.add_argument("--with", dest="names", action="append", choices=PEERS, metavar="NAME",
                        help=f"race with this one: {', '.join(PEERS)}")  # fmt: skip
    parser.add_argument("--cache", type=Path, default=DEFAULT, help="where the others are kept")
    parser.add_argument("--large", action="store_true", help="collections of 10,000")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to a file")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the fresh folder in here")
    parser.add_argument("only", nargs="*", help=f"of {', '.join(SUBJECTS)}")
    arguments = parser.parse_args()
    unknown = set(arguments.only) - set(SUBJECTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if arguments.peers:
        arguments.names = list(PEERS)
    return arguments


def race(folder: Path, sizes: Sizes, only: Sequence[str], console: Console, peers: Peers) -> Race:
    """Measure on servers in a folder that any user may enter."""
    known = facts(folder)
    cache = Cache(peers.cache.resolve())
    missing = cache.fetch() if peers.fetch else []
    for line in missing:
        console.print(f"[bold red]NOT FETCHED[/]: {line}")
    with ExitStack() as stack:
        folkmoot = Folkmoot(folder / "server")
        servers: list[DavServer] = [stack.enter_context(folkmoot)]
        for name in peers.names:
            try:
                servers.append(stack.enter_context(PEERS[name](folder, cache)))
            except RuntimeError as error:
                console.print(f"[bold red]WITHOUT {name.upper()}[/]: {error}")
                missing.append(f"{name}: {error}")
        about = {server.name: f"{server.version}{server.durable}" for server in servers}
        tools = {SUBJECTS[name] for name in only or SUBJECTS}
        bench = Bench(servers, [DavSubjects(server, sizes, tools) for server in servers])
        bench.run(only or SUBJECTS, console)
        log = folkmoot.process.log
    return Race("DAV", known, about, bench.results, missing, bench.notes, log, bench.failed)


def main() -> None:
    """Measure, print the table, write the file."""
    arguments = _arguments()
    sizes = QUICK if arguments.quick else LARGE if arguments.large else NORMAL
    peers = Peers(arguments.names or (), arguments.cache, arguments.fetch)
    with tempfile.TemporaryDirectory(dir=arguments.data) as name:
        folder = Path(name)
        # Cyrus' and Apache's processes are of another user.
        folder.chmod(0o711)
        found = race(folder, sizes, arguments.only, Console(stderr=True), peers)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found.as_data(), indent=2))
    wide = Console(width=200)
    show(found, wide)
    if behind := missed(found.results):
        wide.print("Behind the aim:", *behind, sep="\n- ", markup=False)
    if found.log or found.failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
