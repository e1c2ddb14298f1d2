"""The SQLite engine: commits in groups, full disks, other processes, closing."""

from __future__ import annotations

import queue
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.python.failure import Failure

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.engine.sqlite import MAX_BATCH, READERS, SqliteDatabase
from folkmoot.storage.errors import NotFound, ShuttingDown, Unavailable
from folkmoot.storage.store import Store
from folkmoot.storage.types import Hint, Topic
from folkmoot.storage.upkeep import check
from tests.kit.databases import Databases
from tests.kit.pace import within
from tests.kit.stores import open_store
from tests.storage.engine_kit import Request
from tests.storage.mail_kit import new_mail

HINT = Hint(Topic.QUEUE, 0)
_COUNT = Statement("SELECT COUNT(*) FROM t")
_INSERT = Statement("INSERT INTO t (n) VALUES (:n)")


class Engine:
    """An engine on a small table, with what it published and the COMMITs that it made."""

    def __init__(self, path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, data BLOB)")
        connection.close()
        self.path = path
        self.hints: queue.SimpleQueue[list[Hint]] = queue.SimpleQueue()
        self.database = SqliteDatabase(path, self._publish)
        self.commits = 0
        self.database._writer.set_trace_callback(self._trace)

    def _publish(self, hints: list[Hint]) -> None:
        if hints:
            self.hints.put(hints)

    def _trace(self, sql: str) -> None:
        self.commits += sql == "COMMIT"

    def insert(self, number: int, *, fail: Exception | None = None) -> Request:
        """A job that inserts a row; with ``fail``, it raises that afterwards."""

        def work(db: Db) -> tuple[int, list[Hint]]:
            db.run(_INSERT, n=number)
            if fail is not None:
                raise fail
            return number, [Hint(Topic.COLLECTION, number)]

        return Request(work)

    def hold(self) -> threading.Event:
        """Keep the writer busy until the event is set; returns when it has begun."""
        begun, go_on = threading.Event(), threading.Event()

        def work(db: Db) -> tuple[None, list[Hint]]:
            begun.set()
            go_on.wait(60)
            return None, []

        self.database.write(Request(work))
        assert begun.wait(60)
        return go_on

    def rows(self) -> int:
        job = Request(lambda db: (db.value(_COUNT), ()))
        self.database.read(job)
        return int(job.done.result(60))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "engine.db")
    yield engine
    engine.database.close()


@pytest.fixture
def store(databases: Databases, tmp_path: Path) -> Iterator[Store]:
    """A whole store on SQLite; checked when the test ends."""
    store = open_store(databases.fresh("sqlite"), tmp_path)
    yield store
    findings = check(store)
    store.close()
    assert not findings, findings


def test_waiting_jobs_are_committed_together(engine: Engine) -> None:
    """Ten requests that wait behind another become durable with one fsync."""
    go_on = engine.hold()
    jobs = [engine.insert(number) for number in range(10)]
    for job in jobs:
        engine.database.write(job)
    before = engine.commits
    go_on.set()
    assert [job.done.result(60) for job in jobs] == list(range(10))
    assert engine.commits - before == 2, "the one that held it, then all the others"
    assert engine.rows() == 10
    assert engine.hints.get(timeout=60) == [Hint(Topic.COLLECTION, number) for number in range(10)]


def test_a_slow_disk_is_worth_a_moment(engine: Engine) -> None:
    """Where commits take long and others usually come along, the first waits for them."""
    database = engine.database
    waiting = engine.insert(0)
    database._commit_seconds, database._company = 10.0, 2
    before = engine.commits
    database.write(waiting)
    database.write(engine.insert(1))
    waiting.done.result(60)
    assert engine.commits - before == 1
    alone = engine.insert(2)
    database._commit_seconds, database._company = 10.0, 2
    with within(2):  # it waits, but not for long
        database.write(alone)
        alone.done.result(60)
    assert engine.commits - before == 2


def test_a_batch_is_bounded(engine: Engine) -> None:
    """However many wait, one commit takes a bounded number of them."""
    go_on = engine.hold()
    jobs = [engine.insert(number) for number in range(MAX_BATCH + 1)]
    for job in jobs:
        engine.database.write(job)
    before = engine.commits
    go_on.set()
    for job in jobs:
        job.done.result(60)
    assert engine.commits - before == 3


def test_one_failing_job_leaves_the_others(engine: Engine) -> None:
    """In the middle of a group, what failed is undone and keeps its own error."""
    go_on = engine.hold()
    jobs = [engine.insert(1), engine.insert(2, fail=NotFound()), engine.insert(3)]
    for job in jobs:
        engine.database.write(job)
    go_on.set()
    assert jobs[0].done.result(60) == 1
    with pytest.raises(NotFound):
        jobs[1].done.result(60)
    assert jobs[2].done.result(60) == 3
    assert engine.rows() == 2
    hints = engine.hints.get(timeout=60)
    assert hints == [Hint(Topic.COLLECTION, 1), Hint(Topic.COLLECTION, 3)]


