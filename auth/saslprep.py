"""SASLprep (RFC 4013): one form for names and passwords that look the same.

Code points that Unicode 3.2 did not know are let through unchanged, as RFC 3454 section 7 allows
for queries: passwords with newer letters or emoji are common, and clients leave them as they are.
"""

from __future__ import annotations

import stringprep
from unicodedata import ucd_3_2_0

_PROHIBITED = (  # rfc4013#2.3
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str) -> str:
    """Prepare ``text``; raises ``ValueError`` when it holds what RFC 4013 prohibits."""
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c)
    )
    prepared = ucd_3_2_0.normalize("NFKC", mapped)  # rfc4013#2.2
    for character in prepared:
        if any(prohibited(character) for prohibited in _PROHIBITED):
            raise ValueError("prohibited character")
    _check_bidi(prepared)
    return prepared


def _check_bidi(text: str) -> None:
    """rfc3454#6: right-to-left text stands alone and at both ends."""
    if not any(stringprep.in_table_d1(c) for c in text):
        return
    if any(stringprep.in_table_d2(c) for c in text):
        raise ValueError("mixed directions")
    if not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])):
        raise ValueError("mixed directions")
