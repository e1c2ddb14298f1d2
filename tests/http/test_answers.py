"""Answers on the wire: errors, streams, gzip."""

from __future__ import annotations

import gzip
import logging
import socket
import time

import pytest

from folkmoot.protocols.http.compress import compressible
from folkmoot.protocols.http.limits import HttpLimits
from folkmoot.server.logs import TextFormat
from tests.http.conftest import MakeWeb, Web
from tests.kit import reactor
from tests.kit.waiting import until

GZIP = ("Accept-Encoding", "gzip, deflate, br")


# --- errors ------------------------------------------------------------------------------------


def test_unknown_errors_tell_a_number_only(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    """The text of an error that nobody expected is for the log, which has the number too."""
    with web.client() as client:
        answer = client.request("GET", "/dav/broken")
        assert answer.status == 500
        assert "secret" not in answer.text
        number = answer.text.split()[-1].rstrip(".")
        assert number in caplog.text
        assert "the secret text" in caplog.text
        assert client.request("GET", "/dav/show").status == 200


def test_known_errors(web: Web) -> None:
    """Errors of the store, and refusals, become their status with one sentence."""
    with web.client() as client:
        answer = client.request("PUT", "/dav/full")
        assert (answer.status, answer.header("Content-Type")) == (507, "text/plain; charset=utf-8")
        assert "storage limit" in answer.text
        locked = client.request("PUT", "/dav/teapot")
        assert (locked.status, locked.reason) == (423, "Locked")
        assert (locked.text, locked.header("X-Why")) == ("It is locked.\n", "lock")


@pytest.mark.parametrize("path", ["/dav/forgotten", "/dav/header"])
def test_answers_that_cannot_be(web: Web, path: str) -> None:
    """None at all, or fields that would split the answer: 500, and nothing of it is sent."""
    with web.client() as client:
        answer = client.request("GET", path)
        assert (answer.status, answer.header("Injected")) == (500, None)


def test_an_answer_that_breaks_looks_broken(web: Web) -> None:
    """A client must not take half a multistatus for a whole one."""
    with web.client() as client, pytest.raises((EOFError, ConnectionError)):
        client.request("GET", "/dav/half")


def test_every_answer_has_a_date(web: Web) -> None:
    """rfc9110#6.6.1"""
    with web.client() as client:
        for path in ("/", "/dav/show", "/nowhere", "/dav/none"):
            date = client.request("GET", path).header("Date") or ""
            assert time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")


# --- streams -----------------------------------------------------------------------------------


def test_streams(web: Web) -> None:
    """Pieces come in order and whole, in chunks where no length is known. # rfc9112#7.1"""
    with web.client() as client:
        answer = client.request("GET", "/dav/stream?300")
        assert answer.header("Transfer-Encoding") == "chunked"
        assert answer.body == b"".join(bytes([n % 256]) * 65536 for n in range(300))
        sized = client.request("GET", "/dav/sized")
        assert (sized.header("Content-Length"), sized.body) == ("5", b"12345")


def test_large_answers_at_once(web: Web) -> None:
    """``respond`` with megabytes waits for the client as well, and has a length."""
    with web.client() as client:
        answer = client.request("GET", "/dav/xml?8000000")
        assert answer.header("Content-Length") == "8000000"
        assert answer.body == b"<a/>" * 2_000_000


def test_a_client_that_never_reads_is_dropped(make_web: MakeWeb) -> None:
    """It holds a connection, and what the application opened, for a limited time."""
    with make_web(HttpLimits(stall_seconds=0.3)) as web, web.client() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.head("GET", "/dav/stream?2000")
        until(lambda: web.shown.gone == ["/dav/stream"])
        until(lambda: not web.factory.connections)


# --- gzip --------------------------------------------------------------------------------------


def test_xml_is_packed_where_asked(web: Web) -> None:
    """Multistatus shrinks to a fraction, whole or streamed; others get it plain."""
    # rfc9110#12.5.3
    with web.client() as client:
        plain = client.request("PROPFIND", "/dav/xml?40000")
        assert plain.header("Content-Encoding") is None
        packed = client.request("PROPFIND", "/dav/xml?40000", [GZIP])
        assert packed.header("Content-Encoding") == "gzip"
        assert packed.header("Vary") == "Accept-Encoding"
        assert gzip.decompress(packed.body) == plain.body
        assert len(packed.body) < 1000
        stream = client.request("PROPFIND", "/dav/pieces", [GZIP])
        assert stream.text == client.request("PROPFIND", "/dav/pieces").text
        assert len(stream.body) < 20_000
        large = client.request("GET", "/dav/xml?4000000", [GZIP])
        assert gzip.decompress(large.body) == b"<a/>" * 1_000_000
        assert client.request("HEAD", "/dav/xml?4000000", [GZIP]).body == b""
        assert client.request("GET", "/dav/show").status == 200


def test_small_and_tagged_answers_stay_plain(web: Web) -> None:
    """An ETag stands for the octets that are sent. # rfc9110#8.8.3.3"""
    with web.client() as client:
        for path in ("/dav/xml?1000", "/dav/tagged", "/dav/stream?1", "/dav/sized"):
            answer = client.request("GET", path, [GZIP])
            assert answer.header("Content-Encoding") is None, path


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("deflate, gzip ;q=1.0, *;q=0", True),
        ("x-gzip", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("notgzip", False),
        ("", False),
    ],
)
def test_who_asks_for_gzip(accepted: str, packed: bool) -> None:
    """rfc9110#12.5.3, with weights."""
    fields = [("Content-Type", "text/xml; charset=utf-8")]
    assert compressible(207, fields, None, accepted) is packed


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("application/xml", True),
        ("application/json", True),
        ("application/scim+json; charset=utf-8", True),
        ("text/html", True),
        ("text/event-stream", False),
        ("application/octet-stream", False),
        ("image/png", False),
        ("application/xmlish", False),
    ],
)
def test_what_is_worth_it(kind: str, packed: bool) -> None:
    """Text is; what is packed already is not."""
    assert compressible(200, [("content-type", kind)], 5000, "gzip") is packed


# --- log ---------------------------------------------------------------------------------------


def test_requests_are_logged_without_secrets(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    """One line for each request, at debug level, with what an administrator looks for."""
    with caplog.at_level(logging.DEBUG, "folkmoot.http"), web.client() as client:
        client.request("GET", "/dav/show?token=abc", [("User-Agent", "DAVx5/4.4")])
        reactor.call(lambda: None)
    [record] = [one for one in caplog.records if one.getMessage() == "request"]
    line = TextFormat().format(record)
    for words in ("method=GET", "path=/dav/show", "status=200", "peer=127.0.0.1", "DAVx5/4.4"):
        assert words in line
    assert f"account={web.account.id}" in line
    assert web.account.password not in line
    assert "Basic" not in line
    assert "token=abc" not in line
