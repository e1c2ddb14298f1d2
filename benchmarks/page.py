"""A whole run, and the page about it: tables, plots, profiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from benchmarks.growth import SUBJECTS, size_of
from benchmarks.markdown import growth_table, profile_table, race_tables, servers
from benchmarks.plots import Line, Plot, Ratios, svg, svg_of_ratios
from benchmarks.profiles import Profile, Share
from benchmarks.report import Race
from benchmarks.serve import ServerProcess

#: A machine with more load than this before a run is doing something else.
QUIET = 1.0
_NOTE = 120  # characters of what a server said when something could not be done


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


@dataclass
class Run:
    """What one run has found. ``races`` and ``growth`` have the same form."""

    quick: bool
    date: str = field(default_factory=_today)
    races: list[Race] = field(default_factory=list)
    growth: list[Race] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def put(self, race: Race) -> None:
        """Add a race, or replace the earlier one."""
        _put(self.races, race)

    def put_growth(self, race: Race) -> None:
        """Add growth, or replace the earlier one."""
        _put(self.growth, race)

    @property
    def not_there(self) -> list[str]:
        """What could not be had."""
        return [*(line for race in self.races for line in race.missing), *self.missing]

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Run:
        """What ``as_data`` made."""
        several = {
            name: [Race.from_data(one) for one in data[name]] for name in ("races", "growth")
        }
        return Run(**{**data, **several, "profiles": list(map(_profile, data["profiles"]))})


def _profile(data: Mapping[str, Any]) -> Profile:
    names = ("itself", "within", "database")
    shares = {name: [Share(**one) for one in data[name]] for name in names}
    return Profile(**{**data, **shares})


def markdown(run: Run) -> str:
    """The part of a page about a run; plots are in ``plots`` beside it."""
    return "\n\n".join(_blocks(run)) + "\n"


def _blocks(run: Run) -> Iterator[str]:
    yield _machine(run)
    if run.races:
        yield "### Who runs"
        yield servers(run.races)
    for race in run.races:
        yield f"### The race: {race.title}"
        yield f"![{race.title}: how far Folkmoot is ahead](plots/race-{race.title.lower()}.svg)"
        yield race_tables(race)
        yield from _notes(race)
    if run.profiles:
        yield "### Where the time goes"
        yield (
            "The lines of the races on which Folkmoot is furthest behind, again and alone, with "
            "py-spy's samples of its process: how much of the time Python was busy, and where. "
            "What SQLite does, also without Python's lock, is a share of all of the time."
        )
    for profile in run.profiles:
        yield f"**{profile.what}** (Python is busy for {profile.busy:.0%} of the time):"
        yield profile_table(profile)
    if run.growth:
        yield "### How cost grows"
    for race in run.growth:
        subject = SUBJECTS[race.title]
        title = f"With {subject.what}"
        yield f"#### {title}"
        yield f"![{title}](plots/growth-{race.title}.svg)"
        yield growth_table(race, subject.unit)
        yield from _notes(race)


def _put(races: list[Race], race: Race) -> None:
    """Add one, or put it where the earlier one of that title stood."""
    titles = [one.title for one in races]
    if race.title in titles:
        races[titles.index(race.title)] = race
    else:
        races.append(race)


def _notes(race: Race) -> Iterator[str]:
    if race.notes:
        yield "Not done:"
        # Answers of servers may hold anything.
        notes = [" ".join(note.split()).replace("`", "'")[:_NOTE] for note in race.notes]
        yield "\n".join(f"- `{note}`" for note in notes)


def _machine(run: Run) -> str:
    races = [*run.races, *run.growth]
    known = races[0].machine
    fsyncs = [race.machine["fsync of 4 KiB"].removesuffix(" ms") for race in races]
    fsync = " to ".join(dict.fromkeys((min(fsyncs, key=float), max(fsyncs, key=float))))
    lines = [
        f"One run on {run.date}{', with `--quick`' if run.quick else ''}: "
        f"{known['processor cores']} processor cores for servers and clients, Python "
        f"{known['Python']}, {known['system']}, fsync of 4 KiB {fsync} ms, files dropped from "
        f"memory before what is cold: {known['files forgotten for cold']}. Medians. “÷” says how "
        "many times Folkmoot is ahead: below 1 it is behind, in bold more than half. “Processor” "
        "is Folkmoot's time as a share of one core."
    ]
    # Only before the first part none of this run's own load is there.
    load = known["load before"]
    if max(map(float, load.split(" to "))) > QUIET:
        lines.append(
            f"**Other work ran on the machine** (load {load} before the run): these figures show "
            "what the tables look like, and no more."
        )
    if run.not_there:
        lines.append("Not there: " + "; ".join(" ".join(one.split()) for one in run.not_there))
    return "\n\n".join(lines)


def race_plot(race: Race) -> str:
    """How many times Folkmoot is ahead of each of the others, line by line."""
    others = [name for name in race.names if name != ServerProcess.name]
    rows = {}
    for one in race.results:
        ratios = {name: one.ratio(name) for name in others}
        known = {name: ratio for name, ratio in ratios.items() if ratio is not None}
        if known:
            rows[one.name] = known
    title = f"{race.title[:1].upper()}{race.title[1:]}: how many times Folkmoot is ahead"
    return svg_of_ratios(Ratios(title, "Folkmoot is behind", "Folkmoot is ahead", rows))


def growth_plot(race: Race) -> str:
    """The milliseconds of each line over the sizes; below them the memory, if that is there."""
    plots = [_growth_plot(race, unit) for unit in ("ms", "MiB")]
    return svg([plot for plot in plots if plot.lines])


def _growth_plot(race: Race, unit: str) -> Plot:
    subject = SUBJECTS[race.title]
    sizes = {name: float(size_of(name)) for name in race.names}
    lines = []
    for one in race.results:
        if one.unit == unit:
            there = [name for name in race.names if name in one.values]
            values = [one.values[name] for name in there]
            lines.append(Line(one.name, [sizes[name] for name in there], values))
    return Plot(
        f"{'Cost' if unit == 'ms' else 'Memory'} with {subject.what}",
        unit,
        lines,
        logarithmic=unit == "ms",
        across=subject.unit,
        across_logarithmic=min(sizes.values()) > 0,
        marks=True,
    )
