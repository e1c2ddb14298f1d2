"""Properties that Windows sets on what it copies, and expects to find again.

Without 200 for them Explorer gives up. The times are those that are kept anyway.
"""

from __future__ import annotations

from typing import Final

from folkmoot.protocols.dav.dates import http_date
from folkmoot.protocols.dav.names import WIN32
from folkmoot.protocols.dav.props.basic import any_value, creation_time, modification_time
from folkmoot.protocols.dav.registry import prop
from folkmoot.protocols.dav.request import Request
from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.storage.types import Tool

_DRIVE: Final = [Tool.DOCUMENTS]
_FOLDER_ATTRIBUTES: Final = "00000010"
_FILE_ATTRIBUTES: Final = "00000020"


@prop(f"{{{WIN32}}}Win32CreationTime", Kind.IN_TREE, _DRIVE, setter=creation_time)
def creation(request: Request, node: Node) -> str | None:
    """When it came to be."""
    thing = node.item or node.folder
    return http_date(thing.created) if thing is not None else None


@prop(f"{{{WIN32}}}Win32LastModifiedTime", Kind.IN_TREE, _DRIVE, setter=modification_time)
def modified(request: Request, node: Node) -> str | None:
    """The one time of modification."""
    thing = node.item or node.folder
    return http_date(thing.modified) if thing is not None else None


@prop(f"{{{WIN32}}}Win32LastAccessTime", Kind.IN_TREE, _DRIVE, stored=True, setter=any_value)
def accessed(request: Request, node: Node) -> str | None:
    """What Windows said, or else when it was changed: reading leaves no trace."""
    return modified(request, node)


@prop(f"{{{WIN32}}}Win32FileAttributes", Kind.IN_TREE, _DRIVE, stored=True, setter=any_value)
def attributes(request: Request, node: Node) -> str:
    """What Windows said, or else "archive" or "directory"."""
    return _FILE_ATTRIBUTES if node.item is not None else _FOLDER_ATTRIBUTES
