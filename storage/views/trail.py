"""Views of the audit trail: what it says, and whether it is as it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from folkmoot.storage.engine.db import Row, Statement, number_list
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Administration, Need, OnSpace
from folkmoot.storage.trail import AT_ONCE, check_trail
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types_support import TrailCheck, TrailRow
from folkmoot.storage.views.base import View

_TRAIL = (
    "SELECT id, time, actor_kind, account_id, actor_name, about, agent, grant_id, session_id,"
    " reason, label, operation, collections, detail FROM audit"
)
_TRAIL_OF = Statement(
    f"{_TRAIL} WHERE id < :below AND (account_id = :account OR about = :account)"
    " AND (:support = 0 OR actor_kind = 'support') ORDER BY id DESC LIMIT :limit"
)
_TRAIL_ALL = Statement(
    f"{_TRAIL} WHERE id < :below AND (:support = 0 OR actor_kind = 'support')"
    " ORDER BY id DESC LIMIT :limit"
)
_HASH = Statement("SELECT hash FROM audit WHERE id = :id")
_OWNER = Statement("SELECT owner_account_id FROM spaces WHERE id = :space")


@dataclass(frozen=True, slots=True)
class ShowTrail(View[list[TrailRow]]):
    """Rows of the audit trail, the latest first, below a number.

    With ``space_id``, those of one account, for its owner (``own``) or the operator; without, all,
    for the operator. ``support`` leaves out all but what agents did; ``on`` all that does not have
    this in the name of a collection or in what it says: the history of one thing. # M7.9
    """

    space_id: int = 0
    own: bool = False
    limit: int = 100
    below: int = 1 << 62
    support: bool = False
    on: str = ""

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)] if self.own else [Administration()]

    def read(self, context: ReadContext) -> list[TrailRow]:
        account, below = self._account(context), self.below
        found: list[TrailRow] = []
        while len(found) < self.limit:
            rows = self._page(context, account, below)
            found += [row for row in named(context, rows) if self._is_wanted(row)]
            if not self.on or not rows:
                break
            below = rows[-1][0]
        return found[: self.limit]

    def _account(self, context: ReadContext) -> int:
        """The account that is asked for; 0 for all."""
        if not self.space_id:
            return 0
        row = context.db.one(_OWNER, space=self.space_id)
        if row is None or not row[0]:
            raise NotFound
        account: int = row[0]
        return account

    def _page(self, context: ReadContext, account: int, below: int) -> list[Row]:
        limit = AT_ONCE if self.on else self.limit
        bounds = {"below": below, "limit": limit, "support": int(self.support)}
        if account:
            return context.db.all(_TRAIL_OF, account=account, **bounds)
        return context.db.all(_TRAIL_ALL, **bounds)

    def _is_wanted(self, row: TrailRow) -> bool:
        text = self.on.casefold()
        return any(text in each.casefold() for each in (row.detail, *row.names))


def named(context: ReadContext, rows: Sequence[Row]) -> list[TrailRow]:
    """Rows with what their collections are called now: tool and name, or the number alone."""
    numbers = sorted({int(number) for row in rows for number in row[12].split()})
    names: dict[int, str] = {}
    for start in range(0, len(numbers), AT_ONCE):
        some = number_list(numbers[start : start + AT_ONCE])
        called = Statement(f"SELECT id, tool, name, shown FROM collections WHERE id IN ({some})")  # noqa: S608
        for id_, tool, name, shown in context.db.all(called):
            names[id_] = f"{tool}: {shown or name}".rstrip(": ")
    return [_trail_row(row, names) for row in rows]


def _trail_row(row: Row, names: Mapping[int, str]) -> TrailRow:
    collections = tuple(map(int, row[12].split()))
    called = tuple(names.get(number, f"no. {number}") for number in collections)
    values: list[Any] = [*row[:12], collections, row[13], called]
    return TrailRow(*values)


@dataclass(frozen=True, slots=True)
class CheckTrail(View[TrailCheck]):
    """Reads the whole audit trail and finds what was changed in it.

    ``number`` is a row that must have the hash ``hash`` still; 0 for none.
    """

    number: int = 0
    hash: str = ""

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def read(self, context: ReadContext) -> TrailCheck:
        found = check_trail(context.db)
        if self.number:
            row = context.db.one(_HASH, id=self.number)
            if row is None or row[0] != self.hash.lower():
                problem = f"row {self.number} is not the one that was noted"
                return replace(found, broken=(problem, *found.broken))
        return found
