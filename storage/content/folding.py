"""How texts are compared by searches: without regard to case, and to how letters are composed."""

from __future__ import annotations

import unicodedata

MANY = 1000
_LONGEST = "\ufdfa"  # one character that becomes 18, where others become 8 at most


def fold(text: str) -> str:
    """Return a text as it is compared: what is equal by i;unicode-casemap is equal in it.

    So is a bit more: ``ß`` is ``ss``, and a ligature of small letters is those letters. Of the
    title case that RFC 5051 has first nothing is left, because all letters become capitals.
    """
    # rfc5051#2, rfc5255#4.2
    if text.isascii():
        return text.upper()
    if text.count(_LONGEST) > MANY:  # no text, but a way to fill memory
        text = text.replace(_LONGEST, "\ufffd")
    return unicodedata.normalize("NFKD", text).upper()
