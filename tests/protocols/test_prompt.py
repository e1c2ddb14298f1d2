"""Short answers that go to TCP at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import task, tcp
from twisted.internet.protocol import Protocol

from folkmoot.protocols import prompt


class Watched(task.Clock):
    """A reactor that only notes who wants to be told when it may write."""

    def __init__(self) -> None:
        super().__init__()
        self.writers: set[Any] = set()

    def addWriter(self, one: Any) -> None:
        self.writers.add(one)

    def removeWriter(self, one: Any) -> None:
        self.writers.discard(one)

    def addReader(self, one: Any) -> None:
        pass

    def removeReader(self, one: Any) -> None:
        pass


@pytest.fixture
def ends() -> Iterator[tuple[Any, socket.socket]]:
    """Twisted's transport, and a client at the other end."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.settimeout(10)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    transport: Any = tcp.Connection(near, Protocol(), Watched())  # type: ignore[arg-type]
    transport.connected = 1
    with near, far:
        yield transport, far


def test_a_short_answer_does_not_wait_for_the_reactor(
    ends: tuple[Any, socket.socket],
) -> None:
    """It is with the client before the reactor was asked for anything."""
    transport, client = ends
    prompt.write(transport, b"* OK\r\n")
    assert client.recv(100) == b"* OK\r\n"
    assert transport.reactor.writers == set()


def test_what_has_no_room_is_sent_in_its_order(
    ends: tuple[Any, socket.socket],
) -> None:
    """Octets that TCP does not take, and all behind them, go out later, none twice."""
    transport, client = ends
    pieces = [bytes([65 + number]) * 30_000 for number in range(20)]
    for piece in pieces:
        prompt.write(transport, piece)
    assert transport.reactor.writers == {transport}
    heard = b""
    while len(heard) < 600_000:
        heard += client.recv(65536)
        if transport.reactor.writers:
            transport.doWrite()
    assert heard == b"".join(pieces)
    prompt.write(transport, b"end")
    assert client.recv(100) == b"end"


def test_a_client_that_is_gone(ends: tuple[Any, socket.socket]) -> None:
    """Writing to it does not fail here: the reactor is left to find out."""
    transport, client = ends
    client.close()
    prompt.write(transport, b"anybody?")
    assert transport.reactor.writers == {transport}


@pytest.mark.parametrize("state", ["connected", "TLS", "disconnecting"])
def test_only_plain_open_connections(
    ends: tuple[Any, socket.socket], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After STARTTLS nothing may pass the encryption by, and what is closed is not written to."""
    transport, client = ends
    written: list[bytes] = []
    monkeypatch.setattr(transport, "write", written.append)
    setattr(transport, state, state != "connected")
    prompt.write(transport, b"secret")
    assert written == [b"secret"]
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_a_wrapped_transport_is_not_reached_through(
    ends: tuple[Any, socket.socket],
) -> None:
    """TLS transports give the attributes of the one below: they are no reason to write to it."""
    transport, client = ends
    written: list[bytes] = []

    class Wrapper:
        def write(self, data: bytes) -> None:
            written.append(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(transport, name)

    prompt.write(Wrapper(), b"secret")
    assert written == [b"secret"]
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)
