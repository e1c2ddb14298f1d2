"""Removes what of the audit trail is older than it has to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.mutations.support_staff import StaffMutation
from folkmoot.storage.txn import WriteContext

#: Seconds. The database itself refuses to remove rows that are younger. # M7.7
KEPT_AT_LEAST: Final = 184 * 86_400

# From the beginning up to the first row that is kept, so that what is left is still a chain.
_KEEP = Statement("SELECT MIN(id) FROM audit WHERE time > :before")
_LAST = Statement("SELECT last + 1 FROM audit_chain WHERE id = 1")
_TRIM = Statement("DELETE FROM audit WHERE id < :keep")
_FIRST = Statement("UPDATE audit_chain SET first = :keep WHERE id = 1 AND first < :keep")


@dataclass(frozen=True, slots=True)
class TrimTrail(StaffMutation[int]):
    """Remove rows older than ``seconds``, and never younger than half a year; how many."""

    seconds: int

    def trail_note(self) -> str:
        return f"older than {self.seconds // 86_400} days"

    def write(self, context: WriteContext) -> int:
        db = context.db
        before = context.now - max(self.seconds, KEPT_AT_LEAST)
        keep = db.value(_KEEP, before=before)
        if keep is None:
            keep = db.value(_LAST)
        gone = db.run(_TRIM, keep=keep)
        db.run(_FIRST, keep=keep)
        return gone
