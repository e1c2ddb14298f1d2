"""Mutations of how a group takes mail: its tools, its addresses, who posts, who gets copies."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from folkmoot.storage.addresses import split_address
from folkmoot.storage.circle import TOOLS
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import LimitReached, NotFound, Unchangeable
from folkmoot.storage.mutations.accounts import MAX_ADDRESSES, AccountMutation, claim_address
from folkmoot.storage.mutations.domains import domain_id
from folkmoot.storage.mutations.groups import GroupMutation, lock_group, tell_member
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
        space, _ = lock_group(context, self.group_id)
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
        lock_group(context, self.group_id)
        changed = context.db.run(
            _SET_FORWARD,
            group=self.group_id,
            account=self.account_id,
            forward=int(self.forward),
        )
        if not changed:
            raise NotFound("The account is not a member.")


@dataclass(frozen=True, slots=True)
class AddGroupAddress(AccountMutation[None]):
    """Let another address reach a group (an alias). Its domain must be served here.

    Who gets an address is for administration to say, as with those of accounts. Raises
    ``AlreadyExists``, ``LimitReached``, ``NotFound``.
    """

    group_id: int
    address: str

    def write(self, context: WriteContext) -> None:
        lock_group(context, self.group_id)
        domain_id(context, split_address(self.address)[1])
        claim_address(context, self.address)
        if context.db.value(_COUNT_ADDRESSES, id=self.group_id) >= MAX_ADDRESSES:
            raise LimitReached("The group has too many addresses.")
        context.db.run(_INSERT_ADDRESS, id=self.group_id, address=self.address)


@dataclass(frozen=True, slots=True)
class RemoveGroupAddress(AccountMutation[None]):
    """Take an alias away. Raises ``Unchangeable`` for the primary address, ``NotFound``."""

    group_id: int
    address: str

    def write(self, context: WriteContext) -> None:
        lock_group(context, self.group_id)
        if self.address == context.db.value(_ADDRESS, id=self.group_id):
            raise Unchangeable("The primary address of a group cannot be removed.")
        if not context.db.run(_DELETE_ADDRESS, id=self.group_id, address=self.address):
            raise NotFound("The group has no such alias.")
