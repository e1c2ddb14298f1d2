"""isync's mbsync keeps Maildirs and the server the same, in both directions."""

from __future__ import annotations

import email
import email.policy
from pathlib import Path

import imapclient
import pytest

from tests.e2e.conftest import Demo

pytestmark = [pytest.mark.e2e, pytest.mark.client("mbsync")]

CONFIG = """
IMAPAccount demo
Host localhost
Port {port}
User {person}@example.test
Pass {person}-demo
SSLType IMAPS
CertificateFile {certificate}
AuthMechs {mechanism}

IMAPStore remote
Account demo

MaildirStore local
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns {patterns}
Create Both
Remove Both
Expunge Both
SyncState *
CopyArrivalDate yes
"""


class Mirror:
    """One person's Maildirs, synchronised by the real program."""

    def __init__(
        self,
        demo: Demo,
        folder: Path,
        mechanism: str = "PLAIN",
        person: str = "carol",
        patterns: str = "*",
    ) -> None:
        self.demo = demo
        self.maildir = folder / "mail"
        self.maildir.mkdir(parents=True)
        certificate = folder / "server.pem"
        certificate.write_text(demo.certificate)
        self._config = folder / "mbsyncrc"
        self._config.write_text(
            CONFIG.format(
                port=demo.port(993),
                certificate=certificate,
                maildir=self.maildir,
                mechanism=mechanism,
                person=person,
                patterns=patterns,
            )
        )

    def sync(self) -> None:
        """One two-way run, which must succeed."""
        done = self.demo.run("mbsync", "-c", self._config, "-a")
        assert done.returncode == 0, done.stderr

    def files(self, mailbox: str) -> list[Path]:
        """The messages of a mailbox."""
        return [
            file
            for part in ("cur", "new")
            for file in sorted((self.maildir / mailbox / part).glob("*"))
        ]

    def by_subject(self, mailbox: str) -> dict[str, Path]:
        """The messages of a mailbox by subject."""
        found = {}
        for file in self.files(mailbox):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            found[str(message["Subject"])] = file
        return found


@pytest.fixture
def imap(demo: Demo) -> imapclient.IMAPClient:
    """The same account from another client, emptied."""
    client = imapclient.IMAPClient("127.0.0.1", demo.port(143), ssl=False)
    client.login("carol@example.test", "carol-demo")
    for _, _, name in client.list_folders():
        if name.startswith(("Groups", "Shared")):
            continue
        client.select_folder(name)
        if uids := client.search():
            client.delete_messages(uids)
            client.expunge()
        client.unselect_folder()
        if name.startswith("Projects"):
            continue
    for name in ("Projects/2024", "Projects/2025", "Projects"):
        if client.folder_exists(name):
            client.delete_folder(name)
    return client


def message(subject: str) -> bytes:
    """A small message."""
    return (
        f"From: alice@example.test\r\nTo: carol@example.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <{subject.replace(' ', '.')}@example.test>\r\n\r\nText of {subject}.\r\n"
    ).encode()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_two_way_sync_of_several_folders(
    demo: Demo, imap: imapclient.IMAPClient, tmp_path: Path, mechanism: str
) -> None:
    """New mail, flags, deletions and folders travel both ways, and a third run changes nothing."""
    imap.create_folder("Projects/2024")
    for number in range(20):
        imap.append("INBOX", message(f"inbox {number}"), [b"\\Seen"] if number % 2 else [])
    imap.append("Projects/2024", message("plan"), [b"\\Flagged"])
    mirror = Mirror(demo, tmp_path, mechanism)
    mirror.sync()
    assert len(mirror.files("INBOX")) == 20
    assert len(mirror.files("Projects/2024")) == 1
    assert "F" in mirror.files("Projects/2024")[0].name.rpartition(",")[2]

    # Here: a deletion, a flag, a new message, a new folder. There: a flag, a deletion, new mail.
    here = mirror.by_subject("INBOX")
    gone = here["inbox 3"]
    gone.rename(gone.parent.parent / "cur" / (gone.name.split(":")[0] + ":2,ST"))
    starred = here["inbox 4"]
    starred.rename(starred.parent.parent / "cur" / (starred.name.split(":")[0] + ":2,FR"))
    (mirror.maildir / "INBOX" / "new" / "1.local.host").write_bytes(
        message("written here").replace(b"\r\n", b"\n")
    )
    for part in ("cur", "new", "tmp"):
        (mirror.maildir / "Projects/2025" / part).mkdir(parents=True)
    (mirror.maildir / "Projects/2025" / "new" / "2.local.host").write_bytes(
        message("next year").replace(b"\r\n", b"\n")
    )
    imap.select_folder("INBOX")
    uids = {imap.fetch(u, ["ENVELOPE"])[u][b"ENVELOPE"].subject: u for u in imap.search()}
    imap.add_flags(uids[b"inbox 6"], [b"\\Flagged"])
    imap.delete_messages(uids[b"inbox 7"])
    imap.expunge()
    imap.append("INBOX", message("written there"))
    mirror.sync()

    subjects = mirror.by_subject("INBOX")
    assert {"written here", "written there"} <= subjects.keys()
    assert not {"inbox 3", "inbox 7"} & subjects.keys()
    assert "F" in subjects["inbox 6"].name.rpartition(",")[2]
    imap.select_folder("INBOX")
    there = {
        data[b"ENVELOPE"].subject.decode(): data[b"FLAGS"]
        for data in imap.fetch(imap.search(), ["ENVELOPE", "FLAGS"]).values()
    }
    assert there.keys() == subjects.keys()
    assert set(there["inbox 4"]) >= {b"\\Flagged", b"\\Answered"}
    imap.select_folder("Projects/2025")
    assert len(imap.search()) == 1

    before = sorted(file.name for file in mirror.files("INBOX"))
    mirror.sync()
    assert sorted(file.name for file in mirror.files("INBOX")) == before


GROUP = "Groups/Choir/INBOX"


def test_a_member_mirrors_the_mail_of_a_group(demo: Demo, tmp_path: Path) -> None:
    """A writer's mirror brings mail into the group; a reader's gets it, with \\Seen of its own."""
    people = {
        name: Mirror(demo, tmp_path / name, person=name, patterns="Groups/Choir*")
        for name in ("bob", "carol")
    }
    bob, carol = people["bob"], people["carol"]
    for mirror in (bob, carol):
        mirror.sync()
    (bob.maildir / GROUP / "new" / "1.local.host").write_bytes(
        message("from the mirror").replace(b"\r\n", b"\n")
    )
    bob.sync()
    carol.sync()
    file = carol.by_subject(GROUP)["from the mirror"]
    file.rename(file.parent.parent / "cur" / (file.name.split(":")[0] + ":2,S"))
    carol.sync()
    bob.sync()
    seen = {
        name: mirror.by_subject(GROUP)["from the mirror"].name for name, mirror in people.items()
    }
    assert "S" in seen["carol"].rpartition(",")[2]
    assert "S" not in seen["bob"].rpartition(",")[2]
    # The reader's mirror cannot take anything away from the others.
    carol.by_subject(GROUP)["from the mirror"].unlink()
    demo.run("mbsync", "-c", carol.maildir.parent / "mbsyncrc", "-a")
    bob.sync()
    assert "from the mirror" in bob.by_subject(GROUP)
