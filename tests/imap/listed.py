"""Reads LIST, LSUB and STATUS responses for the tests of the mailbox commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.kit.imap import ImapClient, Response

_LIST = re.compile(rb'\* (?:LIST|LSUB) \(([^)]*)\) "/" ("(?:[^"\\]|\\.)*"|[^ ]+)(?: \((.*)\))?\Z')
_STATUS = re.compile(rb"\* STATUS (.+) \(([^()]*)\)\Z")


@dataclass(frozen=True)
class Name:
    """One LIST or LSUB response; the name as printed, without quotes."""

    name: str
    attributes: frozenset[str]
    extended: str


def names(response: Response) -> list[Name]:
    """The LIST or LSUB responses in the order they came."""
    found = []
    for line in response.lines:
        match = _LIST.match(line)
        if match is not None:
            words = frozenset(match[1].decode().split())
            name = match[2].decode().strip('"')
            found.append(Name(name, words, (match[3] or b"").decode()))
    return found


def listed(client: ImapClient, command: str) -> list[str]:
    """The names that a command lists, in order."""
    return [name.name for name in names(client.ok(command))]


def one(client: ImapClient, command: str) -> Name:
    """The only response to a command."""
    [name] = names(client.ok(command))
    return name


def status(client: ImapClient, mailbox: str, items: str) -> dict[str, int]:
    """The values of a STATUS."""
    [line] = client.ok(f"STATUS {mailbox} ({items})").matching("STATUS")
    return values(line)


def values(line: bytes) -> dict[str, int]:
    """The items of one STATUS response."""
    match = _STATUS.match(line)
    assert match is not None, line
    words = match[2].decode().split()
    return {key: int(value) for key, value in zip(words[::2], words[1::2], strict=True)}
