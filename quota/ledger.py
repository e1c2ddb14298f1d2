"""Decides capacities: whether a charge fits into what a space may hold."""

from __future__ import annotations

from folkmoot.storage.errors import OverQuota
from folkmoot.storage.policy import Balance, Charge


class Ledger:
    """A charge fits when neither bytes nor items pass their limit.

    What frees room always fits, also where a smaller plan has put a space over its limit.
    """

    def check(self, charge: Charge, balance: Balance) -> None:
        if not _fits(charge.bytes, balance.bytes_used, balance.bytes_limit):
            raise OverQuota("There is not enough room left.")
        if not _fits(charge.items, balance.items_used, balance.items_limit):
            raise OverQuota("There is no room for more items.")


def _fits(amount: int, used: int, limit: int | None) -> bool:
    return amount <= 0 or limit is None or used + amount <= limit
