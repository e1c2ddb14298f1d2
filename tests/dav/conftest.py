"""Clients of the DAV tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.databases import Databases
from tests.kit.dav import Dav
from tests.kit.server import TestServer


@pytest.fixture
def dav(server: TestServer) -> Dav:
    """Somebody with an empty drive, on SQLite."""
    return Dav(server)


@pytest.fixture(params=["sqlite", "postgres"])
def any_server(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[TestServer]:
    """The real server on each kind of database, for what the database decides."""
    server = TestServer(databases.fresh(request.param), tmp_path)
    yield server
    server.stop()


@pytest.fixture
def any_dav(any_server: TestServer) -> Dav:
    """Somebody with an empty drive, on each kind of database."""
    return Dav(any_server)
