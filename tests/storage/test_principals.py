"""Principals: who owns a space, who has an address, what a space holds."""

from __future__ import annotations

import pytest

from folkmoot.storage.errors import NotFound
from folkmoot.storage.mutations.accounts import (
    AddAddress,
    DeleteAccount,
    SetAccountState,
    UpdateAccount,
)
from folkmoot.storage.types import AccountState, Limit, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from folkmoot.storage.types_tree import Principal, SpaceUsage
from tests.storage.accounts_kit import apply
from tests.storage.tree_kit import Person, World


def test_an_account_knows_itself(world: World, alice: Person) -> None:
    """Its name, and its addresses with the primary one first."""
    account = alice.actor.account_id
    apply(world.store, UpdateAccount(account, AccountUpdate(name="Alice A.")))
    apply(world.store, AddAddress(account, "a.first@example.test"))
    apply(world.store, AddAddress(account, "zoe@example.test"))
    addresses = ("alice@example.test", "a.first@example.test", "zoe@example.test")
    expected = Principal(alice.space, account, "Alice A.", addresses)
    assert alice.do(alice.tree.principal(alice.space)) == expected
    for address in (*addresses, "ALICE@Example.TEST"):
        assert alice.do(alice.tree.principal_by_address(address)) == expected


def test_strangers_look_absent(alice: Person, bob: Person) -> None:
    """By number; nobody can count the accounts of a server so. An address may be asked for."""
    for space in (alice.space, 777, 0, -1):
        with pytest.raises(NotFound):
            bob.do(bob.tree.principal(space))
    found = bob.do(bob.tree.principal_by_address("alice@example.test"))
    assert found is not None
    assert found.space_id == alice.space


@pytest.mark.parametrize("address", ["", "nobody@example.test", "x", "a@b@c", "\x00@x", "é@é", "@"])
def test_addresses_of_nobody(alice: Person, address: str) -> None:
    """What is no address is nobody's."""
    assert alice.do(alice.tree.principal_by_address(address)) is None


def test_those_who_are_gone(world: World, alice: Person, bob: Person) -> None:
    """Neither a disabled nor a deleted account takes invitations."""
    apply(world.store, SetAccountState(bob.actor.account_id, AccountState.DISABLED))
    assert alice.do(alice.tree.principal_by_address("bob@example.test")) is None
    apply(world.store, SetAccountState(bob.actor.account_id, AccountState.ACTIVE))
    assert alice.do(alice.tree.principal_by_address("bob@example.test")) is not None
    apply(world.store, DeleteAccount(bob.actor.account_id))
    assert alice.do(alice.tree.principal_by_address("bob@example.test")) is None


def test_usage(world: World, alice: Person) -> None:
    """Of the tool that a folder belongs to, however deep it lies."""
    world.limit(alice, Tool.DOCUMENTS, Limit(1000, 10))
    alice.make("f")
    alice.put("f/a", b"12345")
    for place in ("", "f"):
        usage = alice.do(alice.tree.usage(alice.folder(place).id))
        assert usage == SpaceUsage(5, 1000, 1, 10)
    usage = alice.do(alice.tree.usage(alice.folder("calendar:Calendar").id))
    assert usage == SpaceUsage(0, None, 0, None)
    with pytest.raises(NotFound):
        alice.do(alice.tree.usage(777))
