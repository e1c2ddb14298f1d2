"""Requests on the wire: what the application gets, and connections that go on."""

from __future__ import annotations

import json

import pytest

from tests.http.conftest import MakeWeb, Web
from tests.kit import reactor
from tests.kit.http import Answer
from tests.kit.waiting import until


def facts(answer: Answer) -> dict[str, object]:
    """What the application was given."""
    assert answer.status == 200, answer
    return dict(json.loads(answer.body))


def test_what_an_exchange_tells(web: Web) -> None:
    """Method, names, query, fields, who and where from."""
    fields = [("X-Test", "one"), ("x-tesT", "two"), ("Host", "me.example:81")]
    with web.client() as client:
        seen = facts(client.request("REPORT", "/dav/show/a%20b/?q=%41", fields, b"12345"))
    assert seen == {
        "method": "REPORT",
        "path": ["dav", "show", "a b"],
        "raw_path": "/dav/show/a%20b/",
        "trailing_slash": True,
        "query": "q=%41",
        "base_url": "http://me.example:81",
        "peer": "127.0.0.1",
        "secure": False,
        "account": web.account.id,
        "length": 5,
        "x": "one, two",
        "all_x": ["one", "two"],
    }


def test_any_method_arrives(web: Web) -> None:
    """Methods are the application's business, and case-sensitive."""
    with web.client() as client:
        for method in ("MKCALENDAR", "BASELINE-CONTROL", "get", "X!y"):
            assert facts(client.request(method, "/dav/show"))["method"] == method


def test_connections_are_kept(web: Web) -> None:
    """Many requests on one connection, with and without bodies, wanted or not. # rfc9112#9.3"""
    with web.client() as client:
        for number in range(30):
            body = b"x" * (number * 500) if number % 3 else None
            assert client.request("PUT", "/dav/show", body=body).status == 200
            assert client.chunked("PUT", "/dav/show", [b"y" * 100] * number).status == 200
        assert client.request("GET", "/dav/show").header("Connection") is None
        assert len(web.factory.connections) == 1


def test_pipelined_requests_are_answered_in_order(web: Web) -> None:
    """A client may send the next requests before it reads the answer to the first."""
    # rfc9112#9.3.2
    with web.client() as client:
        for number in range(50):
            client.head("PUT", f"/dav/show/{number}", length=3)
            client.send(b"abc")
        for number in range(50):
            assert facts(client.answer())["raw_path"] == f"/dav/show/{number}"


def test_a_later_request_waits_for_the_earlier_one(web: Web) -> None:
    """While one request is held, the next is not begun; its octets wait."""
    with web.client() as client:
        client.head("GET", "/dav/hold")
        client.head("GET", "/dav/show/after")
        until(lambda: web.shown.holding is not None)
        assert web.shown.requests == ["GET /dav/hold"]
        holding = web.shown.holding
        assert holding is not None
        reactor.call(lambda: holding.callback(None))
        assert client.answer().body == b"held"
        assert facts(client.answer())["raw_path"] == "/dav/show/after"


def test_connection_close_is_obeyed(web: Web) -> None:
    """The answer comes whole, and says that it is the last one. # rfc9112#9.6"""
    with web.client() as client:
        answer = client.request("GET", "/dav/show", [("Connection", "close")])
        assert answer.header("Connection") == "close"
        assert client.at_end()


def test_http_1_0(web: Web) -> None:
    """Old clients need no Host, get no chunks, and the end of the connection ends the answer."""
    # rfc9112#9.3
    with web.client() as client:
        client.head("GET", "/dav/pieces", version="1.0")
        answer = client.answer()
        assert answer.header("Transfer-Encoding") is None
        assert answer.body.endswith(b"<response>2999</response>")
    with web.client() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.answer().status == 200
        assert client.at_end()


def test_head_has_no_body(web: Web) -> None:
    """HEAD gets the fields of GET; the connection stays in step. # rfc9110#9.3.2"""
    with web.client() as client:
        for path in ("/dav/show", "/dav/pieces", "/dav/sized", "/help", "/dav/xml?200000"):
            whole = client.request("GET", path)
            head = client.request("HEAD", path)
            assert head.status == whole.status
            if path != "/dav/show":  # which tells the method
                assert head.header("Content-Length") == whole.header("Content-Length")
        assert client.request("HEAD", "/dav/nowhere/x").status == 200
        assert client.request("HEAD", "/nowhere").status == 404
        assert client.request("GET", "/dav/show").status == 200


