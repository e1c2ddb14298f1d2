"""Migrations lead from every released schema to the one that the code uses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import BatchOperations
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from folkmoot.storage import migrate
from folkmoot.storage.migrate import engine_for, revisions, upgrade
from folkmoot.storage.tables import metadata
from folkmoot.storage.upkeep import check
from tests.kit.databases import Databases
from tests.kit.stores import open_store
from tests.storage.mail_kit import Mail, new_mail

RELEASED = ("0001",)


@pytest.fixture
def empty(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    url = databases.fresh("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    yield url


def to_revision(url: str, revision: str) -> None:
    """Bring an empty database to an older schema."""
    engine = engine_for(url)
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def differences(url: str) -> list[object]:
    """What Alembic would change to come to the tables that the code names."""
    engine = engine_for(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, metadata)
    engine.dispose()
    return list(found)


def shape(url: str) -> dict[str, object]:
    """All columns, keys and indexes, for a comparison that Alembic has no part in."""
    engine = engine_for(url)
    looked = inspect(engine)
    found: dict[str, object] = {}
    for table in sorted(looked.get_table_names()):
        if table == "alembic_version":
            continue
        found[table] = (
            [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in looked.get_columns(table)
            ],
            looked.get_pk_constraint(table)["constrained_columns"],
            sorted(
                (str(key["constrained_columns"]), key["referred_table"], str(key.get("options")))
                for key in looked.get_foreign_keys(table)
            ),
            sorted(str(index["column_names"]) for index in looked.get_indexes(table)),
            sorted(str(unique["column_names"]) for unique in looked.get_unique_constraints(table)),
        )
    engine.dispose()
    return found


def test_from_nothing_to_the_schema_of_the_code(empty: str) -> None:
    """Migrations and tables say the same: no difference that Alembic can see."""
    upgrade(empty)
    assert differences(empty) == []
    present, wanted = revisions(empty)
    assert present == wanted


def test_the_migrations_make_what_the_tables_say(empty: str, databases: Databases) -> None:
    """Columns, keys and indexes are those that the tables would create by themselves."""
    engine = engine_for(empty)
    metadata.create_all(engine)
    engine.dispose()
    kind = "sqlite" if empty.startswith("sqlite") else "postgres"
    assert shape(databases.fresh(kind)) == shape(empty)


def test_upgrading_twice_does_nothing(empty: str) -> None:
    """Every start of the server upgrades; an up-to-date database is left as it is."""
    assert revisions(empty)[0] is None
    upgrade(empty)
    before = shape(empty), revisions(empty)
    upgrade(empty)
    assert (shape(empty), revisions(empty)) == before


def test_there_is_one_line_of_revisions() -> None:
    """Two heads would leave a server that cannot decide; every released revision is there."""
    scripts = ScriptDirectory.from_config(migrate._config())
    assert len(scripts.get_heads()) == 1
    known = {script.revision for script in scripts.walk_revisions()}
    assert set(RELEASED) <= known


@pytest.mark.parametrize("revision", RELEASED)
def test_released_schemas_are_brought_up_with_their_data(
    empty: str, revision: str, tmp_path: Path
) -> None:
    """Mail that was stored under an older schema is there after the upgrade, octet for octet."""
    to_revision(empty, revision)
    _fill(empty)
    upgrade(empty)
    assert differences(empty) == []
    store = open_store(empty, tmp_path)
    assert check(store) == []
    mail = Mail(store, "old@example.test")
    inbox = mail.box().id
    assert mail.octets(inbox, 1) == b"Subject: old\r\n\r\n"
    assert mail.flags(inbox) == {1: (1, "$Work")}
    assert mail.append(inbox).uids == (2,)
    store.close()


def test_events_get_their_outline(empty: str) -> None:
    """What was stored before calendars could be shared as busy times is shown there too; what was
    granted so is found."""
    event = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        b"DTSTART:20260302T100000Z\r\nSUMMARY:Secret\r\n%sEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    to_revision(empty, "0014")
    insert = (
        "INSERT INTO spaces (id, owner_account_id) VALUES (1, 1), (2, 2)",
        "INSERT INTO collections (id, space_id, tool, parent_id, name, modseq, uidvalidity,"
        " uidnext) VALUES (1, 1, 'calendar', NULL, '', 1, 0, 1)",
        "INSERT INTO grants (space_id, collection_id, item, grantee, rights, link_collection,"
        " link_item, created) VALUES (1, 1, 0, 2, 4, 0, 0, 1)",
    )
    of_event = (
        "INSERT INTO blobs (id, digest, size, created, data) VALUES (:id, :digest, 9, 1, :data)",
        "INSERT INTO items (id, folder_id, name, shown, modseq, created, modified, size, etag,"
        " media_type, blob_id, component, schedule_tag) VALUES (:id, 1, :name, :name, 1, 1, 1, 9,"
        " '', '', :id, 'VEVENT', '')",
        "INSERT INTO calendar_objects (item_id, folder_id, uid, component, long, first, last,"
        " floating, covered_from, covered_until, spans, has_alarm, organizer, classification, text)"
        " VALUES (:id, 1, :name, 'VEVENT', 0, 0, 1, 0, 0, 1, :digest, 0, '', 'PUBLIC', '')",
    )
    engine = engine_for(empty)
    with engine.begin() as connection:
        for statement in insert:
            connection.execute(text(statement))
        for id_, more in ((1, b""), (2, b"TRANSP:TRANSPARENT\r\n")):
            values = {"id": id_, "name": str(id_), "digest": b"\x00" * 32, "data": event % more}
            for statement in of_event:
                connection.execute(text(statement), values)
    upgrade(empty)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT busy FROM calendar_objects ORDER BY item_id"))
        busy, free = (row[0] for row in found)
        assert b"SUMMARY:Busy" in bytes(busy)
        assert b"Secret" not in bytes(busy)
        assert free is None
        assert connection.execute(text("SELECT rights FROM grants")).scalar() == 5
    engine.dispose()


def test_limits_become_those_of_plans(empty: str) -> None:
    """What limited before own limits were there, limits afterwards, and is the plan's."""
    to_revision(empty, "0016")
    engine = engine_for(empty)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO spaces (id, owner_account_id) VALUES (1, 1)"))
        for tool, octets, items in (("mail", "16", "NULL"), ("calendar", "NULL", "3")):
            connection.execute(
                text(f"INSERT INTO usage VALUES (1, '{tool}', 0, {octets}, 0, {items}, NULL)")
            )
    upgrade(empty)
    columns = "bytes_limit, plan_bytes, own_bytes, items_limit, plan_items, own_items"
    with engine.begin() as connection:
        rows = connection.execute(text(f"SELECT {columns} FROM usage ORDER BY tool DESC"))
        assert [tuple(row) for row in rows] == [
            (16, 16, None, None, None, None),
            (None, None, None, 3, 3, None),
        ]
    engine.dispose()


