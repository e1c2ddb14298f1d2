"""What a tool of a space may hold: the smaller of what its plan gives and its own limit.

Both are kept (``plan_…``, ``own_…``); what counts is computed here alone, whenever one of them
changes, and is what the ledger charges against (``bytes_limit``, ``items_limit``).
"""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.types import Limit, OwnLimit, Tool


def _smaller(what: str) -> str:
    """The limit that counts, of rows of ``usage``; NULL is none."""
    return (
        f"CASE WHEN plan_{what} IS NULL THEN own_{what}"
        f" WHEN own_{what} < plan_{what} THEN own_{what} ELSE plan_{what} END"
    )


_SETTLE = f"UPDATE usage SET bytes_limit = {_smaller('bytes')}, items_limit = {_smaller('items')}"  # noqa: S608
_SETTLE_ONE = Statement(f"{_SETTLE} WHERE space_id = :space AND tool = :tool")
_SETTLE_ALL = Statement(_SETTLE)
_SET_PLAN = Statement(
    "INSERT INTO usage (space_id, tool, bytes_used, items_used, plan_bytes, plan_items,"
    " largest_item) VALUES (:space, :tool, 0, 0, :bytes, :items, :largest)"
    " ON CONFLICT (space_id, tool) DO UPDATE SET plan_bytes = excluded.plan_bytes,"
    " plan_items = excluded.plan_items, largest_item = excluded.largest_item"
)
# What is not below the plan's limit is no limit of its own: the plan's counts, also a larger one
# that comes later.
_SET_OWN = Statement(
    "UPDATE usage SET"
    " own_bytes = CASE WHEN plan_bytes <= :bytes THEN NULL ELSE CAST(:bytes AS BIGINT) END,"
    " own_items = CASE WHEN plan_items <= :items THEN NULL ELSE CAST(:items AS BIGINT) END"
    " WHERE space_id = :space AND tool = :tool"
)
_OF_PLAN = Statement(
    "SELECT tool, plan_bytes, plan_items, largest_item FROM usage WHERE space_id = :space"
)
_WRONG = Statement(
    "SELECT space_id, tool FROM usage"  # noqa: S608
    f" WHERE COALESCE(bytes_limit, -1) <> COALESCE({_smaller('bytes')}, -1)"
    f" OR COALESCE(items_limit, -1) <> COALESCE({_smaller('items')}, -1)"
    " ORDER BY space_id, tool"
)


def set_plan_limit(db: Db, space_id: int, tool: Tool, limit: Limit) -> None:
    """Say what a plan lets a tool of a space hold; a smaller own limit stays."""
    db.run(
        _SET_PLAN,
        space=space_id,
        tool=tool.value,
        bytes=limit.bytes,
        items=limit.items,
        largest=limit.largest,
    )
    db.run(_SETTLE_ONE, space=space_id, tool=tool.value)


def set_own_limit(db: Db, space_id: int, tool: Tool, limit: OwnLimit) -> None:
    """Let a tool of a space hold less than its plan gives; more than that means the plan's."""
    db.run(
        _SET_OWN,
        space=space_id,
        tool=tool.value,
        bytes=limit.bytes,
        items=limit.items,
    )
    db.run(_SETTLE_ONE, space=space_id, tool=tool.value)


def plan_limits(db: Db, space_id: int) -> dict[Tool, Limit]:
    """What the plan of a space gives its tools, whatever its own limits are."""
    return {Tool(tool): Limit(*limit) for tool, *limit in db.all(_OF_PLAN, space=space_id)}


def wrong_limits(db: Db) -> Iterator[tuple[int, str]]:
    """(space, tool) where another limit counts than the smaller one."""
    yield from db.all(_WRONG)


def mend_limits(db: Db) -> None:
    """Let the smaller ones count everywhere."""
    db.run(_SETTLE_ALL)
