"""Locks (RFC 4918 sections 6 and 7): who may hold them, what they cover, when they end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from folkmoot.storage.errors import (
    Conflict,
    LimitReached,
    LockedByOther,
    MissingParent,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
)
from folkmoot.storage.mutations import tree_locks
from folkmoot.storage.mutations.tree_locks import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, MAX_OWNER
from folkmoot.storage.types_tree import Guard, LockRequest, LockScope, TreePath
from tests.storage.mail_kit import sql
from tests.storage.tree_kit import RED, Person, World, holding, refused

Call = Callable[[], object]


def roots(person: Person, work: Call) -> tuple[TreePath, ...]:
    """Where the locks are that stand in the way."""
    with refused(person, LockedByOther) as caught:
        work()
    found: tuple[TreePath, ...] = caught.value.roots
    return found


def expire(world: World) -> None:
    """Let the time of all locks be over."""
    sql(world.store, "UPDATE locks SET expires = 1")


@pytest.fixture
def tree(alice: Person) -> Person:
    """Somebody with f/g/b and f/a."""
    alice.make("f")
    alice.make("f/g")
    alice.put("f/g/b")
    alice.put("f/a")
    return alice


def test_a_lock_is_told_and_ends(tree: Person) -> None:
    """With all that was asked for, at its root and at all that it covers."""
    lock = tree.lock("f/a", owner="<href>me</href>", timeout=100)
    assert tree.locks("f/a") == [lock]
    assert (lock.root, lock.owner, lock.timeout) == (tree.at("f/a"), "<href>me</href>", 100)
    assert (lock.scope, lock.account_id) == (LockScope.EXCLUSIVE, tree.actor.account_id)
    assert lock.token.startswith("urn:uuid:")
    assert tree.locks("f") == tree.locks("f/g/b") == tree.locks("") == []
    tree.do(tree.tree.unlock(tree.at("f/a"), lock.token))
    assert tree.locks("f/a") == []
    with refused(tree, Conflict):
        tree.do(tree.tree.unlock(tree.at("f/a"), lock.token))


def test_timeouts(tree: Person) -> None:
    """A default, a longest, never none; a refresh begins it anew. # rfc4918#6.6"""
    for asked, granted in ((None, DEFAULT_TIMEOUT), (10**9, LONGEST_TIMEOUT), (0, 1), (-5, 1)):
        lock = tree.lock("f/a", timeout=asked)
        assert lock.timeout == granted
        expire(tree.world)  # one of a second may have ended by itself
    lock = tree.lock("f", timeout=50)
    again = tree.do(tree.tree.refresh(tree.at("f"), 500, holding(lock)))
    assert (again.token, again.timeout) == (lock.token, 500)
    assert again.expires >= lock.expires + 450
    # From below its root too. # rfc4918#9.10.2
    below = tree.do(tree.tree.refresh(tree.at("f/g/b"), 60, holding(lock)))
    assert (below.token, below.timeout, below.root) == (lock.token, 60, tree.at("f"))


def test_refreshing_what_is_not_there(tree: Person, bob: Person) -> None:
    """Another token, another place, another person's lock, an expired one."""
    lock = tree.lock("f/a")
    for person, place, guard in (
        (tree, "f/a", Guard(tokens=frozenset({"urn:uuid:other"}))),
        (tree, "f/a", Guard()),
        (tree, "f/g/b", holding(lock)),
        (bob, "f/a", holding(lock)),
    ):
        with refused(person, PreconditionFailed):
            person.do(person.tree.refresh(tree.at(place), 10, guard))
    expire(tree.world)
    with refused(tree, PreconditionFailed):
        tree.do(tree.tree.refresh(tree.at("f/a"), 10, holding(lock)))


@pytest.mark.parametrize("infinite", [False, True])
def test_exclusive_and_shared(tree: Person, bob: Person, infinite: bool) -> None:
    """An exclusive lock is alone, whoever asks; shared ones stand beside each other."""
    # rfc4918#6.2
    at = tree.at("f")
    lock = tree.lock("f", infinite=infinite)
    for person in (tree, bob):
        for shared in (False, True):
            assert roots(person, partial(person.lock, at, shared=shared)) == (at,)
    tree.do(tree.tree.unlock(at, lock.token))
    tree.lock("f", shared=True, infinite=infinite)
    bob.lock(at, shared=True, infinite=infinite)
    assert len(tree.locks("f")) == 2
    assert roots(tree, lambda: tree.lock("f")) == (at,)


