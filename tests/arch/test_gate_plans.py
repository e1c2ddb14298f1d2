"""Tools that the plan of an actor lacks: what they hold is absent, the own and the group's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import OnCollection, OnItem
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import FEATURE_OF_TOOL, Actor
from folkmoot.storage.views import (
    objects,
    tree,
    tree_below,
    tree_changes,
    tree_columns,
    tree_foresee,
    tree_locks,
    usage,
)
from tests.arch.gate_world import OWNED, AnyMutation, World, make_world
from tests.arch.test_gate_views import TABLE as VIEWS
from tests.arch.test_gate_views import AnyView
from tests.kit.databases import Databases

KINDS = sorted(OWNED, key=lambda kind: kind.__name__)
#: The views of what tools hold; the others are about people, groups and who may do what.
DATA = (objects, tree, tree_below, tree_changes, tree_columns, tree_foresee, tree_locks, usage)
MODULES = {module.__name__ for module in DATA}
VIEW_KINDS = sorted(
    (kind for kind in VIEWS if kind.__module__ in MODULES), key=lambda kind: kind.__name__
)


class Undo(Exception):
    """Rolls a transaction back that went well."""


@pytest.fixture(scope="module", params=["own", "group"])
def world(request: pytest.FixtureRequest, databases: Databases) -> Iterator[World]:
    """What is touched is Alice's own, or that of the group that she administers."""
    world = make_world(Path(databases.fresh("sqlite").removeprefix("sqlite:///")))
    yield world if request.param == "own" else replace(world, alice=world.shared)
    world.store.close()


def _alice(world: World) -> Actor:
    return replace(world.alice.actor, withheld=frozenset(FEATURE_OF_TOOL.values()))


def _read(world: World, view: AnyView) -> Any:
    return world.store.call_read(_alice(world), "test", lambda txn: txn.view(view))


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_mutations(world: World, kind: type[AnyMutation]) -> None:
    """Whatever touches a collection finds none."""

    def work(txn: Txn) -> None:
        txn.apply(mutation)
        raise Undo

    before = world.rows()
    for mutation in OWNED[kind](world):
        if not any(isinstance(need, OnCollection | OnItem) for need in mutation.needs()):
            continue
        with pytest.raises(NotFound):
            world.store.call(_alice(world), "test", work)
    assert world.rows() == before


@pytest.mark.parametrize("kind", VIEW_KINDS, ids=[kind.__name__ for kind in VIEW_KINDS])
def test_views(world: World, kind: type[AnyView]) -> None:
    """Whatever reads the tree finds nothing."""
    for view in VIEWS[kind](world):
        with pytest.raises(NotFound):
            _read(world, view)
