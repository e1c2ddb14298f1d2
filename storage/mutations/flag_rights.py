"""Which flags of messages rights allow to change (RFC 4314 section 4)."""

from __future__ import annotations

from typing import Final

from folkmoot.storage.types import Flag, FlagSet, Right

FLAG_RIGHTS: Final = Right.SEEN | Right.DELETE | Right.FLAGS
_OTHERS: Final = Flag.ANSWERED | Flag.FLAGGED | Flag.DRAFT


def flag_mask(rights: Right) -> Flag:
    """The system flags that rights allow to change; with ``FLAGS``, keywords too."""
    mask = Flag.NONE
    if Right.SEEN in rights:
        mask |= Flag.SEEN
    if Right.DELETE in rights:
        mask |= Flag.DELETED
    if Right.FLAGS in rights:
        mask |= _OTHERS
    return mask


def rights_for(flags: FlagSet) -> Right:
    """The rights that setting flags takes."""
    rights = Right.NONE
    if flags.system & Flag.SEEN:
        rights |= Right.SEEN
    if flags.system & Flag.DELETED:
        rights |= Right.DELETE
    if flags.keywords or flags.system & _OTHERS:
        rights |= Right.FLAGS
    return rights


def permitted(flags: FlagSet, rights: Right) -> FlagSet:
    """Those of the flags that rights allow to set."""
    return FlagSet(
        flags.system & flag_mask(rights), flags.keywords if Right.FLAGS in rights else ()
    )
