"""Hints: sent by a commit and only by a commit."""

from __future__ import annotations

import queue
from collections.abc import Callable

import pytest

from folkmoot.storage.bus.local import Bus
from folkmoot.storage.errors import NotFound, OverQuota
from folkmoot.storage.mutations.mailboxes import DeleteMailbox
from folkmoot.storage.mutations.messages import (
    AppendMessages,
    CopyMessages,
    ExpungeMessages,
    MoveMessages,
)
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Flag, Hint, Topic
from tests.storage.mail_kit import Mail, new_mail, new_message, uids


class Listener:
    """Collects the hints about some mailboxes, from now on."""

    def __init__(self, mail: Mail, *mailboxes: int) -> None:
        self._hints: queue.SimpleQueue[Hint] = queue.SimpleQueue()
        self._mail = mail
        self._mark = mail.box("Trash").id
        for mailbox in (self._mark, *mailboxes):
            mail.store.bus.subscribe(Topic.COLLECTION, mailbox, self._hints.put)
        self.heard()  # on PostgreSQL, hints of earlier commits may still be on their way

    def heard(self) -> list[Hint]:
        """All hints until now: a last commit marks the end, because they come in order."""
        self._mail.append(self._mark)
        mark = Hint(Topic.COLLECTION, self._mark, self._mail.box("Trash").modseq)
        return list(iter(lambda: self._hints.get(timeout=60), mark))


@pytest.fixture
def mail(store: Store) -> Mail:
    return new_mail(store)


def test_each_change_hints_at_its_mailbox(mail: Mail) -> None:
    """The number in the hint is the modseq that a look will find, or an older one."""
    inbox, other = mail.box().id, mail.create("Other")
    listener = Listener(mail, inbox, other)
    mail.append(inbox, None, None)
    mail.flag(inbox, uids("1"), Flag.DELETED)
    mail.apply(CopyMessages(inbox, uids("2"), other))
    mail.apply(MoveMessages(inbox, uids("2"), other))
    mail.apply(ExpungeMessages(inbox))
    first = mail.box().modseq - 3
    heard = listener.heard()
    assert [h.number for h in heard if h.id == inbox] == list(range(first, first + 4))
    last = mail.box("Other").modseq
    assert [h.number for h in heard if h.id == other] == [last - 1, last]


def test_what_changes_nothing_hints_at_nothing(mail: Mail) -> None:
    """Idle sessions are not woken for a STORE that sets what is set."""
    inbox = mail.box().id
    mail.append(inbox, None, flags=Flag.SEEN)
    listener = Listener(mail, inbox)
    mail.flag(inbox, uids("1"), Flag.SEEN)
    mail.apply(ExpungeMessages(inbox))
    assert listener.heard() == []


def test_a_rollback_hints_at_nothing(mail: Mail) -> None:
    """A transaction that fails after its first mutation has told nobody of it."""
    inbox = mail.box().id
    listener = Listener(mail, inbox)
    message = new_message(mail.store)

    def work(txn: Txn) -> None:
        txn.apply(AppendMessages(inbox, (message,)))
        txn.apply(DeleteMailbox(999_999))

    with pytest.raises(NotFound):
        mail.store.call(mail.actor, "test", work)
    assert listener.heard() == []
    assert mail.box().messages == 0


def test_hints_come_after_the_commit(mail: Mail) -> None:
    """Who looks when the hint comes sees the change."""
    inbox = mail.box().id
    seen: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
    mail.store.bus.subscribe(
        Topic.COLLECTION, inbox, lambda hint: seen.put([row[0] for row in mail.rows(inbox)])
    )
    mail.append(inbox)
    assert seen.get(timeout=60) == [1]


