"""Locks on the tree (RFC 4918 section 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred

from folkmoot.sharing.guard import as_seen, check_conditions, check_locks, locks_on
from folkmoot.sharing.intake import ItemLimits, item_content
from folkmoot.sharing.links import followed
from folkmoot.sharing.tree_reading import TreeReading
from folkmoot.storage.errors import (
    Conflict,
    LockedByOther,
    MissingParent,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
)
from folkmoot.storage.mutations.tree_items import (
    CreateItem,
)
from folkmoot.storage.mutations.tree_locks import RefreshLock, ReleaseLock, TakeLock
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor, Tool
from folkmoot.storage.types_sharing import bound_number
from folkmoot.storage.types_tree import (
    UNGUARDED,
    Folder,
    Found,
    Guard,
    Item,
    ItemTimes,
    Lock,
    Locked,
    LockRequest,
    LockScope,
    TreePath,
)
from folkmoot.storage.views.bound import FindPlace
from folkmoot.storage.views.sight import compared
from folkmoot.storage.views.tree_locks import FoundLock, LocksBelow, LocksListed

NO_TIMES = ItemTimes()


class TreeLocking(TreeReading):
    """What takes, refreshes and ends locks. All methods return Deferreds."""

    def __init__(self, store: Store, actor: Actor, limits: ItemLimits | None = None) -> None:
        super().__init__(store, actor)
        self.limits = limits or ItemLimits()

    def locks(self, path: TreePath) -> Deferred[list[Lock]]:
        """The locks that cover what lies at a path, inherited ones too. # rfc4918#6.8"""

        def work(txn: ReadTxn) -> list[Lock]:
            found = followed(txn, txn.view(FindPlace(path, properties=False)))
            return [one.lock for one in locks_on(txn, found)]

        return self._read("locks", work)

    def locks_listed(
        self, folder_id: int, nodes: Sequence[Folder | Item]
    ) -> Deferred[Callable[[Folder | Item], list[Lock]]]:
        """The locks that cover members of a folder: what returns them for a member."""
        children = {node.id: node.name for node in nodes if isinstance(node, Folder)}

        def work(txn: ReadTxn) -> Callable[[Folder | Item], list[Lock]]:
            found = txn.view(LocksListed(folder_id, children))
            inherited = found.get("", [])
            return lambda node: [*found.get(compared(node.name), []), *inherited]

        return self._read("locks", work)

    def lock(
        self, path: TreePath, request: LockRequest, guard: Guard = UNGUARDED
    ) -> Deferred[Locked]:
        """Lock what lies at a path; where nothing does, an empty document is made.

        Raises ``LockedByOther``, ``MissingParent``, ``LimitReached``.
        """

        def work(txn: Txn) -> Locked:
            found = self._find(txn, path)
            check_conditions(txn, found, guard)
            self._check_lockable(txn, found, request)
            node = found.entry.node if found.entry is not None else None
            created = node is None
            if node is None:
                node = self._empty(txn, found, guard)
            if isinstance(node, Item):
                token = txn.apply(TakeLock(node.folder_id, node.name, request, node.id))
            else:
                token = txn.apply(TakeLock(node.id, "", request))
            found = self._find(txn, path)
            taken = _with_token(locks_on(txn, found), token).lock
            return Locked(taken, created)

        return self._run("lock", work)

    def _check_lockable(self, txn: ReadTxn, found: Found, request: LockRequest) -> None:
        locks = locks_on(txn, found)
        node = found.entry.node if found.entry is not None else None
        if request.infinite and isinstance(node, Folder):
            locks += as_seen(found, txn.view(LocksBelow(node.id)))
        if request.scope is LockScope.SHARED:
            locks = [one for one in locks if one.lock.scope is LockScope.EXCLUSIVE]
        if locks:
            raise LockedByOther(roots=list(dict.fromkeys(one.lock.root for one in locks)))

    def _empty(self, txn: Txn, found: Found, guard: Guard) -> Item:
        # rfc4918#7.3: locking a name that is not there reserves it with an empty resource
        if found.parent is None:
            raise MissingParent
        if found.path.tool is not Tool.DOCUMENTS:
            raise NotFound
        check_locks(txn, found, guard, membership=True)
        content = item_content(found.path.tool, b"", "", NO_TIMES, self.limits)
        return txn.apply(CreateItem(found.parent.id, found.path.names[-1], content))

    def refresh(self, path: TreePath, timeout: int | None, guard: Guard) -> Deferred[Lock]:
        """Begin the time of the lock anew whose token the guard has.

        Raises ``PreconditionFailed`` where no such lock covers the path.
        """
        # rfc4918#9.10.2

        def work(txn: Txn) -> Lock:
            found = self._find(txn, path)
            check_conditions(txn, found, guard)
            for one in locks_on(txn, found):
                if one.lock.token in guard.tokens and one.lock.account_id == self.actor.account_id:
                    item = _item_of(found, one)
                    txn.apply(RefreshLock(one.folder_id, one.lock.token, timeout, item))
                    return _with_token(locks_on(txn, found), one.lock.token).lock
            raise PreconditionFailed("There is no such lock.")

        return self._run("lock", work)

    def unlock(self, path: TreePath, token: str) -> Deferred[None]:
        """End a lock. Raises ``Conflict`` where it does not cover the path. # rfc4918#9.11"""

        def work(txn: Txn) -> None:
            found = self._find(txn, path)
            locks = locks_on(txn, found)
            try:
                one = _with_token(locks, token)
            except NotFound:
                raise Conflict("There is no such lock here.") from None
            if one.lock.account_id != self.actor.account_id:
                raise PermissionDenied("This is another person's lock.")
            txn.apply(ReleaseLock(one.folder_id, token, _item_of(found, one)))

        return self._run("unlock", work)

    # --- for the calls ------------------------------------------------------------------------

    def _find(self, txn: Txn, path: TreePath) -> Found:
        """What lies at a path, held: it stays so until the end of the transaction.

        Of a link it is what the link stands for.
        """
        self._hold(txn, path)
        return followed(txn, txn.view(FindPlace(path)))

    def _hold(self, txn: Txn, *paths: TreePath) -> None:
        """Hold the trees in which places lie, also those of others."""
        trees = {(path.space_id, path.tool) for path in paths}
        for path in paths:
            if path.names and bound_number(path.names[0]) is not None and self._has_bound(path):
                top = TreePath(path.space_id, path.tool, path.names[:1])
                entry = txn.view(FindPlace(top, properties=False)).entry
                if entry is not None and isinstance(entry.node, Folder):
                    trees.add((entry.node.space_id, path.tool))
        txn.hold(trees)


def node_of(found: Found) -> Folder | Item:
    if found.entry is None:
        raise NotFound
    return found.entry.node


def _item_of(found: Found, lock: FoundLock) -> int:
    """The item that a lock is of; 0 where it is a folder's."""
    node = found.entry.node if found.entry is not None else None
    return node.id if lock.name and isinstance(node, Item) else 0


def _with_token(locks: Sequence[FoundLock], token: str) -> FoundLock:
    for one in locks:
        if one.lock.token == token:
            return one
    raise NotFound
