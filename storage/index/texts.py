"""The text of a message as the index keeps it: what the scan would look at, ready to be compared.

The same functions as the scan's make it, so both find the same. Parts are joined by a character
that no indexed search can hold; so are characters that a database cannot store.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from folkmoot.storage.content.folding import fold
from folkmoot.storage.content.sections import PartTable
from folkmoot.storage.content.source import Source
from folkmoot.storage.content.text import body_texts, decoded_header

VERSION = "2"
"""Changes when the texts would come out differently: then all are made anew."""

LIMIT = 512 * 1024
"""Characters of a message that are indexed; one with more is scanned by each search."""

SEPARATOR = "\x1e"
_UNUSABLE = re.compile(f"[\x00{SEPARATOR}\ud800-\udfff]")


class SearchText(NamedTuple):
    """A row of ``search_texts``: named fields, the whole header, all texts; folded."""

    subject: str
    sender: str
    recipients: str
    copied: str
    header: str
    body: str


#: Header fields that have a column of their own.
COLUMN_OF_FIELD = {"subject": "subject", "from": "sender", "to": "recipients", "cc": "copied"}


def searchable(text: str) -> bool:
    """Whether the index can answer for a text."""
    return bool(text) and _UNUSABLE.search(text) is None


def search_text(header: bytes, source: Source, table: PartTable) -> SearchText | None:
    """The text of a message; None when it is too much for the index. Raises OSError."""
    whole = _folded(decoded_header(header))
    left = LIMIT - len(whole)
    bodies = []
    for text in body_texts(source, table):
        bodies.append(_folded(text))
        left -= len(bodies[-1])
        if left < 0:
            return None
    if left < 0:
        return None
    subject, sender, recipients, copied = [
        _folded(decoded_header(header, name.encode())) for name in COLUMN_OF_FIELD
    ]
    return SearchText(subject, sender, recipients, copied, whole, SEPARATOR.join(bodies))


def _folded(text: str) -> str:
    return _UNUSABLE.sub(SEPARATOR, fold(text))
