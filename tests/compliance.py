"""Which sections of RFCs the code and the tests name, as a page.

``python -m tests.compliance`` writes ``docs/compliance.md``. References look like ``rfc9051#6.4.5``
(comments) or ``RFC 9051 section 6.4.5`` (docstrings). What the RFCs are, which sections they have
and what of them is left out stands in ``compliance.toml`` beside this module.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "compliance.md"
TABLE: Final = Path(__file__).with_suffix(".toml")
_TOPS: Final = ("server", "protocols", "sharing", "quota", "auth", "storage", "config", "tests")
WHOLE: Final = ""  # stands for a mention of an RFC without a section

_ONE = r"(?:[Aa]ppendix[ -][A-Z](?:\.\d+)*|\d+(?:\.\d+)*)"
_LIST = rf"{_ONE}(?:(?:,?\s+and\s+|,\s+|\s+to\s+|-){_ONE}\b)*"
_REFERENCE = re.compile(
    rf"\brfc(\d+)#({_LIST})|\bRFC\s+(\d+)(?:,?\s+(?:sections?\s+|(?=appendix))({_LIST}))?"
)
_LINE_END = re.compile(r"\n\s*#?:?\s*")
_HEAD: Final = """# RFC map

Which sections of which RFC the code names where it follows them, and which tests name them.
`python -m tests.compliance` makes this page from references like `rfc9051#6.4.5` in comments and
docstrings; `tests/arch/test_compliance.py` fails when it is out of date, or when a reference is to
a section that the RFC does not have. A section that no line names may be obeyed all the same: much
of an RFC is nothing that one line does. What is not done stands under "Left out, or done
otherwise", and with more words in [limits.md](limits.md).
"""


@dataclass(slots=True)
class Named:
    """The files that name one section."""

    code: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Rfc:
    """One entry of the table; ``known`` is None where the RFC's sections are not stored."""

    number: int
    area: str
    title: str
    about: str
    known: frozenset[str] | None
    capabilities: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def _between(first: str, last: str) -> Iterator[str]:
    """``3.1`` to ``3.12``, or ``A`` to ``F``: they differ in what comes last."""
    head, dot, low = first.rpartition(".")
    high = last.rpartition(".")[2]
    if low.isdigit():
        yield from (f"{head}{dot}{number}" for number in range(int(low), int(high) + 1))
    else:
        yield from (chr(letter) for letter in range(ord(low), ord(high) + 1))


def _known(entry: Mapping[str, Any]) -> frozenset[str] | None:
    """The sections of an RFC, from ``1.1-3 2``; the ones above them are meant as well."""
    if "sections" not in entry:
        return None
    found = set()
    for word in entry["sections"].split():
        first, _, last = word.partition("-")
        for section in _between(first, last or first):
            parts = section.split(".")
            found |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    for word in entry.get("appendices", "").split():
        first, _, last = word.partition("-")
        found |= {f"appendix-{letter}" for letter in _between(first, last or first)}
    return frozenset(found)


@cache
def rfcs() -> Mapping[int, Rfc]:
    """The table, by number, in its own order."""
    found = {}
    for area, entries in tomllib.loads(TABLE.read_text(encoding="utf-8")).items():
        for number, entry in entries.items():
            found[int(number)] = Rfc(
                int(number),
                area,
                entry["title"],
                entry["about"],
                _known(entry),
                tuple(entry.get("capabilities", "").split()),
                tuple((section, why) for section, why in entry.get("left_out", ())),
            )
    return found


def references(text: str) -> Iterator[tuple[int, str]]:
    """What a text refers to: RFC and section, or ``WHOLE``."""
    for match in _REFERENCE.finditer(_LINE_END.sub(" ", text)):
        number, listed = int(match[1] or match[3]), match[2] or match[4]
        if listed is None:
            yield number, WHOLE
            continue
        last = ""
        for joint, section in re.findall(rf"(\s+to\s+|-(?=\d))?({_ONE})", listed):
            section = re.sub("[Aa]ppendix[ -]", "appendix-", section)
            through = list(_between(last, section))[1:] if joint else [section]
            yield from ((number, each) for each in through)
            last = section


