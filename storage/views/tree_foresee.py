"""Whether a write would be refused, asked before its body has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.gate import Need, OnCollection, OnItem
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.views.base import View


@dataclass(frozen=True, slots=True)
class ForeseePut(View[None]):
    """Whether an item of ``size`` octets, ``growth`` octets and ``items`` more, may go into a
    folder, or (``item_id``) into an item of it; the write itself asks again.

    Raises ``OverQuota``, ``TooLarge`` and what the gate does.
    """

    folder_id: int
    right: Right
    growth: int
    items: int
    size: int = 0
    item_id: int = 0

    def needs(self) -> Sequence[Need]:
        if self.item_id:
            return [OnItem(self.folder_id, self.item_id, self.right)]
        return [OnCollection(self.folder_id, self.right)]

    def read(self, context: ReadContext) -> None:
        facts = context.facts(self.folder_id)
        context.foresee(Charge(facts.space_id, facts.tool, self.growth, self.items, self.size))
