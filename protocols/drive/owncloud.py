"""Properties that clients made for ownCloud ask for (rclone, desktop clients)."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.dav.dates import LATEST
from folkmoot.protocols.dav.errors import DavError
from folkmoot.protocols.dav.names import OWNCLOUD, dav
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node, Resource
from folkmoot.protocols.http.xml import Element, text
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_tree import ItemTimes

_DRIVE: Final = [Tool.DOCUMENTS]
#: Letters of ``permissions``: delete, rename, move, write; in folders create file and folder.
_LETTERS: Final = (("D", Right.DELETE), ("NV", Right.DELETE | Right.INSERT), ("W", Right.EDIT))
_FOLDER_LETTERS: Final = (("C", Right.INSERT), ("K", Right.CREATE))


def modification_seconds(resource: Resource, value: Element) -> ItemTimes:
    """A time in seconds since 1970. Raises ``DavError`` 409."""
    digits = text(value).strip().partition(".")[0]
    if not digits.isascii() or not digits.isdecimal() or len(digits) > len(str(LATEST)):
        raise DavError(409, text="This is no number of seconds.")
    return ItemTimes(modified=min(int(digits), LATEST))


@prop(dav("lastmodified"), Kind.IN_TREE, _DRIVE, setter=modification_seconds)
def lastmodified(request: Request, node: Node) -> str | None:
    """When it was changed, as Nextcloud has it: newer versions of rclone set it."""
    thing = node.item or node.folder
    return str(thing.modified) if thing is not None else None


@prop(f"{{{OWNCLOUD}}}fileid", Kind.IN_TREE, _DRIVE)
def fileid(request: Request, node: Node) -> str | None:
    """A number that stays when it is renamed; folders and files have even and odd ones."""
    if node.item is not None:
        return str(node.item.id * 2 + 1)
    return str(node.folder.id * 2) if node.folder is not None else None


@prop(f"{{{OWNCLOUD}}}permissions", Kind.IN_TREE, _DRIVE)
def permissions(request: Request, node: Node) -> str:
    """What the one who asks may do."""
    letters = _LETTERS if node.item is not None else (*_LETTERS[:2], *_FOLDER_LETTERS)
    return "".join(letter for letter, needed in letters if node.rights & needed == needed)


@prop(f"{{{OWNCLOUD}}}size", Kind.IN_TREE, _DRIVE)
def size(request: Request, node: Node) -> str | None:
    """Octets of a file, or of the files that lie directly in a folder."""
    thing = node.item or node.folder
    return str(thing.size) if thing is not None else None
