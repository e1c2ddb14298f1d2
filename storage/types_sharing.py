"""Plain values of sharing: grants, and where what others share is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from folkmoot.storage.types import Right, Tool

#: Special uses of collections: where a group has the single items that are shared with it, and
#: where fellow members put files for somebody.
SHARED_ITEMS: Final = "shared"
DROP_FOLDER: Final = "drop"


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights on a collection, or (``item`` is not 0) on one item of it.

    ``grantee`` is the space of a group or an account, ``address`` and ``name`` are theirs.
    """

    collection_id: int
    item: int
    grantee: int
    address: str
    name: str
    is_group: bool
    rights: Right


@dataclass(frozen=True, slots=True)
class SharedPlace:
    """A collection that somebody shares with the actor.

    ``names`` is the way to it in the space of the owner. ``owner`` is told apart from other
    owners; ``name`` from other collections of the same one.
    """

    space_id: int
    tool: Tool
    collection_id: int
    names: tuple[str, ...]
    owner: str
    name: str
    rights: Right
