"""Flags between their names on the wire and the store's form."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.storage.types import Flag, FlagSet

SYSTEM = {
    "\\Seen": Flag.SEEN,
    "\\Answered": Flag.ANSWERED,
    "\\Flagged": Flag.FLAGGED,
    "\\Deleted": Flag.DELETED,
    "\\Draft": Flag.DRAFT,
}


def flag_set(names: Iterable[str]) -> FlagSet:
    """Flags by name (system flags in the spelling of RFC 9051) as the store keeps them.

    Keywords are case-preserving and compared without regard to case: of two that differ in case
    only, one stays. # rfc9051#2.3.2
    """
    system = Flag.NONE
    keywords: dict[str, str] = {}
    for name in names:
        bit = SYSTEM.get(name)
        if bit is not None:
            system |= bit
        else:
            keywords.setdefault(name.lower(), name)
    return FlagSet(system, tuple(sorted(keywords.values())))
