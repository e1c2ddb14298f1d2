"""The tree for tests of the store: blocking, and through the gate like everybody's."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from folkmoot.auth.audit import Auditor
from folkmoot.quota.ledger import Ledger
from folkmoot.sharing.policy import GroupPolicy
from folkmoot.sharing.tree import Tree
from folkmoot.sharing.tree_locking import NO_TIMES
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import StorageError
from folkmoot.storage.mutations.accounts import UpdateAccount
from folkmoot.storage.policy import Circle, CollectionFacts
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Decisions
from folkmoot.storage.types import ALL_RIGHTS, Actor, ActorKind, BodySpool, Limit, Right, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from folkmoot.storage.types_tree import (
    UNGUARDED,
    Entry,
    Folder,
    Guard,
    Item,
    ItemTimes,
    Lock,
    LockRequest,
    LockScope,
    NewFolder,
    SpaceUsage,
    Stored,
    Synced,
    TreePath,
)
from tests.dav.calendars import calendar, event
from tests.kit.stores import without_drop_folder
from tests.storage.accounts_kit import actor_of, apply, make_account, make_domain

R = TypeVar("R")

CALENDAR, CONTACTS, DOCUMENTS = Tool.CALENDAR, Tool.CONTACTS, Tool.DOCUMENTS
RED = "{urn:x}red"
BLUE = "{urn:x}blue"


class Family(GroupPolicy):
    """Accounts may do everything with each other's things, but for what is said of a collection."""

    def __init__(self) -> None:
        self.limited: dict[tuple[int, int], Right] = {}  # (account, collection)

    def rights(
        self, actor: Actor, collections: Sequence[CollectionFacts], circle: Circle
    ) -> Mapping[int, Right]:
        if actor.kind is ActorKind.SYSTEM:
            return super().rights(actor, collections, circle)
        return {
            facts.id: self.limited.get((actor.account_id, facts.id), ALL_RIGHTS)
            for facts in collections
        }


class Pump:
    """Stands for the reactor: what threads of the store hand over is done by who waits."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def __call__(self, call: Callable[[], None]) -> None:
        self._calls.put(call)

    def wait(self, *deferreds: Deferred[Any]) -> list[Any]:
        """The results of all, or the errors of those that failed."""
        results: dict[int, Any] = {}
        for number, deferred in enumerate(deferreds):
            deferred.addBoth(partial(results.__setitem__, number))
        while len(results) < len(deferreds):
            self._calls.get(timeout=60)()
        plain = [results[number] for number in range(len(deferreds))]
        return [one.value if isinstance(one, Failure) else one for one in plain]


@dataclass(frozen=True)
class World:
    """A store with people who may do everything with each other's things."""

    store: Store
    policy: Family
    pump: Pump

    def person(
        self, name: str = "alice", tool: Tool = DOCUMENTS, limit: Limit | None = None
    ) -> Person:
        """A new account; ``limit`` is that of a tool."""
        address = f"{name}@example.test"
        make_account(self.store, address, limits={} if limit is None else {tool: limit})
        actor = actor_of(self.store, address)
        without_drop_folder(self.store, actor.space_id)
        return Person(self, actor)

    def limit(self, person: Person, tool: Tool, limit: Limit) -> None:
        """Give a person less room, or more."""
        update = AccountUpdate(limits={tool: limit})
        apply(self.store, UpdateAccount(person.actor.account_id, update))


def open_world(url: str, folder: Path) -> World:
    """A world on an empty database."""
    policy, pump = Family(), Pump()
    decisions = Decisions(policy, Ledger(), Auditor())
    world = World(Store(url, folder / "blobs", decisions, pump), policy, pump)
    make_domain(world.store)
    return world


