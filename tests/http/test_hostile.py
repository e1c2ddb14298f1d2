"""What is no request, or one that is meant to hurt: the right status, bounded work, a clean end."""

from __future__ import annotations

import contextlib

import pytest

from folkmoot.protocols.http.limits import HttpLimits
from tests.http.conftest import MakeWeb, Web
from tests.kit import reactor
from tests.kit.clock import HandClock
from tests.kit.http import basic
from tests.kit.waiting import until

GET = b"GET /dav/show HTTP/1.1\r\nHost: x\r\n"
PUT = b"PUT /dav/read HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n", 400),  # TLS on a plain port
        (b"SSH-2.0-OpenSSH_9\r\n", 400),
        (b"GET\r\n", 400),
        (b"GET / HTTP/2.0\r\n", 400),
        (b"GET  / HTTP/1.1\r\n", 400),
        (b"G(T / HTTP/1.1\r\n", 400),
        (b"GET /a b HTTP/1.1\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (GET + b"Host: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: <b>\r\n\r\n", 400),
        (b"GET /../x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /%2e%2e/x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /a%2fb HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET //a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"CONNECT mail:25 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (GET + b"no colon\r\n\r\n", 400),
        (GET + b": no name\r\n\r\n", 400),
        (GET + b"X Y: z\r\n\r\n", 400),
        (GET + b"X: a\0b\r\n\r\n", 400),
        (GET + b"X: a\nY: b\r\n\r\n", 400),
        # rfc9112#6.3: two ways to tell where a body ends are the beginning of smuggling
        (PUT + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (PUT + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
        (PUT + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        (PUT + b"Content-Length: 5, 5\r\n\r\n", 400),
        (PUT + b"Content-Length: -5\r\n\r\n", 400),
        (PUT + b"Content-Length: +5\r\n\r\n", 400),
        (PUT + b"Content-Length: 0x5\r\n\r\n", 400),
        (PUT + b"Content-Length: \r\n\r\n", 400),
        (PUT + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n", 400),
        (PUT + b"Content-Length: " + b"9" * 10_000 + b"\r\n\r\n", 400),
        (PUT + b"Content-Length : 5\r\n\r\n", 400),
        (PUT + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (PUT + b"Transfer-Encoding: identity\r\n\r\n", 501),
        (PUT + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (PUT + b"Transfer-Encoding: \x0bchunked\r\n\r\n", 400),
        (PUT + b"Transfer-Encoding : chunked\r\n\r\n", 400),
        (b"PUT /dav/read HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        # sizes
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n", 414),
        (b"A" * 100_000, 414),
        (GET + b"X: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (GET + b"X: " + b"a" * 8000 + b"\r\nY: " + b"a" * 30_000, 431),
        (GET + (b"X: " + b"a" * 8000 + b"\r\n") * 5, 431),
        (GET + b"X: y\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_bad_heads(web: Web, sent: bytes, status: int) -> None:
    """One answer with a status that fits, then the end; the application sees nothing of it."""
    # rfc9112#2.2, rfc9112#3.2
    with web.client(login=False) as client:
        client.send(sent)
        answer = client.answer()
        assert (answer.status, answer.header("Connection")) == (status, "close")
        assert client.at_end()
    until(lambda: not web.factory.connections)
    assert web.shown.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\nx\r\n",
        b"0x1\r\nx\r\n",
        b" 1\r\nx\r\n",
        b"\r\n",
        b"1\r\nxyz",
        b"1\nx\r\n",
        b"5;" + b"a" * 2000,
        b"1" * 2000 + b"\r\n",
        b"1;\0\r\nx\r\n",
        b"0\r\n" + b"X: y\r\n" * 20_000,
    ],
)
def test_bad_chunks(web: Web, body: bytes) -> None:
    """What is no chunk ends the request with 400, and the connection. # rfc9112#7.1"""
    with web.client() as client:
        client.head("PUT", "/dav/read", [("Transfer-Encoding", "chunked")])
        client.send(b"3\r\nabc\r\n")
        client.send(body)
        answer = client.answer()
        assert (answer.status, answer.header("Connection")) == (400, "close")
        assert client.at_end()
        until(lambda: web.shown.gone == ["/dav/read"])


def test_nothing_is_smuggled(web: Web) -> None:
    """What comes behind a refused request is never taken for another one."""
    # rfc9112#6.1, rfc9112#6.3
    inner = b"GET /dav/show/smuggled HTTP/1.1\r\nHost: x\r\nAuthorization: "
    inner += basic(web.account.address, web.account.password).encode() + b"\r\n\r\n"
    for head in (
        PUT + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        PUT + b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
        b"GET /a//b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ):
        with web.client(login=False) as client:
            client.send(head + inner + inner)
            client.answer()
            assert client.at_end()
            assert client._buffer == b""
    assert web.shown.requests == []


def test_slow_heads_are_cut_off(make_web: MakeWeb) -> None:
    """A head has a time for all of it; octets that trickle in do not extend it."""
    clock = HandClock()
    with make_web(HttpLimits(head_seconds=40), clock=clock) as web, web.client() as client:
        sent = 0
        for line in (b"GET / HTTP/1.1", b"X: y", b"X: y", b"X: y"):
            client.send(line + b"\r\n")
            sent += len(line)
            until(lambda sent=sent: _head_octets(web) == sent)  # type: ignore[misc]
            clock.advance(10)
        assert client.answer().status == 408
        assert client.at_end()


def _head_octets(web: Web) -> int:
    """What has come of the head that is under way, without its line ends."""

    def look() -> int:
        return sum(channel._receivedHeaderSize for channel in web.factory.connections)

    return reactor.call(look)


def test_idle_connections_end(make_web: MakeWeb) -> None:
    """Before the first request, and after one; a connection in use does not."""
    clock = HandClock()
    with make_web(HttpLimits(idle_seconds=40), clock=clock) as web:
        with web.client() as client:
            until(lambda: len(web.factory.connections) == 1)
            clock.advance(40)
            assert client.at_end()
        until(lambda: not web.factory.connections)
        with web.client() as client:
            for _ in range(4):
                assert client.request("GET", "/dav/show").status == 200
                until(lambda: all(each.idle for each in web.factory.connections))
                clock.advance(20)
            clock.advance(20)
            assert client.at_end()
        until(lambda: not web.factory.connections)


def test_requests_that_take_long_are_not_idle(make_web: MakeWeb) -> None:
    """The time that the server needs is not the client's."""
    clock = HandClock()
    limits = HttpLimits(idle_seconds=20, head_seconds=20, body_seconds=20, stall_seconds=20)
    with make_web(limits, clock=clock) as web, web.client() as client:
        client.head("GET", "/dav/hold")
        until(lambda: web.shown.holding is not None)
        clock.advance(60)
        holding = web.shown.holding
        assert holding is not None
        reactor.call(lambda: holding.callback(None))
        assert client.answer().body == b"held"


def test_connections_are_counted(make_web: MakeWeb) -> None:
    """One address gets so many and no more; those that end make room."""
    with make_web(HttpLimits(connections_per_address=3)) as web:
        clients = [web.client() for _ in range(3)]
        for client in clients:
            assert client.request("GET", "/dav/show").status == 200
        with web.client() as refused:
            assert refused.answer().status == 503
            assert refused.at_end()
        assert clients[0].request("GET", "/dav/show").status == 200
        for client in clients:
            client.close()
        until(lambda: not web.factory.connections)
        assert web.counts == {}
        with web.client() as client:
            assert client.request("GET", "/dav/show").status == 200


def test_a_flood_of_pipelined_requests_is_not_kept(web: Web) -> None:
    """Requests that nobody reads the answers to are not taken in without end."""
    with web.client(timeout=1.0) as client:
        client.head("GET", "/dav/hold")
        until(lambda: web.shown.holding is not None)
        flood = b"GET /dav/show HTTP/1.1\r\nHost: x\r\n\r\n" * 20_000
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 64 * 2**20:
                sent += client.socket.send(flood)
        assert sent < 32 * 2**20  # what the kernel holds


def test_names_of_hosts_are_not_reflected(web: Web) -> None:
    """The page is the same for everybody; a strange Host appears nowhere."""
    with web.client(login=False) as client:
        page = client.request("GET", "/help", [("Host", "evil.example")])
        assert "evil" not in page.text
        assert "default-src 'none'" in (page.header("Content-Security-Policy") or "")
