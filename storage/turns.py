"""Turns of reads that may take long, so that nobody's questions keep everybody else waiting."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

R = TypeVar("R")

#: How many run at once: one fewer than there are threads that read, which is for short reads.
AT_ONCE = 2


class Turns:
    """Lets one long read of each account run at a time, ``AT_ONCE`` altogether; the accounts that
    wait take turns. All of it happens in the reactor's thread."""

    def __init__(self, most: int = AT_ONCE) -> None:
        self._free = most
        self._busy: set[int] = set()
        self._waiting: OrderedDict[int, deque[Callable[[], None]]] = OrderedDict()

    def take(self, account_id: int, work: Callable[[], Deferred[R]]) -> Deferred[R]:
        """Begin ``work`` when it is the account's turn; fires with what it fires with."""
        outcome: Deferred[R] = Deferred()

        def begin() -> None:
            work().addBoth(self._done, account_id, outcome)

        self._waiting.setdefault(account_id, deque()).append(begin)
        self._go_on()
        return outcome

    def _go_on(self) -> None:
        while self._free:
            turn = next((each for each in self._waiting if each not in self._busy), None)
            if turn is None:
                return
            mine = self._waiting.pop(turn)
            begin = mine.popleft()
            if mine:
                self._waiting[turn] = mine  # behind the others
            self._free -= 1
            self._busy.add(turn)
            begin()

    def _done(self, result: Any, account_id: int, outcome: Deferred[Any]) -> None:
        self._free += 1
        self._busy.discard(account_id)
        if isinstance(result, Failure):
            outcome.errback(result)
        else:
            outcome.callback(result)
        self._go_on()
