"""Mutations of what customers grant to support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import (
    AuthenticationFailed,
    Conflict,
    InvalidContent,
    LimitReached,
    NotFound,
    PermissionDenied,
)
from folkmoot.storage.gate import Administration, Need, OnAccount, OnSpace
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.support_staff import StaffMutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Tool, Topic
from folkmoot.storage.types_support import NewGrant, SupportScope, SupportWish, scope_text

R = TypeVar("R", covariant=True)

MAX_GRANTS = 100  # of one account that hold at a time
MAX_REQUESTS = 5  # of one account that wait for an answer

_OWNER = Statement(
    "SELECT a.id, a.may_grant, a.address FROM spaces s JOIN accounts a ON a.id = s.owner_account_id"
    " WHERE s.id = :space"
)
_AGENT = Statement("SELECT id FROM support_agents WHERE address = :name AND state = 'active'")
_DEPARTMENT = Statement("SELECT id FROM support_departments WHERE name = :name")
_OWN = Statement("SELECT 1 FROM addresses WHERE account_id = :account AND address = :name")
_COUNT = Statement(
    "SELECT COUNT(*) FROM support_grants WHERE account_id = :account AND withdrawn IS NULL"
    " AND ended IS NULL AND (ends IS NULL OR ends > :now)"
)
_GRANT = Statement(
    "INSERT INTO support_grants (account_id, agent_id, department_id, starts, ends, tools,"
    " read_only, export, with_groups, free_items, free_octets, granted_by, told) VALUES (:account,"
    " :agent, :department, :now, :ends, :tools, :read_only, :export, :with_groups, :free_items,"
    " :free_octets, :by, 0) RETURNING id"
)
_WITHDRAW = Statement(
    "UPDATE support_grants SET withdrawn = :now WHERE id = :id AND account_id = :account"
    " AND withdrawn IS NULL AND ended IS NULL RETURNING id"
)
_SCOPE = Statement(
    "SELECT tools, read_only, export, with_groups, ends FROM support_grants WHERE id = :id"
    " AND account_id = :account AND withdrawn IS NULL AND ended IS NULL"
)
_NARROW = Statement(
    "UPDATE support_grants SET tools = :tools, read_only = :read_only, export = :export,"
    " with_groups = :with_groups WHERE id = :id"
)
_SESSIONS = Statement("SELECT id FROM support_sessions WHERE grant_id = :id AND ended IS NULL")
_MAY = Statement("UPDATE accounts SET may_grant = :on WHERE id = :id RETURNING id")
_CUSTOMER = Statement(
    "SELECT id FROM accounts WHERE address = :address AND state = 'active' AND may_grant = 1"
)
_OPEN_REQUESTS = Statement(
    "SELECT COUNT(*) FROM support_requests WHERE account_id = :account AND used IS NULL"
    " AND expires > :now"
)
_REQUEST = Statement(
    "INSERT INTO support_requests (agent_id, account_id, token, reason, period, tools, read_only,"
    " export, with_groups, created, expires) VALUES (:agent, :account, '', :reason, :period,"
    " :tools, :read_only, :export, :with_groups, :now, :expires) RETURNING id"
)
_SET_TOKEN = Statement("UPDATE support_requests SET token = :token WHERE id = :id")
_USE = Statement(
    "UPDATE support_requests SET used = :now WHERE id = :id AND account_id = :account"
    " AND token = :token AND used IS NULL AND created <= :now AND expires > :now"
    " RETURNING agent_id"
)
_AGENT_ADDRESS = Statement("SELECT address FROM support_agents WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose account it is."""

    id: int
    may_grant: bool
    address: str


