"""Mutations of the sessions of support agents, and of what has to be told about grants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import AuthenticationFailed, InvalidContent, LimitReached, NotFound
from folkmoot.storage.gate import Need, OnSpace
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.support_staff import StaffMutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Topic

MAX_REASON = 500  # characters
MAX_SESSIONS = 20  # of one agent that are open

#: The newest grant that lets the agent in.
_GRANT = Statement(
    "SELECT g.id, g.ends, a.id FROM support_grants g JOIN accounts a ON a.id = g.account_id"
    " JOIN support_agents ag ON ag.id = :agent"
    " WHERE a.address = :address AND a.state = 'active' AND ag.state = 'active'"
    " AND (g.agent_id = ag.id OR g.department_id = ag.department_id)"
    " AND g.withdrawn IS NULL AND g.ended IS NULL AND g.starts <= :now"
    " AND (g.ends IS NULL OR g.ends > :now)"
    " AND ag.address NOT IN (SELECT address FROM addresses WHERE account_id = a.id)"
    " AND (:grant = 0 OR g.id = :grant) ORDER BY g.id DESC LIMIT 1"
)
_COUNT = Statement(
    "SELECT COUNT(*) FROM support_sessions WHERE agent_id = :agent AND ended IS NULL"
    " AND expires > :now"
)
_OPEN = Statement(
    "INSERT INTO support_sessions (grant_id, agent_id, key, reason, opened, expires)"
    " VALUES (:grant, :agent, :key, :reason, :now, :expires) RETURNING id"
)
_FIRST = Statement(
    "UPDATE support_grants SET first_login = :now WHERE id = :grant AND first_login IS NULL"
)
_END_GRANTS = Statement(
    "UPDATE support_grants SET ended = :now WHERE ended IS NULL AND told < 7"
    " AND (withdrawn IS NOT NULL OR ends <= :now)"
)
_END_SESSIONS = Statement(
    "UPDATE support_sessions SET ended = :now WHERE ended IS NULL AND (expires <= :now"
    " OR EXISTS (SELECT 1 FROM support_grants g WHERE g.id = support_sessions.grant_id"
    " AND g.ended IS NOT NULL)) RETURNING id"
)
_END = Statement(
    "UPDATE support_sessions SET ended = :now"
    " WHERE id = :session AND agent_id = :agent AND ended IS NULL"
)
_TOLD = Statement("UPDATE support_grants SET told = told | :bits WHERE id = :grant")
_FORGET_PAGES = Statement("DELETE FROM page_endings WHERE until <= :now")
_END_PAGES = Statement(
    "INSERT INTO page_endings (nonce, until) VALUES (:nonce, :until) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened: until when it is good (seconds), and under which grant."""

    session_id: int
    grant_id: int
    account_id: int
    expires: int


@dataclass(frozen=True, slots=True)
class OpenSupport(StaffMutation[Opened]):
    """Open a session of an agent on an account that let it in, with a reason, for some seconds.

    ``key`` is the hash of the session's key; ``grant_id`` 0 takes the newest grant. Raises
    ``AuthenticationFailed`` where nothing was granted or there is no such account, which look the
    same; ``InvalidContent`` without a reason; ``LimitReached``.
    """

    agent_id: int
    address: str
    key: str
    reason: str
    seconds: int
    grant_id: int = 0

    def trail_note(self) -> str:
        return f"{self.address}: {self.reason}"

    def write(self, context: WriteContext) -> Opened:
        reason = self.reason.strip()
        if not reason or len(reason) > MAX_REASON or not reason.isprintable():
            raise InvalidContent(f"A reason of 1 to {MAX_REASON} characters is needed.")
        db, now = context.db, context.now
        row = db.one(
            _GRANT, agent=self.agent_id, address=self.address, grant=self.grant_id, now=now
        )
        if row is None:
            raise AuthenticationFailed("There is no access to such an account.")
        if db.value(_COUNT, agent=self.agent_id, now=now) >= MAX_SESSIONS:
            raise LimitReached("Too many sessions of this agent are open.")
        grant, ends, account = row
        expires = now + self.seconds if ends is None else min(now + self.seconds, ends)
        id_: int = db.value(
            _OPEN,
            grant=grant,
            agent=self.agent_id,
            key=self.key,
            reason=reason,
            now=now,
            expires=expires,
        )
        return Opened(id_, grant, account, expires)


@dataclass(frozen=True, slots=True)
class EndSession(StaffMutation[None]):
    """End a session of an agent before its time. Raises ``NotFound``."""

    agent_id: int
    session_id: int

    def trail_note(self) -> str:
        return f"session {self.session_id}"

    def write(self, context: WriteContext) -> None:
        ended = context.db.run(_END, session=self.session_id, agent=self.agent_id, now=context.now)
        if not ended:
            raise NotFound
        context.hint(Topic.SUPPORT, self.session_id)


@dataclass(frozen=True, slots=True)
class NoteRefusedSession(StaffMutation[None]):
    """Note that an agent wanted to come into an account that did not let it in."""

    address: str
    agent: str
    reason: str

    def trail_note(self) -> str:
        return f"refused: {self.agent} wanted to come into {self.address[:320]}: {self.reason}"

    def write(self, context: WriteContext) -> None:
        """The row in the trail is all there is to it."""


@dataclass(frozen=True, slots=True)
class RecordSupportLogin(Mutation[None]):
    """Note that an agent comes in: over which protocol, and from where. Only the agent does that.

    Raises ``NotFound`` for everybody else. # M7.7
    """

    audited: ClassVar[bool] = True
    only_notes: ClassVar[bool] = True

    space_id: int
    protocol: str
    peer: str

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id, look=True)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def trail_note(self) -> str:
        return f"{self.protocol} {self.peer}"

    def write(self, context: WriteContext) -> None:
        support = context.actor.support
        if support is None:
            raise NotFound
        context.db.run(_FIRST, grant=support.grant_id, now=context.now)


@dataclass(frozen=True, slots=True)
class EndSupport(StaffMutation[int]):
    """Mark grants and sessions whose time is up, so that no clock gives them back; how many."""

    audited: ClassVar[bool] = False

    def write(self, context: WriteContext) -> int:
        count = context.db.run(_END_GRANTS, now=context.now)
        ended = context.db.all(_END_SESSIONS, now=context.now)
        for (session,) in ended:
            context.hint(Topic.SUPPORT, session)
        return count + len(ended)


@dataclass(frozen=True, slots=True)
class NoteTold(StaffMutation[None]):
    """Note what the customer was told about a grant: 1 that it was made, 2 the first login, 4 its
    end."""

    audited: ClassVar[bool] = False

    grant_id: int
    bits: int

    def write(self, context: WriteContext) -> None:
        context.db.run(_TOLD, grant=self.grant_id, bits=self.bits)


@dataclass(frozen=True, slots=True)
class EndPages(StaffMutation[None]):
    """Somebody signs out of pages: the session of this ``nonce`` is over, in all processes.

    ``until`` is when it would be over anyway; what is older is forgotten.
    """

    audited: ClassVar[bool] = False

    nonce: str
    until: int

    def write(self, context: WriteContext) -> None:
        context.db.run(_FORGET_PAGES, now=context.now)
        context.db.run(_END_PAGES, nonce=self.nonce, until=self.until)
