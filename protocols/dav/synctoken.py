"""Sync tokens: the collection that they belong to, and the number of its last change."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"data:,(b?)(\d{1,18})-(\d{1,18})(?:-(\d{1,18}))?")


def sync_token(folder_id: int, modseq: int, began: int = 0, *, busy: bool = False) -> str:
    """A token; RFC 6578 section 3.2 wants a URI. ``began`` is that of ``Tree.changes``.

    ``busy`` says that it is for somebody who sees busy times only.
    """
    return f"data:,{'b' * busy}{folder_id}-{modseq}" + (f"-{began}" if began else "")


def parse_sync_token(text: str, folder_id: int, *, busy: bool = False) -> tuple[int, int] | None:
    """(number, began) in a token of this collection, 0 for "" (from the beginning); else None."""
    # rfc6578#3.2
    text = text.strip()
    if not text:
        return 0, 0
    match = _TOKEN.fullmatch(text)
    if match is None or int(match[2]) != folder_id or bool(match[1]) != busy:
        return None
    return int(match[3]), int(match[4] or 0)


def token_state(text: str) -> tuple[int, int] | None:
    """The collection and the number in a token; None for what is none."""
    match = _TOKEN.fullmatch(text)
    return (int(match[2]), int(match[3])) if match is not None else None
