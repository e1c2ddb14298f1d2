"""The UIDs of mailboxes that were opened lately, so that opening one again need not read them.

They are brought up to date from there: UIDs are given once and ascending, and the change log says
which went. The number of messages tells whether that came out right.
"""

from __future__ import annotations

import threading
from array import array
from dataclasses import dataclass

LIMIT = 2_000_000
"""UIDs that are remembered in all, 4 octets each."""
OVERHEAD = 125
"""What a mailbox takes beside its UIDs, counted in UIDs: there may be any number of empty ones."""


@dataclass(frozen=True, slots=True)
class Known:
    """A mailbox at one moment. ``uids`` is shared: nobody may change it."""

    uidvalidity: int
    uidnext: int
    modseq: int
    uids: array[int]
    first_unseen: int | None


class KnownUids:
    """For snapshots of what is committed only. May be used by several threads."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._mailboxes: dict[int, Known] = {}
        self._lock = threading.Lock()

    def get(self, mailbox_id: int) -> Known | None:
        """What is known of a mailbox, which may be out of date."""
        return self._mailboxes.get(mailbox_id)

    def put(self, mailbox_id: int, known: Known) -> None:
        """Remember a mailbox; those opened longest ago are forgotten for it."""
        with self._lock:
            before = self._mailboxes.pop(mailbox_id, None)
            self._size += _size(known) - (_size(before) if before else 0)
            self._mailboxes[mailbox_id] = known
            while self._size > self._limit:
                oldest = next(iter(self._mailboxes))
                self._size -= _size(self._mailboxes.pop(oldest))


def _size(known: Known) -> int:
    return OVERHEAD + len(known.uids)
