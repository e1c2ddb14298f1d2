"""SQLite: one writer thread that commits the work of all waiting requests together.

Each request runs in its savepoint; one COMMIT, with one fsync, makes all of them durable. Readers
have connections of their own and see the last commit (WAL). Several processes (workers, the command
line) take turns at writing and tell each other what they have committed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from folkmoot.storage.bus.neighbours import Neighbours
from folkmoot.storage.engine.db import Db
from folkmoot.storage.engine.faults import translate
from folkmoot.storage.engine.jobs import Job
from folkmoot.storage.engine.line import Line
from folkmoot.storage.errors import ShuttingDown, Unavailable
from folkmoot.storage.types import Hint, Topic

MAX_BATCH = 64  # requests in one commit: bounds what one failing commit takes with it
READERS = 3
SLOW_COMMIT = 0.001  # seconds: a commit that takes longer is worth waiting for others
WAIT_SHARE = 0.25  # of what a commit takes, that one waits for others at most
MAX_WAIT = 0.003  # seconds, however slow the disk is
FOREIGN_WRITE_POLL = 0.5  # seconds between looks whether somebody has written and told nobody
PASS_ON_POLL = 0.005  # seconds until a neighbour that was busy is told again
# What each connection keeps of the database. The system's own cache of the file serves all of them:
# what larger ones spare could not be measured.
WRITER_CACHE = 32 << 20  # octets
READER_CACHE = 16 << 20  # octets, of each
BUSY_TIMEOUT = 10.0  # seconds to wait for a program that is not ours and holds the database


def connect(path: str, cache: int = WRITER_CACHE) -> sqlite3.Connection:
    """A durable connection: WAL, fsync at each commit, foreign keys on; ``cache`` is in octets."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
    )
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"cache_size=-{cache // 1024}",
        "temp_store=MEMORY",
        "journal_size_limit=67108864",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class SqliteDatabase:
    """The engine behind a ``sqlite:///path`` URL."""

    def __init__(self, path: Path, publish: Callable[[list[Hint]], None]) -> None:
        self.url = f"sqlite:///{path}"
        self._path = str(path)
        self._publish = publish
        self._writes: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._reads: Line[Job] = Line()
        self._closed = False
        self._lock = threading.Lock()
        # What the last commit took, and how many requests seem to come at the same time.
        self._commit_seconds = 0.0
        self._company = 1
        # Connected here, so that a database that cannot be opened fails the start.
        self._writer = connect(self._path)
        beside = Path(f"{path}-bus")
        self._neighbours = Neighbours(beside, publish)
        self._turn = os.open(beside / "turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._threads = [threading.Thread(target=self._write_loop, name="store-writer")]
        for number in range(READERS):
            connection = connect(self._path, READER_CACHE)
            connection.execute("PRAGMA query_only=ON")
            # What is sorted goes to a file when it is more than the cache has room for.
            connection.execute("PRAGMA temp_store=FILE")
            self._threads.append(
                threading.Thread(
                    target=self._read_loop, args=(connection,), name=f"store-reader-{number}"
                )
            )
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def write(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise ShuttingDown
            self._writes.put(job)

    def read(self, job: Job) -> None:
        self._reads.put(job)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._writes.put(None)
            self._reads.close()
        for thread in self._threads:
            thread.join()
        self._neighbours.close()
        os.close(self._turn)

    # --- the writer ---------------------------------------------------------------------------

    def _write_loop(self) -> None:
        cursor = self._writer.cursor()
        version = self._data_version(cursor)
        looked = time.monotonic()
        stop = waiting = False
        while not stop:
            try:
                first = self._writes.get(timeout=PASS_ON_POLL if waiting else FOREIGN_WRITE_POLL)
            except queue.Empty:
                first = None
            else:
                if first is None:
                    break
            if first is not None:
                batch, stop = self._gather(first)
                self._commit(cursor, batch)
            waiting = self._neighbours.pass_on()
            now = time.monotonic()
            if (first is not None or waiting) and now - looked < FOREIGN_WRITE_POLL:
                continue
            looked = now
            seen = self._data_version(cursor)
            if seen != version:
                version = seen
                if not self._neighbours.heard():
                    self._publish([Hint(Topic.ALL, 0)])
        self._writer.close()

    def _data_version(self, cursor: sqlite3.Cursor) -> int:
        """Changes only when another connection (so: another process) has committed."""
        try:
            row: tuple[int] = cursor.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return 0
        return row[0]

    def _gather(self, first: Job) -> tuple[list[Job], bool]:
        """The first job and all that wait behind it; and whether the end was among them.

        Whoever was answered by the last commit comes back soon, but behind those that waited
        meanwhile: without a moment's patience two groups would take turns for ever, each paying
        for commits of half the size. With a quick disk that is cheaper than to wait.
        """
        batch, patience = [first], 0.0
        if self._company > 1 and self._commit_seconds > SLOW_COMMIT:
            patience = min(self._commit_seconds * WAIT_SHARE, MAX_WAIT)
        until = time.monotonic() + patience
        while len(batch) < MAX_BATCH:
            try:
                job = self._writes.get_nowait()
            except queue.Empty:
                left = until - time.monotonic()
                if len(batch) >= self._company or left <= 0:
                    break
                try:
                    job = self._writes.get(timeout=left)
                except queue.Empty:
                    break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    def _commit(self, cursor: sqlite3.Cursor, batch: list[Job]) -> None:
        done: list[tuple[Job, Any]] = []
        failed: list[tuple[Job, BaseException]] = []
        hints: list[Hint] = []
        try:
            with self._turn_to_write():
                cursor.execute("BEGIN IMMEDIATE")
                for job in batch:
                    self._run_one(cursor, job, done, failed, hints)
                begin = time.monotonic()
                cursor.execute("COMMIT")
            self._commit_seconds = time.monotonic() - begin
            self._company = min(len(batch) + self._writes.qsize(), MAX_BATCH)
        except BaseException as error:
            self._roll_back(cursor)
            reason = translate(error)
            if not isinstance(reason, Unavailable):
                reason = Unavailable()
            settled = {id(job) for job, _ in failed}
            failed += [(job, reason) for job in batch if id(job) not in settled]
            done = []
        else:
            self._publish(hints)
            self._neighbours.tell(hints)
        for job, result in done:
            job.succeed(result)
        for job, why in failed:
            job.fail(why)

    @contextlib.contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """Wait until no other process writes; SQLite alone would ask again in ever longer steps."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def _run_one(
        self,
        cursor: sqlite3.Cursor,
        job: Job,
        done: list[tuple[Job, Any]],
        failed: list[tuple[Job, BaseException]],
        hints: list[Hint],
    ) -> None:
        cursor.execute("SAVEPOINT request")
        try:
            result, its_hints = job.work(Db(cursor, is_sqlite=True))
        except BaseException as error:
            # After some errors (full disk) SQLite has rolled back by itself and the savepoint
            # is gone: then this raises and the whole batch fails, as it must.
            cursor.execute("ROLLBACK TO request")
            cursor.execute("RELEASE request")
            failed.append((job, translate(error)))
        else:
            cursor.execute("RELEASE request")
            done.append((job, result))
            hints += its_hints

    def _roll_back(self, cursor: sqlite3.Cursor) -> None:
        with contextlib.suppress(sqlite3.Error):  # nothing to roll back: SQLite did it
            if self._writer.in_transaction:
                cursor.execute("ROLLBACK")

    # --- the readers --------------------------------------------------------------------------

    def _read_loop(self, connection: sqlite3.Connection) -> None:
        cursor = connection.cursor()
        place: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        while (job := self._reads.take(place)) is not None:
            try:
                cursor.execute("BEGIN")
                try:
                    result, _ = job.work(Db(cursor, is_sqlite=True))
                finally:
                    if connection.in_transaction:
                        cursor.execute("ROLLBACK")
            except BaseException as error:
                job.fail(translate(error))
            else:
                job.succeed(result)
        connection.close()
