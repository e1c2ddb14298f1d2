"""Who may do what with a collection (RFC 4314), as those see it who may change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import ALL_RIGHTS, Right, Tool
from folkmoot.storage.types_sharing import AccessFacts, GrantAbove, Party
from folkmoot.storage.views.base import View

_OWNER = Statement("SELECT space_id, address FROM accounts WHERE id = :account")
_GROUP = Statement(
    "SELECT g.id, g.address, a.space_id, a.address FROM groups g"
    " JOIN accounts a ON a.id = g.admin_account_id WHERE g.space_id = :space"
)
_MEMBERS = {
    tool: Statement(
        f"SELECT a.space_id, a.address, m.{tool.value} FROM members m"  # noqa: S608
        " JOIN accounts a ON a.id = m.account_id WHERE m.group_id = :group ORDER BY a.address"
    )
    for tool in Tool
}
_GRANTS = Statement(
    "WITH RECURSIVE up(at, distance) AS (SELECT CAST(:id AS BIGINT), 0"
    " UNION ALL SELECT c.parent_id, up.distance + 1 FROM up"
    " JOIN collections c ON c.id = up.at WHERE c.parent_id IS NOT NULL)"
    " SELECT g.grantee, COALESCE(p.address, a.address), g.rights, up.distance FROM up"
    " JOIN grants g ON g.collection_id = up.at AND g.item = 0 JOIN spaces s ON s.id = g.grantee"
    " LEFT JOIN groups p ON p.space_id = g.grantee"
    " LEFT JOIN accounts a ON a.id = s.owner_account_id ORDER BY up.distance, g.id"
)


@dataclass(frozen=True, slots=True)
class ReadAcl(View[AccessFacts]):
    """What rights on a collection are made of: owner, members of the group, grants here and above.

    For whoever may share it.
    """

    collection_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.collection_id, Right.SHARE)]

    def read(self, context: ReadContext) -> AccessFacts:
        facts = context.facts(self.collection_id)
        grants = tuple(
            GrantAbove(Party(space, address, Right(rights)), distance)
            for space, address, rights, distance in context.db.all(_GRANTS, id=facts.id)
        )
        row = context.db.one(_GROUP, space=facts.space_id)
        if row is None:
            [(space, address)] = context.db.all(_OWNER, account=facts.owner_account_id)
            return AccessFacts(Party(space, address, ALL_RIGHTS), None, (), grants)
        group, group_address, space, address = row
        members = tuple(
            Party(member, name, Right(rights))
            for member, name, rights in context.db.all(_MEMBERS[facts.tool], group=group)
            if member != space
        )
        of_group = Party(facts.space_id, group_address, Right.NONE)
        return AccessFacts(Party(space, address, ALL_RIGHTS), of_group, members, grants)
