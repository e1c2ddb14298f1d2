"""Names of members of folders: which are allowed, which are free, what is left of them.

Who sees only what they put into a folder themselves must not learn which names others gave: a name
that is taken is given to them all the same. It stands in ``items.asked``, and is how they find the
item; all others find it by a free name.
"""

from __future__ import annotations

from typing import Final

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import AlreadyExists, InvalidName, PermissionDenied
from folkmoot.storage.mutations.links import free_name
from folkmoot.storage.sight import Sight
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types_tree import PUBLIC, Item
from folkmoot.storage.views.sight import by_sight, compared, hides, how_seen

MAX_NAME: Final = 255  # octets of a name in UTF-8, as file systems have it

_TAKEN_ITEM = Statement(
    "SELECT creator, privacy FROM items WHERE folder_id = :folder AND name = :name"
)
_TAKEN_FOLDER = Statement("SELECT id FROM collections WHERE parent_id = :folder AND name = :name")
_OWN = by_sight("SELECT 1 FROM items i WHERE i.folder_id = :folder AND {name} = :name{sees}")
_TOMBSTONE = Statement(
    "INSERT INTO tombstones (folder_id, modseq, name, shown, creator, privacy, busy_item)"
    " VALUES (:folder, :modseq, :name, :shown, :creator, :privacy, COALESCE((SELECT o.item_id"
    " FROM calendar_objects o WHERE o.item_id = :item AND o.busy IS NOT NULL), 0))"
)
_UNLOCK = Statement("DELETE FROM locks WHERE folder_id = :folder AND name = :name")


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a member. Raises ``InvalidName``."""
    if name in ("", ".", "..") or "/" in name:
        raise InvalidName("This cannot be a name in a folder.")
    if any("\ud800" <= c <= "\udfff" for c in name):
        raise InvalidName("A name must be Unicode text.")
    # XML, in which names are told to clients, cannot carry control characters.
    if any(ord(c) < 0x20 or ord(c) == 0x7F or c in "\ufffe\uffff" for c in name):
        raise InvalidName("A name cannot hold control characters.")
    if len(compared(name).encode()) > MAX_NAME:
        raise InvalidName("The name is too long.")


def check_free(context: ReadContext, folder_id: int, name: str) -> None:
    """Refuse a name that a member has.

    Raises ``AlreadyExists``, or ``PermissionDenied`` where the actor does not see that member.
    """
    here = {"folder": folder_id, "name": compared(name)}
    item = context.db.one(_TAKEN_ITEM, **here)
    if item is not None and hides(context, folder_id, *item):
        raise PermissionDenied("This name cannot be given here.")
    if item is not None or context.db.one(_TAKEN_FOLDER, **here):
        raise AlreadyExists


def name_item(context: WriteContext, folder_id: int, name: str) -> tuple[str, str]:
    """(name, name that its creator asked for, or "") of an item that comes into a folder.

    Raises ``InvalidName``, ``AlreadyExists``, ``PermissionDenied``.
    """
    check_name(name)
    if how_seen(context, folder_id) is not Sight.OWN:
        check_free(context, folder_id, name)
        return name, ""
    key, me = compared(name), context.actor.account_id
    if context.db.one(_OWN[Sight.OWN], folder=folder_id, name=key, me=me) is not None:
        raise AlreadyExists
    free = free_name(context, folder_id, name)
    return free, "" if free == name else key


def bury(
    context: WriteContext,
    folder_id: int,
    modseq: int,
    name: str,
    creator: int = 0,
    privacy: int = PUBLIC,
    item_id: int = 0,
) -> None:
    """Leave a tombstone for a member that goes, and end its locks."""
    forget(context, folder_id, modseq, name, creator, privacy, item_id)
    context.db.run(_UNLOCK, folder=folder_id, name=compared(name))


def bury_item(context: WriteContext, item: Item, modseq: int) -> None:
    """The same for an item, which only those learn who saw it: while its row is there."""
    bury(context, item.folder_id, modseq, item.name, item.creator, item.privacy, item.id)


def forget(
    context: WriteContext,
    folder_id: int,
    modseq: int,
    name: str,
    creator: int,
    privacy: int,
    item_id: int,
) -> None:
    """Let those who do not see a member any more take it for gone."""
    context.db.run(
        _TOMBSTONE,
        folder=folder_id,
        modseq=modseq,
        name=compared(name),
        shown=name,
        creator=creator,
        privacy=privacy,
        item=item_id,
    )
