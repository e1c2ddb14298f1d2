"""An agent of support with real programs: refused, let in, held to the grant, recorded, cut off."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.kit.pace import patience

pytestmark = pytest.mark.e2e

CAROL, SAM = "carol@example.test", "sam@support.test"
NAME = f"{CAROL}*{SAM}"


def folkmoot(demo: Demo, *words: str, stdin: str = "", fails: bool = False) -> str:
    """The output of a command beside the server."""
    done = subprocess.run(
        [Path(sys.executable).with_name("folkmoot"), "-c", demo.data / "folkmoot.toml", *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def support(demo: Demo, *words: str, **options: Any) -> str:
    """The same of ``folkmoot support``."""
    return folkmoot(demo, "support", *words, **options)


def open_key(demo: Demo, reason: str) -> str:
    """Sam opens a session in Carol's account; its key."""
    words = ("open", CAROL, "--as", SAM, "--reason", reason, "--password-stdin", "--json")
    key: str = json.loads(support(demo, *words, stdin="sam-demo\n"))["key"]
    return key


@pytest.fixture
def no_grants(demo: Demo) -> Iterator[None]:
    """Whatever a test granted ends with it."""
    yield
    support(demo, "withdraw", CAROL)


def imap(demo: Demo, key: str, name: str = NAME) -> imaplib.IMAP4:
    """A session of Python's IMAP client."""
    client = imaplib.IMAP4("127.0.0.1", demo.port(143))
    client.login(f'"{name}"', key)
    return client


