"""Accounts in the store, on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    AlreadyExists,
    Expired,
    InvalidName,
    LimitReached,
    NotFound,
    PermissionDenied,
    StorageError,
    Unchangeable,
)
from folkmoot.storage.mutations import accounts as module
from folkmoot.storage.mutations.accounts import (
    AddAddress,
    CreateAccount,
    DeleteAccount,
    RemoveAddress,
    SetAccountState,
    UpdateAccount,
)
from folkmoot.storage.mutations.credentials import AddAppPassword
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.store import Store
from folkmoot.storage.tables import metadata
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import (
    AccountState,
    FlagSet,
    Limit,
    MailboxInfo,
    NewMessage,
    Right,
    Tool,
)
from folkmoot.storage.types_accounts import AccountUpdate, NewAccount
from folkmoot.storage.views.accounts import FindAccount, ListAccounts, ShowAccount
from folkmoot.storage.views.mailboxes import ListMailboxes
from tests.storage.accounts_kit import (
    ALICE,
    SYSTEM,
    Watch,
    account,
    actor_of,
    apply,
    make_account,
    make_domain,
    view,
)


def _mailboxes(store: Store, address: str = ALICE) -> list[MailboxInfo]:
    actor = actor_of(store, address)
    what = ListMailboxes(actor.space_id, actor.account_id)
    return store.call_read(actor, "list", lambda txn: txn.view(what))


CONTENT = {"blobs", "contents", "message_keys", "search_texts"}


def _counts(store: Store) -> dict[str, int]:
    """Rows in each table, but the trail, which stays, and content, which the sweeper removes."""

    def count(txn: Txn) -> dict[str, int]:
        db = txn._write_context.db
        return {
            table.name: db.value(Statement(f"SELECT COUNT(*) FROM {table.name}"))
            for table in metadata.sorted_tables
            if table.name not in CONTENT | {"audit"}
        }

    return store.call(SYSTEM, "count", count)


def test_a_new_account_has_its_mailboxes(store: Store) -> None:
    """INBOX and the special-use folders, subscribed and valid, below a nameless root."""
    make_domain(store)
    make_account(store)
    root, *mailboxes = _mailboxes(store)
    assert root.name == ""
    assert {(m.name, m.special_use) for m in mailboxes} == {
        ("INBOX", ""),
        ("Drafts", "\\Drafts"),
        ("Sent", "\\Sent"),
        ("Junk", "\\Junk"),
        ("Trash", "\\Trash"),
        ("Archive", "\\Archive"),
    }
    assert all(m.subscribed and m.uidnext == 1 and m.uidvalidity > 0 for m in mailboxes)
    assert len({m.uidvalidity for m in mailboxes}) == len(mailboxes)


def test_a_new_account_as_it_is_shown(store: Store) -> None:
    """Fields, limits of all four tools, and no use yet."""
    make_domain(store)
    make_account(store, limits={Tool.MAIL: Limit(1000, None)})
    shown = view(store, ShowAccount(ALICE))
    assert shown.account.address == ALICE
    assert shown.account.state is AccountState.ACTIVE
    assert shown.account.plan == "free"
    assert shown.account.last_used is None
    assert abs((datetime.now(UTC) - shown.account.created).total_seconds()) < 60
    assert shown.aliases == ()
    limits = {usage.tool: (usage.bytes_limit, usage.items_limit) for usage in shown.usage}
    assert limits == {tool: ((1000, None) if tool is Tool.MAIL else (None, None)) for tool in Tool}


def test_an_address_is_used_once(store: Store) -> None:
    """Neither as a second account nor as an alias of another one."""
    make_domain(store)
    make_account(store)
    bob = make_account(store, "bob@example.test")
    before = _counts(store)
    with pytest.raises(AlreadyExists):
        make_account(store)
    with pytest.raises(AlreadyExists):
        apply(store, AddAddress(bob, ALICE))
    apply(store, AddAddress(bob, "robert@example.test"))
    with pytest.raises(AlreadyExists):
        make_account(store, "robert@example.test")
    assert _counts(store) == {**before, "addresses": before["addresses"] + 1}


def test_accounts_need_a_domain_and_a_printable_name(store: Store) -> None:
    """Nothing is left behind by a refused account."""
    before = _counts(store)
    with pytest.raises(NotFound):
        make_account(store)
    make_domain(store)
    for name in ("a\r\nBcc: x", "\x1b[2J", "x" * 201):
        with pytest.raises(InvalidName):
            apply(store, CreateAccount(NewAccount(ALICE, name, "", None, "free")))
    assert _counts(store) == {**before, "domains": 1}


def test_lists_of_accounts(store: Store) -> None:
    """All by address, or those of one domain."""
    make_domain(store, "example.test")
    make_domain(store, "another.test")
    for address in (ALICE, "bob@another.test", "carol@example.test"):
        make_account(store, address)
    everybody = [found.address for found in view(store, ListAccounts())]
    assert everybody == [ALICE, "bob@another.test", "carol@example.test"]
    some = [found.address for found in view(store, ListAccounts("another.test"))]
    assert some == ["bob@another.test"]
    assert view(store, ListAccounts("nowhere.test")) == []


def test_updates_change_only_what_they_say(store: Store) -> None:
    """Name, plan, role and single limits; what is used stays."""
    make_domain(store)
    alice = make_account(store, limits={Tool.MAIL: Limit(1000, 10)})
    apply(store, UpdateAccount(alice, AccountUpdate(name="Alice", domain_admin=True)))
    found = account(store)
    assert (found.name, found.plan, found.domain_admin) == ("Alice", "free", True)
    change = AccountUpdate(plan="business", limits={Tool.MAIL: Limit(5000, None)})
    apply(store, UpdateAccount(alice, change))
    shown = view(store, ShowAccount(ALICE))
    assert (shown.account.name, shown.account.plan) == ("Alice", "business")
    mail = next(usage for usage in shown.usage if usage.tool is Tool.MAIL)
    assert (mail.bytes_limit, mail.items_limit) == (5000, None)
    apply(store, UpdateAccount(alice, AccountUpdate(domain_admin=False)))
    assert not account(store).domain_admin
    with pytest.raises(NotFound):
        apply(store, UpdateAccount(alice + 1, AccountUpdate(name="x")))


def test_disabling_ends_sessions(store: Store) -> None:
    """Open sessions are told and refused; enabling does not revive them."""
    make_domain(store)
    alice = make_account(store)
    session = actor_of(store)
    watch = Watch(store, alice)
    apply(store, SetAccountState(alice, AccountState.DISABLED))
    assert watch.next_epoch() == 2
    assert account(store).state is AccountState.DISABLED
    what = ListMailboxes(session.space_id, alice)
    with pytest.raises(Expired):
        store.call_read(session, "list", lambda txn: txn.view(what))
    apply(store, SetAccountState(alice, AccountState.ACTIVE))
    with pytest.raises(Expired):
        store.call_read(session, "list", lambda txn: txn.view(what))
    assert _mailboxes(store)


def test_setting_the_state_that_is_does_nothing(store: Store) -> None:
    """Applying a directory file again does not end anybody's session."""
    make_domain(store)
    alice = make_account(store)
    session = actor_of(store)
    apply(store, SetAccountState(alice, AccountState.ACTIVE))
    assert actor_of(store) == session


