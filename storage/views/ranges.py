"""Turns UID sets into statements that the primary key of the messages table answers."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot.storage.types import UidSet

DENSE = 0.2  # share of the span from which on reading all of it beats asking one by one
CHUNK = 500  # UIDs in one IN list


def conditions(uids: UidSet) -> Iterator[tuple[str, bool]]:
    """SQL conditions on ``uid`` that together cover the set, in ascending order.

    The flag says that rows outside of the set come along and must be filtered. Numbers stand in
    the text: they are integers of ours, and a list has no fixed count of parameters.
    """
    ranges = uids.ranges
    if not ranges:
        return
    low, high = ranges[0][0], ranges[-1][1]
    if len(ranges) == 1:
        yield (f"uid = {low}" if low == high else f"uid BETWEEN {low} AND {high}"), False
        return
    if len(uids) >= (high - low + 1) * DENSE:
        yield f"uid BETWEEN {low} AND {high}", True
        return
    singles: list[int] = []
    for low, high in ranges:
        if high - low >= CHUNK:
            if singles:
                yield _in(singles), False
                singles = []
            yield f"uid BETWEEN {low} AND {high}", False
            continue
        singles.extend(range(low, high + 1))
        while len(singles) >= CHUNK:
            yield _in(singles[:CHUNK]), False
            del singles[:CHUNK]
    if singles:
        yield _in(singles), False


def _in(uids: list[int]) -> str:
    return f"uid IN ({','.join(map(str, uids))})"