def curl(demo: Demo, key: str, path: str, *words: str) -> tuple[int, str]:
    """Status and body of what curl got as the agent."""
    url = f"http://127.0.0.1:{demo.port(80)}{path}"
    done = demo.run("curl", "-sS", "-w", "\n%{http_code}", "-u", f"{NAME}:{key}", *words, url)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def closed_after(demo: Demo, sock: socket.socket, end: list[str]) -> float:
    """Seconds between the end of a command that ends a grant, and the end of a connection."""
    ended: list[float] = []

    def wait() -> None:
        sock.settimeout(60)
        try:
            while sock.recv(65536):
                pass
        except OSError:
            pass
        ended.append(time.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    support(demo, *end)
    done = time.monotonic()
    thread.join(60)
    assert ended, "the connection is still open"
    return ended[0] - done


@pytest.mark.client("Python's imaplib", "mbsync")
@pytest.mark.usefixtures("no_grants")
def test_mail(demo: Demo, tmp_path: Path) -> None:
    """Refused before; let in; many bodies refused with the reason; recorded; cut off."""
    words = ("open", CAROL, "--as", SAM, "--reason", "help", "--password-stdin")
    absent = ("open", "nobody@example.test", *words[2:])
    told = [support(demo, *each, stdin="sam-demo\n", fails=True) for each in (words, absent)]
    assert told[0] == told[1]
    support(demo, "grant", CAROL, "--to", "Support")
    key = open_key(demo, "cannot read her mail")
    with pytest.raises(imaplib.IMAP4.error) as caught:
        imap(demo, key, f"bob@example.test*{SAM}")
    assert b"AUTHENTICATIONFAILED" in _octets(caught.value.args[0])
    client = imap(demo, key)
    client.select("INBOX")
    assert client.fetch("1:*", "(FLAGS ENVELOPE BODYSTRUCTURE)")[0] == "OK"
    assert client.fetch("1", "(BODY.PEEK[])")[0] == "OK"
    status, lines = client.fetch("1:*", "(BODY.PEEK[])")
    assert status == "NO"
    assert b"[NOPERM]" in _octets(lines[0])
    assert b"permission to export" in _octets(lines[0])
    assert client.search(None, "SUBJECT", "e")[0] == "OK"
    status, lines = client.search(None, "NOT", "DELETED", "BODY", "welcome")
    assert (status, b"not for words" in _octets(lines[0])) == ("NO", True)
    # mbsync asks for one after the other: it comes as far as the limit of single items.
    owner = imaplib.IMAP4("127.0.0.1", demo.port(143))
    owner.login(CAROL, "carol-demo")
    for number in range(30):
        owner.append("INBOX", None, None, f"Subject: {number}\r\n\r\n{number}\r\n".encode())
    mirror = tmp_path / "mail"
    mirror.mkdir()
    done = mbsync(demo, tmp_path, key)
    assert "20 items" in done.stdout + done.stderr
    assert len([*mirror.rglob("*,*")]) <= 20
    logins = json.loads(support(demo, "logins", CAROL, "--json"))
    assert (logins[0]["agent"], logins[0]["reason"]) == (SAM, "cannot read her mail")
    rows = json.loads(
        folkmoot(demo, "audit", "show", CAROL, "--support", "--limit", "999", "--json")
    )
    assert {row["account"] for row in rows} == {CAROL}
    assert {row["agent"] for row in rows} == {SAM}
    assert {"ReadBodies", "ReadState", "RecordSupportLogin"} <= {row["operation"] for row in rows}
    refused = {row["operation"] for row in rows if row["detail"].startswith("refused (Export")}
    assert refused == {"ReadBodies", "SearchMessages"}
    client.send(b"i IDLE\r\n")
    assert closed_after(demo, client.sock, ["withdraw", CAROL]) < patience(1)
    assert "whole" in folkmoot(demo, "audit", "verify")


def _octets(answer: Any) -> bytes:
    """What imaplib gives for one line or literal."""
    found: bytes = answer[1] if isinstance(answer, tuple) else answer
    return found


def mbsync(demo: Demo, folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    """A run of mbsync that fetches everything of Carol's, as the agent."""
    certificate = folder / "server.pem"
    certificate.write_text(demo.certificate)
    config = folder / "mbsyncrc"
    config.write_text(
        f"IMAPAccount demo\nHost localhost\nPort {demo.port(993)}\nUser {NAME}\nPass {key}\n"
        f"SSLType IMAPS\nCertificateFile {certificate}\nAuthMechs LOGIN\n\n"
        "IMAPStore remote\nAccount demo\n\n"
        f"MaildirStore local\nPath {folder}/mail/\nInbox {folder}/mail/INBOX\nSubFolders Verbatim\n"
        "\nChannel all\nFar :remote:\nNear :local:\nPatterns INBOX\nCreate Near\nSync Pull\n"
        "SyncState *\n"
    )
    return demo.run("mbsync", "-c", config, "-a")


@pytest.mark.client("mbsync", "curl")
@pytest.mark.usefixtures("no_grants")
def test_mail_with_export(demo: Demo, tmp_path: Path) -> None:
    """With the permission, mbsync takes everything; nobody ever sends as the customer."""
    support(demo, "grant", CAROL, "--to", SAM, "--export")
    key = open_key(demo, "move her mail")
    (tmp_path / "mail").mkdir()
    done = mbsync(demo, tmp_path, key)
    assert done.returncode == 0, done.stderr
    assert len([*(tmp_path / "mail" / "INBOX").rglob("*,*")]) > 1
    letter = tmp_path / "letter"
    letter.write_text(f"From: {CAROL}\nSubject: x\n\nx\n")
    for user in (NAME, f"{SAM};AUTH=PLAIN"):
        sent = demo.run(
            *("curl", "-sS", "-u", f"{user}:{key}", "--mail-from", CAROL),
            *("--mail-rcpt", "bob@example.test", "-T", letter),
            f"smtp://127.0.0.1:{demo.port(587)}",
        )
        assert sent.returncode != 0


@pytest.mark.client("rclone", "curl")
@pytest.mark.usefixtures("no_grants")
def test_documents(demo: Demo, tmp_path: Path) -> None:
    """rclone lists; one file is free and many are not; what only looks, changes nothing."""
    support(demo, "grant", CAROL, "--to", SAM, "--tools", "documents", "--read-only")
    key = open_key(demo, "look for a file")
    obscured = demo.run("rclone", "obscure", key).stdout.strip()
    config = tmp_path / "rclone.conf"
    url = f"http://127.0.0.1:{demo.port(80)}/dav/drive/My documents/"
    config.write_text(
        f"[drive]\ntype = webdav\nurl = {url}\nvendor = owncloud\nuser = {NAME}\n"
        f"pass = {obscured}\n"
    )
    rclone = ("rclone", "--config", config, "--retries", "1", "--low-level-retries", "1")
    files = demo.run(*rclone, "lsf", "-R", "--files-only", "drive:").stdout.splitlines()
    assert files
    got = demo.run(*rclone, "cat", f"drive:{files[0]}")
    assert got.returncode == 0, got.stderr
    note = tmp_path / "note.txt"
    note.write_text("x")
    put = demo.run(*rclone, "copy", note, "drive:")
    assert put.returncode != 0
    assert curl(demo, key, "/dav/drive/My%20documents/new/", "-X", "MKCOL")[0] == 403
    with pytest.raises(imaplib.IMAP4.error):
        imap(demo, key)
    support(demo, "withdraw", CAROL)
    assert curl(demo, key, "/dav/drive/")[0] == 401


@pytest.mark.client("vdirsyncer")
@pytest.mark.usefixtures("no_grants")
def test_calendars_and_contacts(demo: Demo, tmp_path: Path) -> None:
    """vdirsyncer wants everything at once: refused, with the reason; with export it gets it."""
    for export in (False, True):
        support(demo, "grant", CAROL, "--to", SAM, *(["--export"] if export else []))
        key = open_key(demo, "her telephone shows nothing")
        local = tmp_path / str(export)
        done = vdirsyncer(demo, local, key)
        taken = [*local.rglob("*.ics")]
        if export:
            assert done.returncode == 0, done.stderr
            assert len(taken) > 1
        else:
            assert done.returncode != 0
            assert len(taken) <= 1  # a calendar with one entry: a single item
        support(demo, "withdraw", CAROL)


def vdirsyncer(demo: Demo, local: Path, key: str) -> subprocess.CompletedProcess[str]:
    """A run of vdirsyncer over Carol's calendars, as the agent."""
    local.mkdir()
    config = local / "config"
    config.write_text(
        f'[general]\nstatus_path = "{local}/status"\n\n'
        '[pair all]\na = "local"\nb = "remote"\ncollections = ["from b"]\n\n'
        f'[storage local]\ntype = "filesystem"\npath = "{local}/calendars"\nfileext = ".ics"\n\n'
        f'[storage remote]\ntype = "caldav"\nurl = "http://127.0.0.1:{demo.port(80)}/"\n'
        f'username = "{NAME}"\npassword = "{key}"\n'
    )
    words = [str(Path(sys.executable).with_name("vdirsyncer")), "-c", str(config)]
    found = subprocess.run(
        [*words, "discover"],
        input="y\n" * 20,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return subprocess.run([*words, "sync"], capture_output=True, text=True, timeout=60, check=False)


def rest_after_withdrawal(demo: Demo, sock: socket.socket) -> int:
    """Octets that still come after the grant was withdrawn, of what nobody read until then."""
    time.sleep(1)  # buffers are full: the rest waits
    support(demo, "withdraw", CAROL)
    time.sleep(3)
    sock.settimeout(60)
    received = 0
    with contextlib.suppress(ConnectionResetError):
        while data := sock.recv(65536):
            received += len(data)
    return received


@pytest.mark.client("Python's imaplib")
@pytest.mark.usefixtures("no_grants")
def test_a_fetch_is_cut_off(demo: Demo) -> None:
    """Over IMAP, what is under way ends within a second, also where the client does not read."""
    owner = imaplib.IMAP4("127.0.0.1", demo.port(143))
    owner.login(CAROL, "carol-demo")
    owner.append("Archive", None, None, b"Subject: large\r\n\r\n" + b"x" * 30_000_000)
    support(demo, "grant", CAROL, "--to", SAM, "--export")
    client = imap(demo, open_key(demo, "look at a large message"))
    client.select("Archive", readonly=True)
    client.send(b"f FETCH * BODY.PEEK[]\r\n")
    assert rest_after_withdrawal(demo, client.sock) < 30_000_000


@pytest.mark.client("curl")
@pytest.mark.usefixtures("no_grants")
def test_a_download_is_cut_off(demo: Demo) -> None:
    """Over HTTP, too, what is under way ends within a second."""
    path = "/dav/drive/My%20documents/large.bin"
    url = f"http://127.0.0.1:{demo.port(80)}{path}"
    put = demo.run(
        *("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-u", f"{CAROL}:carol-demo"),
        *("-X", "PUT", "--data-binary", "@-", url),
        stdin="x" * 30_000_000,
    )
    assert put.stdout in ("201", "204"), put
    support(demo, "grant", CAROL, "--to", SAM, "--export")
    key = open_key(demo, "look at a large file")
    sock = socket.create_connection(("127.0.0.1", demo.port(80)))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    credentials = base64.b64encode(f"{NAME}:{key}".encode()).decode()
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credentials}"
    sock.sendall(f"{head}\r\n\r\n".encode())
    assert sock.recv(12) == b"HTTP/1.1 200"
    assert rest_after_withdrawal(demo, sock) < 30_000_000


@pytest.mark.client("curl", "Python's imaplib")
@pytest.mark.usefixtures("no_grants")
def test_a_link(demo: Demo) -> None:
    """The agent asks; the link in Carol's mail lets in who knows her password, and nobody else."""
    words = ("request", CAROL, "--as", SAM, "--reason", "your calendar", "--for", "2h")
    asked = support(demo, *words, "--password-stdin", "--json", stdin="sam-demo\n")
    assert json.loads(asked)["account"] == CAROL
    client = imaplib.IMAP4("127.0.0.1", demo.port(143))
    client.login(CAROL, "carol-demo")
    client.select("INBOX")
    _, [numbers] = client.search(None, "SUBJECT", '"Support asks"')
    _, parts = client.fetch(numbers.split()[-1].decode(), "(BODY.PEEK[TEXT])")
    text = _octets(parts[0]).decode().replace("=\r\n", "")
    link = next(line for line in text.splitlines() if "/support/" in line).replace("=3D", "=")
    token = link.strip().rpartition("/")[2]
    url = f"http://127.0.0.1:{demo.port(80)}/support/{token}"
    pages = f"http://127.0.0.1:{demo.port(80)}/support"
    for page in ("account", "desk"):
        assert "Sign in" in demo.run("curl", "-sS", f"{pages}/{page}").stdout
    for _ in range(2):  # a mail scanner
        assert "<form" in demo.run("curl", "-sS", url).stdout
    assert _state(demo) == []
    wrong = demo.run(
        "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-d", "password=x", url
    )
    assert wrong.stdout == "401"
    forged = demo.run("curl", "-sS", "-w", "%{http_code}", "-d", "password=carol-demo", f"{url}0")
    assert forged.stdout.endswith("404")
    assert _state(demo) == []
    done = demo.run("curl", "-sS", "-w", "%{http_code}", "-d", "password=carol-demo", url)
    assert done.stdout.endswith("200"), done.stdout
    assert _state(demo) == [SAM]
    again = demo.run("curl", "-sS", "-w", "%{http_code}", "-d", "password=carol-demo", url)
    assert again.stdout.endswith("404")


def _state(demo: Demo) -> list[str]:
    grants = json.loads(support(demo, "grants", CAROL, "--json"))
    return [grant["to"] for grant in grants if grant["state"] == "holds"]


@pytest.mark.client("Python's imaplib")
def test_letters(demo: Demo) -> None:
    """Carol has a mail about each grant, the first login and the end."""
    support(demo, "grant", CAROL, "--to", SAM)
    imap(demo, open_key(demo, "letters")).logout()
    support(demo, "withdraw", CAROL)
    wanted = {"may look into", "has come into", "has no access"}
    client = imaplib.IMAP4("127.0.0.1", demo.port(143))
    client.login(CAROL, "carol-demo")
    end = time.monotonic() + patience(20)
    while wanted and time.monotonic() < end:
        client.select("INBOX")
        wanted = {
            text for text in wanted if client.search(None, "SUBJECT", f'"{text}"')[1] == [b""]
        }
        time.sleep(0.1)
    assert not wanted


@pytest.mark.client("folkmoot")
def test_the_help_desk(demo: Demo) -> None:
    """A call-back by the command line: one at a time, shown to staff as a calendar."""
    words = ("help-desk", "book", CAROL, "--subject", "Setup", "--phone", "+1 23")
    times = ("--from", "2030-01-07 09:00", "--to", "2030-01-07 10:00")
    made = json.loads(folkmoot(demo, *words, *times, "--json"))
    assert "already" in folkmoot(demo, *words, *times, fails=True)
    assert "SUMMARY:Call-back: Setup" in folkmoot(demo, "help-desk", "list", "--ics")
    folkmoot(demo, "help-desk", "cancel", CAROL, str(made["number"]))
    assert "SUMMARY" not in folkmoot(demo, "help-desk", "list", "--ics")
