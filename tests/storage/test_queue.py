"""The outbound queue in the store, on both databases."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from folkmoot.storage.errors import LimitReached, NotFound, StorageError
from folkmoot.storage.mutations.accounts import CreateAccount
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.domains import CreateDomain
from folkmoot.storage.mutations.queue import (
    ClaimDue,
    CountSent,
    DropQueued,
    EnqueueMail,
    RenewLeases,
    RetryQueued,
    SettleQueued,
)
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, ActorKind, Hint, Topic
from folkmoot.storage.types_accounts import NewAccount
from folkmoot.storage.types_mail import (
    MailEnvelope,
    MailRecipient,
    Notify,
    QueueEntry,
    Return,
    Settled,
)
from folkmoot.storage.views.queue import ListQueue, NextDue, ShowQueued
from tests.kit.pace import patience

SYSTEM = Actor.system("test")
BOB = MailRecipient("Bob@Example.org", Notify.SUCCESS | Notify.DELAY, "rfc822;b@example.org")
EVE = MailRecipient("eve@example.net")
ENVELOPE = MailEnvelope("alice@example.test", (BOB, EVE), "id 1", Return.FULL, True, True)


def _apply(mutation: Mutation[object], txn: Txn) -> None:
    txn.apply(mutation)


def enqueue(store: Store, envelope: MailEnvelope = ENVELOPE, keep: int = 1000) -> int:
    """Queue a small message; returns its number."""
    content = store.prepare(b"Subject: x\r\n\r\nbody\r\n")
    return store.call(SYSTEM, "t", lambda txn: txn.apply(EnqueueMail(0, envelope, content, keep)))


def claim(store: Store, limit: int = 100, busy: frozenset[str] = frozenset()) -> list[QueueEntry]:
    """Take what is due."""
    return store.call(SYSTEM, "t", lambda txn: txn.apply(ClaimDue(60, limit, busy)))


def entries(store: Store) -> list[QueueEntry]:
    """All that waits."""
    return store.call_read(SYSTEM, "t", lambda txn: txn.view(ListQueue()))


def test_everything_comes_back(store: Store) -> None:
    """Envelope, DSN parameters and octets are kept as they came."""
    number = enqueue(store)
    (entry,) = claim(store)
    assert entry.message.id == number
    assert entry.message.envelope((BOB, EVE)) == ENVELOPE
    assert entry.message.data == b"Subject: x\r\n\r\nbody\r\n"
    assert (entry.message.expires - entry.message.created).total_seconds() == 1000
    assert [one.recipient for one in entry.recipients] == [BOB, EVE]
    assert [one.domain for one in entry.recipients] == ["example.org", "example.net"]
    assert entries(store)[0].message.data is None
    shown = store.call_read(SYSTEM, "t", lambda txn: txn.view(ShowQueued(number)))
    assert shown == entry


def test_claimed_once(store: Store) -> None:
    """What one worker has, no other gets; busy domains and the limit are respected."""
    enqueue(store)
    (first,) = claim(store, busy=frozenset({"example.org", "x.test"}))
    assert [one.domain for one in first.recipients] == ["example.net"]
    (second,) = claim(store, limit=1)
    assert [one.domain for one in second.recipients] == ["example.org"]
    assert claim(store) == []
    assert store.call_read(SYSTEM, "t", lambda txn: txn.view(NextDue())) is None


def test_claimed_by_many_at_once(store: Store) -> None:
    """Workers that ask at the same time share the recipients without overlap."""
    recipients = tuple(MailRecipient(f"u{number}@example.org") for number in range(60))
    enqueue(store, MailEnvelope("a@example.test", recipients))
    found: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        while taken := claim(store, limit=7):
            with lock:
                found.extend(one.id for entry in taken for one in entry.recipients)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found))
    assert len(found) == 60


def test_settling(store: Store) -> None:
    """Done recipients go, deferred ones wait with their reply, the last one takes the message."""
    number = enqueue(store)
    (entry,) = claim(store)
    bob, eve = (one.id for one in entry.recipients)
    settled = (Settled(bob, "250 ok", None), Settled(eve, "451 later", 500.0))
    store.call(SYSTEM, "t", lambda txn: txn.apply(SettleQueued(number, settled, True)))
    (left,) = entries(store)
    (one,) = left.recipients
    assert (one.id, one.attempts, one.last_reply) == (eve, 1, "451 later")
    assert left.message.warned
    assert claim(store) == []
    due = store.call_read(SYSTEM, "t", lambda txn: txn.view(NextDue()))
    assert due == one.next_attempt
    assert store.call(SYSTEM, "t", lambda txn: txn.apply(RetryQueued(number))) == 1
    assert len(claim(store)) == 1
    gone = (Settled(eve, "550 no", None),)
    store.call(SYSTEM, "t", lambda txn: txn.apply(SettleQueued(number, gone)))
    assert entries(store) == []
    with pytest.raises(NotFound):
        store.call_read(SYSTEM, "t", lambda txn: txn.view(ShowQueued(number)))


def test_leases_end(store: Store) -> None:
    """A lease that nobody renews makes the recipient due again."""
    enqueue(store)
    (entry,) = claim(store)
    ids = tuple(one.id for one in entry.recipients)
    store.call(SYSTEM, "t", lambda txn: txn.apply(RenewLeases(ids, -1)))
    assert len(claim(store)[0].recipients) == 2


def test_workers_are_woken(store: Store) -> None:
    """A commit that queues mail says so on the bus, one that fails does not."""
    heard: list[Hint] = []
    store.bus.subscribe(Topic.QUEUE, 0, heard.append)

    def queue_hints(number: int) -> bool:
        end = time.monotonic() + patience(10)
        while len(found := [hint for hint in heard if hint.topic is Topic.QUEUE]) < number:
            assert time.monotonic() < end, "no hint came"
            time.sleep(0.01)
        return len(found) == number

    enqueue(store)
    assert queue_hints(1)
    content = store.prepare(b"A: b\r\n\r\n")

    def work(txn: Txn) -> None:
        txn.apply(EnqueueMail(0, ENVELOPE, content, 10))
        raise LimitReached

    with pytest.raises(LimitReached):
        store.call(SYSTEM, "t", work)
    # Hints come in the order of commits: nothing was heard before the next one.
    enqueue(store)
    assert queue_hints(2)


def test_drop_and_retry_need_a_message(store: Store) -> None:
    """Unknown numbers are an error; dropping forgets all recipients."""
    number = enqueue(store)
    store.call(SYSTEM, "t", lambda txn: txn.apply(DropQueued(number)))
    assert entries(store) == []
    mutations: list[Mutation[object]] = [DropQueued(number), RetryQueued(number)]
    for mutation in mutations:
        with pytest.raises(NotFound):
            store.call(SYSTEM, "t", partial(_apply, mutation))
    assert store.call(SYSTEM, "t", lambda txn: txn.apply(RetryQueued(None))) == 0


def test_people_do_not_see_the_queue(store: Store) -> None:
    """The queue is the server's: an account neither reads nor changes it."""
    person = Actor(ActorKind.ACCOUNT, 1, 1, "alice@example.test")
    number = enqueue(store)
    with pytest.raises(StorageError):
        store.call_read(person, "t", lambda txn: txn.view(ListQueue()))
    with pytest.raises(StorageError):
        store.call(person, "t", lambda txn: txn.apply(DropQueued(number)))


def test_counting_needs_an_account_and_a_limit(store: Store) -> None:
    """Counts add up over the day; what is above the limit counts nothing."""
    new = NewAccount("alice@example.test", "", "", None, "default")

    def make(txn: Txn) -> int:
        txn.apply(CreateDomain("example.test"))
        return txn.apply(CreateAccount(new))

    account = store.call(SYSTEM, "t", make)
    for number in (2, 1):
        store.call(SYSTEM, "t", partial(_apply, CountSent(account, number, 3)))
    with pytest.raises(LimitReached):
        store.call(SYSTEM, "t", lambda txn: txn.apply(CountSent(account, 1, 3)))
    store.call(SYSTEM, "t", lambda txn: txn.apply(CountSent(account, 1, 4)))
