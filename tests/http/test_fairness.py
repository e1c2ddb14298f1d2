"""One connection does not keep the others waiting, however small the things are that it sends."""

from __future__ import annotations

import pytest

from folkmoot.protocols.http.body import Body
from folkmoot.protocols.http.channel import Channel
from folkmoot.protocols.http.request import Request
from tests.http.conftest import Web
from tests.kit import reactor
from tests.kit.http import basic

REQUESTS = 2_000
CHUNKS = 10_000


def test_pipelined_requests_let_others_have_their_turn(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of requests may come in one segment: the reactor looks around in between."""
    counted, turns, ended = [0], [0], [False]
    over = Channel._request_over

    def count(channel: Channel, request: Request) -> None:
        counted[0] += 1
        over(channel, request)

    def tick() -> None:
        turns.append(counted[0])
        counted[0] = 0
        if not ended[0]:
            reactor.get().callLater(0, tick)

    monkeypatch.setattr(Channel, "_request_over", count)
    reactor.call(tick)
    client = web.client(login=False)
    client.send(b"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n" * REQUESTS)
    for _ in range(REQUESTS):
        assert client.answer("OPTIONS").status in (200, 404, 405)
    ended[0] = True
    assert max(turns) < 100


def test_tiny_chunks_are_taken_together(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body in chunks of one octet costs no wake-up for each of them."""
    fed = [0]
    feed = Body.feed

    def count(body: Body, data: bytes) -> None:
        fed[0] += 1
        feed(body, data)

    monkeypatch.setattr(Body, "feed", count)
    client = web.client()
    login = basic(web.account.address, web.account.password)
    head = f"PUT /dav/read HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\n"
    client.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    client.send(b"1\r\nx\r\n" * CHUNKS + b"0\r\n\r\n")
    answer = client.answer("PUT")
    assert (answer.status, answer.body) == (200, b"%d" % CHUNKS)
    assert fed[0] < CHUNKS / 10
