"""Domains in the store, on both databases."""

from __future__ import annotations

import pytest

from folkmoot.storage.errors import AlreadyExists, Conflict, NotFound, PermissionDenied
from folkmoot.storage.mutations.accounts import AddAddress, DeleteAccount
from folkmoot.storage.mutations.domains import CreateDomain, DeleteDomain, SetCatchall
from folkmoot.storage.store import Store
from folkmoot.storage.views.accounts import ListDomains
from tests.storage.accounts_kit import actor_of, apply, make_account, make_domain, view


def test_domains_are_listed_with_what_belongs_to_them(store: Store) -> None:
    """Name, catch-all and the number of accounts."""
    make_domain(store, "example.test")
    make_domain(store, "another.test")
    alice = make_account(store, "alice@example.test")
    apply(store, SetCatchall("example.test", alice))
    domains = view(store, ListDomains())
    assert [(d.name, d.catchall, d.accounts) for d in domains] == [
        ("another.test", "", 0),
        ("example.test", "alice@example.test", 1),
    ]


def test_a_domain_exists_once(store: Store) -> None:
    """A second one of the same name is refused."""
    make_domain(store)
    with pytest.raises(AlreadyExists):
        apply(store, CreateDomain("example.test"))


def test_a_domain_in_use_stays(store: Store) -> None:
    """Neither accounts nor aliases lose their domain; afterwards it can go."""
    make_domain(store, "example.test")
    make_domain(store, "another.test")
    alice = make_account(store, "alice@example.test")
    apply(store, AddAddress(alice, "alice@another.test"))
    for name in ("example.test", "another.test"):
        with pytest.raises(Conflict):
            apply(store, DeleteDomain(name))
    apply(store, DeleteAccount(alice))
    for name in ("example.test", "another.test"):
        apply(store, DeleteDomain(name))
    assert view(store, ListDomains()) == []


def test_a_domain_is_not_kept_by_one_that_ends_like_it(store: Store) -> None:
    """``sub.example.test`` in use does not keep ``example.test``, nor ``myexample.test``."""
    for name in ("example.test", "sub.example.test", "myexample.test"):
        make_domain(store, name)
    make_account(store, "a@sub.example.test")
    make_account(store, "a@myexample.test")
    apply(store, DeleteDomain("example.test"))
    assert [d.name for d in view(store, ListDomains())] == ["myexample.test", "sub.example.test"]


def test_unknown_domains(store: Store) -> None:
    """Nothing can be done with a domain that is not served."""
    for mutation in (DeleteDomain("example.test"), SetCatchall("example.test", None)):
        with pytest.raises(NotFound):
            apply(store, mutation)


def test_the_catchall_ends_with_its_account(store: Store) -> None:
    """No domain points to an account that is gone."""
    make_domain(store)
    alice = make_account(store)
    apply(store, SetCatchall("example.test", alice))
    apply(store, DeleteAccount(alice))
    assert [d.catchall for d in view(store, ListDomains())] == [""]


def test_people_do_not_administer(store: Store) -> None:
    """An account, domain administrator or not, changes no domains and reads no lists."""
    make_domain(store)
    make_account(store, domain_admin=True)
    actor = actor_of(store)
    with pytest.raises(PermissionDenied):
        store.call(actor, "test", lambda txn: txn.apply(CreateDomain("mine.test")))
    with pytest.raises(PermissionDenied):
        store.call_read(actor, "test", lambda txn: txn.view(ListDomains()))
