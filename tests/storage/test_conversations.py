"""Threading: the algorithms of RFC 5256 on small mailboxes, and on hostile ones."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.imap.commands.thread import printed
from folkmoot.storage.conversations import ThreadMember, by_references, by_subject
from folkmoot.storage.types_search import Threads
from tests.kit.pace import within


def message(
    uid: int, subject: str = "", refs: tuple[int, ...] = (), sent: int | None = None, **more: int
) -> ThreadMember:
    """A message whose id is its UID."""
    packed = struct.pack(f">{len(refs)}q", *refs)
    moment = uid if sent is None else sent
    return ThreadMember(
        uid, moment, subject, more.get("reply", 0), more.get("message_id", uid), packed
    )


def show(threads: Threads) -> str:
    return "".join([printed(root, threads, lambda uid: uid) for root in threads.roots])


def references(*members: ThreadMember) -> str:
    return show(by_references(members, subjects=True))


def refs(*members: ThreadMember) -> str:
    return show(by_references(members, subjects=False))


def test_missing_messages_are_asked_for_before_they_are_made() -> None:
    """Whoever counts them can refuse: there may be a hundred for each message."""
    asked: list[int] = []
    hostile = [message(one, refs=tuple(range(one * 100, one * 100 + 100))) for one in range(1, 26)]
    by_references(hostile, subjects=True, take=asked.append)
    assert sum(asked) == 3_000  # for 2,500 that are not there


def test_ordered_subject() -> None:
    """All of a subject answer its first message; threads are in the order of their firsts."""
    members = [
        message(1, "B", sent=50),
        message(2, "A", sent=40),
        message(3, "B", sent=30),
        message(4, "A", sent=20),
        message(5, "A", sent=60),
    ]
    assert show(by_subject(members)) == "(4 (2)(5))(3 1)"


def test_answers_hang_below_what_they_answer() -> None:
    """The last reference is the parent; siblings are in the order of their dates."""
    assert references(
        message(1), message(2, refs=(1,)), message(3, refs=(1, 2)), message(4, refs=(1,), sent=1)
    ) == ("(1 (4)(2 3))")


def test_missing_messages_are_left_out() -> None:
    """One that is missing in between gives its place to its answers; at the root, to a single."""
    assert references(message(1), message(2, refs=(1, 99))) == "(1 2)"
    assert references(message(2, refs=(99,))) == "(2)"
    assert references(message(2, refs=(99,)), message(3, refs=(99,))) == "((2)(3))"
    assert references(message(5, refs=(98, 99)), message(4, refs=(98,), sent=9)) == "((5)(4))"


def test_the_last_reference_of_a_message_decides() -> None:
    """What others' truncated References say of it gives way to its own."""
    assert references(message(1), message(2, refs=(1, 3)), message(3)) == "(1)(3 2)"
    assert references(message(1), message(2, refs=(1, 3)), message(3, refs=(1,))) == "(1 3 2)"


def test_rings_are_not_closed() -> None:
    """Messages that refer to each other, or to themselves, are told once each."""
    assert references(message(1, refs=(2,)), message(2, refs=(1,))) == "(2 1)"
    assert references(message(1, refs=(1,))) == "(1)"
    assert references(message(1, refs=(3,)), message(2, refs=(1,)), message(3, refs=(2,))) == (
        "(3 1 2)"
    )


def test_a_message_id_that_comes_twice() -> None:
    """Answers belong to the first of those with it."""
    assert references(message(1), message(2, message_id=1), message(3, refs=(1,))) == "(1 3)(2)"


def test_equal_subjects_join_threads() -> None:
    """RFC 5256 section 3, REFERENCES step 5: all four ways."""
    assert references(message(1, "S"), message(2, "S", reply=1)) == "(1 2)"
    assert references(message(1, "S", reply=1), message(2, "S")) == "(2 1)"
    assert references(message(1, "S"), message(2, "S")) == "((1)(2))"
    assert references(
        message(1, "S", refs=(98,)), message(2, "S", refs=(98,)), message(3, "S")
    ) == ("((1)(2)(3))")
    assert references(
        message(1, "S", refs=(98,)),
        message(2, "S", refs=(98,)),
        message(3, "S", refs=(99,)),
        message(4, "S", refs=(99,)),
    ) == ("((1)(2)(3)(4))")
    assert references(message(1), message(2)) == "(1)(2)"  # no subject is no subject in common


def test_refs_has_the_latest_thread_last() -> None:
    """Subjects mean nothing there; an answer moves its whole thread to the end."""
    assert refs(message(1, "S"), message(2, "S"), message(3, refs=(1,))) == "(2)(1 3)"


members_of_any_kind = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.lists(st.integers(0, 15), max_size=4),
        st.sampled_from(["", "A", "B"]),
        st.booleans(),
        st.integers(0, 5),
    ),
    max_size=12,
)


@given(members_of_any_kind, st.booleans())
def test_every_message_is_told_once(
    given_: list[tuple[int, list[int], str, bool, int]], subjects: bool
) -> None:
    """Whatever messages refer to: none is lost, none comes twice, and dummies hold several."""
    members = [
        message(uid, subject, tuple(references), sent, reply=int(reply), message_id=message_id)
        for uid, (message_id, references, subject, reply, sent) in enumerate(given_, 1)
    ]
    threads = by_references(members, subjects=subjects)
    told: list[int] = []
    waiting = list(threads.roots)
    while waiting:
        node = waiting.pop()
        below = threads.children.get(node, ())
        assert node > 0 or (len(below) > 1 and node in threads.roots)
        told += [node] if node > 0 else []
        waiting.extend(below)
    assert sorted(told) == [one.uid for one in members]


def test_long_chains() -> None:
    """A thread as deep as the mailbox is large is neither slow nor too deep."""
    count = 20_000
    chain = [message(1)] + [message(n, refs=(n - 1,)) for n in range(2, count)]
    with within(5):
        text = references(*chain)
    assert text == f"({' '.join(map(str, range(1, count)))})"
