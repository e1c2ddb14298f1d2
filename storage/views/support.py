"""Views of support access: staff, grants, logins and requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from folkmoot.storage.engine.db import Row, Statement
from folkmoot.storage.gate import Administration, Need, OnSpace
from folkmoot.storage.support import HOLDS_BY_ID, HOLDS_BY_KEY, actor_of
from folkmoot.storage.txn import ReadContext
from folkmoot.storage.types import Actor, ActorKind, Tool
from folkmoot.storage.types_support import (
    Agent,
    AgentSecrets,
    AgentState,
    Department,
    HelpKind,
    HelpRequest,
    NewHelp,
    OpenSession,
    SupportGrant,
    SupportLogin,
    SupportRequest,
    SupportScope,
    SupportWish,
)
from folkmoot.storage.views.base import View

R = TypeVar("R", covariant=True)

_PAGES_ENDED = Statement("SELECT 1 FROM page_endings WHERE nonce = :nonce")
_DEPARTMENTS = Statement(
    "SELECT d.id, d.name, (SELECT COUNT(*) FROM support_agents a WHERE a.department_id = d.id)"
    " FROM support_departments d ORDER BY d.name"
)
_AGENTS = Statement(
    "SELECT a.id, a.address, a.name, COALESCE(d.name, ''), a.state, a.totp FROM support_agents a"
    " LEFT JOIN support_departments d ON d.id = a.department_id ORDER BY a.address"
)
_SECRETS = Statement(
    "SELECT id, address, secret, totp, totp_step, state FROM support_agents"
    " WHERE address = :address"
)
_OF = "(SELECT owner_account_id FROM spaces WHERE id = :space)"
_GRANTS = (
    "SELECT g.id, g.account_id, a.address, ag.address, d.name, g.starts, g.ends, g.tools,"
    " g.read_only, g.export, g.with_groups, g.granted_by, g.withdrawn, g.ended, g.first_login,"
    " (SELECT COUNT(*) FROM support_uses u WHERE u.grant_id = g.id),"
    " (SELECT COALESCE(SUM(u.octets), 0) FROM support_uses u WHERE u.grant_id = g.id),"
    " g.free_items, g.free_octets, g.told FROM support_grants g"
    " JOIN accounts a ON a.id = g.account_id"
    " LEFT JOIN support_agents ag ON ag.id = g.agent_id"
    " LEFT JOIN support_departments d ON d.id = g.department_id"
)
_OF_SPACE = Statement(
    f"{_GRANTS} WHERE g.account_id = {_OF} AND (g.starts >= :since OR (g.withdrawn IS NULL"
    " AND g.ended IS NULL) OR COALESCE(g.withdrawn, g.ended) >= :since) ORDER BY g.id DESC"
)
_UNTOLD = Statement(
    f"{_GRANTS} WHERE g.told < 7 AND (g.told % 2 = 0"
    " OR (g.first_login IS NOT NULL AND (g.told / 2) % 2 = 0)"
    " OR g.ended IS NOT NULL) ORDER BY g.id LIMIT 100"
)
_OPEN = Statement(
    "SELECT s.id, a.address, s.reason, s.grant_id, s.opened, s.expires FROM support_sessions s"
    " JOIN support_grants g ON g.id = s.grant_id JOIN accounts a ON a.id = g.account_id"
    " WHERE s.agent_id = :agent AND s.ended IS NULL AND s.expires > :now AND g.withdrawn IS NULL"
    " AND g.ended IS NULL AND (g.ends IS NULL OR g.ends > :now) ORDER BY s.id DESC"
)
_LOGINS = Statement(
    f"SELECT id, time, agent, detail, reason, grant_id FROM audit WHERE account_id = {_OF}"  # noqa: S608
    " AND operation = 'RecordSupportLogin' AND id < :below AND (:grant = 0 OR grant_id = :grant)"
    " ORDER BY id DESC LIMIT :limit"
)
_REQUEST = Statement(
    "SELECT r.id, r.agent_id, ag.address, r.account_id, a.address, a.space_id, r.token, r.reason,"
    " r.period, r.tools, r.read_only, r.export, r.with_groups, r.created, r.expires, r.used"
    " FROM support_requests r JOIN support_agents ag ON ag.id = r.agent_id"
    " JOIN accounts a ON a.id = r.account_id WHERE r.id = :id"
)
_TO_END = Statement(
    "SELECT 1 FROM support_grants WHERE ended IS NULL AND told < 7"
    " AND (withdrawn IS NOT NULL OR ends <= :now)"
    " UNION ALL SELECT 1 FROM support_sessions WHERE ended IS NULL AND expires <= :now LIMIT 1"
)
_HELP = (
    "SELECT h.id, h.account_id, a.address, h.kind, h.subject, h.body, h.phone, h.uid, h.starts,"
    " h.ends, h.created, h.closed, h.closed_by FROM help_requests h"
    " JOIN accounts a ON a.id = h.account_id"
)
_ALL_HELP = Statement(
    f"{_HELP} WHERE (:everything = 1 OR h.closed IS NULL) ORDER BY h.id DESC LIMIT 1000"
)
_OWN_HELP = Statement(f"{_HELP} WHERE h.account_id = {_OF} ORDER BY h.id DESC LIMIT 1000")


class _StaffView(View[R]):
    """For the operator."""

    abstract: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]


class _CustomerView(View[R]):
    """For the owner of an account, and for the operator (``own`` False)."""

    abstract: ClassVar[bool] = True
    look: ClassVar[bool] = False  # an agent in the account may see it, too
    space_id: int
    own: bool

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id, look=self.look)] if self.own else [Administration()]


@dataclass(frozen=True, slots=True)
class ListDepartments(_StaffView[list[Department]]):
    """All departments of support by name."""

    def read(self, context: ReadContext) -> list[Department]:
        return [Department(*row) for row in context.db.all(_DEPARTMENTS)]


@dataclass(frozen=True, slots=True)
class ListAgents(_StaffView[list[Agent]]):
    """All agents of support by address."""

    def read(self, context: ReadContext) -> list[Agent]:
        return [
            Agent(id_, address, name, department, AgentState(state), bool(totp))
            for id_, address, name, department, state, totp in context.db.all(_AGENTS)
        ]


@dataclass(frozen=True, slots=True)
class FindAgent(_StaffView[AgentSecrets | None]):
    """What an agent signs in with; None where there is no such agent."""

    address: str

    def read(self, context: ReadContext) -> AgentSecrets | None:
        row = context.db.one(_SECRETS, address=self.address)
        if row is None:
            return None
        id_, address, secret, totp, step, state = row
        return AgentSecrets(id_, address, secret, totp, step, AgentState(state))


@dataclass(frozen=True, slots=True)
class SupportGrants(_CustomerView[list[SupportGrant]]):
    """The grants of an account that hold, or held since a moment; the newest first."""

    look: ClassVar[bool] = True  # of its own grant

    space_id: int
    since: int
    own: bool = True

    def read(self, context: ReadContext) -> list[SupportGrant]:
        rows = context.db.all(_OF_SPACE, space=self.space_id, since=self.since)
        found = [_grant(row, context.now) for row in rows]
        support = context.actor.support
        return [each for each in found if support is None or each.id == support.grant_id]


@dataclass(frozen=True, slots=True)
class UntoldGrants(_StaffView[list[SupportGrant]]):
    """Grants of which the customer has still to be told something."""

    def read(self, context: ReadContext) -> list[SupportGrant]:
        return [_grant(row, context.now) for row in context.db.all(_UNTOLD)]


def _grant(row: Row, now: int) -> SupportGrant:
    id_, account_id, account, agent, department, starts, ends = row[:7]
    tools, read_only, export, groups, by, withdrawn, ended, first, items, octets = row[7:17]
    over = withdrawn if withdrawn is not None else ended
    if over is None and ends is not None and ends <= now:
        over = ends
    scope = SupportScope(
        frozenset(map(Tool, tools.split())), bool(read_only), bool(export), bool(groups)
    )
    return SupportGrant(
        *(id_, account_id, account, agent or department, agent is None, starts, ends, scope, by),
        *(withdrawn, over, first, items, int(octets), *row[17:]),
    )


@dataclass(frozen=True, slots=True)
class SupportLogins(_CustomerView[list[SupportLogin]]):
    """Who of support came into an account, when and why; the latest first. # M7.7

    Those before the row ``below``, ``limit`` of them.
    """

    look: ClassVar[bool] = True  # of its own grant

    space_id: int
    own: bool = True
    limit: int = 1000
    below: int = 1 << 62

    def read(self, context: ReadContext) -> list[SupportLogin]:
        found, support = [], context.actor.support
        rows = context.db.all(
            _LOGINS,
            space=self.space_id,
            below=self.below,
            grant=support.grant_id if support is not None else 0,
            limit=self.limit,
        )
        for id_, time, agent, detail, reason, grant in rows:
            protocol, _, peer = detail.partition(" ")
            found.append(SupportLogin(id_, time, agent, protocol, peer, reason, grant))
        return found


@dataclass(frozen=True, slots=True)
class AgentSessions(_StaffView[list[OpenSession]]):
    """The sessions of an agent that are open, the latest first."""

    agent_id: int

    def read(self, context: ReadContext) -> list[OpenSession]:
        rows = context.db.all(_OPEN, agent=self.agent_id, now=context.now)
        return [OpenSession(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class FindRequest(_StaffView[SupportRequest | None]):
    """What an agent asked for, by the number in the link."""

    request_id: int

    def read(self, context: ReadContext) -> SupportRequest | None:
        row = context.db.one(_REQUEST, id=self.request_id)
        if row is None:
            return None
        reason, period, tools, read_only, export, groups, created, expires, used = row[7:]
        scope = SupportScope(
            frozenset(map(Tool, tools.split())), bool(read_only), bool(export), bool(groups)
        )
        wish = SupportWish(reason, period, scope)
        values: list[Any] = [*row[:7], wish, created, expires, used]
        return SupportRequest(*values)


@dataclass(frozen=True, slots=True)
class SupportActor(_StaffView[Actor | None]):
    """The agent whose session has a key (its hash), if the session is good now."""

    key: str

    def read(self, context: ReadContext) -> Actor | None:
        nobody = Actor(ActorKind.SUPPORT, 0, 0, "")
        return actor_of(context.db, HOLDS_BY_KEY, nobody, key=self.key, now=context.now)


@dataclass(frozen=True, slots=True)
class SessionsOver(_StaffView[list[int]]):
    """Those of some sessions of agents that are not good any more."""

    sessions: tuple[int, ...]

    def read(self, context: ReadContext) -> list[int]:
        nobody = Actor(ActorKind.SUPPORT, 0, 0, "")
        return [
            session
            for session in self.sessions
            if actor_of(context.db, HOLDS_BY_ID, nobody, session=session, now=context.now) is None
        ]


@dataclass(frozen=True, slots=True)
class GrantsToEnd(_StaffView[bool]):
    """Whether the time of a grant or session is up, or it was withdrawn, and nobody noted that."""

    def read(self, context: ReadContext) -> bool:
        return context.db.one(_TO_END, now=context.now) is not None


@dataclass(frozen=True, slots=True)
class PagesEnded(_StaffView[bool]):
    """Whether somebody signed out of a session of pages."""

    nonce: str

    def read(self, context: ReadContext) -> bool:
        return context.db.one(_PAGES_ENDED, nonce=self.nonce) is not None


@dataclass(frozen=True, slots=True)
class AllHelp(_StaffView[list[HelpRequest]]):
    """What customers want of support; without ``everything`` what is not answered."""

    everything: bool = False

    def read(self, context: ReadContext) -> list[HelpRequest]:
        rows = context.db.all(_ALL_HELP, everything=int(self.everything))
        return [*map(_help, rows)]


@dataclass(frozen=True, slots=True)
class OwnHelp(_CustomerView[list[HelpRequest]]):
    """What a customer wanted of support; the latest first."""

    space_id: int
    own: bool = True

    def read(self, context: ReadContext) -> list[HelpRequest]:
        return [*map(_help, context.db.all(_OWN_HELP, space=self.space_id))]


def _help(row: Row) -> HelpRequest:
    kind, subject, body, phone, uid, starts, ends = row[3:10]
    new = NewHelp(HelpKind(kind), subject, body, phone, uid, starts, ends)
    return HelpRequest(row[0], row[1], row[2], new, *row[10:])
