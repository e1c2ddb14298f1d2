"""Folders of the tree: made, removed, copied and moved with all below; and what breaks them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from folkmoot.storage.errors import (
    AlreadyExists,
    Conflict,
    InvalidName,
    LimitReached,
    MissingParent,
    NotFound,
    OverQuota,
    PermissionDenied,
    PreconditionFailed,
    RuleBroken,
    Unchangeable,
)
from folkmoot.storage.mutations import tree_folders
from folkmoot.storage.mutations.accounts import DeleteAccount
from folkmoot.storage.mutations.tree_folders import MAX_DEPTH
from folkmoot.storage.mutations.tree_properties import MAX_KEY, MAX_PROPERTIES
from folkmoot.storage.types import ALL_RIGHTS, Limit, Right, Tool
from folkmoot.storage.types_tree import Folder, NewFolder, Stored
from folkmoot.storage.upkeep import check, repair
from tests.dav.calendars import calendar, event
from tests.dav.cards import card
from tests.kit.databases import Databases
from tests.storage.accounts_kit import apply
from tests.storage.mail_kit import sql
from tests.storage.tree_kit import BLUE, RED, Person, World, holding, open_world, refused

TREE = {"f": None, "f/a": b"1", "f/g": None, "f/g/b": b"22", "f/g/h": None}


def grow(person: Person) -> None:
    """Make a small tree with properties."""
    person.make("f", NewFolder({RED: "<red/>"}))
    person.put("f/a", b"1")
    person.make("f/g")
    person.put("f/g/b", b"22")
    person.set("f/g/b", {BLUE: "<blue/>"})
    person.make("f/g/h")
    assert person.walk() == TREE


def under(name: str) -> dict[str, bytes | None]:
    """The same tree with another name."""
    return {name + path[1:]: data for path, data in TREE.items()}


# --- made and removed -----------------------------------------------------------------------------


def test_made(alice: Person) -> None:
    """Below another one, under a free name."""
    made = alice.make("f", NewFolder({RED: "<red/>"}))
    assert alice.folder("f") == made
    assert (made.name, made.items, made.size, made.rights) == ("f", 0, 0, ALL_RIGHTS)
    alice.put("a")
    for place, error in {
        "f": AlreadyExists,
        "a": AlreadyExists,
        "": AlreadyExists,
        "x/y": MissingParent,
        "a/y": MissingParent,
    }.items():
        with refused(alice, error):
            alice.make(place)
    too_many = {f"{{urn:x}}p{number}": "<p/>" for number in range(MAX_PROPERTIES + 1)}
    for properties in (too_many, {"x" * (MAX_KEY + 1): "<p/>"}):
        with refused(alice, LimitReached):
            alice.make("g", NewFolder(properties))


def test_removed_with_all_below(alice: Person) -> None:
    """Nothing of it stays, and the charge is given back."""
    grow(alice)
    with refused(alice, Unchangeable):
        alice.delete("")
    alice.delete("f", holding(alice.lock("f/g")))
    assert alice.walk() == {}
    assert alice.usage() == (0, 0)
    with refused(alice, NotFound):
        alice.delete("f")
    counts = [
        sql(alice.world.store, f"SELECT COUNT(*) FROM {table}")[0][0]
        for table in ("items", "locks", "tombstones")
    ]
    assert counts == [0, 0, 1]


def test_levels_end(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree has so many levels, also one that is moved or copied together."""
    path = [f"d{number}" for number in range(MAX_DEPTH)]
    for level in range(MAX_DEPTH):
        alice.make("/".join(path[: level + 1]))
    deepest = "/".join(path)
    with refused(alice, InvalidName):
        alice.make(f"{deepest}/x")
    alice.put(f"{deepest}/file")
    alice.make("f")
    alice.make("f/g")
    above = "/".join(path[:-1])
    alice.copy("f", f"{above}/f", deep=False)
    for go in (alice.copy, alice.move):
        with refused(alice, InvalidName):
            go("f", f"{above}/f2")
    alice.move("f/g", f"{above}/g")
    alice.delete("d0")
    assert alice.walk() == {"f": None}
    monkeypatch.setattr(tree_folders, "MAX_FOLDERS", 2)
    alice.make("f2")
    with refused(alice, LimitReached):
        alice.make("f3")
    with refused(alice, LimitReached):
        alice.copy("f", "f3")
    alice.move("f", "f2/f")


