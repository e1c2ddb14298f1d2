"""Config and directory files."""

from __future__ import annotations

import tomllib
from pathlib import Path

from folkmoot.config.describe import sample_config, sample_directory
from folkmoot.config.directory import parse_directory
from folkmoot.config.lines import key_lines
from folkmoot.config.load import ConfigError
from folkmoot.config.rules import parse_config
from tests.fuzz.target import target

_FILE = Path("/x/folkmoot.toml")
_WORDS = (
    b"[", b"]", b"[[", b"]]", b"=", b"\"", b"'", b"\"\"\"", b"'''", b"\\u0000", b"\\UD8000000", b"{", b"}", b",", b".", b"#", b"\n", b"\r\n",
    b"true", b"1979-05-27T07:32:00Z", b"nan", b"inf", b"-1", b"99999999999999999999", b"1e9", b"0x", b"[[listener]]", b"[plan.x]",
    b"port = ", b"\"5 MB\"", b"\"10 days\"", b"address = \"a@b.example\"", b"[server]", b"password = ", b"\xc3\xa9", b"\xff",
)  # fmt: skip


def _lines(data: bytes) -> int:
    return data.count(b"\n") + 1


@target(
    [
        sample_config().encode(),
        b'[server]\nname = "x"\n[[listener]]\nprotocol = "imap"\nport = 1\n',
    ],
    _WORDS,
    base=2,
)
def config_file(data: bytes) -> None:
    """A config file is read, or every problem names a line that is there."""
    try:
        parse_config(data.decode("utf-8", "replace"), _FILE)
    except ConfigError as error:
        assert error.problems
        assert all(each.line is None or 1 <= each.line <= _lines(data) for each in error.problems)


@target(
    [
        sample_directory().encode(),
        b'[[domain]]\nname = "x.example"\n[[account]]\naddress = "a@x.example"\n',
    ],
    _WORDS,
    base=2,
)
def directory_file(data: bytes) -> None:
    """Likewise for the directory."""
    try:
        parse_directory(data.decode("utf-8", "replace"), _FILE)
    except ConfigError as error:
        assert error.problems
        assert all(each.line is None or 1 <= each.line <= _lines(data) for each in error.problems)


@target([b"a = 1\n[b.c]\nd = [1, {e = \"x\"}]\n[[f]]\ng.h = '''\nx'''\n"], _WORDS)
def config_lines(data: bytes) -> None:
    """The lines of all keys of any valid file are found."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    try:
        read = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    found = key_lines(text)
    assert set(read) == {path[0] for path in found if path}