def test_deleting_leaves_nothing(store: Store) -> None:
    """Every row of the account and its space is gone; others keep theirs."""
    make_domain(store)
    make_account(store, "bob@example.test")
    before = _counts(store)
    alice = make_account(store)
    apply(store, AddAddress(alice, "al@example.test"))
    apply(store, AddAppPassword(alice, "Phone", "hash", (), 25))
    session = actor_of(store)
    inbox = next(m for m in _mailboxes(store) if m.name == "INBOX")
    message = NewMessage(store.prepare(b"Subject: x\r\n\r\nx\r\n"), FlagSet(), datetime.now(UTC))
    append = AppendMessages(inbox.id, (message,))
    store.call(session, "append", lambda txn: txn.apply(append))
    watch = Watch(store, alice)
    apply(store, DeleteAccount(alice))
    assert _counts(store) == before
    assert watch.next_epoch() == 2
    with pytest.raises(Expired):
        store.call(session, "append", lambda txn: txn.apply(append))
    with pytest.raises(NotFound):
        view(store, FindAccount(ALICE))
    with pytest.raises(NotFound):
        apply(store, DeleteAccount(alice))
    assert _mailboxes(store, "bob@example.test")


def test_an_id_is_never_used_again(store: Store) -> None:
    """A session of a deleted account cannot meet its successor of the same address."""
    make_domain(store)
    alice = make_account(store)
    space = account(store).space_id
    apply(store, DeleteAccount(alice))
    assert make_account(store) > alice
    assert account(store).space_id > space


