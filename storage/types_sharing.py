"""Plain values of sharing: grants, and where what others share is found."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_groups import GroupPlace
from folkmoot.storage.types_tree import TreePath

#: Special uses of collections: where a group has the single items that are shared with it, and
#: where fellow members put files for somebody.
SHARED_ITEMS: Final = "shared"
DROP_FOLDER: Final = "drop"
#: The address book of fellow members, which nobody but the server writes.
COLLEAGUES: Final = "colleagues"

#: Tools whose collections of groups and of others are found in the home of an account as well.
BOUND_TOOLS: Final = frozenset({Tool.CALENDAR, Tool.CONTACTS})
_BOUND_NAME = re.compile(r"(?:Group|Shared)-([1-9][0-9]{0,17})")


def bound_name(collection_id: int, *, of_group: bool) -> str:
    """What a collection of somebody else is called in the home of an account.

    macOS 13 ignores calendars whose path begins with a small letter.
    """
    return f"{'Group' if of_group else 'Shared'}-{collection_id}"


def bound_number(name: str) -> int | None:
    """The collection that such a name is of; None for other names."""
    match = _BOUND_NAME.fullmatch(name)
    return int(match[1]) if match is not None else None


def of_group(name: str) -> bool:
    """Whether such a name is of a collection of a group."""
    return name.startswith("Group-")


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
class SharedThing:
    """What is granted on something: ``names`` is the way to it in the owner's tool, for a message
    that to its mailbox."""

    tool: Tool
    names: tuple[str, ...]
    grant: Grant


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what with a collection, as those see it who may share it.

    ``owner`` is the space that it lies in; ``administrator`` the space of the account that has all
    rights there where a group owns it, else 0. ``members`` are (space, rights) of members of the
    group who have more than all members have. ``grants`` are those on it and above it, each with
    the place that it is on, the nearest first; ``items`` are those on single items in it, by item.
    """

    owner: int
    administrator: int
    members: tuple[tuple[int, Right], ...]
    grants: tuple[tuple[Grant, TreePath], ...]
    items: Mapping[int, tuple[Grant, ...]]


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


class DrivePart(enum.Enum):
    """What a drive has beside the own documents."""

    GROUPS = enum.auto()
    SHARED = enum.auto()
    DROPS = enum.auto()


@dataclass(frozen=True, slots=True)
class DrivePlaces:
    """Where others have documents for an account: its groups, folders that accounts share with
    it, and drop folders of its fellow members (by ``owner``)."""

    groups: tuple[GroupPlace, ...] = ()
    shared: tuple[SharedPlace, ...] = ()
    drops: tuple[SharedPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Party:
    """An account or a group with rights: by its space and its address."""

    space_id: int
    address: str
    rights: Right


@dataclass(frozen=True, slots=True)
class GrantAbove:
    """What is granted on a collection, or (``distance`` levels) above it."""

    to: Party
    distance: int


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What the rights on a collection are made of.

    ``owner`` is the account, or the administrator of the ``group``; ``members`` are the others in
    it, with the rights that each has of its own. ``grants`` are the nearest first.
    """

    owner: Party
    group: Party | None
    members: tuple[Party, ...]
    grants: tuple[GrantAbove, ...]
