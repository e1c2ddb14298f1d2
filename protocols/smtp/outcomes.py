"""What follows from an attempt: another one later, the end, and what the sender is told."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from folkmoot.protocols.smtp.dsn import FULL_LIMIT, Action, Report, notification, wanted
from folkmoot.protocols.smtp.headers import header_length
from folkmoot.storage.types_mail import (
    Notice,
    QueuedMessage,
    QueuedRecipient,
    SendResult,
    SendState,
    Settled,
)

log = logging.getLogger(__name__)

_MAX_HEADER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waiting times in seconds after the first, second … attempt; the last one repeats.

    Each is changed by chance by up to ``jitter`` of itself, so that what failed together is not
    tried together. The sender is told of a delay after ``warn_after`` seconds (0: never).
    """

    # rfc5321#4.5.4.1

    schedule: tuple[float, ...] = (300, 900, 1800, 3600, 7200, 14400)
    warn_after: float = 4 * 3600
    jitter: float = 0.15

    @property
    def longest(self) -> int:
        """Seconds that no attempt is put off by more than."""
        return int(max(self.schedule) * (1 + self.jitter)) + 1

    def wait(self, attempts: int) -> float:
        """Return the time to wait after attempt number ``attempts`` (from 1)."""
        planned = self.schedule[min(attempts, len(self.schedule)) - 1]
        return planned * (1 + random.uniform(-self.jitter, self.jitter))  # noqa: S311


@dataclass(frozen=True, slots=True)
class Decision:
    """What to record. ``warned`` says that the sender is told of the delay now."""

    settled: tuple[Settled, ...]
    notices: tuple[Notice, ...]
    warned: bool


Chunks = Callable[[QueuedMessage], AsyncIterator[bytes]]


class Outcomes:
    """Judges attempts."""

    def __init__(self, policy: RetryPolicy, hostname: str, now: Callable[[], datetime]) -> None:
        self._policy = policy
        self._hostname = hostname
        self._now = now

    async def decide(
        self,
        message: QueuedMessage,
        recipients: Sequence[QueuedRecipient],
        results: Sequence[SendResult],
        chunks: Chunks,
    ) -> Decision:
        """Return what follows from one result for each recipient."""
        now = self._now()
        late = not message.warned and 0 < self._policy.warn_after <= _age(message, now)
        settled: list[Settled] = []
        reports: list[Report] = []
        for one, result in zip(recipients, results, strict=True):
            state, wait = self._verdict(message, one, result, now)
            log.info(
                "queued message %d to %s: %s (%s)", message.id, result.address, state, result.reply
            )
            settled.append(Settled(one.id, result.reply, wait))
            report = _report(message, one, result, state, now)
            if report is not None and (state is not SendState.DEFERRED or late):
                reports.append(report)
        notices = await self._notices(message, reports, chunks, now) if reports else ()
        return Decision(tuple(settled), notices, late and _has_delays(reports))

    def _verdict(
        self, message: QueuedMessage, one: QueuedRecipient, result: SendResult, now: datetime
    ) -> tuple[SendState, float | None]:
        if result.state is not SendState.DEFERRED:
            return result.state, None
        # rfc5321#4.5.4.1: given up after days, not after attempts
        left = (message.expires - now).total_seconds()
        if left <= 0:
            return SendState.FAILED, None
        return SendState.DEFERRED, min(self._policy.wait(one.attempts + 1), left)

    async def _notices(
        self, message: QueuedMessage, reports: Sequence[Report], chunks: Chunks, now: datetime
    ) -> tuple[Notice, ...]:
        content = await _beginning(chunks(message))
        envelope = message.envelope(tuple(report.recipient for report in reports))
        return tuple(
            notification(
                self._hostname,
                envelope,
                message.created,
                [report for report in reports if report.action is action],
                content,
                now,
            )
            for action in dict.fromkeys(report.action for report in reports)
        )


def _age(message: QueuedMessage, now: datetime) -> float:
    return (now - message.created).total_seconds()


def _has_delays(reports: Sequence[Report]) -> bool:
    return any(report.action is Action.DELAYED for report in reports)


def _report(
    message: QueuedMessage,
    one: QueuedRecipient,
    result: SendResult,
    state: SendState,
    now: datetime,
) -> Report | None:
    """Return what there is to tell about a recipient, None when the sender need not know."""
    status = result.status
    match state:
        case SendState.FAILED:
            action = Action.FAILED
            if result.state is SendState.DEFERRED:
                # rfc3463#3.5: delivery time expired
                status = "4.4.7"
        case SendState.DEFERRED:
            action = Action.DELAYED
        case SendState.SENT:
            # rfc3461#5.2.2: who hands on to a host without DSN says so
            action = Action.RELAYED if result.peer else Action.DELIVERED
            if result.notified:
                return None
    if not wanted(message.sender, one.recipient, action):
        return None
    until = message.expires if action is Action.DELAYED else None
    return Report(one.recipient, action, status, result.reply, result.peer, now, until)


async def _beginning(chunks: AsyncIterator[bytes]) -> bytes:
    """Read as much as a report can give back, and the whole header in any case."""
    content = b""
    async for chunk in chunks:
        content += chunk
        complete = len(content) > FULL_LIMIT and header_length(content) >= 0
        if complete or len(content) > _MAX_HEADER:
            break
    return content
