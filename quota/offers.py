"""What plans cost and how long they may lie unused, as the other parts of this package take it."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from folkmoot.storage.types_accounts import AccountUpdate

DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan. ``price`` is in the smallest unit of ``currency`` for ``months``, 0: it is free.

    An account with a free plan that nobody used for ``inactive_after`` days (0: never) is disabled,
    and deleted ``delete_after`` days later. ``fallback`` is the free plan of those who do not pay.
    ``update`` gives an account this plan.
    """

    name: str
    price: int = 0
    currency: str = ""
    months: int = 12
    inactive_after: int = 0
    delete_after: int = 30
    fallback: str = ""
    update: AccountUpdate = field(default_factory=AccountUpdate)


Offers = Mapping[str, Offer]


def end_of_period(start: int, months: int) -> int:
    """The same day and time so many months later, or the last day of a shorter month (UTC)."""
    begins = datetime.fromtimestamp(start, UTC)
    month = begins.month - 1 + months
    year, month = begins.year + month // 12, month % 12 + 1
    day = min(begins.day, calendar.monthrange(year, month)[1])
    return int(begins.replace(year=year, month=month, day=day).timestamp())
