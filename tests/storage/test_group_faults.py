"""Groups and grants under bad input, and when several people change them at once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    Conflict,
    InvalidName,
    NotFound,
    PermissionDenied,
    StorageError,
    Unchangeable,
)
from folkmoot.storage.mutations.accounts import DeleteAccount, UpdateAccount
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.grants import Share
from folkmoot.storage.mutations.group_settings import SetGroupSettings, SetMemberForward
from folkmoot.storage.mutations.groups import (
    AddMember,
    CreateGroup,
    DeleteGroup,
    RemoveMember,
    RenameGroup,
    SetGroupAdministrator,
    SetMemberRights,
)
from folkmoot.storage.mutations.own_groups import LeaveGroup
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor, Right, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from folkmoot.storage.types_groups import GroupDetails, NewGroup, Posting
from folkmoot.storage.upkeep import check
from folkmoot.storage.views.groups import MyGroups, ShowGroup, told_apart
from folkmoot.storage.views.places import FindThing
from tests.kit.databases import Databases
from tests.kit.stores import open_store
from tests.storage.accounts_kit import actor_of, apply, make_account, make_domain, view

AnyMutation = Mutation[Any]
CHOIR = "choir@example.test"
SYSTEM = Actor.system("test")
TIMES = 5  # that each race is run
READ = Right.LOOKUP | Right.READ


class World:
    """Alice administers the choir; Bob and Carol are in it, Eve is not."""

    def __init__(self, store: Store) -> None:
        self.store = store
        make_domain(store)
        names = ("alice", "bob", "carol", "eve")
        for name in names:
            make_account(store, f"{name}@example.test")
        self.people = {name: actor_of(store, f"{name}@example.test") for name in names}
        self.group = apply(store, CreateGroup(NewGroup(CHOIR, "Choir", self.id("alice"))))
        for name in ("bob", "carol"):
            apply(store, AddMember(self.group, self.id(name), {}))
        self.space = self.details.group.space_id

    def id(self, name: str) -> int:
        return self.people[name].account_id

    @property
    def details(self) -> GroupDetails:
        return view(self.store, ShowGroup(CHOIR))

    def apply(self, name: str, mutation: AnyMutation) -> Any:
        """As somebody; "" is the system."""
        actor = self.people.get(name, SYSTEM)
        return self.store.call(actor, "test", lambda txn: txn.apply(mutation))

    def calendar(self, space: int) -> int:
        found = FindThing(space, Tool.CALENDAR, ("Calendar",))
        return self.store.call_read(SYSTEM, "test", lambda txn: txn.view(found))[0]

    def race(self, *mutations: tuple[str, AnyMutation]) -> list[StorageError | None]:
        """What comes of mutations by several people at the same moment."""
        outcomes: list[StorageError | None] = [None] * len(mutations)
        start = threading.Barrier(len(mutations))

        def run(number: int) -> None:
            start.wait()
            try:
                self.apply(*mutations[number])
            except StorageError as error:
                outcomes[number] = error

        threads = [threading.Thread(target=run, args=(each,)) for each in range(len(mutations))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcomes


@pytest.fixture
def world(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[World]:
    """On each kind of database."""
    store = open_store(databases.fresh(database_kind), tmp_path)
    world = World(store)
    yield world
    assert check(store) == []
    store.close()


# --- names -----------------------------------------------------------------------------------


UNSEEN = ("a\u202eb", "\u2066a", "a\u200bb", "Cho\u00adir", "\ufeffa", "a\u0000")


def test_names_that_show_what_they_are_not(world: World) -> None:
    """Neither levels above, nor letters that turn the text around or cannot be seen."""
    for name in ("..", "a/..", "../a", *UNSEEN):
        with pytest.raises(InvalidName):
            world.apply("alice", RenameGroup(world.group, name))
    for name in UNSEEN:
        with pytest.raises(InvalidName):
            world.apply("", UpdateAccount(world.id("bob"), AccountUpdate(name=name)))


def test_names_of_all_scripts(world: World) -> None:
    """What some scripts join their letters with is part of a name."""
    for name in (
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f469\u200d\U0001f373",
        "Cho\u0308r",
    ):
        world.apply("alice", RenameGroup(world.group, name))


LOOK_ALIKE = (
    "Choir",
    "CHOIR",
    "\u0421hoir",
    "Ch\u03bfir",
    "\uff23hoir",
    "Cho1r",
    "Choir ",
    "Ch\u200doir",
)


@pytest.mark.parametrize("other", LOOK_ALIKE)
def test_names_that_look_alike(other: str) -> None:
    """Each has its address behind it, so that nobody takes one group for another."""
    names = told_apart([("Choir", "a@x"), (other, "b@x"), ("Band", "c@x")])
    assert names == ["Choir (a@x)", f"{other} (b@x)", "Band"]


def test_forms_of_one_name_are_one(world: World) -> None:
    """NFC and NFD lead to the same group, in lists of those who are in it."""
    for number, name in enumerate(("\u00c4rzte", "A\u0308rzte")):
        new = NewGroup(f"g{number}@example.test", name, world.id("carol"))
        world.apply("", CreateGroup(new))
    actor = world.people["carol"]
    mine = world.store.call_read(actor, "test", lambda txn: txn.view(MyGroups()))
    assert sorted(place.name for place in mine) == [
        "Choir",
        "\u00c4rzte (g0@example.test)",
        "\u00c4rzte (g1@example.test)",
    ]


# --- circles ---------------------------------------------------------------------------------


def test_nothing_goes_around(world: World) -> None:
    """No group is in a group, shares with another, or with who is not in it; nobody with itself."""
    other = world.apply("", CreateGroup(NewGroup("b@example.test", "B", world.id("alice"))))
    space = view(world.store, ShowGroup("b@example.test")).group.space_id
    assert other != world.group
    mine, groups = world.calendar(world.people["alice"].space_id), world.calendar(world.space)
    for collection, grantee in (
        (groups, space),
        (groups, world.people["eve"].space_id),
        (mine, world.people["alice"].space_id),
        (mine, world.people["eve"].space_id),
        (mine, 10**9),
        (mine, 0),
    ):
        with pytest.raises(PermissionDenied):
            world.apply("alice", Share(collection, grantee, READ))
    with pytest.raises(NotFound):
        world.apply("bob", Share(mine, world.people["bob"].space_id, READ))
    with pytest.raises(PermissionDenied):
        world.apply("bob", Share(groups, world.people["bob"].space_id, READ))
    with pytest.raises(NotFound):
        world.apply("alice", AddMember(world.group, 10**9, {}))


def test_rights_to_share_cannot_be_given(world: World) -> None:
    """Neither to a member nor on a collection: whoever asks for it gets the rest."""
    groups = world.calendar(world.space)
    world.apply("alice", Share(groups, world.people["bob"].space_id, Right.SHARE | READ))
    everything = dict.fromkeys(Tool, Right.SHARE | Right.INSERT)
    world.apply("alice", SetMemberRights(world.group, world.id("bob"), everything))
    with pytest.raises(PermissionDenied):
        world.apply("bob", Share(groups, world.people["carol"].space_id, READ))


# --- several at once -------------------------------------------------------------------------


def test_the_last_administrator_stays(world: World) -> None:
    """A group always has one, who is in it."""
    alice = world.id("alice")
    space = world.people["alice"].space_id
    for mutation in (RemoveMember(world.group, alice), LeaveGroup(space, world.group)):
        with pytest.raises(Unchangeable):
            world.apply("alice", mutation)
    with pytest.raises(Conflict):
        world.apply("", DeleteAccount(alice))


def hand_over(world: World, name: str) -> AnyMutation:
    return SetGroupAdministrator(world.group, world.id(name))


def leave(world: World, name: str) -> AnyMutation:
    return LeaveGroup(world.people[name].space_id, world.group)


def remove(world: World, name: str) -> AnyMutation:
    return RemoveMember(world.group, world.id(name))


Two = tuple[tuple[str, AnyMutation], tuple[str, AnyMutation]]
RACES: dict[str, Callable[[World], Two]] = {
    "she hands over twice": lambda w: (
        ("alice", hand_over(w, "bob")),
        ("alice", hand_over(w, "carol")),
    ),
    "he leaves as it is handed to him": lambda w: (
        ("alice", hand_over(w, "bob")),
        ("bob", leave(w, "bob")),
    ),
    "he is removed as it is handed to him": lambda w: (
        ("alice", hand_over(w, "bob")),
        ("", remove(w, "bob")),
    ),
    "he is deleted as it is handed to him": lambda w: (
        ("", hand_over(w, "bob")),
        ("", DeleteAccount(w.id("bob"))),
    ),
    "he leaves and is removed": lambda w: (("bob", leave(w, "bob")), ("alice", remove(w, "bob"))),
    "she takes in somebody twice": lambda w: (
        ("alice", AddMember(w.group, w.id("eve"), {})),
        ("", AddMember(w.group, w.id("eve"), {})),
    ),
}


@pytest.mark.parametrize("race", RACES)
def test_one_of_two_is_told(world: World, race: str) -> None:
    """Of two changes that exclude each other one counts, whoever comes first."""
    for _ in range(TIMES):
        pair = RACES[race](world)
        outcomes = world.race(*pair)
        assert sum(each is not None for each in outcomes) == 1, outcomes
        members = {one.address: one.administrator for one in world.details.members}
        assert sum(members.values()) == 1
        if isinstance(pair[1][1], DeleteAccount):
            return
        _restore(world, {address.partition("@")[0] for address in members})


def _restore(world: World, there: set[str]) -> None:
    """Alice leads again, Bob and Carol are in it."""
    for name in {"alice", "bob", "carol"} - there:
        world.apply("", AddMember(world.group, world.id(name), {}))
    world.apply("", hand_over(world, "alice"))
    for name in there - {"alice", "bob", "carol"}:
        world.apply("", RemoveMember(world.group, world.id(name)))


def test_two_who_change_different_things(world: World) -> None:
    """Neither undoes what the other says of the same member or the same group."""
    bob = world.id("bob")
    for number in range(TIMES):
        insert = Right.INSERT if number % 2 == 0 else Right.EDIT
        outcomes = world.race(
            ("alice", SetMemberRights(world.group, bob, {Tool.MAIL: insert})),
            ("", SetMemberRights(world.group, bob, {Tool.CALENDAR: insert})),
            ("alice", SetMemberForward(world.group, bob, number % 2 == 0)),
            ("", SetGroupSettings(world.group, posting=[*Posting][number % 3])),
            ("alice", SetGroupSettings(world.group, tools={[*Tool][number % 4]})),
        )
        assert outcomes == [None] * 5
        details = world.details
        [of_bob] = [one for one in details.members if one.account_id == bob]
        assert of_bob.rights[Tool.MAIL] == of_bob.rights[Tool.CALENDAR] == insert
        assert of_bob.forward == (number % 2 == 0)
        assert details.posting is [*Posting][number % 3]
        assert details.tools == {[*Tool][number % 4]}


def test_a_member_goes_as_something_is_shared(world: World) -> None:
    """No grant stays behind for somebody who is in no group with the owner any more."""
    count = Statement("SELECT COUNT(*) FROM grants")
    alice, bob = world.people["alice"].space_id, world.people["bob"].space_id
    kinds = itertools.cycle(
        [
            ("alice", Share(world.calendar(alice), bob, READ)),
            ("bob", Share(world.calendar(bob), world.space, READ)),
            ("alice", Share(world.calendar(world.space), bob, READ)),
        ]
    )
    for share in itertools.islice(kinds, 3 * TIMES):
        world.race(share, ("alice", remove(world, "bob")))
        left = world.store.call_read(SYSTEM, "test", lambda txn: txn._context.db.value(count))
        assert left == 0
        world.apply("", AddMember(world.group, world.id("bob"), {}))


def test_a_group_goes_as_others_change_it(world: World) -> None:
    """Whoever comes too late finds nothing; nothing is left of it."""
    mine = world.calendar(world.people["bob"].space_id)
    outcomes = world.race(
        ("alice", DeleteGroup(world.group)),
        ("", AddMember(world.group, world.id("eve"), {})),
        ("", SetMemberForward(world.group, world.id("bob"), True)),
        ("bob", leave(world, "bob")),
        ("bob", Share(mine, world.space, READ)),
    )
    assert outcomes[0] is None
    assert all(each is None or isinstance(each, StorageError) for each in outcomes)
    with pytest.raises(NotFound):
        _ = world.details