def test_a_bug_after_writing_leaves_nothing(engine: Engine) -> None:
    """An unknown exception passes as it is, and its writes are gone."""
    job = engine.insert(1, fail=ZeroDivisionError())
    engine.database.write(job)
    with pytest.raises(ZeroDivisionError):
        job.done.result(60)
    assert engine.rows() == 0
    assert engine.hints.empty()


def test_a_failing_commit_fails_all_and_publishes_nothing(engine: Engine) -> None:
    """When COMMIT fails, nobody of the group is told "done", and the next group works."""
    with sqlite3.connect(engine.path) as connection:
        connection.execute(
            "CREATE TABLE child (t INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)"
        )
    connection.close()
    orphan = Statement("INSERT INTO child (t) VALUES (77)")
    go_on = engine.hold()
    jobs = [engine.insert(1), Request(lambda db: (db.run(orphan), [HINT])), engine.insert(3)]
    for job in jobs:
        engine.database.write(job)
    go_on.set()
    for job in jobs:
        with pytest.raises(Unavailable):
            job.done.result(60)
    assert engine.rows() == 0
    later = engine.insert(4)
    engine.database.write(later)
    assert later.done.result(60) == 4
    published = [hint for hints in drain(engine.hints) for hint in hints]
    assert Hint(Topic.COLLECTION, 4) in published
    assert {hint.topic for hint in published} <= {Topic.COLLECTION, Topic.ALL}
    assert not {1, 3} & {hint.id for hint in published}


def drain(hints: queue.SimpleQueue[list[Hint]]) -> list[list[Hint]]:
    """All that was published until now."""
    found = []
    while not hints.empty():
        found.append(hints.get())
    return found


def test_a_full_disk_fails_and_passes(store: Store) -> None:
    """While there is no room, appends fail cleanly; with room again the store just goes on."""
    mail = new_mail(store)
    inbox = mail.box().id
    mail.append(inbox, b"before")
    database = store.database
    assert isinstance(database, SqliteDatabase)
    pages = database._writer.execute("PRAGMA page_count").fetchone()[0]
    database._writer.execute(f"PRAGMA max_page_count={pages}")
    failures = 0
    for _ in range(5):
        try:
            mail.append(inbox, b"x" * 100_000)
        except Unavailable:
            failures += 1
    assert failures >= 4, "a page or two may have been free"
    assert mail.octets(inbox, 1) == b"before"
    database._writer.execute("PRAGMA max_page_count=1073741823")
    appended = mail.append(inbox, b"y" * 100_000)
    assert mail.octets(inbox, appended.uids[0]) == b"y" * 100_000
    assert check(store, deep=True) == []


def test_a_full_disk_in_a_group_fails_the_group(engine: Engine) -> None:
    """SQLite may roll back everything by itself: then nobody is told "done"."""
    pages = engine.database._writer.execute("PRAGMA page_count").fetchone()[0]
    engine.database._writer.execute(f"PRAGMA max_page_count={pages}")
    big = Statement("INSERT INTO t (n, data) VALUES (:n, zeroblob(1000000))")
    go_on = engine.hold()
    jobs = [engine.insert(1), Request(lambda db: (db.run(big, n=2), [])), engine.insert(3)]
    for job in jobs:
        engine.database.write(job)
    go_on.set()
    outcomes = []
    for job in jobs:
        error = job.done.exception(5)
        assert error is None or isinstance(error, Unavailable)
        outcomes.append(error is None)
    assert not outcomes[1]
    assert engine.rows() == sum(outcomes)
    engine.database._writer.execute("PRAGMA max_page_count=1073741823")
    later = Request(lambda db: (db.run(big, n=4), []))
    engine.database.write(later)
    later.done.result(60)


def test_a_foreign_write_is_noticed(engine: Engine) -> None:
    """What the command line does while the server runs reaches its sessions within a second."""
    foreign = sqlite3.connect(engine.path)
    with foreign:
        foreign.execute("INSERT INTO t (n) VALUES (1)")
    foreign.close()
    assert engine.hints.get(timeout=60) == [Hint(Topic.ALL, 0)]


def test_own_writes_are_not_foreign(engine: Engine) -> None:
    """A commit of this process sends its own hints and no "look at everything"."""
    for number in range(3):
        job = engine.insert(number)
        engine.database.write(job)
        job.done.result(60)
    published = [engine.hints.get(timeout=60) for _ in range(3)]
    assert published == [[Hint(Topic.COLLECTION, number)] for number in range(3)]


def test_a_busy_database_is_waited_for(engine: Engine) -> None:
    """Another process that writes for a moment delays a request and does not fail it."""
    foreign = sqlite3.connect(engine.path, isolation_level=None, check_same_thread=False)
    foreign.execute("BEGIN IMMEDIATE")
    job = engine.insert(1)
    engine.database.write(job)
    timer = threading.Timer(0.3, lambda: foreign.execute("COMMIT"))
    timer.start()
    assert job.done.result(60) == 1
    timer.join()
    foreign.close()