def test_an_attempt_that_fails_hints_at_nothing(store: Store) -> None:
    """Of two deliveries in one transaction, only the one that was stored is told."""
    mail = new_mail(store)
    poor = new_mail(store, "bob@example.test", octets=1, domain=False)
    mine, theirs = mail.box().id, poor.box().id
    listener = Listener(mail, mine, theirs)
    message = new_message(store)

    def work(txn: Txn) -> list[object]:
        return [
            txn.attempt(AppendMessages(mailbox, (message,))) for mailbox in (mine, theirs, mine)
        ]

    # The system may deliver to both, but INSERT is for owners: so each person tries for herself.
    results = mail.store.call(mail.actor, "test", work)
    assert isinstance(results[1], NotFound)
    assert [hint.id for hint in listener.heard()] == [mine, mine]
    with pytest.raises(OverQuota):
        poor.append(theirs)


def test_deleting_a_mailbox_wakes_its_sessions(mail: Mail) -> None:
    """A session in a mailbox that is deleted hears of it."""
    other = mail.create("Other")
    listener = Listener(mail, other)
    mail.apply(DeleteMailbox(other))
    assert [hint.id for hint in listener.heard()] == [other]


def test_a_broken_subscriber_does_not_silence_the_others() -> None:
    """One session's bug stays in that session; a repeated hint comes once."""
    bus = Bus(lambda call: call())
    heard: list[Hint] = []

    def broken(hint: Hint) -> None:
        raise RuntimeError

    bus.subscribe(Topic.COLLECTION, 1, broken)
    end = bus.subscribe(Topic.COLLECTION, 1, heard.append)
    bus.subscribe(Topic.SPACE, 1, heard.append)
    hint = Hint(Topic.COLLECTION, 1, 7)
    bus.publish([hint, hint, Hint(Topic.COLLECTION, 2, 7)])
    assert heard == [hint]
    end()
    end()
    bus.publish([hint])
    assert heard == [hint]
    everything = Hint(Topic.ALL, 0)
    bus.publish([everything])
    assert heard == [hint, everything]


def test_unsubscribing_while_hints_are_spread() -> None:
    """A session may end, and another begin, because of the very hint that is under way."""
    bus = Bus(lambda call: call())
    heard: list[str] = []
    ends: list[Callable[[], None]] = []

    def first(hint: Hint) -> None:
        heard.append("first")
        ends[0]()
        bus.subscribe(Topic.QUEUE, 0, lambda hint: heard.append("late"))

    ends.append(bus.subscribe(Topic.QUEUE, 0, first))
    bus.subscribe(Topic.QUEUE, 0, lambda hint: heard.append("second"))
    bus.publish([Hint(Topic.QUEUE, 0)])
    bus.publish([Hint(Topic.QUEUE, 0)])
    assert heard == ["first", "second", "second", "late"]


def test_a_reactor_that_is_gone_stops_no_commit() -> None:
    """Publishing happens in the thread that committed: it must go on when nobody listens."""

    def gone(call: object) -> None:
        raise RuntimeError("the loop is closed")

    Bus(gone).publish([Hint(Topic.QUEUE, 0)])


def test_what_was_missed_before_subscribing() -> None:
    """Who reads and then subscribes can tell whether a hint came between the two."""
    bus = Bus(lambda call: call())
    box, other = Hint(Topic.COLLECTION, 1), Hint(Topic.COLLECTION, 2)
    bus.publish([box])
    mark = bus.mark()
    assert not bus.missed(mark, Topic.COLLECTION, 1)
    bus.publish([other])
    assert not bus.missed(mark, Topic.COLLECTION, 1)
    assert bus.missed(mark, Topic.COLLECTION, 2)
    bus.publish([box])
    assert bus.missed(mark, Topic.COLLECTION, 1)
    mark = bus.mark()
    bus.publish([Hint(Topic.ALL, 0)])
    assert bus.missed(mark, Topic.COLLECTION, 1)
    # Longer ago than it remembers, it cannot tell.
    mark = bus.mark()
    for _ in range(2000):
        bus.publish([other])
    assert bus.missed(mark, Topic.COLLECTION, 1)
