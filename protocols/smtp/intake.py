"""What the mail services need of the rest of the server.

``sharing.delivery.Delivery`` is a MailIntake, ``sharing.outbound.Outbound`` an OutboundQueue.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol

from folkmoot.storage.types import Actor, BodySpool
from folkmoot.storage.types_mail import (
    Delivered,
    MailEnvelope,
    Notice,
    Octets,
    Poster,
    QueuedMessage,
    QueueEntry,
    Resolved,
    Settled,
)


class MailIntake(Protocol):
    """Where incoming messages go. Every coroutine may raise ``storage.errors.StorageError``."""

    def spool(self) -> BodySpool:
        """Begin to store a large message (worker threads only). Raises OSError."""
        ...

    async def resolve(self, address: str, poster: Poster | None = None) -> Resolved:
        """Say where an address leads, aliases, subaddresses and catch-all addresses included.

        For who writes to it, a group that takes no mail from them is refused.
        """
        ...

    async def may_send_as(self, actor: Actor, address: str) -> bool:
        """Say whether the actor may use this address as a sender."""
        ...

    async def deliver(
        self, envelope: MailEnvelope, message: Octets, account_id: int = 0
    ) -> tuple[Delivered, ...]:
        """Store a message for its local recipients, in one transaction.

        ``account_id`` is the account that has handed it in, 0 for what others bring.
        Returns one outcome per recipient, in order. When this returns, what is stored is durable.
        """
        ...

    async def submit(
        self, actor: Actor, envelope: MailEnvelope, message: Octets
    ) -> tuple[Delivered, ...]:
        """Take over a message of an account: local copies and queued ones in one transaction.

        When this returns, all of it is durable; those recipients are named whose copies are in
        their mailboxes already. Raises PermissionDenied when a sender in the header is not the
        actor's, LimitReached when the account has sent too much today, Expired when its session
        has ended.
        """
        ...

    async def notify(self, notices: Sequence[Notice]) -> None:
        """Queue reports to senders."""
        ...


class OutboundQueue(Protocol):
    """Messages that wait to be sent. Every coroutine may raise ``storage.errors.StorageError``."""

    def watch(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call back on the loop when mail was queued; returns what ends it."""
        ...

    async def claim(
        self, lease: int, limit: int, busy: frozenset[str], longest: int
    ) -> list[QueueEntry]:
        """Take due recipients for ``lease`` seconds, at most ``limit``, none of ``busy`` domains.

        Nobody else gets them in that time; afterwards they are due again. What would wait longer
        than ``longest`` seconds is due now: the clock has gone back.
        """
        ...

    async def renew(self, recipient_ids: Sequence[int], lease: int) -> None:
        """Keep recipients that are still worked on."""
        ...

    async def next_due(self) -> datetime | None:
        """When the next recipient is due that nobody works on, None when there is none."""
        ...

    async def settle(
        self,
        message_id: int,
        settled: Sequence[Settled],
        notices: Sequence[Notice],
        *,
        warned: bool = False,
    ) -> None:
        """Record what was decided, and queue the reports about it, in one transaction."""
        ...

    def chunks(self, message: QueuedMessage, offset: int = 0) -> AsyncIterator[bytes]:
        """Yield the octets of a message from ``offset`` on. Raises OSError."""
        ...