def test_aliases_come_and_go(store: Store) -> None:
    """In domains that are served here; the primary address stays."""
    make_domain(store)
    alice = make_account(store)
    bob = make_account(store, "bob@example.test")
    apply(store, AddAddress(alice, "countess@example.test"))
    assert view(store, ShowAccount(ALICE)).aliases == ("countess@example.test",)
    with pytest.raises(NotFound):
        apply(store, AddAddress(alice, "alice@elsewhere.test"))
    with pytest.raises(NotFound):
        apply(store, RemoveAddress(bob, "countess@example.test"))
    with pytest.raises(Unchangeable):
        apply(store, RemoveAddress(alice, ALICE))
    apply(store, RemoveAddress(alice, "countess@example.test"))
    assert view(store, ShowAccount(ALICE)).aliases == ()


def test_the_number_of_addresses_is_limited(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One account cannot claim addresses without end."""
    monkeypatch.setattr(module, "MAX_ADDRESSES", 3)
    make_domain(store)
    alice = make_account(store)
    for number in range(2):
        apply(store, AddAddress(alice, f"alias{number}@example.test"))
    with pytest.raises(LimitReached):
        apply(store, AddAddress(alice, "one-more@example.test"))


def test_people_cannot_change_accounts(store: Store) -> None:
    """Not even their own row: plans and limits are the administrator's."""
    make_domain(store)
    alice = make_account(store)
    session = actor_of(store)
    for mutation in (
        UpdateAccount(alice, AccountUpdate(limits={Tool.MAIL: Limit(None, None)})),
        SetAccountState(alice, AccountState.ACTIVE),
        AddAddress(alice, "root@example.test"),
        DeleteAccount(alice),
    ):
        with pytest.raises(PermissionDenied):
            store.call(session, "test", lambda txn, m=mutation: txn.apply(m))  # type: ignore[misc]


def test_changes_of_accounts_leave_a_trail(store: Store) -> None:
    """Who, why and what, in the audit table."""
    make_domain(store)
    apply(store, DeleteAccount(make_account(store)))
    query = Statement("SELECT operation, actor_name, reason FROM audit ORDER BY id")
    rows = store.call(SYSTEM, "test", lambda txn: txn._write_context.db.all(query))
    assert [row[0] for row in rows] == ["CreateDomain", "CreateAccount", "DeleteAccount"]
    assert {row[1:] for row in rows} == {("system", "test")}


def test_deleting_while_mail_comes_in(store: Store) -> None:
    """Deliveries that run beside the deletion end before it or fail; no row is left over."""
    make_domain(store)
    before = _counts(store)
    alice = make_account(store)
    inbox = next(m for m in _mailboxes(store) if m.name == "INBOX")
    outcomes: list[StorageError] = []
    going = threading.Event()
    message = NewMessage(store.prepare(b"Subject: x\r\n\r\nx\r\n"), FlagSet(), datetime.now(UTC))

    def deliver() -> None:
        while not outcomes:
            try:
                apply(store, AppendMessages(inbox.id, (message,), Right.POST))
            except StorageError as error:
                outcomes.append(error)
            going.set()

    threads = [threading.Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert going.wait(60)
    apply(store, DeleteAccount(alice))
    for thread in threads:
        thread.join(30)
    assert all(isinstance(outcome, NotFound) for outcome in outcomes)
    assert outcomes
    assert _counts(store) == before
