"""On which line of a TOML file each key stands.

``tomllib`` does not tell, and an error without a line is half an error. The scanner is only used on
text that ``tomllib`` accepted, so it does not judge: it follows the structure of valid TOML 1.0
(https://toml.io/en/v1.0.0) and writes down where keys and list members begin.
"""

from __future__ import annotations

import json
import re
from typing import Final

KeyPath = tuple[str | int, ...]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}#\n]*")
_SPACE: Final = re.compile(r"[ \t]*")
_FILL: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_ESCAPE: Final = re.compile(r"\\(?:U([0-9A-Fa-f]{8})|.)")


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line number (from 1) of each table, key and list member of a valid TOML text."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {(): 1}
        self._counted = 0  # the line breaks before this place ...
        self._line = 1  # ... make this line number
        self._arrays: dict[KeyPath, int] = {}  # number of tables so far of each [[array]]

    def document(self) -> None:
        table: KeyPath = ()
        while True:
            self._match(_FILL)
            if self.at >= len(self.text):
                return
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._assignment(table)

    def _header(self) -> KeyPath:
        line = self._here()
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        path: KeyPath = ()
        names = self._dotted()
        for position, name in enumerate(names):
            path += (name,)
            last = position == len(names) - 1
            if is_array and last:
                self.lines.setdefault(path, line)
                self._arrays[path] = self._arrays.get(path, 0) + 1
            if path in self._arrays:  # a table inside the latest member of an array
                path += (self._arrays[path] - 1,)
        self.lines.setdefault(path, line)
        self.at += 2 if is_array else 1
        return path

    def _assignment(self, table: KeyPath) -> None:
        line = self._here()
        path = table
        for name in self._dotted():
            path += (name,)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._match(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self._here())
        first = self.text[self.at]
        if first == "[":
            self._list(path)
        elif first == "{":
            self._inline_table(path)
        elif first in "\"'":
            self._string()
        else:
            self._match(_SCALAR)

    def _list(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while True:
            self._match(_FILL)
            if self.text[self.at] == "]":
                self.at += 1
                return
            self._value((*path, index))
            index += 1
            self._match(_FILL)
            if self.text[self.at] == ",":
                self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while True:
            self._match(_FILL)
            if self.text[self.at] == "}":
                self.at += 1
                return
            self._assignment(path)
            self._match(_FILL)
            if self.text[self.at] == ",":
                self.at += 1

    def _dotted(self) -> list[str]:
        names = []
        while True:
            self._match(_SPACE)
            if self.text[self.at] in "\"'":
                names.append(_unquoted(self._string()))
            else:
                names.append(self._match(_BARE))
            self._match(_SPACE)
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def _string(self) -> str:
        """Pass one string of any of the four forms; return it with its quotes."""
        start = self.at
        quote = self.text[start]
        triple = self.text.startswith(quote * 3, start)
        end = quote * 3 if triple else quote
        self.at += len(end)
        while not self.text.startswith(end, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(end)
        while triple and self.text.startswith(quote, self.at):
            self.at += 1  # """a"" ends with up to two quotes of its own
        return self.text[start : self.at]

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None or (pattern is _BARE and not match[0]):
            raise ValueError("not valid TOML")
        self.at = match.end()
        return match[0]

    def _here(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line


def _unquoted(name: str) -> str:
    if name[0] == "'":
        return name[1:-1]
    return str(json.loads(_ESCAPE.sub(_as_json, name), strict=False))


def _as_json(escape: re.Match[str]) -> str:
    """TOML's escapes are those of JSON and ``\\UXXXXXXXX``."""
    return json.dumps(chr(int(escape[1], 16)))[1:-1] if escape[1] else escape[0]
