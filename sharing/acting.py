"""What everything that an actor does with the store has in common: transactions, hints, bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.storage.content.source import FileSource
from folkmoot.storage.errors import NotFound
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor, BodySpool, Hint, MessageBody, Topic

R = TypeVar("R")


class Acting:
    """The base of ``Workspace`` and ``Tree``. Calls that return Deferreds fail with the errors of
    the store."""

    def __init__(self, store: Store, actor: Actor) -> None:
        self._store = store
        self.actor = actor

    # --- hints --------------------------------------------------------------------------------

    def watch(self, topic: Topic, id_: int, call: Callable[[Hint], None]) -> Callable[[], None]:
        """Call back in the reactor's thread when something is committed; returns what ends it."""
        return self._store.bus.subscribe(topic, id_, call)

    def mark(self) -> int:
        """This moment; see ``missed``."""
        return self._store.bus.mark()

    def missed(self, mark: int, topic: Topic, id_: int) -> bool:
        """Whether something may have been committed between a mark and a ``watch``."""
        return self._store.bus.missed(mark, topic, id_)

    # --- bodies -------------------------------------------------------------------------------

    def open_body(self, body: MessageBody) -> Deferred[FileSource]:
        """The octets of a body that lies in a file, to be read in ``compute`` and closed.

        They stay readable while it is open, also when its item is removed meanwhile. Raises
        ``NotFound`` when that has happened already.
        """
        file = body.file
        assert file is not None

        def work() -> FileSource:
            try:
                return FileSource(self._store.blobs.path(file))
            except FileNotFoundError:
                raise NotFound from None

        return self._store.compute(work)

    def compute(self, work: Callable[[], R]) -> Deferred[R]:
        """Run something that takes long and needs no transaction off the reactor."""
        return self._store.compute(work)

    @property
    def inline_limit(self) -> int:
        """Octets up to which a body is held in memory; larger ones are spooled."""
        return self._store.inline_limit

    def spool(self) -> Deferred[BodySpool]:
        """Begin a large body; write to it with ``spool_write``."""
        return self._store.compute(self._store.spool)

    def spool_write(self, spool: BodySpool, data: bytes) -> Deferred[None]:
        """Append to a large body, off the reactor. Raises ``Unavailable`` on a full disk."""
        return self._store.compute(lambda: spool.write(data))

    # --- for the calls ------------------------------------------------------------------------

    def _read(self, label: str, work: Callable[[ReadTxn], R]) -> Deferred[R]:
        return self._store.read(self.actor, label, work)

    def _read_long(self, label: str, work: Callable[[ReadTxn], R]) -> Deferred[R]:
        """A read that may take long: those of one actor come one after the other."""
        return self._store.turns.take(self.actor.account_id, lambda: self._read(label, work))

    def _run(self, label: str, work: Callable[[Txn], R]) -> Deferred[R]:
        return self._store.run(self.actor, label, work)
