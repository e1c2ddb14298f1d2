"""Gathers what a search found into conversations, by stored keys (RFC 5256 section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.blobs.fs import FileBlobs
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
from folkmoot.storage.views.sort import found_uids, keyed_rows

_NAMES = ("sent", "subject", "reply", "message_id", "refs")


@dataclass(frozen=True, slots=True)
class ThreadMessages(View[Threads]):
    """The messages that match, up to a UID, in conversations."""

    mailbox_id: int
    key: SearchKey
    algorithm: ThreadAlgorithm
    up_to: int
    blobs: FileBlobs

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.mailbox_id, Right.READ)]

    def read(self, context: ReadContext) -> Threads:
        rows = keyed_rows(context, self.mailbox_id, _NAMES, ())
        wanted = found_uids(context, self.mailbox_id, self.key, self.blobs)
        members = [
            ThreadMember(*row)
            for row in rows
            if row[0] <= self.up_to and (wanted is None or row[0] in wanted)
        ]
        if self.algorithm is ThreadAlgorithm.ORDEREDSUBJECT:
            return by_subject(members)
        return by_references(members, subjects=self.algorithm is ThreadAlgorithm.REFERENCES)
