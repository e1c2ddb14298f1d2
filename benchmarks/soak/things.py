"""What people share: who was given what."""

from __future__ import annotations

import itertools

from benchmarks.soak.truth import Register

NOTHING, READ, WRITE = 0, 1, 2
THINGS = ("documents", "calendar", "mail")


class Things:
    """What somebody shares, and the level that each grantee was given on it."""

    def __init__(self) -> None:
        self.levels: dict[str, dict[int, Register[int]]] = {what: {} for what in THINGS}
        self.given: dict[str, dict[int, int]] = {what: {} for what in THINGS}
        self.content: dict[str, Register[str]] = {}

    def level(self, what: str, space: int) -> Register[int]:
        """What was given to a grantee."""
        return self.levels[what].setdefault(space, Register(NOTHING))

    def may_be(self, what: str, spaces: tuple[int, int], span: tuple[float, float]) -> set[int]:
        """What somebody may do with spaces of the own and of the group."""
        own, group = (self.level(what, space).may_be(*span) for space in spaces)
        return {max(pair) for pair in itertools.product(own, group)}
