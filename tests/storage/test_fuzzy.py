"""Inexact matching: what counts as a match, and how well it matches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.content.fuzzy import clues, one_slip, relevance, words_of

TEXT = ["minutes of the meeting", "we talked about the budget"]


@pytest.mark.parametrize(
    "query",
    [
        "meeting",
        "meet",
        "budget meeting",
        "meeting minutes",
        "meetnig",  # neighbours that changed places
        "metting",
        "meting",
        "meetiing",
        "eeting",
        "meetin",
        "budegt minuets",
    ],
)
def test_matches(query: str) -> None:
    """Any order, parts of words, and one slip in a long word."""
    assert 0 < relevance(query, TEXT) <= 1


@pytest.mark.parametrize(
    "query", ["meeting tomorrow", "mteenig", "budgets meetings agenda", "teh", "talkedx about it x"]
)
def test_does_not_match(query: str) -> None:
    """Every word must be there; short words as they are, long ones with one slip at most."""
    assert relevance(query, TEXT) == 0


def test_the_better_the_higher() -> None:
    """Whole words in their order before parts, before another order, before slips."""
    scores = [
        relevance(query, TEXT)
        for query in ("the meeting", "meeting the", "the meeti", "teh meeting", "the meetnig")
    ]
    assert scores[0] == 1
    assert scores[0] > scores[1] > scores[4] > scores[3] == 0
    assert scores[0] > scores[2] > scores[4]


def test_without_words() -> None:
    """Signs alone are looked for as they are."""
    assert relevance("!?", ["what!?"]) == 1
    assert relevance("!?", ["what?!"]) == 0
    assert words_of("a b a") == ["a", "b"]


letters = st.text(alphabet="abc", min_size=6, max_size=9)


@given(letters, st.integers(0, 8), st.sampled_from(["swap", "drop", "add", "change"]))
def test_every_slip_is_forgiven_and_leaves_a_clue(word: str, at: int, kind: str) -> None:
    """What the index looks for is in every text that matches."""
    at %= len(word) - 1
    other = {
        "swap": word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        "drop": word[:at] + word[at + 1 :],
        "add": word[:at] + "x" + word[at:],
        "change": word[:at] + "x" + word[at + 1 :],
    }[kind]
    assert other == word or one_slip(word, other)
    assert relevance(word, [f"some {other} text"]) > 0
    assert any(clue in other for clue in clues(word))


@given(letters, letters)
def test_a_match_leaves_a_clue(word: str, other: str) -> None:
    """The other way round: nothing matches that the index would not find."""
    if relevance(word, [other]):
        assert any(clue in other for clue in clues(word))


def test_hostile_queries() -> None:
    """A query of many words over much text takes no time to speak of."""
    query = " ".join(f"abcdef{n}" for n in range(10_000))
    assert relevance(query, ["abcdeg " * 100_000]) == 0
