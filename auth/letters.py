"""How what is done with accounts comes to people by mail; who writes it is joined in the server."""

from __future__ import annotations

from typing import Protocol

from folkmoot.storage.txn import Txn


class Post(Protocol):
    """Queues a letter to somebody in a transaction; with an invitation (RFC 5546), where given."""

    def __call__(
        self, txn: Txn, address: str, subject: str, text: str, /, *, invitation: str = ""
    ) -> None:
        """Write it."""
        ...
