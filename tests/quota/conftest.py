"""A store with people in it, a clock that tests move, and the mail that was written to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.storage.store import Store
from folkmoot.storage.upkeep import check
from tests.kit.databases import Databases
from tests.kit.stores import open_store
from tests.quota.office import Town


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, databases: Databases, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind; checked when the test ends."""
    store = open_store(databases.fresh(request.param), tmp_path)
    yield store
    findings = check(store)
    store.close()
    assert not findings, findings


@pytest.fixture
def town(store: Store) -> Town:
    """A domain without people yet."""
    return Town(store)
