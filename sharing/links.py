"""Writing through links: who writes to an item that is shown in a group, writes to the item itself.

What reads takes the link as it is, which has the same content.
"""

from __future__ import annotations

from folkmoot.storage.txn import ReadTxn, Txn
from folkmoot.storage.types_sharing import SHARED_ITEMS
from folkmoot.storage.types_tree import Entry, Found, Item
from folkmoot.storage.views.links import OriginalOf


def followed(txn: ReadTxn, found: Found) -> Found:
    """The item that is meant, and the folder where it is, where a link lies at a path."""
    node = found.entry.node if found.entry is not None else None
    if found.parent is None or found.parent.special_use != SHARED_ITEMS:
        return found
    if not isinstance(node, Item):
        return found
    if isinstance(txn, Txn):
        _, folder = txn.view(OriginalOf(node))
        txn.hold([(folder.space_id, folder.tool)])
    original, folder = txn.view(OriginalOf(node))
    return Found(found.path, Entry(original), folder, found.parent)
