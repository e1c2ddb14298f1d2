"""Capacities: what fits, what does not, and that nobody gets past the limit in a race."""

from __future__ import annotations

import threading

import pytest

from folkmoot.storage.errors import OverQuota
from folkmoot.storage.mutations.accounts import UpdateAccount
from folkmoot.storage.mutations.mailboxes import DeleteMailbox
from folkmoot.storage.mutations.messages import (
    AppendMessages,
    CopyMessages,
    ExpungeMessages,
    MoveMessages,
)
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, Limit, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from tests.kit.messages import simple
from tests.storage.accounts_kit import apply
from tests.storage.mail_kit import ALL_UIDS, Mail, new_mail, new_message, sql, uids

SIZE = len(simple())


def used(mail: Mail) -> tuple[int, int]:
    """(octets, messages) that the person is charged."""
    rows = sql(
        mail.store,
        "SELECT bytes_used, items_used FROM usage WHERE space_id = :space AND tool = 'mail'",
        space=mail.actor.space_id,
    )
    return rows[0][0], rows[0][1]


def test_exactly_full_fits(store: Store) -> None:
    """The last octet may be used, one more may not; the refused message leaves nothing."""
    mail = new_mail(store, octets=2 * SIZE)
    inbox = mail.box().id
    mail.append(inbox, simple(), simple())
    assert used(mail) == (2 * SIZE, 2)
    with pytest.raises(OverQuota):
        mail.append(inbox, b"x")
    assert used(mail) == (2 * SIZE, 2)
    assert mail.box().uidnext == 3
    mail.append(inbox, b"")


def test_one_octet_less_does_not_fit(store: Store) -> None:
    """A batch that is one octet too large is refused whole."""
    mail = new_mail(store, octets=2 * SIZE - 1)
    with pytest.raises(OverQuota):
        mail.append(mail.box().id, simple(), simple())
    assert used(mail) == (0, 0)
    mail.append(mail.box().id, simple())


def test_items_are_limited_too(store: Store) -> None:
    """The count of messages has its own limit."""
    mail = new_mail(store, items=2)
    inbox = mail.box().id
    mail.append(inbox, b"", b"")
    with pytest.raises(OverQuota):
        mail.append(inbox, b"")


def test_copies_are_charged_and_moves_are_not(store: Store) -> None:
    """A copy costs its size again, in the space that holds it; moving within a space is free."""
    mail = new_mail(store, octets=2 * SIZE)
    inbox, other = mail.box().id, mail.create("Other")
    mail.append(inbox, simple())
    mail.apply(CopyMessages(inbox, ALL_UIDS, other))
    assert used(mail) == (2 * SIZE, 2)
    with pytest.raises(OverQuota):
        mail.apply(CopyMessages(inbox, ALL_UIDS, other))
    mail.apply(MoveMessages(inbox, ALL_UIDS, other))
    assert used(mail) == (2 * SIZE, 2)
    assert mail.box("Other").messages == 2


def test_freeing_always_fits(store: Store) -> None:
    """Who is over the limit of a smaller plan can still expunge, delete and change flags."""
    mail = new_mail(store)
    inbox, other = mail.box().id, mail.create("Other")
    mail.append(inbox, *[simple()] * 3)
    mail.append(other, *[simple()] * 2)
    small = AccountUpdate(limits={Tool.MAIL: Limit(SIZE, 1)})
    apply(store, UpdateAccount(mail.actor.account_id, small))
    with pytest.raises(OverQuota):
        mail.append(inbox, b"")
    mail.flag(inbox, uids("1"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    assert used(mail) == (4 * SIZE, 4)
    mail.apply(DeleteMailbox(other))
    assert used(mail) == (2 * SIZE, 2)
    mail.apply(MoveMessages(inbox, ALL_UIDS, mail.create("New")))
    assert used(mail) == (2 * SIZE, 2)


def test_room_that_was_freed_can_be_used(store: Store) -> None:
    """After an expunge the same message fits again, and larger limits count at once."""
    mail = new_mail(store, octets=SIZE)
    inbox = mail.box().id
    mail.append(inbox, simple(), flags=Flag.DELETED)
    with pytest.raises(OverQuota):
        mail.append(inbox, simple())
    mail.apply(ExpungeMessages(inbox))
    mail.append(inbox, simple())
    larger = AccountUpdate(limits={Tool.MAIL: Limit(2 * SIZE, None)})
    apply(store, UpdateAccount(mail.actor.account_id, larger))
    mail.append(inbox, simple())
    assert used(mail) == (2 * SIZE, 2)


def test_concurrent_appends_never_overdraw(store: Store) -> None:
    """Eight sessions that race for the last room: exactly what fits is stored."""
    room = 21
    mail = new_mail(store, octets=room * SIZE + SIZE // 2)
    boxes = [mail.box(name).id for name in ("INBOX", "Drafts", "Sent", "Archive")]
    message = new_message(store, simple())
    stored: list[int] = []
    refused: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            try:
                mail.apply(AppendMessages(boxes[number % 4], (message,)))
                stored.append(1)
            except OverQuota:
                refused.append(1)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(stored), len(refused)) == (room, 40 - room)
    assert used(mail) == (room * SIZE, room)
