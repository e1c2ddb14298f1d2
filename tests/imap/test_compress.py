"""COMPRESS=DEFLATE (RFC 4978): the same session in fewer octets, and no way to blow it up."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from folkmoot.protocols.imap import deflate
from tests.imap.fetched import fill
from tests.kit import reactor
from tests.kit.databases import Databases
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer


class CompressedSocket:
    """A client's side of DEFLATE on a socket; counts the octets on the way."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.sent = self.taken = 0
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._inflate = zlib.decompressobj(-15)

    def sendall(self, data: bytes) -> None:
        """Compress and send, flushed."""
        octets = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self.sent += len(octets)
        self.socket.sendall(octets)

    def recv(self, size: int) -> bytes:
        """Octets as the server meant them; empty at the end of the connection."""
        while True:
            octets = self.socket.recv(size)
            self.taken += len(octets)
            data = self._inflate.decompress(octets)
            if data or not octets:
                return data

    def settimeout(self, seconds: float | None) -> None:
        """As a socket does."""
        self.socket.settimeout(seconds)

    def close(self) -> None:
        """As a socket does."""
        self.socket.close()


def compress(client: ImapClient) -> CompressedSocket:
    """Turn compression on."""
    client.ok("COMPRESS DEFLATE")
    compressed = CompressedSocket(client.socket)
    client.socket = compressed
    return compressed


def _compressed(server: TestServer, account: TestAccount) -> ImapClient:
    client = server.imap(account)
    compress(client)
    return client


def test_session_goes_on_compressed(server: TestServer) -> None:
    """Commands, literals and answers pass both ways; two sessions see one mailbox. # rfc4978#3"""
    account = server.account()
    client, plain = server.imap(account), server.imap(account, "INBOX")
    assert b"COMPRESS=DEFLATE" in client.ok("CAPABILITY").lines[0].split()
    socket = compress(client)
    fill(client, 300)
    client.ok("SELECT INBOX")
    before = socket.taken
    compressed = client.ok("FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])").lines
    taken = socket.taken - before
    plain.ok("NOOP")
    assert plain.ok("FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])").lines == compressed
    assert taken * 5 < sum(map(len, compressed))


def test_only_once_and_only_deflate(server: TestServer) -> None:
    """A second COMPRESS is NO [COMPRESSIONACTIVE]; other algorithms and states are BAD."""
    # rfc4978#3
    client = server.imap()
    assert client.cmd("COMPRESS DEFLATE").status == "BAD"
    account = server.account()
    client.login(account.address, account.password)
    assert client.cmd("COMPRESS LZW").status == "BAD"
    assert client.cmd("COMPRESS").status == "BAD"
    compress(client)
    again = client.cmd("COMPRESS DEFLATE")
    assert (again.status, again.code) == ("NO", "COMPRESSIONACTIVE")
    assert b"COMPRESS=DEFLATE" not in client.ok("CAPABILITY").lines[0].split()


def test_pipelined_behind_the_command(server: TestServer) -> None:
    """A client that does not wait for the OK sends compressed octets in the same packet."""
    # rfc4978#3
    client = server.imap(server.account())
    socket = CompressedSocket(client.socket)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    behind = packer.compress(b"b NOOP\r\nc SELECT INBOX\r\n") + packer.flush(zlib.Z_SYNC_FLUSH)
    client.send(b"a COMPRESS DEFLATE\r\n" + behind)
    assert client.finish("a").status == "OK"
    client.socket = socket
    client._buffer, rest = b"", client._buffer
    client._buffer = socket._inflate.decompress(rest)
    assert client.finish("b").status == "OK"
    assert client.finish("c").code == "READ-WRITE"


def test_idle_pushes_at_once(server: TestServer) -> None:
    """Each push is flushed: the client can read it before the next one."""
    account = server.account()
    client, other = _compressed(server, account), server.imap(account)
    client.ok("SELECT INBOX")
    tag = client.idle()
    for number in (1, 2, 3):
        other.append("INBOX", simple(str(number)))
        assert client.wait_line("EXISTS") == b"* %d EXISTS" % number
    assert client.done(tag).status == "OK"


def test_cut_anywhere(server: TestServer) -> None:
    """Octets that come one by one are commands all the same."""
    client = server.imap(server.account())
    socket = compress(client)
    octets = socket._deflate.compress(b"x NOOP\r\n") + socket._deflate.flush(zlib.Z_SYNC_FLUSH)
    for octet in octets:
        socket.socket.sendall(bytes([octet]))
    assert client.finish("x").status == "OK"


def test_under_tls(databases: Databases, tmp_path: Path) -> None:
    """Compression lies inside of TLS. # rfc4978#3"""
    server = TestServer(databases.fresh("sqlite"), tmp_path, tls=True)
    try:
        account = server.account()
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        client = ImapClient("127.0.0.1", server.imaps_port, tls=context)
        client.login(account.address, account.password)
        compress(client)
        message = simple(body="0123456789abcdef\r\n" * 40_000)
        client.append("INBOX", message)
        client.ok("SELECT INBOX")
        [line] = client.ok("FETCH 1 BODY.PEEK[]").lines
        assert message in line
    finally:
        server.stop()