def test_a_space_takes_so_many_folders(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that come from another space."""
    grow(alice)
    monkeypatch.setattr(tree_folders, "MAX_FOLDERS", 3)
    bob.make("x")
    for go in (alice.copy, alice.move):
        with refused(alice, LimitReached):
            go("f", bob.at("f"))
    alice.move("f/g", bob.at("g"))


# --- copied and moved -----------------------------------------------------------------------------


def test_copied_with_all_below(alice: Person, bob: Person) -> None:
    """Items, properties, folders; to the same space and to another one; charged there."""
    grow(alice)
    alice.copy("f", "c")
    alice.copy("f", bob.at("c"))
    for person in (alice, bob):
        found = {path: data for path, data in person.walk().items() if path[0] == "c"}
        assert found == under("c")
        assert person.properties("c") == {RED: "<red/>"}
        assert person.properties("c/g/b") == {BLUE: "<blue/>"}
    assert (alice.usage(), bob.usage()) == ((6, 4), (3, 2))
    assert alice.item("c/g/b").etag == alice.item("f/g/b").etag
    alice.delete("f")
    assert alice.walk() == under("c")


def test_copied_without_what_is_in_it(alice: Person) -> None:
    """Depth 0: the folder and its properties."""
    grow(alice)
    alice.copy("f", "c", deep=False)
    assert alice.walk("c") == {}
    assert alice.properties("c") == {RED: "<red/>"}
    alice.copy("f", "f/g/c", deep=False)
    assert alice.walk("f/g/c") == {}
    assert alice.usage() == (3, 2)


def test_moved_with_all_below(alice: Person, bob: Person) -> None:
    """It stays the same folders and items; from space to space the charge goes along."""
    grow(alice)
    before = alice.folder("f/g")
    alice.move("f", "m")
    assert alice.walk() == under("m")
    alice.move("m", bob.at("m"))
    assert (alice.walk(), bob.walk()) == ({}, under("m"))
    assert bob.folder("m/g").id == before.id
    assert bob.folder("m/g").space_id == bob.space
    assert (bob.properties("m"), bob.properties("m/g/b")) == (
        {RED: "<red/>"},
        {BLUE: "<blue/>"},
    )
    assert (alice.usage(), bob.usage()) == ((0, 0), (3, 2))


@pytest.mark.parametrize("moves", [False, True])
def test_onto_something(alice: Person, moves: bool) -> None:
    """A folder takes the place of a folder or an item where the client says so."""
    go = alice.move if moves else alice.copy
    alice.put("item")
    alice.make("folder")
    alice.put("folder/old")
    for target in ("item", "folder"):
        if not alice.has("f"):
            grow_again(alice)
        with refused(alice, PreconditionFailed):
            go("f", target)
        assert go("f", target, overwrite=True) is True
        found = {path for path in alice.walk() if path.startswith(target)}
        assert found == {target + path[1:] for path in TREE}
        assert alice.has("f") is not moves


def grow_again(person: Person) -> None:
    """The small tree once more, beside something else."""
    for path, data in TREE.items():
        if data is None:
            person.make(path)
        else:
            person.put(path, data)


@pytest.mark.parametrize("moves", [False, True])
def test_where_folders_cannot_go(alice: Person, bob: Person, moves: bool) -> None:
    """Into itself, over what it lies in, onto itself, onto a root, to another tool."""
    go = alice.move if moves else alice.copy
    grow(alice)
    for source, target, error in (
        ("f", "f/x", Conflict),
        ("f", "f/g", Conflict),
        ("f", "f/g/x", Conflict),
        ("f/g", "f", Conflict),
        ("f/g/b", "f", Conflict),
        ("f/g/b", "f/g", Conflict),
        ("f", "f", PermissionDenied),
        ("f", "x/y", MissingParent),
        ("f", "f/a/x", MissingParent),
        ("f", "", Unchangeable),
        ("f/g", "", Unchangeable),
        ("f", "calendar:f", RuleBroken),
        ("calendar:Tasks", "t", RuleBroken),
    ):
        with refused(alice, error):
            go(source, target, overwrite=True)
    with refused(alice, Unchangeable if moves else Conflict):
        go("", "f/x")
    if moves:
        with refused(alice, Unchangeable):
            go("", bob.at("x"))


def test_no_room(world: World, alice: Person, bob: Person) -> None:
    """A folder is copied as a whole or not at all."""
    grow(alice)
    for limit in (Limit(2, None), Limit(None, 1)):
        world.limit(bob, Tool.DOCUMENTS, limit)
        for go in (alice.copy, alice.move):
            with refused(alice, OverQuota):
                go("f", bob.at("f"))
    world.limit(alice, Tool.DOCUMENTS, Limit(3, 2))
    with refused(alice, OverQuota):
        alice.copy("f", "c")
    alice.move("f", "m")


def test_rights_on_each_folder_below(world: World, alice: Person, bob: Person) -> None:
    """What may not be read is not copied, what may not be removed stays, with all around it."""
    grow(alice)
    below = (bob.actor.account_id, alice.folder("f/g/h").id)
    source = alice.at("f")
    world.policy.limited[below] = ALL_RIGHTS & ~(Right.READ | Right.DELETE)
    with refused(bob, PermissionDenied):
        bob.copy(source, "c")
    with refused(bob, PermissionDenied):
        bob.move(source, "c")
    with refused(bob, PermissionDenied):
        bob.delete(source)
    world.policy.limited[below] = Right.NONE
    with refused(bob, NotFound):
        bob.delete(source)
    bob.copy(source, "c", deep=False)


# --- several at the same time ---------------------------------------------------------------------


def _together(world: World, *calls: Deferred[Any]) -> list[type]:
    return [type(result) for result in world.pump.wait(*calls)]


def test_one_name_made_twice_at_the_same_time(world: World, alice: Person, bob: Person) -> None:
    """One makes it, the others are told so; an item and a folder are rivals too."""
    for round_ in range(10):
        path = alice.at(f"n{round_}")
        made = _together(
            world,
            alice.tree.make(path),
            bob.tree.make(path),
            alice.tree.make(path),
            bob.tree.put(path, b"x", ""),
        )
        assert sorted(kind.__name__ for kind in made if kind is not AlreadyExists) in (
            [["Folder"], ["Stored"]]
        ), made
        path = alice.at(f"p{round_}")
        put = _together(
            world, *[p.tree.put(path, b"x" * n, "") for n in range(4) for p in (alice, bob)]
        )
        assert put == [Stored] * 8
    assert len(alice.names()) == 20


def test_a_folder_removed_while_others_put_into_it(
    world: World, alice: Person, bob: Person
) -> None:
    """Each put was before the removal, or finds no folder; nothing is left hanging."""
    for round_ in range(10):
        alice.make("f")
        folder = alice.at("f")
        calls = [bob.tree.put(folder.below(f"a{n}"), b"x", "") for n in range(5)]
        calls.insert(round_ % 5, alice.tree.delete(folder))  # type: ignore[arg-type]
        calls.append(bob.tree.make(folder.below("g")))  # type: ignore[arg-type]
        results = _together(world, *calls)
        assert set(results) <= {Stored, MissingParent, type(None), Folder}
        assert not alice.has("f")
    assert alice.usage() == (0, 0)
    assert check(world.store) == []


def test_one_uid_put_twice_at_the_same_time(world: World, alice: Person, bob: Person) -> None:
    """One name has it, the others are told which rule it is against."""
    when = ("DTSTAMP:20240101T000000Z", "DTSTART:20240304T100000Z")
    for round_ in range(5):
        body = calendar(event(*when, uid=f"u{round_}"))
        calls = [
            person.tree.put(alice.at(f"calendar:Calendar/{round_}-{number}"), body, "")
            for number, person in enumerate([alice, bob, alice, bob])
        ]
        results = _together(world, *calls)
        assert sorted(kind.__name__ for kind in results) == ["RuleBroken"] * 3 + ["Stored"]


def test_moves_across_each_other(world: World, alice: Person, bob: Person) -> None:
    """Two folders moved into each other make no ring, and two spaces no deadlock."""
    for round_ in range(10):
        a, b = alice.make(f"a{round_}").name, alice.make(f"b{round_}").name
        bob.make(f"c{round_}")
        _together(
            world,
            alice.tree.move(alice.at(a), alice.at(f"{b}/x"), overwrite=False),
            bob.tree.move(alice.at(b), alice.at(f"{a}/x"), overwrite=False),
            alice.tree.copy(alice.at(a), bob.at(f"c{round_}/y"), overwrite=False),
            bob.tree.copy(bob.at(f"c{round_}"), alice.at(f"z{round_}"), overwrite=False),
        )
    reached = len([data for data in alice.walk().values() if data is None])
    there = "SELECT COUNT(*) FROM collections WHERE tool = 'documents' AND parent_id IS NOT NULL"
    of_alice = f" AND space_id = {alice.space}"
    assert sql(world.store, there + of_alice) == [(reached,)]


def test_an_account_deleted_while_it_writes(world: World, alice: Person) -> None:
    """Writes were before, or find nothing; nothing of it stays."""
    carol = world.person("carol")
    threads = [
        threading.Thread(target=lambda: apply(world.store, DeleteAccount(carol.actor.account_id)))
    ]
    calls = [alice.tree.put(carol.at(f"a{number}"), b"x", "") for number in range(20)]
    threads[0].start()
    calls += [alice.tree.make(carol.at(f"f{number}")) for number in range(20)]  # type: ignore[misc]
    _together(world, *calls)
    threads[0].join()
    assert sql(world.store, f"SELECT id FROM collections WHERE space_id = {carol.space}") == []
    assert sql(world.store, "SELECT id FROM items") == []


# --- damage ---------------------------------------------------------------------------------------


@pytest.fixture
def damaged(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[Person]:
    """Somebody with a tree, without the check at the end: these tests break it."""
    world = open_world(databases.fresh(database_kind), tmp_path)
    if database_kind == "sqlite":
        world.store.database._writer.execute("PRAGMA foreign_keys=OFF")  # type: ignore[attr-defined]
    person = world.person("alice")
    grow(person)
    person.put("contacts:Contacts/c", card(uid="c"))
    person.put("x")
    person.delete("x")
    person.put("a")
    assert check(world.store, deep=True) == []
    yield person
    world.store.close()


FOLDER = "(SELECT id FROM collections WHERE name = 'f')"
DAMAGE: dict[str, Callable[[], str]] = {
    "says 9 octets": lambda: "UPDATE items SET size = 9 WHERE name = 'b'",
    "lacks what queries need": lambda: "DELETE FROM contact_cards",
    "or has it without need": lambda: (
        "INSERT INTO contact_cards SELECT id, folder_id, 'u', '' FROM items WHERE name = 'b'"
    ),
    "properties are of item 777": lambda: (
        f"INSERT INTO properties VALUES ({FOLDER}, 777, 'a', 'b')"
    ),
    "in folder 777": lambda: "INSERT INTO properties VALUES (777, 0, 'a', 'b')",
    "tombstones are of folder 777": lambda: (
        "INSERT INTO tombstones (folder_id, modseq, name, shown) VALUES (777, 1, 'a', 'a')"
    ),
    "of folder 778": lambda: "UPDATE locks SET folder_id = 778",
    "an item and a folder of the name 'f'": lambda: "UPDATE items SET name = 'f' WHERE name = 'a'",
    "not where its parent is": lambda: "UPDATE collections SET tool = 'contacts' WHERE name = 'h'",
    "or ahead of it": lambda: "UPDATE collections SET member_modseq = 99 WHERE name = 'h'",
    "have the number": lambda: (
        f"UPDATE items SET modseq = (SELECT member_modseq FROM collections WHERE name = 'g')"
        f" WHERE folder_id = {FOLDER}"
    ),
    "tombstones ahead": lambda: "UPDATE tombstones SET modseq = 99",
    "or older than its log": lambda: (
        "UPDATE collections SET log_floor = modseq WHERE tool = 'documents' AND parent_id IS NULL"
    ),
    "a modseq above its own": lambda: f"UPDATE items SET modseq = 99 WHERE folder_id = {FOLDER}",
}


@pytest.mark.parametrize("expected", DAMAGE)
def test_damage_is_found(damaged: Person, expected: str) -> None:
    """Each kind that the check has a statement for."""
    damaged.lock("f")
    sql(damaged.world.store, DAMAGE[expected]())
    found = [finding.what for finding in check(damaged.world.store)]
    assert any(expected in what for what in found), found


def test_counters_are_recounted(damaged: Person) -> None:
    """Items and octets of folders, and what the account is charged."""
    store = damaged.world.store
    for statement in (
        "UPDATE collections SET messages = 7 WHERE name = 'f'",
        "UPDATE collections SET size = 7 WHERE name = 'f'",
        "UPDATE usage SET bytes_used = 7 WHERE tool = 'documents'",
        "UPDATE usage SET items_used = 7 WHERE tool = 'contacts'",
    ):
        sql(store, statement)
        findings = check(store)
        assert findings
        assert all(finding.repairable for finding in findings)
        repair(store)
        assert check(store) == []
    assert damaged.usage() == (4, 3)
