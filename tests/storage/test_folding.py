"""How searches compare texts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.content.folding import MANY, fold
from folkmoot.storage.content.fuzzy import relevance, words_of
from folkmoot.storage.content.sortkeys import collation_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zürich", "zU\u0308RICH"),
        ("ΛΌΓΟΣ", "λόγος"),
        ("Привет", "ПРИВЕТ"),
        ("straße", "STRASSE"),
        ("oﬀice", "OFFICE"),
        ("ＡＢＣ", "abc"),
        ("が", "か\u3099"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    ],
)
def test_what_looks_the_same_is_the_same(one: str, other: str) -> None:
    """Case, how letters are composed, ligatures and widths make no difference."""
    assert fold(one) == fold(other)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6))
def test_what_is_equal_for_the_comparator_is_equal(text: str) -> None:
    """All that i;unicode-casemap finds in a text is found. # rfc5051#2"""
    assert collation_key(text).upper() == fold(text)
    assert fold(unicodedata.normalize("NFC", text)) == fold(text)


def test_one_letter_does_not_fill_memory() -> None:
    """The one that stands for eighteen is left alone where there are too many of it."""
    assert len(fold("\ufdfa" * MANY)) == 18 * MANY
    assert len(fold("\ufdfa" * (MANY + 1))) == MANY + 1


def test_marks_part_no_words() -> None:
    """A word with accents is one word, and one without them a slip of it."""
    assert words_of(fold("Zürich in İstanbul")) == [fold("Zürich"), "IN", fold("İstanbul")]
    assert 0 < relevance(fold("zurich"), [fold("in Zürich")]) < 1
