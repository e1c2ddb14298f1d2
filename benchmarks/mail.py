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
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from benchmarks import slow_disk
from benchmarks.report import Bench, facts, table
from benchmarks.serve import DovecotProcess, Server, ServerProcess
from benchmarks.subjects import ACCOUNTS, NORMAL, QUICK, SUBJECTS, Subjects


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


def main() -> None:
    """Measure, print the table, write the file."""
    arguments = _arguments()
    console = Console(stderr=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.data)))
        # Dovecot's processes are of another user.
        folder.chmod(0o711)
        known = facts(folder)
        known["processes that serve"] = str(arguments.workers)
        environment = {}
        if arguments.disk_delay:
            environment = slow_disk.environment(folder, arguments.disk_delay)
            known["added to each fsync"] = f"{arguments.disk_delay:g} ms"
        process = ServerProcess(folder / "server", ACCOUNTS, environment, workers=arguments.workers)
        folkmoot = stack.enter_context(process)
        servers: list[Server] = [folkmoot]
        if arguments.dovecot:
            for storage in ("sdbox", "maildir"):
                dovecot = stack.enter_context(DovecotProcess(folder, ACCOUNTS, storage))
                servers.append(dovecot)
                known["Dovecot"] = dovecot.version
        sizes = QUICK if arguments.quick else NORMAL
        bench = Bench(servers, [Subjects(server, sizes) for server in servers])
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
    if bench.notes:
        wide.print("Not done:", *bench.notes, sep="\n- ", markup=False)
    if log:
        console.print(f"The server has logged:\n{log}", markup=False)
    if log or bench.failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
