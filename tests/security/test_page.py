"""The page about security names tests and modules that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_FILE = re.compile(r"`((?:[a-z]+/)+[\w.]*\w\.py|(?:[a-z]+/)+)`")
_LINK = re.compile(r"\]\(([\w.-]+\.md)\)")


def test_each_test_exists() -> None:
    """A threat is covered only as long as its test is there, under this name."""
    named = _TEST.findall(PAGE)
    assert len(named) > 100
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_each_module_exists() -> None:
    """So do modules, folders and pages."""
    named = {*_FILE.findall(PAGE), *(f"docs/{page}" for page in _LINK.findall(PAGE))}
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_each_threat_has_a_test() -> None:
    """Every threat names what shows that something is done against it."""
    threats = PAGE.partition("## Getting in")[2].partition("## What is not defended")[0]
    rows = [line for line in threats.splitlines() if line.startswith("| ")]
    stated = [row for row in rows if not row.startswith(("| threat ", "| ---"))]
    assert len(stated) > 50
    assert [
        row for row in stated if "tests/" not in row.rpartition("|")[0].rpartition("|")[2]
    ] == []
