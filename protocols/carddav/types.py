"""What a collection of the contacts is: an address book."""

from __future__ import annotations

from folkmoot.protocols.dav.resources import Kind, Node
from folkmoot.protocols.dav.types import resource_types
from folkmoot.storage.types import Tool


@resource_types
def types_of(node: Node) -> str:
    """What the collection is beside ``DAV:collection``. # rfc6352#5.2"""
    return "<R:addressbook/>" if node.kind is Kind.FOLDER and node.tool is Tool.CONTACTS else ""
