"""Libraries that other people's programs are made with: aioimaplib and imap-tools."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from pathlib import Path

import aioimaplib
import imapclient
import pytest
from imap_tools import AND, MailBox, MailMessage, MailMessageFlags

from tests.e2e.conftest import Demo

pytestmark = pytest.mark.e2e

NAME, PASSWORD = "eve@example.test", "eve-demo"


def message(subject: str, sender: str = "alice@example.test") -> bytes:
    """A small message with an attachment."""
    return (
        f"From: Alice <{sender}>\r\nTo: eve@example.test\r\nSubject: {subject}\r\n"
        "Date: Fri, 13 Mar 2026 10:11:12 +0100\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nGrüße.\r\n--b\r\n'
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="a.bin"\r\n\r\nAAECAw==\r\n--b--\r\n'
    ).encode()


def trusting(demo: Demo, folder: Path) -> ssl.SSLContext:
    """A TLS context that knows the demonstration server."""
    file = folder / "server.pem"
    file.write_text(demo.certificate)
    return ssl.create_default_context(cafile=str(file))


@pytest.mark.client("aioimaplib")
def test_aioimaplib(demo: Demo, tmp_path: Path) -> None:
    """A program waits in IDLE, is told of new mail at once, fetches, moves and expunges it."""
    asyncio.run(_aioimaplib(demo, trusting(demo, tmp_path)))


async def _aioimaplib(demo: Demo, context: ssl.SSLContext) -> None:
    client = aioimaplib.IMAP4_SSL("localhost", demo.port(993), timeout=10, ssl_context=context)
    await client.wait_hello_from_server()
    assert (await client.login(NAME, PASSWORD)).result == "OK"
    assert client.has_capability("IDLE")
    for mailbox in ("Aio", "Aio/Done"):
        assert (await client.create(mailbox)).result == "OK"
    assert (await client.select("Aio")).result == "OK"

    other = aioimaplib.IMAP4_SSL("localhost", demo.port(993), timeout=10, ssl_context=context)
    await other.wait_hello_from_server()
    assert (await other.login(NAME, PASSWORD)).result == "OK"
    idle = await client.idle_start(timeout=30)
    assert (await other.append(message("pushed"), "Aio", flags=r"(\Flagged)")).result == "OK"
    pushed = await client.wait_server_push(5)
    assert b"1 EXISTS" in pushed
    client.idle_done()
    await asyncio.wait_for(idle, 5)

    answer = await client.uid("fetch", "1", "(UID FLAGS BODY.PEEK[])")
    assert answer.result == "OK"
    assert any(bytes(line) == message("pushed") for line in answer.lines)
    assert re.search(rb"FLAGS \([^)]*\\Flagged", bytes(answer.lines[0]))
    assert (await client.uid("move", "1", "Aio/Done")).result == "OK"
    assert (await client.search("ALL")).lines[0] == b""
    assert (await client.select("Aio/Done")).result == "OK"
    assert (await client.search("ALL")).lines[0] == b"1"
    assert (await client.store("1", "+FLAGS", r"\Deleted")).result == "OK"
    assert (await client.expunge()).lines[0] == b"1 EXPUNGE"
    await client.close()
    await other.logout()
    await client.logout()


@pytest.mark.client("imap-tools")
def test_imap_tools(demo: Demo, tmp_path: Path) -> None:
    """A script finds mail by criteria, reads its parts, flags, copies, moves and deletes."""
    context = trusting(demo, tmp_path)
    with MailBox("localhost", demo.port(993), ssl_context=context).login(NAME, PASSWORD) as box:
        box.folder.create("Tools")
        box.folder.create("Tools/Old")
        assert {"Tools", "Tools/Old"} <= {folder.name for folder in box.folder.list()}
        for number in range(6):
            sender = "alice@example.test" if number % 2 else "bob@example.test"
            result = box.append(message(f"tools {number}", sender), "Tools", dt=None)
            assert result[0] == "OK"
        box.folder.set("Tools")
        from_alice = list(box.fetch(AND(from_="alice@example.test", seen=False), mark_seen=False))
        assert [one.subject for one in from_alice] == ["tools 1", "tools 3", "tools 5"]
        one = from_alice[0]
        assert isinstance(one, MailMessage)
        assert one.text.strip() == "Grüße."
        assert [each.payload for each in one.attachments] == [b"\0\1\2\3"]
        assert one.from_values is not None
        assert one.from_values.name == "Alice"

        uids = [each.uid or "" for each in from_alice]
        box.flag(uids, MailMessageFlags.FLAGGED, True)
        assert len(box.uids(AND(flagged=True))) == 3
        box.copy(uids[:1], "Tools/Old")
        box.move(uids[1:], "Tools/Old")
        assert len(box.uids()) == 4
        box.delete(uids[:1])
        assert [each.subject for each in box.fetch(bulk=True)] == ["tools 0", "tools 2", "tools 4"]
        assert box.folder.status("Tools/Old")["MESSAGES"] == 3


@pytest.mark.client("imap-tools")
def test_imap_tools_waits_in_idle(demo: Demo, tmp_path: Path) -> None:
    """Its IDLE loop sees new mail and a deletion by another program."""
    context = trusting(demo, tmp_path)
    other = imapclient.IMAPClient("127.0.0.1", demo.port(143), ssl=False)
    other.login(NAME, PASSWORD)
    other.create_folder("Waiting")
    with MailBox("localhost", demo.port(993), ssl_context=context).login(NAME, PASSWORD) as box:
        box.folder.set("Waiting")
        later = threading.Timer(0.2, lambda: other.append("Waiting", message("new")))
        later.start()
        assert b"* 1 EXISTS" in box.idle.wait(timeout=10)
        later.join()
        assert [one.subject for one in box.fetch()] == ["new"]
        other.select_folder("Waiting")
        other.delete_messages(other.search())
        later = threading.Timer(0.2, other.expunge)
        later.start()
        told: list[bytes] = []
        while b"* 1 EXPUNGE" not in told:
            responses = box.idle.wait(timeout=10)
            assert responses, told
            told += responses
        later.join()
    other.logout()
