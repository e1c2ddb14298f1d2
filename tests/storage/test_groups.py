"""Groups in the store: their space, their members, their limits, and what goes with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from folkmoot.storage.check import CheckStore
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    AlreadyExists,
    Conflict,
    InvalidName,
    LimitReached,
    NotFound,
    OverQuota,
    PermissionDenied,
    StorageError,
    Unchangeable,
)
from folkmoot.storage.mutations.accounts import (
    AddAddress,
    CreateAccount,
    DeleteAccount,
    UpdateAccount,
)
from folkmoot.storage.mutations.domains import DeleteDomain
from folkmoot.storage.mutations.groups import (
    AddMember,
    CreateGroup,
    DeleteGroup,
    RemoveMember,
    RenameGroup,
    SetGroupAdministrator,
    SetMemberRights,
)
from folkmoot.storage.mutations.tree_items import CreateItem, RemoveItem
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor, Hint, Limit, Right, Tool, Topic
from folkmoot.storage.types_accounts import AccountUpdate, NewAccount, Terms
from folkmoot.storage.types_groups import GroupDetails, NewGroup
from folkmoot.storage.types_mail import Resolved, Standing
from folkmoot.storage.types_tree import Folder, ItemContent, TreePath
from folkmoot.storage.upkeep import check
from folkmoot.storage.views.accounts import FindAccount
from folkmoot.storage.views.base import View
from folkmoot.storage.views.busy import BusyCalendars
from folkmoot.storage.views.groups import ListGroups, MyGroups, ShowGroup
from folkmoot.storage.views.mailboxes import ListMailboxes
from folkmoot.storage.views.principals import ReadPrincipal
from folkmoot.storage.views.resolve import MaySendAs, ResolveAddress
from folkmoot.storage.views.tree import FindPath
from tests.kit.databases import Databases
from tests.kit.stores import open_store
from tests.storage.accounts_kit import actor_of, apply, make_account, make_domain, view

R = TypeVar("R")

CHOIR = "choir@example.test"
FILE = ItemContent(b"a file", None, 6, b"d" * 32, "text/plain")
NAMES = ("alice", "bob", "carol", "eve")


@dataclass(frozen=True)
class World:
    """Alice administers the choir, Bob may insert documents there, Carol reads, Eve is outside."""

    store: Store
    group: int
    space: int
    people: dict[str, Actor]

    def __getitem__(self, name: str) -> Actor:
        return self.people[name]

    def id(self, name: str) -> int:
        return self.people[name].account_id

    @property
    def details(self) -> GroupDetails:
        return view(self.store, ShowGroup(CHOIR))

    def limits(self, space: int | None = None) -> dict[str, tuple[int | None, int | None]]:
        statement = Statement(
            "SELECT tool, bytes_limit, items_limit FROM usage WHERE space_id = :s"
        )

        def read(txn: Any) -> dict[str, tuple[int | None, int | None]]:
            rows = txn._context.db.all(statement, s=space or self.space)
            return {tool: (octets, items) for tool, octets, items in rows}

        return self.store.call_read(Actor.system("test"), "test", read)

    def docs(self, actor: Actor) -> Folder:
        path = TreePath(self.space, Tool.DOCUMENTS)
        entry = self.store.call_read(actor, "test", lambda txn: txn.view(FindPath(path))).entry
        assert entry is not None
        assert isinstance(entry.node, Folder)
        return entry.node

    def put(self, actor: Actor, folder: int, name: str = "file") -> Any:
        return self.store.call(actor, "test", lambda txn: txn.apply(CreateItem(folder, name, FILE)))


def read(world: World, who: str, what: View[R]) -> R:
    """What somebody sees."""
    return world.store.call_read(world[who], "test", lambda txn: txn.view(what))


@pytest.fixture
def world(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[World]:
    """On each kind of database."""
    store = open_store(databases.fresh(database_kind), tmp_path)
    make_domain(store)
    for name in NAMES:
        make_account(store, f"{name}@example.test", limits={Tool.DOCUMENTS: Limit(100, 10)})
    people = {name: actor_of(store, f"{name}@example.test") for name in NAMES}
    group = apply(store, CreateGroup(NewGroup(CHOIR, "Choir", people["alice"].account_id)))
    insert = {Tool.DOCUMENTS: Right.INSERT}
    apply(store, AddMember(group, people["bob"].account_id, insert))
    apply(store, AddMember(group, people["carol"].account_id, {}))
    space = view(store, ShowGroup(CHOIR)).group.space_id
    yield World(store, group, space, people)
    assert check(store) == []
    store.close()


def test_a_group_has_a_whole_space(world: World) -> None:
    """All tools, the mailboxes that people expect, and the limits of the administrator's plan."""
    boxes = world.store.call_read(
        world["carol"],
        "test",
        lambda txn: txn.view(ListMailboxes(world.space, world.id("carol"))),
    )
    used = {box.name: box.special_use for box in boxes}
    assert used["Archive"] == "\\Archive"
    assert {"INBOX", "Sent", "Drafts", "Trash", "Junk"} <= set(used)
    assert all(box.rights == Right.LOOKUP | Right.READ | Right.BUSY | Right.SEEN for box in boxes)
    assert world.limits()["documents"] == (100, 10)
    details = world.details
    assert [one.address.partition("@")[0] for one in details.members] == ["alice", "bob", "carol"]
    assert [one.administrator for one in details.members] == [True, False, False]
    assert details.members[1].rights[Tool.DOCUMENTS] == Right.INSERT
    assert [one.address for one in view(world.store, ListGroups())] == [CHOIR]


