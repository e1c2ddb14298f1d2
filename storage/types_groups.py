"""Plain values of groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from folkmoot.storage.types import Right, Tool, Usage


@dataclass(frozen=True, slots=True)
class NewGroup:
    """A group to be made. ``address`` is normalised."""

    address: str
    name: str
    admin_account_id: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group. ``administrator`` is an address; ``members`` counts them, the administrator too."""

    id: int
    space_id: int
    address: str
    name: str
    administrator: str
    members: int
    created: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group. ``rights`` are those beside what every member may do."""

    account_id: int
    address: str
    name: str
    administrator: bool
    rights: Mapping[Tool, Right]
    joined: datetime


@dataclass(frozen=True, slots=True)
class GroupDetails:
    """A group with its members by address, and what its space holds."""

    group: Group
    members: tuple[Member, ...]
    usage: tuple[Usage, ...]


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """A group as one of its members finds it: ``name`` is told apart from those of others."""

    space_id: int
    name: str
