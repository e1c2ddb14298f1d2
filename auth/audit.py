"""Decides which operations leave a trail."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.storage.policy import AuditEntry
from folkmoot.storage.types import Actor, ActorKind


class Auditor:
    """Operations on accounts and domains leave a row; what people do with their own data, none.

    An agent of support leaves a row for everything, also for what it only looks at.
    """

    def entry(
        self,
        actor: Actor,
        label: str,
        operation: str,
        collections: Sequence[int],
        audited: bool,
    ) -> AuditEntry | None:
        if not audited and actor.kind is not ActorKind.SUPPORT:
            return None
        return AuditEntry(actor, label, operation, collections)
