"""Brings a database to the present schema with Alembic."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

SCRIPTS = Path(__file__).parent / "migrations"


def engine_for(url: str) -> Engine:
    """A SQLAlchemy engine for schema work on a store's URL."""
    if url.startswith("postgresql://"):
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    engine = create_engine(url)

    # The driver's own transactions leave DDL out: a migration that fails halfway would stay half.
    @event.listens_for(engine, "connect")
    def _durable(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def upgrade(url: str) -> None:
    """Create the schema or bring it up to date; does nothing when it is. Blocks."""
    engine = engine_for(url)
    try:
        with engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def revisions(url: str) -> tuple[str | None, str | None]:
    """The revision of a database, and the one that this program wants."""
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
        return present, ScriptDirectory.from_config(_config()).get_current_head()
    finally:
        engine.dispose()
