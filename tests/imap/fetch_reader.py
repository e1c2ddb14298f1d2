"""Reads FETCH responses into values: strings are octets however they were sent."""

from __future__ import annotations

import re
from typing import Any

_LABEL = re.compile(rb"[A-Z0-9.]+(?:\[[^\]]*\])?(?:<\d+>)?", re.IGNORECASE)
_QUOTED = re.compile(rb'"((?:[^"\\\r\n]|\\["\\])*)"')
_LITERAL = re.compile(rb"~?\{(\d+)\}\r\n")
_ATOM = re.compile(rb"[^()\s\"{]+")
_ESCAPE = re.compile(rb"\\(.)")


def fetched(line: bytes) -> dict[str, Any]:
    """Return the items of one FETCH response; lists are lists, numbers int, NIL is None."""
    at = line.index(b"FETCH (") + len(b"FETCH (")
    items: dict[str, Any] = {}
    while line[at : at + 1] != b")":
        if line[at : at + 1] == b" ":
            at += 1
        label = _LABEL.match(line, at)
        assert label, line[at : at + 60]
        items[label[0].decode().upper()], at = _value(line, label.end() + 1)
    return items


def _value(line: bytes, at: int) -> tuple[Any, int]:
    if line[at : at + 1] == b"(":
        return _list(line, at + 1)
    if quoted := _QUOTED.match(line, at):
        return _ESCAPE.sub(rb"\1", quoted[1]), quoted.end()
    if literal := _LITERAL.match(line, at):
        end = literal.end() + int(literal[1])
        return line[literal.end() : end], end
    atom = _ATOM.match(line, at)
    assert atom, line[at : at + 60]
    word = atom[0]
    if word.upper() == b"NIL":
        return None, atom.end()
    return int(word) if word.isdigit() else word.decode(), atom.end()


def _list(line: bytes, at: int) -> tuple[list[Any], int]:
    out: list[Any] = []
    while line[at : at + 1] != b")":
        if line[at : at + 1] == b" ":
            at += 1
            continue
        one, at = _value(line, at)
        out.append(one)
    return out, at + 1
