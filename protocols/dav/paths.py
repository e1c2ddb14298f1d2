"""URLs and what they lead to: the sites, the principals, and the trees mounted below them.

::

    /dav/principals/users/ID/      an account
    /dav/calendars/ID/…            the calendars of a space
    /dav/contacts/ID/…             its address books
    /dav/drive/My documents/…      the documents of whoever asks
    /dav/drive/Groups/NAME/…       those of a group that whoever asks is in

No dots and no addresses in what is fixed: Office takes a dot for a file's suffix, and iOS
stumbles over ``@``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.dav.quoting import quoted_path
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import Tool
from folkmoot.storage.types_groups import GroupPlace
from folkmoot.storage.types_tree import TreePath

Names = tuple[str, ...]

PRINCIPALS: Final = ("dav", "principals")
USERS: Final = ("dav", "principals", "users")
DRIVE: Final = ("dav", "drive")
GROUPS: Final = (*DRIVE, "Groups")
#: Collections that only lead to others, with their titles.
SITES: Final[dict[Names, str]] = {
    (): "Folkmoot",
    ("dav",): "Folkmoot",
    PRINCIPALS: "Principals",
    USERS: "Accounts",
    ("dav", "calendars"): "Calendars",
    ("dav", "contacts"): "Contacts",
    DRIVE: "Drive",
    GROUPS: "Groups",
}
#: Where spaces are mounted by their number.
BY_NUMBER: Final[dict[Tool, Names]] = {
    Tool.CALENDAR: ("dav", "calendars"),
    Tool.CONTACTS: ("dav", "contacts"),
}
MY_DOCUMENTS: Final = "My documents"


@dataclass(frozen=True, slots=True)
class Site:
    """A collection that only leads to others."""

    names: Names


@dataclass(frozen=True, slots=True)
class PrincipalPlace:
    """A principal, by the number of its space."""

    space_id: int


@dataclass(frozen=True, slots=True)
class Mount:
    """The root of a tool of a space, at a place below ``/dav/``."""

    names: Names
    root: TreePath


Place = Site | PrincipalPlace | TreePath


class Urls:
    """URLs as one account sees them. ``mounts`` are the homes that are listed for it."""

    def __init__(self, space_id: int) -> None:
        """``space_id`` is the account's own space."""
        self.space_id = space_id
        self.mounts = [
            *(
                Mount((*above, str(space_id)), TreePath(space_id, tool))
                for tool, above in BY_NUMBER.items()
            ),
            Mount((*DRIVE, MY_DOCUMENTS), TreePath(space_id, Tool.DOCUMENTS)),
        ]

    def mount(self, groups: Iterable[GroupPlace]) -> None:
        """Add the documents of groups."""
        self.mounts += [
            Mount((*GROUPS, group.name), TreePath(group.space_id, Tool.DOCUMENTS))
            for group in groups
        ]

    def place(self, names: Names) -> Place:
        """What lies at a path. Raises ``NotFound`` where nothing can."""
        if names in SITES:
            return Site(names)
        if names[:3] == USERS and len(names) == 4:
            return PrincipalPlace(_number(names[3]))
        for tool, above in BY_NUMBER.items():
            if names[: len(above)] == above:
                number, *below = names[len(above) :]
                return TreePath(_number(number), tool, tuple(below))
        for mount in self.mounts:
            if len(names) >= len(mount.names) and _same(names[: len(mount.names)], mount.names):
                root = mount.root
                return TreePath(root.space_id, root.tool, names[len(mount.names) :])
        raise NotFound

    def href(self, path: TreePath, *, collection: bool = False) -> str:
        """The one URL of a place in a tree. Raises ``NotFound`` for what is not mounted."""
        above = BY_NUMBER.get(path.tool)
        if above is not None:
            names = (*above, str(path.space_id), *path.names)
            return quoted_path(names, collection=collection or not path.names)
        for mount in self.mounts:
            if (mount.root.space_id, mount.root.tool) == (path.space_id, path.tool):
                names = (*mount.names, *path.names)
                return quoted_path(names, collection=collection or not path.names)
        raise NotFound

    def members(self, site: Names) -> list[Place]:
        """What a site leads to."""
        found: list[Place] = [Site(names) for names in SITES if names and names[:-1] == site]
        if site == USERS:
            found.append(PrincipalPlace(self.space_id))
        found += [mount.root for mount in self.mounts if mount.names[:-1] == site]
        return found


def principal_href(space_id: int) -> str:
    """The URL of a principal."""
    return f"/dav/principals/users/{space_id}/"


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or text[0] == "0":
        raise NotFound
    return int(text)


def _same(one: Names, other: Names) -> bool:
    return all(
        unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)
        for a, b in zip(one, other, strict=True)
    )
