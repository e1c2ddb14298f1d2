"""Every mutation of what people own, on what a group has: reader, writer, stranger, who was in it.

The table of ``gate_world`` is asked for the group's things as if they were Alice's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from folkmoot.sharing.policy import MEMBER
from folkmoot.sharing.rights import WRITE
from folkmoot.storage.errors import NotFound, PermissionDenied, StorageError
from folkmoot.storage.gate import OnCollection, OnItem, OnSpace
from folkmoot.storage.mutations import groups
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Right, Tool
from tests.arch.gate_world import (
    OWNED,
    SYSTEM,
    AnyMutation,
    World,
    in_each_tool,
    make_world,
)
from tests.kit.databases import Databases

EVERYTHING = dict.fromkeys(Tool, WRITE)


class Undo(Exception):
    """Rolls a transaction back that went well."""


@pytest.fixture(scope="module")
def world(databases: Databases, request: pytest.FixtureRequest) -> Iterator[World]:
    """One for all tests of a tool: each of them leaves it as it was."""
    path = Path(databases.fresh("sqlite").removeprefix("sqlite:///"))
    world = make_world(path, request.param)
    yield replace(world, alice=world.shared)
    world.store.close()


def _outcome(
    world: World, actor: Actor, mutation: AnyMutation, *before: AnyMutation
) -> type[BaseException]:
    """What comes of a mutation behind others of the group; all of it is undone."""

    def work(txn: Txn) -> None:
        txn.apply(mutation)
        raise Undo

    for each in before:
        world.store.call(SYSTEM, "test", partial(_apply, each))
    try:
        world.store.call(actor, "test", work)
    except BaseException as error:
        return type(error)
    raise AssertionError("work always raises")


def _apply(mutation: AnyMutation, txn: Txn) -> None:
    txn.apply(mutation)


def _only_collections(mutation: AnyMutation, world: World) -> bool:
    """Whether it touches nothing but what the group has, by collections."""
    shared = world.shared
    known = {*shared.mailboxes.values(), shared.docs.id, shared.folder.id}
    known.add(shared.scheduling.calendar_id)
    return all(
        isinstance(need, OnCollection | OnItem) and need.collection_id in known
        for need in mutation.needs()
    )


def _rights(mutation: AnyMutation) -> list[Right]:
    needs = mutation.needs()
    return [need.rights for need in needs if isinstance(need, OnCollection | OnItem)]


@in_each_tool
def test_the_administrator(world: World, kind: type[AnyMutation]) -> None:
    """All that concerns collections is the administrator's to do."""
    mutation = OWNED[kind](world)[0]
    expected = Undo if _only_collections(mutation, world) else NotFound
    assert _outcome(world, world.shared.actor, mutation) is expected


@in_each_tool
def test_a_reader(world: World, kind: type[AnyMutation]) -> None:
    """A member to whom nothing was given changes nothing but what it has seen."""
    for mutation in OWNED[kind](world):
        outcome = _outcome(world, world.bob, mutation)
        if outcome is Undo:
            assert not any(right & ~MEMBER for right in _rights(mutation))
            assert not any(isinstance(need, OnSpace) for need in mutation.needs())
        else:
            assert issubclass(outcome, (PermissionDenied, NotFound)), (mutation, outcome)


@in_each_tool
def test_a_writer(world: World, kind: type[AnyMutation]) -> None:
    """A member who may write everywhere does all that touches collections of the group alone."""
    give = groups.SetMemberRights(world.choir, world.bob.account_id, EVERYTHING)
    take = groups.SetMemberRights(
        world.choir, world.bob.account_id, dict.fromkeys(Tool, Right.NONE)
    )
    mutation = OWNED[kind](world)[0]
    outcome = _outcome(world, world.bob, mutation, give)
    world.store.call(SYSTEM, "test", partial(_apply, take))
    if any(Right.SHARE in right for right in _rights(mutation)):
        assert outcome is PermissionDenied
    elif _only_collections(mutation, world):
        assert outcome is Undo, mutation
    else:
        assert issubclass(outcome, StorageError)


@in_each_tool
def test_strangers_and_who_was_in_it(world: World, kind: type[AnyMutation]) -> None:
    """To both, all that the group has looks absent."""
    leave = groups.RemoveMember(world.choir, world.bob.account_id)
    join = groups.AddMember(world.choir, world.bob.account_id, EVERYTHING)
    world.store.call(SYSTEM, "test", partial(_apply, leave))
    for mutation in OWNED[kind](world):
        for actor in (world.mallory.actor, world.bob, world.carol):
            assert _outcome(world, actor, mutation) is NotFound, mutation
    world.store.call(SYSTEM, "test", partial(_apply, join))
    empty = groups.SetMemberRights(
        world.choir, world.bob.account_id, dict.fromkeys(Tool, Right.NONE)
    )
    world.store.call(SYSTEM, "test", partial(_apply, empty))