class CustomerMutation(Mutation[R]):
    """What the owner of an account decides, or the operator on the owner's behalf."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True
    space_id: int
    own: bool

    def needs(self) -> Sequence[Need]:
        return [OnSpace(self.space_id)] if self.own else [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


def customer(context: ReadContext, space_id: int) -> Customer:
    """The owner of a space. Raises ``NotFound``; ``PermissionDenied`` in sessions of devices."""
    if context.actor.credential_id:
        raise PermissionDenied("Sign in with the main password for this.")
    row = context.db.one(_OWNER, space=space_id)
    if row is None:
        raise NotFound("There is no such account.")
    return Customer(row[0], bool(row[1]), row[2])


@dataclass(frozen=True, slots=True)
class GrantSupport(CustomerMutation[int]):
    """Let an agent or a department into an account, from now on; returns the grant's number.

    Raises ``PermissionDenied`` where the person may not, ``NotFound`` (agent, department),
    ``InvalidContent`` (an end that is past, no tools), ``Conflict`` (an agent who is the customer),
    ``LimitReached``. # M7.1 M7.2
    """

    space_id: int
    new: NewGrant
    own: bool = True

    def trail_note(self) -> str:
        until = "without end" if self.new.until is None else f"until {self.new.until}"
        return f"to {self.new.grantee} {until}, {scope_text(self.new.scope)}"

    def write(self, context: WriteContext) -> int:
        return _grant(context, customer(context, self.space_id), self.new)


def _grant(context: WriteContext, owner: Customer, new: NewGrant) -> int:
    db = context.db
    if not owner.may_grant:
        raise PermissionDenied("This account has no right to let support in.")
    if not new.scope.tools:
        raise InvalidContent("A grant needs at least one tool.")
    if new.until is not None and new.until <= context.now:
        raise InvalidContent("The grant would have ended already.")
    is_agent = "@" in new.grantee
    row = db.one(_AGENT if is_agent else _DEPARTMENT, name=new.grantee)
    if row is None:
        what = "support agent" if is_agent else "support department"
        raise NotFound(f"There is no {what} {new.grantee}.")
    if is_agent and db.one(_OWN, account=owner.id, name=new.grantee) is not None:
        raise Conflict("An agent cannot be let into the account of the same person.")
    if db.value(_COUNT, account=owner.id, now=context.now) >= MAX_GRANTS:
        raise LimitReached("Too many grants to support hold; withdraw some.")
    number: int = db.value(
        _GRANT,
        account=owner.id,
        agent=row[0] if is_agent else None,
        department=None if is_agent else row[0],
        now=context.now,
        ends=new.until,
        tools=" ".join(sorted(new.scope.tools)),
        read_only=int(new.scope.read_only),
        export=int(new.scope.export),
        with_groups=int(new.scope.with_groups),
        free_items=new.free_items,
        free_octets=new.free_octets,
        by=context.actor.name if context.actor.account_id else context.actor.reason,
    )
    return number


@dataclass(frozen=True, slots=True)
class WithdrawSupport(CustomerMutation[None]):
    """End a grant; the sessions under it end with it. Raises ``NotFound``. # M7.8"""

    space_id: int
    grant_id: int
    own: bool = True

    def trail_note(self) -> str:
        return f"grant {self.grant_id}"

    def write(self, context: WriteContext) -> None:
        owner = customer(context, self.space_id)
        db = context.db
        if db.one(_WITHDRAW, id=self.grant_id, account=owner.id, now=context.now) is None:
            raise NotFound("There is no such grant that holds.")
        tell_sessions(context, self.grant_id)


def tell_sessions(context: WriteContext, grant_id: int) -> None:
    """Let open sessions under a grant look whether it still holds."""
    for (session,) in context.db.all(_SESSIONS, id=grant_id):
        context.hint(Topic.SUPPORT, session)


