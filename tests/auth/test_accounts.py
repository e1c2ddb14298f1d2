"""Accounts from making them to signing in, over the real store."""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import Deferred

from folkmoot.auth.accounts import Accounts, AccountWanted
from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.cache import VerifiedCache
from folkmoot.auth.directory import StoreDirectory
from folkmoot.auth.passwords import PasswordHasher, PasswordPolicy, PasswordRefused
from folkmoot.auth.sasl.steps import Challenge
from folkmoot.auth.throttle import Throttle
from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.errors import (
    AlreadyExists,
    AuthenticationFailed,
    Expired,
    InvalidName,
    NotFound,
)
from folkmoot.storage.store import Store
from folkmoot.storage.types import AccountState, Actor, FlagSet, Limit, NewMessage, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from folkmoot.storage.views.mailboxes import ListMailboxes
from tests.auth.support import ALICE, HOME, ITERATIONS, PASSWORD, Clock, ScramClient
from tests.kit.databases import Databases
from tests.kit.stores import open_store

T = TypeVar("T")

CHEAP = PasswordHasher(memory_kib=8, time_cost=1)


def wait(deferred: Deferred[T]) -> T:
    """The result of a Deferred that fires in another thread; raises its error."""
    results: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()
    deferred.addCallbacks(
        lambda result: results.put((result, None)),
        lambda failure: results.put((None, failure.value)),
    )
    result, error = results.get(timeout=60)
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


class Office:
    """A store with its accounts and its authenticator."""

    def __init__(self, store: Store, hasher: PasswordHasher = CHEAP) -> None:
        self.store = store
        self.accounts = Accounts(
            store, hasher, policy=PasswordPolicy(), scram_iterations=ITERATIONS, reason="test"
        )
        directory = StoreDirectory(store)
        clock = Clock()
        self.authenticator = Authenticator(
            directory,
            hasher,
            Throttle(clock),
            VerifiedCache(clock),
            store.compute,
            secret=wait(directory.secret()),
            scram_iterations=ITERATIONS,
        )

    def login(self, name: str = ALICE, password: str = PASSWORD, protocol: str = "imap") -> Actor:
        return wait(self.authenticator.authenticate(name, password, protocol, HOME))

    def scram(self, name: str = ALICE, password: str = PASSWORD) -> Actor:
        client = ScramClient(name, password)
        session = self.authenticator.sasl("SCRAM-SHA-256", "imap", HOME, {}, tls=True)
        first = wait(session.start(client.first()))
        assert isinstance(first, Challenge)
        wait(session.step(client.final(first.data)))
        actor = wait(session.step(b""))
        assert isinstance(actor, Actor)
        return actor

    def mailboxes(self, actor: Actor) -> list[str]:
        what = ListMailboxes(actor.space_id, actor.account_id)
        found = self.store.call_read(actor, "list", lambda txn: txn.view(what))
        return [mailbox.name for mailbox in found if mailbox.name]


@pytest.fixture
def store(databases: Databases, tmp_path: Path) -> Iterator[Store]:
    store = open_store(databases.fresh("sqlite"), tmp_path)
    yield store
    store.close()


@pytest.fixture
def office(store: Store) -> Office:
    """One domain and alice."""
    office = Office(store)
    wait(office.accounts.create_domain("Example.TEST"))
    wait(office.accounts.create(AccountWanted(address="Alice@Example.test", password=PASSWORD)))
    return office


def test_from_the_account_to_the_mailboxes(office: Office) -> None:
    """Made, signed in by password and by SCRAM, mailboxes seen, use noted."""
    actor = office.login()
    assert office.scram() == actor == office.login("alice")
    assert "INBOX" in office.mailboxes(actor)
    shown = wait(office.accounts.show(ALICE))
    assert shown.account.last_used is not None
    assert shown.has_password
    assert shown.has_scram


def test_a_new_password_replaces_the_old_one(office: Office) -> None:
    """In both kinds of login; the session of the old one ends."""
    session = office.login()
    wait(office.accounts.set_password(ALICE, "battery staple"))
    with pytest.raises(AuthenticationFailed):
        office.login()
    with pytest.raises(AuthenticationFailed):
        office.scram()
    with pytest.raises(Expired):
        office.mailboxes(session)
    assert office.mailboxes(office.login(password="battery staple"))
    assert office.scram(password="battery staple").epoch == 2


def test_passwords_against_the_policy_are_refused(office: Office) -> None:
    """When an account is made and when a password is changed; nothing is half done."""
    with pytest.raises(PasswordRefused):
        wait(office.accounts.set_password(ALICE, "password1"))
    with pytest.raises(PasswordRefused):
        wait(office.accounts.create(AccountWanted(address="bob@example.test", password="short")))
    assert office.login().account_id == 1
    assert len(wait(office.accounts.accounts())) == 1


def test_app_passwords_from_making_to_revoking(office: Office) -> None:
    """Shown once, limited to protocols, used, revoked, its sessions ended."""
    made, text = wait(office.accounts.add_app_password(ALICE, "Phone", ("imap",)))
    assert (made.name, made.protocols) == ("Phone", ("imap",))
    session = office.login(password=text)
    assert session.credential_id == made.id
    with pytest.raises(AuthenticationFailed):
        office.login(password=text, protocol="submission")
    (shown,) = wait(office.accounts.show(ALICE)).app_passwords
    assert shown.last_used is not None
    wait(office.accounts.revoke_app_password(ALICE, "Phone"))
    with pytest.raises(AuthenticationFailed):
        office.login(password=text)
    with pytest.raises(Expired):
        office.mailboxes(session)
    assert office.login().credential_id == 0


