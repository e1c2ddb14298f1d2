"""PostgreSQL through psycopg 3: a connection per worker thread, hints by NOTIFY.

The database commits concurrent transactions together by itself. Counter rows are locked in the
order of their ids (``Txn.bump``), and a transaction that lost a deadlock or whose connection went
away before COMMIT is run again.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from folkmoot.storage.bus.wire import decode_hints, encode_hints
from folkmoot.storage.engine.db import Db
from folkmoot.storage.engine.faults import translate
from folkmoot.storage.engine.jobs import Job
from folkmoot.storage.engine.line import Line
from folkmoot.storage.errors import Unavailable
from folkmoot.storage.types import Hint, Topic

WORKERS = 8
RETRIES = 5
RETRY_DELAY = 0.02  # seconds, times the number of the attempt
CHANNEL = "folkmoot"
RECONNECT_DELAY = 0.5  # seconds

# A machine that is gone does not say so: without these, workers would wait for it for minutes.
# What the URL says goes first.
_NOTICES_LOSS = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}

_RACES = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)

log = logging.getLogger("folkmoot.storage")


class PostgresDatabase:
    """The engine behind a ``postgresql://`` URL."""

    def __init__(self, url: str, publish: Callable[[list[Hint]], None]) -> None:
        self.url = url
        self._publish = publish
        self._jobs: Line[tuple[Job, bool]] = Line()
        self._closed = False
        self._lock = threading.Lock()
        # Connected here, so that a database that cannot be reached fails the start.
        self._listener = self._listen()
        # Closing writes to one end; the listening thread waits for the other.
        self._stop, self._stopped = socket.socketpair()
        connections = [self._connect() for _ in range(WORKERS)]
        # What the database calls the workers: their hints are published without it.
        self._pids = [connection.info.backend_pid for connection in connections]
        self._threads = [
            threading.Thread(target=self._work_loop, args=(n, c), name=f"store-{n}", daemon=True)
            for n, c in enumerate(connections)
        ]
        self._listen_thread = threading.Thread(
            target=self._listen_loop, name="store-listen", daemon=True
        )
        for thread in [*self._threads, self._listen_thread]:
            thread.start()

    def write(self, job: Job) -> None:
        self._jobs.put((job, True))

    def read(self, job: Job) -> None:
        self._jobs.put((job, False))

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._jobs.close()
        for thread in self._threads:
            thread.join()
        self._stop.send(b"x")
        self._listen_thread.join()
        self._stop.close()
        self._stopped.close()

    def _connect(self) -> psycopg.Connection[Any]:
        options = {**_NOTICES_LOSS, **conninfo_to_dict(self.url)}
        return psycopg.connect(**options, autocommit=True, prepare_threshold=3)  # type: ignore[arg-type]

    # --- workers ------------------------------------------------------------------------------

    def _work_loop(self, number: int, connection: psycopg.Connection[Any]) -> None:
        place: queue.SimpleQueue[tuple[Job, bool] | None] = queue.SimpleQueue()
        while (entry := self._jobs.take(place)) is not None:
            job, writes = entry
            before, connection = connection, self._run(connection, job, writes)
            if connection is not before:
                self._pids[number] = 0 if connection.closed else connection.info.backend_pid
        connection.close()

    def _run(
        self, connection: psycopg.Connection[Any], job: Job, writes: bool
    ) -> psycopg.Connection[Any]:
        """Run a job to its end; returns the connection to go on with."""
        for attempt in range(1, RETRIES + 1):
            try:
                if connection.closed:
                    connection = self._connect()
                job.succeed(self._transaction(connection, job, writes))
                return connection
            except CommitFailed:
                # The outcome is unknown: running it again could do it twice.
                connection.close()
                job.fail(Unavailable())
                return connection
            except BaseException as error:
                self._roll_back(connection)
                # Nothing was committed, and the reason may be gone the next time: another
                # transaction was in the way, or the database restarts.
                again = connection.closed or isinstance(error, _RACES)
                if not again or attempt == RETRIES:
                    job.fail(translate(error))
                    return connection
                time.sleep(RETRY_DELAY * attempt)
        return connection

    def _transaction(self, connection: psycopg.Connection[Any], job: Job, writes: bool) -> Any:
        with connection.cursor() as cursor:
            # Reads see one snapshot; writes lock the counter rows that they depend on.
            cursor.execute(
                "BEGIN ISOLATION LEVEL READ COMMITTED"
                if writes
                else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            )
            result, hints = job.work(Db(cursor, is_sqlite=False))
            for payload in encode_hints(list(hints)):
                cursor.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
            try:
                cursor.execute("COMMIT")
            except psycopg.OperationalError as error:
                raise CommitFailed from error
            if cursor.statusmessage != "COMMIT":
                # PostgreSQL rolls back without an error when an earlier statement failed and
                # the work went on regardless: that must not look like success.
                raise RuntimeError("the work went on after an error of the database")
        # Before the result, as with SQLite: whoever made a change is told of it with its answer,
        # and does not wait for what the database sends to everybody.
        self._publish(list(hints))
        return result

    def _roll_back(self, connection: psycopg.Connection[Any]) -> None:
        with contextlib.suppress(psycopg.Error):  # a broken connection is replaced
            connection.execute("ROLLBACK")

    # --- hints --------------------------------------------------------------------------------

    def _listen(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        connection.execute(f"LISTEN {CHANNEL}")
        return connection

    def _listen_loop(self) -> None:
        connection: psycopg.Connection[Any] | None = self._listener
        stopped = False
        while not stopped:
            try:
                if connection is None:
                    connection = self._listen()
                    # What was sent while nobody listened is lost: the log has it.
                    self._publish([Hint(Topic.ALL, 0)])
                for notice in connection.notifies(timeout=0):
                    if notice.pid not in self._pids:
                        self._publish(decode_hints(notice.payload))
                stopped = self._wait(connection.fileno(), None)
            except psycopg.Error as error:
                log.error("listening for changes failed, connecting again: %s", error)
                if connection is not None:
                    connection.close()
                    connection = None
                stopped = self._wait(None, RECONNECT_DELAY)
        if connection is not None:
            connection.close()

    def _wait(self, descriptor: int | None, timeout: float | None) -> bool:
        """Wait until something can be read; whether that is the order to stop."""
        poll = select.poll()  # unlike select(), it takes descriptors above 1023
        poll.register(self._stopped, select.POLLIN)
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
        ready = poll.poll(None if timeout is None else timeout * 1000)
        return any(number == self._stopped.fileno() for number, _ in ready)


class CommitFailed(Exception):
    """The connection broke while COMMIT was under way."""