def test_what_each_may_do(world: World) -> None:
    """Administrator everything, member what was given, stranger nothing, not even to know."""
    docs = world.docs(world["alice"])
    made = world.put(world["alice"], docs.id, "of alice")
    world.put(world["bob"], docs.id, "of bob")
    with pytest.raises(PermissionDenied):
        world.put(world["carol"], docs.id, "of carol")
    with pytest.raises(NotFound):
        world.put(world["eve"], docs.id, "of eve")
    with pytest.raises(NotFound):
        world.docs(world["eve"])
    with pytest.raises(PermissionDenied):
        world.store.call(world["bob"], "test", lambda txn: txn.apply(RemoveItem(made)))
    world.store.call(world["alice"], "test", lambda txn: txn.apply(RemoveItem(made)))


def test_rights_are_by_tool_and_change_at_once(world: World) -> None:
    """What is given for one tool says nothing about another; the next transaction knows."""
    docs = world.docs(world["bob"])
    write = {Tool.CONTACTS: Right.INSERT | Right.EDIT}
    apply(world.store, SetMemberRights(world.group, world.id("carol"), write))
    with pytest.raises(PermissionDenied):
        world.put(world["carol"], docs.id)
    apply(world.store, SetMemberRights(world.group, world.id("bob"), {Tool.DOCUMENTS: Right.NONE}))
    with pytest.raises(PermissionDenied):
        world.put(world["bob"], docs.id)
    members = {one.address: one for one in world.details.members}
    assert members["carol@example.test"].rights[Tool.CONTACTS] == write[Tool.CONTACTS]
    with pytest.raises(NotFound):
        apply(world.store, SetMemberRights(world.group, world.id("eve"), write))


def test_a_right_beyond_those_there_are(world: World) -> None:
    """Bits without meaning are not kept."""
    apply(world.store, SetMemberRights(world.group, world.id("bob"), {Tool.MAIL: Right(1 << 40)}))
    assert world.details.members[1].rights[Tool.MAIL] == Right.NONE


def test_removal_counts_at_once(world: World) -> None:
    """Who is out has nothing in the next transaction, and everybody who looks is told."""
    docs = world.docs(world["bob"])
    heard: list[Hint] = []
    told = threading.Event()

    def hear(hint: Hint) -> None:
        heard.append(hint)
        told.set()

    world.store.bus.subscribe(Topic.COLLECTION, docs.id, hear)
    apply(world.store, RemoveMember(world.group, world.id("bob")))
    assert told.wait(60)
    assert heard[0].number > docs.modseq
    with pytest.raises(NotFound):
        world.put(world["bob"], docs.id)
    assert world.store.call_read(world["bob"], "test", lambda txn: txn.view(MyGroups())) == []
    with pytest.raises(NotFound):
        apply(world.store, RemoveMember(world.group, world.id("bob")))
    apply(world.store, AddMember(world.group, world.id("bob"), {}))
    with pytest.raises(AlreadyExists):
        apply(world.store, AddMember(world.group, world.id("bob"), {}))


def test_the_administrator_hands_over_before_leaving(world: World) -> None:
    """M3.4: neither leaves nor is deleted; afterwards both work, and the plan is the new one's."""
    alice = world.id("alice")
    with pytest.raises(Unchangeable):
        apply(world.store, RemoveMember(world.group, alice))
    with pytest.raises(Conflict, match=CHOIR):
        apply(world.store, DeleteAccount(alice))
    with pytest.raises(NotFound):
        apply(world.store, SetGroupAdministrator(world.group, world.id("eve")))
    more = AccountUpdate(limits={Tool.DOCUMENTS: Limit(777, 7)})
    apply(world.store, UpdateAccount(world.id("bob"), more))
    bob = world["bob"]
    hand_over = SetGroupAdministrator(world.group, bob.account_id)
    with pytest.raises(PermissionDenied):
        world.store.call(bob, "test", lambda txn: txn.apply(hand_over))
    world.store.call(world["alice"], "test", lambda txn: txn.apply(hand_over))
    assert world.details.group.administrator == "bob@example.test"
    assert world.limits()["documents"] == (777, 7)
    apply(world.store, DeleteAccount(alice))
    assert [one.address for one in world.details.members] == [
        "bob@example.test",
        "carol@example.test",
    ]


