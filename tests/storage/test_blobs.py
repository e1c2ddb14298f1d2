"""Bodies: how they come in, where they lie, and when they go."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from folkmoot.storage.blobs.fs import TEMPORARY, FileBlobs, digest
from folkmoot.storage.mutations.messages import AppendMessages, ExpungeMessages
from folkmoot.storage.mutations.queue import DropQueued, EnqueueMail
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, FlagSet, NewMessage
from folkmoot.storage.types_mail import MailEnvelope, MailRecipient
from folkmoot.storage.upkeep import check, sweep
from tests.kit.messages import simple
from tests.storage.accounts_kit import apply
from tests.storage.mail_kit import ALL_UIDS, ARRIVED, Mail, new_mail, sql

DAY = 86_400


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(tmp_path / "bodies")


def files(root: Path) -> list[str]:
    """All files below a folder."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def age(store: Store, seconds: int = DAY) -> None:
    """Let everything that is stored be older."""
    sql(store, "UPDATE blobs SET created = created - :n", n=seconds)
    then = time.time() - seconds
    for path in store.blobs.root.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def large(store: Store, text: str = "x") -> bytes:
    """A message that is too large for the database."""
    return simple(body="") + text.encode() * (store.inline_limit // len(text) + 1)


# --- files -----------------------------------------------------------------------------------


def test_a_kept_body_is_what_was_written(blobs: FileBlobs) -> None:
    """Pieces come back in order, by offset and length, with the digest in the name."""
    spool = blobs.spool()
    for piece in (b"one ", b"", b"two ", b"three"):
        spool.write(piece)
    assert spool.size == 13
    name, hashed = spool.keep()
    assert hashed == digest(b"one two three") == blobs.digest(name, 13)
    assert hashed.hex() in name
    assert blobs.path(name).read_bytes() == b"one two three"
    assert blobs.read(name, 4, 3) == b"two"
    assert blobs.read(name, 8, 1000) == b"three"
    assert blobs.read(name, 13, 5) == b""
    assert list(blobs.names()) == [name]
    spool.discard()
    assert list(blobs.names()) == [name], "discarding what was kept does nothing"


def test_a_discarded_body_leaves_nothing(blobs: FileBlobs) -> None:
    """An APPEND that was cut off leaves no file."""
    spool = blobs.spool()
    spool.write(b"half a mess")
    assert len(files(blobs.root)) == 1
    spool.discard()
    spool.discard()
    assert files(blobs.root) == []


def test_an_unfinished_body_is_not_visible(blobs: FileBlobs) -> None:
    """Nothing sees a body before it is whole and durable."""
    spool = blobs.spool()
    spool.write(b"half")
    assert list(blobs.names()) == []
    assert files(blobs.root)[0].startswith(TEMPORARY)
    spool.discard()


def test_equal_bodies_have_different_files(blobs: FileBlobs) -> None:
    """Removing one never takes another's octets away."""
    names = []
    for _ in range(2):
        spool = blobs.spool()
        spool.write(b"same")
        names.append(spool.keep()[0])
    assert names[0] != names[1]
    blobs.remove(names[0])
    blobs.remove(names[0])
    assert list(blobs.names()) == [names[1]]
    with pytest.raises(FileNotFoundError):
        blobs.read(names[0], 0, 1)


def test_dead_uploads_are_swept(blobs: FileBlobs) -> None:
    """What a killed process was receiving goes; what is coming in now stays."""
    old, new = blobs.spool(), blobs.spool()
    then = time.time() - DAY
    os.utime(old.path, (then, then))
    assert blobs.sweep_temporary(3600) == 1
    assert not old.path.exists()
    assert new.path.exists()
    old.discard()
    new.discard()


# --- rows and files --------------------------------------------------------------------------


def test_a_prepared_body_that_is_too_large_leaves_the_spool(store: Store) -> None:
    """Small and large bodies are told apart by the limit, to the octet."""
    at_limit = b"x" * store.inline_limit
    assert store.prepare(at_limit).file is None
    content = store.prepare(at_limit + b"x")
    assert content.data is None
    assert content.file is not None
    assert store.blobs.path(content.file).read_bytes() == at_limit + b"x"


def test_bodies_that_nothing_names_are_swept(store: Store) -> None:
    """After an expunge, rows and files go with the next sweep, but not before their age."""
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, large(store), simple(), flags=Flag.DELETED)
    mail.append(inbox, large(store, "kept"), simple("kept"))
    mail.apply(ExpungeMessages(inbox))
    assert sweep(store) == 0
    age(store)
    assert sweep(store) == 2
    assert sweep(store) == 0
    assert sql(store, "SELECT COUNT(*) FROM blobs") == [(2,)]
    assert sql(store, "SELECT COUNT(*) FROM contents") == [(2,)]
    assert len(files(store.blobs.root)) == 1
    assert mail.octets(inbox, 3) == large(store, "kept")
    assert mail.octets(inbox, 4) == simple("kept")


