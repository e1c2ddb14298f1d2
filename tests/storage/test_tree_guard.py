"""Conditions of a write: entity tags, times, schedule tags, lists of the If header."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from folkmoot.storage.errors import PreconditionFailed
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import Guard, IfCondition, IfList, ItemTimes, TreePath
from tests.storage.mail_kit import sql
from tests.storage.tree_kit import RED, Person, refused

NOWHERE = TreePath(777, Tool.DOCUMENTS, ("x",))


def holds(person: Person, place: str, guard: Guard) -> bool:
    """Whether a write under a guard is let through; every way to write must agree."""
    writes: list[Callable[[], object]] = []
    if person.has(place):
        writes += [
            lambda: person.set(place, {RED: "<red/>"}, guard),
            lambda: person.copy(place, "copy", guard, overwrite=True),
        ]
    else:
        writes.append(lambda: person.do(person.tree.may_put(person.at(place), 1, guard)))
    results = set()
    for write in writes:
        try:
            write()
            results.add(True)
        except PreconditionFailed:
            results.add(False)
    (result,) = results
    return result


def condition(**parts: object) -> IfCondition:
    return IfCondition(**parts)  # type: ignore[arg-type]


def test_entity_tags(alice: Person) -> None:
    """If-Match and If-None-Match, with any tag, with the right one among others, on nothing."""
    tag = alice.put("a").item.etag
    alice.make("f")
    for place, match, expected in (
        ("a", ("*",), True),
        ("a", (tag,), True),
        ("a", ("x", tag), True),
        ("a", ("x",), False),
        ("a", (), False),
        ("none", ("*",), False),
        ("none", (tag,), False),
        ("f", ("*",), True),
        ("f", (tag,), False),
    ):
        assert holds(alice, place, Guard(match=match)) is expected, (place, match)
        assert holds(alice, place, Guard(none_match=match)) is not expected, (place, match)


def test_tags_are_of_the_moment(alice: Person) -> None:
    """What was replaced meanwhile is not overwritten, and no write comes twice."""
    old = alice.put("a", b"1").item.etag
    new = alice.put("a", b"2", Guard(match=(old,))).item.etag
    for write in (
        lambda: alice.put("a", b"3", Guard(match=(old,))),
        lambda: alice.put("a", b"3", Guard(none_match=("*",))),
        lambda: alice.delete("a", Guard(match=(old,))),
        lambda: alice.move("a", "b", Guard(match=(old,))),
        lambda: alice.lock("a", Guard(match=(old,))),
        lambda: alice.make("f", guard=Guard(match=("*",))),
    ):
        with refused(alice, PreconditionFailed):
            write()
    alice.put("b", b"3", Guard(none_match=("*",)))
    alice.delete("a", Guard(match=(new,)))


def test_unmodified_since(alice: Person) -> None:
    """To the second; a tag that is given counts alone (RFC 9110 section 13.2.2)."""
    tag = alice.put("a", times=ItemTimes(modified=1000)).item.etag
    assert holds(alice, "a", Guard(unmodified_since=1000))
    assert holds(alice, "a", Guard(unmodified_since=1001))
    assert not holds(alice, "a", Guard(unmodified_since=999))
    assert holds(alice, "a", Guard(unmodified_since=999, match=(tag,)))
    assert holds(alice, "none", Guard(unmodified_since=1))


def test_schedule_tags(alice: Person) -> None:
    """RFC 6638 section 3.2.10: only of an object that has this very tag."""
    alice.put("a")
    assert not holds(alice, "a", Guard(schedule_tag="1"))
    sql(alice.world.store, "UPDATE items SET schedule_tag = '1'")
    assert holds(alice, "a", Guard(schedule_tag="1"))
    assert not holds(alice, "a", Guard(schedule_tag="2"))
    assert not holds(alice, "none", Guard(schedule_tag="1"))


def test_lists_of_conditions(alice: Person) -> None:
    """One list must hold, with all of its conditions; Not turns one around."""
    tag = alice.put("a").item.etag
    right, wrong = condition(etag=tag), condition(etag="x")
    not_right = condition(etag=tag, negated=True)
    not_wrong = condition(etag="x", negated=True)
    here = alice.at("a")
    for lists, expected in (
        ([(right,)], True),
        ([(wrong,)], False),
        ([(right, wrong)], False),
        ([(wrong,), (right,)], True),
        ([(not_wrong,)], True),
        ([(not_right,)], False),
        ([(right, not_wrong)], True),
        ([(not_right,), (wrong,), (right, not_wrong)], True),
    ):
        guard = Guard(lists=tuple(IfList(here, conditions) for conditions in lists))
        assert holds(alice, "a", guard) is expected, lists


def test_lists_about_other_places(alice: Person) -> None:
    """Tagged lists: a place of this server, one where nothing is, one that may not be known, one
    of another server."""
    alice.put("a")
    tag = alice.put("b", b"y").item.etag
    alice.make("f")
    for path, expected in (
        (alice.at("b"), True),
        (alice.at("a"), False),
        (alice.at("f"), False),
        (alice.at("none"), False),
        (alice.at("none/none"), False),
        (NOWHERE, False),
        (None, False),
    ):
        guard = Guard(lists=(IfList(path, (condition(etag=tag),)),))
        assert holds(alice, "a", guard) is expected, path
        negated = Guard(lists=(IfList(path, (condition(etag=tag, negated=True),)),))
        assert holds(alice, "a", negated) is not expected, path


def test_tokens_in_lists(alice: Person, bob: Person) -> None:
    """A token holds where its lock covers the place, inherited or not; even another's."""
    alice.make("f")
    alice.put("f/a")
    alice.put("b")
    lock = alice.lock("f")
    own = frozenset({lock.token})
    for path, expected in (
        (alice.at("f"), True),
        (alice.at("f/a"), True),
        (alice.at("f/new"), True),
        (alice.at("b"), False),
        (alice.at(""), False),
        (None, False),
    ):
        guard = Guard(lists=(IfList(path, (condition(token=lock.token),)),), tokens=own)
        assert holds(alice, "b", guard) is expected, path
        assert holds(bob, "b", guard) is holds(bob, "none", guard), path
    never = Guard(lists=(IfList(alice.at("b"), (condition(token="DAV:no-lock"),)),))
    assert not holds(alice, "b", never)
    always = condition(token="DAV:no-lock", negated=True)
    assert holds(alice, "b", Guard(lists=(IfList(alice.at("b"), (always,)),)))
    sql(alice.world.store, "UPDATE locks SET expires = 1")
    guard = Guard(lists=(IfList(alice.at("f"), (condition(token=lock.token),)),), tokens=own)
    assert not holds(alice, "b", guard)


def test_all_conditions_must_hold(alice: Person) -> None:
    """Headers do not stand for each other."""
    tag = alice.put("a").item.etag
    good = (IfList(alice.at("a"), (condition(etag=tag),)),)
    bad = (IfList(alice.at("a"), (condition(etag="x"),)),)
    assert holds(alice, "a", Guard(match=(tag,), lists=good))
    assert not holds(alice, "a", Guard(match=("x",), lists=good))
    assert not holds(alice, "a", Guard(match=(tag,), lists=bad))
    assert not holds(alice, "a", Guard(match=(tag,), none_match=("*",)))
    assert not holds(alice, "a", Guard(match=(tag,), schedule_tag="x"))


@pytest.mark.parametrize("moves", [False, True])
def test_conditions_of_copies_are_the_sources(alice: Person, moves: bool) -> None:
    """The request is for the source; what is at the destination is for Overwrite."""
    go = alice.move if moves else alice.copy
    tag = alice.put("a").item.etag
    other = alice.put("b", b"y").item.etag
    with refused(alice, PreconditionFailed):
        go("a", "b", Guard(match=(other,)), overwrite=True)
    go("a", "b", Guard(match=(tag,)), overwrite=True)
