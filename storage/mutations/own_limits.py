"""Mutations of own limits: what a tool may hold where that is to be less than the plan gives.

What is over such a limit stays, and nothing is added until there is room again. A tool that is
left out keeps its limit; a resource that is None has none of its own any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnGroup, OnSpace
from folkmoot.storage.limits import set_own_limit
from folkmoot.storage.mutations.accounts import AccountMutation
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.groups import GroupMutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import OwnLimit, Tool, Topic

_SPACE = Statement("SELECT space_id FROM accounts WHERE id = :id")


@dataclass(frozen=True, slots=True)
class LimitOwnSpace(Mutation[None]):
    """Limit what is one's own."""

    audited: ClassVar[bool] = True

    space_id: int
    limits: Mapping[Tool, OwnLimit]

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def trail_note(self) -> str:
        return _note(self.limits)

    def write(self, context: WriteContext) -> None:
        _limit(context, self.space_id, self.limits)


@dataclass(frozen=True, slots=True)
class LimitGroup(GroupMutation[None]):
    """Limit what a group has; who leads it later finds the limit, and may end it.

    ``domain``: it is asked for as administration, which those may do too who administer the domain.
    """

    group_id: int
    limits: Mapping[Tool, OwnLimit]
    domain: bool = False

    def needs(self) -> Sequence[Need]:
        return [OnGroup(self.group_id, self.domain)]

    def trail_note(self) -> str:
        return _note(self.limits)

    def write(self, context: WriteContext) -> None:
        space, _ = self.hold(context)
        _limit(context, space, self.limits)


@dataclass(frozen=True, slots=True)
class LimitAccount(AccountMutation[None]):
    """Set the own limits of an account for its person, who may change them. Raises ``NotFound``."""

    account_id: int
    limits: Mapping[Tool, OwnLimit]

    def trail_note(self) -> str:
        return _note(self.limits)

    def write(self, context: WriteContext) -> None:
        row = context.db.one(_SPACE, id=self.account_id)
        if row is None:
            raise NotFound("There is no such account.")
        _limit(context, row[0], self.limits)


def _limit(context: WriteContext, space: int, limits: Mapping[Tool, OwnLimit]) -> None:
    for tool in Tool:  # rows are taken in one order, so that two cannot wait for each other
        if tool in limits:
            set_own_limit(context.db, space, tool, limits[tool])
    context.hint(Topic.SPACE, space)


def _note(limits: Mapping[Tool, OwnLimit]) -> str:
    return "; ".join(f"{tool.value}: {limits[tool]}" for tool in Tool if tool in limits)
