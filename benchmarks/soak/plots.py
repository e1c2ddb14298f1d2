"""Plots of lines as SVG, for the few that a report has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 900, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 34, 34
_COLORS = ("#1f5fa8", "#c8572a", "#2f8f5b", "#7a4fa3")
_POINTS = 450


@dataclass(frozen=True)
class Line:
    """Values over minutes."""

    name: str
    times: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True)
class Plot:
    """Lines with one axis."""

    title: str
    unit: str
    lines: Sequence[Line]
    logarithmic: bool = False


def svg(plots: Sequence[Plot]) -> str:
    """The plots below each other."""
    total = HEIGHT * len(plots)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" '
        f'width="{WIDTH}" height="{total}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{total}" fill="white"/>',
    ]
    for place, plot in enumerate(plots):
        parts.append(f'<g transform="translate(0 {place * HEIGHT})">')
        parts += _drawn(plot)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Scale:
    """Where values are on paper."""

    def __init__(self, low: float, high: float, begin: float, end: float, log: bool) -> None:
        self._log = log
        self._low, self._high = (self._seen(each) for each in (low, high))
        self._begin, self._end = begin, end

    def _seen(self, value: float) -> float:
        return math.log10(max(value, 0.01)) if self._log else value

    def __call__(self, value: float) -> float:
        share = (self._seen(value) - self._low) / ((self._high - self._low) or 1)
        return self._begin + share * (self._end - self._begin)


def _drawn(plot: Plot) -> Iterator[str]:
    values = [value for line in plot.lines for value in line.values] or [0.0]
    times = [time for line in plot.lines for time in line.times] or [0.0]
    ticks = _decades(values) if plot.logarithmic else _round(0, max(values))
    y = _Scale(ticks[0], ticks[-1], HEIGHT - _BOTTOM, _TOP, plot.logarithmic)
    x = _Scale(0, max(times) or 1, _LEFT, WIDTH - _RIGHT, False)
    yield f'<text x="{_LEFT}" y="20" font-weight="bold">{escape(plot.title)}</text>'
    yield f'<text x="8" y="20" fill="#555">{escape(plot.unit)}</text>'
    for tick in ticks:
        at = y(tick)
        yield f'<path d="M{_LEFT} {at:.1f}H{WIDTH - _RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{tick:,g}</text>'
    for tick in _round(0, max(times) or 1):
        if tick <= (max(times) or 1):
            where = f'x="{x(tick):.1f}" y="{HEIGHT - 14}" text-anchor="middle"'
            yield f"<text {where}>{tick:g} min</text>"
    for place, (line, color) in enumerate(zip(plot.lines, _COLORS, strict=False)):
        points = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in _thinned(line))
        yield f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        at = _TOP + 14 + 18 * place
        yield f'<rect x="{WIDTH - _RIGHT + 12}" y="{at - 9}" width="12" height="4" fill="{color}"/>'
        yield f'<text x="{WIDTH - _RIGHT + 30}" y="{at - 3}">{escape(line.name)}</text>'


def _thinned(line: Line) -> Iterator[tuple[float, float]]:
    """At most some hundred points; of each span the highest one."""
    step = max(1, math.ceil(len(line.times) / _POINTS))
    for start in range(0, len(line.times), step):
        span = slice(start, start + step)
        yield line.times[start], max(line.values[span])


def _round(low: float, high: float) -> list[float]:
    """Some round numbers from one value to above the other."""
    rough = max(high - low, 1e-9) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * each for each in (1, 2, 5, 10) if unit * each >= rough)
    return [low + step * number for number in range(math.ceil((high - low) / step) + 1)]


def _decades(values: Sequence[float]) -> list[float]:
    low = math.floor(math.log10(max(min(values), 0.1)))
    high = math.ceil(math.log10(max(*values, 1.0)))
    return [10.0**each for each in range(low, max(high, low + 1) + 1)]
