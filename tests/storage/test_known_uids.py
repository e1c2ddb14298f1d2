"""Opening a mailbox again: what is remembered of it is never told when it is no longer so."""

from __future__ import annotations

import random
from array import array

from folkmoot.storage.mutations.messages import ExpungeMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, FlagChange, UidSet
from folkmoot.storage.views.known_uids import OVERHEAD, Known, KnownUids
from folkmoot.storage.views.messages import ReadState
from tests.storage.mail_kit import ALL_UIDS, new_mail, uids


def test_a_remembered_mailbox_is_as_one_that_is_read(store: Store) -> None:
    """After any changes, in any order, the state is the same with and without remembering."""
    mail = new_mail(store)
    inbox = mail.box().id
    chance = random.Random(11)
    known = KnownUids()
    for _ in range(60):
        for _ in range(chance.randrange(3)):
            there = mail.view(ReadState(inbox)).uids
            picked = UidSet.from_iterable(chance.sample(list(there), min(2, len(there))))
            match chance.randrange(4):
                case 0:
                    mail.append(inbox, *[None] * chance.randrange(1, 4))
                case 1:
                    mail.flag(inbox, picked, Flag.DELETED)
                    mail.apply(ExpungeMessages(inbox))
                case 2:
                    mail.flag(inbox, picked, Flag.SEEN)
                case 3:
                    mail.flag(inbox, ALL_UIDS, Flag.SEEN, change=FlagChange.REMOVE)
        remembered = mail.view(ReadState(inbox, known))
        assert remembered == mail.view(ReadState(inbox))
        # Whoever gets it may change it.
        remembered.uids.append(77)


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
