"""Fixtures for the whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.databases import Databases
from tests.kit.server import TestServer


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Where fresh databases come from."""
    databases = Databases(tmp_path_factory.mktemp("databases"))
    yield databases
    databases.close()


@pytest.fixture
def server(databases: Databases, tmp_path: Path) -> Iterator[TestServer]:
    """The real server on a fresh SQLite database; its store is checked at the end."""
    server = TestServer(databases.fresh("sqlite"), tmp_path)
    yield server
    server.stop()
