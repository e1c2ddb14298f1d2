"""The tree of calendars, address books and documents as one actor sees it: what protocols call.

Every call is one transaction through the gate. Paths are resolved in it, with the tree held, so
that what a client takes for granted (``Guard``) is looked at in the moment of the write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from twisted.internet.defer import Deferred

from folkmoot.sharing import profile
from folkmoot.sharing.guard import check_conditions, check_locks
from folkmoot.sharing.intake import item_content
from folkmoot.sharing.links import followed
from folkmoot.sharing.rights import READ
from folkmoot.sharing.scheduling import cancel_all, deliver_waiting, send_changes
from folkmoot.sharing.tree_locking import NO_TIMES, node_of
from folkmoot.sharing.tree_sharing import TreeSharing
from folkmoot.storage.errors import (
    AlreadyExists,
    Conflict,
    MissingParent,
    PermissionDenied,
    PreconditionFailed,
    StorageError,
    Unavailable,
    Unchangeable,
)
from folkmoot.storage.mutations.bindings import HideBound, SetBoundProperties
from folkmoot.storage.mutations.item_grants import ShareItem, UnshareItem
from folkmoot.storage.mutations.tree_folders import (
    CopyFolder,
    CreateFolder,
    MoveFolder,
    RemoveFolder,
)
from folkmoot.storage.mutations.tree_items import (
    CopyItem,
    CreateItem,
    MoveItem,
    RemoveItem,
    ReplaceItem,
    TouchItem,
)
from folkmoot.storage.mutations.tree_properties import SetProperties, TouchFolder
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import BodySpool, Right, Tool
from folkmoot.storage.types_sharing import SHARED_ITEMS, of_group
from folkmoot.storage.types_tree import (
    SCHEDULE_INBOX,
    SCHEDULE_OUTBOX,
    UNGUARDED,
    Folder,
    Found,
    Guard,
    Item,
    ItemContent,
    ItemTimes,
    NewFolder,
    Stored,
    TreePath,
)
from folkmoot.storage.views.bound import FindPlace
from folkmoot.storage.views.sight import compared
from folkmoot.storage.views.tree import ReadFolder
from folkmoot.storage.views.tree_below import FoldersBelow
from folkmoot.storage.views.tree_foresee import ForeseePut


class Tree(TreeSharing):
    """The tree as one actor sees it. All methods return Deferreds that fail with storage errors."""

    def put(
        self,
        path: TreePath,
        body: bytes | BodySpool,
        media_type: str,
        guard: Guard = UNGUARDED,
        times: ItemTimes = NO_TIMES,
    ) -> Deferred[Stored]:
        """Store an item. What a calendar or an address book holds is read as such.

        Raises ``MissingParent``, ``AlreadyExists`` (a folder), ``RuleBroken``,
        ``PreconditionFailed``, ``LockedByOther``, ``OverQuota`` …
        """

        def prepare() -> ItemContent:
            return item_content(path.tool, body, media_type, times, self.limits)

        if path.tool is Tool.DOCUMENTS and isinstance(body, bytes):
            # Nothing but a digest is computed: not worth a change of threads.
            return self._run("put", lambda txn: self._put(txn, path, prepare(), guard))

        async def prepared() -> Stored:
            content = await self._store.compute(prepare)
            if path.tool is Tool.CONTACTS:
                return await self._run("put", lambda txn: self._put_card(txn, path, content, guard))
            if path.tool is not Tool.CALENDAR:
                return await self._run("put", lambda txn: self._put(txn, path, content, guard))
            stored, sent = await self._run(
                "put", lambda txn: self._put_object(txn, path, content, guard)
            )
            await self._deliver(sent)
            return stored

        return Deferred.fromCoroutine(prepared())

    def may_put(self, path: TreePath, size: int, guard: Guard = UNGUARDED) -> Deferred[None]:
        """Judge a PUT of ``size`` octets before its body is there: fails as ``put`` would now."""

        def work(txn: ReadTxn) -> None:
            node, parent = self._item_place(txn, followed(txn, txn.view(FindPlace(path))), guard)
            right = Right.INSERT if node is None else Right.EDIT
            growth = size if node is None else size - node.size
            more, item = int(node is None), node.id if node is not None else 0
            txn.view(ForeseePut(parent.id, right, growth, more, size, item))

        return self._read("put", work)

    def _put(self, txn: Txn, path: TreePath, content: ItemContent, guard: Guard) -> Stored:
        node, parent = self._item_place(txn, self._find(txn, path), guard)
        return self._store_item(txn, node, parent, path.names[-1], content)

    def _put_card(self, txn: Txn, path: TreePath, content: ItemContent, guard: Guard) -> Stored:
        """Store a card; fellow members see it where it is one's own."""
        node, parent = self._item_place(txn, self._find(txn, path), guard)
        stored = self._store_item(txn, node, parent, path.names[-1], content)
        own = parent.space_id == self.actor.space_id
        if own and profile.concerns(txn, parent.space_id, node, content):
            profile.renew(txn, self._store.blobs, parent.space_id)
        return stored

    def _put_object(
        self, txn: Txn, path: TreePath, content: ItemContent, guard: Guard
    ) -> tuple[Stored, bool]:
        """Store an object in a calendar, and tell those who are invited."""
        node, parent = self._item_place(txn, self._find(txn, path), guard)
        by_tag = guard.schedule_tag is not None
        blobs = self._store.blobs
        changed, sent = send_changes(txn, parent, node, content, blobs, keep_answers=by_tag)
        assert changed is not None
        return self._store_item(txn, node, parent, path.names[-1], changed), sent

    def _store_item(
        self, txn: Txn, node: Item | None, parent: Folder, name: str, content: ItemContent
    ) -> Stored:
        if node is None:
            return Stored(txn.apply(CreateItem(parent.id, name, content)), True, content.changed)
        return Stored(txn.apply(ReplaceItem(node, content)), False, content.changed)

    async def _deliver(self, sent: bool) -> None:
        """Deliver invitations right away; where that cannot be done now, they wait."""
        if sent:
            with contextlib.suppress(Unavailable):
                await deliver_waiting(self._store)

    def _item_place(self, txn: ReadTxn, found: Found, guard: Guard) -> tuple[Item | None, Folder]:
        """The item that would be replaced, and the folder that it is or would be in."""
        if found.parent is None:
            raise AlreadyExists("This is a folder.") if found.entry else MissingParent
        node = found.entry.node if found.entry is not None else None
        if isinstance(node, Folder):
            raise AlreadyExists("A folder has this name.")
        check_conditions(txn, found, guard)
        check_locks(txn, found, guard, membership=node is None)
        _check_holds_items(found.parent)
        return node, found.parent

    def make(
        self, path: TreePath, new: NewFolder | None = None, guard: Guard = UNGUARDED
    ) -> Deferred[Folder]:
        """Make a folder, a calendar or an address book."""

        def work(txn: Txn) -> Folder:
            found = self._find(txn, path)
            if found.entry is not None:
                raise AlreadyExists
            if found.parent is None:
                raise MissingParent
            check_conditions(txn, found, guard)
            check_locks(txn, found, guard, membership=True)
            mutation = CreateFolder(found.parent.id, path.names[-1], new or NewFolder())
            return txn.view(ReadFolder(txn.apply(mutation)))

        return self._run("make", work)

    def delete(
        self, path: TreePath, guard: Guard = UNGUARDED, *, replies: bool = True
    ) -> Deferred[None]:
        """Remove an item, or a folder with all below it.

        Who shares an item, and removes it from where a group finds it, shares it no longer.
        ``replies`` False removes somebody's copy of a meeting without declining it.
        """

        def work(txn: Txn) -> bool:
            found = self._find(txn, path)
            node = node_of(found)
            _check_leaves(found)
            check_conditions(txn, found, guard)
            if _is_bound(found) and not of_group(path.names[0]):
                # Who does not want to see what somebody shares any more, leaves it to them.
                txn.apply(HideBound(path.space_id, path.tool, node.id))
                return False
            check_locks(txn, found, guard, membership=True, below=True)
            sent = False
            if _is_own_link(found):
                assert isinstance(node, Item)
                assert found.via is not None
                txn.apply(UnshareItem(node.folder_id, node.id, found.via.space_id))
                return sent
            if isinstance(node, Item) and node.schedule_tag and found.parent is not None:
                blobs = self._store.blobs
                _, sent = send_changes(txn, found.parent, node, None, blobs, replies=replies)
            elif isinstance(node, Folder) and node.tool is Tool.CALENDAR and replies:
                sent = cancel_all(txn, node, self._store.blobs)
            concerned = self._concerns_profile(txn, node, found.parent)
            self._remove(txn, node)
            if concerned:
                profile.renew(txn, self._store.blobs, self.actor.space_id)
            return sent

        async def deleted() -> None:
            await self._deliver(await self._run("delete", work))

        return Deferred.fromCoroutine(deleted())

    def copy(
        self,
        source: TreePath,
        target: TreePath,
        guard: Guard = UNGUARDED,
        *,
        overwrite: bool,
        deep: bool = True,
    ) -> Deferred[bool]:
        """Copy an item or a folder; whether something was replaced.

        Raises ``PreconditionFailed`` when something is there and ``overwrite`` is not said.
        """

        def work(txn: Txn) -> bool:
            node, parent, replaced = self._to_place(txn, source, target, guard, overwrite)
            name = target.names[-1]
            if isinstance(node, Item) and parent.special_use == SHARED_ITEMS:
                # Whoever puts a thing of their own there, means to share it.
                txn.apply(ShareItem(node.folder_id, node.id, parent.space_id, READ, name))
            elif isinstance(node, Item):
                txn.apply(CopyItem(node, parent.id, name))
            else:
                ids = txn.view(FoldersBelow(node.id)) if deep else (node.id,)
                txn.apply(CopyFolder(node, ids, parent.id, name, deep))
            return replaced

        return self._run("copy", work)

    def move(
        self, source: TreePath, target: TreePath, guard: Guard = UNGUARDED, *, overwrite: bool
    ) -> Deferred[bool]:
        """Move an item or a folder with all below it; whether something was replaced."""

        def work(txn: Txn) -> bool:
            node, parent, replaced = self._to_place(
                txn, source, target, guard, overwrite, moves=True
            )
            source_folder = txn.view(ReadFolder(node.folder_id)) if isinstance(node, Item) else None
            concerned = self._concerns_profile(txn, node, source_folder)
            if isinstance(node, Item):
                txn.apply(MoveItem(node, parent.id, target.names[-1]))
            else:
                ids = txn.view(FoldersBelow(node.id))
                txn.apply(MoveFolder(node.id, ids, parent.id, target.names[-1]))
            if concerned:
                profile.renew(txn, self._store.blobs, self.actor.space_id)
            return replaced

        return self._run("move", work)

    def _to_place(
        self,
        txn: Txn,
        source: TreePath,
        target: TreePath,
        guard: Guard,
        overwrite: bool,
        *,
        moves: bool = False,
    ) -> tuple[Folder | Item, Folder, bool]:
        """Look at both ends and clear the place: (what goes, into which folder, replaced)."""
        self._hold(txn, source, target)
        found, place = txn.view(FindPlace(source)), txn.view(FindPlace(target))
        node = node_of(found)
        if _is_bound(place) or (moves and _is_bound(found)):
            raise Unchangeable("What is of others stays where it is.")
        if place.parent is None:
            raise Unchangeable if place.entry is not None else MissingParent
        check_conditions(txn, found, guard)
        there = place.entry.node if place.entry is not None else None
        if there is not None and (type(there), there.id) == (type(node), node.id):
            # The same place; another spelling of a name is a new name, though. # rfc4918#9.8.5
            if not moves or target.names[-1] == there.name:
                raise PermissionDenied("It cannot be copied or moved onto itself.")
            there = None
        if there is not None and not overwrite:
            raise PreconditionFailed("Something with this name exists already.")
        if moves:
            _check_leaves(found)
            check_locks(txn, found, guard, membership=True, below=True)
        check_locks(txn, place, guard, membership=there is None, below=True)
        if isinstance(node, Item):
            _check_holds_items(place.parent)
        if there is not None:
            if _lies_within(source, target) and source != target:
                raise Conflict("This would replace what it comes from.")
            self._remove(txn, there)
        return node, place.parent, there is not None

    def _is_own(self, folder: Folder) -> bool:
        return folder.tool is Tool.CONTACTS and folder.space_id == self.actor.space_id

    def _concerns_profile(self, txn: Txn, node: Folder | Item, parent: Folder | None) -> bool:
        """Whether what goes away from a folder can be what fellow members see of the actor."""
        if isinstance(node, Folder):
            return self._is_own(node)
        if node.component == "" or parent is None or not self._is_own(parent):
            return False
        return profile.concerns(txn, self.actor.space_id, node, None)

    def _remove(self, txn: Txn, node: Folder | Item) -> None:
        if isinstance(node, Item):
            txn.apply(RemoveItem(node))
        else:
            txn.apply(RemoveFolder(node.id, txn.view(FoldersBelow(node.id))))

    def set_properties(
        self,
        path: TreePath,
        changes: Mapping[str, str | None],
        guard: Guard = UNGUARDED,
        times: ItemTimes = NO_TIMES,
    ) -> Deferred[None]:
        """Set properties (whole elements by ``{namespace}name``), remove those with None."""

        def work(txn: Txn) -> None:
            found = self._find(txn, path)
            node = node_of(found)
            check_conditions(txn, found, guard)
            if _is_bound(found):  # how it is shown is up to each
                txn.apply(SetBoundProperties(path.space_id, path.tool, node.id, changes))
                return
            check_locks(txn, found, guard)
            if isinstance(node, Item):
                txn.apply(SetProperties(node.folder_id, node.id, changes))
                txn.apply(TouchItem(node, times.modified, times.created))
            else:
                txn.apply(SetProperties(node.id, 0, changes))
                if node.parent_id is None and profile.ME_CARD in changes and self._is_own(node):
                    profile.renew(txn, self._store.blobs, node.space_id)
                txn.apply(TouchFolder(node))

        return self._run("proppatch", work)


