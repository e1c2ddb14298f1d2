"""Almost valid commands in every state of a connection: the server answers, and lives on."""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from folkmoot.protocols.imap import registry
from tests.fuzz.mutate import mutate
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer

COMMANDS = 400  # for each state
ANSWERED = 20  # of them at least; on a slow machine silence may be taken for waiting
SILENCE = 0.05  # seconds after which the server waits for more (a literal, a SASL response)


class Trouble(logging.Handler):
    """Collects what must not happen: errors in the log, failures that nobody handled."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """A record of the standard log."""
        self.found.append(self.format(record))

    def __call__(self, event: dict[str, Any]) -> None:
        """An event of Twisted's log."""
        if event.get("log_failure") is not None:
            self.found.append(event["log_failure"].getTraceback())


@pytest.fixture
def trouble() -> Iterator[Trouble]:
    """What goes wrong during a test."""
    trouble = Trouble()
    logging.getLogger().addHandler(trouble)
    globalLogPublisher.addObserver(trouble)  # type: ignore[arg-type]
    yield trouble
    globalLogPublisher.removeObserver(trouble)  # type: ignore[arg-type]
    logging.getLogger().removeHandler(trouble)


class Fuzzer:
    """Keeps a connection in one state and sends it what may throw it out of there."""

    def __init__(self, connect: Callable[[], ImapClient], lead: bytes) -> None:
        self._connect = connect
        self._lead = lead
        self._client: ImapClient | None = None
        self._number = 0
        self.answered = 0

    def send(self, data: bytes) -> bytes:
        """Send one input and a NOOP; returns what came until that was answered."""
        if self._client is None:
            self._client = self._connect()
            self._client.socket.settimeout(SILENCE)
        self._number += 1
        mark = b"sync%d " % self._number
        said = b""
        try:
            self._client.send(self._lead % self._number + data + b"\r\n")
            self._client.send(mark + b"NOOP\r\n")
            while b"\n" + mark not in b"\n" + said:
                received = self._client.socket.recv(65536)
                if not received:
                    # Behind this answer, BYE is compressed.
                    squeezed = b" OK Compression begins\r\n" in said
                    assert b"* BYE" in said or squeezed, (data, said)
                    raise EOFError
                said += received
            self.answered += 1
        except (EOFError, TimeoutError, ConnectionError):
            self.close()
        return said

    def close(self) -> None:
        """Drop the connection, in the middle of whatever it does."""
        if self._client is not None:
            self._client.close()
            self._client = None


@pytest.fixture
def account(server: TestServer) -> TestAccount:
    """An account with some mail."""
    account = server.account()
    client = server.imap(account)
    for number in range(5):
        client.append("INBOX", simple(f"message {number}"))
    client.ok("CREATE Work/Plans")
    client.close()
    return account


@pytest.mark.parametrize("state", ["not authenticated", "authenticated", "selected", "idling"])
def test_fuzz(server: TestServer, account: TestAccount, trouble: Trouble, state: str) -> None:
    """No input makes the server fail, say SERVERBUG, close without BYE, or harm another session."""
    registry.load()
    seeds = [entry.example for entry in registry.all_commands()] + [b"DONE", b"XYZZY"]
    witness_account = server.account()
    witness = server.imap(witness_account, select="INBOX")

    def connect() -> ImapClient:
        if state == "not authenticated":
            return server.imap()
        return server.imap(account, select=None if state == "authenticated" else "INBOX")

    # In IDLE, the input is the line that should be DONE.
    fuzzer = Fuzzer(connect, b"f%d IDLE\r\n" if state == "idling" else b"f%d ")
    rng = random.Random(state)
    for number in itertools.count():
        if number >= COMMANDS and fuzzer.answered >= ANSWERED:
            break
        assert number < 20 * COMMANDS, "the inputs are not looked at"
        data = mutate(rng, seeds)
        said = fuzzer.send(data)
        assert b"SERVERBUG" not in said, (data, said)
        assert b"Internal error" not in said, (data, said)
        assert not trouble.found, (data, trouble.found)
    fuzzer.close()
    witness.ok("NOOP")
    with contextlib.closing(server.imap(account, select="INBOX")) as again:
        again.ok('SETQUOTA "" ()')  # an input may have set a limit, which is no harm
        again.append("INBOX", simple())
        again.ok("FETCH 1:* (FLAGS ENVELOPE)")
    gc.collect()  # failures that nobody handled are told when they are collected
    witness.ok("NOOP")
    assert not trouble.found
