"""The worker that empties the outbound queue.

Nothing is lost when the process dies at any moment: a recipient leaves the queue only in the
transaction that records its outcome, together with the report about it. What was being sent then
is sent again when its lease has ended (at least once).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from folkmoot.protocols.smtp.intake import OutboundQueue
from folkmoot.protocols.smtp.outcomes import Outcomes, RetryPolicy
from folkmoot.protocols.smtp.sender import Sender
from folkmoot.storage.errors import StorageError
from folkmoot.storage.types_mail import QueuedMessage, QueuedRecipient, SendResult, SendState

log = logging.getLogger(__name__)

# rfc5321#4.5.3.1.8: every host takes 100 recipients
RECIPIENTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """``connections`` at a time in all and ``per_domain``; times in seconds.

    A recipient that is worked on belongs to this worker for ``lease``, renewed while it lives.
    ``attempt`` bounds one attempt, ``poll`` the wait between looks at the queue.
    """

    connections: int = 20
    per_domain: int = 4
    lease: int = 600
    attempt: float = 3600.0
    poll: float = 60.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Recipients of one message that are handed on together."""

    message: QueuedMessage
    domain: str
    recipients: tuple[QueuedRecipient, ...]


@dataclass(slots=True)
class _State:
    running: dict[asyncio.Task[None], Batch] = field(default_factory=dict)
    domains: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False


class QueueWorker:
    """Runs until ``stop``. One is enough; several (in other processes) share the work."""

    def __init__(
        self,
        queue: OutboundQueue,
        sender: Sender,
        policy: RetryPolicy,
        limits: WorkerLimits | None = None,
        *,
        hostname: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._queue = queue
        self._sender = sender
        self._limits = limits or WorkerLimits()
        self._outcomes = Outcomes(policy, hostname, now)
        self._longest = policy.longest
        self._now = now
        self._state = _State()
        self._slots = asyncio.Semaphore(self._limits.connections)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, grace: float = 10.0) -> None:
        """Finish what is being sent, at most for ``grace`` seconds, and end.

        What is not finished stays in the queue.
        """
        self._state.stopping = True
        self._state.wake.set()
        running = [*self._state.running]
        if running:
            await asyncio.wait(running, timeout=grace)
        for task in [*self._state.running, *([self._task] if self._task else [])]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        unwatch = self._queue.watch(self._state.wake.set)
        renewing = asyncio.get_running_loop().create_task(self._renew())
        try:
            while not self._state.stopping:
                self._state.wake.clear()
                try:
                    await self._take()
                    pause = await self._pause()
                except StorageError as error:
                    log.warning("the queue is not available: %s", error)
                    pause = self._limits.poll
                except Exception:
                    # Whatever it is, mail that comes later must still go out.
                    log.exception("the queue could not be worked on")
                    pause = self._limits.poll
                await self._sleep(pause)
        finally:
            unwatch()
            renewing.cancel()

    async def _take(self) -> None:
        limits, state = self._limits, self._state
        while not state.stopping and len(state.running) < limits.connections:
            claimed = await self._queue.claim(
                limits.lease,
                limits.connections * RECIPIENTS_AT_ONCE,
                self._busy(),
                self._longest,
            )
            for entry in claimed:
                for batch in self._batches(entry.message, entry.recipients):
                    task = asyncio.get_running_loop().create_task(self._work(batch))
                    state.running[task] = batch
                    task.add_done_callback(self._finished)
            if not claimed:
                return

    def _busy(self) -> frozenset[str]:
        counts = Counter(batch.domain for batch in self._state.running.values())
        return frozenset(name for name, count in counts.items() if count >= self._limits.per_domain)

    def _batches(
        self, message: QueuedMessage, recipients: Sequence[QueuedRecipient]
    ) -> Iterator[Batch]:
        groups: dict[str, list[QueuedRecipient]] = {}
        for one in recipients:
            groups.setdefault(self._sender.destination(one.domain), []).append(one)
        for domain, members in groups.items():
            for start in range(0, len(members), RECIPIENTS_AT_ONCE):
                yield Batch(message, domain, tuple(members[start : start + RECIPIENTS_AT_ONCE]))

    async def _pause(self) -> float:
        if len(self._state.running) >= self._limits.connections:
            return self._limits.poll
        due = await self._queue.next_due()
        if due is None:
            return self._limits.poll
        return min(self._limits.poll, max(0.0, (due - self._now()).total_seconds()) + 0.05)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._state.wake.wait()
        except TimeoutError:
            pass

    def _finished(self, task: asyncio.Task[None]) -> None:
        domain = self._state.running.pop(task).domain
        if all(batch.domain != domain for batch in self._state.running.values()):
            self._state.domains.pop(domain, None)
        self._state.wake.set()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._limits.lease / 3)
            ids = [one.id for batch in self._state.running.values() for one in batch.recipients]
            try:
                if ids:
                    await self._queue.renew(ids, self._limits.lease)
            except StorageError as error:
                log.warning("cannot keep hold of queued mail: %s", error)
            except Exception:
                log.exception("cannot keep hold of queued mail")

    async def _work(self, batch: Batch) -> None:
        state = self._state
        own = state.domains.setdefault(batch.domain, asyncio.Semaphore(self._limits.per_domain))
        async with own, self._slots:
            if not state.stopping:
                await self._try(batch)

    async def _try(self, batch: Batch) -> None:
        try:
            results = await self._attempt(batch)
            decision = await self._outcomes.decide(
                batch.message, batch.recipients, results, self._queue.chunks
            )
            await self._queue.settle(
                batch.message.id, decision.settled, decision.notices, warned=decision.warned
            )
        except StorageError as error:
            # It stays in the queue and is due again when its lease has ended.
            log.warning("cannot record an attempt for message %d: %s", batch.message.id, error)
        except Exception:
            log.exception("an attempt for message %d failed", batch.message.id)

    async def _attempt(self, batch: Batch) -> list[SendResult]:
        recipients = tuple(one.recipient for one in batch.recipients)
        try:
            async with asyncio.timeout(self._limits.attempt):
                return await self._sender.send(batch.message, batch.domain, recipients)
        except TimeoutError:
            text = "451 4.4.7 The attempt took too long"
        except StorageError as error:
            text = f"451 4.3.0 {error.text}"
        except OSError:
            log.exception("cannot read message %d", batch.message.id)
            text = "451 4.3.0 The message cannot be read now"
        return [
            SendResult(one.address, SendState.DEFERRED, text.split()[1], text) for one in recipients
        ]
