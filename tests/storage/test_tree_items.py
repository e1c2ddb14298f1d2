"""Items of the tree: names, octets, times, charges; put, replace, copy, move, delete."""

from __future__ import annotations

import time
import unicodedata

import pytest

from folkmoot.storage.errors import (
    AlreadyExists,
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
from folkmoot.storage.mutations.accounts import DeleteAccount
from folkmoot.storage.mutations.naming import MAX_NAME
from folkmoot.storage.mutations.tree_properties import MAX_CHARACTERS, MAX_KEY, MAX_PROPERTIES
from folkmoot.storage.types import Limit, Tool
from folkmoot.storage.types_tree import ItemTimes
from folkmoot.storage.upkeep import sweep, sweep_bodies
from tests.dav.cards import card
from tests.storage.accounts_kit import apply
from tests.storage.mail_kit import sql
from tests.storage.tree_kit import BLUE, RED, Person, World, refused, snapshot

E_ACUTE = "\u00e9"
DECOMPOSED = "e\u0301"

# --- names ----------------------------------------------------------------------------------------


def test_names_are_compared_in_nfc_and_kept_as_given(alice: Person) -> None:
    """macOS writes names decomposed, others composed: it is one file, shown as its maker wrote."""
    assert alice.put(DECOMPOSED, b"1").created
    assert not alice.put(E_ACUTE, b"2").created
    assert alice.names() == [DECOMPOSED]
    assert alice.octets(E_ACUTE) == alice.octets(DECOMPOSED) == b"2"
    with refused(alice, AlreadyExists):
        alice.make(E_ACUTE)
    alice.make(f"x{DECOMPOSED}")
    alice.put(f"x{E_ACUTE}/a")
    assert alice.has(f"x{DECOMPOSED}/a")
    with refused(alice, AlreadyExists):
        alice.make(f"x{E_ACUTE}")


def test_names_are_as_different_as_unicode_says(alice: Person) -> None:
    """Case, compatibility forms, spaces and signs of SQL's patterns are not folded."""
    names = ["a", "A", "a ", " a", "\u00c5", "A%", "A_", "\uff41", "\ufb01", "fi", "'", '"', "\\"]
    names += ["%2F", "con", "a:b", "~", "\U0001f600", "\u0130", "i", "-", "..."]
    for number, name in enumerate(names):
        assert alice.put(alice.at("").below(name), str(number).encode()).created
    for number, name in enumerate(names):
        assert alice.octets(alice.at("").below(name)) == str(number).encode()
    assert sorted(alice.names()) == sorted(names)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\nb", "\x1f", "\x7f", "\ufffe", "x\uffff", "x" * 256],
)
def test_names_that_cannot_be(alice: Person, name: str) -> None:
    """As an item, a folder, a copy and a move. (NUL does not pass the border of HTTP.)"""
    alice.put("a")
    alice.make("f")
    bad = alice.at("").below(name)
    with refused(alice, InvalidName):
        alice.put(bad)
    with refused(alice, InvalidName):
        alice.make(bad)
    for source in ("a", "f"):
        with refused(alice, InvalidName):
            alice.copy(source, bad)
        with refused(alice, InvalidName):
            alice.move(source, bad)


