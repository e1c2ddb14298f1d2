"""The PostgreSQL engine: lost connections, deadlocks, hints between processes."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from folkmoot.storage.bus.wire import PAYLOAD_LIMIT, decode_hints, encode_hints
from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.engine.postgres import PostgresDatabase
from folkmoot.storage.errors import Conflict, ShuttingDown, Unavailable
from folkmoot.storage.store import Store
from folkmoot.storage.types import Hint, Topic
from folkmoot.storage.upkeep import check
from tests.kit.databases import Databases
from tests.kit.pace import patience, within
from tests.kit.stores import open_store
from tests.storage.engine_kit import Request, Work
from tests.storage.mail_kit import Mail, new_mail

_COUNT = Statement("SELECT COUNT(*) FROM t")
_INSERT = Statement("INSERT INTO t (n) VALUES (:n)")
_ME = Statement("SELECT pg_backend_pid()")
_LOCK = Statement("SELECT n FROM t WHERE n = :n FOR UPDATE")


class Engine:
    """An engine on a small table, and the hints that it heard."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.admin("CREATE TABLE t (n BIGINT PRIMARY KEY)")
        self.hints: queue.SimpleQueue[Hint] = queue.SimpleQueue()
        self.database = PostgresDatabase(url, self._publish)

    def _publish(self, hints: list[Hint]) -> None:
        for hint in hints:
            self.hints.put(hint)

    def admin(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)

    def kill(self, backend: int) -> None:
        self.admin(f"SELECT pg_terminate_backend({backend}, 5000)")

    def kill_all(self) -> None:
        """End every connection of the engine, listening or idle."""
        self.admin(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def write(self, work: Work) -> Request:
        job = Request(work)
        self.database.write(job)
        return job

    def insert(self, number: int) -> Request:
        return self.write(lambda db: (db.run(_INSERT, n=number), [Hint(Topic.COLLECTION, number)]))

    def rows(self) -> int:
        job = Request(lambda db: (db.value(_COUNT), ()))
        self.database.read(job)
        return int(job.done.result(60))


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    engine = Engine(databases.fresh("postgres"))
    yield engine
    engine.database.close()


def test_killed_while_idle(engine: Engine) -> None:
    """A restart of the database between two requests costs none of them."""
    engine.insert(1).done.result(60)
    engine.kill_all()
    jobs = [engine.insert(number) for number in range(2, 12)]
    for job in jobs:
        job.done.result(60)
    assert engine.rows() == 11


def test_killed_in_the_middle(engine: Engine) -> None:
    """What was not committed is run again on a new connection, once."""
    runs: list[int] = []

    def work(db: Db) -> tuple[int, list[Hint]]:
        db.run(_INSERT, n=len(runs))
        backend = db.value(_ME)
        runs.append(backend)
        if len(runs) == 1:
            engine.kill(backend)
        return db.value(_COUNT), []

    assert engine.write(work).done.result(60) == 1
    assert len(set(runs)) == 2
    assert engine.rows() == 1


def test_a_connection_that_always_dies_gives_up(engine: Engine) -> None:
    """Some requests kill their backend every time: they end as "unavailable", others work."""

    def work(db: Db) -> tuple[None, list[Hint]]:
        engine.kill(db.value(_ME))
        db.value(_COUNT)
        return None, []

    with pytest.raises(Unavailable):
        engine.write(work).done.result(60)
    engine.insert(1).done.result(60)


def test_killed_at_commit_is_not_run_again(engine: Engine) -> None:
    """When COMMIT's outcome is unknown the request fails: twice would be worse."""
    runs: list[int] = []

    def work(db: Db) -> tuple[None, list[Hint]]:
        runs.append(db.value(_ME))
        engine.kill(runs[-1])
        return None, []

    with pytest.raises(Unavailable):
        engine.write(work).done.result(60)
    assert len(runs) == 1
    engine.insert(1).done.result(60)


def test_a_deadlock_is_run_again(engine: Engine) -> None:
    """Two requests that lock in opposite order both succeed."""
    engine.admin("INSERT INTO t VALUES (1), (2)")
    both = threading.Barrier(2)
    runs: list[int] = []

    def crossing(first: int, second: int) -> Work:
        def work(db: Db) -> tuple[int, list[Hint]]:
            runs.append(first)
            db.one(_LOCK, n=first)
            if len(runs) <= 2:
                both.wait(60)
            db.one(_LOCK, n=second)
            db.run(_INSERT, n=first * 10)
            return first, []

        return work

    jobs = [engine.write(crossing(1, 2)), engine.write(crossing(2, 1))]
    assert [job.done.result(60) for job in jobs] == [1, 2]
    assert len(runs) == 3, "one of them lost, and ran again"
    assert engine.rows() == 4


def test_work_that_swallows_an_error_is_not_acknowledged(engine: Engine) -> None:
    """PostgreSQL answers COMMIT of a failed transaction with a silent rollback."""

    def work(db: Db) -> tuple[str, list[Hint]]:
        db.run(_INSERT, n=1)
        with contextlib.suppress(psycopg.IntegrityError):
            db.run(_INSERT, n=1)
        return "fine", []

    with pytest.raises(RuntimeError):
        engine.write(work).done.result(60)
    assert engine.rows() == 0


def test_a_broken_constraint_is_a_conflict(engine: Engine) -> None:
    """A race that a constraint decides is told as such, and the worker goes on."""
    engine.insert(1).done.result(60)
    with pytest.raises(Conflict):
        engine.insert(1).done.result(60)
    engine.insert(2).done.result(60)


def test_reads_cannot_write_and_see_one_snapshot(engine: Engine) -> None:
    """A read in two statements sees one state, also when others commit between them."""
    first, go_on = threading.Event(), threading.Event()

    def work(db: Db) -> tuple[tuple[int, int], list[Hint]]:
        before = db.value(_COUNT)
        first.set()
        go_on.wait(60)
        return (before, db.value(_COUNT)), []

    reading = Request(work)
    engine.database.read(reading)
    assert first.wait(60)
    engine.insert(1).done.result(60)
    go_on.set()
    assert reading.done.result(60) == (0, 0)
    sneaky = Request(lambda db: (db.run(_INSERT, n=5), ()))
    engine.database.read(sneaky)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        sneaky.done.result(60)


def wait_for(hints: queue.SimpleQueue[Hint], wanted: Hint) -> list[Hint]:
    """What came before a hint; fails when it does not come."""
    seen: list[Hint] = []
    deadline = time.monotonic() + patience(10)
    while (hint := hints.get(timeout=max(0.01, deadline - time.monotonic()))) != wanted:
        seen.append(hint)
    return seen


def test_listening_comes_back_with_all(engine: Engine) -> None:
    """After a lost LISTEN connection sessions look at everything, then hear hints again."""
    engine.insert(1).done.result(60)
    assert wait_for(engine.hints, Hint(Topic.COLLECTION, 1)) == []
    engine.kill_all()
    wait_for(engine.hints, Hint(Topic.ALL, 0))
    engine.insert(2).done.result(60)
    wait_for(engine.hints, Hint(Topic.COLLECTION, 2))


def test_a_hint_is_there_before_the_result(engine: Engine) -> None:
    """Whoever made a change hears of it with the answer, once, also after connections were lost."""
    for number in range(1, 40):
        if number == 20:
            engine.kill_all()
        engine.insert(number).done.result(60)
        seen = [engine.hints.get_nowait() for _ in range(engine.hints.qsize())]
        assert Hint(Topic.COLLECTION, number) in seen
    time.sleep(0.2)  # what the database sends would be here now
    rest = [engine.hints.get_nowait() for _ in range(engine.hints.qsize())]
    assert set(rest) <= {Hint(Topic.ALL, 0)}


def test_a_rollback_sends_nothing(engine: Engine) -> None:
    """NOTIFY is part of the transaction."""

    def work(db: Db) -> tuple[None, list[Hint]]:
        db.run(_INSERT, n=1)
        db.run(_INSERT, n=1)
        return None, [Hint(Topic.COLLECTION, 1)]

    with pytest.raises(Conflict):
        engine.write(work).done.result(60)
    engine.insert(2).done.result(60)
    assert wait_for(engine.hints, Hint(Topic.COLLECTION, 2)) == []


def test_many_hints_fit_their_payloads() -> None:
    """More hints than one NOTIFY takes are split, none is lost, repeats are said once."""
    hints = [Hint(Topic.COLLECTION, n, n * 1000) for n in range(2000)]
    payloads = encode_hints([*hints, *hints])
    assert len(payloads) > 1
    assert all(len(payload) <= PAYLOAD_LIMIT for payload in payloads)
    assert [hint for payload in payloads for hint in decode_hints(payload)] == hints
    assert encode_hints([]) == []


def test_payloads_of_others_are_not_trusted() -> None:
    """What cannot be read (another program, a newer version) means: look at everything."""
    for payload in ("", "x", "c:1", "c:1:x", "?:1:2", "c:1:2,,"):
        assert decode_hints(payload) == [Hint(Topic.ALL, 0)], payload


def test_closing_is_prompt_and_finishes_what_waits(databases: Databases) -> None:
    """Shutting down waits for the work, not for a poll."""
    engine = Engine(databases.fresh("postgres"))
    jobs = [engine.insert(number) for number in range(40)]
    with within(5):
        engine.database.close()
    assert [job.done.result(0) for job in jobs] == [1] * 40
    for submit in (engine.database.write, engine.database.read):
        with pytest.raises(ShuttingDown):
            submit(Request(lambda db: (None, [])))
    engine.database.close()


def test_closing_works_while_the_database_is_away(databases: Databases) -> None:
    """The listening thread is between two attempts to connect: the end does not wait for it."""
    engine = Engine(databases.fresh("postgres"))
    engine.database.url = "postgresql://nobody@127.0.0.1:1/none"
    engine.kill_all()
    with pytest.raises(Unavailable):
        engine.insert(1).done.result(60)
    with within(5):
        engine.database.close()


def test_hints_cross_to_another_store(databases: Databases, tmp_path: Path) -> None:
    """Two processes on one database: a session of one hears what the other committed."""
    url = databases.fresh("postgres")
    one, two = open_store(url, tmp_path / "one"), open_store(url, tmp_path / "two")
    mail = new_mail(one)
    there = Mail(two)
    inbox = mail.box().id
    heard: queue.SimpleQueue[Hint] = queue.SimpleQueue()
    two.bus.subscribe(Topic.COLLECTION, inbox, heard.put)
    for _ in range(3):
        mail.append(inbox)
        assert heard.get(timeout=60) == Hint(Topic.COLLECTION, inbox, there.box().modseq)
    findings = check(one)
    close(one, two)
    assert findings == []


def close(*stores: Store) -> None:
    for store in stores:
        store.close()
