"""Who is who to an actor, and what it shares of the tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from folkmoot.sharing.guard import check_conditions
from folkmoot.sharing.tree_locking import TreeLocking, node_of
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.errors import InvalidName
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.mutations.item_grants import ShareItem, UnshareItem
from folkmoot.storage.mutations.tree_properties import TouchFolder
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Right
from folkmoot.storage.types_sharing import Access
from folkmoot.storage.types_tree import UNGUARDED, Folder, Guard, Item, Principal, TreePath
from folkmoot.storage.views.access import ReadAccess
from folkmoot.storage.views.grants import GrantsOn
from folkmoot.storage.views.principals import BelongingTo, FindParty, MyCircle


class TreeSharing(TreeLocking):
    """What is asked and done about sharing. All methods return Deferreds."""

    def circle(self) -> Deferred[list[Principal]]:
        """The groups that the actor is in, and its fellow members."""
        return self._read("circle", lambda txn: txn.view(MyCircle()))

    def party(self, address: str) -> Deferred[Principal | None]:
        """The group or fellow member with a mail address; None for everybody else."""

        def work(txn: ReadTxn) -> Principal | None:
            try:
                return txn.view(FindParty(normalize_address(address)))
            except InvalidName:
                return None

        return self._read("party", work)

    def belonging(self, space_id: int) -> Deferred[tuple[list[int], list[int]]]:
        """The spaces of the members of a group, and of the groups that an account is in."""
        return self._read("members", lambda txn: txn.view(BelongingTo(space_id)))

    def access(self, folder_ids: Sequence[int]) -> Deferred[Mapping[int, Access]]:
        """Who may do what with those of the folders that the actor may share."""
        view = ReadAccess(tuple(folder_ids))
        return self._read("access", lambda txn: txn.view(view))

    def share(
        self,
        path: TreePath,
        changes: Mapping[int, Right | None],
        guard: Guard = UNGUARDED,
        *,
        others: bool = True,
    ) -> Deferred[None]:
        """Grant rights on a folder to groups and accounts by their spaces, on an item to groups;
        take them back (None).

        ``others`` False takes them from everybody else. Raises ``PermissionDenied`` for those who
        are in no group with the owner, ``Unchangeable`` for what is not shared.
        """

        def work(txn: Txn) -> None:
            found = self._find(txn, path)
            node = node_of(found)
            check_conditions(txn, found, guard)
            if isinstance(node, Folder):
                there = txn.view(GrantsOn(node.id))
            else:
                there = txn.view(GrantsOn(node.folder_id, node.id))
            granted = {grant.grantee: grant.rights for grant in there}
            wanted = dict(changes)
            if not others:
                wanted = {**dict.fromkeys(granted), **wanted}
            for grantee, rights in wanted.items():
                if rights is None:
                    if grantee in granted:
                        txn.apply(_ended(node, grantee))
                elif granted.get(grantee) != rights:
                    txn.apply(_given(node, grantee, rights))
            if wanted and isinstance(node, Folder):  # what is shown of it has changed
                txn.apply(TouchFolder(node))

        return self._run("share", work)


def _given(node: Folder | Item, grantee: int, rights: Right) -> Mutation[Any]:
    if isinstance(node, Folder):
        return Share(node.id, grantee, rights)
    return ShareItem(node.folder_id, node.id, grantee, rights)


def _ended(node: Folder | Item, grantee: int) -> Mutation[Any]:
    if isinstance(node, Folder):
        return Unshare(node.id, grantee)
    return UnshareItem(node.folder_id, node.id, grantee)
