"""Reading the tree: what lies where, what a folder holds, what changed, who owns it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.sharing.acting import Acting
from folkmoot.sharing.scheduling import principal_at, principal_of
from folkmoot.storage.content.ical.freebusy import BusyPeriod
from folkmoot.storage.content.ical.query import CalendarFilter
from folkmoot.storage.content.ical.values import Zone
from folkmoot.storage.content.vcard.filters import Filter as CardFilter
from folkmoot.storage.mutations.bindings import Rebind
from folkmoot.storage.mutations.colleagues import RenewColleagues
from folkmoot.storage.txn import ReadTxn
from folkmoot.storage.types import MessageBody, Tool
from folkmoot.storage.types_sharing import BOUND_TOOLS, DrivePart, DrivePlaces
from folkmoot.storage.types_tree import (
    Entry,
    Folder,
    Found,
    Item,
    Principal,
    SpaceUsage,
    Synced,
    TreePath,
)
from folkmoot.storage.views.bound import FindPlace, IsStale, ListPlace
from folkmoot.storage.views.busy import BusyCalendars, BusyTimes
from folkmoot.storage.views.colleagues import NAME as COLLEAGUES_NAME
from folkmoot.storage.views.colleagues import AreColleaguesStale
from folkmoot.storage.views.grants import DropFolders, SharedWithMe
from folkmoot.storage.views.groups import MyGroups
from folkmoot.storage.views.objects import FindCards, FindObjects, ReadNumbered
from folkmoot.storage.views.principals import ReadPrincipal, ReadSpaceUsage
from folkmoot.storage.views.sight import compared
from folkmoot.storage.views.tree import LocateItem, ReadFolder, ReadNamed
from folkmoot.storage.views.tree_changes import ChangesOf
from folkmoot.storage.views.tree_columns import Columns, ListColumns

R = TypeVar("R")


class TreeReading(Acting):
    """What reads. All methods return Deferreds that fail with storage errors."""

    def find(self, path: TreePath, *, octets: int = 0) -> Deferred[Found]:
        """What lies at a path, with its properties. Raises ``NotFound`` for a place that the actor
        may not know; where nothing is, ``Found.entry`` is None.

        The octets of an item come along if there are not more than ``octets``, and they are at
        hand: that saves asking for them.
        """
        if not path.names and self._has_bound(path):
            return Deferred.fromCoroutine(self._find_home(path))
        if self._is_of_colleagues(path):
            return Deferred.fromCoroutine(self._find_colleagues(path, octets))
        return self._read("find", lambda txn: txn.view(FindPlace(path, octets=octets)))

    def _is_of_colleagues(self, path: TreePath) -> bool:
        """Whether a place is in what may be the own book of colleagues."""
        own = path.tool is Tool.CONTACTS and path.space_id == self.actor.space_id
        return own and path.names[:1] != () and path.names[0].startswith(COLLEAGUES_NAME)

    async def _find_colleagues(self, path: TreePath, octets: int = 0) -> Found:
        """A place in the own contacts, after what is known of fellow members was written there."""
        if await self._read("find", lambda txn: txn.view(AreColleaguesStale(path.space_id))):
            await self._run("bind", lambda txn: txn.apply(RenewColleagues(path.space_id)))
        return await self._read("find", lambda txn: txn.view(FindPlace(path, octets=octets)))

    def _has_bound(self, path: TreePath) -> bool:
        """Whether a place is in a home in which things of others are found."""
        return path.tool in BOUND_TOOLS and path.space_id == self.actor.space_id

    async def _find_home(self, path: TreePath) -> Found:
        """The own home, after it was told what came and went of others."""
        if path.tool is Tool.CONTACTS:
            await self._find_colleagues(path)

        def look(txn: ReadTxn) -> tuple[Found, bool]:
            return txn.view(FindPlace(path)), txn.view(IsStale(path.space_id, path.tool))

        found, stale = await self._read("find", look)
        if stale:
            await self._run("bind", lambda txn: txn.apply(Rebind(path.space_id, path.tool)))
            found, _ = await self._read("find", look)
        return found

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
        view = ListPlace(folder_id, after, limit, properties)
        return self._read("list", lambda txn: render(txn.view(view)))

    def columns(
        self,
        folder_id: int,
        fields: Sequence[str],
        render: Callable[[Columns], R],
        *,
        after: str = "",
        limit: int = 500,
    ) -> Deferred[R | None]:
        """Fields of the items of a folder behind a name, turned into what is needed in the same
        thread; None where ``entries`` has to be asked, because that is not all (``ListColumns``).
        """
        view = ListColumns(folder_id, tuple(fields), after, limit)

        def work(txn: ReadTxn) -> R | None:
            found = txn.view(view)
            return None if found is None else render(found)

        return self._read("list", work)

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
        read = self._read_long if data else self._read
        return read("multiget", lambda txn: render(txn.view(view)))

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
        read = self._read_long if data else self._read
        return read("report", lambda txn: render(txn.view(view)))

    def find_objects(
        self, folder_id: int, asked: CalendarFilter, zone: Zone
    ) -> Deferred[list[int]]:
        """The numbers of a calendar's items that match a filter; floating times are in ``zone``.

        Raises ``RuleBroken`` (max-instances) where that is too much work.
        """
        view = FindObjects(folder_id, asked, zone, self._store.blobs)
        return self._read_long("calendar-query", lambda txn: txn.view(view))

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
        return self._read_long("free-busy-query", lambda txn: txn.view(view))

    def calendars_of(self, who: str) -> Deferred[list[Entry] | None]:
        """The calendars of a calendar user (mailto:…) whose busy times the actor may know.

        None: nobody of this server has the address.
        """

        def work(txn: ReadTxn) -> list[Entry] | None:
            principal = principal_of(txn, who)
            return None if principal is None else txn.view(BusyCalendars(principal.space_id))

        return self._read("free-busy", work)

    def busy_calendars(self, path: TreePath) -> Deferred[list[Entry]]:
        """The calendars in a home (or the one at a path in it) whose busy times the actor may know.

        They are for ``busy_times``, not to be shown.
        """

        def work(txn: ReadTxn) -> list[Entry]:
            found = txn.view(BusyCalendars(path.space_id))
            names = [*map(compared, path.names)]
            return [each for each in found if not names or [compared(each.node.name)] == names]

        return self._read("free-busy", work)

    def find_cards(self, folder_id: int, asked: CardFilter) -> Deferred[list[int]]:
        """The numbers of an address book's items that match a filter."""
        view = FindCards(folder_id, asked, self._store.blobs)
        return self._read_long("addressbook-query", lambda txn: txn.view(view))

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

    def drive_places(self, parts: Sequence[DrivePart]) -> Deferred[DrivePlaces]:
        """Where others have documents for the actor, as far as it is asked for; places have names
        that are different from each other."""

        def work(txn: ReadTxn) -> DrivePlaces:
            return DrivePlaces(
                tuple(txn.view(MyGroups())) if DrivePart.GROUPS in parts else (),
                tuple(txn.view(SharedWithMe(Tool.DOCUMENTS))) if DrivePart.SHARED in parts else (),
                tuple(txn.view(DropFolders())) if DrivePart.DROPS in parts else (),
            )

        return self._read("drive", work)

    # --- principals ---------------------------------------------------------------------------

    def principal(self, space_id: int) -> Deferred[Principal]:
        """Who owns a space. Raises ``NotFound``."""
        return self._read("principal", lambda txn: txn.view(ReadPrincipal(space_id)))

    def principal_by_address(self, address: str) -> Deferred[Principal | None]:
        """Who has an e-mail address on this server."""
        return self._read("principal", lambda txn: principal_at(txn, address))