def test_no_content(web: Web) -> None:
    """204 has neither a body nor a length. # rfc9110#15.3.5"""
    with web.client() as client:
        answer = client.request("DELETE", "/dav/none")
        assert (answer.status, answer.header("Content-Length")) == (204, None)
        assert answer.header("Transfer-Encoding") is None
        assert client.request("GET", "/dav/show").status == 200


def test_whole_urls_as_targets(web: Web) -> None:
    """Proxies send whole URLs; ``OPTIONS *`` is the root. # rfc9112#3.2.2, rfc9112#3.2.4"""
    with web.client() as client:
        seen = facts(client.request("GET", "http://other.example/dav/show"))
        assert seen["path"] == ["dav", "show"]
        assert client.request("OPTIONS", "*").status == 200
    assert web.shown.requests[-1] == "OPTIONS /"


def test_tls(make_web: MakeWeb) -> None:
    """The same over TLS, which the application can tell."""
    with make_web(tls=True) as web, web.client() as client:
        seen = facts(client.request("GET", "/dav/show"))
        assert seen["secure"] is True
        assert str(seen["base_url"]).startswith("https://127.0.0.1:")
        assert len(client.request("GET", "/dav/stream?100").body) == 100 * 65536
        digest = client.request("PUT", "/dav/spool", body=b"x" * 2_000_000).body.split()
        assert digest[:2] == [b"spool", b"2000000"]
        answer = client.request("GET", "/dav/show", [("Connection", "close")])
        assert answer.status == 200
        assert client.at_end()


@pytest.mark.parametrize("name", ["caldav", "carddav", "webdav"])
@pytest.mark.parametrize("method", ["GET", "PROPFIND", "OPTIONS", "HEAD", "POST"])
def test_well_known(web: Web, name: str, method: str) -> None:
    """Clients that know only the host are led on, whatever they ask and before they sign in."""
    # rfc6764#5
    place = {"webdav": "/dav/drive/"}.get(name, "/dav/")
    with web.client(login=False) as client:
        answer = client.request(method, f"/.well-known/{name}", body=b"<propfind/>")
        assert (answer.status, answer.header("Location")) == (301, place)
        assert client.request("GET", "/.well-known/other").status == 404
        assert client.request("GET", f"/.well-known/{name}/x").status == 404


def test_pages(web: Web) -> None:
    """People with a browser learn what this is and what to enter where."""
    with web.client(login=False) as client:
        page = client.request("GET", "/")
        assert page.header("Content-Type") == "text/html; charset=utf-8"
        assert 'href="/help"' in page.text
        text = client.request("GET", "/help").text
        for words in ("DAVx5", "Thunderbird", "Evolution", "CalDav Synchronizer", "iPhone"):
            assert words in text
        assert "https://mail.example.test/dav/drive/" in text
        assert "\\\\mail.example.test@SSL\\DavWWWRoot\\dav\\drive" in text
        assert "davs://mail.example.test/dav/drive/" in text
        assert "mail.example.test, port 993" in text
        assert client.request("POST", "/help").status == 405
        assert client.request("GET", "/favicon.ico").status == 404


def test_dav_at_the_root(web: Web) -> None:
    """Windows and Office begin at the root: OPTIONS without login, the rest with it."""
    with web.client(login=False) as client:
        assert facts(client.request("OPTIONS", "/"))["account"] is None
        assert client.request("PROPFIND", "/").status == 401
    with web.client() as client:
        assert facts(client.request("PROPFIND", "/"))["account"] == web.account.id
        assert facts(client.request("OPTIONS", "/"))["account"] == web.account.id


@pytest.mark.parametrize(
    ("destination", "status"),
    [
        ("/dav/a%20b", 200),
        ("http://{host}/dav/a%20b", 200),
        ("http://elsewhere.example/dav/a", 502),
        ("/dav/../etc", 400),
        ("dav/a", 400),
    ],
)
def test_destinations(web: Web, destination: str, status: int) -> None:
    """URLs of other servers are 502, as RFC 4918 has it for Destination."""
    with web.client() as client:
        fields = [("Destination", destination.format(host=client.host))]
        answer = client.request("MOVE", "/dav/local", fields)
        assert answer.status == status
        if status == 200:
            assert json.loads(answer.body) == ["dav", "a b"]


def test_one_stray_line_is_forgiven(web: Web) -> None:
    """rfc9112#2.2: an empty line before a request, as some clients send after a body."""
    with web.client() as client:
        client.send(b"\r\n")
        assert client.request("GET", "/dav/show").status == 200
