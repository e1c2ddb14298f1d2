"""Holds support agents to what customers granted: whether it holds now, and what may go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.errors import Expired, ExportRefused
from folkmoot.storage.gate import Need, OnCollection, OnItem
from folkmoot.storage.types import FEATURE_OF_TOOL, Actor, Feature, Right, Tool
from folkmoot.storage.types_support import SupportAccess

if TYPE_CHECKING:
    from folkmoot.storage.txn import ReadContext

#: What a session is good for now. Nothing here is remembered between transactions.
_HOLDS = (
    "SELECT s.id, s.agent_id, ag.address, g.id, g.tools, g.read_only, g.export, g.with_groups,"
    " g.free_items, g.free_octets, s.expires, g.ends, s.reason, a.id, a.space_id, a.address,"
    " a.epoch, a.withheld, a.hidden_capabilities FROM support_sessions s"
    " JOIN support_grants g ON g.id = s.grant_id JOIN support_agents ag ON ag.id = s.agent_id"
    " JOIN accounts a ON a.id = g.account_id"
    " WHERE s.ended IS NULL AND s.expires > :now AND g.withdrawn IS NULL AND g.ended IS NULL"
    " AND g.starts <= :now AND (g.ends IS NULL OR g.ends > :now) AND ag.state = 'active'"
    " AND (g.agent_id = ag.id OR g.department_id = ag.department_id) AND a.state = 'active'"
    " AND ag.address NOT IN (SELECT address FROM addresses WHERE account_id = a.id)"
)
HOLDS_BY_ID = Statement(f"{_HOLDS} AND s.id = :session")
HOLDS_BY_KEY = Statement(f"{_HOLDS} AND s.key = :key")

_GRANTEES = Statement(
    "WITH RECURSIVE up(id) AS (SELECT CAST(:id AS BIGINT) UNION ALL SELECT c.parent_id FROM up"
    " JOIN collections c ON c.id = up.id WHERE c.parent_id IS NOT NULL)"
    " SELECT g.grantee FROM up JOIN grants g ON g.collection_id = up.id AND g.item = 0"
)
_KNOWN = Statement("SELECT 1 FROM support_uses WHERE grant_id = :grant AND blob_id = :blob")
_LOCK = Statement("SELECT id FROM support_grants WHERE id = :grant FOR UPDATE")
_USED = Statement(
    "SELECT COUNT(*), CAST(COALESCE(SUM(octets), 0) AS BIGINT) FROM support_uses"
    " WHERE grant_id = :grant"
)
_USE = Statement(
    "INSERT INTO support_uses (grant_id, blob_id, octets) VALUES (:grant, :blob, :octets)"
)


def actor_of(db: Db, statement: Statement, actor: Actor, **parameters: int | str) -> Actor | None:
    """An agent in the account of a customer as it is now; ``actor`` has the kind. None: over."""
    row = db.one(statement, **parameters)
    if row is None:
        return None
    (session, agent_id, agent, grant, names, *flags) = row[:8]
    free_items, free_octets, expires, ends, reason, account, space, address = row[8:16]
    epoch, withheld, hidden = row[16:]
    tools = frozenset(map(Tool, names.split()))
    read_only, export, groups = map(bool, flags)
    until = expires if ends is None else min(expires, ends)
    closed = {FEATURE_OF_TOOL[tool] for tool in Tool if tool not in tools}
    return replace(
        actor,
        account_id=account,
        space_id=space,
        name=address,
        reason=reason,
        epoch=epoch,
        hidden_capabilities=frozenset(hidden.split()),
        withheld=frozenset(map(Feature, withheld.split())) | closed,
        support=SupportAccess(
            *(agent_id, agent, grant, session, tools, read_only, export, groups),
            *(until, free_items, free_octets),
        ),
    )


def present(db: Db, actor: Actor, now: int) -> Actor:
    """The same agent with what it may do now. Raises ``Expired``."""
    support = actor.support
    if support is None:
        raise Expired
    found = actor_of(db, HOLDS_BY_ID, actor, session=support.session_id, now=now)
    if found is None or found.account_id != actor.account_id:
        raise Expired("The access that was granted to support has ended.")
    return found


def hand_out(context: ReadContext, bodies: Sequence[tuple[int, int]], handed: set[int]) -> None:
    """Charge content, (blob, octets), that goes out to an agent. Raises ``ExportRefused``.

    ``handed`` are the blobs that the transaction has handed out already; it grows.
    """
    support = context.actor.support
    if support is None or support.export:
        return
    handed.update(blob for blob, _ in bodies)
    refuse_bulk(context.actor, len(handed))
    db = context.db
    for blob, octets in bodies:  # only one is left here
        if db.one(_KNOWN, grant=support.grant_id, blob=blob) is not None:
            return
        if not db.is_sqlite:
            db.one(_LOCK, grant=support.grant_id)
        items, total = db.all(_USED, grant=support.grant_id)[0]
        if items >= support.free_items or total + octets > support.free_octets:
            raise ExportRefused(
                f"Without the permission to export, support may read {support.free_items} items"
                f" of {support.free_octets} octets together; this would be more."
            )
        db.run(_USE, grant=support.grant_id, blob=blob, octets=octets)


def refuse_bulk(actor: Actor, items: int) -> None:
    """Refuse what shows the content of several items to an agent who may not export."""
    if actor.support is not None and not actor.support.export and items > 1:
        raise ExportRefused(
            "Without the permission to export, support may read single items only, not many at"
            " once."
        )


def refuse_search(actor: Actor) -> None:
    """Refuse to look for words in content to an agent who may not export.

    Whether a word is in a message says what is in it: who may ask often enough has read it.
    """
    if actor.support is not None and not actor.support.export:
        raise ExportRefused(
            "Without the permission to export, support may search headers, flags and dates, but"
            " not for words in messages, events and contacts."
        )


def refuse_removal(context: ReadContext, needs: Sequence[Need]) -> None:
    """Refuse to take content to where others find it to an agent who may not export.

    That is another space, or a collection that somebody may see who may not see the source.
    """
    support = context.actor.support
    if support is None or support.export:
        return
    touched = {need.collection_id: need.rights for need in needs if _names_collection(need)}
    if len(touched) < 2:
        return
    if len({context.facts(each).space_id for each in touched}) > 1:
        raise ExportRefused
    targets = [id_ for id_, rights in touched.items() if rights & (Right.INSERT | Right.CREATE)]
    sources = [id_ for id_ in touched if id_ not in targets]
    known = {grantee for id_ in sources for grantee in _seen_by(context, id_)}
    if sources and any(_seen_by(context, id_) - known for id_ in targets):
        raise ExportRefused


def _names_collection(need: Need) -> TypeGuard[OnCollection | OnItem]:
    return isinstance(need, OnCollection | OnItem)


def _seen_by(context: ReadContext, collection_id: int) -> set[int]:
    """To whom a collection, or one above it, was granted."""
    return {grantee for (grantee,) in context.db.all(_GRANTEES, id=collection_id)}
