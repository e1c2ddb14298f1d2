"""Bodies of requests: judged before they are read, read in bounded memory, gone with the client."""

from __future__ import annotations

import hashlib
import socket
import time

import psutil  # type: ignore[import-untyped]
import pytest

from folkmoot.protocols.http.limits import HttpLimits
from tests.http.conftest import MEBIBYTE, MakeWeb, Web
from tests.kit import reactor
from tests.kit.clock import HandClock
from tests.kit.http import HttpClient, basic
from tests.kit.waiting import until

CONTINUE = ("Expect", "100-continue")


def stored(kind: str, data: bytes) -> bytes:
    """What the application says of a body."""
    return f"{kind} {len(data)} {hashlib.sha256(data).hexdigest()}".encode()


def spools(web: Web) -> int:
    """Files that large bodies left in the blob store."""
    return sum(1 for one in (web.server.folder / "blobs").rglob("*") if one.is_file())


@pytest.mark.parametrize("size", [0, 1, 1000, 256 * 1024, 256 * 1024 + 1, 5_000_000])
def test_bodies_arrive(web: Web, size: int) -> None:
    """Small bodies stay in memory, large ones go to a spool, octet for octet."""
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    kind = "memory" if size <= 256 * 1024 else "spool"
    with web.client() as client:
        answer = client.request("PUT", "/dav/spool", body=data)
        assert (answer.status, answer.body) == (201, stored(kind, data))
        pieces = [data[offset : offset + 70_001] for offset in range(0, size, 70_001)]
        answer = client.chunked("PUT", "/dav/spool", pieces)
        assert (answer.status, answer.body) == (201, stored(kind, data))
    assert spools(web) == 0


def test_chunks_cut_anywhere(web: Web) -> None:
    """Chunk sizes, extensions and trailers may come octet by octet. # rfc9112#7.1"""
    with web.client() as client:
        client.head("PUT", "/dav/spool", [("Transfer-Encoding", "chunked")])
        for octet in b'5;name="v"\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n':
            client.send(bytes([octet]))
        assert client.answer().body == stored("memory", b"hello0123456789")
        assert client.request("GET", "/dav/show").status == 200


# --- 100 Continue ------------------------------------------------------------------------------


def test_continue_comes_when_the_body_is_wanted(web: Web) -> None:
    """A client that asks first is told to go on, once, after it was judged. # rfc9110#10.1.1"""
    with web.client() as client:
        client.head("PUT", "/dav/spool", [CONTINUE], length=5)
        assert client.answer().status == 100
        client.send(b"hello")
        assert client.answer().body == stored("memory", b"hello")
        client.head("PUT", "/dav/spool", [CONTINUE, ("Transfer-Encoding", "chunked")])
        assert client.answer().status == 100
        client.send(b"5\r\nhello\r\n0\r\n\r\n")
        assert client.answer().status == 201


def test_continue_is_not_sent_without_need(web: Web) -> None:
    """Not to a body that is there already, nor without one, nor to HTTP/1.0. # rfc9110#10.1.1"""
    with web.client() as client:
        client.head("PUT", "/dav/spool", [CONTINUE], length=0)
        assert client.answer().status == 201
        client.send(
            f"PUT /dav/spool HTTP/1.1\r\nHost: x\r\nAuthorization: {auth(client)}\r\n"
            "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello".encode()
        )
        first = client.answer().status
        assert (first if first != 100 else client.answer().status) == 201
    with web.client() as client:
        client.head("PUT", "/dav/spool", [CONTINUE], length=5, version="1.0")
        client.send(b"hello")
        assert client.answer().status == 201


def auth(client: HttpClient) -> str:
    """The client's Authorization field."""
    assert client.login is not None
    return basic(*client.login)


@pytest.mark.parametrize(
    ("path", "login", "length", "status"),
    [
        ("/dav/spool", False, 5, 401),
        ("/dav/spool", True, 10 * 2**30, 413),
        ("/dav/full", True, 5, 507),
        ("/dav/read", True, 10_001, 413),
        ("/nowhere", True, 5, 404),
        ("/dav/teapot", True, 5, 423),
    ],
)
@pytest.mark.parametrize("expect", [True, False])
def test_refusals_come_before_the_body(
    web: Web, path: str, login: bool, length: int, status: int, expect: bool
) -> None:
    """No octet of the body is needed, and none is asked for."""
    with web.client(login=login) as client:
        client.head("PUT", path, [CONTINUE] if expect else [], length=length)
        answer = client.answer()
        assert answer.status == status
        if expect or length > 10**6:
            # The client may send the body or not: only the end of the connection is clear.
            assert answer.header("Connection") == "close"
            assert client.at_end()
    assert spools(web) == 0


def test_a_refused_client_that_goes_on_sending_can_read_why(web: Web) -> None:
    """The answer is not lost in a reset when a client sends first and reads then."""
    with web.client() as client:
        client.head("PUT", "/dav/full", length=20 * MEBIBYTE)
        sent = 0
        try:
            while sent < 20 * MEBIBYTE:
                client.send(b"x" * MEBIBYTE)
                sent += MEBIBYTE
        except (ConnectionError, TimeoutError):
            pass
        assert client.answer().status == 507


