"""Turns UID sets into statements that the primary key of the messages table answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from folkmoot.storage.types import UidSet

DENSE = 0.2  # share of the span from which on reading all of it beats asking one by one
CHUNK = 500  # UIDs in one IN list


class Condition(NamedTuple):
    """A condition on ``uid`` as SQL, with its parameters.

    ``filtered`` says that rows outside of the set come along and must be filtered.
    """

    text: str
    filtered: bool
    parameters: dict[str, int]


def conditions(uids: UidSet) -> Iterator[Condition]:
    """Conditions that together cover the set, in ascending order.

    One UID and one range are parameters, so that the database knows the statement already. The
    numbers of a list stand in the text: they are integers of ours, and have no fixed count.
    """
    ranges = uids.ranges
    if not ranges:
        return
    low, high = ranges[0][0], ranges[-1][1]
    if len(ranges) == 1:
        yield _one(low) if low == high else _range(low, high)
        return
    if len(uids) >= (high - low + 1) * DENSE:
        yield _range(low, high, filtered=True)
        return
    singles: list[int] = []
    for low, high in ranges:
        if high - low >= CHUNK:
            if singles:
                yield _in(singles)
                singles = []
            yield _range(low, high)
            continue
        singles.extend(range(low, high + 1))
        while len(singles) >= CHUNK:
            yield _in(singles[:CHUNK])
            del singles[:CHUNK]
    if singles:
        yield _in(singles)


def _one(uid: int) -> Condition:
    return Condition("uid = :uid", False, {"uid": uid})


def _range(low: int, high: int, *, filtered: bool = False) -> Condition:
    return Condition("uid BETWEEN :low AND :high", filtered, {"low": low, "high": high})


def _in(uids: list[int]) -> Condition:
    return Condition(f"uid IN ({','.join(map(str, uids))})", False, {})
