"""Fixtures of the storage suite: everything runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.storage.store import Store
from folkmoot.storage.upkeep import check
from tests.kit.databases import Databases
from tests.kit.stores import open_store
from tests.storage.tree_kit import Person, World, open_world


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    kind: str = request.param
    return kind


@pytest.fixture
def store(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store with the present schema; checked when the test ends."""
    store = open_store(databases.fresh(database_kind), tmp_path)
    yield store
    findings = check(store)
    store.close()
    assert not findings, findings


@pytest.fixture
def world(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[World]:
    """A store for tests of the tree, with nobody in it; checked when the test ends."""
    world = open_world(databases.fresh(database_kind), tmp_path)
    yield world
    findings = check(world.store, deep=True)
    world.store.close()
    assert not findings, findings


@pytest.fixture
def alice(world: World) -> Person:
    """Somebody with an account."""
    return world.person("alice")


@pytest.fixture
def bob(world: World) -> Person:
    """Somebody else, who may do everything with the first one's things."""
    return world.person("bob")
