"""What comes into the log from clients."""

from __future__ import annotations

import json
import logging
import re

from folkmoot.server.logs import MAX_LINE, JsonFormat, Mask, TextFormat, mask
from tests.fuzz.target import target

_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]")
_SEEDS = (
    b'a LOGIN alice "secret \\" word"', b"AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==", b"Authorization: Basic YWxpY2U6c2VjcmV0",
    b"password=secret, token: 'secret'", b"postgresql://folkmoot:secret@host/x", b"line\r\nline\x1b[2J\xc2\x85\xe2\x80\xa8",
)  # fmt: skip


@target(
    _SEEDS,
    [
        b"LOGIN ",
        b"AUTH PLAIN ",
        b"Bearer ",
        b"password",
        b"secret=",
        b"://",
        b"@",
        b'"',
        b"\\",
        b"'",
        b" ",
        b":",
        b"=",
        b"\n",
        b"\x1b",
        b"+a",
        b'token"',
    ],
)
def log_lines(data: bytes) -> None:
    """One line comes out, of bounded length, without control characters, in little time."""
    text = data.decode("utf-8", "replace")
    assert len(mask(text)) <= 3 * MAX_LINE
    record = logging.LogRecord("folkmoot.x", logging.INFO, "", 0, "%s", (text,), None)
    record.__dict__.update({"peer": text, "why": data, "password": text})
    Mask().filter(record)
    line = TextFormat().format(record)
    assert _CONTROL.search(line) is None
    assert len(line) <= MAX_LINE
    read = json.loads(JsonFormat().format(record))
    assert read["password"] == "***"


@target([b"x", b"hunter2horse"], [b'"', b"'", b"\\", b"=", b"/", b"+", b"a"])
def log_secrets(data: bytes) -> None:
    """A password does not stand in the log, in whatever command it came."""
    word = "".join(each for each in data.decode("latin-1") if each.isalnum() and each.isascii())
    if len(word) < 8:
        return
    for said in (
        f"a LOGIN alice {word}",
        f'a LOGIN "al ice" "{word}"',
        f"AUTHENTICATE PLAIN {word}",
        f"Authorization: Basic {word}",
        f"password={word}",
        f"postgresql://folkmoot:{word}@host/x",
    ):
        assert word not in mask(said)
