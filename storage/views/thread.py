"""Gathers what a search found into conversations, by stored keys (RFC 5256 section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from folkmoot.storage.blobs.fs import FileBlobs
from folkmoot.storage.budget import Budget
from folkmoot.storage.conversations import (
    ThreadMember,
    by_references,
    by_subject,
)
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, SearchKey
from folkmoot.storage.types_search import ThreadAlgorithm, Threads
from folkmoot.storage.views.base import View
from folkmoot.storage.views.known_orders import THREADED, KnownOrders, contents
from folkmoot.storage.views.search import matches_all
from folkmoot.storage.views.sort import found_uids, keyed_rows

_NAMES = ("sent", "subject", "reply", "message_id", "refs")


@dataclass(frozen=True, slots=True)
class ThreadMessages(View[Threads]):
    """The messages that match, up to a UID, in conversations.

    ``known`` may save the work; only for transactions that do not write. Raises ``LimitReached``
    and ``Unavailable`` for more than ``held`` has room for.
    """

    mailbox_id: int
    key: SearchKey
    algorithm: ThreadAlgorithm
    up_to: int
    blobs: FileBlobs
    known: KnownOrders | None = None
    held: Budget = field(default_factory=Budget)

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> Threads:
        if self.known is None or not matches_all(self.key):
            return self._threads(context)
        state = contents(context, self.mailbox_id)
        if state[1] > self.up_to + 1:  # the client may not know all of them
            return self._threads(context)
        threads: Threads | None = self.known.get(self.mailbox_id, self.algorithm, state)
        if threads is None:
            threads = self._threads(context)
            self.known.put(self.mailbox_id, self.algorithm, state, threads, THREADED)
        return threads

    def _threads(self, context: ReadContext) -> Threads:
        wanted = found_uids(context, self.mailbox_id, self.key, self.blobs)
        with self.held.share() as share:
            members = [
                ThreadMember(*row)
                for page in keyed_rows(context, self.mailbox_id, _NAMES, (), wanted, share)
                for row in page
                if row[0] <= self.up_to
            ]
            if self.algorithm is ThreadAlgorithm.ORDEREDSUBJECT:
                return by_subject(members)
            subjects = self.algorithm is ThreadAlgorithm.REFERENCES
            return by_references(members, subjects=subjects, take=share.take)
