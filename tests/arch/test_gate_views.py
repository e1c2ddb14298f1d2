"""Every view of the tree meets the gate too: what belongs to others looks absent."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from folkmoot.storage.content.ical.query import CompFilter
from folkmoot.storage.content.ical.zones import UTC
from folkmoot.storage.content.vcard.filters import Filter
from folkmoot.storage.errors import Expired, NotFound, PermissionDenied
from folkmoot.storage.types import Actor, Right, Tool
from folkmoot.storage.types_tree import TreePath
from folkmoot.storage.views import (
    access,
    acl,
    bound,
    busy,
    colleagues,
    objects,
    places,
    principals,
    tree,
    tree_below,
    tree_changes,
    tree_columns,
    tree_foresee,
    tree_locks,
)
from folkmoot.storage.views.base import View
from tests.arch.gate_world import SYSTEM, World, make_world
from tests.kit.databases import Databases

AnyView = View[Any]
MODULES = (
    colleagues,
    *(access, acl, bound, busy, objects, places, principals, tree),
    *(tree_below, tree_changes, tree_columns, tree_foresee, tree_locks),
)


def _documents(world: World, *names: str) -> TreePath:
    return TreePath(world.alice.account.space_id, Tool.DOCUMENTS, names)


def calendar_of(world: World) -> int:
    home = TreePath(world.alice.account.space_id, Tool.CALENDAR, ("Calendar",))

    def look(txn: Any) -> int:
        entry = txn.view(tree.FindPath(home)).entry
        id_: int = entry.node.id
        return id_

    return world.store.call_read(world.alice.actor, "test", look)


#: The views of what Alice has.
TABLE: dict[type[AnyView], Callable[[World], Sequence[AnyView]]] = {
    colleagues.AreColleaguesStale: lambda w: [
        colleagues.AreColleaguesStale(w.alice.account.space_id)
    ],
    colleagues.ProfileSource: lambda w: [colleagues.ProfileSource(w.alice.account.space_id)],
    access.ReadAccess: lambda w: [access.ReadAccess((w.alice.folder.id,))],
    principals.FindParty: lambda w: [principals.FindParty(w.alice.account.address)],
    principals.MyCircle: lambda w: [principals.MyCircle()],
    principals.BelongingTo: lambda w: [principals.BelongingTo(w.alice.account.space_id)],
    acl.ReadAcl: lambda w: [acl.ReadAcl(w.alice.mailboxes["INBOX"])],
    bound.FindPlace: lambda w: [
        bound.FindPlace(_documents(w, *names)) for names in ((), ("Folder", "item"), ("no",))
    ],
    bound.ListPlace: lambda w: [bound.ListPlace(w.alice.folder.id)],
    bound.IsStale: lambda w: [bound.IsStale(w.alice.account.space_id, Tool.CALENDAR)],
    busy.BusyTimes: lambda w: [busy.BusyTimes((calendar_of(w),), 0, 9, UTC, w.store.blobs)],
    busy.BusyCalendars: lambda w: [busy.BusyCalendars(w.alice.account.space_id)],
    objects.FindObjects: lambda w: [
        objects.FindObjects(calendar_of(w), CompFilter("VCALENDAR"), UTC, w.store.blobs)
    ],
    objects.FindCards: lambda w: [objects.FindCards(calendar_of(w), Filter(), w.store.blobs)],
    objects.ReadNumbered: lambda w: [objects.ReadNumbered(w.alice.folder.id, (w.alice.item.id,))],
    places.SpaceOf: lambda w: [places.SpaceOf(w.alice.account.address)],
    places.FindThing: lambda w: [
        places.FindThing(w.alice.account.space_id, Tool.DOCUMENTS, names)
        for names in ((), ("Folder",), ("Folder", "item"))
    ],
    places.SharedOfSpace: lambda w: [places.SharedOfSpace(w.alice.account.space_id)],
    principals.ReadPrincipal: lambda w: [principals.ReadPrincipal(w.alice.account.space_id)],
    principals.ReadSpaceUsage: lambda w: [principals.ReadSpaceUsage(w.alice.folder.id)],
    tree.FindPath: lambda w: [
        tree.FindPath(_documents(w, *names))
        for names in ((), ("Folder",), ("Folder", "item"), ("no",), ("no", "no"), ("Folder", "no"))
    ],
    tree.ReadFolder: lambda w: [tree.ReadFolder(w.alice.folder.id)],
    tree.ListMembers: lambda w: [tree.ListMembers(w.alice.folder.id)],
    tree.ReadNamed: lambda w: [tree.ReadNamed(w.alice.folder.id, ("item",), w.store.blobs)],
    tree.LocateItem: lambda w: [tree.LocateItem(w.alice.item)],
    tree_below.FoldersBelow: lambda w: [tree_below.FoldersBelow(w.alice.folder.id)],
    tree_changes.ChangesOf: lambda w: [tree_changes.ChangesOf(w.alice.folder.id, 0)],
    tree_columns.ListColumns: lambda w: [
        tree_columns.ListColumns(w.alice.folder.id, ("name", "etag"))
    ],
    tree_foresee.ForeseePut: lambda w: [
        tree_foresee.ForeseePut(w.alice.folder.id, Right.INSERT, 1, 1)
    ],
    tree_locks.LocksOn: lambda w: [tree_locks.LocksOn(w.alice.folder.id)],
    tree_locks.LocksBelow: lambda w: [tree_locks.LocksBelow(w.alice.folder.id)],
    tree_locks.LocksListed: lambda w: [tree_locks.LocksListed(w.alice.folder.id, {})],
}
#: Open to everybody who is signed in, on purpose.
OPEN = {principals.FindPrincipal}
#: What shows nothing of what people keep: the system may know it for administration.
SYSTEM_MAY = {
    *(acl.ReadAcl, places.SpaceOf, places.FindThing, places.SharedOfSpace),
    *(access.ReadAccess, principals.FindParty, principals.MyCircle, principals.BelongingTo),
    *(principals.ReadPrincipal, principals.ReadSpaceUsage, tree.ReadFolder),
    *(tree_below.FoldersBelow, tree_locks.LocksOn, tree_locks.LocksBelow, tree_locks.LocksListed),
}

#: What tells of what may be known, and how nothing looks.
NOTHING: dict[type[AnyView], Any] = {
    access.ReadAccess: {},
    busy.BusyCalendars: [],
    places.SharedOfSpace: [],
    principals.FindParty: None,
    principals.MyCircle: [],
    principals.BelongingTo: ([], []),
}

KINDS = sorted(TABLE, key=lambda kind: kind.__name__)
each = pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    """One for all tests, which only read."""
    world = make_world(Path(databases.fresh("sqlite").removeprefix("sqlite:///")))
    yield world
    world.store.close()


def _read(world: World, actor: Actor, view: AnyView) -> Any:
    return world.store.call_read(actor, "test", lambda txn: txn.view(view))


def test_table_is_complete() -> None:
    """Who adds a view of the tree adds it here."""
    found = {
        value
        for module in MODULES
        for value in vars(importlib.import_module(module.__name__)).values()
        if isinstance(value, type) and issubclass(value, View) and value is not View
        if value.__module__ == module.__name__
    }
    assert found == {*TABLE, *OPEN}


@each
def test_the_owner(world: World, kind: type[AnyView]) -> None:
    """The table's views work: refusals below are the gate's, not faults of the table."""
    for view in TABLE[kind](world):
        _read(world, world.alice.actor, view)


@each
def test_a_stranger(world: World, kind: type[AnyView]) -> None:
    """What exists and what does not look the same: absent."""
    for view in TABLE[kind](world):
        if kind in NOTHING:
            assert _read(world, world.mallory.actor, view) == NOTHING[kind]
            continue
        with pytest.raises(NotFound) as caught:
            _read(world, world.mallory.actor, view)
        assert type(caught.value) is NotFound
        assert caught.value.text == NotFound.default_text


@each
def test_a_stale_session(world: World, kind: type[AnyView]) -> None:
    """From before a password change: it reads nothing, not even its own."""
    stale = replace(world.alice.actor, epoch=world.alice.actor.epoch - 1)
    for view in TABLE[kind](world):
        with pytest.raises(Expired):
            _read(world, stale, view)


@each
def test_the_system(world: World, kind: type[AnyView]) -> None:
    """The server itself does not read what people keep."""
    for view in TABLE[kind](world):
        if kind in SYSTEM_MAY:
            _read(world, SYSTEM, view)
        elif kind in (bound.ListPlace, tree.ListMembers, busy.BusyCalendars):
            assert _read(world, SYSTEM, view) == []
        elif kind is tree_columns.ListColumns:
            assert _read(world, SYSTEM, view) is None
        elif kind in (bound.FindPlace, tree.FindPath):
            found = _read(world, SYSTEM, view)
            assert "item" not in view.path.names or found.entry is None  # type: ignore[attr-defined]
        elif kind in (
            bound.IsStale,
            colleagues.AreColleaguesStale,
            colleagues.ProfileSource,
        ):  # nobody but the person has a home
            with pytest.raises(NotFound):
                _read(world, SYSTEM, view)
        else:
            with pytest.raises(PermissionDenied):
                _read(world, SYSTEM, view)


def test_numbers_of_others_in_an_own_folder(world: World) -> None:
    """Items are read by number within the folder that the rights are of."""
    view = objects.ReadNumbered(
        world.mallory.folder.id, (world.alice.item.id,), world.store.blobs, 100
    )
    assert _read(world, world.mallory.actor, view) == []
