"""Results as tables of Markdown, and the part of a page that is written by a program."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.profiles import Profile, Share
from benchmarks.report import Race, Result, number
from benchmarks.serve import ServerProcess

BEGIN = "<!-- written by benchmarks.race from here on -->"
END = "<!-- written by benchmarks.race up to here -->"
_FUNCTIONS = 6
_LEAST = 0.005  # of a share that is told
_HALF = 0.5
_NOTHING = Share(0.0, "", "")


class NoPlace(Exception):
    """The page has no such part, or more than one."""


def replaced(page: str, part: str) -> str:
    """A page with the part between its two marks replaced. Raises ``NoPlace``."""
    before, begin, rest = page.partition(BEGIN)
    old, end, after = rest.partition(END)
    if not begin or not end or BEGIN in old + after or END in before + after:
        raise NoPlace(f"the page needs one {BEGIN} and one {END} after it")
    return f"{before}{BEGIN}\n\n{part.strip()}\n\n{END}{after}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table whose first columns are on the left."""
    marks = ["---" if place < left else "---:" for place in range(len(head))]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (head, marks, *rows))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def servers(races: Sequence[Race]) -> str:
    """Which they are and what they make durable."""
    rows = []
    for race in races:
        for name, about in race.servers.items():
            rows.append([f"{name} ({race.title})", about.replace("*", "\\*")])
    return table(["server", "version, and what is durable when it has answered"], rows, 2)


def race_tables(race: Race) -> str:
    """One table for all lines that have the same others beside Folkmoot."""
    return "\n\n".join(_race_table(rows) for rows in _parts(race.results))


def _parts(results: Sequence[Result]) -> list[list[Result]]:
    parts: list[list[Result]] = []
    known: set[str] = set()
    for one in results:
        names = set(one.values)
        if parts and (names <= known or known <= names):
            parts[-1].append(one)
            known |= names
        else:
            parts.append([one])
            known = names
    return parts


def _race_table(results: Sequence[Result]) -> str:
    names = list(dict.fromkeys(name for one in results for name in one.values))
    names.sort(key=lambda name: name != ServerProcess.name)
    others = [name for name in names if name != ServerProcess.name]
    rows = [
        [
            one.name,
            one.unit,
            *(number(one.values[name]) if name in one.values else "" for name in names),
            *(_ratio(one.ratio(name)) for name in others),
            f"{one.cpu:.0%}" if one.cpu else "",
        ]
        for one in results
    ]
    return table(["what", "unit", *names, *(f"÷ {name}" for name in others), "processor"], rows, 2)


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"**{number(ratio)}**" if ratio < _HALF else number(ratio)


def growth_table(race: Race, unit: str) -> str:
    """A column for each size, and how many times the last one is of the first one."""
    rows = []
    for one in race.results:
        first, last = (one.values.get(name) for name in (race.names[0], race.names[-1]))
        times = number(last / first) if first and last else ""
        values = [number(one.values[name]) if name in one.values else "" for name in race.names]
        rows.append([one.name, one.unit, *values, times])
    return table([unit, "", *race.names, "times"], rows, 2)


def profile_table(profile: Profile) -> str:
    """The first of what took the time itself, of what took it with its calls, and of SQLite."""
    columns = (profile.itself, profile.within, profile.database)
    rows = []
    for place in range(_FUNCTIONS):
        row = []
        for shares in columns:
            one = shares[place] if place < len(shares) else _NOTHING
            told = f"{one.share:.0%} `{one.function}` {one.file}".strip()
            row.append(told if one.share >= _LEAST else "")
        if any(row):
            rows.append(row)
    head = ["in the function itself", "with all that it calls", "in the database, of all the time"]
    return table(head, rows, 3)
