"""The audit trail: rows that are a chain, each with the hash of the one before.

Rows are numbered without gaps. The last number and its hash stand in ``audit_chain``; who notes
them elsewhere can prove later that nothing before was changed (``folkmoot audit verify``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Final, get_args

from folkmoot.storage.content.ical.query import CompFilter
from folkmoot.storage.content.vcard.filters import Filter
from folkmoot.storage.engine.db import Db, Row, Statement
from folkmoot.storage.policy import AuditEntry
from folkmoot.storage.types import FlagSet, SearchKey, Tool, UidSet
from folkmoot.storage.types_support import TrailCheck
from folkmoot.storage.types_tree import Folder, Item, TreePath

AT_ONCE: Final = 1000
_LONGEST = 1000  # characters of what a row says beside the name of the operation
#: What somebody looked for: the own words.
_ASKED: Final = (*get_args(SearchKey), CompFilter, Filter)
_SECRETS = frozenset({"secret", "scram", "code", "key", "token", "password", "totp"})

#: How operations name an account.
_ABOUT: Final = {
    "space_id": Statement("SELECT owner_account_id FROM spaces WHERE id = :value"),
    "address": Statement("SELECT id FROM accounts WHERE address = :value"),
}
_TAKE = Statement(
    "UPDATE audit_chain SET last = last + :rows WHERE id = 1 RETURNING last - :rows, hash"
)
_END = Statement("UPDATE audit_chain SET hash = :hash WHERE id = 1")
_INSERT = Statement(
    "INSERT INTO audit (id, time, actor_kind, account_id, actor_name, reason, label, operation,"
    " collections, detail, about, agent_id, agent, grant_id, session_id, prev, hash) VALUES (:id,"
    " :time, :kind, :account, :name, :reason, :label, :operation, :collections, :detail, :about,"
    " :agent_id, :agent, :grant, :session, :prev, :hash)"
)
_CHAIN = Statement("SELECT first, last, hash FROM audit_chain WHERE id = 1")
_ROWS = Statement(
    "SELECT id, time, actor_kind, account_id, actor_name, reason, label, operation, collections,"
    " detail, about, agent_id, agent, grant_id, session_id, prev, hash FROM audit"
    " WHERE id >= :after ORDER BY id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """What one operation leaves behind. ``refused``: it was not done."""

    entry: AuditEntry
    about: int
    time: int
    refused: bool = False


def write_trail(db: Db, entries: Sequence[TrailEntry]) -> None:
    """Write rows at the end of the chain, in the transaction of what they tell."""
    if not entries:
        return
    last, hash_ = db.all(_TAKE, rows=len(entries))[0]
    rows = []
    for number, entry in enumerate(entries, last + 1):
        values = _values(number, entry)
        prev, hash_ = hash_, row_hash(hash_, list(values.values()))
        rows.append({**values, "prev": prev, "hash": hash_})
    db.many(_INSERT, rows)
    db.run(_END, hash=hash_)


def _values(number: int, trail: TrailEntry) -> dict[str, int | str]:
    entry = trail.entry
    actor, support = entry.actor, entry.actor.support
    return {
        "id": number,
        "time": trail.time,
        "kind": str(actor.kind),
        "account": actor.account_id,
        "name": actor.name,
        "reason": actor.reason,
        "label": entry.label,
        "operation": entry.operation,
        "collections": " ".join(map(str, entry.collections)),
        "detail": entry.detail[:_LONGEST],
        "about": trail.about,
        "agent_id": support.agent_id if support is not None else 0,
        "agent": support.agent if support is not None else "",
        "grant": support.grant_id if support is not None else 0,
        "session": support.session_id if support is not None else 0,
    }


def concerned(db: Db, operation: object) -> int:
    """The account that an operation is about, by what it names; 0 for none."""
    account = getattr(operation, "account_id", None)
    if isinstance(account, int) and account:
        return account  # it may be gone by now
    for name, statement in _ABOUT.items():
        value = getattr(operation, name, None)
        if value:
            row = db.one(statement, value=value)
            return int(row[0]) if row is not None else 0
    return 0


def row_hash(prev: str, values: Sequence[int | str]) -> str:
    """The hash of a row, in hex: SHA-256 of the one before and of all that the row says."""
    text = json.dumps([prev, *values], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_trail(db: Db) -> TrailCheck:
    """Read the whole chain. What is broken is told for each row, at most 100 of them."""
    first, last, end = db.all(_CHAIN)[0]
    broken: list[str] = []
    expected, prev, rows = first, None, 0
    for row in _all_rows(db, first):
        number, stated_prev, stated = row[0], row[-2], row[-1]
        if number != expected:
            broken.append(f"{number - expected} row(s) are missing before {number}")
        elif prev is not None and stated_prev != prev:
            broken.append(f"row {number} does not follow the row before it")
        if row_hash(stated_prev, row[:-2]) != stated:
            broken.append(f"row {number} was changed")
        expected, prev, rows = number + 1, stated, rows + 1
    if expected != last + 1:
        broken.append(f"{last + 1 - expected} row(s) are missing at the end")
    elif rows and prev != end:
        broken.append("the last row is not the one that was written last")
    return TrailCheck(rows, first, last, end, tuple(broken[:100]))


def _all_rows(db: Db, first: int) -> Iterator[Row]:
    after = first
    while rows := db.all(_ROWS, after=after, limit=AT_ONCE):
        yield from rows
        after = rows[-1][0] + 1


def describe(operation: object) -> str:
    """What an operation was about, for the trail: numbers, names and places, and no content."""
    if not is_dataclass(operation):
        return ""
    parts: list[str] = []
    for field in fields(operation):
        value = getattr(operation, field.name)
        secret = field.name in _SECRETS and not isinstance(value, _ASKED)
        text = "" if secret else _plain(value)
        if text:
            parts.append(f"{field.name}={text}")
    return " ".join(parts)[:_LONGEST]


def _plain(value: object) -> str:
    if isinstance(value, _ASKED):
        return repr(value)[:300]
    match value:
        case bool() | int() | Tool() | UidSet():
            return str(value)
        case str():
            return repr(value[:100]) if value else ""
        case TreePath(tool=tool, names=names):
            return f"{tool}:/{'/'.join(names)}"
        case Item(id=id_, name=name):
            return f"{id_} {name!r}"
        case Folder(id=id_, name=name):
            return f"{id_} {name!r}"
        case FlagSet(system=system, keywords=keywords):
            return " ".join([*(flag.name or "" for flag in system), *keywords])
        case tuple() if value and all(isinstance(one, Enum) for one in value):
            return ",".join(one.name.lower() for one in value)
        case tuple() if (
            value and len(value) <= 20 and all(type(one) in (int, str) for one in value)
        ):
            return ",".join(_short(value))
    return ""


def _short(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        yield str(value)[:100]
