"""Every view, by each kind of actor and in each tool: what was granted, and else nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from folkmoot.sharing.rights import READ
from folkmoot.storage.errors import Expired, NotFound, PermissionDenied
from folkmoot.storage.gate import OnCollection, OnItem, OnSpace
from folkmoot.storage.mutations.grants import Share, Unshare
from folkmoot.storage.mutations.groups import AddMember, RemoveMember
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Right, Tool
from folkmoot.storage.views.links import OriginalOf
from tests.arch import test_gate_views
from tests.arch.gate_world import SYSTEM, AnyMutation, World, make_world
from tests.arch.view_world import (
    ABOUT_ONESELF,
    ADMINISTRATION,
    MAIL,
    NOTHING,
    OF_MEMBERS,
    SHARING,
    AnyView,
    all_views,
)
from tests.kit.databases import Databases

TREE = test_gate_views.TABLE
TABLE = {**MAIL, **SHARING, **TREE}
EMPTY = {**NOTHING, **test_gate_views.NOTHING}


def _named(kind: type[AnyView]) -> str:
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


KINDS = sorted(TABLE, key=_named)
OF_OFFICE = sorted([*ADMINISTRATION], key=_named)
CASES = [(Tool.DOCUMENTS, kind) for kind in KINDS]
CASES += [(tool, kind) for tool in (Tool.CALENDAR, Tool.CONTACTS) for kind in KINDS if kind in TREE]
each = pytest.mark.parametrize(
    ("world", "kind"),
    CASES,
    indirect=["world"],
    ids=[f"{tool.value}-{_named(kind)}" for tool, kind in CASES],
)


@pytest.fixture(scope="module")
def world(databases: Databases, request: pytest.FixtureRequest) -> Iterator[World]:
    """One for all tests of a tool: each of them leaves it as it was."""
    path = Path(databases.fresh("sqlite").removeprefix("sqlite:///"))
    world = make_world(path, getattr(request, "param", Tool.DOCUMENTS))
    yield world
    world.store.close()


def _apply(mutation: AnyMutation, txn: Txn) -> None:
    txn.apply(mutation)


def _do(world: World, *mutations: AnyMutation) -> None:
    for mutation in mutations:
        world.store.call(SYSTEM, "test", partial(_apply, mutation))


def _outcome(world: World, actor: Actor, view: AnyView) -> Any:
    """What is answered, or the kind of error."""
    try:
        return world.store.call_read(actor, "test", lambda txn: txn.view(view))
    except (NotFound, PermissionDenied, Expired) as error:
        return type(error)


def test_no_view_is_forgotten() -> None:
    """Who adds a view says here what it shows, and to whom."""
    open_ = test_gate_views.OPEN
    assert all_views() == {*TABLE, *ABOUT_ONESELF, *ADMINISTRATION, *open_}


@each
def test_strangers_find_nothing(world: World, kind: type[AnyView]) -> None:
    """Nor does a session from before a change of the password."""
    stale = replace(world.alice.actor, epoch=world.alice.actor.epoch - 1)
    for view in TABLE[kind](world):
        assert _outcome(world, world.mallory.actor, view) == EMPTY.get(kind, NotFound), view
        assert _outcome(world, stale, view) is Expired, view


def _reads(view: AnyView, granted: set[int]) -> bool | None:
    """Whether a reader of some collections gets an answer; None: that is for the view to say."""
    verdict: bool | None = True
    for need in view.needs():
        if isinstance(need, OnSpace):
            return False
        if isinstance(view, OriginalOf):  # what is in the table is no link
            return None
        if not isinstance(need, OnCollection | OnItem):
            verdict = None
        elif need.collection_id not in granted:
            busy = need.rights == Right.BUSY
            return None if busy else False
        elif need.rights & ~READ:
            return False
    return verdict


@each
def test_readers_find_what_was_granted(world: World, kind: type[AnyView]) -> None:
    """A fellow member reads exactly the collections that were shared, and when that ends, none."""
    choir, boxes = world.shared.account.space_id, world.alice.mailboxes
    granted = {world.alice.folder.id, boxes["INBOX"]}
    before = [_outcome(world, world.bob, view) for view in TABLE[kind](world)]
    for view, answer in zip(TABLE[kind](world), before, strict=True):
        if _reads(view, set()) is False:
            assert answer in (NotFound, PermissionDenied), view
    _do(world, *[Share(id_, choir, READ) for id_ in granted])
    for view in TABLE[kind](world):
        answer, expected = _outcome(world, world.bob, view), _reads(view, granted)
        if expected is True:
            assert answer not in (NotFound, PermissionDenied), view
        elif expected is False:
            assert answer in (NotFound, PermissionDenied), view
    _do(world, *[Unshare(id_, choir) for id_ in granted])
    assert [_outcome(world, world.bob, view) for view in TABLE[kind](world)] == before


@each
def test_members_read_what_the_group_has(world: World, kind: type[AnyView]) -> None:
    """All that needs no more than every member has; and nothing once they are out."""
    in_group = replace(world, alice=world.shared)
    shared = world.shared
    known = {*shared.mailboxes.values(), shared.docs.id, shared.folder.id}
    known.add(shared.scheduling.calendar_id)
    for view in TABLE[kind](in_group):
        answer, expected = _outcome(world, world.bob, view), _reads(view, known)
        if expected is True:
            assert answer not in (NotFound, PermissionDenied), view
        elif expected is False:
            assert answer in (NotFound, PermissionDenied), view
    _do(world, RemoveMember(world.choir, world.bob.account_id))
    for view in TABLE[kind](in_group):
        answer = _outcome(world, world.bob, view)
        assert answer == EMPTY.get(kind, NotFound), (view, answer)
    _do(world, AddMember(world.choir, world.bob.account_id, {}))


@pytest.mark.parametrize("kind", OF_OFFICE, ids=_named)
def test_nobody_administers_by_signing_in(world: World, kind: type[AnyView]) -> None:
    """Not even what is about oneself; members know their group, though."""
    others = [] if kind in OF_MEMBERS else [world.bob, world.alice.actor]
    for view in ADMINISTRATION[kind](world):
        for actor in (world.mallory.actor, *others):
            assert _outcome(world, actor, view) in (NotFound, PermissionDenied), view
