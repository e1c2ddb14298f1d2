"""SIGTERM with work in flight: finished or rolled back, in time, and clients are told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.faults.chance import seed
from tests.faults.load import Load
from tests.faults.site import DRIVE, Site, address, message
from tests.kit.databases import Databases
from tests.kit.http import HttpClient
from tests.kit.pace import patience

pytestmark = pytest.mark.slow
MIB = 2**20
SECONDS = 10  # in which the process has to end
HOLD = "[relay]\nhold = true\n"


def _ends_with(client: socket.socket) -> bytes:
    """What comes before the end of a connection."""
    client.settimeout(patience(SECONDS))
    came = b""
    try:
        while data := client.recv(65536):
            came += data
    except ConnectionError:
        pass
    return came


def test_work_in_flight(databases: Databases, tmp_path: Path) -> None:
    """Uploads, downloads, deliveries and waits are broken off in good order within 10 seconds."""
    site = Site(tmp_path, url=databases.fresh("sqlite"))
    with site.server() as server:
        client = site.imap("alice", "INBOX")
        for _ in range(4):
            client.append("INBOX", message("large", 8 * MIB))
        assert site.put("there", b"before").status == 201

        slow = site.imap("alice", "INBOX")  # asks for 32 MB and takes none of it
        slow.start("FETCH 1:* BODY.PEEK[]")
        half = site.imap("alice")
        half.send(b"x APPEND INBOX {%d+}\r\nSubject: half\r\n\r\n" % (8 * MIB))
        half.send(bytes(2 * MIB).replace(b"\0", b"x"))
        upload = site.http("alice")
        upload.head("PUT", DRIVE + "there", length=8 * MIB)
        upload.send(bytes(2 * MIB))
        download = site.http("alice")
        assert site.put("large", bytes(32 * MIB)).status == 201
        download.head("GET", DRIVE + "large")
        delivery = site.lmtp()
        delivery.ehlo()
        delivery.docmd(f"MAIL FROM:<{address('bob')}>")
        delivery.docmd(f"RCPT TO:<{address('alice')}>")
        assert delivery.docmd("DATA")[0] == 354
        delivery.send(b"Subject: half\r\n\r\n" + b"x" * 70 + b"\r\n")
        idle, waiting, kept = site.imap("bob", "INBOX"), site.smtp("bob"), site.http("bob")
        idle.idle()
        assert kept.request("GET", DRIVE).status == 200
        silent = [
            socket.create_connection(("127.0.0.1", site.ports[name]))
            for name in ("imap", "imaps", "submission", "submissions", "http", "https", "lmtp")
        ]

        site.ended(server)
        assert _ends_with(idle.socket).startswith(b"* BYE ")
        assert waiting.sock is not None
        assert _ends_with(waiting.sock).startswith(b"421 4.3.2 ")
        assert delivery.sock is not None
        assert _ends_with(delivery.sock)[:4] in (b"421 ", b"")
        assert b"* BYE " in _ends_with(half.socket)
        assert _ends_with(kept.socket) == b""
        assert b" 201 " not in _ends_with(upload.socket)
        assert len(_ends_with(slow.socket)) < 32 * MIB
        assert len(_ends_with(download.socket)) < 32 * MIB
        for one in silent:
            _ends_with(one)
    assert not list((site.data / "blobs" / "incoming").iterdir())
    with site.server() as server:
        client = site.imap("alice", "INBOX")
        assert client.ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 4)")
        with site.http("alice") as again:
            assert again.request("GET", DRIVE + "there").body == b"before"
        site.works()
        site.ended(server)
    site.check()


def test_a_delivery_that_has_come_is_finished(databases: Databases, tmp_path: Path) -> None:
    """What had been sent to the end when the signal came is stored and answered, or neither."""
    site = Site(tmp_path, url=databases.fresh("sqlite"))
    with site.server() as server:
        clients: list[HttpClient] = [site.http("alice") for _ in range(8)]
        deliveries = [site.lmtp() for _ in range(8)]
        for one in deliveries:
            one.ehlo()
            one.docmd(f"MAIL FROM:<{address('bob')}>")
            one.docmd(f"RCPT TO:<{address('alice')}>")
            assert one.docmd("DATA")[0] == 354
        for number, client in enumerate(clients):
            client.head("PUT", f"{DRIVE}last{number}", length=MIB)
            client.send(bytes(MIB))
        for number, one in enumerate(deliveries):
            one.send(message(f"last{number}", MIB) + b".\r\n")
        site.ended(server)
        stored = {n for n, one in enumerate(clients) if b" 201 " in _ends_with(one.socket)}
        delivered = set()
        for number, one in enumerate(deliveries):
            assert one.sock is not None
            came = _ends_with(one.sock)
            assert came[:4] in (b"250 ", b"421 ", b"452 ", b""), came
            if came.startswith(b"250 "):
                delivered.add(number)
    with site.server() as server:
        reader = site.imap("alice", "INBOX")
        lines = b"".join(reader.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]").lines)
        assert all(lines.count(b"last%d\r\n" % number) == 1 for number in delivered)
        with site.http("alice") as again:
            for number in range(8):
                answer = again.request("GET", f"{DRIVE}last{number}")
                assert answer.status in ({200} if number in stored else {200, 404})
                assert answer.status == 404 or answer.body == bytes(MIB)
        site.ended(server)
    assert stored, "the signal came before anything"
    assert delivered
    site.check()


def test_stopped_under_load(databases: Databases, tmp_path: Path) -> None:
    """Nobody who works then loses what was acknowledged."""
    number = seed()
    site = Site(tmp_path, url=databases.fresh("sqlite"), more=HOLD)
    load = Load(site, number)
    with site.server() as server:
        load.start()
        load.under_way()
        site.ended(server)
        load.join()
    with site.server() as server:
        load.compare()
        site.ended(server)
    assert set(site.queued()) >= load.queued