def test_locks_from_above_and_below(tree: Person, bob: Person) -> None:
    """One with depth is in the way of others below it, and they are in its way."""
    lock = tree.lock("f")
    assert tree.locks("f/g/b") == tree.locks("f/g") == tree.locks("f/new") == [lock]
    assert roots(bob, lambda: bob.lock(tree.at("f/g/b"))) == (tree.at("f"),)
    tree.do(tree.tree.unlock(tree.at("f"), lock.token))
    tree.lock("f/g/b")
    for place in ("f", ""):
        found = roots(bob, partial(bob.lock, tree.at(place)))
        assert found == (tree.at("f/g/b"),)
    flat = tree.lock("f", infinite=False)
    assert tree.locks("f") == [flat]
    assert tree.locks("f/a") == []
    assert roots(bob, lambda: bob.lock(tree.at(""))) in (
        (tree.at("f"), tree.at("f/g/b")),
        (tree.at("f/g/b"), tree.at("f")),
    )


def _changes(person: Person, tree: Person, guard: Guard) -> dict[str, Call]:
    """Every way to change f/g/b, or what is there."""
    at = tree.at
    return {
        "put": lambda: person.put(at("f/g/b"), b"other", guard),
        "set": lambda: person.set(at("f/g/b"), {RED: "<red/>"}, guard),
        "replace by copy": lambda: person.copy(at("f/a"), at("f/g/b"), guard, overwrite=True),
        "replace by move": lambda: person.move(at("f/a"), at("f/g/b"), guard, overwrite=True),
        "move": lambda: person.move(at("f/g/b"), at("c"), guard),
        "delete": lambda: person.delete(at("f/g/b"), guard),
        "delete above": lambda: person.delete(at("f"), guard),
        "move above": lambda: person.move(at("f"), at("c"), guard),
        "replace above": lambda: person.copy(at("d"), at("f/g"), guard, overwrite=True),
    }


CHANGES = (
    *("put", "set", "replace by copy", "replace by move", "move", "delete"),
    *("delete above", "move above", "replace above"),
)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("locked", ["f/g/b", "f/g", "f"])
def test_changes_need_the_token(tree: Person, bob: Person, locked: str, change: str) -> None:
    """Of the holder: neither the token without its account opens a lock nor the reverse."""
    # rfc4918#6.4
    tree.make("d")
    lock = tree.lock(locked)
    for person, guard in ((bob, Guard()), (bob, holding(lock)), (tree, Guard())):
        assert tree.at(locked) in roots(person, _changes(person, tree, guard)[change])
    _changes(tree, tree, holding(lock))[change]()


def test_an_expired_lock_is_none(tree: Person, bob: Person) -> None:
    """It is neither told nor in the way, nor does its token hold for anything."""
    lock = tree.lock("f")
    expire(tree.world)
    assert tree.locks("f/g/b") == []
    bob.put(tree.at("f/a"), b"new")
    bob.delete(tree.at("f/g"))
    with refused(tree, Conflict):
        tree.do(tree.tree.unlock(tree.at("f"), lock.token))
    other = bob.lock(tree.at("f"))
    assert sql(tree.world.store, "SELECT token FROM locks") == [(other.token,)]


@pytest.mark.parametrize("infinite", [False, True])
def test_a_locked_folder_keeps_its_members(tree: Person, bob: Person, infinite: bool) -> None:
    """None comes or goes; without depth, those that are there may change (RFC 4918 section 7.4)."""
    lock = tree.lock("f", infinite=infinite)
    at = tree.at
    tree.put("a")
    for call in (
        lambda: bob.put(at("f/new")),
        lambda: bob.make(at("f/new")),
        lambda: bob.delete(at("f/a")),
        lambda: bob.delete(at("f/g")),
        lambda: bob.move(at("f/a"), at("b")),
        lambda: bob.move(at("a"), at("f/new")),
        lambda: bob.copy(at("a"), at("f/new")),
        lambda: bob.lock(at("f/new")),
        lambda: bob.set(at("f"), {RED: "<red/>"}),
    ):
        assert roots(bob, call) == (at("f"),)
    if infinite:
        assert roots(bob, lambda: bob.put(at("f/a"), b"y")) == (at("f"),)
    else:
        bob.put(at("f/a"), b"y")
        bob.set(at("f/a"), {RED: "<red/>"})
        bob.put(at("f/g/new"))
    tree.put("f/new", b"x", holding(lock))
    tree.delete("f/new", holding(lock))


