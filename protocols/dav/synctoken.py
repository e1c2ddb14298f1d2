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
    match = _TOKEN.fullmatch(text)
    if match is None or int(match[1]) != folder_id:
        return None
    return int(match[2])
