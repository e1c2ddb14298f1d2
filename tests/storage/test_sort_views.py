"""Sorting and threading in the store, with and without stored keys."""

from __future__ import annotations

import random

import pytest

from folkmoot.storage.errors import NotFound
from folkmoot.storage.mutations.messages import ExpungeMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, UidSet
from folkmoot.storage.types_search import (
    And,
    HeaderContains,
    SortCriterion,
    SortField,
    ThreadAlgorithm,
)
from folkmoot.storage.views.known_orders import KnownOrders
from folkmoot.storage.views.messages import ReadState
from folkmoot.storage.views.sort import SortMessages
from folkmoot.storage.views.thread import ThreadMessages
from tests.storage.mail_kit import ALL_UIDS, Mail, new_mail, sql

BODIES = [
    b"Subject: b\r\nMessage-ID: <1@x>\r\nDate: Mon, 1 Jan 2024 12:00:00 +0000\r\n\r\n",
    b"Subject: Re: A\r\nMessage-ID: <2@x>\r\nReferences: <1@x>\r\nTo: b@x\r\n\r\n",
    b"Subject: c\r\nMessage-ID: <3@x>\r\nReferences: <2@x>\r\nTo: a@x\r\n\r\n",
]


@pytest.fixture
def mail(store: Store) -> Mail:
    mail = new_mail(store)
    mail.append(mail.box().id, *BODIES)
    return mail


def sort(mail: Mail, *fields: SortField) -> list[int]:
    criteria = tuple(map(SortCriterion, fields))
    found = mail.view(SortMessages(mail.box().id, And(()), criteria, mail.store.blobs))
    assert mail.modseqs(mail.box().id) == dict(found)
    return [uid for uid, _ in found]


def roots(mail: Mail, up_to: int = 99) -> tuple[int, ...]:
    view = ThreadMessages(mail.box().id, And(()), ThreadAlgorithm.REFS, up_to, mail.store.blobs)
    threads = mail.view(view)
    told = len(threads.roots) + sum(map(len, threads.children.values()))
    assert told == min(up_to, 3)
    return threads.roots


def test_stored_keys_and_none_give_the_same(mail: Mail) -> None:
    """Mail from before there were keys is sorted and threaded all the same."""
    for _ in range(2):
        assert sort(mail, SortField.SUBJECT) == [2, 1, 3]
        assert sort(mail, SortField.TO, SortField.SIZE) == [1, 3, 2]
        assert sort(mail, SortField.DATE) == [1, 2, 3]
        assert roots(mail) == (1,)
        sql(
            mail.store,
            "UPDATE message_keys SET state = 0, subject = NULL, sent = NULL, recipient = NULL,"
            " refs = NULL, message_id = NULL, reply = NULL",
        )


def test_what_the_client_does_not_know_yet_is_in_no_thread(mail: Mail) -> None:
    """Messages above the bound are left out, whatever refers to them."""
    assert roots(mail, up_to=2) == (1,)
    assert roots(mail, up_to=1) == (1,)


def test_others_mail_is_absent(mail: Mail) -> None:
    """Both views meet the gate."""
    stranger = new_mail(mail.store, "mallory@example.test", domain=False)
    inbox, blobs = mail.box().id, mail.store.blobs
    key = HeaderContains("subject", "b")
    with pytest.raises(NotFound):
        stranger.view(SortMessages(inbox, key, (), blobs))
    with pytest.raises(NotFound):
        stranger.view(ThreadMessages(inbox, key, ThreadAlgorithm.REFS, 9, blobs))


def test_remembered_orders_are_those_of_the_moment(mail: Mail) -> None:
    """Sorting and threading again tells the same as the first time, after any change."""
    inbox, blobs, known = mail.box().id, mail.store.blobs, KnownOrders()
    chance = random.Random(3)
    everything, some = And(()), HeaderContains("subject", "a")

    def check() -> None:
        last = mail.view(ReadState(inbox)).uidnext - 1
        for field in (SortField.SUBJECT, SortField.TO):
            criteria = (SortCriterion(field),)
            for key in (everything, some, everything):
                plain = mail.view(SortMessages(inbox, key, criteria, blobs))
                again = mail.view(SortMessages(inbox, key, criteria, blobs, False, known))
                assert [uid for uid, _ in again] == [uid for uid, _ in plain]
        for algorithm in (ThreadAlgorithm.REFS, ThreadAlgorithm.ORDEREDSUBJECT):
            for up_to in (last, 2, last):
                plain_view = ThreadMessages(inbox, everything, algorithm, up_to, blobs)
                view = ThreadMessages(inbox, everything, algorithm, up_to, blobs, known)
                assert mail.view(view) == mail.view(plain_view)

    for _ in range(25):
        check()
        match chance.randrange(3):
            case 0:
                mail.append(inbox, chance.choice(BODIES))
            case 1:
                mail.flag(inbox, ALL_UIDS, Flag.SEEN)
            case 2:
                there = list(mail.view(ReadState(inbox)).uids)
                if len(there) > 2:
                    gone = UidSet.from_iterable([chance.choice(there)])
                    mail.flag(inbox, gone, Flag.DELETED)
                    mail.apply(ExpungeMessages(inbox))
                    mail.append(inbox, chance.choice(BODIES))


def test_only_so_many_orders_are_remembered() -> None:
    """Those made longest ago are forgotten."""
    known = KnownOrders(limit=10)
    known.put(1, "a", (1, 5, 4), "first")
    known.put(1, "b", (1, 5, 4), "second")
    known.put(1, "a", (1, 6, 5), "third")
    assert known.get(1, "b", (1, 5, 4)) == "second"
    assert known.get(1, "a", (1, 5, 4)) is None
    known.put(2, "a", (1, 3, 2), "fourth")
    assert known.get(1, "b", (1, 5, 4)) is None
    assert known.get(1, "a", (1, 6, 5)) == "third"
    assert known.get(2, "a", (1, 3, 2)) == "fourth"
