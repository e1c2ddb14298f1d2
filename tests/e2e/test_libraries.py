"""Libraries that other people's programs are made with: aioimaplib and imap-tools."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aioimaplib
import imapclient
import pytest
from imap_tools import (
    AND,
    NOT,
    OR,
    Header,
    MailBox,
    MailboxFolderSelectError,
    MailBoxStartTls,
    MailMessage,
    MailMessageFlags,
    SortCriteria,
    UidRange,
)

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
    client = aioimaplib.IMAP4_SSL("localhost", demo.port(993), timeout=60, ssl_context=context)
    await client.wait_hello_from_server()
    assert (await client.login(NAME, PASSWORD)).result == "OK"
    assert client.has_capability("IDLE")
    for mailbox in ("Aio", "Aio/Done"):
        assert (await client.create(mailbox)).result == "OK"
    assert (await client.select("Aio")).result == "OK"

    other = aioimaplib.IMAP4_SSL("localhost", demo.port(993), timeout=60, ssl_context=context)
    await other.wait_hello_from_server()
    assert (await other.login(NAME, PASSWORD)).result == "OK"
    idle = await client.idle_start(timeout=60)
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


@pytest.mark.client("aioimaplib")
def test_aioimaplib_calls(demo: Demo, tmp_path: Path) -> None:
    """The calls that are left: folders, subscriptions, status, ID, ENABLE, quota, copies, moves."""
    asyncio.run(_aioimaplib_calls(demo, trusting(demo, tmp_path)))


async def _aioimaplib_calls(demo: Demo, context: ssl.SSLContext) -> None:
    client = aioimaplib.IMAP4_SSL("localhost", demo.port(993), timeout=60, ssl_context=context)
    await client.wait_hello_from_server()
    assert (await client.login(NAME, "wrong")).result == "NO"
    assert (await client.login(NAME, PASSWORD)).result == "OK"

    async def lines(call: Awaitable[Any]) -> str:
        answer = await call
        assert answer.result == "OK", answer
        return "\n".join(bytes(line).decode() for line in answer.lines)

    assert "Folkmoot" in await lines(client.id(name="test"))
    assert '("" "/")' in await lines(client.namespace())
    await lines(client.create("Calls"))
    await lines(client.rename("Calls", "Called"))
    await lines(client.unsubscribe("Called"))
    assert "Called" not in await lines(client.lsub('""', '"*"'))
    await lines(client.subscribe("Called"))
    assert "Called" in await lines(client.lsub('""', '"*"'))
    assert "\\Sent" in await lines(client.list('""', '"*"'))
    assert "STORAGE" in await lines(client.getquotaroot("Called"))
    for subject in ("one", "two", "three"):
        await lines(client.append(message(subject), "Called", flags=r"(\Seen)"))
    assert "MESSAGES 3" in await lines(client.status("Called", "(MESSAGES UIDNEXT UIDVALIDITY)"))
    await lines(client.enable("CONDSTORE"))
    assert "READ-ONLY" in await lines(client.examine("Called"))
    await lines(client.select("Called"))
    await lines(client.check())
    await lines(client.noop())
    assert (await lines(client.uid_search("SUBJECT", "two"))).startswith("2")
    assert "Subject: three" in await lines(
        client.fetch("3", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    )
    await lines(client.copy("1:2", "Trash"))
    await lines(client.uid("store", "1:*", "+FLAGS.SILENT", r"(\Deleted)"))
    await lines(client.uid("expunge", "1"))
    assert (await lines(client.search("ALL"))).startswith("1 2")
    await lines(client.move("1", "Trash"))
    assert (await client.select("Nowhere")).result == "NO"
    await lines(client.delete("Called"))
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
def test_imap_tools_calls(demo: Demo, tmp_path: Path) -> None:
    """Folders with any name, subscriptions, all criteria, numbers, sorting, headers, pages."""
    box = MailBoxStartTls("localhost", demo.port(143), ssl_context=trusting(demo, tmp_path))
    with box.login_utf8(NAME, PASSWORD):
        folders = box.folder
        folders.create("Größe & mehr")
        folders.rename("Größe & mehr", "Größe")
        assert folders.exists("Größe")
        folders.subscribe("Größe", False)
        assert "Größe" not in {each.name for each in folders.list(subscribed_only=True)}
        folders.subscribe("Größe", True)
        assert "Größe" in {each.name for each in folders.list(subscribed_only=True)}
        when = datetime(2026, 3, 13, 10, 11, 12, tzinfo=UTC)
        for subject in ("grün", "blau", "rot"):
            box.append(
                message(subject), "Größe", dt=when, flag_set=[MailMessageFlags.SEEN, "Farbe"]
            )
        folders.set("Größe")
        assert folders.get() == "Größe"
        assert folders.status("Größe", ["MESSAGES", "UIDNEXT"]) == {"MESSAGES": 3, "UIDNEXT": 4}
        criteria: tuple[tuple[Any, list[str]], ...] = (
            (AND(subject="grün"), ["1"]),
            (AND(keyword="Farbe", seen=True, answered=False), ["1", "2", "3"]),
            (OR(subject=["rot", "blau"]), ["2", "3"]),
            (NOT(OR(subject="rot", uid=["1"])), ["2"]),
            (AND(date=date(2026, 3, 13), sent_date=date(2026, 3, 13), size_gt=10), ["1", "2", "3"]),
            (AND(date_gte=date(2026, 3, 14)), []),
            (AND(header=[Header("Subject", "rot")], to="eve"), ["3"]),
            (AND(uid=UidRange("2", "*")), ["2", "3"]),
            (AND(body="Grüße", text="attachment"), []),
        )
        for wanted, found in criteria:
            assert box.uids(wanted, charset="UTF-8") == found, wanted
        assert box.uids(sort=SortCriteria.SUBJECT_ASC) == ["2", "1", "3"]
        assert box.numbers(AND(subject="rot")) == ["3"]
        assert box.numbers_to_uids(["1", "3"]) == ["1", "3"]
        heads = list(box.fetch(headers_only=True, reverse=True, limit=2, mark_seen=False))
        assert [each.subject for each in heads] == ["rot", "blau"]
        assert heads[0].date.isoformat() == "2026-03-13T10:11:12+01:00"
        assert not heads[0].attachments
        pages = [one.uid for page in (0, 1) for one in box.fetch(limit=slice(page, page + 1))]
        assert pages == ["1", "2"]
        box.flag("1:3", "Farbe", False)
        assert box.uids(AND(keyword="Farbe")) == []
        box.copy("1", "Größe", chunks=1)
        assert len(box.uids()) == 4
        box.flag(["4"], MailMessageFlags.DELETED, True)
        box.expunge()
        with pytest.raises(MailboxFolderSelectError):
            folders.set("No such folder")
        folders.set("INBOX")
        folders.delete("Größe")


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
        assert b"* 1 EXISTS" in box.idle.wait(timeout=60)
        later.join()
        assert [one.subject for one in box.fetch()] == ["new"]
        other.select_folder("Waiting")
        other.delete_messages(other.search())
        later = threading.Timer(0.2, other.expunge)
        later.start()
        told: list[bytes] = []
        while b"* 1 EXPUNGE" not in told:
            responses = box.idle.wait(timeout=60)
            assert responses, told
            told += responses
        later.join()
    other.logout()
