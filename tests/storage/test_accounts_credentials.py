"""What a login reads and writes, on both databases."""

from __future__ import annotations

import pytest

from folkmoot.storage.errors import (
    AlreadyExists,
    Expired,
    InvalidName,
    LimitReached,
    NotFound,
)
from folkmoot.storage.mutations.credentials import (
    AddAppPassword,
    EnsureSecret,
    RecordLogin,
    RenewSecret,
    RevokeAppPassword,
    SetPassword,
)
from folkmoot.storage.store import Store
from folkmoot.storage.types import Credential, LoginRecord
from folkmoot.storage.views.accounts import CanonicalName, ReadLoginRecord, ShowAccount
from folkmoot.storage.views.mailboxes import ListMailboxes
from tests.storage.accounts_kit import (
    ALICE,
    Watch,
    account,
    actor_of,
    apply,
    make_account,
    make_domain,
    view,
)


def _record(store: Store) -> LoginRecord:
    record = view(store, ReadLoginRecord(ALICE))
    assert record is not None
    return record


def test_a_login_record_has_all_secrets(store: Store) -> None:
    """Main password, app passwords with their protocols, SCRAM record, epoch."""
    make_domain(store)
    alice = make_account(store)
    id_ = apply(store, AddAppPassword(alice, "Phone", "app hash", ("imap", "submission"), 25))
    record = _record(store)
    assert record.account == account(store)
    assert (record.epoch, record.scram) == (1, "a record")
    assert list(record.credentials) == [
        Credential(0, "a hash", ()),
        Credential(id_, "app hash", ("imap", "submission")),
    ]
    assert view(store, ReadLoginRecord("nobody@example.test")) is None


def test_an_account_without_password_has_no_main_credential(store: Store) -> None:
    """An empty secret is no secret that something could fit."""
    make_domain(store)
    alice = make_account(store)
    apply(store, SetPassword(alice, "", None))
    assert list(_record(store).credentials) == []
    assert not view(store, ShowAccount(ALICE)).has_password


def test_a_new_password_ends_all_sessions(store: Store) -> None:
    """The epoch rises, sessions are told, and the old ones are refused."""
    make_domain(store)
    alice = make_account(store)
    session = actor_of(store)
    watch = Watch(store, alice)
    apply(store, SetPassword(alice, "new hash", "new record"))
    record = _record(store)
    assert (record.epoch, record.scram) == (2, "new record")
    assert record.credentials[0].secret == "new hash"
    assert watch.next_epoch() == 2
    what = ListMailboxes(session.space_id, alice)
    with pytest.raises(Expired):
        store.call_read(session, "list", lambda txn: txn.view(what))
    with pytest.raises(NotFound):
        apply(store, SetPassword(alice + 1, "x", None))


def test_a_renewed_hash_ends_nothing(store: Store) -> None:
    """Same password, same epoch; and it never undoes a change made meanwhile."""
    make_domain(store)
    alice = make_account(store)
    apply(store, RenewSecret(alice, "a hash", "better hash", "better record"))
    record = _record(store)
    assert (record.credentials[0].secret, record.scram) == ("better hash", "better record")
    assert record.epoch == 1
    apply(store, RenewSecret(alice, "a hash", "stale", "stale"))
    assert _record(store) == record


def test_logins_are_noted(store: Store) -> None:
    """On the account always, on an app password when it was used."""
    make_domain(store)
    alice = make_account(store)
    phone = apply(store, AddAppPassword(alice, "Phone", "hash", (), 25))
    apply(store, RecordLogin(alice, 0))
    shown = view(store, ShowAccount(ALICE))
    assert shown.account.last_used is not None
    assert shown.app_passwords[0].last_used is None
    apply(store, RecordLogin(alice, phone))
    assert view(store, ShowAccount(ALICE)).app_passwords[0].last_used is not None


def test_app_passwords_are_named_and_limited(store: Store) -> None:
    """One of each name, a printable name, and not without end."""
    make_domain(store)
    alice = make_account(store)
    apply(store, AddAppPassword(alice, "Phone", "hash", (), 2))
    with pytest.raises(AlreadyExists):
        apply(store, AddAppPassword(alice, "Phone", "hash", (), 2))
    for name in ("", "  ", "a\nb"):
        with pytest.raises(InvalidName):
            apply(store, AddAppPassword(alice, name, "hash", (), 2))
    apply(store, AddAppPassword(alice, "Laptop", "hash", ("imap",), 2))
    with pytest.raises(LimitReached):
        apply(store, AddAppPassword(alice, "Tablet", "hash", (), 2))
    with pytest.raises(NotFound):
        apply(store, AddAppPassword(alice + 1, "Phone", "hash", (), 2))
    shown = view(store, ShowAccount(ALICE)).app_passwords
    assert [(found.name, found.protocols) for found in shown] == [
        ("Laptop", ("imap",)),
        ("Phone", ()),
    ]


def test_a_revoked_app_password_is_gone_with_its_sessions(store: Store) -> None:
    """Its device is out at once."""
    make_domain(store)
    alice = make_account(store)
    apply(store, AddAppPassword(alice, "Phone", "hash", (), 25))
    watch = Watch(store, alice)
    apply(store, RevokeAppPassword(alice, "Phone"))
    record = _record(store)
    assert len(record.credentials) == 1
    assert record.epoch == 2
    assert watch.next_epoch() == 2
    with pytest.raises(NotFound):
        apply(store, RevokeAppPassword(alice, "Phone"))


def test_a_bare_name_means_the_only_domain(store: Store) -> None:
    """With none or several domains it stays as it is."""
    assert view(store, CanonicalName("alice")) == "alice"
    make_domain(store, "example.test")
    assert view(store, CanonicalName("alice")) == ALICE
    make_domain(store, "another.test")
    assert view(store, CanonicalName("alice")) == "alice"


def test_the_secret_of_the_installation_stays(store: Store) -> None:
    """Made once, random, the same for all who ask; one per name."""
    secret = apply(store, EnsureSecret("login-secret"))
    assert len(secret) == 32
    assert apply(store, EnsureSecret("login-secret")) == secret
    assert apply(store, EnsureSecret("another")) != secret
