"""What passes through the server does not stay in its memory: measured from outside."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.load import Imap
from benchmarks.serve import HOST, PASSWORD, MemoryWatch, ServerProcess, address

MIB = 1 << 20
LIMIT = 64 * MIB
LARGE = 50 * MIB

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server in its own process that has done everything once, on a small scale."""
    with ServerProcess(tmp_path, accounts=2) as server:
        client = Imap(server.ports["imap"], address(0), "INBOX")
        append(server, [load.message(1, 2 * MIB, address(0))])
        client.run(b"NOOP")
        client.run(b"FETCH 1:* BODY.PEEK[]")
        client.close()
        yield server
        assert not server.log


def append(server: ServerProcess, messages: list[bytes]) -> None:
    """Append messages to the INBOX of the first account."""
    load.race(server.ports["imap"], [load.append("INBOX", messages)], load.imap_login(address(0)))


def test_a_large_message_passes_through(served: ServerProcess) -> None:
    """APPEND and FETCH of 50 MB need less than 64 MB more memory."""
    message = load.message(2, LARGE, address(0))
    with MemoryWatch(served) as memory:
        append(served, [message])
    assert memory.extra < LIMIT, memory.extra / MIB
    client = Imap(served.ports["imap"], address(0), "INBOX")
    with MemoryWatch(served) as memory:
        assert client.run(b"FETCH 2 BODY.PEEK[]") > LARGE
    assert memory.extra < LIMIT, memory.extra / MIB
    with MemoryWatch(served) as memory:
        assert client.run(b"FETCH 2 (BODY.PEEK[TEXT] BINARY.PEEK[1] BINARY.SIZE[1])") > LARGE
    client.close()
    assert memory.extra < LIMIT, memory.extra / MIB


def test_a_large_message_arrives_by_lmtp(served: ServerProcess) -> None:
    """So does a delivery of 50 MB."""
    message = load.message(3, LARGE, address(1))
    script = load.send(address(1), address(0), [message])
    with MemoryWatch(served) as memory:
        load.race(served.ports["lmtp"], [script], load.LMTP_HELLO)
    assert memory.extra < LIMIT, memory.extra / MIB


def test_a_large_message_is_searched(served: ServerProcess) -> None:
    """SEARCH reads large messages in pieces too."""
    append(served, [load.message(4, LARGE, address(0))])
    client = Imap(served.ports["imap"], address(0), "INBOX")
    with MemoryWatch(served) as memory:
        client.run(b"SEARCH TEXT nowhere BODY never")
    client.close()
    assert memory.extra < LIMIT, memory.extra / MIB


@pytest.mark.parametrize(("count", "size"), [(20, LARGE), (1000, MIB), (8000, MIB // 8)])
def test_a_large_answer_passes_through(served: ServerProcess, count: int, size: int) -> None:
    """One command whose answer is 1 GB: of large files, and of bodies in the database."""
    append(served, [load.message(5, size, address(0))])
    client = Imap(served.ports["imap"], address(0), "INBOX")
    client.run(b"CREATE Many")
    copies = 1
    client.run(b"COPY 2 Many")
    client.run(b"SELECT Many")
    while copies < count:
        client.run(b"COPY 1:%d Many" % min(copies, count - copies))
        copies += min(copies, count - copies)
    with MemoryWatch(served) as memory:
        assert client.run(b"FETCH 1:* BODY.PEEK[]") > count * size
    client.close()
    assert memory.extra < LIMIT, memory.extra / MIB


def test_a_client_that_does_not_read(served: ServerProcess) -> None:
    """Answers of 1 GB that nobody takes wait in the store, not in memory."""
    append(served, [load.message(6, LARGE, address(0))])
    deaf = [Imap(served.ports["imap"], address(0), "INBOX") for _ in range(4)]
    with MemoryWatch(served) as memory:
        for client in deaf:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for number in range(5):
                client.socket.sendall(b"deaf%d FETCH 2 BODY.PEEK[]\r\n" % number)
        time.sleep(3)
        others = Imap(served.ports["imap"], address(1), "INBOX")
        others.close()
    for client in deaf:
        client.close()
    assert memory.extra < LIMIT, memory.extra / MIB


def test_a_client_that_sends_without_end(served: ServerProcess) -> None:
    """Commands sent ahead while one runs are not gathered without bound."""
    client = socket.create_connection((HOST, served.ports["imap"]), 5)
    name = address(0).encode()
    client.sendall(b'a LOGIN "%b" "%b"\r\nb SELECT INBOX\r\n' % (name, PASSWORD.encode()))
    time.sleep(1)
    client.settimeout(1)
    lines = b"c FETCH 1:* BODY.PEEK[]\r\n" * 40_000
    with MemoryWatch(served) as memory:
        sent = 0
        try:
            while sent < 256 * MIB:
                sent += client.send(lines)
        except TimeoutError:
            pass  # the server has stopped reading, as it should
    client.close()
    assert sent < 256 * MIB
    assert memory.extra < LIMIT, memory.extra / MIB


def test_sign_ins_leave_nothing_behind(tmp_path: Path) -> None:
    """Hashes of passwords take 19 MiB each, in several threads: all of it is returned."""
    config = "[passwords]\nremember = 0\n"
    with ServerProcess(tmp_path, accounts=8, protocols=("imap",), config=config) as server:
        login(server, 1)
        before = server.resident()
        for _ in range(3):
            login(server, 8)
        assert server.resident() - before < 16 * MIB


def login(server: ServerProcess, count: int) -> None:
    """Let so many people sign in at the same time."""
    clients = [socket.create_connection((HOST, server.ports["imap"]), 60) for _ in range(count)]
    for number, client in enumerate(clients):
        client.sendall(f'a LOGIN "{address(number)}" "{PASSWORD}"\r\nb LOGOUT\r\n'.encode())
    for client in clients:
        with client, client.makefile("rb") as answers:
            assert b"\r\na OK" in answers.read()
