"""``folkmoot demo`` as people try it."""

from __future__ import annotations

import imaplib
import re
import signal
import smtplib
import socket
import ssl
import stat
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.kit.ports import free_base
from tests.server.cli import Running, eventually, run, running

pytestmark = pytest.mark.slow  # each command is a process of its own

OFFSETS = (143, 993, 587, 465, 24, 80, 443)


@pytest.fixture(scope="module")
def base() -> int:
    """A base port for all tests here."""
    return free_base(*OFFSETS)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, base: int) -> Iterator[tuple[Running, Path]]:
    """A demo that has said ready, and its data folder."""
    folder = tmp_path_factory.mktemp("demo")
    data = folder / "data"
    with running(folder / "out", "demo", "--data", data, "--base-port", base) as server:
        server.wait_for("\nready\n")
        yield server, data


def trusting(data: Path) -> ssl.SSLContext:
    """A client context that trusts the demo's certificate, names included."""
    return ssl.create_default_context(cafile=str(data / "certificate.pem"))


def mailbox(base: int, person: str) -> imaplib.IMAP4:
    """A person's mailbox by plain IMAP."""
    client = imaplib.IMAP4("127.0.0.1", base + 143)
    client.login(f"{person}@example.test", f"{person}-demo")
    return client


def subjects(client: imaplib.IMAP4) -> list[str]:
    """The subjects in INBOX, decoded."""
    client.select("INBOX", readonly=True)
    _, found = client.search(None, "ALL")
    made = []
    for number in found[0].split():
        parts: Any = client.fetch(number.decode(), "(BODY.PEEK[])")[1]
        made.append(str(message_from_bytes(parts[0][1], policy=default)["Subject"]))
    return made


def test_it_prints_ports_and_logins_then_ready(demo: tuple[Running, Path], base: int) -> None:
    """People and scripts see where to connect, as whom, and when."""
    server, data = demo
    text = server.text()
    for offset in OFFSETS:
        assert re.search(rf"\b{base + offset}\b", text)
    for person in ("alice", "bob", "carol", "dave", "eve"):
        assert f"{person}@example.test" in text
        assert f"{person}-demo" in text
    assert text.rstrip().endswith("\nready")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_everybody_finds_mail(demo: tuple[Running, Path], base: int) -> None:
    """The sample mail is there once, with subjects in any script."""
    for person, extra in (("alice", 4), ("dave", 1), ("eve", 1), ("carol", 2)):
        client = mailbox(base, person)
        found = subjects(client)
        assert found.count("Welcome to the demo") == 1
        assert len(found) == 1 + extra
        client.logout()
    client = mailbox(base, "bob")
    assert "Grüße aus Zürich – 東京から 🌍" in subjects(client)
    client.logout()


def test_tls_on_both_kinds_of_ports(demo: tuple[Running, Path], base: int) -> None:
    """Implicit TLS and STARTTLS work with a client that checks the certificate."""
    _, data = demo
    with imaplib.IMAP4_SSL("localhost", base + 993, ssl_context=trusting(data)) as implicit:
        assert "AUTH=SCRAM-SHA-256-PLUS" in implicit.capabilities
        implicit.login("eve@example.test", "eve-demo")
    with imaplib.IMAP4("localhost", base + 143) as upgraded:
        upgraded.starttls(trusting(data))
        upgraded.login("eve@example.test", "eve-demo")
    with smtplib.SMTP("localhost", base + 587) as submission:
        submission.starttls(context=trusting(data))
        submission.login("eve@example.test", "eve-demo")


def test_mail_goes_from_person_to_person(demo: tuple[Running, Path], base: int) -> None:
    """What one submits over TLS, another reads; what leaves the domain waits in the queue."""
    _, data = demo
    message = EmailMessage()
    message["From"] = "carol@example.test"
    message["To"] = "dave@example.test, somebody@elsewhere.example"
    message["Subject"] = "Between people"
    message.set_content("Hello\n")
    with smtplib.SMTP_SSL("localhost", base + 465, context=trusting(data)) as client:
        client.login("carol@example.test", "carol-demo")
        client.send_message(message)
    reader = mailbox(base, "dave")
    assert "Between people" in subjects(reader)
    reader.logout()

    def held() -> bool:
        done = run("-c", data / "folkmoot.toml", "queue", "list")
        return "somebody@elsewhere.example" in done.stdout and "held back" in done.stdout

    eventually(held)


def test_lmtp(demo: tuple[Running, Path], base: int) -> None:
    """An MTA can hand in mail."""
    with smtplib.LMTP("127.0.0.1", base + 24) as client:
        client.sendmail(
            "x@elsewhere.example",
            ["eve@example.test"],
            b"From: x@elsewhere.example\r\nSubject: From outside\r\n\r\nHi\r\n",
        )
    reader = mailbox(base, "eve")
    assert "From outside" in subjects(reader)
    reader.logout()


def test_commands_see_the_demo(demo: tuple[Running, Path]) -> None:
    """The command line works on a demo that runs, and its data is in order."""
    _, data = demo
    config = data / "folkmoot.toml"
    assert "alice@example.test" in run("-c", config, "account", "list").stdout
    shown = run("-c", config, "account", "show", "dave@example.test").stdout
    assert "20,000,000 bytes" in shown
    assert run("-c", config, "check", "--deep").returncode == 0


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    """The second demo on the same ports says so and ends with 1."""
    other = free_base(*OFFSETS)
    with socket.create_server(("127.0.0.1", other + 143)):
        done = run("demo", "--data", tmp_path / "data", "--base-port", other)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {other + 143}: another program" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_finds_its_data_again(tmp_path: Path, number: signal.Signals) -> None:
    """Open sessions get a goodbye, nothing is lost or made twice, the exit code is 0."""
    base = free_base(*OFFSETS)
    args = ("demo", "--data", tmp_path / "data", "--base-port", base)
    with running(tmp_path / "first", *args) as server:
        server.wait_for("\nready\n")
        client = mailbox(base, "alice")
        client.append("INBOX", "", "", b"Subject: Kept\r\n\r\nKept\r\n")
        before = subjects(client)
        assert server.stop(number) == 0
        assert b"BYE" in client.readline()
        assert "Traceback" not in server.text()
    with running(tmp_path / "second", *args) as server:
        server.wait_for("\nready\n")
        client = mailbox(base, "alice")
        assert subjects(client) == before
        assert "Kept" in before
        client.logout()
        assert server.stop(number) == 0


def test_the_group_of_the_demo(demo: tuple[Running, Path], base: int) -> None:
    """Its members open it in the drive, bob changes it, carol reads; eve finds nothing."""
    server, data = demo
    assert "choir@example.test" in server.text()

    def ask(person: str, method: str, path: str, body: bytes | None = None) -> int:
        login = b64encode(f"{person}@example.test:{person}-demo".encode()).decode()
        client = HTTPConnection("127.0.0.1", base + 80, timeout=60)
        url = f"/dav/drive/Groups/Choir/{path}"
        client.request(method, url, body, {"Authorization": f"Basic {login}"})
        status = client.getresponse().status
        client.close()
        return status

    assert [ask(each, "GET", "Scores/Programme.csv") for each in ("alice", "bob", "carol")] == [
        *(200, 200, 200)
    ]
    assert ask("bob", "PUT", "new.txt", b"new") == 201
    assert ask("carol", "PUT", "new.txt", b"other") == 403
    assert ask("eve", "GET", "new.txt") == 404
    shown = run("-c", data / "folkmoot.toml", "group", "show", "choir@example.test").stdout
    assert "10,000,000,000 bytes" in shown
