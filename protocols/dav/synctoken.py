"""Sync tokens: the collection that they belong to, and the number of its last change."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"data:,(\d{1,18})-(\d{1,18})")


def sync_token(folder_id: int, modseq: int) -> str:
    """A token; RFC 6578 section 4 wants a URI."""
    return f"data:,{folder_id}-{modseq}"


def parse_sync_token(text: str, folder_id: int) -> int | None:
    """The number in a token of this collection, 0 for "" (from the beginning); else None."""
    text = text.strip()
    if not text:
        return 0
    state = token_state(text)
    return state[1] if state is not None and state[0] == folder_id else None


def token_state(text: str) -> tuple[int, int] | None:
    """The collection and the number in a token; None for what is none."""
    match = _TOKEN.fullmatch(text)
    return (int(match[1]), int(match[2])) if match is not None else None
