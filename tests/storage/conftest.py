"""Fixtures of the storage suite: everything runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.storage.store import Store
from folkmoot.storage.upkeep import check
from tests.kit.databases import Databases
from tests.kit.stores import open_store


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
