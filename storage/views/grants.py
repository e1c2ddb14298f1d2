"""Views of what is shared: with whom a collection is, all of a space, and what others share."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from folkmoot.storage.addresses import display_address
from folkmoot.storage.circle import AT_ONCE, upwards
from folkmoot.storage.engine.db import Row, Statement, number_list
from folkmoot.storage.gate import Need, OnCollection, PerItem
from folkmoot.storage.policy import CollectionFacts, SpaceFacts
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Right, Tool
from folkmoot.storage.types_sharing import Grant, SharedPlace
from folkmoot.storage.views.base import View
from folkmoot.storage.views.groups import told_apart

GRANT = (
    "SELECT g.collection_id, g.item, g.grantee, COALESCE(p.address, a.address),"
    " COALESCE(p.name, a.name), p.id IS NOT NULL, g.rights FROM grants g"
    " JOIN spaces s ON s.id = g.grantee LEFT JOIN groups p ON p.space_id = g.grantee"
    " LEFT JOIN accounts a ON a.id = s.owner_account_id"
)
_OF_COLLECTION = Statement(
    f"{GRANT} WHERE g.collection_id = :collection AND g.item = :item ORDER BY g.id"
)
_OF_SPACE = Statement(f"{GRANT} WHERE g.space_id = :space ORDER BY g.collection_id, g.id")
_FACTS_OF_SPACE = Statement(
    "SELECT DISTINCT c.id, c.space_id, s.owner_account_id, c.tool, c.special_use FROM grants g"
    " JOIN collections c ON c.id = g.collection_id JOIN spaces s ON s.id = c.space_id"
    " WHERE g.space_id = :space"
)
# To the actor and to its groups, of accounts: what groups have is found in the groups.
_TO_ME = Statement(
    "SELECT DISTINCT c.id, c.space_id, s.owner_account_id, c.tool, c.special_use FROM grants g"
    " JOIN collections c ON c.id = g.collection_id AND c.tool = :tool"
    " JOIN spaces s ON s.id = c.space_id AND s.owner_account_id <> 0"
    " WHERE g.item = 0 AND c.space_id <> :own AND g.grantee IN (SELECT :own UNION ALL"
    " SELECT p.space_id FROM members m JOIN groups p ON p.id = m.group_id"
    " WHERE m.account_id = :account)"
)
_DROPS = Statement(
    "SELECT DISTINCT c.id, c.space_id, a.id, c.tool, c.special_use FROM members mine"
    " JOIN members m ON m.group_id = mine.group_id JOIN accounts a ON a.id = m.account_id"
    " JOIN collections c ON c.space_id = a.space_id AND c.special_use = 'drop'"
    " WHERE mine.account_id = :account AND m.account_id <> :account"
)
_OWNERS = (
    "SELECT s.id, a.name, a.address FROM spaces s JOIN accounts a ON a.id = s.owner_account_id"
    " WHERE s.id IN"
)


def as_grant(row: Row) -> Grant:
    collection, item, grantee, address, name, is_group, rights = row
    return Grant(collection, item, grantee, address, name, bool(is_group), Right(rights))


@dataclass(frozen=True, slots=True)
class GrantsOn(View[list[Grant]]):
    """What is granted on a collection, or on one item of it, for whoever may share it."""

    collection_id: int
    item: int = 0

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.collection_id, Right.SHARE)]

    def read(self, context: ReadContext) -> list[Grant]:
        rows = context.db.all(_OF_COLLECTION, collection=self.collection_id, item=self.item)
        return [as_grant(row) for row in rows]


@dataclass(frozen=True, slots=True)
class GrantsOfSpace(View[list[Grant]]):
    """All that is granted in a space, of those collections that the actor may share."""

    space_id: int

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[Grant]:
        facts = [context.learn(row) for row in context.db.all(_FACTS_OF_SPACE, space=self.space_id)]
        mine = context.rights(facts, Right.SHARE)
        rows = context.db.all(_OF_SPACE, space=self.space_id)
        return [as_grant(row) for row in rows if row[0] in mine]


@dataclass(frozen=True, slots=True)
class SharedWithMe(View[list[SharedPlace]]):
    """The collections of one tool that accounts share with the actor, by owner and name.

    What lies below another one of them is found there, and not told of.
    """

    tool: Tool

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[SharedPlace]:
        actor = context.actor
        rows = context.db.all(
            _TO_ME, tool=self.tool.value, own=actor.space_id, account=actor.account_id
        )
        facts = [context.learn(row) for row in rows]
        visible = context.visible(facts)
        facts = [each for each in facts if each.id in visible]
        known = context.knows([SpaceFacts(f.space_id, f.owner_account_id) for f in facts])
        ways = ways_to(context, [each.id for each in facts])
        tops = [f for f in facts if f.space_id in known and not _below_other(ways[f.id], visible)]
        owners = _owners(context, {each.space_id for each in tops})
        return _places(tops, owners, ways, visible)


@dataclass(frozen=True, slots=True)
class DropFolders(View[list[SharedPlace]]):
    """The drop folders of the actor's fellow members, by owner."""

    def needs(self) -> Sequence[Need]:
        return [PerItem()]

    def read(self, context: ReadContext) -> list[SharedPlace]:
        rows = context.db.all(_DROPS, account=context.actor.account_id)
        facts = [context.learn(row) for row in rows]
        visible = context.visible(facts)
        facts = [each for each in facts if each.id in visible]
        ways = ways_to(context, [each.id for each in facts])
        owners = _owners(context, {each.space_id for each in facts})
        return _places(facts, owners, ways, visible)


def ways_to(context: ReadContext, ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """For each collection what is on the way to it, (id, shown name), from the root's child on."""
    ways: dict[int, list[tuple[int, str]]] = {id_: [] for id_ in ids}
    for start in range(0, len(ids), AT_ONCE):
        rows = context.db.all(
            Statement(
                f"{upwards(ids[start : start + AT_ONCE])}"  # noqa: S608
                " SELECT up.id, up.at, c.name, c.shown FROM up JOIN collections c ON c.id = up.at"
                " WHERE c.parent_id IS NOT NULL ORDER BY up.id, up.distance DESC"
            )
        )
        for id_, at, name, shown in rows:
            ways[id_].append((at, shown or name))
    return ways


def _below_other(way: Sequence[tuple[int, str]], shared: Container[int]) -> bool:
    return any(at in shared for at, _ in way[:-1])


def _owners(context: ReadContext, spaces: set[int]) -> dict[int, str]:
    """The owners of spaces, as one reads them."""
    if not spaces:
        return {}
    rows = context.db.all(Statement(f"{_OWNERS} ({number_list(spaces)})"))
    rows = sorted(rows, key=lambda row: row[0])
    shown = [(name or address, address) for _, name, address in rows]
    names = told_apart([(name, display_address(address)) for name, address in shown])
    return {row[0]: name for row, name in zip(rows, names, strict=True)}


def _places(
    facts: Sequence[CollectionFacts],
    owners: dict[int, str],
    ways: dict[int, list[tuple[int, str]]],
    rights: Mapping[int, Right],
) -> list[SharedPlace]:
    found = []
    for space in sorted(owners, key=owners.__getitem__):
        mine = sorted((f for f in facts if f.space_id == space), key=lambda f: f.id)
        names = told_apart([(ways[f.id][-1][1], str(f.id)) for f in mine])
        for each, name in zip(mine, names, strict=True):
            way = tuple(level for _, level in ways[each.id])
            found.append(
                SharedPlace(
                    space,
                    each.tool,
                    each.id,
                    way,
                    owners[space],
                    name,
                    rights[each.id],
                )
            )
    return found
