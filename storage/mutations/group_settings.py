"""Mutations of how a group takes mail: its tools, its addresses, who posts, who gets copies."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import ClassVar

from folkmoot.storage.addresses import split_address
from folkmoot.storage.circle import TOOLS
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import LimitReached, NotFound, Unchangeable
from folkmoot.storage.gate import Need, OnDomain, OnGroup
from folkmoot.storage.mutations.accounts import MAX_ADDRESSES, claim_address
from folkmoot.storage.mutations.domains import domain_id
from folkmoot.storage.mutations.groups import GroupMutation, tell_member
from folkmoot.storage.mutations.spaces import announce
from folkmoot.storage.txn import WriteContext
from folkmoot.storage.types import Tool
from folkmoot.storage.types_groups import Posting

_SET = Statement(
    "UPDATE groups SET posting = COALESCE(:posting, posting), tools = COALESCE(:tools, tools)"
    " WHERE id = :id"
)
_MEMBERS = Statement("SELECT account_id FROM members WHERE group_id = :id")
_SET_FORWARD = Statement(
    "UPDATE members SET forward = :forward WHERE group_id = :group AND account_id = :account"
)
_ADDRESS = Statement("SELECT address FROM groups WHERE id = :id")
_COUNT_ADDRESSES = Statement("SELECT COUNT(*) FROM addresses WHERE group_id = :id")
_INSERT_ADDRESS = Statement("INSERT INTO addresses (address, group_id) VALUES (:address, :id)")
_DELETE_ADDRESS = Statement("DELETE FROM addresses WHERE address = :address AND group_id = :id")


@dataclass(frozen=True, slots=True)
class SetGroupSettings(GroupMutation[None]):
    """Say who may write to a group's address, and which tools the group uses; None: as it is.

    What a tool holds that is not used any more stays, and nobody sees it.
    """

    group_id: int
    posting: Posting | None = None
    tools: AbstractSet[Tool] | None = None

    def write(self, context: WriteContext) -> None:
        space, _ = self.hold(context)
        tools = None
        if self.tools is not None:
            tools = " ".join(tool.value for tool in TOOLS if tool in self.tools)
        posting = None if self.posting is None else self.posting.value
        context.db.run(_SET, id=self.group_id, posting=posting, tools=tools)
        if tools is not None:
            announce(context, space)
            for (account,) in context.db.all(_MEMBERS, id=self.group_id):
                tell_member(context, account)


@dataclass(frozen=True, slots=True)
class SetMemberForward(GroupMutation[None]):
    """Say whether mail to the group goes to a member's own INBOX as well. Raises ``NotFound``."""

    group_id: int
    account_id: int
    forward: bool

    def write(self, context: WriteContext) -> None:
        self.hold(context)
        if not set_forward(context, self.group_id, self.account_id, self.forward):
            raise NotFound("The account is not a member.")


def set_forward(context: WriteContext, group_id: int, account_id: int, forward: bool) -> bool:
    """Write it down; false for somebody who is no member."""
    changed = context.db.run(_SET_FORWARD, group=group_id, account=account_id, forward=int(forward))
    return bool(changed)


class _AliasMutation(GroupMutation[None]):
    """Who gets an address is for those who administer its domain to say, as with accounts."""

    abstract: ClassVar[bool] = True
    address: str

    def needs(self) -> Sequence[Need]:
        return [OnDomain(split_address(self.address)[1]), OnGroup(self.group_id, domain=True)]


@dataclass(frozen=True, slots=True)
class AddGroupAddress(_AliasMutation):
    """Let another address reach a group (an alias). Its domain must be served here.

    Raises ``AlreadyExists``, ``LimitReached``, ``NotFound``.
    """

    group_id: int
    address: str

    def write(self, context: WriteContext) -> None:
        self.hold(context)
        domain_id(context, split_address(self.address)[1])
        claim_address(context, self.address)
        if context.db.value(_COUNT_ADDRESSES, id=self.group_id) >= MAX_ADDRESSES:
            raise LimitReached("The group has too many addresses.")
        context.db.run(_INSERT_ADDRESS, id=self.group_id, address=self.address)


@dataclass(frozen=True, slots=True)
class RemoveGroupAddress(_AliasMutation):
    """Take an alias away. Raises ``Unchangeable`` for the primary address, ``NotFound``."""

    group_id: int
    address: str

    def write(self, context: WriteContext) -> None:
        self.hold(context)
        if self.address == context.db.value(_ADDRESS, id=self.group_id):
            raise Unchangeable("The primary address of a group cannot be removed.")
        if not context.db.run(_DELETE_ADDRESS, id=self.group_id, address=self.address):
            raise NotFound("The group has no such alias.")
