"""The check: every kind of damage is found, and what can be counted again is repaired."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag
from folkmoot.storage.upkeep import check, repair
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.stores import open_store
from tests.storage.mail_kit import Mail, new_mail, new_message, sql


@pytest.fixture
def damaged(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[Mail]:
    """A store with some mail, without the check at the end: these tests break it."""
    store = open_store(databases.fresh(database_kind), tmp_path)
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, simple(), simple(body="x" * store.inline_limit), flags=Flag.SEEN)
    mail.append(inbox, simple(), flags=Flag.DELETED)
    if database_kind == "sqlite":
        store.database._writer.execute("PRAGMA foreign_keys=OFF")  # type: ignore[attr-defined]
    assert check(store, deep=True) == []
    yield mail
    store.close()


def damage(mail: Mail, *statements: str) -> list[str]:
    """Change the database behind the gate's back; what the check says then."""
    for statement in statements:
        sql(mail.store, statement)
    return [finding.what for finding in check(mail.store, deep=True)]


def test_counters_are_recounted(damaged: Mail) -> None:
    """Each of the four counters of a mailbox is compared with its messages, and repaired."""
    right = damaged.box()
    for column in ("messages", "unseen", "deleted", "size"):
        for difference in ("+ 1", "- 1"):
            found = damage(
                damaged,
                f"UPDATE collections SET {column} = {column} {difference} WHERE id = {right.id}",
            )
            assert any(f"collection {right.id} counts" in what for what in found), column
            assert "Decimal" not in str(found)
            assert all(finding.repairable for finding in check(damaged.store))
            repair(damaged.store)
            assert check(damaged.store) == []
            assert damaged.box() == right


def test_usage_is_recounted(damaged: Mail) -> None:
    """What a person is charged is what her mailboxes hold."""
    for column in ("bytes_used", "items_used"):
        found = damage(damaged, f"UPDATE usage SET {column} = 7 WHERE tool = 'mail'")
        assert len(found) == 1
        assert "is charged" in found[0]
        repair(damaged.store)
        assert check(damaged.store) == []


def test_lost_messages_are_counted_out(damaged: Mail) -> None:
    """When rows are lost, counters and charge follow what is left after a repair."""
    inbox = damaged.box().id
    found = damage(damaged, f"DELETE FROM messages WHERE mailbox_id = {inbox} AND uid = 1")
    assert len(found) == 1
    repair(damaged.store)
    assert check(damaged.store) == []
    assert damaged.box().messages == 2


def test_numbers_ahead_of_their_counters_are_found(damaged: Mail) -> None:
    """UIDs, modseqs and log entries beyond the mailbox's own would be given twice."""
    inbox = damaged.box().id
    found = damage(damaged, f"UPDATE collections SET uidnext = 3 WHERE id = {inbox}")
    assert found == [f"collection {inbox} holds UID 3, but its next is 3"]
    sql(damaged.store, f"UPDATE collections SET uidnext = 4 WHERE id = {inbox}")
    found = damage(damaged, f"UPDATE collections SET modseq = 2 WHERE id = {inbox}")
    assert sorted(found) == [
        f"collection {inbox} holds a modseq above its own",
        f"the log of collection {inbox} is at 3, beyond its 2",
    ]


def test_a_log_of_nothing_is_found(damaged: Mail) -> None:
    """Change rows of a collection that does not exist are left over from something."""
    found = damage(damaged, "INSERT INTO changes VALUES (777, 1, 'added', '1')")
    assert found == ["the change log names collection 777, which does not exist"]


def test_a_space_without_owner_is_found(damaged: Mail) -> None:
    """Every space belongs to an account that knows it."""
    space = damaged.actor.space_id
    found = damage(damaged, "UPDATE spaces SET owner_account_id = 777")
    assert found == [f"space {space} has no owner"]


def test_wrong_sizes_are_found(damaged: Mail) -> None:
    """A message says the size of its body: RFC822.SIZE that lies breaks clients."""
    inbox = damaged.box().id
    found = damage(
        damaged, f"UPDATE messages SET size = size + 1 WHERE mailbox_id = {inbox} AND uid = 1"
    )
    assert any(what.startswith(f"message 1 in {inbox} says") for what in found)


def test_missing_content_is_found(damaged: Mail) -> None:
    """A message whose wire forms are gone could not be fetched."""
    inbox = damaged.box().id
    (blob,) = sql(damaged.store, "SELECT blob_id FROM messages WHERE uid = 1")[0]
    found = damage(damaged, f"DELETE FROM contents WHERE blob_id = {blob}")
    assert found == [f"message 1 in {inbox} has no content"]


def test_missing_and_short_files_are_found(damaged: Mail) -> None:
    """Also by the deep check, which goes on to the other bodies."""
    (name,) = damaged.store.blobs.names()
    path = damaged.store.blobs.path(name)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-1])
    short = f"body file {name} does not have {size} octets"
    assert [finding.what for finding in check(damaged.store)] == [short]
    assert damage(damaged) == [short, f"body file {name} is not what was stored"]
    path.unlink()
    found = damage(damaged, "UPDATE blobs SET data = '' WHERE id = (SELECT MAX(id) FROM blobs)")
    assert found[0] == f"body file {name} is missing"
    assert len(found) == 2
    assert "is not what was stored" in found[1]


def test_a_repair_beside_deliveries_counts_right(store: Store) -> None:
    """Recounting while mail comes in neither loses nor invents a message."""
    mail = new_mail(store)
    inbox = mail.box().id
    message = new_message(store)
    threads = [
        threading.Thread(
            target=lambda: [mail.apply(AppendMessages(inbox, (message,))) for _ in range(15)]
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for _ in range(10):
        repair(store)
    for thread in threads:
        thread.join()
    assert mail.box().messages == 45
