"""Every mutation of what people own, by somebody to whom an owner has granted something.

The table of ``gate_world`` is asked for Alice's own things. Bob is in a group with her.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from folkmoot.sharing.rights import READ, WRITE
from folkmoot.storage.errors import NotFound, PermissionDenied, StorageError
from folkmoot.storage.gate import OnCollection, OnItem
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.mutations.groups import AddMember, RemoveMember
from folkmoot.storage.mutations.item_grants import ShareItem
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Right
from tests.arch.gate_world import (
    OWNED,
    SYSTEM,
    AnyMutation,
    World,
    in_each_tool,
    make_world,
)
from tests.kit.databases import Databases


class Undo(Exception):
    """Rolls a transaction back that went well."""


@pytest.fixture(scope="module")
def world(databases: Databases, request: pytest.FixtureRequest) -> Iterator[World]:
    """One for all tests of a tool: each of them leaves it as it was."""
    path = Path(databases.fresh("sqlite").removeprefix("sqlite:///"))
    world = make_world(path, request.param)
    yield world
    world.store.close()


def _apply(mutation: AnyMutation, txn: Txn) -> None:
    txn.apply(mutation)


def _granted(world: World) -> Sequence[int]:
    """The collections of Alice that are shared."""
    boxes = world.alice.mailboxes
    return [world.alice.folder.id, boxes["INBOX"], boxes["Archive"], boxes["Trash"]]


def _outcome(
    world: World, mutation: AnyMutation, rights: Right | None, *more: AnyMutation
) -> type[BaseException]:
    """What comes of Bob's doing it, when he has these rights on some things of Alice's."""
    choir = world.shared.account.space_id
    grants: list[AnyMutation] = [*more]
    undo: list[AnyMutation] = []
    if rights is not None:
        grants += [Share(id_, choir, rights) for id_ in _granted(world)]
        undo = [Unshare(id_, choir) for id_ in _granted(world)]
    for grant in grants:
        world.store.call(SYSTEM, "test", partial(_apply, grant))

    def work(txn: Txn) -> None:
        txn.apply(mutation)
        raise Undo

    try:
        world.store.call(world.bob, "test", work)
    except BaseException as error:
        return type(error)
    finally:
        for end in undo:
            world.store.call(SYSTEM, "test", partial(_apply, end))
    raise AssertionError("work always raises")


def _covered(world: World, mutation: AnyMutation, rights: Right) -> bool:
    """Whether all that a mutation needs was granted."""
    return all(
        isinstance(need, OnCollection | OnItem)
        and need.collection_id in _granted(world)
        and not need.rights & ~rights
        for need in mutation.needs()
    )


@in_each_tool
@pytest.mark.parametrize("rights", [READ, WRITE], ids=["read", "write"])
def test_what_was_granted_and_no_more(world: World, kind: type[AnyMutation], rights: Right) -> None:
    """Exactly what needs no more than the grants can be done; nobody else's things with it."""
    for mutation in OWNED[kind](world):
        outcome = _outcome(world, mutation, rights)
        if _covered(world, mutation, rights):
            assert outcome is Undo or issubclass(outcome, StorageError), (mutation, outcome)
            assert outcome not in (NotFound, PermissionDenied), (mutation, outcome)
        else:
            assert outcome in (NotFound, PermissionDenied), (mutation, outcome)


@in_each_tool
def test_nothing_without_a_grant(world: World, kind: type[AnyMutation]) -> None:
    """A fellow member finds nothing, nor does one from whom it was taken, or who left."""
    choir, bob = world.choir, world.bob.account_id
    # That is about a mailbox that he may know, and nothing more.
    expected = PermissionDenied if kind is Unshare else NotFound
    for mutation in OWNED[kind](world):
        assert _outcome(world, mutation, None) is expected, mutation
    # With the grants there, but out of the group.
    for grant in [Share(id_, world.shared.account.space_id, WRITE) for id_ in _granted(world)]:
        world.store.call(SYSTEM, "test", partial(_apply, grant))
    world.store.call(SYSTEM, "test", partial(_apply, RemoveMember(choir, bob)))
    for mutation in OWNED[kind](world):
        assert _outcome(world, mutation, None) is NotFound, mutation
    world.store.call(SYSTEM, "test", partial(_apply, AddMember(choir, bob, {})))
    for id_ in _granted(world):
        end = Unshare(id_, world.shared.account.space_id)
        world.store.call(SYSTEM, "test", partial(_apply, end))


@in_each_tool
def test_a_single_item(world: World, kind: type[AnyMutation]) -> None:
    """Of one item there is what was granted on it, whatever its folder is; beside it nothing."""
    item, choir = world.alice.item, world.shared.account.space_id
    grant = ShareItem(item.folder_id, item.id, choir, WRITE)
    for mutation in OWNED[kind](world):
        needs = mutation.needs()
        outcome = _outcome(world, mutation, None, grant)
        if all(
            isinstance(need, OnItem)
            and (need.collection_id, need.item) == (item.folder_id, item.id)
            for need in needs
        ):
            assert outcome is Undo, (mutation, outcome)
        else:
            assert outcome in (NotFound, PermissionDenied), (mutation, outcome)
