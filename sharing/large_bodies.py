"""Bodies of messages in files, and work that takes long: off the reactor, outside transactions.

A base of ``Workspace``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.mailbox_facts import MailboxFacts
from folkmoot.storage.content.source import FileSource
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import BodySpool, Content, MessageBody

R = TypeVar("R")


class LargeBodies(MailboxFacts):
    """What is done with bodies beside storing and finding them. All methods return Deferreds."""

    def open_body(self, body: MessageBody) -> Deferred[FileSource]:
        """The octets of a body that lies in a file, to be read in ``compute`` and closed.

        They stay readable while it is open, also when the message is expunged meanwhile. Raises
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

    def prepare(self, body: bytes | BodySpool) -> Deferred[Content]:
        """Compute what is stored with a message; for large bodies, before ``append``."""
        return self._store.compute(lambda: self._store.prepare(body))  # type: ignore[arg-type]