def test_limits_of_the_plan(world: World) -> None:
    """Numbers of groups and members; a hand-over needs room too; nothing is taken away."""
    update = AccountUpdate(terms=Terms(1, 3))
    apply(world.store, UpdateAccount(world.id("alice"), update))
    with pytest.raises(LimitReached):
        apply(world.store, AddMember(world.group, world.id("eve"), {}))
    second = NewGroup("second@example.test", "Second", world.id("alice"))
    with pytest.raises(LimitReached):
        apply(world.store, CreateGroup(second))
    none = AccountUpdate(terms=Terms(0, 1))
    apply(world.store, UpdateAccount(world.id("bob"), none))
    with pytest.raises(LimitReached):
        apply(world.store, SetGroupAdministrator(world.group, world.id("bob")))
    apply(world.store, UpdateAccount(world.id("alice"), none))
    assert len(world.details.members) == 3
    assert world.docs(world["carol"]).items == 0


def test_groups_follow_the_limits_of_their_administrator(world: World) -> None:
    """A group has as much room as its administrator's plan gives, beside the administrator's own,
    and is charged for what lies in it."""
    docs = world.docs(world["bob"])
    world.put(world["bob"], docs.id)
    update = AccountUpdate(limits={Tool.DOCUMENTS: Limit(6, 2)})
    apply(world.store, UpdateAccount(world.id("alice"), update))
    assert world.limits()["documents"] == (6, 2)
    with pytest.raises(OverQuota):
        world.put(world["bob"], docs.id, "more")
    own = view(world.store, FindAccount("alice@example.test")).space_id
    assert world.limits(own)["documents"] == (6, 2)


def test_one_address_is_of_one(world: World) -> None:
    """An account and a group never share an address, whichever comes first."""
    taken = NewAccount(CHOIR, "", "", None, "free")
    for mutation in (
        CreateAccount(taken),
        AddAddress(world.id("eve"), CHOIR),
        CreateGroup(NewGroup(CHOIR, "Other", world.id("eve"))),
        CreateGroup(NewGroup("bob@example.test", "Other", world.id("eve"))),
    ):
        with pytest.raises(AlreadyExists):
            apply(world.store, mutation)
    with pytest.raises(NotFound):
        apply(world.store, CreateGroup(NewGroup("x@other.test", "Other", world.id("eve"))))
    with pytest.raises(Conflict):
        apply(world.store, DeleteDomain("example.test"))


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a\nb", "a*", "\ud800", "x" * 300])
def test_names_that_cannot_be_a_level(world: World, name: str) -> None:
    """The name of a group is a folder to its members."""
    with pytest.raises(InvalidName):
        apply(world.store, RenameGroup(world.group, name))
    with pytest.raises(InvalidName):
        apply(world.store, CreateGroup(NewGroup("n@example.test", name, world.id("eve"))))


def test_names_are_told_apart(world: World) -> None:
    """Equal names, and names that look like another with its address, lead to different groups."""
    for number, name in enumerate(("CHOIR", "Choir (choir@example.test)", "Other")):
        new = NewGroup(f"g{number}@example.test", name, world.id("carol"))
        apply(world.store, CreateGroup(new))
    mine = world.store.call_read(world["carol"], "test", lambda txn: txn.view(MyGroups()))
    assert len({place.name.casefold() for place in mine}) == len(mine) == 4
    apply(world.store, RenameGroup(world.group, "  Cho\u0308r  "))
    assert world.details.group.name == "Chör"


def test_mail_to_a_group(world: World) -> None:
    """It leads to the group's own INBOX, also with a subaddress; its administrator may send from
    there."""
    for address in (CHOIR, "Choir@Example.Test", "choir+x@example.test"):
        found = view(world.store, ResolveAddress(address))
        assert replace(found, detail="") == Resolved(
            Standing.LOCAL, 0, world.space, group_id=world.group
        )
    for name in NAMES:
        may = MaySendAs(world[name].space_id, CHOIR)
        assert read(world, name, may) == (name == "alice")
    update = AccountUpdate(limits={Tool.MAIL: Limit(None, 0)})
    apply(world.store, UpdateAccount(world.id("alice"), update))
    assert view(world.store, ResolveAddress(CHOIR)).standing is Standing.OVER_QUOTA