def test_disabled_and_enabled(office: Office) -> None:
    """Out at once, and in again."""
    session = office.login()
    wait(office.accounts.set_state(ALICE, AccountState.DISABLED))
    with pytest.raises(AuthenticationFailed):
        office.login()
    with pytest.raises(Expired):
        office.mailboxes(session)
    wait(office.accounts.set_state(ALICE, AccountState.ACTIVE))
    assert office.mailboxes(office.login())


def test_deleted_for_good(office: Office) -> None:
    """The address can be given to somebody else, who finds nothing of the old one."""
    session = office.login()
    wait(office.accounts.delete(ALICE))
    with pytest.raises(AuthenticationFailed):
        office.login()
    wait(office.accounts.create(AccountWanted(address=ALICE, password=PASSWORD)))
    with pytest.raises(Expired):
        office.mailboxes(session)
    assert office.login().account_id != session.account_id


def test_deleted_mail_leaves_no_octet(office: Office) -> None:
    """Bodies in the database and in files go with the account, not some hours later."""
    session = office.login()
    workspace = Workspace(office.store, session)
    for body in (b"Subject: small\r\n\r\nx\r\n", b"Subject: large\r\n\r\n" + b"x" * 600_000):
        new = NewMessage(office.store.prepare(body), FlagSet(), datetime.now(UTC))
        wait(workspace.append("INBOX", lambda prepare, new=new: [new]))  # type: ignore[misc]
    assert len(list(office.store.blobs.names())) == 1
    wait(office.accounts.delete(ALICE))
    assert list(office.store.blobs.names()) == []
    path = office.store.database.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        for table in ("blobs", "contents", "message_keys", "search_texts"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)


def test_a_hash_instead_of_a_password(office: Office) -> None:
    """Imported hashes work for passwords at once, and for SCRAM after the first such login."""
    bob = "bob@example.test"
    secret = PasswordHasher(memory_kib=16, time_cost=1).hash("bob's password")
    wait(office.accounts.create(AccountWanted(address=bob, password_hash=secret)))
    with pytest.raises(AuthenticationFailed):
        office.scram(bob, "bob's password")
    assert office.login(bob, "bob's password").epoch == 1
    assert office.scram(bob, "bob's password").epoch == 1


def test_an_account_without_a_password(office: Office) -> None:
    """Nothing opens it, also not nothing."""
    wait(office.accounts.create(AccountWanted(address="bob@example.test")))
    for password in ("", " ", "x"):
        with pytest.raises(AuthenticationFailed):
            office.login("bob@example.test", password)


def test_aliases_receive_but_do_not_sign_in(office: Office) -> None:
    """The login name is the primary address, so that names cannot be probed through aliases."""
    wait(office.accounts.add_alias(ALICE, "Countess@example.test"))
    assert wait(office.accounts.show(ALICE)).aliases == ("countess@example.test",)
    with pytest.raises(AuthenticationFailed):
        office.login("countess@example.test")
    wait(office.accounts.remove_alias(ALICE, "countess@EXAMPLE.test"))
    assert wait(office.accounts.show(ALICE)).aliases == ()


def test_domains_and_catchall(office: Office) -> None:
    """International names in both forms; what is used twice or missing is told."""
    wait(office.accounts.create_domain("bücher.test"))
    with pytest.raises(AlreadyExists):
        wait(office.accounts.create_domain("xn--bcher-kva.test"))
    wait(office.accounts.set_catchall("bücher.test", ALICE))
    domains = {domain.name: domain.catchall for domain in wait(office.accounts.domains())}
    assert domains == {"example.test": "", "xn--bcher-kva.test": ALICE}
    wait(office.accounts.set_catchall("bücher.test", None))
    with pytest.raises(NotFound):
        wait(office.accounts.set_catchall("bücher.test", "nobody@example.test"))
    wait(office.accounts.delete_domain("BÜCHER.test"))
    assert [domain.name for domain in wait(office.accounts.domains())] == ["example.test"]


def test_updates_and_lists(office: Office) -> None:
    """Fields and limits as somebody asks for them."""
    change = AccountUpdate(name="Alice", plan="business", limits={Tool.MAIL: Limit(10, None)})
    wait(office.accounts.update(ALICE, change))
    (found,) = wait(office.accounts.accounts("EXAMPLE.test"))
    assert (found.name, found.plan) == ("Alice", "business")
    assert wait(office.accounts.show(ALICE)).usage[0].bytes_limit == 10


def test_what_is_no_address_fails_by_the_deferred(office: Office) -> None:
    """No exception leaves a call itself: callers look in one place."""
    accounts = office.accounts
    calls: list[Deferred[Any]] = [
        accounts.show("nobody"),
        accounts.delete("@"),
        accounts.add_alias(ALICE, "x"),
        accounts.create_domain("not a domain"),
        accounts.create(AccountWanted(address="alice")),
    ]
    for call in calls:
        with pytest.raises(InvalidName):
            wait(call)
    with pytest.raises(NotFound):
        wait(accounts.show("nobody@example.test"))


def test_the_secret_is_the_same_after_a_restart(databases: Databases, tmp_path: Path) -> None:
    """Made-up SCRAM salts would otherwise tell themselves from real ones."""
    url = databases.fresh("sqlite")
    secrets = []
    for _ in range(2):
        store = open_store(url, tmp_path)
        secrets.append(wait(StoreDirectory(store).secret()))
        store.close()
    assert secrets[0] == secrets[1]
    assert len(secrets[0]) == 32
