"""Plots are well-formed, show what they are given, and can be read on any page."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

from benchmarks.plots import HEIGHT, Line, Plot, Ratios, svg, svg_of_ratios

SVG = "{http://www.w3.org/2000/svg}"


def _points(text: str) -> list[list[tuple[float, float]]]:
    lines = re.findall(r'<polyline points="([^"]*)"', text)
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in line.split())]
        for line in lines
    ]


def test_lines_go_up_where_values_grow() -> None:
    """A logarithmic plot has equal steps for equal factors, and higher values further up."""
    line = Line("SELECT <cold>", [10, 100, 1000], [1, 10, 100])
    text = svg([Plot("Growth", "ms", [line], True, "messages", True, True)])
    ElementTree.fromstring(text)
    (points,) = _points(text)
    (x0, y0), (x1, y1), (x2, y2) = points
    assert x0 < x1 < x2
    assert y0 > y1 > y2
    assert abs((x1 - x0) - (x2 - x1)) < 0.2
    assert abs((y1 - y0) - (y2 - y1)) < 0.2
    assert "SELECT &lt;cold&gt;" in text
    assert "1,000 messages" in text


def test_several_plots_lie_below_each_other() -> None:
    """Each plot has its own place, and long lines keep their peaks."""
    values = [0.0] * 5000
    values[4321] = 80.0
    long = Line("many", [float(n) for n in range(5000)], values)
    text = svg([Plot("One", "ms", [long]), Plot("Two", "ms", [])])
    assert ElementTree.fromstring(text).attrib["height"] == str(2 * HEIGHT)
    (points,) = _points(text)
    assert len(points) < 1000
    assert len({y for _, y in points}) == 2  # the peak has not been thinned away


def test_names_of_lines_do_not_overlap() -> None:
    """Lines that end at the same value have names one below the other, within the picture."""
    lines = [Line(f"line {n}", [1, 2], [5, 5]) for n in range(10)]
    root = ElementTree.fromstring(svg([Plot("Same", "ms", lines)]))
    places = sorted(
        float(one.attrib["y"]) for one in root.iter(f"{SVG}text") if "line" in (one.text or "")
    )
    assert all(after - before >= 12 for before, after in itertools.pairwise(places))
    assert places[0] > 0
    assert places[-1] < HEIGHT


def test_ratios_lie_on_their_side_of_one() -> None:
    """What is above 1 is right of the line at 1, what is below is left of it."""
    text = svg_of_ratios(Ratios("Race", "behind", "ahead", {"PUT": {"A": 4.0, "B": 0.25}}))
    root = ElementTree.fromstring(text)
    one = next(each for each in root.iter(f"{SVG}path") if each.attrib["class"] == "one")
    middle = float(one.attrib["d"][1:].split(" ")[0])
    found = {
        title.text: float(circle.attrib["cx"])
        for circle in root.iter(f"{SVG}circle")
        for title in circle
    }
    assert found["PUT: 4.00 times A"] > middle > found["PUT: 0.25 times B"]


def test_light_and_dark_pages_have_their_colours() -> None:
    """Every colour comes from a class that has one for both kinds of pages."""
    text = svg([Plot("P", "ms", [Line("a", [1], [1])])])
    style, _, drawn = text.partition("</style>")
    light, dark = style.split("prefers-color-scheme: dark")
    colors = r"\.(\w+) \{ (?:fill|stroke): #"
    given = set(re.findall(colors, light))
    assert given == set(re.findall(colors, dark))
    used = {word for words in re.findall(r'class="([^"]*)"', drawn) for word in words.split()}
    assert used - {"bold", "line"} <= given
    assert not re.search(r"#[0-9a-f]{3}|white|black|style=", drawn)
    assert drawn.count("<text") == len(re.findall(r"<text [^>]*class=", drawn))