def test_who_is_known(world: World) -> None:
    """One's groups and fellow members have names; all others do not exist."""

    def knows(who: str, space: int) -> bool:
        try:
            world.store.call_read(world[who], "test", lambda txn: txn.view(ReadPrincipal(space)))
        except NotFound:
            return False
        return True

    assert knows("carol", world.space)
    assert knows("carol", world["bob"].space_id)
    assert not knows("carol", world["eve"].space_id)
    assert not knows("eve", world["carol"].space_id)
    assert not knows("eve", world.space)


def test_fellow_members_see_busy_times_only(world: World) -> None:
    """BUSY without LOOKUP: free-busy finds the calendars, every other view does not."""

    def calendars(who: str) -> int:
        of = BusyCalendars(world["bob"].space_id)
        return len(world.store.call_read(world[who], "test", lambda txn: txn.view(of)))

    assert (calendars("carol"), calendars("bob"), calendars("eve")) == (2, 2, 0)
    for names in ((), ("Calendar",), ("Inbox",)):
        with pytest.raises(NotFound):
            read(world, "carol", FindPath(TreePath(world["bob"].space_id, Tool.CALENDAR, names)))


def test_a_group_goes_with_all_it_has(world: World) -> None:
    """Nothing stays: neither rows nor the address; its documents look absent to who is in."""
    docs = world.docs(world["alice"])
    world.put(world["alice"], docs.id)
    apply(world.store, DeleteGroup(world.group))
    with pytest.raises(NotFound):
        world.put(world["alice"], docs.id)
    assert view(world.store, ListGroups()) == []
    assert view(world.store, ResolveAddress(CHOIR)).standing is Standing.UNKNOWN
    with pytest.raises(NotFound):
        apply(world.store, RenameGroup(world.group, "x"))
    apply(world.store, CreateGroup(NewGroup(CHOIR, "Again", world.id("carol"))))


def test_a_member_is_deleted(world: World) -> None:
    """The account goes from its groups; what it put there stays with the group."""
    docs = world.docs(world["bob"])
    world.put(world["bob"], docs.id)
    apply(world.store, DeleteAccount(world.id("bob")))
    assert len(world.details.members) == 2
    assert world.docs(world["carol"]).items == 1


def test_two_change_one_membership_at_once(world: World) -> None:
    """Of two who take out the same member, or fill the last place, one is told that it is so."""
    update = AccountUpdate(terms=Terms(None, 4))
    apply(world.store, UpdateAccount(world.id("alice"), update))
    more = make_account(world.store, "more@example.test")
    for mutations in (
        (
            AddMember(world.group, world.id("eve"), {}),
            AddMember(world.group, more, {}),
        ),
        (
            RemoveMember(world.group, world.id("carol")),
            RemoveMember(world.group, world.id("carol")),
        ),
        (
            SetGroupAdministrator(world.group, world.id("bob")),
            RemoveMember(world.group, world.id("bob")),
        ),
    ):
        outcomes: list[StorageError | None] = []
        start = threading.Barrier(2)

        def run(mutation: Any, outcomes: Any = outcomes, start: Any = start) -> None:
            start.wait()
            try:
                outcomes.append(apply(world.store, mutation))
            except StorageError as error:
                outcomes.append(error)

        threads = [threading.Thread(target=run, args=(each,)) for each in mutations]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(isinstance(outcome, StorageError) for outcome in outcomes) == 1, outcomes


class Undo(Exception):
    """Rolls damage back."""


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("DELETE FROM addresses WHERE group_id IS NOT NULL", "lacks its space, its address"),
        ("DELETE FROM members", "or its administrator"),
        ("UPDATE spaces SET owner_account_id = 1", "lacks its space"),
        ("UPDATE addresses SET account_id = 1", "is not of one account or one group"),
        ("UPDATE addresses SET account_id = NULL", "is not of one account or one group"),
    ],
)
def test_check_finds_damage(world: World, damage: str, finding: str) -> None:
    """A group that lacks what it needs, and an address of nobody or of two, do not go unseen."""
    found: list[str] = []

    def work(txn: Any) -> None:
        txn._context.db.run(Statement(damage))
        found.extend(one.what for one in txn.view(CheckStore(world.store.blobs)))
        raise Undo

    with pytest.raises(Undo):
        world.store.call(Actor.system("test"), "test", work)
    assert any(finding in what for what in found), found
