"""Mailboxes that were sorted or threaded lately, so that the next page of a list is quick.

What a message is sorted and threaded by never changes, so an order holds for as long as the
mailbox has the same messages, whatever happens to their flags. ``known_uids`` says how that shows.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.txn import ReadContext

LIMIT = 10_000_000
"""Messages in all orders that are remembered, 4 octets each."""

THREADED = 50
"""A message in a conversation counts as so many: two numbers, and its share of lists."""

OVERHEAD = 125
"""An order counts as so many beside its messages: there may be any number of empty mailboxes."""

_STATE = Statement("SELECT uidvalidity, uidnext, messages FROM collections WHERE id = :id")

State = tuple[int, int, int]


def contents(context: ReadContext, mailbox_id: int) -> State:
    """What stays the same while a mailbox has the same messages. Raises ``NotFound``."""
    row = context.db.one(_STATE, id=mailbox_id)
    if row is None:
        raise NotFound
    return row[0], row[1], row[2]


@dataclass(frozen=True, slots=True)
class _Order:
    state: State
    value: Any
    size: int


class KnownOrders:
    """Values made of all messages of a mailbox, which nobody may change. For several threads.

    Only for snapshots of what is committed.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._orders: dict[tuple[int, Hashable], _Order] = {}
        self._lock = threading.Lock()

    def get(self, mailbox_id: int, kind: Hashable, state: State) -> Any:
        """The value of a kind for a mailbox with these contents, or None."""
        order = self._orders.get((mailbox_id, kind))
        return order.value if order is not None and order.state == state else None

    def put(
        self, mailbox_id: int, kind: Hashable, state: State, value: Any, weight: int = 1
    ) -> None:
        """Remember a value; those that were made longest ago are forgotten for it.

        ``weight`` is what each of its messages counts.
        """
        size = OVERHEAD + state[2] * weight
        with self._lock:
            before = self._orders.pop((mailbox_id, kind), None)
            self._orders[mailbox_id, kind] = _Order(state, value, size)
            self._size += size - (before.size if before else 0)
            while self._size > self._limit:
                oldest = next(iter(self._orders))
                self._size -= self._orders.pop(oldest).size
