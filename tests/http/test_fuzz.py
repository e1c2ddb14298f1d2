"""Mutated requests: every connection ends or goes on in good order, and nothing unknown happens."""

from __future__ import annotations

import logging
import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer  # type: ignore[import-untyped]

from tests.http.conftest import MakeWeb
from tests.kit.clock import HandClock
from tests.kit.http import HttpClient, basic
from tests.kit.waiting import until

SEEDS = [
    b"GET /dav/show/a%20b?x=1 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
    b"PUT /dav/spool HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT /dav/read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n0\r\n\r\n",
    b"PUT /dav/full HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    b"PROPFIND /dav/pieces HTTP/1.1\r\nHost: x\r\nDepth: 0\r\nConnection: close\r\n\r\n",
    b"OPTIONS * HTTP/1.0\r\n\r\n",
]
PIECES = [
    b"\r\n",
    b"\n",
    b"\0",
    b" ",
    b"%",
    b"%2e",
    b"/",
    b"..",
    b":",
    b"0",
    b"-1",
    b"\xff",
    b"9" * 30,
]


def mutated(chance: random.Random, login: bytes) -> bytes:
    """A few seeds in a row, each damaged in some places."""
    out = bytearray()
    for _ in range(chance.randint(1, 3)):
        data = bytearray(
            chance.choice(SEEDS).replace(b"\r\n", b"\r\nAuthorization: " + login + b"\r\n", 1)
        )
        for _ in range(chance.randint(0, 3)):
            place = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    del data[place : place + chance.randint(1, 8)]
                case 1:
                    data[place:place] = chance.choice(PIECES)
                case 2:
                    data[place:place] = data[place : place + chance.randint(1, 40)]
                case _:
                    data[place : place + 1] = bytes([chance.randrange(256)])
        out += data
    return bytes(out)


@implementer(ILogObserver)
class Failures:
    """What Twisted had to catch."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        """See one event."""
        if event.get("log_failure") is not None:
            self.events.append(event)


@pytest.fixture
def failures() -> Iterator[Failures]:
    """Failures that reach the reactor while the test runs."""
    seen = Failures()
    observer: Any = seen
    globalLogPublisher.addObserver(observer)
    yield seen
    globalLogPublisher.removeObserver(observer)


def _end(client: HttpClient, clock: HandClock) -> None:
    """Let time pass until the server has given up what was sent."""
    client.socket.settimeout(0.01)
    for _ in range(1000):
        if client.at_end():
            return
        clock.advance(100)
    raise AssertionError("it hangs")


@pytest.mark.parametrize("seed", range(12))
def test_mutated_requests(
    make_web: MakeWeb, caplog: pytest.LogCaptureFixture, failures: Failures, seed: int
) -> None:
    """No request, however broken, hangs, or reaches code that did not expect it."""
    chance = random.Random(seed)
    clock = HandClock()
    with caplog.at_level(logging.WARNING), make_web(clock=clock) as web:
        login = basic(web.account.address, web.account.password).encode()
        for _ in range(60):
            with web.client(login=False) as client:
                try:
                    data = mutated(chance, login)
                    cut = chance.randrange(len(data) + 1)
                    client.send(data[:cut])
                    client.send(data[cut:])
                    if chance.random() < 0.8:
                        client.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                _end(client, clock)
        until(lambda: not web.factory.connections)
        with web.client() as client:
            assert client.request("GET", "/dav/show").status == 200
    assert [one.getMessage() for one in caplog.records] == []
    assert failures.events == []
