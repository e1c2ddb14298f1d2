"""The tree of calendars, address books and documents as one actor sees it: what protocols call.

Every call is one transaction through the gate. Paths are resolved in it, with the tree held, so
that what a client takes for granted (``Guard``) is looked at in the moment of the write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.acting import Acting
from folkmoot.sharing.guard import check_conditions, check_locks, locks_on
from folkmoot.sharing.intake import ItemLimits, item_content
from folkmoot.sharing.scheduling import cancel_all, deliver_waiting, principal_of, send_changes
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.content.ical.freebusy import BusyPeriod
from folkmoot.storage.content.ical.query import CalendarFilter
from folkmoot.storage.content.ical.values import Zone
from folkmoot.storage.content.vcard.filters import Filter as CardFilter
from folkmoot.storage.errors import (
    AlreadyExists,
    Conflict,
    InvalidName,
    LockedByOther,
    MissingParent,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    StorageError,
    Unavailable,
    Unchangeable,
)
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
from folkmoot.storage.mutations.tree_locks import RefreshLock, ReleaseLock, TakeLock
from folkmoot.storage.mutations.tree_properties import SetProperties, TouchFolder
from folkmoot.storage.store import Store
from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types import Actor, BodySpool, MessageBody, Right, Tool
from folkmoot.storage.types_tree import (
    SCHEDULE_INBOX,
    SCHEDULE_OUTBOX,
    UNGUARDED,
    Entry,
    Folder,
    Found,
    Guard,
    Item,
    ItemContent,
    ItemTimes,
    Lock,
    Locked,
    LockRequest,
    LockScope,
    NewFolder,
    Principal,
    SpaceUsage,
    Stored,
    Synced,
    TreePath,
)
from folkmoot.storage.views.busy import BusyCalendars, BusyTimes
from folkmoot.storage.views.objects import FindCards, FindObjects, ReadNumbered
from folkmoot.storage.views.principals import FindPrincipal, ReadPrincipal, ReadSpaceUsage
from folkmoot.storage.views.tree import (
    FindPath,
    ListMembers,
    LocateItem,
    ReadFolder,
    ReadNamed,
    compared,
)
from folkmoot.storage.views.tree_below import FoldersBelow
from folkmoot.storage.views.tree_changes import ChangesOf
from folkmoot.storage.views.tree_foresee import ForeseePut
from folkmoot.storage.views.tree_locks import FoundLock, LocksBelow, LocksListed

R = TypeVar("R")

NO_TIMES = ItemTimes()


class Tree(Acting):
    """The tree as one actor sees it. All methods return Deferreds that fail with storage errors."""

    def __init__(self, store: Store, actor: Actor, limits: ItemLimits | None = None) -> None:
        super().__init__(store, actor)
        self.limits = limits or ItemLimits()

    # --- reading ------------------------------------------------------------------------------

    def find(self, path: TreePath) -> Deferred[Found]:
        """What lies at a path, with its properties. Raises ``NotFound`` for a place that the actor
        may not know; where nothing is, ``Found.entry`` is None."""
        return self._read("find", lambda txn: txn.view(FindPath(path)))

    def folder(self, folder_id: int) -> Deferred[Folder]:
        """A folder by its number, as it is now."""
        return self._read("folder", lambda txn: txn.view(ReadFolder(folder_id)))

    def entries(
        self,
        folder_id: int,
        render: Callable[[list[Entry]], R],
        *,
        after: Folder | Item | None = None,
        limit: int = 500,
        properties: bool = True,
    ) -> Deferred[R]:
        """Members of a folder, folders first, turned into what is needed in the same thread.

        ``after`` is the last one of the page before; an empty page is the end.
        """
        view = ListMembers(folder_id, after, limit, properties)
        return self._read("list", lambda txn: render(txn.view(view)))

    def named(
        self,
        folder_id: int,
        names: Sequence[str],
        render: Callable[[list[Entry]], R],
        *,
        data: bool,
        budget: int,
        properties: bool = True,
    ) -> Deferred[R]:
        """Items by name, with their octets where ``data`` says so.

        Stops when ``budget`` octets are read, but not before the first: ask again with the rest.
        """
        blobs = self._store.blobs if data else None
        view = ReadNamed(folder_id, tuple(names), blobs, budget, properties)
        return self._read("multiget", lambda txn: render(txn.view(view)))

    def numbered(
        self,
        folder_id: int,
        item_ids: Sequence[int],
        render: Callable[[list[Entry]], R],
        *,
        data: bool,
        budget: int,
        properties: bool = True,
    ) -> Deferred[R]:
        """The same of items by their numbers, as the searches below give them."""
        blobs = self._store.blobs if data else None
        view = ReadNumbered(folder_id, tuple(item_ids), blobs, budget, properties)
        return self._read("report", lambda txn: render(txn.view(view)))

    def find_objects(
        self, folder_id: int, asked: CalendarFilter, zone: Zone
    ) -> Deferred[list[int]]:
        """The numbers of a calendar's items that match a filter; floating times are in ``zone``.

        Raises ``RuleBroken`` (max-instances) where that is too much work.
        """
        view = FindObjects(folder_id, asked, zone, self._store.blobs)
        return self._read("calendar-query", lambda txn: txn.view(view))

    def busy_times(
        self,
        folder_ids: Sequence[int],
        start: int,
        end: int,
        zone: Zone,
        *,
        except_uid: str = "",
    ) -> Deferred[list[BusyPeriod]]:
        """When calendars say that their owner is busy (``BusyTimes``). Raises ``RuleBroken``."""
        view = BusyTimes(tuple(folder_ids), start, end, zone, self._store.blobs, except_uid)
        return self._read("free-busy-query", lambda txn: txn.view(view))

    def calendars_of(self, who: str) -> Deferred[list[Entry] | None]:
        """The calendars of a calendar user (mailto:…) whose busy times the actor may know.

        None: nobody of this server has the address.
        """

        def work(txn: ReadTxn) -> list[Entry] | None:
            principal = principal_of(txn, who)
            return None if principal is None else txn.view(BusyCalendars(principal.space_id))

        return self._read("free-busy", work)

    def find_cards(self, folder_id: int, asked: CardFilter) -> Deferred[list[int]]:
        """The numbers of an address book's items that match a filter."""
        view = FindCards(folder_id, asked, self._store.blobs)
        return self._read("addressbook-query", lambda txn: txn.view(view))

    def changes(
        self, folder_id: int, since: int, limit: int | None, *, began: int = 0
    ) -> Deferred[Synced]:
        """What changed after ``since`` (0: everything). Raises ``LogTrimmed``.

        ``since`` and ``began`` are ``modseq`` and ``began`` of the answer before.
        """
        view = ChangesOf(folder_id, since, limit, began=began)
        return self._read("sync", lambda txn: txn.view(view))

    def body(self, item: Item) -> Deferred[MessageBody]:
        """Where the octets of an item are."""
        return self._read("body", lambda txn: txn.view(LocateItem(item)))

    def usage(self, folder_id: int) -> Deferred[SpaceUsage]:
        """What the tool of the space that a folder is in holds and may hold."""
        return self._read("quota", lambda txn: txn.view(ReadSpaceUsage(folder_id)))

    # --- principals ---------------------------------------------------------------------------

    def principal(self, space_id: int) -> Deferred[Principal]:
        """Who owns a space. Raises ``NotFound``."""
        return self._read("principal", lambda txn: txn.view(ReadPrincipal(space_id)))

    def principal_by_address(self, address: str) -> Deferred[Principal | None]:
        """Who has an e-mail address on this server."""

        def work(txn: ReadTxn) -> Principal | None:
            try:
                return txn.view(FindPrincipal(normalize_address(address)))
            except InvalidName:
                return None

        return self._read("principal", work)

    # --- writing ------------------------------------------------------------------------------

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
            node, parent = self._item_place(txn, txn.view(FindPath(path)), guard)
            right = Right.INSERT if node is None else Right.EDIT
            growth = size if node is None else size - node.size
            txn.view(ForeseePut(parent.id, right, growth, int(node is None)))

        return self._read("put", work)

    def _put(self, txn: Txn, path: TreePath, content: ItemContent, guard: Guard) -> Stored:
        node, parent = self._item_place(txn, self._find(txn, path), guard)
        return self._store_item(txn, node, parent, path.names[-1], content)

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

        ``replies`` False removes somebody's copy of a meeting without declining it.
        """

        def work(txn: Txn) -> bool:
            found = self._find(txn, path)
            node = _node(found)
            check_conditions(txn, found, guard)
            check_locks(txn, found, guard, membership=True, below=True)
            sent = False
            if isinstance(node, Item) and node.schedule_tag and found.parent is not None:
                blobs = self._store.blobs
                _, sent = send_changes(txn, found.parent, node, None, blobs, replies=replies)
            elif isinstance(node, Folder) and node.tool is Tool.CALENDAR and replies:
                sent = cancel_all(txn, node, self._store.blobs)
            self._remove(txn, node)
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
            if isinstance(node, Item):
                txn.apply(CopyItem(node, parent.id, target.names[-1]))
            else:
                ids = txn.view(FoldersBelow(node.id)) if deep else (node.id,)
                txn.apply(CopyFolder(node, ids, parent.id, target.names[-1], deep))
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
            if isinstance(node, Item):
                txn.apply(MoveItem(node, parent.id, target.names[-1]))
            else:
                ids = txn.view(FoldersBelow(node.id))
                txn.apply(MoveFolder(node.id, ids, parent.id, target.names[-1]))
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
        txn.hold([(path.space_id, path.tool) for path in (source, target)])
        found, place = txn.view(FindPath(source)), txn.view(FindPath(target))
        node = _node(found)
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
            check_locks(txn, found, guard, membership=True, below=True)
        check_locks(txn, place, guard, membership=there is None, below=True)
        if isinstance(node, Item):
            _check_holds_items(place.parent)
        if there is not None:
            if _lies_within(source, target) and source != target:
                raise Conflict("This would replace what it comes from.")
            self._remove(txn, there)
        return node, place.parent, there is not None

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
            node = _node(found)
            check_conditions(txn, found, guard)
            check_locks(txn, found, guard)
            if isinstance(node, Item):
                txn.apply(SetProperties(node.folder_id, node.id, changes))
                txn.apply(TouchItem(node, times.modified, times.created))
            else:
                txn.apply(SetProperties(node.id, 0, changes))
                txn.apply(TouchFolder(node))

        return self._run("proppatch", work)

    # --- locks --------------------------------------------------------------------------------

    def locks(self, path: TreePath) -> Deferred[list[Lock]]:
        """The locks that cover what lies at a path, inherited ones too."""

        def work(txn: ReadTxn) -> list[Lock]:
            return [one.lock for one in locks_on(txn, txn.view(FindPath(path, properties=False)))]

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
                token = txn.apply(TakeLock(node.folder_id, node.name, request))
            else:
                token = txn.apply(TakeLock(node.id, "", request))
            return Locked(_with_token(locks_on(txn, self._find(txn, path)), token).lock, created)

        return self._run("lock", work)

    def _check_lockable(self, txn: ReadTxn, found: Found, request: LockRequest) -> None:
        locks = locks_on(txn, found)
        node = found.entry.node if found.entry is not None else None
        if request.infinite and isinstance(node, Folder):
            locks += txn.view(LocksBelow(node.id))
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

        def work(txn: Txn) -> Lock:
            found = self._find(txn, path)
            check_conditions(txn, found, guard)
            for one in locks_on(txn, found):
                if one.lock.token in guard.tokens and one.lock.account_id == self.actor.account_id:
                    txn.apply(RefreshLock(one.folder_id, one.lock.token, timeout))
                    return _with_token(locks_on(txn, found), one.lock.token).lock
            raise PreconditionFailed("There is no such lock.")

        return self._run("lock", work)

    def unlock(self, path: TreePath, token: str) -> Deferred[None]:
        """End a lock. Raises ``Conflict`` where it does not cover the path."""

        def work(txn: Txn) -> None:
            locks = locks_on(txn, self._find(txn, path))
            try:
                one = _with_token(locks, token)
            except NotFound:
                raise Conflict("There is no such lock here.") from None
            if one.lock.account_id != self.actor.account_id:
                raise PermissionDenied("This is another person's lock.")
            txn.apply(ReleaseLock(one.folder_id, token))

        return self._run("unlock", work)

    # --- for the calls ------------------------------------------------------------------------

    def _find(self, txn: Txn, path: TreePath) -> Found:
        """What lies at a path, held: it stays so until the end of the transaction."""
        txn.hold([(path.space_id, path.tool)])
        return txn.view(FindPath(path))


def _node(found: Found) -> Folder | Item:
    if found.entry is None:
        raise NotFound
    return found.entry.node


def _with_token(locks: Sequence[FoundLock], token: str) -> FoundLock:
    for one in locks:
        if one.lock.token == token:
            return one
    raise NotFound


def _check_holds_items(parent: Folder) -> None:
    # rfc4791#4.2, rfc6352#5.2: what is in a home are collections
    if parent.tool is not Tool.DOCUMENTS and parent.parent_id is None:
        raise PermissionDenied("Entries go into one of the calendars or address books.")
    if parent.special_use in (SCHEDULE_INBOX, SCHEDULE_OUTBOX):
        raise PermissionDenied("Only the server puts anything here.")  # rfc6638#2.2, 2.1


def _lies_within(path: TreePath, above: TreePath) -> bool:
    """Whether a place is ``above`` or lies below it."""
    if (path.space_id, path.tool) != (above.space_id, above.tool):
        return False
    names, others = [*map(compared, path.names)], [*map(compared, above.names)]
    return names[: len(others)] == others


__all__ = ["StorageError", "Tree"]
