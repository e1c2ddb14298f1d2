"""Plain values of groups."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from folkmoot.storage.types import Right, Tool, Usage


class Posting(enum.StrEnum):
    """Who may write to the address of a group: WRITERS are the members who may post mail."""

    ANYONE = "anyone"
    MEMBERS = "members"
    WRITERS = "writers"


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
    """Somebody in a group. ``rights`` are those beside what every member may do; ``forward`` is
    whether mail to the group goes to the member's own INBOX as well."""

    account_id: int
    address: str
    name: str
    administrator: bool
    rights: Mapping[Tool, Right]
    joined: datetime
    forward: bool


@dataclass(frozen=True, slots=True)
class GroupDetails:
    """A group with its members by address, what its space holds, and how it takes mail.

    ``aliases`` are its addresses beside the first one; ``tools`` are those that it uses.
    """

    group: Group
    members: tuple[Member, ...]
    usage: tuple[Usage, ...]
    aliases: tuple[str, ...]
    posting: Posting
    tools: frozenset[Tool]


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """A group as one of its members finds it: ``name`` is told apart from those of others."""

    space_id: int
    name: str
