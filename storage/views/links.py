"""What a link (``mutations.links``) stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_tree import Folder, Item
from folkmoot.storage.views.base import View
from folkmoot.storage.views.sight import ITEM
from folkmoot.storage.views.tree import BY_ID, plain_folder

_ORIGINAL = Statement(
    f"SELECT {ITEM} FROM grants n JOIN items i ON i.id = n.item AND i.folder_id = n.collection_id"  # noqa: S608
    " WHERE n.link_collection = :folder AND n.link_item = :item"
)


@dataclass(frozen=True, slots=True)
class OriginalOf(View[tuple[Item, Folder]]):
    """The item that is shown by a link, and the folder where it is; the folder's rights are those
    that the actor has on the item. Raises ``NotFound``."""

    link: Item

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.link.folder_id, Right.READ)]

    def read(self, context: ReadContext) -> tuple[Item, Folder]:
        row = context.db.one(_ORIGINAL, folder=self.link.folder_id, item=self.link.id)
        if row is None:
            raise NotFound
        item = Item(*row)
        rights = context.require_item(item.folder_id, item.id, Right.LOOKUP)
        folder = context.db.one(BY_ID, id=item.folder_id)
        if folder is None:
            raise NotFound
        return item, plain_folder(folder, rights)
