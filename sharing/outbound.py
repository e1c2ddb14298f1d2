"""The outbound queue: what the worker that sends does with it, and what administrators do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.delivery import enqueue_notice
from folkmoot.storage.mutations.queue import (
    ClaimDue,
    DropQueued,
    RenewLeases,
    RetryQueued,
    SettleQueued,
)
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Content, Topic
from folkmoot.storage.types_mail import Notice, QueuedMessage, QueueEntry, Settled
from folkmoot.storage.views.queue import ListQueue, NextDue, ShowQueued

R = TypeVar("R")

CHUNK = 256 * 1024

_WORKER = Actor.system("outbound queue")


class Outbound:
    """Implements ``protocols.smtp.intake.OutboundQueue``, and the commands on the queue.

    The Deferreds of ``entries``, ``show``, ``retry`` and ``drop`` fail with storage errors.
    """

    def __init__(self, store: Store, *, keep: int = 5 * 86_400) -> None:
        self._store = store
        self._keep = keep

    # --- administrators ----------------------------------------------------------------------

    def entries(self, limit: int = 1000) -> Deferred[list[QueueEntry]]:
        """The oldest messages, with at most ``limit`` recipients in all."""
        return self._store.read(_ADMIN, "queue", lambda txn: txn.view(ListQueue(limit)))

    def show(self, message_id: int) -> Deferred[QueueEntry]:
        """One message. Raises ``NotFound``."""
        return self._store.read(_ADMIN, "queue", lambda txn: txn.view(ShowQueued(message_id)))

    def retry(self, message_id: int | None = None) -> Deferred[int]:
        """Make one message, or all, due now; the number of recipients that were waiting."""
        return self._store.run(_ADMIN, "queue", lambda txn: txn.apply(RetryQueued(message_id)))

    def drop(self, message_id: int) -> Deferred[None]:
        """Forget a message without telling anybody. Raises ``NotFound``."""
        return self._store.run(_ADMIN, "queue", lambda txn: txn.apply(DropQueued(message_id)))

    # --- the worker --------------------------------------------------------------------------

    def watch(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call back when mail was queued; returns what ends it."""
        return self._store.bus.subscribe(Topic.QUEUE, 0, lambda hint: call())

    async def claim(
        self, lease: int, limit: int, busy: frozenset[str], longest: int
    ) -> list[QueueEntry]:
        """Take due recipients for ``lease`` seconds, none of the ``busy`` domains.

        Nothing waits longer than ``longest`` seconds for its next attempt.
        """
        claim = ClaimDue(lease, limit, busy, longest)
        return await self._run("claim", lambda txn: txn.apply(claim))

    async def renew(self, recipient_ids: Sequence[int], lease: int) -> None:
        """Keep recipients that are still worked on."""
        ids = tuple(recipient_ids)
        await self._run("renew", lambda txn: txn.apply(RenewLeases(ids, lease)))

    async def next_due(self) -> datetime | None:
        """When the next recipient is due, None when none waits."""
        return await self._wait(self._store.read(_WORKER, "due", lambda txn: txn.view(NextDue())))

    async def settle(
        self,
        message_id: int,
        settled: Sequence[Settled],
        notices: Sequence[Notice],
        *,
        warned: bool = False,
    ) -> None:
        """Record what was decided, and queue the reports about it, in one transaction."""
        prepare = self._store.prepare
        contents: list[Content] = []
        if notices:
            contents = await self._wait(
                self._store.compute(lambda: [prepare(notice.content) for notice in notices])
            )

        def work(txn: Txn) -> None:
            txn.apply(SettleQueued(message_id, tuple(settled), warned))
            for notice, content in zip(notices, contents, strict=True):
                txn.apply(enqueue_notice(notice, content, self._keep))

        await self._run("settle", work)

    async def chunks(self, message: QueuedMessage, offset: int = 0) -> AsyncIterator[bytes]:
        """Yield the octets of a message from ``offset`` on."""
        if message.data is not None:
            if offset < len(message.data):
                yield message.data[offset:]
            return
        file = message.file
        assert file is not None
        read = self._store.blobs.read
        while offset < message.size:
            at = offset
            chunk = await self._wait(self._store.compute(lambda at=at: read(file, at, CHUNK)))  # type: ignore[misc]
            if not chunk:
                raise OSError("a stored message is shorter than it was")
            yield chunk
            offset += len(chunk)

    async def _run(self, label: str, work: Callable[[Txn], R]) -> R:
        return await self._wait(self._store.run(_WORKER, label, work))

    async def _wait(self, deferred: Deferred[R]) -> R:
        return await deferred.asFuture(asyncio.get_running_loop())


_ADMIN = Actor.system("queue administration")
