"""Decides rights. Enforcement is the storage transaction's alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from folkmoot.storage.policy import (
    Circle,
    CollectionFacts,
    DomainFacts,
    Granted,
    Membership,
    SpaceFacts,
)
from folkmoot.storage.types import ALL_RIGHTS, FEATURE_OF_TOOL, Actor, ActorKind, Right, Tool
from folkmoot.storage.types_sharing import COLLEAGUES, DROP_FOLDER, SHARED_ITEMS

#: What every member may do in the space of the group.
MEMBER: Final = Right.LOOKUP | Right.READ | Right.BUSY | Right.SEEN
#: What only owners have, who decide what is shared.
NEVER_GRANTED: Final = Right.SHARE
#: What a support agent may do at most in the account of a customer: neither share nor send.
SUPPORTING: Final = ALL_RIGHTS & ~(Right.SHARE | Right.SEND_AS)
LOOKING: Final = Right.LOOKUP | Right.READ | Right.BUSY
#: What fellow members may do in each other's drop folders.
DROP: Final = Right.LOOKUP | Right.INSERT


class GroupPolicy:
    """Everything is private but for groups, and for what owners grant to groups and fellow members.

    The owner of a space has all rights in it; so has the administrator of a group in the group's.
    Members read what the group has, and may do there what was given to each for each tool, or what
    was granted to all of them on a collection. Members of one group learn when the others are busy,
    and may put files into each other's drop folders; else their things look absent unless granted.

    A tool that the actor's plan does not have is nowhere, neither its own nor those of groups.

    Who administers a domain has no rights on anything that its people keep.

    A support agent may do in an account what the grant of its owner lets it do, and never share,
    send, manage the account, lead groups or administer anything.

    The system (deliveries, the command line, upkeep) acts with a stated reason: it may put mail
    into a mailbox, administer accounts and what is shared, but it never reads what people keep.
    """

    SYSTEM_RIGHTS = Right.LOOKUP | Right.POST | Right.SHARE

    def rights(
        self, actor: Actor, collections: Sequence[CollectionFacts], circle: Circle
    ) -> Mapping[int, Right]:
        if actor.kind is ActorKind.SYSTEM:
            return {facts.id: self.SYSTEM_RIGHTS for facts in collections}
        found = {
            facts.id: _rights(actor, facts, circle) & _most(actor, facts)
            for facts in collections
            if FEATURE_OF_TOOL[facts.tool] not in actor.withheld
        }
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

    def may_administer_domain(self, actor: Actor, domain: DomainFacts) -> bool:
        if actor.kind is ActorKind.SYSTEM:
            return True
        # What a device's password opens is that device's to read, not a domain to rule.
        own = actor.kind is ActorKind.ACCOUNT and not actor.credential_id
        return own and domain.administered

    def may_manage(self, actor: Actor, space: SpaceFacts, *, look: bool = False) -> bool:
        if actor.kind is ActorKind.SYSTEM or space.owner_account_id != actor.account_id:
            return False
        return look or actor.kind is ActorKind.ACCOUNT

    def may_lead(self, actor: Actor, space: SpaceFacts, circle: Circle) -> bool:
        if actor.kind is ActorKind.SYSTEM:
            return True
        membership = circle.memberships.get(space.id)
        leads = membership is not None and membership.administrator
        return leads and actor.kind is ActorKind.ACCOUNT


def _most(actor: Actor, facts: CollectionFacts) -> Right:
    """What an actor may do at most: a support agent, what the customer let it do."""
    support = actor.support
    if support is None:
        return ALL_RIGHTS if actor.kind is ActorKind.ACCOUNT else Right.NONE
    if facts.tool not in support.tools:
        return Right.NONE
    of_others = facts.space_id != actor.space_id or facts.special == COLLEAGUES
    if of_others and not support.with_groups:
        return Right.NONE
    return LOOKING if support.read_only else SUPPORTING


def _rights(actor: Actor, facts: CollectionFacts, circle: Circle) -> Right:
    if facts.owner_account_id == actor.account_id:
        return MEMBER if facts.special == COLLEAGUES else ALL_RIGHTS
    grants = nearest(circle.grants.get(facts.id, ()))
    membership = circle.memberships.get(facts.space_id)
    if membership is not None:
        return _in_group(membership, facts, grants)
    if facts.space_id in circle.fellows:
        return _of_fellow(facts, grants)
    return Right.NONE


def _in_group(membership: Membership, facts: CollectionFacts, grants: Mapping[int, Right]) -> Right:
    """What a member may do with something of the group."""
    if facts.tool not in membership.tools:
        return Right.NONE
    if facts.special == SHARED_ITEMS:  # what others share here is theirs
        return MEMBER
    if membership.administrator:
        return ALL_RIGHTS
    of_all = MEMBER | membership.rights.get(facts.tool, Right.NONE)
    rights = grants.get(facts.space_id, of_all)
    for grantee, granted in grants.items():
        if grantee != facts.space_id:
            rights |= granted
    return rights & ~NEVER_GRANTED


def _of_fellow(facts: CollectionFacts, grants: Mapping[int, Right]) -> Right:
    """What somebody may do with a thing of another account in the same group."""
    rights = Right.NONE
    for granted in grants.values():
        rights |= granted
    if facts.tool is Tool.CALENDAR:
        rights |= Right.BUSY
    if facts.special == DROP_FOLDER:
        rights |= DROP
    return rights & ~NEVER_GRANTED


def nearest(grants: Iterable[Granted]) -> dict[int, Right]:
    """What counts of the grants on a thing and above it: for each grantee the nearest one."""
    found: dict[int, Granted] = {}
    for granted in grants:
        known = found.get(granted.grantee)
        if known is None or granted.distance < known.distance:
            found[granted.grantee] = granted
    return {grantee: granted.rights for grantee, granted in found.items()}
