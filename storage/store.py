"""The store: runs plain functions in transactions, through the gate, in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredLock, fail
from twisted.python.threadpool import ThreadPool

from folkmoot.storage.blobs.fs import FileBlobs, Spool
from folkmoot.storage.budget import Budget
from folkmoot.storage.bus.local import Bus
from folkmoot.storage.content.prepare import prepare, prepare_spooled
from folkmoot.storage.engine.db import Db
from folkmoot.storage.engine.faults import translate
from folkmoot.storage.engine.jobs import Database, Job
from folkmoot.storage.engine.postgres import PostgresDatabase
from folkmoot.storage.engine.sqlite import SqliteDatabase
from folkmoot.storage.errors import ShuttingDown, StorageError, Unavailable
from folkmoot.storage.postbox import Deliver, Postbox
from folkmoot.storage.refusals import write_refused
from folkmoot.storage.trail import TrailEntry
from folkmoot.storage.turns import Turns
from folkmoot.storage.txn import Decisions, ReadContext, ReadTxn, Txn, WriteContext, refusals
from folkmoot.storage.types import Actor, ActorKind, Content, Hint
from folkmoot.storage.views.known_orders import KnownOrders
from folkmoot.storage.views.known_uids import KnownUids

R = TypeVar("R")
Settled = Callable[[Any, BaseException | None], None]

INLINE_LIMIT = 256 * 1024  # octets; larger bodies are files


class Store:
    """All data. Cannot be built without those who decide (``Decisions``).

    ``deliver`` hands a function to the reactor's thread (``reactor.callFromThread``); where no
    reactor runs (command line), ``call`` and ``call_read`` wait for the result instead.
    """

    def __init__(
        self,
        url: str,
        blobs: Path,
        decisions: Decisions,
        deliver: Deliver,
        *,
        inline_limit: int = INLINE_LIMIT,
    ) -> None:
        post = Postbox(deliver)
        self.bus = Bus(post)
        self.blobs = FileBlobs(blobs)
        self.inline_limit = inline_limit
        self.known_uids = KnownUids()
        self.known_orders = KnownOrders()
        self.held = Budget()
        self._decisions = decisions
        self._post = post
        self.database: Database = _open(url, self.bus.publish)
        # For work that needs no database: content of large bodies, reading and decoding files.
        self._pool = ThreadPool(0, 4, "store-compute")
        self._pool.start()
        self.turns = Turns()
        # Held by whoever delivers messages about meetings.
        self.deliveries = DeferredLock()
        self._closed = False

    # --- transactions -------------------------------------------------------------------------

    def run(self, actor: Actor, label: str, work: Callable[[Txn], R]) -> Deferred[R]:
        """Run ``work`` in one transaction that may write; fires after the commit.

        Fails with a ``StorageError``, or with whatever bug ``work`` has.
        """
        return _deferred(self._post, lambda settled: self._write(actor, label, work, settled))

    def read(self, actor: Actor, label: str, work: Callable[[ReadTxn], R]) -> Deferred[R]:
        """Run ``work`` on one consistent snapshot."""
        return _deferred(self._post, lambda settled: self._read(actor, label, work, settled))

    def call(self, actor: Actor, label: str, work: Callable[[Txn], R]) -> R:
        """``run`` for where no reactor is; blocks."""
        result: R = _wait(lambda settled: self._write(actor, label, work, settled))
        return result

    def call_read(self, actor: Actor, label: str, work: Callable[[ReadTxn], R]) -> R:
        """``read`` for where no reactor is; blocks."""
        result: R = _wait(lambda settled: self._read(actor, label, work, settled))
        return result

    def _write(self, actor: Actor, label: str, work: Callable[[Txn], R], settled: Settled) -> None:
        decisions = self._decisions
        noted: list[TrailEntry] = []

        def transaction(db: Db) -> tuple[R, Sequence[Hint]]:
            hints: list[Hint] = []
            context = None
            try:
                context = WriteContext(db, actor, decisions, hints)
                txn = Txn(context, label, decisions)
                result = work(txn)
                txn.finish()
            except StorageError as error:
                noted[:] = refusals(actor, label, error, context)
                raise
            return result, hints

        if actor.support is not None:
            settled = self._noting(noted, settled)
        _submit(self.database.write, Job(transaction, settled))

    def _noting(self, noted: Sequence[TrailEntry], settled: Settled) -> Settled:
        """Settle what an agent of support tried: where it was refused, that leaves rows, too.

        They are of a transaction of their own, behind the one that was rolled back. Where they
        cannot be written, the agent does not even learn why it was refused.
        """

        def write(db: Db) -> tuple[None, Sequence[Hint]]:
            write_refused(db, noted)
            return None, ()

        def ended(result: Any, error: BaseException | None) -> None:
            if error is None or not noted:
                settled(result, error)
                return

            def written(_: None, failure: BaseException | None) -> None:
                settled(None, error if failure is None else Unavailable())

            _submit(self.database.write, Job(write, written))

        return ended

    def _read(
        self, actor: Actor, label: str, work: Callable[[ReadTxn], R], settled: Settled
    ) -> None:
        if actor.kind is ActorKind.SUPPORT:  # what it reads leaves a trail, in the same transaction
            self._write(actor, label, work, settled)
            return
        decisions = self._decisions

        def transaction(db: Db) -> tuple[R, Sequence[Hint]]:
            return work(ReadTxn(ReadContext(db, actor, decisions), label, decisions)), ()

        _submit(self.database.read, Job(transaction, settled))

    # --- bodies -------------------------------------------------------------------------------

    def compute(self, work: Callable[[], R]) -> Deferred[R]:
        """Run something that needs no transaction in a thread; file errors become storage's."""
        if self._closed:
            return fail(ShuttingDown())
        deferred: Deferred[R] = Deferred()

        def finished(success: bool, result: Any) -> None:
            if success:
                self._post(lambda: deferred.callback(result))
            else:
                error = translate(result.value)
                self._post(lambda: deferred.errback(error))

        self._pool.callInThreadWithCallback(finished, work)
        return deferred

    def spool(self) -> Spool:
        """Begin to store a large body (worker threads only). Raises OSError."""
        return self.blobs.spool()

    def prepare(self, body: bytes | Spool) -> Content:
        """All that is computed from a message at write time (worker threads only)."""
        if isinstance(body, Spool):
            return prepare_spooled(self.blobs, body)
        if len(body) <= self.inline_limit:
            return prepare(body)
        spool = self.blobs.spool()
        try:
            spool.write(body)
            return prepare_spooled(self.blobs, spool)
        finally:
            spool.discard()

    def close(self) -> None:
        """Finish what was queued, then stop. Idempotent; blocks."""
        if self._closed:
            return
        self._closed = True
        self._pool.stop()
        self.database.close()


def _submit(queue: Callable[[Job], None], job: Job) -> None:
    """Hand a job to the engine; refusing it is an outcome like any other."""
    try:
        queue(job)
    except ShuttingDown as error:
        job.fail(error)


def _deferred(post: Postbox, begin: Callable[[Settled], None]) -> Deferred[Any]:
    """The outcome of a job, in the reactor's thread."""
    deferred: Deferred[Any] = Deferred()

    def settled(result: Any, error: BaseException | None) -> None:
        if error is None:
            post(lambda: deferred.callback(result))
        else:
            post(lambda: deferred.errback(error))

    begin(settled)
    return deferred


def _wait(begin: Callable[[Settled], None]) -> Any:
    """The outcome of a job, for who can wait."""
    future: Future[Any] = Future()

    def settled(result: Any, error: BaseException | None) -> None:
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    begin(settled)
    return future.result()


def _open(url: str, publish: Callable[[list[Hint]], None]) -> Database:
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return SqliteDatabase(
            Path(rest.removeprefix("/") if rest.startswith("//") else rest), publish
        )
    if scheme == "postgresql":
        return PostgresDatabase(url, publish)
    raise ValueError(f"no engine for {scheme!r}")
