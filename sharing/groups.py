"""What is done with groups as a whole: for the command line, files and tests.

Names are taken as people write them and normalised here. All methods return Deferreds that fail
with storage errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.policy import MEMBER, NEVER_GRANTED
from folkmoot.storage.addresses import normalize_address, normalize_domain
from folkmoot.storage.errors import NotFound
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.group_settings import (
    AddGroupAddress,
    RemoveGroupAddress,
    SetGroupSettings,
    SetMemberForward,
)
from folkmoot.storage.mutations.groups import (
    AddMember,
    CreateGroup,
    DeleteGroup,
    RemoveMember,
    RenameGroup,
    SetGroupAdministrator,
    SetMemberRights,
)
from folkmoot.storage.mutations.own_groups import FoundGroup, LeaveGroup
from folkmoot.storage.mutations.own_limits import LimitGroup
from folkmoot.storage.notices import excess_notice
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor, ActorKind, OwnLimit, Right, Tool
from folkmoot.storage.types_accounts import Excess
from folkmoot.storage.types_groups import Group, GroupDetails, NewGroup, Posting
from folkmoot.storage.upkeep import sweep_bodies
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.groups import FindGroup, ListGroups, ShowGroup
from folkmoot.storage.views.principals import FindPrincipal

T = TypeVar("T")


class Groups:
    """The groups of a store, for the operator or (``actor``) for somebody who signed in.

    The gate lets people do what is theirs: make groups and go out of them, lead those that they
    administer, and order those of a domain that they administer. ``reason`` stands in the audit
    trail of what the operator does.
    """

    def __init__(
        self, store: Store, *, reason: str = "administration", actor: Actor | None = None
    ) -> None:
        self._store = store
        self._actor = actor or Actor.system(reason)

    def acting_as(self, actor: Actor) -> Groups:
        """The same for somebody who signed in."""
        return Groups(self._store, actor=actor)

    def found(self, address: str, name: str = "") -> Deferred[Group]:
        """Make a group of the actor's own, in its domain; as ``create``.

        Raises ``PermissionDenied`` too, for addresses elsewhere and those of the domain itself.
        """

        async def found() -> Group:
            primary = normalize_address(address)
            shown = name or primary.partition("@")[0].replace("/", "-")
            mutation = FoundGroup(self._actor.space_id, primary, shown)

            def work(txn: Txn) -> Group:
                txn.apply(mutation)
                return txn.view(FindGroup(primary))

            return await self._store.run(self._actor, f"found group {primary}", work)

        return Deferred.fromCoroutine(found())

    def leave(self, address: str) -> Deferred[None]:
        """Go out of a group. Raises ``Unchangeable`` for its administrator, ``NotFound``."""
        return self._change(address, lambda txn, group: LeaveGroup(self._actor.space_id, group))

    def create(self, address: str, administrator: str, name: str = "") -> Deferred[Group]:
        """Make a group; without a name it is called like the front of its address.

        Raises ``AlreadyExists``, ``NotFound`` (domain, account), ``InvalidName``, ``LimitReached``.
        """

        async def create() -> Group:
            primary, admin = normalize_address(address), normalize_address(administrator)
            shown = name or primary.partition("@")[0].replace("/", "-")

            def work(txn: Txn) -> Group:
                account = txn.view(FindAccount(admin)).id
                txn.apply(CreateGroup(NewGroup(primary, shown, account)))
                return txn.view(FindGroup(primary))

            return await self._store.run(self._actor, f"create group {primary}", work)

        return Deferred.fromCoroutine(create())

    def groups(self, domain: str | None = None) -> Deferred[list[Group]]:
        """All groups by address, or those of one domain."""

        async def groups() -> list[Group]:
            view = ListGroups(normalize_domain(domain) if domain is not None else "")
            return await self._store.read(self._actor, "groups", lambda txn: txn.view(view))

        return Deferred.fromCoroutine(groups())

    def show(self, address: str) -> Deferred[GroupDetails]:
        """A group with its members and what it uses. Raises ``NotFound``."""

        async def show() -> GroupDetails:
            view = ShowGroup(normalize_address(address))
            return await self._store.read(self._actor, "group", lambda txn: txn.view(view))

        return Deferred.fromCoroutine(show())

    def rename(self, address: str, name: str) -> Deferred[None]:
        """Call it something else. Raises ``InvalidName``."""
        return self._change(address, lambda txn, group: RenameGroup(group, name))

    def delete(self, address: str) -> Deferred[None]:
        """Destroy a group and all that it has, the octets as well."""

        async def delete() -> None:
            await self._change(address, lambda txn, group: DeleteGroup(group))
            await self._store.compute(lambda: sweep_bodies(self._store, -1))

        return Deferred.fromCoroutine(delete())

    def add_member(
        self, address: str, account: str, rights: Mapping[Tool, Right] | None = None
    ) -> Deferred[None]:
        """Take an account in. Raises ``AlreadyExists``, ``LimitReached``."""
        return self._change(
            address,
            lambda txn, group: AddMember(group, _account(txn, account), _beyond(rights or {})),
        )

    def remove_member(self, address: str, account: str) -> Deferred[None]:
        """Take an account out, at once. Raises ``Unchangeable`` for the administrator."""
        return self._change(address, lambda txn, group: RemoveMember(group, _account(txn, account)))

    def set_rights(
        self, address: str, account: str, rights: Mapping[Tool, Right]
    ) -> Deferred[None]:
        """What a member may do in tools beyond reading; tools left out stay as they are."""
        return self._change(
            address,
            lambda txn, group: SetMemberRights(group, _account(txn, account), _beyond(rights)),
        )

    def hand_over(self, address: str, account: str) -> Deferred[None]:
        """Make another member the administrator, whose plan the group follows from now on.

        Who gets more with it than that plan allows is told so. Raises ``NotFound``,
        ``LimitReached``, ``NotInPlan``.
        """

        async def hand_over() -> None:
            found: list[int] = []

            def make(txn: ReadTxn, group: int) -> SetGroupAdministrator:
                found.append(_account(txn, account))
                return SetGroupAdministrator(group, found[-1])

            excess = await self._change(address, make)
            if excess:
                await self._tell(found[-1], normalize_address(account), excess)

        return Deferred.fromCoroutine(hand_over())

    async def _tell(self, account_id: int, address: str, excess: Sequence[Excess]) -> None:
        """The new administrator hears it from the server, not from who handed over."""
        notice = excess_notice(self._store, account_id, address, excess)
        system = Actor.system("a group was handed over")
        await self._store.run(system, "notice", lambda txn: txn.apply(notice))

    def set_settings(
        self,
        address: str,
        posting: Posting | None = None,
        tools: AbstractSet[Tool] | None = None,
    ) -> Deferred[None]:
        """Say who may write to the group, and which tools it uses; None: as it is."""
        return self._change(address, lambda txn, group: SetGroupSettings(group, posting, tools))

    def limit(self, address: str, limits: Mapping[Tool, OwnLimit]) -> Deferred[None]:
        """Let tools of the group hold less than its plan gives; those left out stay as they are."""
        return self._change(address, lambda txn, group: LimitGroup(group, limits, domain=True))

    def set_forward(self, address: str, account: str, forward: bool) -> Deferred[None]:
        """Say whether a member gets mail to the group in its own INBOX as well."""
        return self._change(
            address, lambda txn, group: SetMemberForward(group, _account(txn, account), forward)
        )

    def add_alias(self, address: str, alias: str) -> Deferred[None]:
        """Give it one more address. Raises ``AlreadyExists``."""
        return self._change(
            address, lambda txn, group: AddGroupAddress(group, normalize_address(alias))
        )

    def remove_alias(self, address: str, alias: str) -> Deferred[None]:
        """Take an address away. Raises ``Unchangeable`` for the first one, ``NotFound``."""
        return self._change(
            address, lambda txn, group: RemoveGroupAddress(group, normalize_address(alias))
        )

    def _change(self, address: str, make: Callable[[ReadTxn, int], Mutation[T]]) -> Deferred[T]:
        """Apply to the group with this address what ``make`` makes of its id."""

        async def change() -> T:
            primary = normalize_address(address)

            def work(txn: Txn) -> T:
                return txn.apply(make(txn, txn.view(FindGroup(primary)).id))

            return await self._store.run(self._actor, f"group {primary}", work)

        return Deferred.fromCoroutine(change())


def _account(txn: ReadTxn, address: str) -> int:
    """The account with an address; people may name others by any address that reaches them."""
    known = normalize_address(address)
    if txn.actor.kind is ActorKind.SYSTEM:
        return txn.view(FindAccount(known)).id
    principal = txn.view(FindPrincipal(known))
    if principal is None:
        raise NotFound(f"There is no account {known}.")
    return principal.account_id


def _beyond(rights: Mapping[Tool, Right]) -> dict[Tool, Right]:
    """What the row of a member says: neither what all members have nor what none can be given."""
    return {tool: each & ~(MEMBER | NEVER_GRANTED) for tool, each in rights.items()}
