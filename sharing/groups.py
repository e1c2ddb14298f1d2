"""What is done with groups as a whole: for the command line, files and tests.

Names are taken as people write them and normalised here. All methods return Deferreds that fail
with storage errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.rights import LETTERS, from_letters
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.groups import (
    AddMember,
    CreateGroup,
    DeleteGroup,
    RemoveMember,
    RenameGroup,
    SetGroupAdministrator,
    SetMemberRights,
)
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor, Right, Tool
from folkmoot.storage.types_groups import Group, GroupDetails, NewGroup
from folkmoot.storage.upkeep import sweep_bodies
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.groups import FindGroup, ListGroups, ShowGroup

T = TypeVar("T")

#: Named sets of rights. Reading is what every member may do anyway.
READ: Final = Right.NONE
WRITE: Final = (
    Right.FLAGS
    | Right.INSERT
    | Right.POST
    | Right.EDIT
    | Right.DELETE
    | Right.EXPUNGE
    | Right.CREATE
    | Right.REMOVE
)
_LEVELS: Final = {"read": READ, "write": WRITE}
#: What no member row has to say: every member has it, or only the administrator does.
_NOT_GIVEN: Final = Right.LOOKUP | Right.READ | Right.BUSY | Right.SEEN | Right.SHARE


def rights_named(text: str) -> Right:
    """``read``, ``write``, or letters of RFC 4314; ``w`` changes events, contacts and files too.

    Raises ``ValueError``.
    """
    level = _LEVELS.get(text)
    if level is not None:
        return level
    rights = from_letters(text)
    if Right.SHARE in rights:
        raise ValueError("Only the administrator of a group may give rights")
    if Right.FLAGS in rights:
        rights |= Right.EDIT
    return rights & ~_NOT_GIVEN


def rights_text(rights: Right) -> str:
    """The name of rights, or their letters."""
    for name, level in _LEVELS.items():
        if rights == level:
            return name
    return "".join(letter for letter, right in LETTERS.items() if right & rights)


class Groups:
    """The groups of a store; ``reason`` stands in the audit trail."""

    def __init__(self, store: Store, *, reason: str = "administration") -> None:
        self._store = store
        self._actor = Actor.system(reason)

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

    def groups(self) -> Deferred[list[Group]]:
        """All groups by address."""
        return self._store.read(self._actor, "groups", lambda txn: txn.view(ListGroups()))

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
            address, lambda txn, group: AddMember(group, _account(txn, account), rights or {})
        )

    def remove_member(self, address: str, account: str) -> Deferred[None]:
        """Take an account out, at once. Raises ``Unchangeable`` for the administrator."""
        return self._change(address, lambda txn, group: RemoveMember(group, _account(txn, account)))

    def set_rights(
        self, address: str, account: str, rights: Mapping[Tool, Right]
    ) -> Deferred[None]:
        """What a member may do in tools beyond reading; tools left out stay as they are."""
        return self._change(
            address, lambda txn, group: SetMemberRights(group, _account(txn, account), rights)
        )

    def hand_over(self, address: str, account: str) -> Deferred[None]:
        """Make another member the administrator. Raises ``NotFound``, ``LimitReached``."""
        return self._change(
            address, lambda txn, group: SetGroupAdministrator(group, _account(txn, account))
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
    return txn.view(FindAccount(normalize_address(address))).id
