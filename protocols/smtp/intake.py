"""What the mail services need of the rest of the server; ``sharing.delivery`` implements it."""

from __future__ import annotations

from typing import Protocol

from folkmoot.storage.types import Actor
from folkmoot.storage.types_mail import BodyFile, Delivered, MailEnvelope, Octets, Resolved


class MailIntake(Protocol):
    """Where incoming messages go. Every method may raise ``storage.errors.StorageError``."""

    def spool(self) -> BodyFile:
        """Begin to store a large message (worker threads only). Raises OSError."""
        ...

    async def resolve(self, address: str) -> Resolved:
        """Say where an address leads, aliases, subaddresses and catch-all addresses included."""
        ...

    async def may_send_as(self, actor: Actor, address: str) -> bool:
        """Say whether the actor may use this address as a sender."""
        ...

    async def deliver(self, envelope: MailEnvelope, message: Octets) -> tuple[Delivered, ...]:
        """Store a message for its local recipients, in one transaction.

        Returns one outcome per recipient, in order. When this returns, what is stored is durable.
        """
        ...

    async def submit(self, actor: Actor, envelope: MailEnvelope, message: Octets) -> None:
        """Take over a message of an account: local copies and queued ones in one transaction.

        When this returns, all of it is durable. Raises PermissionDenied when a sender in the
        header is not the actor's, LimitReached when the account has sent too much today.
        """
        ...
