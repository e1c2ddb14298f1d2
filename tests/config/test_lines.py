"""The line scanner against TOML as people write it."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.config.lines import KeyPath, key_lines

TEXT = '''# comment with [brackets] and = signs
top = 1
"quoted \\"key\\"" = 2
'literal.key' = 3
a.b . "c" = 4

[server] # trailing
name = "not # a comment, not [a table]"
text = """
[fake]
fake = 1 \\""" still inside
"""
raw = \'\'\'
x = '1' \'\'\'
list = [
  1, # one ]
  "two]",
  [3, 4],
  { five = 5, six.seven = 6 },
]
when = 1979-05-27T07:32:00Z

[[listener]]
port = 1
[listener.tls]
on = true
[[listener]]
port = 2
[[listener.peer]]
name = "x"
[[listener.peer]]
name = "y"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (('quoted "key"',), 3),
        (("literal.key",), 4),
        (("a", "b", "c"), 5),
        (("server",), 7),
        (("server", "name"), 8),
        (("server", "text"), 9),
        (("server", "raw"), 13),
        (("server", "list"), 15),
        (("server", "list", 0), 16),
        (("server", "list", 1), 17),
        (("server", "list", 2, 1), 18),
        (("server", "list", 3, "five"), 19),
        (("server", "list", 3, "six", "seven"), 19),
        (("server", "when"), 21),
        (("listener",), 23),
        (("listener", 0), 23),
        (("listener", 0, "port"), 24),
        (("listener", 0, "tls"), 25),
        (("listener", 0, "tls", "on"), 26),
        (("listener", 1), 27),
        (("listener", 1, "port"), 28),
        (("listener", 1, "peer", 0, "name"), 30),
        (("listener", 1, "peer", 1, "name"), 32),
    ],
)
def test_each_key_has_its_line(path: KeyPath, line: int) -> None:
    """Errors must point at the line that a person has to change."""
    tomllib.loads(TEXT)
    assert key_lines(TEXT)[path] == line


def test_strings_do_not_hide_keys() -> None:
    """No text inside a string is taken for a key."""
    assert not [path for path in key_lines(TEXT) if "fake" in path or "x" in path]


def _paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    found = {path}
    if isinstance(value, dict):
        for name, member in value.items():
            found |= _paths(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            found |= _paths(member, (*path, index))
    return found


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(name)} = {_toml(member)}" for name, member in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_toml(member)}, # ]\n" for member in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return _toml(name)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_TEXTS, _VALUES, max_size=4))
def test_finds_exactly_the_keys_that_the_reader_finds(table: dict[str, Any]) -> None:
    """The scanner and tomllib agree on what keys there are, whatever stands in strings."""
    inline = {name: value for name, value in table.items() if not _has_list_in_table(value)}
    text = "".join(f"{_key(name)} = {_toml(value)}\n" for name, value in inline.items())
    assert set(key_lines(text)) == _paths(tomllib.loads(text))


def _has_list_in_table(value: Any) -> bool:
    """Inline tables must stay on one line, so our multi-line lists cannot be inside."""
    if isinstance(value, dict):
        return "[" in _toml(value) or any(map(_has_list_in_table, value.values()))
    return isinstance(value, list) and any(map(_has_list_in_table, value))
