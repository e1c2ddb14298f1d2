"""Opening a mailbox again: what is remembered of it is never told when it is no longer so."""

from __future__ import annotations

import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage import upkeep
from folkmoot.storage.engine.db import Db
from folkmoot.storage.mutations.messages import ExpungeMessages
from folkmoot.storage.mutations.upkeep import KeepUids
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, FlagChange, UidSet
from folkmoot.storage.views.kept_uids import OutdatedUids, PackedUids, pack, read_uids, unpack
from folkmoot.storage.views.known_uids import OVERHEAD, Known, KnownUids
from folkmoot.storage.views.messages import ReadState
from tests.storage.accounts_kit import SYSTEM
from tests.storage.mail_kit import ALL_UIDS, new_mail, uids


def test_a_remembered_mailbox_is_as_one_that_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any changes, in any order, the state is the same with and without remembering.

    It is remembered in memory, and kept in the database now and then.
    """
    monkeypatch.setattr("folkmoot.storage.views.messages.LARGE", 1)
    mail = new_mail(store)
    inbox = mail.box().id
    chance = random.Random(11)
    known = KnownUids()
    for _ in range(60):
        for _ in range(chance.randrange(3)):
            there = mail.view(ReadState(inbox)).uids
            picked = UidSet.from_iterable(chance.sample(list(there), min(2, len(there))))
            match chance.randrange(5):
                case 0:
                    mail.append(inbox, *[None] * chance.randrange(1, 4))
                case 1:
                    mail.flag(inbox, picked, Flag.DELETED)
                    mail.apply(ExpungeMessages(inbox))
                case 2:
                    mail.flag(inbox, picked, Flag.SEEN)
                case 3:
                    mail.flag(inbox, ALL_UIDS, Flag.SEEN, change=FlagChange.REMOVE)
                case 4:
                    _keep(store, inbox)
        remembered = mail.view(ReadState(inbox, known))
        assert remembered == mail.view(ReadState(inbox))
        assert mail.view(ReadState(inbox, KnownUids())) == remembered
        # Whoever gets it may change it.
        remembered.uids.append(77)


def _keep(store: Store, mailbox: int) -> None:
    packed = store.call_read(SYSTEM, "t", lambda txn: txn.view(PackedUids(mailbox)))
    assert packed is not None
    store.call(SYSTEM, "t", lambda txn: txn.apply(KeepUids(mailbox, *packed)))


def _outdated(store: Store, large: int, changes: int) -> list[int]:
    view = OutdatedUids(large, changes)
    return store.call_read(SYSTEM, "t", lambda txn: txn.view(view))


def test_removed_and_added_between_two_looks(store: Store) -> None:
    """The same number of messages, but not the same ones."""
    mail = new_mail(store)
    inbox, known = mail.box().id, KnownUids()
    mail.append(inbox, None, None, None)
    assert list(mail.view(ReadState(inbox, known)).uids) == [1, 2, 3]
    mail.flag(inbox, uids("2"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    mail.append(inbox)
    assert list(mail.view(ReadState(inbox, known)).uids) == [1, 3, 4]
    assert mail.view(ReadState(inbox, known)).first_unseen == 1


def test_only_so_much_is_remembered() -> None:
    """Mailboxes opened longest ago are forgotten; one opened again counts once."""
    known = KnownUids(limit=10 + 2 * OVERHEAD)

    def put(mailbox: int, count: int) -> None:
        known.put(mailbox, Known(1, count + 1, 1, array("I", range(1, count + 1)), None))

    put(1, 4)
    put(2, 4)
    put(1, 5)
    assert known.get(2) is not None
    put(3, 3)
    assert known.get(2) is None
    assert known.get(1) is not None
    put(4, 11 + OVERHEAD)
    assert [known.get(mailbox) for mailbox in (1, 2, 3, 4)] == [None] * 4


def test_empty_mailboxes_take_room() -> None:
    """Somebody who opens one new mailbox after the other does not fill the memory."""
    known = KnownUids(limit=20 * OVERHEAD)
    for mailbox in range(100):
        known.put(mailbox, Known(1, 1, 1, array("I"), None))
    kept = [mailbox for mailbox in range(100) if known.get(mailbox) is not None]
    assert kept == [*range(80, 100)]


@given(st.lists(st.integers(1, 2**32 - 1), unique=True).map(sorted))
def test_packed_uids(numbers: list[int]) -> None:
    """What was packed comes out, and a run takes next to nothing."""
    assert list(unpack(pack(array("I", numbers)))) == numbers
    assert len(pack(array("I", range(7, 100_007)))) < 3000


def test_kept_uids_spare_reading(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a mailbox that is kept only what came since is read."""
    monkeypatch.setattr("folkmoot.storage.views.messages.LARGE", 3)
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, None, None, None, None)
    _keep(store, inbox)
    mail.flag(inbox, uids("2"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    mail.append(inbox)
    read: list[int] = []

    def noted(db: Db, mailbox: int, first: int = 1) -> array[int]:
        read.append(first)
        return read_uids(db, mailbox, first)

    monkeypatch.setattr("folkmoot.storage.views.messages.read_uids", noted)
    assert list(mail.view(ReadState(inbox, KnownUids())).uids) == [1, 3, 4, 5]
    assert read == [5]


def test_much_was_removed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the UIDs are read anew, instead of a long list of what went."""
    monkeypatch.setattr("folkmoot.storage.views.messages.MANY_GONE", 1)
    mail = new_mail(store)
    inbox, known = mail.box().id, KnownUids()
    mail.append(inbox, None, None, None, None)
    assert list(mail.view(ReadState(inbox, known)).uids) == [1, 2, 3, 4]
    mail.flag(inbox, uids("1:2"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    assert list(mail.view(ReadState(inbox, known)).uids) == [3, 4]


def test_which_are_kept(store: Store) -> None:
    """Large ones, and those again in which much has happened; a deleted one is no harm."""
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, None, None, None)
    assert _outdated(store, 4, 1) == []
    assert _outdated(store, 3, 1) == [inbox]
    _keep(store, inbox)
    mail.append(inbox)
    assert _outdated(store, 3, 1) == []
    mail.append(inbox)
    assert _outdated(store, 3, 1) == [inbox]
    store.call(SYSTEM, "t", lambda txn: txn.apply(KeepUids(10**6, 1, 1, 1, b"")))
    assert upkeep.keep_uids(store) == 0  # none is as large as that
    assert upkeep.check(store) == []


def test_wrong_ones_are_found_and_mended(store: Store) -> None:
    """``folkmoot check`` compares them with the messages."""
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, None, None)
    _keep(store, inbox)
    row = store.call_read(SYSTEM, "t", lambda txn: txn.view(PackedUids(inbox)))
    assert row is not None
    wrong = KeepUids(inbox, *row[:3], pack([1, 7]))
    store.call(SYSTEM, "t", lambda txn: txn.apply(wrong))
    [finding] = upkeep.check(store)
    assert finding.repairable
    upkeep.repair(store)
    assert upkeep.check(store) == []
