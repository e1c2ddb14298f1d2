"""Fixtures for the whole suite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.kit.databases import Databases
from tests.kit.server import TestServer

# With CI=true examples are always the same ones, so that no change is refused for what another one
# brought in; everywhere else they are new ones each time. How long one takes is the machine's.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


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
