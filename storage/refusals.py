"""What agents of support tried and were refused: a row in the trail for each, up to a limit.

The trail is append-only, so equal ones cannot be counted in one row. Each is written, and a session
with too many of them is over: so an agent can neither hide an attempt nor fill the trail with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.errors import StorageError
from folkmoot.storage.policy import AuditEntry
from folkmoot.storage.trail import TrailEntry, write_trail

#: Refused operations after which a session of an agent ends.
MOST_REFUSED: Final = 1000

# Nothing is counted, and nothing written, where no session is behind it or it had its share.
_COUNT = Statement(
    "UPDATE support_sessions SET refused = refused + :rows WHERE id = :session"
    " AND agent_id = :agent AND refused < :most"
    " AND grant_id IN (SELECT id FROM support_grants WHERE account_id = :account)"
    " RETURNING refused"
)
_END = Statement("UPDATE support_sessions SET ended = :now WHERE id = :session AND ended IS NULL")


def refused(entry: AuditEntry, error: StorageError, now: int) -> TrailEntry:
    """The row of an operation that was refused: what was tried, on what, and why not."""
    why = f"refused ({type(error).__name__}): {error.text}"
    detail = f"{why} {entry.detail}".rstrip()
    return TrailEntry(replace(entry, detail=detail), 0, now, refused=True)


def count(db: Db, entries: Sequence[TrailEntry]) -> Sequence[TrailEntry] | None:
    """Count what was refused in a session, and end it where that is too much.

    What the trail has to say of that; None where there is no such session, or it had its share.
    """
    if not entries:
        return ()
    actor, now = entries[0].entry.actor, entries[0].time
    support = actor.support
    if support is None:
        return None
    row = db.one(
        _COUNT,
        rows=len(entries),
        session=support.session_id,
        agent=support.agent_id,
        most=MOST_REFUSED,
        account=actor.account_id,
    )
    if row is None or row[0] < MOST_REFUSED:
        return None if row is None else ()
    db.run(_END, session=support.session_id, now=now)
    why = f"the session is over: {row[0]} operations were refused"
    return [TrailEntry(AuditEntry(actor, "support", "EndSession", (), why), 0, now)]


def write_refused(db: Db, entries: Sequence[TrailEntry]) -> None:
    """Write rows of what was refused, after the rollback of what it was part of."""
    told = count(db, entries)
    if told is not None:
        write_trail(db, [*entries, *told])
