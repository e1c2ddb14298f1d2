"""HTTP in a whole server: listeners, help from the config, and an orderly end."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.server.selfsigned import write_self_signed
from tests.kit import reactor
from tests.kit.databases import Databases
from tests.kit.http import HttpClient
from tests.kit.pace import within
from tests.kit.waiting import until
from tests.server.test_wiring import Site, make_config, on_loop, running

ADA = ("ada@example.org", "correct horse")


@pytest.fixture
def web_site(databases: Databases, tmp_path: Path) -> Iterator[Site]:
    """A server on SQLite."""
    write_self_signed(tmp_path / "certificate.pem", tmp_path / "key.pem", ["localhost"])
    with running(make_config(tmp_path, databases.fresh("sqlite")), tmp_path) as site:
        yield site


def test_the_tree_is_there(web_site: Site) -> None:
    """The same documents over HTTP and HTTPS, with the password of the account."""
    with HttpClient(web_site.port("http", "implicit"), ADA, tls=True) as client:
        place = "/dav/drive/My%20documents/note.txt"
        assert client.request("PUT", place, body=b"hello").status == 201
    with HttpClient(web_site.port("http", "none"), ADA) as client:
        assert client.request("GET", place).body == b"hello"
    with HttpClient(web_site.port("http", "none"), ("ada@example.org", "wrong")) as client:
        assert client.request("GET", place).status == 401


def test_the_help_knows_the_ports(web_site: Site) -> None:
    """What people enter is what the config says."""
    port = web_site.port("http", "implicit")
    with HttpClient(port, tls=True) as client:
        text = client.request("GET", "/help").text
    assert f"https://localhost:{port}/dav/drive/" in text
    assert f"\\\\localhost@SSL@{port}\\DavWWWRoot\\dav\\drive" in text
    assert f"localhost, port {web_site.port('imap', 'implicit')}, TLS" in text


def test_connections_are_counted_for_metrics(web_site: Site) -> None:
    """The gauge of open connections knows HTTP."""
    with HttpClient(web_site.port("http", "none")) as client:
        client.request("GET", "/")
        assert web_site.server._connections()["http"] == 1
    until(lambda: web_site.server._connections()["http"] == 0)


def test_stopping_waits_for_nobody_idle(web_site: Site) -> None:
    """Kept connections end at once; one in the middle of an upload has some seconds."""
    with (
        HttpClient(web_site.port("http", "none"), ADA) as idle,
        HttpClient(web_site.port("http", "implicit"), ADA, tls=True) as secure,
        HttpClient(web_site.port("http", "none"), ADA) as busy,
    ):
        assert idle.request("GET", "/").status == 200
        assert secure.request("GET", "/").status == 200
        busy.head("PUT", "/dav/drive/My%20documents/half.bin", length=10_000_000)
        busy.send(b"x" * 1_000_000)
        until(lambda: web_site.server._connections()["http"] == 3)
        with within(8):
            on_loop(web_site.server.stop)
        for client in (idle, secure, busy):
            assert client.at_end()
    left = [one for one in (web_site.folder / "data" / "blobs").rglob("*") if one.is_file()]
    assert left == []


def test_an_answer_under_way_is_completed(web_site: Site) -> None:
    """A stop during a request lets it end; the connection is not kept after it."""
    with HttpClient(web_site.port("http", "none"), ADA) as client:
        client.head("PUT", "/dav/drive/My%20documents/whole.txt", length=5)
        until(lambda: web_site.server._connections()["http"] == 1)
        time.sleep(0.1)
        assert web_site.server._web is not None
        for factory in web_site.server._web._factories:
            reactor.call(factory.close)
        client.send(b"hello")
        answer = client.answer()
        assert (answer.status, answer.header("Connection")) == (201, "close")
        assert client.at_end()


def test_programs_find_the_listeners(web_site: Site) -> None:
    """What they are told without a login is where the server listens, with the best first."""
    with HttpClient(web_site.port("http", "none")) as client:
        text = client.request("GET", "/mail/config-v1.1.xml?emailaddress=ada@example.org").text
    places = re.findall("<hostname>(.*?)</hostname><port>(.*?)</port>", text)
    assert places[0] == ("localhost", str(web_site.port("imap", "implicit")))
    assert ("localhost", str(web_site.port("submission", "implicit"))) in places