class Person:
    """What one account does with the tree.

    Places are texts such as ``a/b`` (documents) or ``calendar:Calendar/1.ics`` of the account's
    own space, or paths.
    """

    def __init__(self, world: World, actor: Actor) -> None:
        self.world, self.actor, self.space = world, actor, actor.space_id
        self.tree = Tree(world.store, actor)

    def at(self, place: str | TreePath) -> TreePath:
        """The path that a text means."""
        if isinstance(place, TreePath):
            return place
        tool, colon, rest = place.rpartition(":")
        names = tuple(rest.split("/")) if rest else ()
        return TreePath(self.space, Tool(tool) if colon else DOCUMENTS, names)

    def do(self, deferred: Deferred[R]) -> R:
        """The result of a call; raises its error."""
        result = self.world.pump.wait(deferred)[0]
        if isinstance(result, BaseException):
            raise result
        found: R = result
        return found

    # --- reading ------------------------------------------------------------------------------

    def entry(self, place: str | TreePath) -> Entry | None:
        return self.do(self.tree.find(self.at(place))).entry

    def has(self, place: str | TreePath) -> bool:
        return self.entry(place) is not None

    def item(self, place: str | TreePath) -> Item:
        entry = self.entry(place)
        assert entry is not None
        assert isinstance(entry.node, Item)
        return entry.node

    def folder(self, place: str | TreePath = "") -> Folder:
        entry = self.entry(place)
        assert entry is not None
        assert isinstance(entry.node, Folder)
        return entry.node

    def properties(self, place: str | TreePath) -> dict[str, str]:
        entry = self.entry(place)
        assert entry is not None
        return dict(entry.properties)

    def octets(self, place: str | TreePath) -> bytes:
        """An item as it is stored."""
        body = self.do(self.tree.body(self.item(place)))
        if body.file is not None:
            return self.world.store.blobs.read(body.file, 0, body.size)
        assert body.data is not None
        return bytes(body.data)

    def members(self, place: str | TreePath = "", limit: int = 500) -> list[Entry]:
        """All members, read in pages of ``limit``."""
        folder, found = self.folder(place).id, list[Entry]()
        while True:
            after = found[-1].node if found else None
            page = self.do(self.tree.entries(folder, list, after=after, limit=limit))
            assert len(page) <= limit
            if not page:
                return found
            found += page

    def names(self, place: str | TreePath = "") -> list[str]:
        return [entry.node.name for entry in self.members(place)]

    def walk(self, place: str | TreePath = "") -> dict[str, bytes | None]:
        """All below a folder, by path from there: octets of items, None for folders."""
        found: dict[str, bytes | None] = {}
        here = self.at(place)
        for name, node in [(entry.node.name, entry.node) for entry in self.members(here)]:
            if isinstance(node, Item):
                found[name] = self.octets(here.below(name))
            else:
                found[name] = None
                below = self.walk(here.below(name))
                found.update({f"{name}/{path}": data for path, data in below.items()})
        return found

    def usage(self, tool: Tool = DOCUMENTS) -> tuple[int, int]:
        """(octets, items) that the account is charged."""
        found: SpaceUsage = self.do(self.tree.usage(self.folder(f"{tool}:").id))
        return found.bytes_used, found.items_used

    def sync(self, place: str | TreePath, since: int = 0, limit: int | None = None) -> Synced:
        return self.do(self.tree.changes(self.folder(place).id, since, limit))

    # --- writing ------------------------------------------------------------------------------

    def put(
        self,
        place: str | TreePath,
        body: bytes | BodySpool = b"x",
        guard: Guard = UNGUARDED,
        times: ItemTimes = NO_TIMES,
        media_type: str = "text/plain",
    ) -> Stored:
        return self.do(self.tree.put(self.at(place), body, media_type, guard, times))

    def event(self, place: str, uid: str, *lines: str, name: str = "VEVENT") -> Stored:
        """Put a calendar object that has a UID."""
        when = ("DTSTAMP:20240101T000000Z", "DTSTART:20240304T100000Z")
        return self.put(f"calendar:{place}", calendar(event(*when, *lines, uid=uid, name=name)))

    def make(
        self, place: str | TreePath, new: NewFolder | None = None, guard: Guard = UNGUARDED
    ) -> Folder:
        return self.do(self.tree.make(self.at(place), new, guard))

    def delete(self, place: str | TreePath, guard: Guard = UNGUARDED) -> None:
        self.do(self.tree.delete(self.at(place), guard))

    def copy(
        self,
        source: str | TreePath,
        target: str | TreePath,
        guard: Guard = UNGUARDED,
        *,
        overwrite: bool = False,
        deep: bool = True,
    ) -> bool:
        call = self.tree.copy(
            self.at(source), self.at(target), guard, overwrite=overwrite, deep=deep
        )
        return self.do(call)

    def move(
        self,
        source: str | TreePath,
        target: str | TreePath,
        guard: Guard = UNGUARDED,
        *,
        overwrite: bool = False,
    ) -> bool:
        call = self.tree.move(self.at(source), self.at(target), guard, overwrite=overwrite)
        return self.do(call)

    def set(
        self,
        place: str | TreePath,
        changes: Mapping[str, str | None],
        guard: Guard = UNGUARDED,
        times: ItemTimes = NO_TIMES,
    ) -> None:
        self.do(self.tree.set_properties(self.at(place), changes, guard, times))

    def lock(
        self,
        place: str | TreePath,
        guard: Guard = UNGUARDED,
        *,
        shared: bool = False,
        infinite: bool = True,
        timeout: int | None = None,
        owner: str = "me",
    ) -> Lock:
        scope = LockScope.SHARED if shared else LockScope.EXCLUSIVE
        request = LockRequest(scope, infinite, owner, timeout)
        return self.do(self.tree.lock(self.at(place), request, guard)).lock

    def locks(self, place: str | TreePath) -> list[Lock]:
        return self.do(self.tree.locks(self.at(place)))


def holding(*locks: Lock) -> Guard:
    """The guard of who has locks and says so."""
    return Guard(tokens=frozenset(lock.token for lock in locks))


@contextmanager
def refused(person: Person, kind: type[StorageError]) -> Iterator[pytest.ExceptionInfo[Any]]:
    """What is refused changes nothing in the database."""
    before = snapshot(person.world.store)
    with pytest.raises(kind) as caught:
        yield caught
    assert type(caught.value) is kind
    assert snapshot(person.world.store) == before


TABLES = (
    *("collections", "items", "tombstones", "properties", "locks", "usage", "blobs"),
    *("calendar_objects", "contact_cards"),
)


def snapshot(store: Store) -> dict[str, list[str]]:
    """All rows that the tree has."""

    def work(txn: Any) -> dict[str, list[str]]:
        db = txn._context.db
        return {
            table: sorted(map(repr, db.all(Statement(f"SELECT * FROM {table}"))))
            for table in TABLES
        }

    return store.call_read(Actor.system("test"), "test", work)
