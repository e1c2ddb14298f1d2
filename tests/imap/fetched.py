"""Shortcuts of the FETCH and STORE tests: mailboxes with messages, and what FETCH says."""

from __future__ import annotations

import re

from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

AT_ONCE = 400  # messages of one APPEND

_LITERAL = re.compile(rb"([A-Z0-9.]+(?:\[[^\]]*\])?(?:<\d+>)?) ~?\{(\d+)\}\r\n")


def fill(client: ImapClient, number: int) -> list[bytes]:
    """Append small messages with the subjects 1, 2, … to INBOX; returns them."""
    messages = [simple(str(n)) for n in range(1, number + 1)]
    for start in range(0, number, AT_ONCE):
        batch = messages[start : start + AT_ONCE]
        response = client.cmd(
            b"APPEND INBOX" + b"".join(b" {%d+}\r\n%b" % (len(m), m) for m in batch)
        )
        assert response.status == "OK", response
    return messages


def filled(server: TestServer, number: int) -> ImapClient:
    """A session of a new account with messages in its selected INBOX."""
    client = server.imap(server.account())
    fill(client, number)
    client.ok("SELECT INBOX")
    return client


def with_message(server: TestServer, message: bytes) -> ImapClient:
    """A session of a new account with this message in its selected INBOX."""
    client = server.imap(server.account())
    # ~{…}: the message may hold NUL
    client.ok(b"APPEND INBOX ~{%d+}\r\n%b" % (len(message), message))
    client.ok("SELECT INBOX")
    return client


def literals(line: bytes) -> dict[bytes, bytes]:
    """The literals of a FETCH response by their labels."""
    found: dict[bytes, bytes] = {}
    position = 0
    while match := _LITERAL.search(line, position):
        position = match.end() + int(match[2])
        found[match[1]] = line[match.end() : position]
    return found


def modseq(line: bytes) -> int:
    """The MODSEQ of a FETCH response."""
    match = re.search(rb"MODSEQ \((\d+)\)", line)
    assert match is not None, line
    return int(match[1])
