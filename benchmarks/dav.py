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
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from benchmarks.davserve import DavServer, Folkmoot
from benchmarks.davsubjects import LARGE, NORMAL, QUICK, SUBJECTS, DavSubjects
from benchmarks.peers import PEERS
from benchmarks.peers_install import DEFAULT, Cache
from benchmarks.report import Bench, Result, facts, table

#: How many times Folkmoot is to be ahead of each.
AIMS: Mapping[str, float] = {
    "Cyrus": 2.0,
    "Radicale": 5.0,
    "Xandikos": 5.0,
    "Apache": 1.0,
}
#: What the aim for Apache is about: listings of folders, and operations on them.
_FOLDERS = ("PROPFIND", "COPY", "MOVE", "DELETE")


def missed(results: list[Result]) -> list[str]:
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


def _start(
    arguments: argparse.Namespace, folder: Path, stack: ExitStack, console: Console
) -> list[DavServer]:
    servers: list[DavServer] = [stack.enter_context(Folkmoot(folder / "server"))]
    cache = Cache(arguments.cache.resolve())
    if arguments.fetch:
        for line in cache.fetch():
            console.print(f"[bold red]NOT FETCHED[/]: {line}")
    for name in arguments.names or ():
        try:
            servers.append(stack.enter_context(PEERS[name](folder, cache)))
        except RuntimeError as error:
            console.print(f"[bold red]WITHOUT {name.upper()}[/]: {error}")
    return servers


def main() -> None:
    """Measure, print the table, write the file."""
    arguments = _arguments()
    console = Console(stderr=True)
    sizes = QUICK if arguments.quick else LARGE if arguments.large else NORMAL
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.data)))
        # Cyrus' and Apache's processes are of another user.
        folder.chmod(0o711)
        known = facts(folder)
        servers = _start(arguments, folder, stack, console)
        known |= {f"{server.name} makes durable": server.durable for server in servers}
        tools = {SUBJECTS[name] for name in arguments.only or SUBJECTS}
        bench = Bench(servers, [DavSubjects(server, sizes, tools) for server in servers])
        with console.status("filling collections"):
            bench.prepare()
        for name in arguments.only or SUBJECTS:
            with console.status(name):
                bench.subject(name)
        assert isinstance(servers[0], Folkmoot)
        log = servers[0].process.log
    if arguments.json is not None:
        rows = [{"name": r.name, "unit": r.unit, "values": r.values} for r in bench.results]
        arguments.json.write_text(json.dumps({"machine": known, "results": rows}, indent=2))
    wide = Console(width=200)
    wide.print(*[f"{name}: {value}" for name, value in known.items()], sep="\n")
    wide.print(table(bench.results, [server.name for server in servers]))
    for title, lines in (("Not done", bench.notes), ("Behind the aim", missed(bench.results))):
        if lines:
            wide.print(f"{title}:", *lines, sep="\n- ", markup=False)
    if log:
        console.print(f"The server has logged:\n{log}", markup=False)
    if log or bench.failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
