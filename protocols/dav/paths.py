"""URLs and what they lead to: the sites, the principals, and the trees mounted below them.

::

    /dav/principals/users/ID/      an account
    /dav/principals/groups/ID/     a group
    /dav/calendars/ID/…            the calendars of a space
    /dav/contacts/ID/…             its address books
    /dav/drive/My documents/…      the documents of whoever asks
    /dav/drive/Groups/NAME/…       those of a group that whoever asks is in
    /dav/drive/Shared/OWNER/NAME/… a folder that somebody shares with whoever asks
    /dav/drive/Drop folders/NAME/  where whoever asks can put files for a fellow member

No dots and no addresses in what is fixed: Office takes a dot for a file's suffix, and iOS
stumbles over ``@``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from folkmoot.protocols.dav.quoting import quoted_path
from folkmoot.storage.errors import NotFound
from folkmoot.storage.types import Tool
from folkmoot.storage.types_sharing import DrivePart, DrivePlaces, SharedPlace
from folkmoot.storage.types_tree import TreePath

Names = tuple[str, ...]

PRINCIPALS: Final = ("dav", "principals")
USERS: Final = ("dav", "principals", "users")
GROUP_PRINCIPALS: Final = ("dav", "principals", "groups")
NOTIFICATIONS: Final = ("dav", "notifications")
DRIVE: Final = ("dav", "drive")
GROUPS: Final = (*DRIVE, "Groups")
SHARED: Final = (*DRIVE, "Shared")
DROPS: Final = (*DRIVE, "Drop folders")
#: Collections that only lead to others, with their titles.
SITES: Final[dict[Names, str]] = {
    (): "Folkmoot",
    ("dav",): "Folkmoot",
    PRINCIPALS: "Principals",
    USERS: "Accounts",
    GROUP_PRINCIPALS: "Groups",
    NOTIFICATIONS: "Notifications",
    ("dav", "calendars"): "Calendars",
    ("dav", "contacts"): "Contacts",
    DRIVE: "Drive",
    DROPS: "Drop folders",
    GROUPS: "Groups",
    SHARED: "Shared",
}
#: Where spaces are mounted by their number.
BY_NUMBER: Final[dict[Tool, Names]] = {
    Tool.CALENDAR: ("dav", "calendars"),
    Tool.CONTACTS: ("dav", "contacts"),
}
MY_DOCUMENTS: Final = "My documents"
#: Where the parts of the drive are that belong to others.
PARTS: Final[dict[DrivePart, Names]] = {
    DrivePart.GROUPS: GROUPS,
    DrivePart.SHARED: SHARED,
    DrivePart.DROPS: DROPS,
}


@dataclass(frozen=True, slots=True)
class Site:
    """A collection that only leads to others."""

    names: Names


@dataclass(frozen=True, slots=True)
class PrincipalPlace:
    """A principal, an account or a group, by the number of its space."""

    space_id: int
    of_group: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder (mostly the root of a tool in a space) at a place below ``/dav/``."""

    names: Names
    root: TreePath


Place = Site | PrincipalPlace | TreePath


class Urls:
    """URLs as one account sees them.

    ``mounts`` are the homes that are listed for it, and folders of others in the drive; ``sites``
    are titles of what leads to them.
    """

    def __init__(self, space_id: int) -> None:
        """``space_id`` is the account's own space."""
        self.space_id = space_id
        self.sites: dict[Names, str] = dict(SITES)
        self.groups: list[int] = []
        self.mounts = [
            *(
                Mount((*above, str(space_id)), TreePath(space_id, tool))
                for tool, above in BY_NUMBER.items()
            ),
            Mount((*DRIVE, MY_DOCUMENTS), TreePath(space_id, Tool.DOCUMENTS)),
        ]
        # What is at two places, because it is shared in two ways, has the URLs of the one that the
        # request came by.
        self._came_by: Mount | None = None

    def mount(self, places: DrivePlaces) -> None:
        """Add what others have for whoever asks."""
        self.mounts += [
            Mount((*GROUPS, group.name), TreePath(group.space_id, Tool.DOCUMENTS))
            for group in places.groups
        ]
        for shared in places.shared:
            owner = (*SHARED, shared.owner)
            self.sites[owner] = shared.owner
            self.mounts.append(Mount((*owner, shared.name), _root(shared)))
        self.mounts += [Mount((*DROPS, drop.owner), _root(drop)) for drop in places.drops]

    def place(self, names: Names) -> Place:
        """What lies at a path. Raises ``NotFound`` where nothing can."""
        for site in self.sites:
            if len(site) == len(names) and _same(site, names):
                return Site(site)
        if names[:3] in (USERS, GROUP_PRINCIPALS) and len(names) == 4:
            return PrincipalPlace(_number(names[3]), names[:3] == GROUP_PRINCIPALS)
        for tool, above in BY_NUMBER.items():
            if names[: len(above)] == above:
                number, *rest = names[len(above) :]
                return TreePath(_number(number), tool, tuple(rest))
        for mount in self.mounts:
            if len(names) >= len(mount.names) and _same(names[: len(mount.names)], mount.names):
                self._came_by = self._came_by or mount
                root = mount.root
                below = names[len(mount.names) :]
                return TreePath(root.space_id, root.tool, (*root.names, *below))
        raise NotFound

    def href(self, path: TreePath, *, collection: bool = False) -> str:
        """The one URL of a place in a tree. Raises ``NotFound`` for what is not mounted."""
        above = BY_NUMBER.get(path.tool)
        if above is not None:
            names = (*above, str(path.space_id), *path.names)
            return quoted_path(names, collection=collection or not path.names)
        mount = self.mount_of(path)
        if mount is None:
            raise NotFound
        below = path.names[len(mount.root.names) :]
        return quoted_path((*mount.names, *below), collection=collection or not below)

    def mount_of(self, path: TreePath) -> Mount | None:
        """Where what has a place in the drive is mounted."""
        if self._came_by is not None and _leads_to(self._came_by, path):
            return self._came_by
        return next((mount for mount in self.mounts if _leads_to(mount, path)), None)

    def members(self, site: Names) -> list[Place]:
        """What a site leads to."""
        found: list[Place] = [Site(names) for names in self.sites if names and names[:-1] == site]
        if site == USERS:
            found.append(PrincipalPlace(self.space_id))
        if site == GROUP_PRINCIPALS:
            found += [PrincipalPlace(space_id, of_group=True) for space_id in self.groups]
        found += [mount.root for mount in self.mounts if mount.names[:-1] == site]
        return found


def tool_at(names: Names) -> Tool | None:
    """The tool that a path is for; None for what is for all."""
    if names[:2] == DRIVE:
        return Tool.DOCUMENTS
    return next((tool for tool, above in BY_NUMBER.items() if names[:2] == above), None)


def _root(place: SharedPlace) -> TreePath:
    return TreePath(place.space_id, place.tool, place.names)


def _leads_to(mount: Mount, path: TreePath) -> bool:
    root = mount.root
    if (root.space_id, root.tool) != (path.space_id, path.tool):
        return False
    size = len(root.names)
    return len(path.names) >= size and _same(path.names[:size], root.names)


def principal_href(space_id: int, *, of_group: bool = False) -> str:
    """The URL of a principal."""
    return f"/dav/principals/{'groups' if of_group else 'users'}/{space_id}/"


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18) or text[0] == "0":
        raise NotFound
    return int(text)


def _same(one: Names, other: Names) -> bool:
    return all(
        unicodedata.normalize("NFC", a) == unicodedata.normalize("NFC", b)
        for a, b in zip(one, other, strict=True)
    )
