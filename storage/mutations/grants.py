"""Mutations of what owners share: rights of groups and fellow members on collections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound, PermissionDenied, Unchangeable
from folkmoot.storage.gate import Need, OnCollection
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.links import grants_removed
from folkmoot.storage.mutations.spaces import announce
from folkmoot.storage.policy import Charge, CollectionFacts
from folkmoot.storage.sight import BUSY_ONLY
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import ALL_RIGHTS, Right, Tool, Topic
from folkmoot.storage.types_sharing import SHARED_ITEMS
from folkmoot.storage.types_tree import SCHEDULE_INBOX, SCHEDULE_OUTBOX

R = TypeVar("R", covariant=True)

NEVER_SHARED = frozenset({SHARED_ITEMS, SCHEDULE_INBOX, SCHEDULE_OUTBOX})
ONLY_CALENDARS = "Only calendars can be shared as busy times."

_GRANTEE = Statement(
    "SELECT g.id, a.id FROM spaces s LEFT JOIN groups g ON g.space_id = s.id"
    " LEFT JOIN accounts a ON a.id = s.owner_account_id WHERE s.id = :space"
)
_IN_GROUP = Statement("SELECT 1 FROM members WHERE group_id = :group AND account_id = :account")
_OF_SPACE = Statement("SELECT id FROM groups WHERE space_id = :space")
_TOGETHER = Statement(
    "SELECT one.group_id FROM members one JOIN members other ON other.group_id = one.group_id"
    " WHERE one.account_id = :one AND other.account_id = :other"
)
_HOLD = Statement("SELECT id FROM groups WHERE id = :id FOR SHARE")
_IS_ROOT = Statement("SELECT parent_id IS NULL FROM collections WHERE id = :id")
_SET = Statement(
    "INSERT INTO grants (space_id, collection_id, item, grantee, rights, link_collection,"
    " link_item, created) VALUES (:space, :collection, 0, :grantee, :rights, 0, 0, :now)"
    " ON CONFLICT (collection_id, item, grantee) DO UPDATE SET rights = excluded.rights"
)
_GRANTED = Statement(
    "SELECT 1 FROM grants WHERE collection_id = :collection AND item = 0 AND grantee = :grantee"
)
# Who did not want to see it, is offered it anew.
_SHOW = Statement(
    "UPDATE bindings SET hidden = 0, state = '', modseq = 0"
    " WHERE collection_id = :collection AND hidden = 1"
)
_REMOVE = Statement(
    "DELETE FROM grants WHERE collection_id = :collection AND item = 0 AND grantee = :grantee"
)
_TO_LEAVER = Statement("DELETE FROM grants WHERE space_id = :group AND grantee = :account")
# What an account and those whom it meets in no other group have granted to each other.
_STILL_TOGETHER = (
    "SELECT a.space_id FROM spaces me JOIN members mine ON mine.account_id = me.owner_account_id"
    " JOIN members m ON m.group_id = mine.group_id JOIN accounts a ON a.id = m.account_id"
    " WHERE me.id = :account"
)
_BETWEEN = tuple(
    Statement(
        f"DELETE FROM grants WHERE {one} = :account AND {other} NOT IN ({_STILL_TOGETHER})"  # noqa: S608
        " AND EXISTS (SELECT 1 FROM spaces s"
        f" WHERE s.id = grants.{other} AND s.owner_account_id <> 0)"
    )
    for one, other in (("space_id", "grantee"), ("grantee", "space_id"))
)
# Locks of those who may no longer write there are in nobody's way.
_UNLOCK = Statement(
    "DELETE FROM locks WHERE space_id = :space AND account_id <> :owner AND folder_id IN ("
    "WITH RECURSIVE tree(id) AS (SELECT CAST(:collection AS BIGINT)"
    " UNION ALL SELECT c.id FROM tree JOIN collections c ON c.parent_id = tree.id)"
    " SELECT id FROM tree) AND account_id IN ("
    "SELECT s.owner_account_id FROM spaces s WHERE s.id = :grantee UNION ALL"
    " SELECT m.account_id FROM groups g JOIN members m ON m.group_id = g.id"
    " WHERE g.space_id = :grantee)"
)
_OWNER = "(SELECT s.owner_account_id FROM spaces s WHERE s.id = :account)"
_UNLOCK_APART = (
    Statement(
        f"DELETE FROM locks WHERE space_id = :account AND account_id <> {_OWNER}"  # noqa: S608
        " AND account_id NOT IN (SELECT s.owner_account_id FROM spaces s"
        f" WHERE s.id IN ({_STILL_TOGETHER}))"
    ),
    Statement(
        f"DELETE FROM locks WHERE account_id = {_OWNER} AND space_id <> :account"  # noqa: S608
        f" AND space_id NOT IN ({_STILL_TOGETHER}) AND EXISTS (SELECT 1 FROM spaces s"
        " WHERE s.id = locks.space_id AND s.owner_account_id <> 0)"
    ),
)
_MEMBER_SPACES = Statement(
    "SELECT a.space_id FROM members m JOIN accounts a ON a.id = m.account_id"
    " WHERE m.group_id = :group"
)


class Sharing(Mutation[R]):
    """What mutations of grants have in common: whoever may share a collection may do them."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True
    collection_id: int

    def needs(self) -> Sequence[Need]:
        return [OnCollection(self.collection_id, Right.SHARE)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


@dataclass(frozen=True, slots=True)
class Share(Sharing[None]):
    """Give a group or a fellow member rights on a collection and all below it, instead of others.

    ``grantee`` is a space. Rights that nobody can give are left out; no rights at all keep the
    grantee out where it has rights above. Raises ``PermissionDenied`` when the owner and the
    grantee are in no group together, ``Unchangeable`` for what is not shared, ``NotFound``.
    """

    collection_id: int
    grantee: int
    rights: Right

    def write(self, context: WriteContext) -> None:
        facts = context.facts(self.collection_id)
        if facts.special in NEVER_SHARED or context.db.value(_IS_ROOT, id=facts.id):
            raise Unchangeable("This cannot be shared; share a collection in it.")
        check_grantee(context, facts, self.grantee)
        if self.rights == BUSY_ONLY and facts.tool is not Tool.CALENDAR:
            raise Unchangeable(ONLY_CALENDARS)
        where = {"collection": facts.id, "grantee": self.grantee}
        if context.db.one(_GRANTED, **where) is None:
            context.db.run(_SHOW, collection=facts.id)
        context.db.run(
            _SET,
            **where,
            space=facts.space_id,
            rights=int(self.rights & ALL_RIGHTS & ~Right.SHARE),
            now=context.now,
        )
        if Right.EDIT not in self.rights:
            _end_locks(context, facts, self.grantee)
        tell(context, facts.space_id, self.grantee)


@dataclass(frozen=True, slots=True)
class Unshare(Sharing[None]):
    """Take from a grantee what was granted on a collection. Raises ``NotFound``."""

    collection_id: int
    grantee: int

    def write(self, context: WriteContext) -> None:
        facts = context.facts(self.collection_id)
        if not context.db.run(_REMOVE, collection=facts.id, grantee=self.grantee):
            raise NotFound("This is not shared with them.")
        _end_locks(context, facts, self.grantee)
        tell(context, facts.space_id, self.grantee)


# --- what they have in common ---------------------------------------------------------------------


def check_grantee(context: ReadContext, facts: CollectionFacts, grantee: int) -> None:
    """Only who is in a group with the owner can be given rights. Raises ``PermissionDenied``.

    The owner may be a group: then the group itself and its members can.
    """
    row = context.db.one(_GRANTEE, space=grantee)
    group, account = row if row is not None else (None, None)
    owner = facts.owner_account_id
    _hold_groups(context, facts, group, account)
    if owner == 0:
        own = group_of(context, facts.space_id)
        if grantee == facts.space_id:
            return
        together = account and context.db.one(_IN_GROUP, group=own, account=account)
    elif group is not None:
        together = context.db.one(_IN_GROUP, group=group, account=owner)
    else:
        together = account not in (None, owner) and context.db.one(
            _TOGETHER, one=owner, other=account
        )
    if not together:
        raise PermissionDenied("Only groups of the owner, and people in them, can be given rights.")


def _hold_groups(
    context: ReadContext, facts: CollectionFacts, group: int | None, account: int | None
) -> None:
    """Let nobody leave the groups that matter before the commit (SQLite has one writer anyway)."""
    if context.db.is_sqlite:
        return
    if facts.owner_account_id == 0:
        group = group_of(context, facts.space_id)
    if group is not None:
        matter = [group]
    else:
        rows = context.db.all(_TOGETHER, one=facts.owner_account_id, other=account or 0)
        matter = sorted(row[0] for row in rows)
    for id_ in matter:
        context.db.one(_HOLD, id=id_)


def _end_locks(context: WriteContext, facts: CollectionFacts, grantee: int) -> None:
    """End the locks that a grantee has on a collection and below; the owner keeps its own."""
    context.db.run(
        _UNLOCK,
        space=facts.space_id,
        owner=facts.owner_account_id,
        collection=facts.id,
        grantee=grantee,
    )


def group_of(context: ReadContext, space_id: int) -> int | None:
    """The group that owns a space, if one does."""
    row = context.db.one(_OF_SPACE, space=space_id)
    return row[0] if row is not None else None


def tell(context: WriteContext, space_id: int, grantee: int) -> None:
    """Let all look again who look at a space, or at what is shared with a grantee."""
    announce(context, space_id)
    group, account = context.db.one(_GRANTEE, space=grantee) or (None, None)
    if account is not None:
        context.hint(Topic.SPACE, grantee)
    if group is not None:
        for (space,) in context.db.all(_MEMBER_SPACES, group=group):
            context.hint(Topic.SPACE, space)


def end_between(context: WriteContext, account: int, group: int) -> None:
    """An account has left a group: end what each had granted to the other, and what it and the
    members had who are in no other group with it. Both are spaces."""
    grants_removed(
        context, "n.space_id = :account AND n.grantee = :group", account=account, group=group
    )
    context.db.run(_TO_LEAVER, account=account, group=group)
    end_apart(context, account)


def end_apart(context: WriteContext, account: int) -> None:
    """End what an account (by its space) and those whom it meets no more share with each other."""
    for statement in (*_BETWEEN, *_UNLOCK_APART):
        context.db.run(statement, account=account)
