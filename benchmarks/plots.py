"""Plots as SVG, readable on light and on dark pages: lines, and how far others are behind."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 900, 280
_LEFT, _TOP, _BOTTOM = 64, 34, 34
_LETTER = 7.2  # the width of one, on average at most
_ROW, _ROWS_LEFT, _ROWS_RIGHT, _ROWS_TOP, _ROWS_BOTTOM = 17, 300, 24, 56, 34
_POINTS = 450
_LETTERS = 15  # between the names of two lines
_LINES = 10  # that have colours of their own
_LIGHT = (
    *("#1f5fa8", "#c8572a", "#2f8f5b", "#7a4fa3", "#a8720c"),
    *("#b3326b", "#257f8c", "#6b6b1f", "#8a4b3a", "#4c5b70"),
)
_DARK = (
    *("#6cb0ff", "#ff9466", "#62d294", "#c79bf2", "#e3b341"),
    *("#ff85b3", "#56d4e0", "#c5c95a", "#d8957f", "#a9b8cc"),
)


def _colored(page: str, ink: str, quiet: str, grid: str, lines: Sequence[str]) -> str:
    rules = [f".page {{ fill: {page} }} .ink {{ fill: {ink} }} .quiet {{ fill: {quiet} }}"]
    rules.append(f".grid {{ stroke: {grid} }} .one {{ stroke: {quiet} }}")
    for place, color in enumerate(lines):
        rules.append(f".f{place} {{ fill: {color} }} .s{place} {{ stroke: {color} }}")
    return "\n".join(rules)


# Pages are light or dark, and pictures in them hear of it (Media Queries 5, 11.5). They have
# a ground of their own: where the page is of the other kind they stay readable.
_STYLE = f"""<style>
svg {{ font: 12px sans-serif }} .bold {{ font-weight: bold }}
.line {{ fill: none; stroke-width: 1.6 }}
{_colored("#ffffff", "#1f2328", "#59636e", "#d8dee4", _LIGHT)}
@media (prefers-color-scheme: dark) {{
{_colored("#0d1117", "#e6edf3", "#9198a1", "#2d333b", _DARK)}
}}
</style>"""


@dataclass(frozen=True)
class Line:
    """Values over times, or over whatever the plot has across."""

    name: str
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True)
class Plot:
    """Lines with one axis; ``across`` is the unit of the other one.

    With ``marks`` each point is marked, and the ticks across are the points themselves.
    """

    title: str
    unit: str
    lines: Sequence[Line]
    logarithmic: bool = False
    across: str = "min"
    across_logarithmic: bool = False
    marks: bool = False


@dataclass(frozen=True)
class Ratios:
    """Rows, each with values of some names, on a logarithmic axis where 1 is marked."""

    title: str
    below: str
    above: str
    rows: Mapping[str, Mapping[str, float]]


def svg(plots: Sequence[Plot]) -> str:
    """The plots below each other."""
    parts = []
    for place, plot in enumerate(plots):
        parts.append(f'<g transform="translate(0 {place * HEIGHT})">')
        parts += _drawn(plot)
        parts.append("</g>")
    return _document(parts, HEIGHT * len(plots))


def svg_of_ratios(ratios: Ratios) -> str:
    """A dot for each value: right of the middle is above 1."""
    names = list(dict.fromkeys(name for row in ratios.rows.values() for name in row))
    values = [value for row in ratios.rows.values() for value in row.values()] or [1.0]
    ticks = _decades([*values, 0.5, 2.0])
    bottom = _ROWS_TOP + _ROW * len(ratios.rows)
    x = _Scale(ticks[0], ticks[-1], _ROWS_LEFT, WIDTH - _ROWS_RIGHT, True)
    parts = [f'<text x="8" y="20" class="ink bold">{escape(ratios.title)}</text>']
    at = float(_ROWS_LEFT)
    for place, name in enumerate(names):
        parts.append(f'<circle cx="{at:.0f}" cy="36" r="4" {_filled(place)}/>')
        parts.append(f'<text x="{at + 9:.0f}" y="40" class="ink">{escape(name)}</text>')
        at += 34 + 7 * len(name)
    for tick in ticks:
        kind = "one" if tick == 1 else "grid"
        parts.append(f'<path d="M{x(tick):.1f} {_ROWS_TOP - 6}V{bottom}" class="{kind}"/>')
        parts.append(_text(x(tick), bottom + 14, f"{tick:,g}", "middle"))
    for place, (row, found) in enumerate(ratios.rows.items()):
        y = _ROWS_TOP + _ROW * place + _ROW / 2
        parts.append(f'<path d="M{_ROWS_LEFT} {y:.1f}H{WIDTH - _ROWS_RIGHT}" class="grid"/>')
        parts.append(_text(_ROWS_LEFT - 10, y + 4, row, "end"))
        for name, value in found.items():
            where = f'cx="{x(value):.1f}" cy="{y:.1f}" r="4"'
            tip = f"<title>{escape(row)}: {value:.2f} times {escape(name)}</title>"
            parts.append(f"<circle {where} {_filled(names.index(name))}>{tip}</circle>")
    parts.append(_text(x(1) - 8, bottom + 29, f"← {ratios.below}", "end", "quiet"))
    parts.append(_text(x(1) + 8, bottom + 29, f"{ratios.above} →", "start", "quiet"))
    return _document(parts, bottom + _ROWS_BOTTOM)


def _document(parts: Sequence[str], height: int) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}">'
    )
    page = f'<rect width="{WIDTH}" height="{height}" class="page"/>'
    return "\n".join([head, _STYLE, page, *parts, "</svg>"]) + "\n"


class _Scale:
    """Where values are on paper."""

    def __init__(self, low: float, high: float, begin: float, end: float, log: bool) -> None:
        self._log = log
        self._low, self._high = (self._seen(each) for each in (low, high))
        self._begin, self._end = begin, end

    def _seen(self, value: float) -> float:
        return math.log10(max(value, 0.001)) if self._log else value

    def __call__(self, value: float) -> float:
        share = (self._seen(value) - self._low) / ((self._high - self._low) or 1)
        return self._begin + share * (self._end - self._begin)


def _drawn(plot: Plot) -> Iterator[str]:
    values = [value for line in plot.lines for value in line.values] or [0.0]
    times = [time for line in plot.lines for time in line.times] or [0.0]
    edge = _edge(plot)
    ticks = _decades(values) if plot.logarithmic else _round(max(values))
    y = _Scale(ticks[0], ticks[-1], HEIGHT - _BOTTOM, _TOP, plot.logarithmic)
    least = min(times) if plot.across_logarithmic else 0
    x = _Scale(least, max(times) or 1, _LEFT, edge, plot.across_logarithmic)
    yield f'<text x="{_LEFT}" y="20" class="ink bold">{escape(plot.title)}</text>'
    yield f'<text x="8" y="20" class="quiet">{escape(plot.unit)}</text>'
    for tick in ticks:
        yield f'<path d="M{_LEFT} {y(tick):.1f}H{edge:.0f}" class="grid"/>'
        yield _text(_LEFT - 6, y(tick) + 4, f"{tick:,g}", "end", "quiet")
    for tick in sorted(set(times)) if plot.marks else _round(max(times) or 1):
        if tick <= (max(times) or 1):
            yield _text(x(tick), HEIGHT - 14, f"{tick:,g} {plot.across}", "middle", "quiet")
    for place, line in enumerate(plot.lines):
        points = [(x(time), y(value)) for time, value in _thinned(line)]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
        yield f'<polyline points="{path}" class="line s{place % _LINES}"/>'
        if plot.marks:
            for across, down in points:
                yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3" {_filled(place)}/>'
    yield from _names(plot, y, edge)


def _edge(plot: Plot) -> float:
    """Where the lines end and their names begin."""
    longest = max((len(line.name) for line in plot.lines), default=0)
    return WIDTH - 20 - max(90, _LETTER * longest)


def _names(plot: Plot, y: _Scale, edge: float) -> Iterator[str]:
    """The name of each line where it ends, moved apart where they would overlap."""
    ends = sorted(
        (y(line.values[-1]), place) for place, line in enumerate(plot.lines) if line.values
    )
    room = HEIGHT - _BOTTOM - _LETTERS * (len(ends) - 1)
    last = -math.inf
    for order, (end, place) in enumerate(ends):
        last = max(min(end, room + _LETTERS * order), last + _LETTERS)
        name = escape(plot.lines[place].name)
        yield f'<text x="{edge + 10:.0f}" y="{last + 4:.1f}" {_filled(place)}>{name}</text>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "ink") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'
    )


def _filled(place: int) -> str:
    return f'class="f{place % _LINES}"'


def _thinned(line: Line) -> Iterator[tuple[float, float]]:
    """At most some hundred points; of each span the highest one."""
    step = max(1, math.ceil(len(line.times) / _POINTS))
    for start in range(0, len(line.times), step):
        yield line.times[start], max(line.values[start : start + step])


def _round(high: float) -> list[float]:
    """Some round numbers from 0 to above a value."""
    rough = max(high, 1e-9) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * each for each in (1, 2, 5, 10) if unit * each >= rough)
    return [step * number for number in range(math.ceil(high / step) + 1)]


def _decades(values: Sequence[float]) -> list[float]:
    low = math.floor(math.log10(max(min(values), 0.01)))
    high = math.ceil(math.log10(max(*values, 0.01)))
    return [10.0**each for each in range(low, max(high, low + 1) + 1)]