def _check_leaves(found: Found) -> None:
    """Refuse to take a folder away that somebody shares: only who knows where it is may do that."""
    if found.parent is None and found.path.names:
        raise PermissionDenied("Only its owner can remove or move what is shared.")


def _is_own_link(found: Found) -> bool:
    """Whether it is a link to something that the actor shares."""
    parent = found.parent
    return found.via is not None and parent is not None and Right.SHARE in parent.rights


def _check_holds_items(parent: Folder) -> None:
    # rfc4791#4.2, rfc6352#5.2: what is in a home are collections
    if parent.tool is not Tool.DOCUMENTS and parent.parent_id is None:
        raise PermissionDenied("Entries go into one of the calendars or address books.")
    if parent.special_use in (SCHEDULE_INBOX, SCHEDULE_OUTBOX):
        raise PermissionDenied("Only the server puts anything here.")  # rfc6638#2.2, rfc6638#2.1


def _is_bound(found: Found) -> bool:
    """Whether it is a collection of somebody else that is found in one's home."""
    node = found.entry.node if found.entry is not None else None
    return isinstance(node, Folder) and node.space_id != found.path.space_id


def _lies_within(path: TreePath, above: TreePath) -> bool:
    """Whether a place is ``above`` or lies below it."""
    if (path.space_id, path.tool) != (above.space_id, above.tool):
        return False
    names, others = [*map(compared, path.names)], [*map(compared, above.names)]
    return names[: len(others)] == others


__all__ = ["StorageError", "Tree"]
