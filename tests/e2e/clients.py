"""The table of clients, ``docs/clients.md``.

Each end-to-end test names the programs that it drives, ``@pytest.mark.client("mbsync")``, and its
docstring says what they do. ``make e2e`` writes the page with versions and results; ``python -m
tests.e2e.clients`` writes it from the tests alone, keeping the versions and results that it has.
What is not from tests stands in ``clients.toml`` beside this module.
"""

from __future__ import annotations

import ast
import platform
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "clients.md"
WORDS: Final = Path(__file__).with_suffix(".toml")
NOT_RUN: Final = ("–", "not run")

_HEAD: Final = "| client | version | what was done | result | test |\n|---|---|---|---|---|\n"
_ROW = re.compile(r"^\| .+? \| (.+?) \| .+ \| (passed|failed|not run) \| `(.+?)` \|$", re.MULTILINE)
_PYTHON: Final = "Python's imaplib"


@dataclass(frozen=True, slots=True)
class Row:
    """An end-to-end test: ``file.py::function``, its programs, and its docstring."""

    test: str
    clients: tuple[str, ...]
    done: str


def declared() -> list[Row]:
    """All end-to-end tests, read from their files; those without programs have none."""
    rows = [row for file in Path(__file__).parent.glob("test_*.py") for row in _declared(file)]
    return sorted(rows, key=lambda row: ([each.casefold() for each in row.clients], row.test))


def _declared(file: Path) -> Iterator[Row]:
    tree = ast.parse(file.read_text())
    shared = [name for each in tree.body if _marks_all(each) for name in _named(each)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            own = [name for each in node.decorator_list for name in _named(each)]
            clients = tuple(own or shared)
            done = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
            yield Row(f"{file.name}::{node.name}", clients, re.sub(r" # rfc\S+", "", done))


def _marks_all(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"


def _named(node: ast.AST) -> list[str]:
    """The programs of the marks for clients in there."""
    return [
        str(word.value)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.client"
        for word in call.args
        if isinstance(word, ast.Constant)
    ]


@cache
def words() -> dict[str, Any]:
    """What stands on the page beside the tests."""
    return tomllib.loads(WORDS.read_text())


@cache
def version(client: str) -> str:
    """What is installed of a program: a package of Debian, or one of Python."""
    if client == _PYTHON:
        return platform.python_version()
    package = words()["debian"].get(client)
    if package is None:
        return metadata.version(client)
    asked = ["dpkg-query", "-W", "-f", "${Version}", package]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    # 1:1.4.4-5+deb12u1 is 1.4.4 for everybody but Debian.
    return re.sub(r"^\d+:|[-+~].*$", "", told)


def versions(row: Row) -> str:
    """Those of all programs of a test."""
    return ", ".join(version(client) for client in row.clients)


def recorded(page: str) -> dict[str, tuple[str, str]]:
    """Version and result of each test that a page tells."""
    return {test: (told, result) for told, result, test in _ROW.findall(page)}


def page(results: Mapping[str, tuple[str, str]]) -> str:
    """The page with these versions and results by test."""
    told = words()
    lines = [told["head"].lstrip(), _HEAD]
    for row in declared():
        seen, result = results.get(row.test, NOT_RUN)
        cells = (", ".join(row.clients), seen, row.done.replace("|", "\\|"), result)
        lines.append(f"| {' | '.join(cells)} | `{row.test}` |\n")
    lines += ["\n", told["otherwise_head"], "\n| client | what | why |\n|---|---|---|\n"]
    lines += [f"| {' | '.join(map(str, each.values()))} |\n" for each in told["otherwise"]]
    lines += ["\n", told["elsewhere_head"], "\n| client | tests |\n|---|---|\n"]
    for each in told["elsewhere"]:
        tests = ", ".join(f"`{name}`" for name in each["tests"])
        lines.append(f"| {each['client']} | {tests} |\n")
    return "".join(lines)


def write(results: Mapping[str, tuple[str, str]]) -> None:
    """Write the page; tests that did not run keep what is known of them."""
    known = recorded(PAGE.read_text()) if PAGE.exists() else {}
    PAGE.write_text(page(known | dict(results)))


if __name__ == "__main__":
    write({})
