"""Annotations: kept, numbered, bounded, and gone with what they belong to."""

from __future__ import annotations

import pytest

from folkmoot.storage.errors import InvalidName, LimitReached, NotFound, TooLarge
from folkmoot.storage.mutations import annotations as module
from folkmoot.storage.mutations.accounts import DeleteAccount
from folkmoot.storage.mutations.annotations import SetAnnotations
from folkmoot.storage.mutations.mailboxes import DeleteMailbox
from folkmoot.storage.store import Store
from folkmoot.storage.types import Annotation, AnnotationQuery, Flag
from folkmoot.storage.views.annotations import (
    AccountAnnotations,
    AnnotationsSince,
    MailboxAnnotations,
    SpaceAnnotations,
)
from folkmoot.storage.views.usage import DeletedSizes, ReadMailUsage
from tests.storage.accounts_kit import SYSTEM
from tests.storage.mail_kit import Mail, new_mail, sql, uids

ALL = AnnotationQuery(("/private", "/shared"), None)


@pytest.fixture
def mail(store: Store) -> Mail:
    return new_mail(store)


def note(mail: Mail, mailbox: int, **values: bytes | None) -> int:
    """Set ``/private/NAME`` annotations."""
    changes = tuple(Annotation(f"/private/{name}", value) for name, value in values.items())
    return mail.apply(SetAnnotations(mail.actor.space_id, mailbox, changes))


def notes(mail: Mail, mailbox: int) -> dict[str, bytes | None]:
    return {a.entry: a.value for a in mail.view(MailboxAnnotations(mailbox, ALL))}


def changed(mail: Mail, since: int) -> dict[int, list[str]]:
    _, found = mail.view(AnnotationsSince(mail.actor.space_id, since))
    return {mailbox: [entry.entry for entry in entries] for mailbox, entries in found.items()}


def test_kept_replaced_removed(mail: Mail) -> None:
    """The last value counts; octets are kept as they are; the account has its own."""
    inbox = mail.box().id
    note(mail, inbox, a=b"1", b=b"\0\xff")
    note(mail, inbox, a=b"2", b=None, never=None)
    note(mail, 0, a=b"mine")
    assert notes(mail, inbox) == {"/private/a": b"2"}
    [own] = mail.view(AccountAnnotations(mail.actor.space_id, ALL))
    assert (own.entry, own.value) == ("/private/a", b"mine")
    found = mail.view(SpaceAnnotations(mail.actor.space_id, ALL))
    assert {id_: [a.value for a in entries] for id_, entries in found.items()} == {inbox: [b"2"]}


def test_changes_are_numbered(mail: Mail) -> None:
    """What changed after a number, with what was removed; nothing twice."""
    inbox, sent = mail.box().id, mail.box("Sent").id
    first = note(mail, inbox, a=b"1", b=b"1")
    second = note(mail, sent, c=b"1")
    third = note(mail, inbox, a=None)
    assert first < second < third
    assert changed(mail, 0) == {inbox: ["/private/a", "/private/b"], sent: ["/private/c"]}
    assert changed(mail, first) == {inbox: ["/private/a"], sent: ["/private/c"]}
    assert changed(mail, second) == {inbox: ["/private/a"]}
    assert changed(mail, third) == {}


def test_messages_are_not_disturbed(mail: Mail) -> None:
    """The mailbox's own number, by which clients synchronise, stays as it is."""
    before = mail.box().modseq
    note(mail, mail.box().id, a=b"1")
    assert mail.box().modseq == before


def test_limits(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too long, too many in a mailbox, too much in a space: nothing of the command is kept."""
    inbox, sent = mail.box().id, mail.box("Sent").id
    monkeypatch.setattr(module, "MAX_VALUE", 10)
    with pytest.raises(TooLarge):
        note(mail, inbox, a=b"1", b=b"x" * 11)
    assert notes(mail, inbox) == {}
    monkeypatch.setattr(module, "MAX_ON_MAILBOX", 2)
    note(mail, inbox, a=b"1", b=b"1")
    with pytest.raises(LimitReached):
        note(mail, inbox, c=b"1")
    note(mail, inbox, a=None, c=b"1")
    monkeypatch.setattr(module, "MAX_OCTETS", 12)
    note(mail, sent, a=b"x" * 10)
    with pytest.raises(LimitReached):
        note(mail, sent, b=b"x")
    for entry in ("/other/a", "/private/", "/private//a", "/private/%", "/private/A", "/private"):
        with pytest.raises(InvalidName):
            mail.apply(SetAnnotations(mail.actor.space_id, inbox, (Annotation(entry, b"x"),)))


def test_removed_names_are_forgotten_in_time(
    store: Store, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows do not pile up; the latest stay."""
    monkeypatch.setattr(module, "MAX_REMOVED", 2)
    inbox = mail.box().id
    for name in "abcd":
        note(mail, inbox, **{name: b"1"})
        note(mail, inbox, **{name: None})
    assert sql(store, "SELECT COUNT(*) FROM annotations") == [(2,)]
    assert changed(mail, 0) == {inbox: ["/private/c", "/private/d"]}


def test_they_go_with_mailbox_and_account(store: Store, mail: Mail) -> None:
    """No row is left behind."""
    work = mail.create("Work")
    note(mail, work, a=b"1")
    note(mail, mail.box().id, a=b"1")
    note(mail, 0, a=b"1")
    mail.apply(DeleteMailbox(work))
    assert sql(store, "SELECT COUNT(*) FROM annotations") == [(2,)]
    account = mail.actor.account_id
    store.call(SYSTEM, "test", lambda txn: txn.apply(DeleteAccount(account)))
    assert sql(store, "SELECT COUNT(*) FROM annotations") == [(0,)]


def test_strangers(store: Store, mail: Mail) -> None:
    """Others neither read nor set them, nor hear of changes."""
    other = new_mail(store, "other@example.test", domain=False)
    inbox = mail.box().id
    note(mail, inbox, a=b"1")
    with pytest.raises(NotFound):
        other.view(MailboxAnnotations(inbox, ALL))
    with pytest.raises(NotFound):
        other.view(AccountAnnotations(mail.actor.space_id, ALL))
    assert other.view(SpaceAnnotations(mail.actor.space_id, ALL)) == {}
    with pytest.raises(NotFound):
        other.view(AnnotationsSince(mail.actor.space_id, 0))


def test_usage(store: Store) -> None:
    """Used and allowed amounts, and what EXPUNGE would free."""
    mail = new_mail(store, octets=10_000, items=5)
    inbox = mail.box().id
    mail.append(inbox, b"a: b\r\n\r\nhello\r\n")
    mail.append(inbox, b"a: b\r\n\r\nx\r\n")
    mail.flag(inbox, uids("2"), Flag.DELETED)
    found = mail.view(ReadMailUsage(mail.actor.space_id))
    usage = found.usage
    assert (usage.bytes_used, usage.bytes_limit) == (15 + 11, 10_000)
    assert (usage.items_used, usage.items_limit) == (2, 5)
    assert found.mailboxes == len(mail.boxes()) - 1
    sent = mail.box("Sent").id
    assert mail.view(DeletedSizes((inbox, sent))) == {inbox: 11, sent: 0}
