"""The whole server in this process, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import imaplib
import smtplib
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from folkmoot.config.directory import parse_directory
from folkmoot.config.rules import parse_config
from folkmoot.config.schema import Config
from folkmoot.server.run import StartFailed
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.server.wiring import Server
from folkmoot.storage import upkeep
from folkmoot.storage.store import Store
from tests.kit import reactor
from tests.kit.databases import Databases

DIRECTORY = """
[plan.small]
mail = { bytes = "100 kB" }
mail_per_day = 2
[[domain]]
name = "example.org"
[[account]]
address = "ada@example.org"
password = "correct horse"
plan = "small"
[[account]]
address = "bob@example.org"
password = "battery staple"
"""


def on_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an asyncio coroutine on the reactor's loop and wait for it."""

    def begin() -> Deferred[None]:
        return Deferred.fromFuture(asyncio.ensure_future(work()))

    reactor.call(begin)


@dataclass
class Site:
    """A server under test and its ports by (protocol, tls)."""

    server: Server
    folder: Path

    def port(self, protocol: str, tls: str = "starttls") -> int:
        """The port of a listener."""
        return next(
            bound.port
            for bound in self.server.bound
            if (bound.section.protocol, bound.section.tls) == (protocol, tls)
        )

    def context(self) -> ssl.SSLContext:
        """A client context that trusts the server."""
        return ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))

    def imap(self, person: str = "ada", password: str = "correct horse") -> imaplib.IMAP4:
        """A signed-in client."""
        client = imaplib.IMAP4("127.0.0.1", self.port("imap"))
        client.login(f"{person}@example.org", password)
        return client

    def submit(self, recipients: list[str], size: int = 10) -> None:
        """Send a message as ada."""
        message = EmailMessage()
        message["From"] = "ada@example.org"
        message["To"] = ", ".join(recipients)
        message.set_content("x" * size)
        with smtplib.SMTP_SSL(
            "localhost", self.port("submission", "implicit"), context=self.context()
        ) as client:
            client.login("ada@example.org", "correct horse")
            client.send_message(message)


def make_config(folder: Path, url: str, address: str = "127.0.0.1", more: str = "") -> Config:
    """A config with free ports; ``more`` are further sections."""
    tls = {"imap": ("starttls", "implicit"), "submission": ("starttls", "implicit")}
    listeners = "".join(
        f'[[listener]]\nprotocol = "{protocol}"\naddress = "{address}"\nport = 0\ntls = "{mode}"\n'
        for protocol, modes in (*tls.items(), ("lmtp", ("none",)), ("http", ("none", "implicit")))
        for mode in modes
    )
    return parse_config(
        '[server]\nhostname = "localhost"\ndata_dir = "data"\n'
        f'[database]\nurl = "{url}"\n'
        '[tls]\ncertificate = "certificate.pem"\nkey = "key.pem"\n'
        '[passwords]\nargon2_memory = "64 KiB"\nscram_iterations = 4096\n'
        '[relay]\nhold = true\n[limits]\nlogin = 5\n[imap]\nhide_capabilities = ["XLIST"]\n'
        + listeners
        + more,
        folder / "folkmoot.toml",
    )


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Iterator[Site]:
    """A server on either database."""
    url = databases.fresh(request.param)
    write_self_signed(tmp_path / "certificate.pem", tmp_path / "key.pem", ["localhost"])
    with running(make_config(tmp_path, url), tmp_path) as site:
        yield site


@contextmanager
def running(config: Config, folder: Path, directory_file: str = DIRECTORY) -> Iterator[Site]:
    """A server that runs; at the end it is stopped, and its data checked."""
    directory = parse_directory(directory_file, folder / "directory.toml")
    server = Server(config, reactor.get(), directory=directory)
    on_loop(server.start)
    yield Site(server, folder)
    found = upkeep.check(server.core.store) if server.running else []
    on_loop(server.stop)
    assert not found


def test_mail_in_and_out(site: Site) -> None:
    """Sign-in, submission, LMTP and reading work together on a whole server."""
    site.submit(["bob@example.org"])
    with smtplib.LMTP("127.0.0.1", site.port("lmtp", "none")) as client:
        client.sendmail("x@else.example", ["bob@example.org"], b"Subject: In\r\n\r\nHi\r\n")
    reader = site.imap("bob", "battery staple")
    assert reader.select("INBOX")[1] == [b"2"]
    assert "XLIST" not in reader.capability()[1][0].decode()  # hidden by the config
    reader.logout()


def test_plans_are_enforced(site: Site) -> None:
    """Space and outbound mail of a plan come from the directory."""
    site.submit(["one@else.example", "two@else.example"])
    with pytest.raises(smtplib.SMTPException):
        site.submit(["three@else.example"])
    client = site.imap()
    assert client.append("INBOX", "", "", b"x" * 90_000)[0] == "OK"
    status, text = client.append("INBOX", "", "", b"x" * 20_000)
    assert status == "NO"
    assert b"OVERQUOTA" in text[0]
    client.logout()


def test_stop_says_goodbye(site: Site) -> None:
    """Open sessions are told, new ones are refused, and stopping again does nothing."""
    client = site.imap()
    with smtplib.SMTP("127.0.0.1", site.port("submission")) as sender:
        port = site.port("imap")
        on_loop(site.server.stop)
        assert client.readline().startswith(b"* BYE")
        assert sender.getreply()[0] == 421
        sender.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=60)
    on_loop(site.server.stop)


def test_a_start_that_fails_leaves_nothing(site: Site, tmp_path: Path) -> None:
    """When the second part of a start fails, ports and data of the first are free again."""
    other = tmp_path / "other"
    other.mkdir()
    write_self_signed(other / "certificate.pem", other / "key.pem", ["localhost"])
    config = make_config(other, f"sqlite:///{tmp_path / 'missing' / 'x.db'}")
    server = Server(config, reactor.get())
    with pytest.raises(StartFailed, match="the data cannot be opened"):
        on_loop(server.start)
    for bound in server.bound:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", bound.port), timeout=60)
    assert isinstance(site.server.core.store, Store)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_ipv4_clients_of_a_socket_for_both_families(databases: Databases, tmp_path: Path) -> None:
    """Behind ``::`` a client of this machine is known as one, and by its own address."""
    write_self_signed(tmp_path / "certificate.pem", tmp_path / "key.pem", ["localhost"])
    config = make_config(tmp_path, databases.fresh("sqlite"), "::")
    with running(config, tmp_path) as site:
        with smtplib.SMTP("127.0.0.1", site.port("submission")) as client:
            client.login("ada@example.org", "correct horse")
            client.sendmail("ada@example.org", "ada@example.org", b"From: ada@example.org\r\n\r\n")
        reader = site.imap()
        assert reader.select("INBOX")[1] == [b"1"]
        _, parts = reader.fetch("1", "(BODY.PEEK[HEADER.FIELDS (RECEIVED)])")
        assert isinstance(parts[0], tuple)
        assert b"([127.0.0.1])" in parts[0][1]
        reader.logout()