def test_the_longest_name(alice: Person) -> None:
    """Counted in octets of NFC: what a client sees as one letter is not counted as two."""
    longest = DECOMPOSED * (MAX_NAME // 2) + "x"
    assert len(unicodedata.normalize("NFC", longest).encode()) == MAX_NAME
    alice.put(longest)
    with refused(alice, InvalidName):
        alice.put(longest + "x")
    alice.delete(unicodedata.normalize("NFC", longest))
    assert alice.names() == []


def test_listing_goes_by_name_in_pages(alice: Person) -> None:
    """Folders first; every member once, whatever the size of the pages."""
    for number in (3, 1, 2):
        alice.put(f"{E_ACUTE}{number}")
        alice.make(f"F{number}")
    alice.set("F2", {RED: "<red/>"})
    alice.set(f"{E_ACUTE}3", {BLUE: "<blue/>"})
    expected = ["F1", "F2", "F3", *(f"{E_ACUTE}{n}" for n in (1, 2, 3))]
    for limit in range(1, 8):
        members = alice.members("", limit)
        assert [entry.node.name for entry in members] == expected
        set_ = {entry.node.name: dict(entry.properties) for entry in members if entry.properties}
        assert set_ == {"F2": {RED: "<red/>"}, f"{E_ACUTE}3": {BLUE: "<blue/>"}}


# --- put ------------------------------------------------------------------------------------------


def test_put_and_replace(alice: Person) -> None:
    """Octets come back as they came; name, properties and time of birth stay."""
    stored = alice.put("a", b"\x00\xff\r\n", media_type="image/png")
    item = stored.item
    assert (stored.created, stored.changed, item.name, item.size) == (True, False, "a", 4)
    assert (item.media_type, item.component, item.schedule_tag) == ("image/png", "", "")
    assert alice.item("a") == item
    assert alice.octets("a") == b"\x00\xff\r\n"
    alice.set("a", {RED: "<red/>"}, times=ItemTimes(created=1000))
    again = alice.put("a", b"")
    assert (again.created, again.item.id, again.item.created) == (False, item.id, 1000)
    assert again.item.etag != item.etag
    assert again.item.modseq > item.modseq
    assert alice.item("a") == again.item
    assert (alice.octets("a"), alice.properties("a")) == (b"", {RED: "<red/>"})
    assert alice.put("a", b"\x00\xff\r\n").item.etag == item.etag


def test_times_of_clients(alice: Person) -> None:
    """X-OC-MTime and Win32 properties: what a client says is kept, otherwise it is now."""
    now = int(time.time())
    given = alice.put("a", times=ItemTimes(modified=5, created=3)).item
    assert (given.modified, given.created) == (5, 3)
    again = alice.put("a").item
    assert again.modified >= now
    assert again.created == 3
    alice.set("a", {}, times=ItemTimes(modified=7))
    assert (alice.item("a").modified, alice.item("a").created) == (7, 3)
    alice.copy("a", "b")
    assert alice.item("b").modified == 7
    assert alice.item("b").created >= now


def test_large_bodies_are_files(world: World, alice: Person) -> None:
    """What was spooled is read back from its file; copies share it."""
    spool = world.store.spool()
    spool.write(b"large " * 100_000)
    alice.put("a", spool)
    alice.copy("a", "b")
    assert alice.octets("b") == b"large " * 100_000
    assert len(list(world.store.blobs.names())) == 1
    source = alice.do(alice.tree.open_body(alice.do(alice.tree.body(alice.item("b")))))
    source.close()
    assert alice.usage() == (1_200_000, 2)


def test_where_items_cannot_be_put(alice: Person) -> None:
    """Below nothing, below an item, onto a folder, onto a root, into a home."""
    alice.put("a")
    alice.make("f")
    for place, error in {
        "nothing/x": MissingParent,
        "a/x": MissingParent,
        "nothing/x/y": MissingParent,
        "f": AlreadyExists,
        "": AlreadyExists,
        "calendar:x.ics": PermissionDenied,
        "contacts:x.vcf": PermissionDenied,
    }.items():
        body = b"x"
        if place.endswith(".ics"):
            body = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n"
            body += b"DTSTAMP:20240101T000000Z\r\nDTSTART:20240101T000000Z\r\n"
            body += b"END:VEVENT\r\nEND:VCALENDAR\r\n"
        if place.endswith(".vcf"):
            body = b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nN:a;;;;\r\nFN:a\r\nEND:VCARD\r\n"
        with refused(alice, error):
            alice.put(place, body)


def test_what_is_not_there(alice: Person) -> None:
    """Reading, changing and removing nothing."""
    for call in (
        lambda: alice.delete("x"),
        lambda: alice.copy("x", "y"),
        lambda: alice.move("x", "y"),
        lambda: alice.set("x", {RED: "<red/>"}),
        lambda: alice.delete("x/y"),
    ):
        with refused(alice, NotFound):
            call()
    assert not alice.has("x")
    assert not alice.has("x/y")
    found = alice.do(alice.tree.find(alice.at("x/y")))
    assert found.parent is None


def test_putting_is_foreseen(world: World, alice: Person) -> None:
    """What would be refused is refused before the body is sent, and for the same reason."""
    alice.put("a", b"12345")
    alice.make("f")
    world.limit(alice, Tool.DOCUMENTS, Limit(10, 2))
    alice.do(alice.tree.may_put(alice.at("b"), 5))
    alice.do(alice.tree.may_put(alice.at("a"), 10))
    for place, size, error in (
        ("b", 6, OverQuota),
        ("a", 11, OverQuota),
        ("f", 1, AlreadyExists),
        ("x/y", 1, MissingParent),
    ):
        with refused(alice, error):
            alice.do(alice.tree.may_put(alice.at(place), size))
    world.limit(alice, Tool.DOCUMENTS, Limit(10, 1))
    with refused(alice, OverQuota):
        alice.do(alice.tree.may_put(alice.at("b"), 0))
    alice.do(alice.tree.may_put(alice.at("a"), 5))


# --- copy, move, delete ---------------------------------------------------------------------------


def test_copies_stand_on_their_own(alice: Person) -> None:
    """A copy has the octets and the properties, and what happens to one is not the other's."""
    alice.put("a", b"1")
    alice.set("a", {RED: "<red/>"})
    assert alice.copy("a", "b") is False
    alice.put("a", b"2")
    alice.set("a", {RED: None, BLUE: "<blue/>"})
    assert (alice.octets("b"), alice.properties("b")) == (b"1", {RED: "<red/>"})
    alice.delete("a")
    assert alice.octets("b") == b"1"
    assert alice.item("b").media_type == "text/plain"


def test_moves_take_everything_along(alice: Person) -> None:
    """It is the same item: number, tag, times, properties; the old place is empty."""
    alice.make("f")
    item = alice.put("a", b"1", times=ItemTimes(5, 3)).item
    alice.set("a", {RED: "<red/>"})
    assert alice.move("a", "f/b") is False
    moved = alice.item("f/b")
    assert (moved.id, moved.etag, moved.modified, moved.created) == (item.id, item.etag, 5, 3)
    assert alice.properties("f/b") == {RED: "<red/>"}
    assert alice.walk() == {"f": None, "f/b": b"1"}
    assert (alice.folder().items, alice.folder("f").items, alice.folder("f").size) == (0, 1, 1)


@pytest.mark.parametrize("moves", [False, True])
def test_onto_something(alice: Person, moves: bool) -> None:
    """Only where the client says so; what was there is gone with what was set on it."""
    go = alice.move if moves else alice.copy
    alice.make("f")
    alice.put("f/x")
    for target in ("b", "f"):
        alice.put("a", b"new")
        if target == "b":
            alice.put("b", b"old")
        alice.set(target, {RED: "<red/>"})
        with refused(alice, PreconditionFailed):
            go("a", target)
        assert go("a", target, overwrite=True) is True
        assert alice.octets(target) == b"new"
        assert alice.properties(target) == {}
        assert alice.has("a") is not moves
    assert go(target, "c", overwrite=True) is False


@pytest.mark.parametrize("moves", [False, True])
def test_where_items_cannot_go(alice: Person, moves: bool) -> None:
    """Onto itself, below nothing, onto a root, into another tool, into a home."""
    go = alice.move if moves else alice.copy
    alice.put("a")
    alice.event("Calendar/e.ics", "e")
    for source, target, error in (
        ("a", "a", PermissionDenied),
        ("a", "x/y", MissingParent),
        ("a", "", Unchangeable),
        ("a", "calendar:Calendar/a", RuleBroken),
        ("a", "calendar:a", PermissionDenied),
        ("calendar:Calendar/e.ics", "calendar:e.ics", PermissionDenied),
        ("calendar:Calendar/e.ics", "contacts:Contacts/e.ics", RuleBroken),
        ("calendar:Calendar/e.ics", "e.ics", RuleBroken),
    ):
        with refused(alice, error):
            go(source, target, overwrite=True)


def test_another_spelling_is_a_new_name(alice: Person) -> None:
    """A move changes it; a copy would be onto itself."""
    alice.put(DECOMPOSED, b"1")
    alice.set(DECOMPOSED, {RED: "<red/>"})
    with refused(alice, PermissionDenied):
        alice.copy(DECOMPOSED, E_ACUTE, overwrite=True)
    assert alice.move(DECOMPOSED, E_ACUTE) is False
    assert alice.names() == [E_ACUTE]
    assert (alice.octets(E_ACUTE), alice.properties(E_ACUTE)) == (b"1", {RED: "<red/>"})
    assert alice.usage() == (1, 1)


# --- properties -----------------------------------------------------------------------------------


def test_properties_are_set_all_or_none(alice: Person) -> None:
    """Up to a number and a size, of items and folders alike."""
    alice.put("a")
    alice.make("f")
    for place in ("a", "f", ""):
        alice.set(place, {RED: "<red>1</red>", BLUE: "<blue/>"})
        alice.set(place, {RED: "<red>2</red>", BLUE: None, "{urn:x}none": None})
        assert alice.properties(place) == {RED: "<red>2</red>"}
        many = {f"{{urn:x}}p{number}": "<p/>" for number in range(MAX_PROPERTIES)}
        with refused(alice, LimitReached):
            alice.set(place, many)
        with refused(alice, LimitReached):
            alice.set(place, {BLUE: "x" * MAX_CHARACTERS})
        with refused(alice, LimitReached):
            alice.set(place, {"{urn:x}" + "x" * MAX_KEY: ""})
        alice.set(place, {RED: None, **many})
        assert alice.properties(place) == many


# --- charges --------------------------------------------------------------------------------------


def test_charges_follow_items(alice: Person, bob: Person) -> None:
    """What an account is charged is what it has; moves within its space cost nothing."""
    alice.make("f")
    alice.put("a", b"12345")
    alice.put("a", b"123")
    assert alice.usage() == (3, 1)
    alice.copy("a", "f/b")
    assert alice.usage() == (6, 2)
    alice.move("a", "f/c")
    assert alice.usage() == (6, 2)
    alice.move("f/b", bob.at("b"))
    assert (alice.usage(), bob.usage()) == ((3, 1), (3, 1))
    alice.copy("f/c", bob.at("b"), overwrite=True)
    assert (alice.usage(), bob.usage()) == ((3, 1), (3, 1))
    alice.delete("f")
    bob.delete("b")
    assert (alice.usage(), bob.usage()) == ((0, 0), (0, 0))


def test_no_room(world: World, alice: Person, bob: Person) -> None:
    """Octets or items over the limit: nothing changes, and what frees room still works."""
    alice.put("a", b"12345")
    alice.put("b", b"12345")
    bob.put("c", b"123")
    for limit in (Limit(10, None), Limit(None, 2)):
        world.limit(alice, Tool.DOCUMENTS, limit)
        with refused(alice, OverQuota):
            alice.put("c", b"x")
        with refused(alice, OverQuota):
            alice.copy("a", "c")
        with refused(alice, OverQuota):
            alice.copy(bob.at("c"), "c")
        with refused(alice, OverQuota):
            alice.move(bob.at("c"), "c")
        alice.move("a", "x")
        alice.copy(bob.at("c"), "b", overwrite=True)
        alice.copy("x", "b", overwrite=True)
        alice.move("x", "a")
    world.limit(alice, Tool.DOCUMENTS, Limit(10, None))
    with refused(alice, OverQuota):
        alice.put("a", b"123456")
    world.limit(alice, Tool.DOCUMENTS, Limit(4, 1))
    alice.put("a", b"1234")  # smaller than it was
    alice.delete("b")
    assert alice.usage() == (4, 1)


# --- bodies and accounts --------------------------------------------------------------------------


def test_the_sweeper_keeps_bodies_of_items(world: World, alice: Person) -> None:
    """And takes those that were replaced or removed."""
    alice.put("a", b"1")
    alice.put("a", b"2")
    alice.put("b", b"3")
    alice.copy("b", "c")
    alice.delete("b")
    spool = world.store.spool()
    spool.write(b"large")
    alice.put("d", spool)
    assert sweep_bodies(world.store, -5) == 1
    assert alice.walk() == {"a": b"2", "c": b"3", "d": b"large"}
    alice.delete("d")
    assert sweep(world.store, -5) == 1
    assert list(world.store.blobs.names()) == []


def test_a_deleted_account_leaves_nothing(world: World, alice: Person, bob: Person) -> None:
    """Folders, items, properties, locks, tombstones, calendars, cards; others keep theirs."""
    before = snapshot(world.store)
    carol = world.person("carol")
    carol.make("f")
    carol.put("f/a")
    carol.set("f/a", {RED: "<red/>"})
    carol.put("b")
    carol.delete("b")
    carol.event("Calendar/e.ics", "e")
    carol.put("contacts:Contacts/c.vcf", card(uid="c"))
    carol.lock("f")
    bob.lock(carol.at("calendar:Calendar"))
    carol.lock(alice.at(""))
    apply(world.store, DeleteAccount(carol.actor.account_id))
    sweep_bodies(world.store, -5)
    assert snapshot(world.store) == before
    assert sql(world.store, "SELECT COUNT(*) FROM usage") == [(8,)]
    with pytest.raises(NotFound):
        alice.do(alice.tree.find(carol.at("f")))
