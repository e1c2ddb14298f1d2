"""Text values of a vCard: with backslashes, and cut into the parts of structured values."""

from __future__ import annotations

import re

# Beside what rfc6350#3.4 lists, old Apple programs write `http\://`.
_ESCAPED = re.compile(r"\\([nN,;:\\])")
_NEEDS_ESCAPE = re.compile(r"[\\,;]|\r\n|[\r\n]")
_PIECES = {
    separator: re.compile(rf"((?:[^\\{separator}]+|\\.|\\$)*+)(?:{separator}|$)", re.DOTALL)
    for separator in ";,"
}


def unescape(value: str) -> str:
    """Return a value without its backslashes. # rfc6350#3.4

    A backslash before anything that needs none is a character like others.
    """
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def escape(text: str) -> str:
    """Return text as a value: the backslash, `,`, `;` and line ends with a backslash."""
    # rfc6350#3.4
    return _NEEDS_ESCAPE.sub(
        lambda match: "\\n" if match[0][0] in "\r\n" else "\\" + match[0], text
    )


def split(value: str, separator: str = ";") -> list[str]:
    """Return the parts of a structured value (`;`) or of a list (`,`), still escaped."""
    # rfc6350#3.4
    if "\\" not in value:
        return value.split(separator)
    parts = _PIECES[separator].findall(value)
    # The pattern finds one more, empty, behind a part that is not followed by a separator.
    return parts if _open_ended(value, separator) else parts[:-1]


def _open_ended(value: str, separator: str) -> bool:
    if not value.endswith(separator):
        return False
    backslashes = len(value) - 1 - len(value[:-1].rstrip("\\"))
    return backslashes % 2 == 0