def test_readers_see_one_snapshot_and_cannot_write(engine: Engine) -> None:
    """A read in two statements sees the same state in both, and no read changes anything."""
    first, go_on = threading.Event(), threading.Event()

    def work(db: Db) -> tuple[tuple[int, int], list[Hint]]:
        before = db.value(_COUNT)
        first.set()
        go_on.wait(60)
        return (before, db.value(_COUNT)), []

    reading = Request(work)
    engine.database.read(reading)
    assert first.wait(60)
    writing = engine.insert(1)
    engine.database.write(writing)
    writing.done.result(60)
    go_on.set()
    assert reading.done.result(60) == (0, 0)
    assert engine.rows() == 1
    sneaky = Request(lambda db: (db.run(_INSERT, n=5), ()))
    engine.database.read(sneaky)
    with pytest.raises(Unavailable):
        sneaky.done.result(60)


def test_closing_finishes_what_waits(engine: Engine) -> None:
    """What was accepted before the end is done; what comes after it is refused."""
    go_on = engine.hold()
    jobs = [engine.insert(number) for number in range(MAX_BATCH + 20)]
    for job in jobs:
        engine.database.write(job)
    closing = threading.Thread(target=engine.database.close)
    closing.start()
    go_on.set()
    closing.join(10)
    assert [job.done.result(0) for job in jobs] == list(range(MAX_BATCH + 20))
    for submit in (engine.database.write, engine.database.read):
        with pytest.raises(ShuttingDown):
            submit(engine.insert(1))
    engine.database.close()
    with sqlite3.connect(engine.path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM t").fetchone() == (MAX_BATCH + 20,)
    connection.close()


def test_a_closed_store_refuses_by_its_deferreds(databases: Databases, tmp_path: Path) -> None:
    """Every way to work on a closed store gives ShuttingDown, where its errors are expected."""
    store = open_store(databases.fresh("sqlite"), tmp_path)
    mail = new_mail(store)
    store.close()
    store.close()
    errors: list[object] = []

    def failed(failure: Failure) -> None:
        errors.append(type(failure.value))

    for deferred in (
        store.run(mail.actor, "test", lambda txn: None),
        store.read(mail.actor, "test", lambda txn: None),
        store.compute(lambda: None),
    ):
        deferred.addErrback(failed)
    assert errors == [ShuttingDown] * 3
    with pytest.raises(ShuttingDown):
        mail.boxes()


def test_a_database_that_cannot_be_opened_fails_the_start(tmp_path: Path) -> None:
    """A wrong path is found when the store is opened, not at the first mail."""
    with pytest.raises(sqlite3.Error):
        SqliteDatabase(tmp_path / "no" / "folder.db", lambda hints: None)


def test_a_publisher_that_fails_does_not_stop_the_writer(
    databases: Databases, tmp_path: Path
) -> None:
    """A reactor that has ended refuses calls from threads: the commits go on all the same."""
    from tests.kit.stores import decisions

    failing = threading.Event()

    def deliver(call: object) -> None:
        if failing.is_set():
            raise RuntimeError("the loop is closed")

    store = Store(databases.fresh("sqlite"), tmp_path / "blobs", decisions(), deliver)
    mail = new_mail(store)
    failing.set()
    for _ in range(3):
        mail.append(mail.box().id)
    assert mail.box().messages == 3
    store.close()


def test_a_copy_of_files_opens_at_the_last_commit(store: Store, tmp_path: Path) -> None:
    """Database and log copied while the store is open (a snapshot of the disk) are consistent."""
    mail = new_mail(store)
    for _ in range(5):
        mail.append(mail.box().id)
    source = Path(store.database.url.removeprefix("sqlite:///"))
    target = tmp_path / "copy" / source.name
    target.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{source}{suffix}", f"{target}{suffix}")
    copy = open_store(f"sqlite:///{target}", tmp_path / "copy")
    assert check(copy, deep=True) == []
    assert len(mail.rows(mail.box().id)) == 5
    copy.close()


def test_pages_in_memory_are_bounded(tmp_path: Path) -> None:
    """All connections of a process together keep at most 80 MiB of the database."""
    engine = Engine(tmp_path / "db")
    held = threading.Barrier(READERS + 1)

    def look(db: Db) -> tuple[int, list[Hint]]:
        if threading.current_thread().name != "store-writer":
            held.wait(10)  # each of the readers takes one
        return int(db.value(Statement("PRAGMA cache_size"))), []

    asked = [Request(look) for _ in range(READERS + 1)]
    engine.database.write(asked[0])
    for request in asked[1:]:
        engine.database.read(request)
    held.wait(10)
    sizes = [request.done.result(10) for request in asked]
    engine.database.close()
    assert all(size < 0 for size in sizes)  # KiB, not pages
    assert -sum(sizes) <= 80 << 10
