"""Mutations of what owners share one by one: rights of groups on single items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import LimitReached, NotFound, PermissionDenied, Unchangeable
from folkmoot.storage.mutations.grants import (
    NEVER_SHARED,
    ONLY_CALENDARS,
    Sharing,
    check_grantee,
    group_of,
    tell,
)
from folkmoot.storage.mutations.links import free_name, grants_removed, make_link
from folkmoot.storage.mutations.mailboxes import insert_mailbox
from folkmoot.storage.mutations.naming import check_name
from folkmoot.storage.mutations.tree_folders import insert_folder
from folkmoot.storage.policy import CollectionFacts
from folkmoot.storage.sight import BUSY_ONLY
from folkmoot.storage.txn import WriteContext
from folkmoot.storage.types import Right, Tool, Topic
from folkmoot.storage.types_sharing import SHARED_ITEMS

#: What the collection of a group is called in which such items are shown.
NAME: Final = "Shared"
MAX_LINKS = 20_000  # in one of them

_EXISTS = {
    True: Statement("SELECT 1 FROM messages WHERE mailbox_id = :collection AND uid = :item"),
    False: Statement("SELECT 1 FROM items WHERE folder_id = :collection AND id = :item"),
}
_KNOWN = Statement(
    "SELECT id, link_item FROM grants"
    " WHERE collection_id = :collection AND item = :item AND grantee = :grantee"
)
_TOUCH = Statement("UPDATE items SET modseq = :modseq WHERE id = :id")
_CHANGE = Statement("UPDATE grants SET rights = :rights WHERE id = :id")
_INSERT = Statement(
    "INSERT INTO grants (space_id, collection_id, item, grantee, rights, link_collection,"
    " link_item, created) VALUES (:space, :collection, :item, :grantee, :rights, :link,"
    " :link_item, :now)"
)
_COLLECTION = Statement(
    "SELECT id, messages FROM collections"
    " WHERE space_id = :space AND tool = :tool AND special_use = :use"
)
_ROOT = Statement(
    "SELECT id FROM collections WHERE space_id = :space AND tool = :tool AND parent_id IS NULL"
)


@dataclass(frozen=True, slots=True)
class ShareItem(Sharing[int]):
    """Give a group (by its space) rights on one item, instead of others it has.

    They count instead of what it has on the collection: without READ it does not find the item.
    ``item`` is a UID, or the id of an item of the tree. The group finds it in what is shared with
    it one by one, called ``name`` if one is given; returns its UID or id there, 0 where it is not
    shown (what is the group's own, and what is kept from it). A message is for reading only: its
    flags stay its owner's. Raises ``PermissionDenied`` for groups that the owner is not in,
    ``Unchangeable``, ``LimitReached``, ``NotFound``, ``RuleBroken`` (its UID is shared there).
    """

    collection_id: int
    item: int
    grantee: int
    rights: Right
    name: str = ""

    def write(self, context: WriteContext) -> int:
        facts = context.facts(self.collection_id)
        mail = facts.tool is Tool.MAIL
        if self.name:
            check_name(self.name)
        if facts.special in NEVER_SHARED:
            raise Unchangeable("This cannot be shared.")
        check_grantee(context, facts, self.grantee)
        if self.rights == BUSY_ONLY:
            raise Unchangeable(ONLY_CALENDARS)
        if group_of(context, self.grantee) is None:
            raise PermissionDenied("Single items are shared with groups.")
        here = {"collection": self.collection_id, "item": self.item}
        if context.db.one(_EXISTS[mail], **here) is None:
            raise NotFound
        rights = self.rights & ~Right.SHARE
        if mail:
            rights &= Right.LOOKUP | Right.READ | Right.SEEN
            if Right.READ not in rights:
                raise Unchangeable("A message is shared for reading, or not at all.")
        # A group finds its own where it is, and what is kept from it nowhere.
        shown = self.grantee != facts.space_id and Right.READ in rights
        known: int
        link: int
        known, link = context.db.one(_KNOWN, grantee=self.grantee, **here) or (0, 0)
        if known and shown == (link > 0):
            context.db.run(_CHANGE, id=known, rights=int(rights))
        else:
            grants_removed(context, "n.id = :id", id=known)
            link = self._insert(context, facts, rights, shown=shown)
        _touch(context, facts, self.item)
        tell(context, facts.space_id, self.grantee)
        return link

    def _insert(
        self, context: WriteContext, facts: CollectionFacts, rights: Right, *, shown: bool
    ) -> int:
        link = made = 0
        if shown:
            link = shared_collection(context, self.grantee, facts.tool)
            made = make_link(context, link, facts.tool, self.collection_id, self.item, self.name)
        context.db.run(
            _INSERT,
            space=facts.space_id,
            collection=self.collection_id,
            item=self.item,
            grantee=self.grantee,
            rights=int(rights),
            link=link,
            link_item=made,
            now=context.now,
        )
        return made


@dataclass(frozen=True, slots=True)
class UnshareItem(Sharing[None]):
    """Take from a group what was granted on one item. Raises ``NotFound``."""

    collection_id: int
    item: int
    grantee: int

    def write(self, context: WriteContext) -> None:
        facts = context.facts(self.collection_id)
        here = {"collection": self.collection_id, "item": self.item, "grantee": self.grantee}
        known = context.db.one(_KNOWN, **here)
        if known is None:
            raise NotFound("This is not shared with them.")
        grants_removed(context, "n.id = :id", id=known[0])
        _touch(context, facts, self.item)
        tell(context, facts.space_id, self.grantee)


def _touch(context: WriteContext, facts: CollectionFacts, item: int) -> None:
    """Let those look again at an item who find it in its collection: they may see it no more."""
    if facts.tool is not Tool.MAIL:
        context.db.run(_TOUCH, id=item, modseq=context.number(facts.id))


def shared_collection(context: WriteContext, space: int, tool: Tool) -> int:
    """Where a group has what is shared with it one by one; made when it is needed first."""
    known = context.db.one(_COLLECTION, space=space, tool=tool.value, use=SHARED_ITEMS)
    if known is not None:
        link, links = known
        if links >= MAX_LINKS:
            raise LimitReached("Too many single items are shared with this group.")
        context.lock([link])
        return int(link)
    root: int = context.db.value(_ROOT, space=space, tool=tool.value)
    context.lock([root])
    name = free_name(context, root, NAME)
    context.hint(Topic.SPACE, space)
    if tool is Tool.MAIL:
        return insert_mailbox(context, space, root, name, SHARED_ITEMS)
    number = context.number(root)
    return insert_folder(context, space, tool, root, name, number, special_use=SHARED_ITEMS)