def test_more_than_one_transaction_is_swept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large mailbox that was emptied goes in small transactions, all of it."""
    from folkmoot.storage.mutations import upkeep

    monkeypatch.setattr(upkeep, "SWEEP_BATCH", 3)
    mail = new_mail(store)
    mail.append(mail.box().id, *[None] * 8, flags=Flag.DELETED)
    mail.apply(ExpungeMessages(mail.box().id))
    age(store)
    assert sweep(store) == 8


def test_a_body_of_several_owners_stays_for_the_last(store: Store) -> None:
    """Copies share a body: it goes when the last of mailboxes and queue lets it go."""
    mail = new_mail(store)
    inbox, other = mail.box().id, mail.create("Other")
    content = store.prepare(large(store))
    message = NewMessage(content, FlagSet(Flag.DELETED), ARRIVED)

    def work(txn: object) -> int:
        for mailbox in (inbox, other):
            txn.apply(AppendMessages(mailbox, (message,)))  # type: ignore[attr-defined]
        return 0

    store.call(mail.actor, "test", work)
    mail.apply(ExpungeMessages(inbox))
    age(store)
    assert sweep(store) == 0
    mail.apply(ExpungeMessages(other))
    assert sweep(store) == 1
    assert files(store.blobs.root) == []


def test_a_queued_body_stays(store: Store) -> None:
    """Mail that waits to be sent keeps its octets, however old it is."""
    envelope = MailEnvelope("alice@example.test", (MailRecipient("x@elsewhere.test"),))
    queued = apply(store, EnqueueMail(0, envelope, store.prepare(large(store)), DAY))
    age(store)
    assert sweep(store) == 0
    assert len(files(store.blobs.root)) == 1
    apply(store, DropQueued(queued))
    assert sweep(store) == 1
    assert files(store.blobs.root) == []


def test_a_crash_between_file_and_row(store: Store) -> None:
    """A durable file whose transaction never came is harmless, and goes when it is old."""
    mail = new_mail(store)
    mail.append(mail.box().id, large(store, "there"))
    store.prepare(large(store, "lost"))
    spool = store.spool()
    spool.write(b"cut off")
    assert check(store, deep=True) == []
    assert sweep(store) == 0, "it may be somebody's who is about to commit"
    age(store)
    assert sweep(store) == 2
    assert mail.octets(mail.box().id, 1) == large(store, "there")
    spool.discard()


def test_a_crash_between_commit_and_unlink(store: Store) -> None:
    """The sweep's rows are gone, its files are not: the next sweep finds them."""
    mail = new_mail(store)
    mail.append(mail.box().id, large(store), flags=Flag.DELETED)
    mail.apply(ExpungeMessages(mail.box().id))
    age(store)
    sql(store, "DELETE FROM contents")
    sql(store, "DELETE FROM blobs")
    assert check(store) == []
    assert sweep(store) == 1
    assert files(store.blobs.root) == []


def test_an_append_whose_transaction_fails_leaves_only_a_file(store: Store) -> None:
    """Over quota with a large body: no row names the file, and the sweep takes it."""
    mail = new_mail(store, octets=10)
    from folkmoot.storage.errors import OverQuota

    with pytest.raises(OverQuota):
        mail.append(mail.box().id, large(store))
    assert sql(store, "SELECT COUNT(*) FROM blobs") == [(0,)]
    age(store)
    assert sweep(store) == 1


def flip(path: Path) -> None:
    """Change one octet in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def test_the_deep_check_finds_a_flipped_octet(store: Store) -> None:
    """Silent damage of a disk is found, in files and in rows; the shallow check does not look."""
    mail = new_mail(store)
    mail.append(mail.box().id, large(store), simple())
    assert check(store, deep=True) == []
    (name,) = store.blobs.names()
    flip(store.blobs.path(name))
    wrong = simple().replace(b"Hello, world", b"Hello, World")
    sql(store, "UPDATE blobs SET data = :data WHERE file IS NULL", data=wrong)
    assert check(store) == []
    findings = sorted(finding.what for finding in check(store, deep=True))
    assert len(findings) == 2
    assert all("is not what was stored" in what for what in findings)
    assert name in findings[1]


def test_uids_and_bodies_survive_a_second_store(store: Store, tmp_path: Path) -> None:
    """Another process that opens the same store reads the same octets."""
    from tests.kit.stores import open_store

    mail = new_mail(store)
    bodies = [large(store), simple()]
    mail.append(mail.box().id, *bodies)
    second = open_store(store.database.url, tmp_path)
    there = Mail(second)
    assert [there.octets(there.box().id, uid) for uid in (1, 2)] == bodies
    assert len(there.rows(there.box().id, which=ALL_UIDS)) == 2
    second.close()
