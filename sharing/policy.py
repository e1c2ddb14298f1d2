"""Decides rights. Enforcement is the storage transaction's alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from folkmoot.storage.policy import CollectionFacts, SpaceFacts
from folkmoot.storage.types import ALL_RIGHTS, Actor, ActorKind, Right


class OwnerPolicy:
    """Everything is private: the owner of a space has all rights in it, others none.

    The system (deliveries, the command line, upkeep) acts with a stated reason: it may put mail
    into a mailbox and administer accounts, but it never reads what people keep.
    """

    SYSTEM_RIGHTS = Right.LOOKUP | Right.POST

    def rights(self, actor: Actor, collections: Sequence[CollectionFacts]) -> Mapping[int, Right]:
        if actor.kind is ActorKind.SYSTEM:
            return {facts.id: self.SYSTEM_RIGHTS for facts in collections}
        return {
            facts.id: ALL_RIGHTS
            for facts in collections
            if facts.owner_account_id == actor.account_id
        }

    def knows(self, actor: Actor, spaces: Sequence[SpaceFacts]) -> set[int]:
        if actor.kind is ActorKind.SYSTEM:
            return {space.id for space in spaces}
        return {space.id for space in spaces if space.owner_account_id == actor.account_id}

    def may_administer(self, actor: Actor) -> bool:
        return actor.kind is ActorKind.SYSTEM

    def may_manage(self, actor: Actor, space: SpaceFacts) -> bool:
        return actor.kind is ActorKind.ACCOUNT and space.owner_account_id == actor.account_id