def _fill(url: str) -> None:
    """Rows as the first release wrote them, in plain SQL: the code of today must not matter."""
    statements = (
        "INSERT INTO domains (id, name, created) VALUES (1, 'example.test', 1)",
        "INSERT INTO spaces (id, owner_account_id) VALUES (1, 1)",
        "INSERT INTO accounts (id, space_id, domain_id, address, name, secret, scram, state, epoch,"
        " plan, domain_admin, created) VALUES (1, 1, 1, 'old@example.test', '', 'x', NULL,"
        " 'active', 1, 'free', 0, 1)",
        "INSERT INTO addresses VALUES ('old@example.test', 1)",
        "INSERT INTO usage VALUES (1, 'mail', 16, NULL, 1, NULL)",
        "INSERT INTO collections (id, space_id, tool, parent_id, name, modseq, uidvalidity,"
        " uidnext) VALUES (1, 1, 'mail', NULL, '', 1, 9, 1)",
        "INSERT INTO collections (id, space_id, tool, parent_id, name, modseq, uidvalidity,"
        " uidnext, keywords, messages, size) VALUES (2, 1, 'mail', 1, 'INBOX', 2, 9, 2, '$Work',"
        " 1, 16)",
        "INSERT INTO blobs (id, digest, size, created, data) VALUES (1, :digest, 16, 1, :data)",
        "INSERT INTO contents VALUES (1, :empty, :empty, :empty, :empty, :data)",
        "INSERT INTO messages VALUES (2, 1, 2, 1, '$Work', 16, 1, 0, 1, 1)",
        "INSERT INTO changes VALUES (2, 2, 'added', '1')",
    )
    values = {"digest": b"\x00" * 32, "data": b"Subject: old\r\n\r\n", "empty": b""}
    engine = engine_for(url)
    with engine.begin() as connection:
        for statement in statements:
            names = {name for name in values if f":{name}" in statement}
            connection.execute(text(statement), {name: values[name] for name in names})
        if not url.startswith("sqlite"):
            for table in ("blobs", "collections", "accounts", "spaces", "domains"):
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 100)")
                )
    engine.dispose()


def test_a_migration_that_fails_halfway_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DDL is part of the transaction on SQLite too: the next start begins anew and succeeds."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    calls = 0
    create_index = BatchOperations.create_index

    def failing(self: BatchOperations, *args: object, **keywords: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise RuntimeError("the power went")
        return create_index(self, *args, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(BatchOperations, "create_index", failing)
    with pytest.raises(RuntimeError):
        upgrade(url)
    connection = sqlite3.connect(tmp_path / "new.db")
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
    upgrade(url)
    present, wanted = revisions(url)
    assert present == wanted


def test_a_store_is_durable_from_the_start(tmp_path: Path) -> None:
    """The file that migrations make is in WAL mode, and a new store works in it at once."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    upgrade(url)
    connection = sqlite3.connect(tmp_path / "new.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    store = open_store(url, tmp_path)
    mail = new_mail(store)
    mail.append(mail.box().id)
    assert check(store, deep=True) == []
    store.close()
