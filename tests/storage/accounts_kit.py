"""Domains and accounts for tests of the store, without slow hashes."""

from __future__ import annotations

import queue
from typing import TypeVar

from folkmoot.storage.mutations.accounts import CreateAccount
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.domains import CreateDomain
from folkmoot.storage.store import Store
from folkmoot.storage.types import Account, Actor, ActorKind, Hint, Limit, Tool, Topic
from folkmoot.storage.types_accounts import NewAccount
from folkmoot.storage.views.accounts import FindAccount, ReadLoginRecord
from folkmoot.storage.views.base import View

R = TypeVar("R")

SYSTEM = Actor.system("test")
ALICE = "alice@example.test"


def apply(store: Store, mutation: Mutation[R]) -> R:
    """Apply one mutation as the system."""
    return store.call(SYSTEM, "test", lambda txn: txn.apply(mutation))


def view(store: Store, what: View[R]) -> R:
    """Read one view as the system."""
    return store.call_read(SYSTEM, "test", lambda txn: txn.view(what))


def make_domain(store: Store, name: str = "example.test") -> None:
    """Serve a domain."""
    apply(store, CreateDomain(name))


def make_account(
    store: Store,
    address: str = ALICE,
    *,
    limits: dict[Tool, Limit] | None = None,
    domain_admin: bool = False,
    disabled: bool = False,
) -> int:
    """Make an account in a domain that exists; returns its id."""
    new = NewAccount(
        address, "", "a hash", "a record", "free", limits or {}, domain_admin, disabled
    )
    return apply(store, CreateAccount(new))


def account(store: Store, address: str = ALICE) -> Account:
    """The account as it is now."""
    return view(store, FindAccount(address))


def actor_of(store: Store, address: str = ALICE) -> Actor:
    """Somebody who signed in just now."""
    record = view(store, ReadLoginRecord(address))
    assert record is not None
    found = record.account
    return Actor(ActorKind.ACCOUNT, found.id, found.space_id, address, epoch=record.epoch)


class Watch:
    """Hints about an account. PostgreSQL brings them a moment after the commit."""

    def __init__(self, store: Store, account_id: int) -> None:
        self._hints: queue.SimpleQueue[Hint] = queue.SimpleQueue()
        store.bus.subscribe(Topic.ACCOUNT, account_id, self._hints.put)

    def next_epoch(self) -> int:
        """The epoch in the next hint; fails when none comes."""
        return self._hints.get(timeout=60).number
