"""Finds messages by their flags, without reading each of them where few states are in a mailbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement, statement
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import UidSet
from folkmoot.storage.views.ranges import conditions

MANY = 50  # messages in a row from which on asking for their states pays
FEW_STATES = 8  # each costs a look at all messages of the range

_RANGE = " FROM messages WHERE mailbox_id = :id AND uid BETWEEN :low AND :high AND modseq <= :limit"
_DISTINCT = Statement("SELECT DISTINCT flags, keywords" + _RANGE)
_SPAN = Statement(
    "SELECT COUNT(*), MIN(uid), MAX(uid)" + _RANGE + " AND flags = :flags AND keywords = :keywords"
)
_OF_STATE = Statement("SELECT uid" + _RANGE + " AND flags = :flags AND keywords = :keywords")

_ANY = 2**62  # above any modseq

State = tuple[int, str]
"""Bits of Flag, and keywords separated by spaces."""


@dataclass(frozen=True, slots=True)
class Change:
    """Messages that go from one state to another one."""

    old: State
    new: State
    uids: UidSet


def changes(
    context: ReadContext,
    mailbox_id: int,
    uids: UidSet,
    after: Callable[[State], State],
    limit: int | None,
) -> list[Change]:
    """What ``after`` changes of those messages whose modseq is at most ``limit``."""
    bound = _ANY if limit is None else limit
    if len(uids.ranges) == 1:
        low, high = uids.ranges[0]
        if high - low >= MANY:
            parameters = {"id": mailbox_id, "low": low, "high": high, "limit": bound}
            states = context.db.all(_DISTINCT, **parameters)
            if len(states) <= FEW_STATES:
                return list(_of_states(context, parameters, states, after))
    return _of_rows(context, mailbox_id, uids, after, bound)


def _of_states(
    context: ReadContext,
    parameters: dict[str, int],
    states: list[tuple[int, str]],
    after: Callable[[State], State],
) -> Iterator[Change]:
    for flags, keywords in states:
        new = after((flags, keywords))
        if new == (flags, keywords):
            continue
        wanted = {**parameters, "flags": flags, "keywords": keywords}
        [(count, first, last)] = context.db.all(_SPAN, **wanted)
        if count == last - first + 1:
            found = UidSet.from_ranges([(first, last)])
        else:
            found = UidSet.from_iterable(uid for (uid,) in context.db.all(_OF_STATE, **wanted))
        yield Change((flags, keywords), new, found)


def _of_rows(
    context: ReadContext,
    mailbox_id: int,
    uids: UidSet,
    after: Callable[[State], State],
    limit: int,
) -> list[Change]:
    groups: dict[State, list[int]] = {}
    for condition, filtered, numbers in conditions(uids):
        states = statement(
            "SELECT uid, flags, keywords FROM messages WHERE mailbox_id = :id"  # noqa: S608
            f" AND {condition} AND modseq <= :limit"
        )
        for uid, flags, keywords in context.db.all(states, id=mailbox_id, limit=limit, **numbers):
            if not filtered or uid in uids:
                groups.setdefault((flags, keywords), []).append(uid)
    return [
        Change(state, new, UidSet.from_iterable(found))
        for state, found in groups.items()
        if (new := after(state)) != state
    ]


def newer(context: ReadContext, mailbox_id: int, uids: UidSet, limit: int) -> UidSet:
    """Those of the messages whose modseq is above ``limit``."""
    return _present(context, mailbox_id, uids, "modseq > :limit", limit)


def unchanged(context: ReadContext, mailbox_id: int, uids: UidSet, limit: int | None) -> UidSet:
    """Those of the messages that exist and whose modseq is at most ``limit``."""
    bound = _ANY if limit is None else limit
    return _present(context, mailbox_id, uids, "modseq <= :limit", bound)


def _present(
    context: ReadContext, mailbox_id: int, uids: UidSet, modseqs: str, limit: int
) -> UidSet:
    found: list[int] = []
    for condition, filtered, numbers in conditions(uids):
        present = statement(
            "SELECT uid FROM messages WHERE mailbox_id = :id"  # noqa: S608
            f" AND {condition} AND {modseqs}"
        )
        rows = context.db.all(present, id=mailbox_id, limit=limit, **numbers)
        found += [uid for (uid,) in rows if not filtered or uid in uids]
    return UidSet.from_iterable(found)
