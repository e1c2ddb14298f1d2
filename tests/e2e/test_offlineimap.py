"""OfflineIMAP keeps a Maildir and the server the same, in both directions."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from pathlib import Path

import imapclient
import pytest

from tests.e2e.conftest import Demo

pytestmark = [pytest.mark.e2e, pytest.mark.client("OfflineIMAP")]

CONFIG = """
[general]
accounts = demo
metadata = {folder}/state
ui = quiet

[Account demo]
localrepository = local
remoterepository = remote

[Repository local]
type = Maildir
localfolders = {folder}/mail

[Repository remote]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = eve@example.test
remotepass = eve-demo
ssl = yes
starttls = no
sslcacertfile = {folder}/server.pem
folderfilter = lambda name: name.startswith("Offline")
"""


class Mirror:
    """One person's folders in a Maildir, synchronised by the real program."""

    def __init__(self, demo: Demo, folder: Path) -> None:
        self._demo = demo
        self._folder = folder
        self._config = folder / "offlineimaprc"
        self._config.write_text(CONFIG.format(folder=folder, port=demo.port(993)))
        (folder / "server.pem").write_text(demo.certificate)

    def sync(self) -> None:
        """One two-way run, which must succeed."""
        done = self._demo.run("offlineimap", "-o", "-c", self._config)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ERROR" not in done.stdout + done.stderr, done.stdout + done.stderr

    def by_subject(self, mailbox: str) -> dict[str, Path]:
        """The messages of a mailbox by subject."""
        found = {}
        for file in (self._folder / "mail" / mailbox).glob("[cn][ue][rw]/*"):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            found[str(message["Subject"])] = file
        return found

    def make(self, mailbox: str) -> Path:
        """A new Maildir."""
        folder = self._folder / "mail" / mailbox
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True)
        return folder


def message(subject: str) -> bytes:
    """A small message."""
    return (
        f"From: alice@example.test\r\nTo: eve@example.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject.replace(' ', '.')}@offline.example.test>\r\n\r\nText.\r\n"
    ).encode()


@pytest.fixture
def imap(demo: Demo) -> Iterator[imapclient.IMAPClient]:
    """The same account from another client."""
    with imapclient.IMAPClient("127.0.0.1", demo.port(143), ssl=False) as client:
        client.login("eve@example.test", "eve-demo")
        yield client


def subjects(imap: imapclient.IMAPClient, mailbox: str) -> dict[str, tuple[bytes, ...]]:
    """Flags by subject, as the server has them."""
    imap.select_folder(mailbox)
    rows = imap.fetch(imap.search(), ["ENVELOPE", "FLAGS"]).values()
    return {row[b"ENVELOPE"].subject.decode(): row[b"FLAGS"] for row in rows}


def test_two_way_sync(demo: Demo, imap: imapclient.IMAPClient, tmp_path: Path) -> None:
    """New mail, flags, deletions and folders travel both ways, and a third run changes nothing."""
    imap.create_folder("Offline/Work")
    for number in range(10):
        imap.append("Offline/Work", message(f"n {number}"), [b"\\Seen"] if number % 2 else [])
    mirror = Mirror(demo, tmp_path)
    mirror.sync()
    here = mirror.by_subject("Offline.Work")
    assert here.keys() == {f"n {number}" for number in range(10)}
    assert all(("S" in here[f"n {n}"].name.rpartition(",")[2]) == bool(n % 2) for n in range(10))

    # Here: a deletion, a flag, a new message, a new folder. There: a flag, a deletion, new mail.
    here["n 1"].unlink()
    here["n 3"].rename(here["n 3"].with_name(here["n 3"].name + "F"))
    written = message("written here").replace(b"\r\n", b"\n")
    (tmp_path / "mail/Offline.Work/new/1.local.host").write_bytes(written)
    new = mirror.make("Offline.Home")
    (new / "new" / "2.local.host").write_bytes(message("at home").replace(b"\r\n", b"\n"))
    imap.select_folder("Offline/Work")
    [flagged] = imap.search(["SUBJECT", "n 5"])
    imap.add_flags(flagged, [b"\\Flagged"])
    [gone] = imap.search(["SUBJECT", "n 7"])
    imap.delete_messages(gone)
    imap.expunge()
    imap.append("Offline/Work", message("written there"))
    mirror.sync()

    there = subjects(imap, "Offline/Work")
    here = mirror.by_subject("Offline.Work")
    assert there.keys() == here.keys()
    assert {"written here", "written there"} <= here.keys()
    assert not {"n 1", "n 7"} & here.keys()
    assert b"\\Flagged" in there["n 3"]
    assert "F" in here["n 5"].name.rpartition(",")[2]
    assert subjects(imap, "Offline/Home").keys() == {"at home"}

    before = sorted(file.name for file in here.values())
    mirror.sync()
    assert sorted(file.name for file in mirror.by_subject("Offline.Work").values()) == before
    assert subjects(imap, "Offline/Work") == there