def test_shared_locks_open_with_one_token(tree: Person, bob: Person, world: World) -> None:
    """Each holder may write with its own; others may not. # rfc4918#7"""
    carol = world.person("carol")
    mine = tree.lock("f/a", shared=True)
    his = bob.lock(tree.at("f/a"), shared=True)
    tree.put("f/a", b"1", holding(mine))
    bob.put(tree.at("f/a"), b"2", holding(his))
    assert roots(carol, lambda: carol.put(tree.at("f/a"), b"3")) == (tree.at("f/a"),)
    assert roots(carol, lambda: carol.put(tree.at("f/a"), b"3", holding(mine, his)))
    with refused(bob, PermissionDenied):
        bob.do(bob.tree.unlock(tree.at("f/a"), mine.token))


def test_locks_do_not_travel(tree: Person) -> None:
    """They end with a move or a removal; a copy has none (RFC 4918 sections 7.5 and 7.6)."""
    lock = tree.lock("f/a")
    tree.copy("f/a", "b")
    assert tree.locks("b") == []
    tree.move("f/a", "c", holding(lock))
    assert tree.locks("c") == tree.locks("f/a") == []
    deep = tree.lock("f/g/b")
    tree.move("f", "m", holding(deep))
    assert tree.locks("m/g/b") == []
    last = tree.lock("m/g")
    tree.delete("m", holding(last))
    tree.make("m")
    tree.make("m/g")
    assert tree.locks("m/g") == []
    assert sql(tree.world.store, "SELECT token FROM locks") == []


def test_a_lock_on_nothing_makes_something(tree: Person) -> None:
    """An empty document, in a folder that is there (RFC 4918 section 7.3)."""
    request = LockRequest(LockScope.EXCLUSIVE, True, "me", None)
    locked = tree.do(tree.tree.lock(tree.at("f/new"), request))
    assert locked.created
    assert tree.octets("f/new") == b""
    assert not tree.do(tree.tree.lock(tree.at("f/a"), request)).created
    with refused(tree, MissingParent):
        tree.lock("x/y")
    with refused(tree, NotFound):
        tree.lock("calendar:Calendar/x.ics")
    tree.lock("calendar:Calendar")


def test_limits(tree: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of locks in a space, of what clients write about themselves; expired ones do not count."""
    with refused(tree, LimitReached):
        tree.lock("f/a", owner="x" * (MAX_OWNER + 1))
    monkeypatch.setattr(tree_locks, "MAX_LOCKS", 2)
    tree.lock("f/a", owner="x" * MAX_OWNER)
    tree.lock("f/g/b")
    with refused(tree, LimitReached):
        tree.lock("f/new")
    expire(tree.world)
    tree.lock("f/new")


def test_locks_in_a_listing(tree: Person) -> None:
    """Each member with those that cover it, as it would say itself."""
    tree.lock("", shared=True)
    tree.lock("f", shared=True, infinite=False)
    tree.lock("f/a", shared=True)
    tree.lock("f/g", shared=True)
    nodes = [entry.node for entry in tree.members("f")]
    listed = tree.do(tree.tree.locks_listed(tree.folder("f").id, nodes))
    for node in nodes:
        own = {lock.token for lock in tree.locks(f"f/{node.name}")}
        assert {lock.token for lock in listed(node)} == own
        assert len(own) == 2


def test_names_of_locks_are_compared_in_nfc(tree: Person, bob: Person) -> None:
    """Another spelling of a locked name does not get around the lock."""
    tree.put("e\u0301")
    tree.lock("\u00e9")
    assert len(tree.locks("e\u0301")) == 1
    for name in ("\u00e9", "e\u0301"):
        assert roots(bob, partial(bob.put, tree.at(name), b"y")) == (tree.at("e\u0301"),)
