"""Txn.attempt: one recipient's trouble is only theirs."""

from __future__ import annotations

import pytest

from folkmoot.storage.errors import NotFound, OverQuota, StorageError
from folkmoot.storage.mutations.mailboxes import CreateMailbox
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn, WriteContext
from folkmoot.storage.types import Appended, Right
from tests.kit.messages import simple
from tests.storage.accounts_kit import SYSTEM
from tests.storage.mail_kit import Mail, new_mail, new_message, sql

BODY = simple()


def people(store: Store) -> tuple[Mail, Mail, Mail]:
    """The second has no room."""
    return (
        new_mail(store),
        new_mail(store, "bob@example.test", octets=len(BODY) - 1, domain=False),
        new_mail(store, "carol@example.test", domain=False),
    )


def test_the_others_get_their_copy(store: Store) -> None:
    """Over quota in the middle: before and after it the message is stored, in one transaction."""
    everybody = people(store)
    message = new_message(store, BODY)
    inboxes = [mail.box().id for mail in everybody]

    def work(txn: Txn) -> list[object]:
        return [txn.attempt(AppendMessages(id_, (message,), Right.POST)) for id_ in inboxes]

    results = store.call(SYSTEM, "deliver", work)
    assert [isinstance(result, StorageError) for result in results] == [False, True, False]
    assert isinstance(results[1], OverQuota)
    assert [mail.box().messages for mail in everybody] == [1, 0, 1]
    assert [mail.box().uidnext for mail in everybody] == [2, 1, 2]
    assert everybody[2].octets(inboxes[2], 1) == BODY


def test_content_of_a_failed_attempt_is_stored_again(store: Store) -> None:
    """When the first recipient fails after the body was written, the second gets it all the same.

    The body's row went away with the savepoint: remembering its number would name nothing.
    """
    mail = new_mail(store)
    message = new_message(store, BODY)
    inbox = mail.box().id

    def work(txn: Txn) -> list[object]:
        first = txn.attempt(_AppendThenFail(inbox, (message,)))
        return [first, txn.attempt(AppendMessages(inbox, (message,)))]

    results = mail.store.call(mail.actor, "test", work)
    assert isinstance(results[0], OverQuota)
    assert not isinstance(results[1], StorageError)
    assert mail.octets(inbox, 1) == BODY
    assert sql(store, "SELECT COUNT(*) FROM blobs WHERE size = :n", n=len(BODY)) == [(1,)]


class _AppendThenFail(AppendMessages):
    """Fails when everything is written."""

    def write(self, context: WriteContext) -> Appended:
        AppendMessages.write(self, context)
        raise OverQuota


def test_a_bug_in_an_attempt_fails_the_transaction(store: Store) -> None:
    """Only storage errors are outcomes; anything else rolls back all that was done."""
    mail = new_mail(store)
    inbox = mail.box().id
    message = new_message(store)

    def work(txn: Txn) -> None:
        txn.attempt(AppendMessages(inbox, (message,)))
        txn.attempt(AppendMessages(inbox, None))  # type: ignore[arg-type]

    with pytest.raises(TypeError):
        mail.store.call(mail.actor, "test", work)
    assert mail.box().messages == 0


def test_what_was_known_of_a_failed_attempt_is_forgotten(store: Store) -> None:
    """The number of a mailbox that was rolled back may be given again, in another space.

    SQLite does so: what the transaction had learnt of the first must not count for the second.
    """
    mail = new_mail(store)
    space, root = mail.actor.space_id, mail.box("").id

    def work(txn: Txn) -> tuple[object, int]:
        failed = txn.attempt(_CreateThenFail(space, root, ("A",)))
        created = txn.apply(CreateMailbox(space, root, ("B",)))
        assert created not in txn._write_context._facts
        return failed, created

    failed, created = mail.store.call(mail.actor, "test", work)
    assert isinstance(failed, NotFound)
    assert mail.box("B").id == created
    assert "A" not in mail.boxes()


class _CreateThenFail(CreateMailbox):
    """Learns the facts of what it made, then fails."""

    def write(self, context: WriteContext) -> int:
        created = CreateMailbox.write(self, context)
        context.facts(created)
        raise NotFound
