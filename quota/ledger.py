"""Decides capacities: whether a charge fits into what a space may hold."""

from __future__ import annotations

from folkmoot.storage.errors import OverQuota, TooLarge
from folkmoot.storage.policy import Balance, Charge
from folkmoot.storage.types import Tool

# What is full, and of what there is too much. No numbers: senders of mail are told this too.
_NAMES = {
    Tool.MAIL: ("The mailboxes are", "messages"),
    Tool.CALENDAR: ("The calendars are", "entries"),
    Tool.CONTACTS: ("The address books are", "contacts"),
    Tool.DOCUMENTS: ("The documents are", "files"),
}


class Ledger:
    """A charge fits when neither bytes nor items pass their limit, and no item is too large.

    What frees room always fits, also where a smaller plan has put a space over its limit; so does
    what the server itself has to say to somebody.
    """

    def check(self, charge: Charge, balance: Balance) -> None:
        if charge.exempt:
            return
        full, items = _NAMES[charge.tool]
        largest = balance.largest_item
        if largest is not None and charge.largest > largest:
            raise TooLarge(f"One item may have {largest:,} octets here.")
        if not _fits(charge.bytes, balance.bytes_used, balance.bytes_limit):
            raise OverQuota(
                f"{full} full: there is not enough room left.",
                permanent=not _fits(charge.bytes, 0, balance.bytes_limit),
            )
        if not _fits(charge.items, balance.items_used, balance.items_limit):
            raise OverQuota(
                f"{full} full: there is no room for more {items}.",
                permanent=not _fits(charge.items, 0, balance.items_limit),
            )


def _fits(amount: int, used: int, limit: int | None) -> bool:
    return amount <= 0 or limit is None or used + amount <= limit
