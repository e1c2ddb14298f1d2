"""Whether a write would be refused, asked before its body has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.errors import OverQuota
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.views.base import View
from folkmoot.storage.views.principals import ReadSpaceUsage


@dataclass(frozen=True, slots=True)
class ForeseePut(View[None]):
    """Whether ``growth`` octets and ``items`` more may go into a folder; the write itself asks
    again. Raises ``OverQuota`` and what the gate does."""

    folder_id: int
    right: Right
    growth: int
    items: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.folder_id, self.right)]

    def read(self, context: ReadContext) -> None:
        usage = ReadSpaceUsage(self.folder_id).read(context)
        if _over(usage.bytes_used, self.growth, usage.bytes_limit):
            raise OverQuota
        if _over(usage.items_used, self.items, usage.items_limit):
            raise OverQuota


def _over(used: int, growth: int, limit: int | None) -> bool:
    return limit is not None and growth > 0 and used + growth > limit