@dataclass(frozen=True, slots=True)
class NarrowSupport(CustomerMutation[None]):
    """Take something out of a grant that holds, also from sessions that are open.

    What is in both remains: tools, groups and export if they are in ``scope`` too; reading only
    if either says so. Raises ``NotFound``, ``InvalidContent`` when no tool would be left.
    """

    space_id: int
    grant_id: int
    scope: SupportScope
    own: bool = True

    def trail_note(self) -> str:
        return f"grant {self.grant_id} to {scope_text(self.scope)}"

    def write(self, context: WriteContext) -> None:
        owner = customer(context, self.space_id)
        row = context.db.one(_SCOPE, id=self.grant_id, account=owner.id)
        if row is None:
            raise NotFound("There is no such grant that holds.")
        tools, read_only, export, with_groups, _ = row
        left = frozenset(map(Tool, tools.split())) & self.scope.tools
        if not left:
            raise InvalidContent("A grant needs at least one tool; withdraw it instead.")
        context.db.run(
            _NARROW,
            id=self.grant_id,
            tools=" ".join(sorted(left)),
            read_only=int(read_only or self.scope.read_only),
            export=int(export and self.scope.export),
            with_groups=int(with_groups and self.scope.with_groups),
        )


@dataclass(frozen=True, slots=True)
class SetMayGrant(Mutation[None]):
    """Give an account the right to let support in, or take it away; its grants stay.

    Raises ``NotFound``. # M7.2
    """

    audited: ClassVar[bool] = True

    account_id: int
    on: bool

    def needs(self) -> Sequence[Need]:
        return [OnAccount(self.account_id)]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def trail_note(self) -> str:
        return "on" if self.on else "off"

    def write(self, context: WriteContext) -> None:
        if context.db.one(_MAY, id=self.account_id, on=int(self.on)) is None:
            raise NotFound("There is no such account.")


@dataclass(frozen=True, slots=True)
class RequestSupport(StaffMutation[int]):
    """Note that an agent asks a customer for a grant; returns a number for the link, 0 for nobody.

    There is nobody to ask where there is no such account, where it may not grant, and where too
    many requests wait for an answer already. ``SetRequestToken`` makes the link good.
    """

    agent_id: int
    address: str
    wish: SupportWish
    expires: int

    def trail_note(self) -> str:
        return f"of {self.address}, {scope_text(self.wish.scope)}: {self.wish.reason}"

    def write(self, context: WriteContext) -> int:
        row = context.db.one(_CUSTOMER, address=self.address)
        if row is None:
            return 0
        if context.db.value(_OPEN_REQUESTS, account=row[0], now=context.now) >= MAX_REQUESTS:
            return 0
        scope = self.wish.scope
        number: int = context.db.value(
            _REQUEST,
            agent=self.agent_id,
            account=row[0],
            reason=self.wish.reason,
            period=self.wish.period,
            tools=" ".join(sorted(scope.tools)),
            read_only=int(scope.read_only),
            export=int(scope.export),
            with_groups=int(scope.with_groups),
            now=context.now,
            expires=self.expires,
        )
        return number


@dataclass(frozen=True, slots=True)
class SetRequestToken(StaffMutation[None]):
    """Make the link of a request good. ``token`` is the hash of what the link has."""

    audited: ClassVar[bool] = False

    request_id: int
    token: str

    def write(self, context: WriteContext) -> None:
        context.db.run(_SET_TOKEN, id=self.request_id, token=self.token)


@dataclass(frozen=True, slots=True)
class ActivateSupport(CustomerMutation[int]):
    """Grant what an agent asked for, through the link; returns the grant's number.

    ``token`` is the hash of what the link has; ``new`` is what was asked for, with its end. Raises
    ``AuthenticationFailed`` for a link that is used, expired, forged or of somebody else, and what
    ``GrantSupport`` raises. # M7.6
    """

    space_id: int
    request_id: int
    token: str
    new: NewGrant
    own: bool = True

    def trail_note(self) -> str:
        return f"request {self.request_id} of {self.new.grantee}, {scope_text(self.new.scope)}"

    def write(self, context: WriteContext) -> int:
        owner = customer(context, self.space_id)
        row = None
        if self.token:
            row = context.db.one(
                _USE,
                id=self.request_id,
                account=owner.id,
                token=self.token,
                now=context.now,
            )
        if row is None or context.db.value(_AGENT_ADDRESS, id=row[0]) != self.new.grantee:
            raise AuthenticationFailed("This link is not good, or not any more.")
        return _grant(context, owner, self.new)
