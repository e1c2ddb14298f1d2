"""Many people at work: ``python -m benchmarks.soak [--minutes N] [--people N] [--store KIND]``.

Simulated people use mail, calendars, contacts, documents and groups of a server with real programs'
requests over real connections, which break now and then. Each program checks all that it is told
against all that was done; at the end everything is read anew, and ``folkmoot check --deep`` looks
through the data. Samples of memory, descriptors, threads and latency go to ``build/soak``. The exit
code is 1 when anything was lost, doubled, foreign or refused without a reason, when the server
logged an error, when ``check`` found something, or when memory grew.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks.report import facts
from benchmarks.soak.plants import PLANTS
from benchmarks.soak.report import Outcome, summary, write_files
from benchmarks.soak.store import soak
from tests.kit.databases import Databases

STORES = ("sqlite", "postgres")


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="for each store (default 3)")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument(
        "--pace", type=float, default=0.5, help="what each does in a second (default 0.5)"
    )
    parser.add_argument("--store", choices=STORES, action="append", help="only this one")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/soak"), metavar="DIR")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the fresh folder in here")
    parser.add_argument(
        "--plant", choices=sorted(PLANTS), help="a fault in the server, which must be found"
    )
    return parser.parse_args(given)


@contextmanager
def _url(kind: str, folder: Path) -> Iterator[str]:
    """A fresh database; "" is the one that the server makes itself."""
    if kind == "sqlite":
        yield ""
        return
    databases = Databases(folder)
    try:
        yield databases.fresh(kind)
    finally:
        databases.close()


def main(given: list[str] | None = None) -> int:
    """Run on each store, write the files; the exit code."""
    arguments = _arguments(given)
    if arguments.people < 2:
        raise SystemExit("at least two people are needed")
    console = Console(width=120)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(dir=arguments.data) as name:
        known = facts(Path(name))
    for kind in arguments.store or STORES:
        with tempfile.TemporaryDirectory(dir=arguments.data) as name:
            folder = Path(name)
            folder.chmod(0o711)
            with _url(kind, folder) as url:
                outcome = soak(kind, url, folder / "server", arguments)
        outcomes.append(outcome)
        console.print(*summary(outcome), sep="\n", markup=False, highlight=False)
        write_files(arguments.out, outcome, known)
    return int(any(outcome.faults for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
