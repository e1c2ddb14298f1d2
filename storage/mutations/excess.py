"""What an account has more of than its plan allows: nothing of it goes, but nothing is added."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Tool
from folkmoot.storage.types_accounts import Excess

_LIMITS = Statement(
    "SELECT space_id, address, group_limit, member_limit FROM accounts WHERE id = :account"
)
_LED = Statement(
    "SELECT g.space_id, g.address, (SELECT COUNT(*) FROM members m WHERE m.group_id = g.id)"
    " FROM groups g WHERE g.admin_account_id = :account ORDER BY g.address"
)
# Own limits are the owner's affair.
_USAGE = Statement(
    "SELECT tool, bytes_used, plan_bytes, items_used, plan_items FROM usage WHERE space_id = :space"
)
_ITEMS = {
    Tool.MAIL: ("mail", "messages"),
    Tool.CALENDAR: ("calendars", "entries"),
    Tool.CONTACTS: ("address books", "contacts"),
    Tool.DOCUMENTS: ("documents", "files"),
}


def excess_of(context: ReadContext, account_id: int) -> tuple[Excess, ...]:
    """All that an account and the groups that it administers have above limits of the plan."""
    row = context.db.one(_LIMITS, account=account_id)
    if row is None:
        return ()
    space, address, groups, members = row
    led = context.db.all(_LED, account=account_id)
    found = [*_of_space(context, space, address)]
    if groups is not None and len(led) > groups:
        found.append(Excess(f"groups of {address}", len(led), groups, "groups"))
    for group_space, group, number in led:
        found += _of_space(context, group_space, group)
        if members is not None and number > members:
            found.append(Excess(f"members of {group}", number, members, "members"))
    return tuple(found)


def newly(before: Iterable[Excess], after: Iterable[Excess]) -> tuple[Excess, ...]:
    """What is above a limit now and was not before."""
    known = {(one.what, one.unit) for one in before}
    return tuple(one for one in after if (one.what, one.unit) not in known)


def _of_space(context: ReadContext, space: int, owner: str) -> Iterable[Excess]:
    rows = {row[0]: row[1:] for row in context.db.all(_USAGE, space=space)}
    for tool, (name, items) in _ITEMS.items():
        if tool.value not in rows:
            continue
        octets, octets_limit, number, number_limit = rows[tool.value]
        if octets_limit is not None and octets > octets_limit:
            yield Excess(f"{name} of {owner}", octets, octets_limit, "bytes")
        if number_limit is not None and number > number_limit:
            yield Excess(f"{name} of {owner}", number, number_limit, items)