@pytest.mark.parametrize("octets", [b"\xff\xff\xff\xff", b"a NOOP\r\n" * 10])
def test_octets_that_are_not_deflate(server: TestServer, octets: bytes) -> None:
    """The connection ends with BYE; the server goes on."""
    account = server.account()
    client = server.imap(account)
    socket = compress(client)
    socket.socket.sendall(octets)
    assert client.line().startswith(b"* BYE")
    assert client.at_end()
    server.imap(account).ok("NOOP")


def test_end_of_the_stream_ends_the_connection(server: TestServer) -> None:
    """Nothing can follow the last block; what was before it is answered."""
    client = server.imap(server.account())
    socket = compress(client)
    socket.socket.sendall(socket._deflate.compress(b"x NOOP\r\n") + socket._deflate.flush())
    lines = [client.line()]
    while not lines[-1].startswith(b"* BYE"):
        lines.append(client.line())
    assert client.at_end()


def test_bomb_meets_the_limits_of_a_command(server: TestServer) -> None:
    """64 MB without a line end in 64 KB: swallowed up to the limit, then the connection ends."""
    account = server.account()
    client = server.imap(account)
    socket = compress(client)
    socket.sendall(b"x NOOP " + b"y" * (64 * 1024 * 1024))
    assert socket.sent < 100_000
    assert client.line().startswith(b"* BYE")
    assert client.at_end()
    server.imap(account).ok("NOOP")


class _Transport:
    """Counts what it is told; hands nothing on."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.paused = False
        self.lost = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def loseConnection(self) -> None:
        self.lost = True


class _Inner:
    """A connection that takes some octets and then no more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken = 0
        self.most = 0
        self.paused = False
        self.deflated: deflate.Deflated

    def inflated(self, data: bytes) -> None:
        self.taken += len(data)
        self.most = max(self.most, len(data))
        if self.taken >= self.room:
            self.deflated.pauseProducing()

    def garbled(self) -> None:
        raise AssertionError("garbled")

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False


class _Turns:
    """A reactor whose turns the test counts."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []

    def callLater(self, delay: float, call: Callable[[], None]) -> _Call:
        assert delay == 0
        self.calls.append(_Call(call))
        return self.calls[-1]

    def turn(self) -> None:
        """Run what waits now, not what that puts off in its turn."""
        calls, self.calls = self.calls, []
        for one in calls:
            one.call()


@dataclass
class _Call:
    call: Callable[[], None]

    def active(self) -> bool:
        return True

    def cancel(self) -> None:
        self.call = lambda: None


def _pair(room: int) -> tuple[_Transport, _Inner, deflate.Deflated, _Turns]:
    turns, transport, inner = _Turns(), _Transport(), _Inner(room)
    inner.deflated = deflate.Deflated(transport, inner, turns)
    return transport, inner, inner.deflated, turns


def test_inflates_only_what_is_taken() -> None:
    """What the connection has no room for stays compressed, and the client has to wait."""
    transport, inner, deflated, reactor_ = _pair(room=100_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    octets = packer.compress(bytes(50_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    deflated.received(octets)
    for _ in range(5):
        reactor_.turn()
    assert inner.taken <= 100_000 + deflate.PIECE
    assert inner.most <= deflate.PIECE
    assert transport.paused
    inner.room = 10**9
    deflated.resumeProducing()
    turns = 0
    while transport.paused and turns < 1000:
        reactor_.turn()
        turns += 1
    assert inner.taken == 50_000_000
    # Others get their turn every few pieces.
    assert turns >= 50_000_000 // (deflate.PIECE * deflate.PIECES_AT_ONCE)


def test_large_output_is_compressed_in_turns() -> None:
    """The connection is held back while pieces wait, and goes on when all of them are written."""
    transport, inner, deflated, reactor_ = _pair(room=1)
    data = b"0123456789" * 100_000
    deflated.write(data)
    assert inner.paused
    deflated.loseConnection()
    assert not transport.lost
    for _ in range(len(data) // deflate.PIECE + 1):
        reactor_.turn()
    assert zlib.decompressobj(-15).decompress(b"".join(transport.written)) == data
    assert transport.lost


def test_output_waits_for_a_slow_client() -> None:
    """While the transport takes no more, pieces wait uncompressed and are not lost."""
    transport, inner, deflated, reactor_ = _pair(room=1)
    deflated.write(b"a" * (3 * deflate.PIECE))
    transport.producer.pauseProducing()
    for _ in range(9):
        reactor_.turn()
    held = len(transport.written)
    assert held < 3
    transport.producer.resumeProducing()
    for _ in range(9):
        reactor_.turn()
    out = zlib.decompressobj(-15).decompress(b"".join(transport.written))
    assert len(out) == 3 * deflate.PIECE
    assert not inner.paused


def test_reading_nothing_holds_answers_back(server: TestServer) -> None:
    """A client that asks for much and reads nothing keeps its answers out of memory."""
    account = server.account()
    client = _compressed(server, account)
    noise = random.Random(1).randbytes(100_000).hex().encode()
    client.append("INBOX", b"Subject: x\r\n\r\n" + noise)
    client.ok("SELECT INBOX")
    for number in range(200):
        client.start("FETCH 1 BODY.PEEK[]", f"f{number}")
    server.imap(account).ok("NOOP")
    held = reactor.call(
        lambda: sum(
            sum(map(len, one._deflated._output))
            for one in server.factory.connections
            if one._deflated is not None
        )
    )
    assert held < 1024 * 1024
    for number in range(200):
        assert client.finish(f"f{number}").status == "OK"
