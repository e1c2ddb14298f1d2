"""Who may do what with collections of the tree, for those who may share them (RFC 3744)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Need, PerItem
from folkmoot.storage.policy import CollectionFacts
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right
from folkmoot.storage.types_sharing import Access, Grant
from folkmoot.storage.types_tree import TreePath
from folkmoot.storage.views.base import View
from folkmoot.storage.views.grants import GRANT, as_grant
from folkmoot.storage.views.tree_locks import path_of

_PARENT = Statement("SELECT parent_id FROM collections WHERE id = :id")
_GRANTS = Statement(f"{GRANT} WHERE g.collection_id = :id AND g.item = 0 ORDER BY g.id")
_ITEMS = Statement(f"{GRANT} WHERE g.collection_id = :id AND g.item > 0 ORDER BY g.id")
_ADMINISTRATOR = Statement(
    "SELECT g.id, a.space_id FROM groups g JOIN accounts a ON a.id = g.admin_account_id"
    " WHERE g.space_id = :space"
)
_MEMBERS = Statement(
    "SELECT a.space_id, m.mail, m.calendar, m.contacts, m.documents FROM members m"
    " JOIN accounts a ON a.id = m.account_id WHERE m.group_id = :group ORDER BY a.address"
)
_COLUMNS = ("mail", "calendar", "contacts", "documents")


@dataclass(frozen=True, slots=True)
class ReadAccess(View[Mapping[int, Access]]):
    """Who may do what with those of the collections that the actor may share, by number."""

    collection_ids: tuple[int, ...]

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> Mapping[int, Access]:
        facts = [context.facts(id_) for id_ in self.collection_ids]
        mine = context.rights(facts, Right.SHARE)
        above: dict[int, list[tuple[Grant, TreePath]]] = {}
        return {each.id: _access(context, each, above) for each in facts if each.id in mine}


def _access(
    context: ReadContext,
    facts: CollectionFacts,
    above: dict[int, list[tuple[Grant, TreePath]]],
) -> Access:
    """``above`` are the grants on collections and above them that were read already."""
    administrator, members = 0, []
    row = context.db.one(_ADMINISTRATOR, space=facts.space_id)
    if row is not None:
        group, administrator = row
        column = _COLUMNS.index(facts.tool.value)
        members = [
            (space, Right(rights[column]))
            for space, *rights in context.db.all(_MEMBERS, group=group)
            if rights[column] and space != administrator
        ]
    grants = tuple(_grants(context, facts.id, above))
    items: dict[int, tuple[Grant, ...]] = {}
    for row in context.db.all(_ITEMS, id=facts.id):
        grant = as_grant(row)
        items[grant.item] = (*items.get(grant.item, ()), grant)
    return Access(facts.space_id, administrator, tuple(members), grants, items)


def _grants(
    context: ReadContext, collection_id: int, known: dict[int, list[tuple[Grant, TreePath]]]
) -> list[tuple[Grant, TreePath]]:
    """Those on a collection, then those above it."""
    if collection_id not in known:
        rows = context.db.all(_GRANTS, id=collection_id)
        here = path_of(context, collection_id) if rows else None
        found = [(as_grant(row), here) for row in rows if here is not None]
        parent = context.db.value(_PARENT, id=collection_id)
        if parent is not None:
            found += _grants(context, parent, known)
        known[collection_id] = found
    return known[collection_id]
