"""Everything in one run: ``python -m benchmarks.race [--quick] [--fetch] [--write FILE]``.

The race of mail with Dovecot, that of DAV with Cyrus, Radicale, Xandikos, WsgiDAV and Apache, how
cost grows, and profiles of where Folkmoot's time goes on the lines where it is furthest behind.
Who cannot be had is named loudly and left out. The results are in ``build/bench``: ``race.json``,
``race.md``, ``plots`` and ``profiles.txt``. With ``--write`` a page gets the tables between its two
marks, and the plots into ``plots`` beside it; with ``--read`` all but the parts that are named come
from an earlier run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks import dav, davsubjects, growth, mail, subjects
from benchmarks.davserve import Folkmoot
from benchmarks.davsubjects import DavSubjects
from benchmarks.markdown import replaced
from benchmarks.page import Run, growth_plot, markdown, race_plot
from benchmarks.peers import PEERS
from benchmarks.peers_install import DEFAULT
from benchmarks.profiles import NoProfiler, Profile, ProfilingBench, text, worst
from benchmarks.report import Race, Result, show
from benchmarks.serve import ServerProcess

OUTPUT = Path(__file__).resolve().parent.parent / "build" / "bench"
PARTS = ("mail", "dav", "growth", "profiles")
_LOOKED_AT = 4  # lines of each race

Folders = Callable[[], Path]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.race", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: some minutes")
    parser.add_argument("--fetch", action="store_true", help="get the servers that are missing")
    parser.add_argument("--cache", type=Path, default=DEFAULT, help="where the others are kept")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the fresh folders in here")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="where the results go")
    parser.add_argument("--read", type=Path, metavar="FILE", help="an earlier race.json")
    parser.add_argument("--write", type=Path, metavar="FILE", help="a page that gets the tables")
    parser.add_argument("only", nargs="*", help=f"of {', '.join(PARTS)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return arguments


def measure(
    run: Run, arguments: argparse.Namespace, folders: Folders, console: Console
) -> Iterator[None]:
    """All that is wanted, one after the other, put into the run; yields after each of them."""
    # What has been read from an earlier run is measured again only where that is said.
    wanted = arguments.only or ([] if arguments.read else PARTS)
    quick = run.quick
    if "mail" in wanted:
        sizes = subjects.QUICK if quick else subjects.NORMAL
        run.put(mail.race(folders(), sizes, (), console, mail.Options(dovecot=True)))
        yield
    if "dav" in wanted:
        peers = dav.Peers(tuple(PEERS), arguments.cache, arguments.fetch)
        sizes_of_dav = davsubjects.QUICK if quick else davsubjects.NORMAL
        run.put(dav.race(folders(), sizes_of_dav, (), console, peers))
        yield
    if "growth" in wanted:
        for subject in growth.SUBJECTS:
            run.put_growth(growth.race(folders(), subject, quick, console))
            yield
    if "profiles" in wanted:
        run.profiles.clear()
        try:
            for race in run.races:
                run.profiles += _profiles(folders(), race, quick, console)
        except NoProfiler as error:
            console.print(f"[bold red]WITHOUT PROFILES[/]: {error}")
            run.missing.append(f"profiles: {error}")
        yield


def _profiles(folder: Path, race: Race, quick: bool, console: Console) -> list[Profile]:
    """Of the worst lines of a race, on a fresh server without others beside it."""
    wanted = worst(race.results, _LOOKED_AT)
    with ExitStack() as stack:
        bench = _bench(folder, race, wanted, quick, stack)
        needed = {one.subject for one in wanted}
        bench.run([name for name in dict.fromkeys(_subjects(race)) if name in needed], console)
    order = [one.name for one in wanted]
    return sorted(bench.profiles, key=lambda one: order.index(one.what))


def _subjects(race: Race) -> Iterator[str]:
    return (one.subject for one in race.results)


def _bench(
    folder: Path, race: Race, wanted: Sequence[Result], quick: bool, stack: ExitStack
) -> ProfilingBench:
    names = [one.name for one in wanted]
    if race.title == "mail":
        server = stack.enter_context(ServerProcess(folder / "server", subjects.ACCOUNTS))
        sizes = subjects.QUICK if quick else subjects.NORMAL
        return ProfilingBench(server, subjects.Subjects(server, sizes), names, folder)
    folkmoot = Folkmoot(folder / "server")
    stack.enter_context(folkmoot)
    sizes_of_dav = davsubjects.QUICK if quick else davsubjects.NORMAL
    tools = {davsubjects.SUBJECTS[one.subject] for one in wanted}
    prepared = DavSubjects(folkmoot, sizes_of_dav, tools)
    return ProfilingBench(folkmoot.process, prepared, names, folder)


@contextmanager
def _fresh(parent: Path | None) -> Iterator[Folders]:
    """Makes fresh folders that other users may enter."""
    with tempfile.TemporaryDirectory(dir=parent) as name:
        Path(name).chmod(0o711)

        def fresh() -> Path:
            folder = Path(tempfile.mkdtemp(dir=name))
            folder.chmod(0o711)
            return folder

        yield fresh


def save(run: Run, output: Path) -> None:
    """Write race.json, race.md, plots and profiles."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "race.json").write_text(json.dumps(run.as_data(), indent=1))
    (output / "race.md").write_text(markdown(run))
    (output / "profiles.txt").write_text("\n".join(map(text, run.profiles)))
    draw(run, output / "plots")


def draw(run: Run, folder: Path) -> None:
    """Write the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    for race in run.races:
        (folder / f"race-{race.title.lower()}.svg").write_text(race_plot(race))
    for one in run.growth:
        (folder / f"growth-{one.title}.svg").write_text(growth_plot(one))


def main() -> None:
    """Measure or read, and write everything."""
    arguments = _arguments()
    console = Console(stderr=True)
    if arguments.read:
        run = Run.from_data(json.loads(arguments.read.read_text()))
        if arguments.only and arguments.quick != run.quick:
            sys.exit("the earlier run had other sizes: --quick was not the same")
    else:
        run = Run(arguments.quick)
    growth.allow_descriptors()
    with _fresh(arguments.data) as folders:
        for _ in measure(run, arguments, folders, console):
            save(run, arguments.output)
            console.print(f"written: {arguments.output}/race.json and more")
    for race in (*run.races, *run.growth):
        show(race, Console(width=200))
    if arguments.write:
        page = arguments.write.read_text()
        arguments.write.write_text(replaced(page, markdown(run)))
        draw(run, arguments.write.parent / "plots")
    for line in run.not_there:
        console.print(f"[bold red]NOT THERE[/]: {line}")
    if any(race.failed or race.log for race in (*run.races, *run.growth)):
        sys.exit(1)


if __name__ == "__main__":
    main()
