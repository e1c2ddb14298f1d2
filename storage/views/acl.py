"""Who may do what with a collection (RFC 4314), as those see it who may change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import ALL_RIGHTS, AclEntry, Right
from folkmoot.storage.views.base import View

_OWNER = Statement("SELECT address FROM accounts WHERE id = :account")


@dataclass(frozen=True, slots=True)
class ReadAcl(View[list[AclEntry]]):
    """All who have rights on a collection: the owner, who has all of them."""

    collection_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.collection_id, Right.SHARE)]

    def read(self, context: ReadContext) -> list[AclEntry]:
        owner = context.facts(self.collection_id).owner_account_id
        row = context.db.one(_OWNER, account=owner)
        return [AclEntry(row[0], ALL_RIGHTS)] if row is not None else []
