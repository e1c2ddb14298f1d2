"""Inexact matching of words (RFC 6203): any order, parts of words, one slip in a long word.

A slip is a letter that is wrong, missing or too many, or two neighbours that changed places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_WORDS = 20  # of a query; what comes behind them is not looked at
SLIP_LENGTH = 6  # letters of a word from which on one may be wrong

WHOLE, PART, SLIP = 1.0, 0.8, 0.5
OUT_OF_ORDER = 0.9

# Letters, and the marks on them, which stand behind them in folded text: of Latin, Greek and
# Cyrillic; Hebrew and Arabic; India's and Sri Lanka's; Thai and Lao; kana.
_WORD = re.compile(
    r"[\w\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    r"\u0900-\u0963\u0971-\u0df3\u0e31-\u0e4e\u0eb1-\u0ecd\u1dc0-\u1dff\u3099\u309a]+"
)


def words_of(text: str) -> list[str]:
    """The different words of a folded query."""
    return list(dict.fromkeys(_WORD.findall(text)))[:MAX_WORDS]


def clues(word: str) -> list[str]:
    """Texts of which one at least is in whatever holds the word, or the word with a slip."""
    if len(word) < SLIP_LENGTH:
        return [word]
    middle = len(word) // 2
    return [word[:middle], word[middle:], _swapped(word, middle - 1)]


def relevance(query: str, texts: Iterable[str]) -> float:
    """How well folded texts together match a folded query: 0 (not at all) to 1.

    Every word must be somewhere. A query without words must be there as it is.
    """
    texts = list(texts)
    words = words_of(query)
    if not words:
        return float(any(query in text for text in texts))
    text = "\n".join(texts)
    present = None
    total = 0.0
    for word in words:
        if word in text:
            present = present or set(_WORD.findall(text))
            total += WHOLE if word in present else PART
        elif len(word) >= SLIP_LENGTH:
            present = present or set(_WORD.findall(text))
            if not _slipped(word, present):
                return 0.0
            total += SLIP
        else:
            return 0.0
    ordered = len(words) == 1 or query.strip() in text
    return total / len(words) * (1.0 if ordered else OUT_OF_ORDER)


def _slipped(word: str, present: set[str]) -> bool:
    middle = len(word) // 2
    first, second = word[:middle], word[middle:]
    if _swapped(word, middle - 1) in present:
        return True
    # Any other slip leaves one half as it is, at its end of the word.
    return any(
        one_slip(word, other)
        for other in present
        if abs(len(other) - len(word)) <= 1 and (other.startswith(first) or other.endswith(second))
    )


def one_slip(word: str, other: str) -> bool:
    """Whether two different words differ by one slip."""
    if len(word) > len(other):
        word, other = other, word
    at = next((n for n, letter in enumerate(word) if letter != other[n]), len(word))
    if len(word) < len(other):
        return word[at:] == other[at + 1 :]
    return word[at + 1 :] == other[at + 1 :] or _swapped(word, at) == other


def _swapped(word: str, at: int) -> str:
    return word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :]
