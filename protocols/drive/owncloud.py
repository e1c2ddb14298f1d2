"""Properties that clients made for ownCloud ask for (rclone, desktop clients)."""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.dav.names import OWNCLOUD
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.storage.types import Right, Tool

_DRIVE: Final = [Tool.DOCUMENTS]
#: Letters of ``permissions``: delete, rename, move, write; in folders create file and folder.
_LETTERS: Final = (("D", Right.DELETE), ("NV", Right.DELETE | Right.INSERT), ("W", Right.EDIT))
_FOLDER_LETTERS: Final = (("C", Right.INSERT), ("K", Right.CREATE))


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
