"""Sorting and threading in the store, with and without stored keys."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from folkmoot.storage.budget import Budget
from folkmoot.storage.errors import LimitReached, NotFound, Unavailable
from folkmoot.storage.mutations.messages import ExpungeMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, SearchKey, UidSet
from folkmoot.storage.types_search import (
    And,
    HeaderContains,
    SortCriterion,
    SortField,
    ThreadAlgorithm,
    Threads,
    UidIn,
)
from folkmoot.storage.views.known_orders import OVERHEAD, KnownOrders
from folkmoot.storage.views.messages import ReadState
from folkmoot.storage.views.sort import SortMessages
from folkmoot.storage.views.thread import ThreadMessages
from tests.storage.mail_kit import ALL_UIDS, Mail, new_mail, sql, uids

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
    assert mail.modseqs(mail.box().id) == dict(zip(found.uids, found.modseqs, strict=True))
    return list(found.uids)


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
                assert again.uids == plain.uids
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


def test_the_database_sorts_as_we_do(mail: Mail) -> None:
    """By any criteria, whatever the letters; a message without keys has all sorted here."""
    inbox, blobs, chance = mail.box().id, mail.store.blobs, random.Random(5)
    words = [
        "",
        "a",
        "B",
        "Ä",
        "z",
        "ß",
        "éclair",
        "e\u0301clair",
        "東",
        "\U0001f600",
        "_",
        "~",
        "Zoë",
    ]
    mail.append(
        inbox,
        *(
            f"From: {chance.choice(words)} <{chance.choice('abc')}@x>\r\n"
            f"To: {chance.choice('ab')}@x\r\nSubject: {chance.choice(words)}\r\n"
            f"Date: Mon, {chance.randrange(1, 35)} Jan 2024 12:00:00 +0000\r\n\r\n"
            f"{'x' * chance.randrange(3)}".encode()
            for _ in range(60)
        ),
    )
    fields = [field for field in SortField if field is not SortField.RELEVANCY]
    keys = (And(()), HeaderContains("from", "@x"))
    views = [
        SortMessages(inbox, chance.choice(keys), criteria, blobs)
        for _ in range(25)
        for criteria in [
            tuple(SortCriterion(field, chance.random() < 0.5) for field in chance.sample(fields, 3))
        ]
    ]
    by_database = [mail.view(view) for view in views]
    sql(mail.store, "UPDATE message_keys SET state = 0 WHERE blob_id = 2")
    assert [mail.view(view) for view in views] == by_database


MANY = 20_000


def many(mail: Mail) -> None:
    """Copies of the first message, as many as nobody should hold at once."""
    sql(
        mail.store,
        f"WITH RECURSIVE n(uid) AS (SELECT 11 UNION ALL SELECT uid + 1 FROM n WHERE uid < {MANY})"
        " INSERT INTO messages SELECT mailbox_id, n.uid, modseq, flags, keywords, size + n.uid % 7,"
        " internal_date, internal_zone, saved, blob_id FROM messages, n WHERE messages.uid = 1",
    )


def test_sorting_holds_numbers_and_nothing_else(mail: Mail) -> None:
    """A mailbox of any size is sorted in a few octets for each message."""
    many(mail)
    criteria = (SortCriterion(SortField.SUBJECT, reverse=True), SortCriterion(SortField.SIZE))
    view = SortMessages(mail.box().id, And(()), criteria, mail.store.blobs)
    tracemalloc.start()
    try:
        found = mail.view(view)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.uids) == MANY - 7
    assert peak < 2_000_000, peak  # 20,000 rows would be twice as much
    sql(mail.store, "DELETE FROM messages WHERE uid > 10")


def test_threads_have_a_budget(mail: Mail) -> None:
    """So many messages, and message ids that they refer to, are held by all threads together."""
    inbox, blobs, budget = mail.box().id, mail.store.blobs, Budget(1_002)

    def gather(key: SearchKey) -> Threads:
        algorithm = ThreadAlgorithm.REFERENCES
        return mail.view(ThreadMessages(inbox, key, algorithm, 99, blobs, held=budget))

    whole = And(())
    mail.append(inbox, b"Subject: d\r\nReferences: <missing@x>\r\n\r\n")
    with pytest.raises(LimitReached):  # four messages, and room for those that are missing
        gather(whole)
    assert len(gather(UidIn(uids("1:2"))).roots) == 1
    with budget.share() as other:
        other.take(1_000)
        assert len(gather(UidIn(uids("1:2"))).roots) == 1
        with pytest.raises(Unavailable):
            gather(UidIn(uids("1:3")))
    assert len(gather(UidIn(uids("1:3"))).roots) == 1


def test_sorting_without_keys_has_a_budget(mail: Mail) -> None:
    """Where the database cannot sort, what is held counts."""
    criteria = (SortCriterion(SortField.SUBJECT),)
    view = SortMessages(mail.box().id, And(()), criteria, mail.store.blobs, held=Budget(2))
    assert len(mail.view(view).uids) == 3
    sql(mail.store, "UPDATE message_keys SET state = 0")
    with pytest.raises(LimitReached):
        mail.view(view)


def test_only_so_many_orders_are_remembered() -> None:
    """Those made longest ago are forgotten."""
    known = KnownOrders(limit=10 + 2 * OVERHEAD)
    known.put(1, "a", (1, 5, 4), "first")
    known.put(1, "b", (1, 5, 4), "second")
    known.put(1, "a", (1, 6, 5), "third")
    assert known.get(1, "b", (1, 5, 4)) == "second"
    assert known.get(1, "a", (1, 5, 4)) is None
    known.put(2, "a", (1, 3, 2), "fourth")
    assert known.get(1, "b", (1, 5, 4)) is None
    assert known.get(1, "a", (1, 6, 5)) == "third"
    assert known.get(2, "a", (1, 3, 2)) == "fourth"


def test_orders_of_empty_mailboxes_take_room() -> None:
    """Somebody who sorts one new mailbox after the other does not fill the memory."""
    known = KnownOrders(limit=20 * OVERHEAD)
    for mailbox in range(100):
        known.put(mailbox, "a", (1, 1, 0), ())
    kept = [mailbox for mailbox in range(100) if known.get(mailbox, "a", (1, 1, 0)) is not None]
    assert kept == [*range(80, 100)]
