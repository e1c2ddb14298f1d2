"""Holds operations to what they need. The policy decides; denied looks like absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import NotFound, PermissionDenied
from folkmoot.storage.gate import (
    Administration,
    Need,
    OnAccount,
    OnCollection,
    OnDomain,
    OnGroup,
    OnItem,
    OnSpace,
    PerItem,
)
from folkmoot.storage.policy import DomainFacts, SpaceFacts

if TYPE_CHECKING:
    from folkmoot.storage.txn import ReadContext

_SPACE = Statement("SELECT id, owner_account_id FROM spaces WHERE id = :id")
_GROUP = Statement(
    "SELECT g.space_id, d.name FROM groups g JOIN domains d ON d.id = g.domain_id WHERE g.id = :id"
)
# Asked for in each transaction: who is no administrator any more is none in the next one.
_DOMAIN = Statement(
    "SELECT d.id, COALESCE(a.domain_admin, 0) FROM domains d"
    " LEFT JOIN accounts a ON a.id = :actor AND a.domain_id = d.id WHERE d.name = :name"
)
_DOMAIN_OF = Statement(
    "SELECT d.name FROM accounts a JOIN domains d ON d.id = a.domain_id WHERE a.id = :id"
)


def authorize(context: ReadContext, needs: Sequence[Need]) -> None:
    """See that all needs are met. Raises ``NotFound``, ``PermissionDenied``."""
    if not needs:
        raise TypeError("an operation without needs")
    for need in needs:
        match need:
            case OnCollection(collection_id, rights):
                context.require(collection_id, rights)
            case OnItem(collection_id, item, rights):
                context.require_item(collection_id, item, rights)
            case OnSpace(space_id, look):
                _on_space(context, space_id, look=look)
            case OnGroup(group_id, domain):
                _on_group(context, group_id, domain)
            case OnDomain(name):
                if not in_own_domain(context, name):
                    raise PermissionDenied
            case OnAccount(account_id):
                _on_account(context, account_id)
            case Administration():
                if not context.administers():
                    raise PermissionDenied
            case PerItem():
                pass


def in_own_domain(context: ReadContext, name: str) -> bool:
    """Whether the actor administers what is in a domain, of which it may know nothing else."""
    if context.administers():  # what is absent is for the operation to say
        return True
    row = context.db.one(_DOMAIN, name=name, actor=context.actor.account_id)
    return row is not None and context.administers_domain(DomainFacts(row[0], bool(row[1])))


def _on_account(context: ReadContext, account_id: int) -> None:
    if context.administers():
        return
    row = context.db.one(_DOMAIN_OF, id=account_id)
    if row is None or not in_own_domain(context, row[0]):
        raise PermissionDenied


def _on_space(context: ReadContext, space_id: int, *, look: bool) -> None:
    row = context.db.one(_SPACE, id=space_id)
    if row is None:
        raise NotFound
    space = SpaceFacts(row[0], row[1])
    if context.manages(space, look=look):
        return
    if look or not context.manages(space, look=True):
        raise NotFound
    raise PermissionDenied  # who may look, knows that it is there


def _on_group(context: ReadContext, group_id: int, domain: bool) -> None:
    row = context.db.one(_GROUP, id=group_id)
    if row is None:
        raise NotFound
    space = SpaceFacts(row[0], 0)
    if context.leads(space) or (domain and in_own_domain(context, row[1])):
        return
    raise PermissionDenied if context.knows([space]) else NotFound