def test_small_unwanted_bodies_keep_the_connection(web: Web) -> None:
    """A refusal of something small costs no new connection (and no new TLS handshake)."""
    with web.client() as client:
        for _ in range(5):
            assert client.request("PUT", "/dav/full", body=b"x" * 100_000).status == 507
            assert client.chunked("PUT", "/dav/full", [b"x" * 10_000] * 5).status == 507
            assert client.request("REPORT", "/dav/read", body=b"x" * 20_000).status == 413
        assert client.request("GET", "/dav/show").status == 200
        assert len(web.factory.connections) == 1


def test_endless_chunks_are_cut_off(web: Web) -> None:
    """Without a length, the limit holds while reading, and after the refusal."""
    with web.client() as client:
        client.head("PUT", "/dav/read", [("Transfer-Encoding", "chunked")])
        try:
            for _ in range(4000):
                client.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except (ConnectionError, TimeoutError):
            pass
        else:
            pytest.fail("the server took 256 MiB for a body of 10,000 octets")
    with web.client() as client:
        assert client.chunked("PUT", "/dav/read", [b"x" * 6000] * 2).status == 413


# --- clients that go away ----------------------------------------------------------------------


@pytest.mark.parametrize("sent", [0, 1000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_stops_leaves_nothing(web: Web, sent: int, chunked: bool) -> None:
    """The application is told, and what was spooled is gone."""
    with web.client() as client:
        if chunked:
            client.head("PUT", "/dav/spool", [("Transfer-Encoding", "chunked")])
            client.send(b"%x\r\n" % (sent + 10) + b"x" * sent)
        else:
            client.head("PUT", "/dav/spool", length=sent + 10)
            client.send(b"x" * sent)
        until(lambda: web.shown.requests == ["PUT /dav/spool"])
        if sent > 10**6:
            until(lambda: spools(web) == 1)
    until(lambda: web.shown.gone == ["/dav/spool"])
    until(lambda: spools(web) == 0)
    until(lambda: not web.factory.connections)


def test_a_client_that_goes_while_it_is_answered(web: Web) -> None:
    """Work goes on to its end without it; nothing fails, nothing stays."""
    with web.client() as client:
        client.head("GET", "/dav/stream?2000")
        client.read(100_000)
    until(lambda: web.shown.gone == ["/dav/stream"])
    with web.client() as client:
        client.head("GET", "/dav/hold")
        until(lambda: web.shown.holding is not None)
    until(lambda: not web.factory.connections)
    holding = web.shown.holding
    assert holding is not None
    reactor.call(lambda: holding.callback(None))
    with web.client() as client:
        assert client.request("GET", "/dav/show").status == 200


# --- bounds ------------------------------------------------------------------------------------


def test_an_idle_upload_is_cut_off(make_web: MakeWeb) -> None:
    """A body that trickles in is not waited for."""
    clock = HandClock()
    limits = HttpLimits(body_seconds=40, body_rate=1000)
    with make_web(limits, clock=clock) as web, web.client() as client:
        client.head("PUT", "/dav/spool", length=10_000)
        until(lambda: web.shown.requests == ["PUT /dav/spool"])
        for _ in range(3):
            client.send(b"x")
            clock.advance(10)
        assert web.shown.gone == []
        clock.advance(20)
        until(lambda: web.shown.gone == ["/dav/spool"])


def test_a_steady_upload_is_not_cut_off(make_web: MakeWeb) -> None:
    """The bound is a rate, not a time for the whole body."""
    clock = HandClock()
    limits = HttpLimits(body_seconds=30, body_rate=1000)
    with make_web(limits, clock=clock) as web, web.client() as client:
        client.head("PUT", "/dav/spool", length=20_000)
        until(lambda: web.shown.requests == ["PUT /dav/spool"])
        for count in range(1, 21):
            client.send(b"x" * 1000)
            if count < 20:
                until(lambda count=count: _received(web) == count * 1000)  # type: ignore[misc]
                clock.advance(20)
        assert client.answer().status == 201


def _received(web: Web) -> int:
    """Octets of the body that is under way."""

    def look() -> int:
        [channel] = web.factory.connections
        return int(channel.requests[0].body.received)

    return reactor.call(look)


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True])
def test_memory_is_bounded(make_web: MakeWeb, tls: bool) -> None:
    """Half a gigabyte up and down costs some megabytes, whoever is slow."""
    with make_web(tls=tls) as web, web.client() as client:
        assert client.request("PUT", "/dav/spool", body=b"x" * 5_000_000).status == 201
        process = psutil.Process()
        before = process.memory_info().rss
        client.head("GET", "/dav/stream?8192")
        peak = 0
        for _ in range(512):
            client.read(MEBIBYTE)
            peak = max(peak, process.memory_info().rss)
        client.close()
        with web.client() as other:
            other.head("PUT", "/dav/spool", length=64 * MEBIBYTE)
            for _ in range(64):
                other.send(b"x" * MEBIBYTE)
                peak = max(peak, process.memory_info().rss)
            assert other.answer().status == 201
        assert peak - before < 64 * MEBIBYTE


def test_a_client_that_does_not_read_holds_little(web: Web) -> None:
    """An answer that nobody takes stops being made."""
    with web.client() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        process = psutil.Process()
        before = process.memory_info().rss
        client.head("GET", "/dav/stream?4096")
        time.sleep(0.5)
        assert process.memory_info().rss - before < 32 * MEBIBYTE
        assert web.shown.gone == []
