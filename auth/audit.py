"""Decides which operations leave a trail."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.storage.policy import AuditEntry
from folkmoot.storage.types import Actor


class Auditor:
    """Operations on accounts and domains leave a row; what people do with their own data, none.

    (An actor who works in somebody else's name will leave a row for everything.)
    """

    def entry(
        self,
        actor: Actor,
        label: str,
        operation: str,
        collections: Sequence[int],
        audited: bool,
    ) -> AuditEntry | None:
        if not audited:
            return None
        return AuditEntry(actor, label, operation, collections)
