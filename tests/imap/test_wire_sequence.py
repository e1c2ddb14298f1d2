"""Sequence sets against plain sets of numbers, and UID sets."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.imap.sequence import MAX_RANGES, SAVED, STAR, SequenceSet, UidSet
from tests.kit.pace import within

NUMBERS = st.integers(1, 60)
UIDS = st.sets(NUMBERS)
PARTS = st.lists(
    st.tuples(NUMBERS | st.just(STAR), NUMBERS | st.just(STAR)), min_size=1, max_size=8
)


def text_of(parts: list[tuple[int, int]]) -> bytes:
    """The wire form of parts, always as pairs."""
    words = [f"{a or '*'}:{b or '*'}" for a, b in parts]
    return ",".join(words).encode("ascii")


def naive(parts: list[tuple[int, int]], highest: int) -> set[int]:
    """The numbers that the parts mean, by counting."""
    found: set[int] = set()
    for a, b in parts:
        low, high = sorted((a or highest, b or highest))
        found |= set(range(low, high + 1))
    return found


@given(PARTS, UIDS)
def test_sequence_set_means_what_counting_says(
    parts: list[tuple[int, int]], uids: set[int]
) -> None:
    """resolve, slices and intersect agree with a set that is counted out. # rfc9051#4.1.1"""
    sequence = SequenceSet.parse(text_of(parts))
    values = sorted(uids)
    if not values:
        assert sequence.intersect(values) == []
        return
    expected = naive(parts, values[-1])
    ranges = sequence.resolve(values[-1])
    assert {n for low, high in ranges for n in range(low, high + 1)} == expected
    assert all(left[1] + 1 < right[0] for left, right in itertools.pairwise(ranges))
    assert sequence.intersect(values) == sorted(expected & uids)
    assert sequence.uses_star == any(STAR in part for part in parts)


@given(PARTS)
def test_sequence_set_prints_what_it_read(parts: list[tuple[int, int]]) -> None:
    """Printing and reading again gives the same set."""
    sequence = SequenceSet.parse(text_of(parts))
    assert SequenceSet.parse(bytes(sequence)) == sequence


def test_star_in_an_empty_mailbox() -> None:
    """``1:*`` and ``*`` hold nothing when there is nothing. # rfc9051#9"""
    assert SequenceSet.parse(b"1:*,*").resolve(0) == []
    assert SequenceSet.parse(b"1:*,7").resolve(0) == [(7, 7)]


def test_range_beyond_the_last_holds_the_last() -> None:
    """``100:*`` finds the last message when there are fewer (RFC 9051, seq-range). # rfc9051#9"""
    assert SequenceSet.parse(b"100:*").intersect([3, 9]) == [9]


def test_saved_result() -> None:
    """``$`` is told apart from numbers."""
    assert SequenceSet.parse(b"$") is SAVED
    assert bytes(SAVED) == b"$"


@pytest.mark.parametrize(
    "text",
    [b"", b"0", b"1,", b",1", b"1,,2", b"1:", b":1", b"1:2:3", b"a", b"$,1", b"**", b"4294967296",
     b"1" * 5000, b"-1", b"+1", b" 1", b"1_0", "١".encode()],
)  # fmt: skip
def test_malformed_sequence_sets(text: bytes) -> None:
    """Nothing but the grammar passes, whatever int() would take."""
    with pytest.raises(ValueError, match=r"sequence set"):
        SequenceSet.parse(text)


def test_number_of_ranges_is_limited() -> None:
    """A set has at most MAX_RANGES parts."""
    assert len(SequenceSet.parse(b"1," * (MAX_RANGES - 1) + b"1").parts) == MAX_RANGES
    with pytest.raises(ValueError, match="Too many"):
        SequenceSet.parse(b"1," * MAX_RANGES + b"1")


def test_widest_range_costs_nothing() -> None:
    """``1:4294967295`` is not counted out."""
    with within(0.1):
        assert SequenceSet.parse(b"1:4294967295").intersect([5, 7]) == [5, 7]
        everything = UidSet.from_text("1:4294967295")
        assert len(everything) == 4294967295
        assert len(everything - UidSet.from_text("2:3")) == 4294967293


@given(UIDS, UIDS)
def test_uid_set_is_a_set(left: set[int], right: set[int]) -> None:
    """Union, intersection, difference, membership, order and length agree with Python's sets."""
    a, b = UidSet.from_iterable(left), UidSet.from_iterable(right)
    assert list(a) == sorted(left)
    assert len(a) == len(left)
    assert bool(a) == bool(left)
    assert list(a | b) == sorted(left | right)
    assert list(a & b) == sorted(left & right)
    assert list(a - b) == sorted(left - right)
    assert {n for n in range(62) if n in a} == left
    assert (a == b) == (left == right)
    ranges = (a | b).ranges
    assert all(one[1] + 1 < two[0] for one, two in itertools.pairwise(ranges))


@given(UIDS)
def test_uid_set_text(uids: set[int]) -> None:
    """The text form reads back as the same set, as str and as octets."""
    uid_set = UidSet.from_iterable(uids)
    assert UidSet.from_text(str(uid_set)) == uid_set
    assert UidSet.from_bytes(bytes(uid_set)) == uid_set
    assert hash(UidSet.from_text(str(uid_set))) == hash(uid_set)


def test_uid_set_text_form() -> None:
    """Runs are folded, single UIDs stand alone."""
    assert str(UidSet.from_iterable([12, 1, 2, 3, 4, 5, 7, 9, 10, 11])) == "1:5,7,9:12"
    assert str(UidSet.from_text("5:1,2:7")) == "1:7"
    assert "1" not in UidSet.from_text("1")


@pytest.mark.parametrize(
    "text", ["0", "1:*", "*", "x", "1,", "4294967296", "1:2:3", "9" * 5000, "é"]
)
def test_malformed_uid_sets(text: str) -> None:
    """What is not a set of UIDs is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - the texts are not for people
        UidSet.from_text(text)


def test_uid_set_range_limit() -> None:
    """The number of parts can be limited."""
    assert len(UidSet.from_text("1,3,5", max_ranges=3)) == 3
    with pytest.raises(ValueError, match="too many"):
        UidSet.from_text("1,3,5", max_ranges=2)


def test_hundred_thousand_uids_print_fast() -> None:
    """The worst case (no two neighbours) takes tens of milliseconds, not seconds."""
    uid_set = UidSet.from_iterable(range(1, 200_001, 2))
    with within(0.5):
        text = str(uid_set)
    assert text.count(",") == 99_999
