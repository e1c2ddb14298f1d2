"""What one request may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DavLimits:
    """Octets and counts. ``max_upload`` is the largest body of a PUT.

    ``deep`` is up to how many resources PROPFIND answers with Depth infinity, and
    ``deep_characters`` how long that answer may be. ``page`` is how many members are read at a
    time.
    """

    max_upload: int = 1 << 40
    deep: int = 1_000
    deep_characters: int = 8 << 20
    page: int = 1_000
