"""Measures mail: ``python -m benchmarks.mail [--dovecot] [--quick] [only ...]`` and more options.

Each server runs in processes of its own on a fresh folder; clients run in this one and wait for
each answer before they send the next request. With ``--dovecot`` Debian's Dovecot runs beside
Folkmoot, once with sdbox and once with Maildir: each measurement is made on all of them in turn, as
often as it is repeated, and the median counts. With ``--disk-delay`` Folkmoot's disk takes longer
to make writes durable. Nothing is estimated or taken from elsewhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import slow_disk
from benchmarks.report import Bench, Race, facts, show
from benchmarks.serve import DovecotProcess, Server, ServerProcess
from benchmarks.subjects import ACCOUNTS, NORMAL, QUICK, SUBJECTS, Sizes, Subjects

STORAGES = ("sdbox", "maildir")


@dataclass(frozen=True)
class Options:
    """Whether Dovecot runs too, the milliseconds that Folkmoot's disk takes longer for an fsync,
    and the processes of Folkmoot that serve."""

    dovecot: bool = False
    disk_delay: float = 0.0
    workers: int = 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.mail", description=__doc__)
    parser.add_argument("--dovecot", action="store_true", help="race with Dovecot")
    parser.add_argument(
        "--disk-delay", type=float, metavar="MS", help="make each fsync of Folkmoot take longer"
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes of Folkmoot that serve"
    )
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to a file")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the fresh folder in here")
    parser.add_argument("only", nargs="*", help=f"of {', '.join(SUBJECTS)}")
    arguments = parser.parse_args()
    unknown = set(arguments.only) - set(SUBJECTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if arguments.disk_delay and arguments.dovecot:
        parser.error("the delay is Folkmoot's alone, which would be no race")
    return arguments


def race(
    folder: Path, sizes: Sizes, only: Sequence[str], console: Console, options: Options
) -> Race:
    """Measure on servers in a folder that any user may enter."""
    known = facts(folder)
    known["processes that serve"] = str(options.workers)
    environment = {}
    if options.disk_delay:
        environment = slow_disk.environment(folder, options.disk_delay)
        known["added to each fsync"] = f"{options.disk_delay:g} ms"
    with ExitStack() as stack:
        process = ServerProcess(folder / "server", ACCOUNTS, environment, workers=options.workers)
        folkmoot = stack.enter_context(process)
        servers: list[Server] = [folkmoot]
        about = {folkmoot.name: folkmoot.durable}
        missing = []
        for storage in STORAGES if options.dovecot else ():
            try:
                dovecot = stack.enter_context(DovecotProcess(folder, ACCOUNTS, storage))
            except RuntimeError as error:
                console.print(f"[bold red]WITHOUT {storage.upper()}[/]: {error}")
                missing.append(f"{storage}: {error}")
                continue
            servers.append(dovecot)
            about[storage] = f"Dovecot {dovecot.version}; {dovecot.durable}"
        bench = Bench(servers, [Subjects(server, sizes) for server in servers])
        bench.run(only or SUBJECTS, console)
        log = folkmoot.log
    return Race("mail", known, about, bench.results, missing, bench.notes, log, bench.failed)


def main() -> None:
    """Measure, print the table, write the file."""
    arguments = _arguments()
    sizes = QUICK if arguments.quick else NORMAL
    options = Options(arguments.dovecot, arguments.disk_delay or 0.0, arguments.workers)
    with tempfile.TemporaryDirectory(dir=arguments.data) as name:
        folder = Path(name)
        # Dovecot's processes are of another user.
        folder.chmod(0o711)
        found = race(folder, sizes, arguments.only, Console(stderr=True), options)
    show(found, Console(width=120))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found.as_data(), indent=2))
    if found.log or found.failed or found.missing:
        sys.exit(1)


if __name__ == "__main__":
    main()
