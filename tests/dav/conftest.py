"""Clients of the DAV tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.protocols.dav import application
from folkmoot.protocols.dav.limits import DavLimits
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


@pytest.fixture
def paged(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dav]:
    """Somebody on a server that reads members in small pages and answers little at once."""
    monkeypatch.setattr(application, "DavLimits", lambda: DavLimits(page=20, deep=100))
    server = TestServer(databases.fresh("sqlite"), tmp_path)
    yield Dav(server)
    server.stop()
