"""What the store needs from the layers above it: decisions, never enforcement.

``sharing.policy`` decides rights, ``quota.ledger`` decides capacities. The store calls them in
every transaction and cannot be built without them; if a decision cannot be made, nothing is
written (``Unavailable``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from folkmoot.storage.types import Actor, Right, Tool


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """What a decision about a collection may depend on.

    ``owner_account_id`` is 0 in the space of a group. ``special`` is the special use of the
    collection, "" for most.
    """

    id: int
    space_id: int
    owner_account_id: int
    tool: Tool
    special: str


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """What a decision about a whole space (its limits, its secrets) may depend on."""

    id: int
    owner_account_id: int


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """What a decision about a mail domain may depend on. ``administered`` says that the actor's
    account is in it, and was made an administrator of it."""

    id: int
    administered: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """What an account is in a group. ``rights`` are those of its own, beside every member's;
    ``tools`` are those that the group uses."""

    group_id: int
    administrator: bool
    rights: Mapping[Tool, Right]
    tools: frozenset[Tool]


@dataclass(frozen=True, slots=True)
class Granted:
    """Rights given to a principal (by its space) on a collection that is ``distance`` levels above
    the one that a decision is about: 0 for itself, -1 for the one item in it."""

    grantee: int
    distance: int
    rights: Right


@dataclass(frozen=True, slots=True)
class Circle:
    """Whom an actor has to do with, as it is in this transaction.

    ``memberships`` are by the space of the group; ``fellows`` are the spaces of those who are in
    a group with the actor; ``grants`` are those to the actor or to its groups, by the collection
    that the decision is about. What the decision is not about may be left out.
    """

    memberships: Mapping[int, Membership] = field(default_factory=dict)
    fellows: frozenset[int] = frozenset()
    grants: Mapping[int, Sequence[Granted]] = field(default_factory=dict)


#: Of somebody who asks for nothing but their own.
ALONE = Circle()


@dataclass(frozen=True, slots=True)
class Charge:
    """What an operation adds to (or, negative, takes from) a space's tool.

    ``largest`` is the size of the largest single item that its owner or a member adds, 0 where
    others bring it (mail that comes in). ``exempt`` is what has to be told in spite of limits.
    """

    space_id: int
    tool: Tool
    bytes: int
    items: int
    largest: int = 0
    exempt: bool = False


@dataclass(frozen=True, slots=True)
class Balance:
    """Used and allowed amounts of one tool in one space, before a charge."""

    bytes_used: int
    bytes_limit: int | None
    items_used: int
    items_limit: int | None
    largest_item: int | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail: who did what to which collections."""

    actor: Actor
    label: str
    operation: str
    collections: Sequence[int]
    detail: str = ""


class Authorizer(Protocol):
    """Decides rights. Implemented by ``sharing.policy``."""

    def rights(
        self, actor: Actor, collections: Sequence[CollectionFacts], circle: Circle
    ) -> Mapping[int, Right]:
        """The actor's rights on each collection, by id; a missing id means none."""
        ...

    def knows(self, actor: Actor, spaces: Sequence[SpaceFacts], circle: Circle) -> set[int]:
        """The ids of those spaces whose owners (name, addresses) the actor may know."""
        ...

    def may_administer(self, actor: Actor) -> bool:
        """Whether the actor may create, change and delete domains and accounts."""
        ...

    def may_administer_domain(self, actor: Actor, domain: DomainFacts) -> bool:
        """Whether the actor may administer the accounts and groups of a domain."""
        ...

    def may_manage(self, actor: Actor, space: SpaceFacts, *, look: bool = False) -> bool:
        """Whether the actor may change what belongs to the person (passwords, subscriptions).

        ``look``: whether it may see that.
        """
        ...

    def may_lead(self, actor: Actor, space: SpaceFacts, circle: Circle) -> bool:
        """Whether the actor may change the group that owns a space, and who is in it."""
        ...


class Ledger(Protocol):
    """Decides capacities. Implemented by ``quota.ledger``."""

    def check(self, charge: Charge, balance: Balance) -> None:
        """Return if the charge fits; raise ``OverQuota`` otherwise. Releases always fit."""
        ...


class Auditor(Protocol):
    """Decides which operations leave a trail, and what it says."""

    def entry(
        self,
        actor: Actor,
        label: str,
        operation: str,
        collections: Sequence[int],
        audited: bool,
    ) -> AuditEntry | None:
        """The row to write in the same transaction, or None when this leaves no trail.

        ``audited`` is what the operation says of itself (accounts and domains always do).
        """
        ...
