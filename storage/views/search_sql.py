"""What of a search the database answers by itself: rows of messages that meet conditions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from folkmoot.storage.engine.db import Row, statement
from folkmoot.storage.index.lookup import chunks
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import SearchKey, UidSet
from folkmoot.storage.types_search import (
    And,
    HasFlags,
    Larger,
    ModseqAtLeast,
    Not,
    Smaller,
    UidIn,
)
from folkmoot.storage.views.ranges import conditions

COLUMNS = "uid, modseq, flags, keywords, size, internal_date, internal_zone, blob_id, saved"

_EVERYTHING = UidSet.from_ranges([(1, 0xFFFF_FFFF)])


def rows_among(
    context: ReadContext,
    mailbox_id: int,
    uids: UidSet,
    condition: str,
    blobs: frozenset[int] | None,
) -> list[Row]:
    """Rows that meet a condition, with one of the UIDs and, unless None, one of the bodies."""
    if blobs is not None:
        return [
            row
            for numbers in chunks(blobs)
            for row in _select(context, mailbox_id, f"blob_id IN ({numbers}){condition}")
            if row[0] in uids
        ]
    return select_rows(context, mailbox_id, uids, condition)


def select_found(
    context: ReadContext, mailbox_id: int, uids: UidSet, condition: str
) -> list[tuple[int, int]]:
    """(UID, modseq) of the messages with one of the UIDs that meet a condition, ascending."""
    return sorted(select_rows(context, mailbox_id, uids, condition, "uid, modseq"))


def select_rows(
    context: ReadContext,
    mailbox_id: int,
    uids: UidSet,
    condition: str = "",
    columns: str = COLUMNS,
) -> list[Row]:
    """Rows of messages with one of the UIDs; ``columns`` begin with the UID."""
    rows: list[Row] = []
    for among, filtered, numbers in conditions(uids):
        found = _select(context, mailbox_id, among + condition, columns, numbers)
        rows += [row for row in found if row[0] in uids] if filtered else found
    return rows


def _select(
    context: ReadContext,
    mailbox_id: int,
    condition: str,
    columns: str = COLUMNS,
    numbers: Mapping[str, int] = MappingProxyType({}),
) -> list[Row]:
    selected = statement(
        f"SELECT {columns} FROM messages WHERE mailbox_id = :id AND {condition}"  # noqa: S608
    )
    return context.db.all(selected, id=mailbox_id, **numbers)


def condition_of(key: SearchKey) -> str:
    """SQL that spares rows that cannot match from being read; all of its numbers are ours."""
    match key:
        case And(keys):
            return "".join(map(condition_of, keys))
        case HasFlags(system):
            return f" AND (flags & {system:d}) = {system:d}"
        case Not(HasFlags(system)):
            return f" AND (flags & {system:d}) <> {system:d}"
        case Larger(octets):
            return f" AND size > {octets:d}"
        case Smaller(octets):
            return f" AND size < {octets:d}"
        case ModseqAtLeast(modseq):
            return f" AND modseq >= {modseq:d}"
    return ""


def said_in_sql(key: SearchKey) -> bool:
    """Whether a message matches just when it meets ``condition_of`` and is one of ``bounds_of``."""
    match key:
        case And(keys):
            return all(map(said_in_sql, keys))
        case Not(inner):
            return isinstance(inner, HasFlags)
    return isinstance(key, HasFlags | Larger | Smaller | ModseqAtLeast | UidIn)


def bounds_of(key: SearchKey) -> UidSet:
    """UIDs outside of which nothing can match."""
    if isinstance(key, UidIn):
        return key.uids
    bounds = _EVERYTHING
    if isinstance(key, And):
        for part in key.keys:
            bounds = bounds.intersection(bounds_of(part))
    return bounds
