"""Decides rights. Enforcement is the storage transaction's alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from folkmoot.storage.policy import Circle, CollectionFacts, SpaceFacts
from folkmoot.storage.types import ALL_RIGHTS, Actor, ActorKind, Right, Tool

#: What every member may do in the space of the group.
MEMBER: Final = Right.LOOKUP | Right.READ | Right.BUSY | Right.SEEN


class GroupPolicy:
    """Everything is private but for groups.

    The owner of a space has all rights in it; so has the administrator of a group in the group's.
    Members read what the group has, and may do there what was given to each for each tool. Members
    of one group learn when the others are busy, and nothing else: their calendars look absent.

    The system (deliveries, the command line, upkeep) acts with a stated reason: it may put mail
    into a mailbox and administer accounts, but it never reads what people keep.
    """

    SYSTEM_RIGHTS = Right.LOOKUP | Right.POST

    def rights(
        self, actor: Actor, collections: Sequence[CollectionFacts], circle: Circle
    ) -> Mapping[int, Right]:
        if actor.kind is ActorKind.SYSTEM:
            return {facts.id: self.SYSTEM_RIGHTS for facts in collections}
        found = {facts.id: _rights(actor, facts, circle) for facts in collections}
        return {id_: rights for id_, rights in found.items() if rights}

    def knows(self, actor: Actor, spaces: Sequence[SpaceFacts], circle: Circle) -> set[int]:
        if actor.kind is ActorKind.SYSTEM:
            return {space.id for space in spaces}
        return {
            space.id
            for space in spaces
            if space.owner_account_id == actor.account_id
            or space.id in circle.memberships
            or space.id in circle.fellows
        }

    def may_administer(self, actor: Actor) -> bool:
        return actor.kind is ActorKind.SYSTEM

    def may_manage(self, actor: Actor, space: SpaceFacts) -> bool:
        return actor.kind is ActorKind.ACCOUNT and space.owner_account_id == actor.account_id

    def may_lead(self, actor: Actor, space: SpaceFacts, circle: Circle) -> bool:
        if actor.kind is ActorKind.SYSTEM:
            return True
        membership = circle.memberships.get(space.id)
        return membership is not None and membership.administrator


def _rights(actor: Actor, facts: CollectionFacts, circle: Circle) -> Right:
    if facts.owner_account_id == actor.account_id:
        return ALL_RIGHTS
    membership = circle.memberships.get(facts.space_id)
    if membership is not None:
        if membership.administrator:
            return ALL_RIGHTS
        return MEMBER | membership.rights.get(facts.tool, Right.NONE)
    if facts.tool is Tool.CALENDAR and facts.space_id in circle.fellows:
        return Right.BUSY
    return Right.NONE
