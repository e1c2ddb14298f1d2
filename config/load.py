"""From a TOML file to config values, or to a list of all that is wrong with it.

A problem names the file, the line, the key, what was expected and what was found.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from folkmoot.config.fields import REQUIRED, Array, Key, Named, Node, Section, attribute, nodes
from folkmoot.config.kinds import Kind, WrongValue
from folkmoot.config.lines import KeyPath, key_lines

_T = TypeVar("_T")
_MAX_FILE = 8 * 2**20
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a config file. ``line`` is None when there is no file to read."""

    file: Path
    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.key}: {self.text}" if self.key else f"{place}: {self.text}"


class ConfigError(Exception):
    """The config cannot be used; ``problems`` has one entry for each reason."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(slots=True)
class Document:
    """A TOML file that was read: its values, the lines of its keys, and the problems found."""

    file: Path
    data: dict[str, Any]
    lines: dict[KeyPath, int]
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: KeyPath, expected: str, found: str) -> None:
        """Note that a key does not have a value that it can have."""
        self.note(path, f"expected {expected}, found {found}")

    def note(self, path: KeyPath, text: str) -> None:
        """Note any other problem with a key."""
        self.problems.append(Problem(self.file, self.line(path), dotted(path), text))

    def line(self, path: KeyPath) -> int:
        """The line of a key, or of the nearest table around it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def finish(self) -> None:
        """Raise ``ConfigError`` if any problem was noted."""
        if self.problems:
            raise ConfigError(sorted(self.problems, key=lambda problem: problem.line or 0))


def dotted(path: KeyPath) -> str:
    """A key path as people write it: ``listener[0].port``."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            plain = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            out += ("." if out else "") + (part if plain else json.dumps(part))
    return out


def read_document(file: Path) -> Document:
    """Read a TOML file; raises ``ConfigError`` when it cannot be read or is not TOML."""
    try:
        with file.open("rb") as stream:
            octets = stream.read(_MAX_FILE + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise ConfigError([Problem(file, None, "", f"cannot read the file: {reason}")]) from None
    if len(octets) > _MAX_FILE:
        raise ConfigError([Problem(file, None, "", "the file is larger than 8 MiB")])
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        problem = Problem(file, line, "", "expected UTF-8 text, found other octets")
        raise ConfigError([problem]) from None
    return parse_document(text, file)


def parse_document(text: str, file: Path) -> Document:
    """Parse TOML text that came from ``file``; raises ``ConfigError`` when it is not TOML."""
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        where = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        line = int(where[1]) if where else text.count("\n") + 1
        reason = re.sub(r" \(at .*\)$", "", str(error))
        problem = Problem(file, line, "", f"this is not valid TOML: {reason}")
        raise ConfigError([problem]) from None
    return Document(file, data, key_lines(text))


def build(cls: type[_T], document: Document) -> _T | None:
    """Make a config object of a document. Problems are noted in it; None when there are any."""
    before = len(document.problems)
    values = _table(cls, document.data, (), document)
    return cls(**values) if len(document.problems) == before else None


def _table(cls: type, table: dict[str, Any], path: KeyPath, document: Document) -> dict[str, Any]:
    """The keyword arguments for a config class; incomplete if problems were noted."""
    known = nodes(cls)
    for name in table:
        if name not in known:
            document.note((*path, name), "unknown key" + _suggestion(name, known))
    values: dict[str, Any] = {}
    for name, node in known.items():
        here = (*path, name)
        if name in table:
            values[attribute(name)] = _node(node, table[name], here, document)
        elif isinstance(node, Key) and node.default is REQUIRED:
            document.note(here, f"this key is required: {node.help}")
        elif isinstance(node, Section) and _needs_keys(node.cls):
            values[name] = _node(node, {}, here, document)
    return values


def _node(node: Node, value: object, path: KeyPath, document: Document) -> Any:
    match node:
        case Key():
            return _value(node.kind, value, path, document)
        case Section():
            return _section(node.cls, value, path, document)
        case Array():
            if not isinstance(value, list):
                document.wrong(path, f"tables [[{dotted(path)}]]", describe_value(value))
                return None
            return tuple(
                _section(node.cls, member, (*path, index), document)
                for index, member in enumerate(value)
            )
        case Named():
            return _named(node, value, path, document)


def _named(node: Named, value: object, path: KeyPath, document: Document) -> Any:
    if not isinstance(value, dict):
        document.wrong(path, f"tables [{dotted(path)}.NAME]", describe_value(value))
        return None
    for name in value:
        if not _NAME.fullmatch(name):
            document.wrong((*path, name), "a name of a-z, 0-9, - and _", json.dumps(name))
    return {
        name: _section(node.cls, member, (*path, name), document) for name, member in value.items()
    }


def _section(cls: type, value: object, path: KeyPath, document: Document) -> Any:
    if not isinstance(value, dict):
        document.wrong(path, "a table of keys", describe_value(value))
        return None
    before = len(document.problems)
    values = _table(cls, value, path, document)
    return cls(**values) if len(document.problems) == before else None


def _value(kind: Kind, value: object, path: KeyPath, document: Document) -> Any:
    if kind.member is not None and isinstance(value, list) and value:
        # One by one, so that an error names the member and its line.
        members = enumerate(value)
        return tuple(_value(kind.member, item, (*path, n), document) for n, item in members)
    try:
        return kind.parse(value, document.file.parent)
    except WrongValue as error:
        document.wrong(path, str(error), describe_value(value, secret=kind.secret))
        return None


def _needs_keys(cls: type) -> bool:
    return any(
        (isinstance(node, Key) and node.default is REQUIRED)
        or (isinstance(node, Section) and _needs_keys(node.cls))
        for node in nodes(cls).values()
    )


def _suggestion(name: str, known: dict[str, Node]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; expected one of {', '.join(known)}"


def describe_value(value: object, *, secret: bool = False) -> str:
    """What was found, for an error: short, and never a secret."""
    match value:
        case str() if secret:
            return f"a text of {len(value)} characters"
        case str():
            shown = json.dumps(value if len(value) <= 60 else value[:57] + "...")
            return f"the text {shown}"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a table"
        case list():
            return "a list" if value else "an empty list"
        case _:
            return str(value)[:60]
