"""Sync of the tree: numbers, tombstones, answers that are cut short (RFC 6578)."""

from __future__ import annotations

import pytest

from folkmoot.storage.errors import LogTrimmed
from folkmoot.storage.mutations.upkeep import TrimLog
from folkmoot.storage.types import ALL_RIGHTS, Right
from folkmoot.storage.types_tree import Folder, Synced, TreePath
from tests.storage.accounts_kit import apply
from tests.storage.mail_kit import sql
from tests.storage.tree_kit import RED, Person, World


class Client:
    """A client that knows a folder by sync alone: names with their tags."""

    def __init__(self, person: Person, place: str | TreePath = "") -> None:
        self.person, self.folder = person, person.folder(place).id
        self.since = self.began = 0
        self.known: dict[str, str] = {}

    def step(self, limit: int | None = None) -> Synced:
        """One request, and what the client makes of the answer."""
        call = self.person.tree.changes(self.folder, self.since, limit, began=self.began)
        synced = self.person.do(call)
        for entry in synced.entries:
            tag = "folder" if isinstance(entry.node, Folder) else entry.node.etag
            self.known[entry.node.name] = tag
        for name in synced.removed:
            self.known.pop(name, None)
        if limit is not None:
            assert len(synced.entries) + len(synced.removed) <= limit
        self.since, self.began = synced.modseq, synced.began
        return synced

    def follow(self, limit: int | None = None) -> None:
        """Until there is nothing new."""
        while self.step(limit).more:
            pass


def state(person: Person, place: str | TreePath = "") -> dict[str, str]:
    """What a client must know in the end."""
    return {
        entry.node.name: "folder" if isinstance(entry.node, Folder) else entry.node.etag
        for entry in person.members(place)
    }


def test_every_change_of_a_member_has_a_number_of_its_own(alice: Person) -> None:
    """A sync goes on behind a number: two changes with one could not be told apart."""
    numbers = [alice.folder().modseq]

    def rose(by: int = 1) -> None:
        numbers.append(alice.folder().modseq)
        assert numbers[-1] - numbers[-2] == by

    assert alice.put("a").item.modseq == numbers[0] + 1
    rose()
    assert alice.put("a", b"y").item.modseq == numbers[-1] + 1
    rose()
    assert alice.make("f").member_modseq == numbers[-1] + 1
    rose()
    alice.set("a", {RED: "<red/>"})
    rose()
    assert alice.item("a").modseq == numbers[-1]
    alice.set("f", {RED: "<red/>"})
    rose()
    assert alice.folder("f").member_modseq == numbers[-1]
    alice.copy("a", "b")
    rose()
    alice.copy("f", "g")
    rose()
    alice.move("a", "c")  # gone, and come
    rose(2)
    alice.move("f", "h")
    rose(2)
    alice.copy("b", "c", overwrite=True)
    rose(2)
    alice.delete("g")
    rose()
    alice.delete("b")
    rose()
    assert alice.sync("").modseq == numbers[-1]


def test_changes_below_a_member_are_not_the_folders_own(alice: Person) -> None:
    """The number of a folder is of its own members, as RFC 6578 section 3.3 has it for level 1."""
    alice.make("f")
    before = alice.folder().modseq
    alice.put("f/a")
    assert alice.folder().modseq == before
    assert alice.sync("", before).entries == ()


def test_sync_tells_what_changed_and_what_is_gone(alice: Person) -> None:
    """With the properties of what changed, and the names of removed members as they were given."""
    # rfc6578#3.5
    alice.put("a")
    alice.put("Cafe\u0301")
    alice.make("f")
    first = alice.sync("")
    assert [entry.node.name for entry in first.entries] == ["a", "Cafe\u0301", "f"]
    assert (first.removed, first.more, first.began) == ((), False, 0)
    assert alice.sync("", first.modseq) == Synced(first.modseq, (), (), False)
    alice.set("a", {RED: "<red/>"})
    alice.delete("Caf\u00e9")
    alice.delete("f")
    second = alice.sync("", first.modseq)
    assert [dict(entry.properties) for entry in second.entries] == [{RED: "<red/>"}]
    assert second.removed == ("Cafe\u0301", "f")


def test_a_name_that_came_back_is_not_gone(alice: Person) -> None:
    """Also as something else; and gone again, it is told once."""
    for name in "abc":
        alice.put(name)
    since = alice.sync("").modseq
    for name in "abc":
        alice.delete(name)
    alice.put("a", b"new")
    alice.make("b")
    synced = alice.sync("", since)
    assert [entry.node.name for entry in synced.entries] == ["a", "b"]
    assert synced.removed == ("c",)
    for _ in range(3):
        alice.put("c")
        alice.delete("c")
    assert alice.sync("", since).removed == ("c",)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_sync_cut_short_ends_with_the_same(alice: Person, limit: int) -> None:
    """Whatever the limit is, and whatever happens between two answers: nothing is missed."""
    # rfc6578#3.6
    for name in "abcdefg":
        alice.put(name)
    alice.make("x")
    client, late = Client(alice), Client(alice)
    client.follow(limit)
    late.step(limit)
    for name in "abcd":
        alice.delete(name)
    for name in "abc":
        alice.put(name, b"again")
    alice.delete("x")
    alice.make("x")
    alice.move("e", "z")
    late.step(limit)
    alice.delete("f")
    alice.delete("a")
    for one in (client, late):
        one.follow(limit)
        assert one.known == state(alice)