def _files() -> Iterator[Path]:
    apart = {Path(__file__).resolve(), ROOT / "tests" / "arch" / "test_compliance.py"}
    for top in _TOPS:
        yield from (path for path in sorted((ROOT / top).rglob("*.py")) if path not in apart)


def collect() -> Mapping[int, Mapping[str, Named]]:
    """All references of the project: by RFC, by section."""
    found: dict[int, dict[str, Named]] = {}
    for path in _files():
        name = path.relative_to(ROOT).as_posix()
        for number, section in references(path.read_text(encoding="utf-8")):
            named = found.setdefault(number, {}).setdefault(section, Named())
            (named.tests if name.startswith("tests/") else named.code).add(name)
    return found


def mistakes() -> list[str]:
    """References to RFCs that the table lacks, and to sections that an RFC does not have."""
    found = []
    for number, sections in sorted(collect().items()):
        rfc = rfcs().get(number)
        if rfc is None:
            found.append(f"RFC {number} is not in {TABLE.name}")
        elif rfc.known is not None:
            wrong = [each for each in sections if each and each not in rfc.known]
            for section in wrong:
                files = sections[section].code | sections[section].tests
                found.append(f"RFC {number} has no section {section}: {', '.join(sorted(files))}")
    for rfc in rfcs().values():
        for section, _ in rfc.left_out:
            if section and rfc.known is not None and section not in rfc.known:
                found.append(f"RFC {rfc.number} has no section {section}: {TABLE.name}")
    return found


def _order(section: str) -> tuple[bool, list[int], str]:
    numbered = section[:1].isdigit() or section == WHOLE
    return not numbered, [int(part) for part in section.split(".") if part.isdigit()], section


def _linked(number: int, section: str) -> str:
    if section == WHOLE:
        return "as a whole"
    return f"[{section}](https://www.rfc-editor.org/rfc/rfc{number}#section-{section})".replace(
        "#section-appendix", "#appendix"
    )


def _paths(names: Iterable[str]) -> str:
    return ", ".join(f"`{name.removesuffix('.py')}`" for name in sorted(names)) or "–"


def _entry(rfc: Rfc, sections: Mapping[str, Named]) -> Iterator[str]:
    yield f"\n### RFC {rfc.number}: {rfc.title}\n"
    offered = f" Offered as {', '.join(rfc.capabilities)}." if rfc.capabilities else ""
    yield f"{rfc.about}.{offered}\n"
    if sections:
        yield "| Section | Implemented in | Tested in |\n|---|---|---|"
    for section in sorted(sections, key=_order):
        named = sections[section]
        yield f"| {_linked(rfc.number, section)} | {_paths(named.code)} | {_paths(named.tests)} |"
    if rfc.left_out:
        yield "\nLeft out, or done otherwise:\n"
    for section, why in rfc.left_out:
        yield f"- {_linked(rfc.number, section)}: {why}"


def _overview(area: Iterable[Rfc], found: Mapping[int, Mapping[str, Named]]) -> Iterator[str]:
    """How many sections of each RFC are named, and how many of these by tests as well."""
    yield "\n| RFC | | Sections in code | of these in tests | Left out |\n|---|---|---:|---:|---:|"
    for rfc in area:
        sections = {each: named for each, named in found.get(rfc.number, {}).items() if each}
        code = [named for named in sections.values() if named.code]
        tested = [named for named in code if named.tests]
        link = f"https://www.rfc-editor.org/rfc/rfc{rfc.number}"
        counts = " | ".join(str(len(each) or "–") for each in (code, tested, rfc.left_out))
        yield f"| [{rfc.number}]({link}) | {rfc.title} | {counts} |"


def page() -> str:
    """The text of ``docs/compliance.md``."""
    found = collect()
    lines = [_HEAD]
    for area in dict.fromkeys(rfc.area for rfc in rfcs().values()):
        lines.append(f"- [{area}](#{re.sub('[^a-z-]', '', area.lower().replace(' ', '-'))})")
    for area, entries in groupby(rfcs().values(), lambda rfc: rfc.area):
        inside = list(entries)
        lines.append(f"\n## {area}")
        lines.extend(_overview(inside, found))
        for rfc in inside:
            lines.extend(_entry(rfc, found.get(rfc.number, {})))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for mistake in mistakes():
        print(mistake)
    PAGE.write_text(page(), encoding="utf-8")
