"""Charges what an operation adds to a space, or gives it back. The ledger decides."""

from __future__ import annotations

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.errors import NotFound, OverQuota
from folkmoot.storage.policy import Balance, Charge, Ledger

_BALANCE = Statement(
    "SELECT bytes_used, bytes_limit, items_used, items_limit, largest_item FROM usage"
    " WHERE space_id = :space AND tool = :tool"
)
# One conditional statement, so that no check-then-act race can overdraw an account: an addition
# that does not fit touches no row. The ledger decides, this only holds it to the decision.
_CHARGE = Statement(
    "UPDATE usage SET bytes_used = bytes_used + :bytes, items_used = items_used + :items"
    " WHERE space_id = :space AND tool = :tool"
    " AND (:exempt = 1"
    " OR (:bytes <= 0 OR bytes_limit IS NULL OR bytes_used + :bytes <= bytes_limit)"
    " AND (:items <= 0 OR items_limit IS NULL OR items_used + :items <= items_limit)"
    " AND (largest_item IS NULL OR :largest <= largest_item))"
    " RETURNING bytes_used - :bytes, bytes_limit, items_used - :items, items_limit, largest_item"
)


def foresee_charge(db: Db, charge: Charge, ledger: Ledger) -> None:
    """Raise what ``make_charge`` would, without a change."""
    row = db.one(_BALANCE, space=charge.space_id, tool=charge.tool)
    if row is None:
        raise NotFound
    ledger.check(charge, Balance(*row))


def make_charge(db: Db, charge: Charge, ledger: Ledger) -> None:
    """Change what a space uses. Raises what the ledger raises, ``NotFound``."""
    before = db.one(
        _CHARGE,
        space=charge.space_id,
        tool=charge.tool,
        bytes=charge.bytes,
        items=charge.items,
        largest=charge.largest,
        exempt=int(charge.exempt),
    )
    if before is not None:
        # Asked after the update, which an objection rolls back: that saves a statement.
        ledger.check(charge, Balance(*before))
        return
    foresee_charge(db, charge, ledger)
    raise OverQuota