def test_tombstones_behind_reborn_names_are_not_lost(alice: Person) -> None:
    """A cut is at a number: what was left out because it came back must not hide what did not."""
    for name in "abcd":
        alice.put(name)
    client = Client(alice)
    client.follow()
    for name in "abcd":
        alice.delete(name)
    for name in "abc":
        alice.put(name, b"again")
    client.follow(2)
    assert client.known == state(alice)


def test_members_that_may_not_be_known_do_not_end_a_sync(
    world: World, alice: Person, bob: Person
) -> None:
    """A page of folders that are all hidden has others behind it."""
    hidden = [alice.make(f"h{number}").id for number in range(5)]
    seen = [alice.make(f"s{number}").name for number in range(3)]
    for id_ in hidden:
        world.policy.limited[(bob.actor.account_id, id_)] = Right.NONE
    bob.space = alice.space
    for limit in (None, 1, 2, 3, 8):
        client = Client(bob)
        client.follow(limit)
        assert sorted(client.known) == seen
    assert bob.names("") == seen
    for limit in (1, 2, 3, 4, 8):
        assert [entry.node.name for entry in bob.members("", limit)] == seen


def test_numbers_that_never_were(alice: Person) -> None:
    """A token from another time (a restored backup) is answered with a new start."""
    now = alice.folder().modseq
    for since in (now + 1, 10**17, -1):
        with pytest.raises(LogTrimmed):
            alice.sync("", since)
    folder = alice.folder().id
    with pytest.raises(LogTrimmed):
        alice.do(alice.tree.changes(folder, 1, None, began=now + 1))


def test_a_trimmed_log(world: World, alice: Person) -> None:
    """Who knows an older state than the log reaches starts again; the others go on."""
    # rfc6578#3.2
    tokens = []
    for number in range(10):
        alice.put(f"a{number}")
    for number in range(6):
        tokens.append(alice.folder().modseq)
        alice.delete(f"a{number}")
    assert apply(world.store, TrimLog(kept=2)) == 1
    floor = alice.folder().log_floor
    assert floor == tokens[4]  # of six removals four are forgotten
    for since in tokens[:4]:
        with pytest.raises(LogTrimmed):
            alice.sync("", since)
    assert alice.sync("", tokens[4]).removed == ("a4", "a5")
    assert apply(world.store, TrimLog(kept=2)) == 0


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_first_look_in_pages_after_the_log_was_trimmed(
    world: World, alice: Person, limit: int
) -> None:
    """Old members have numbers below the log's floor: a client that pages must not start again
    for ever. What is trimmed while it pages does send it back."""
    for number in range(12):
        alice.put(f"a{number}")
    client = Client(alice)
    for number in range(6, 12):
        alice.delete(f"a{number}")
    apply(world.store, TrimLog(kept=1))
    synced = client.step(limit)
    assert (synced.more, synced.began) == (True, alice.folder().modseq)
    alice.delete("a0")
    alice.put("new")
    client.follow(limit)
    assert client.known == state(alice)
    assert client.began == 0
    again = Client(alice)
    again.step(1)
    for number in range(1, 4):
        alice.delete(f"a{number}")
    apply(world.store, TrimLog(kept=1))
    with pytest.raises(LogTrimmed):
        again.step(1)


def test_a_first_look_in_pages_hears_of_what_is_removed_meanwhile(alice: Person) -> None:
    """But not of what was gone before: it never knew it."""
    for name in "abc":
        alice.put(name)
    alice.delete("a")
    client = Client(alice)
    client.step(1)
    assert list(client.known) == ["b"]
    alice.delete("b")
    synced = client.step()
    assert synced.removed == ("b",)
    assert client.known == state(alice)


def test_the_counter_is_not_given_twice_after_a_refusal(alice: Person) -> None:
    """A number is taken in the transaction: what was rolled back leaves none behind."""
    alice.put("a")
    before = alice.folder().modseq
    for _ in range(3):
        with pytest.raises(Exception, match="exists"):
            alice.make("a")
    assert alice.folder().modseq == before
    rows = sql(alice.world.store, "SELECT COUNT(*) FROM tombstones")
    assert rows == [(0,)]


def test_a_renamed_spelling_is_one_change(alice: Person) -> None:
    """Names that are the same in NFC: the new spelling is told, and nothing is gone."""
    alice.put("e\u0301")
    client = Client(alice)
    client.follow()
    assert alice.move("e\u0301", "\u00e9") is False
    synced = client.step()
    assert [entry.node.name for entry in synced.entries] == ["\u00e9"]
    assert synced.removed == ()
    assert alice.names() == ["\u00e9"]


def test_read_is_needed(world: World, alice: Person, bob: Person) -> None:
    """Who may know a folder but not look into it gets no changes."""
    folder = alice.make("f").id
    world.policy.limited[(bob.actor.account_id, folder)] = ALL_RIGHTS & ~Right.READ
    call = bob.tree.changes(folder, 0, None)
    with pytest.raises(Exception, match="right"):
        bob.do(call)
