"""What may be read of something that several write at the same time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

SETTLE = 20.0
"""Seconds after which a request that nobody waited for has had its effect, or never has."""
KEEP = 180.0
"""Seconds for which it is remembered what was: longer than anything takes to be read."""


@dataclass(eq=False, slots=True)
class Write(Generic[T]):
    """One change: it took effect at some moment from ``begin`` to ``end``.

    ``end`` is infinite while no answer has come. ``sure`` is False where none will come: it may
    have taken effect, or not.
    """

    value: T
    begin: float
    end: float = math.inf
    sure: bool = True


class Register(Generic[T]):
    """One value, and every change of it, by a clock that all writers and readers share.

    A reader who asked at ``since`` and was answered at ``until`` may see what was written last when
    it asked, or anything that was written while it waited. Nothing else: neither what was
    replaced before (a lost change), nor what nobody wrote (a foreign one).
    """

    __slots__ = ("_writes",)

    def __init__(self, value: T) -> None:
        self._writes = [Write(value, -math.inf, -math.inf)]

    @classmethod
    def one_of(cls, values: Iterable[T], begin: float, end: float) -> Register[T]:
        """One that has one of these values, nobody knows which."""
        made = cls.__new__(cls)
        made._writes = [Write(value, begin, end) for value in values]
        return made

    def begin(self, value: T, now: float) -> Write[T]:
        """A change is on its way to the server."""
        write = Write(value, now)
        self._writes.append(write)
        return write

    def done(self, write: Write[T], now: float) -> None:
        """The server acknowledged it."""
        write.end = now
        limit = self._replaced(now - KEEP)
        self._writes = [one for one in self._writes if one.end >= limit]

    def refused(self, write: Write[T]) -> None:
        """The server refused it: it has not happened."""
        self._writes.remove(write)

    def lost(self, write: Write[T], now: float) -> None:
        """Nobody will know whether it happened."""
        write.sure = False
        write.end = now + SETTLE

    def may_be(self, since: float, until: float) -> set[T]:
        """What somebody may read who asked at ``since`` and had the answer at ``until``."""
        writes = self._writes
        if len(writes) == 1:
            return {writes[0].value}
        limit = self._replaced(since)
        return {one.value for one in writes if one.begin <= until and one.end >= limit}

    def _replaced(self, time: float) -> float:
        """What had ended by then was surely replaced before this time."""
        return max(
            (one.begin for one in self._writes if one.sure and one.end < time), default=-math.inf
        )
