"""Mutations of those who work for support: departments and agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import AlreadyExists, AuthenticationFailed, InvalidName, NotFound
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.mutations.accounts import check_person_name
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.policy import Charge
from folkmoot.storage.txn import ReadContext, WriteContext
from folkmoot.storage.types import Topic
from folkmoot.storage.types_support import AgentState

R = TypeVar("R", covariant=True)

_DEPARTMENT = Statement("SELECT id FROM support_departments WHERE name = :name")
_ADD_DEPARTMENT = Statement(
    "INSERT INTO support_departments (name, created) VALUES (:name, :now) RETURNING id"
)
_AGENT = Statement("SELECT id FROM support_agents WHERE address = :address")
_ADD_AGENT = Statement(
    "INSERT INTO support_agents (address, name, secret, totp, totp_step, department_id, state,"
    " created) VALUES (:address, :name, :secret, :totp, 0, :department, 'active', :now)"
    " RETURNING id"
)
_UPDATE = Statement(
    "UPDATE support_agents SET name = COALESCE(:name, name), secret = COALESCE(:secret, secret),"
    " totp = COALESCE(:totp, totp), state = COALESCE(:state, state),"
    " department_id = CASE WHEN :moved = 1 THEN :department ELSE department_id END"
    " WHERE id = :id RETURNING id"
)
_SESSIONS = Statement("SELECT id FROM support_sessions WHERE agent_id = :agent AND ended IS NULL")
_END_SESSIONS = Statement(
    "UPDATE support_sessions SET ended = :now WHERE agent_id = :agent AND ended IS NULL"
    " RETURNING id"
)
_TAKE = Statement(
    "UPDATE support_agents SET totp_step = :step WHERE id = :id AND totp_step < :step RETURNING id"
)


class StaffMutation(Mutation[R]):
    """What the operator does with support staff: no charge, a trail."""

    abstract: ClassVar[bool] = True
    audited: ClassVar[bool] = True

    def needs(self) -> Sequence[Need]:
        return [Administration()]

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()


def _department_id(context: ReadContext, name: str) -> int | None:
    """The number of a department; None for "". Raises ``NotFound``."""
    if not name:
        return None
    row = context.db.one(_DEPARTMENT, name=name)
    if row is None:
        raise NotFound(f'There is no support department "{name}".')
    number: int = row[0]
    return number


@dataclass(frozen=True, slots=True)
class CreateDepartment(StaffMutation[int]):
    """Make a department; returns its number. Raises ``AlreadyExists``, ``InvalidName``."""

    name: str

    def trail_note(self) -> str:
        return self.name

    def write(self, context: WriteContext) -> int:
        check_person_name(self.name)
        if not self.name.strip() or "@" in self.name:
            raise InvalidName("A department needs a name without @.")
        if context.db.one(_DEPARTMENT, name=self.name) is not None:
            raise AlreadyExists(f'There is a support department "{self.name}" already.')
        number: int = context.db.value(_ADD_DEPARTMENT, name=self.name, now=context.now)
        return number


@dataclass(frozen=True, slots=True)
class CreateAgent(StaffMutation[int]):
    """Make an agent; returns its number. ``secret`` is an argon2id hash, ``department`` a name.

    Raises ``AlreadyExists``, ``NotFound`` (department), ``InvalidName``.
    """

    address: str
    name: str
    secret: str
    totp: str = ""
    department: str = ""

    def trail_note(self) -> str:
        return f"{self.address} {self.department}".strip()

    def write(self, context: WriteContext) -> int:
        check_person_name(self.name)
        if context.db.one(_AGENT, address=self.address) is not None:
            raise AlreadyExists(f"There is a support agent {self.address} already.")
        number: int = context.db.value(
            _ADD_AGENT,
            address=self.address,
            name=self.name,
            secret=self.secret,
            totp=self.totp,
            department=_department_id(context, self.department),
            now=context.now,
        )
        return number


@dataclass(frozen=True, slots=True)
class UpdateAgent(StaffMutation[None]):
    """Change an agent; None leaves a field as it is, "" takes second factor or department away.

    Other secrets, and an agent who is disabled, end all sessions for good; a department counts as
    long as one is in it. Sessions that this ends are told. Raises ``NotFound``, ``InvalidName``.
    """

    address: str
    name: str | None = None
    secret: str | None = None
    totp: str | None = None
    department: str | None = None
    state: AgentState | None = None

    def trail_note(self) -> str:
        fields = {"name": self.name, "department": self.department, "state": self.state}
        changed = [f"{name}={value}" for name, value in fields.items() if value is not None]
        changed += ["password"] if self.secret is not None else []
        changed += ["second factor"] if self.totp is not None else []
        return " ".join([self.address, *changed])

    def write(self, context: WriteContext) -> None:
        if self.name is not None:
            check_person_name(self.name)
        row = context.db.one(_AGENT, address=self.address)
        if row is None:
            raise NotFound(f"There is no support agent {self.address}.")
        context.db.one(
            _UPDATE,
            id=row[0],
            name=self.name,
            secret=self.secret,
            totp=self.totp,
            state=None if self.state is None else self.state.value,
            moved=int(self.department is not None),
            department=_department_id(context, self.department or ""),
        )
        for_good = self.secret is not None or self.totp is not None
        if for_good or self.state is AgentState.DISABLED:
            sessions = context.db.all(_END_SESSIONS, agent=row[0], now=context.now)
        else:
            sessions = context.db.all(_SESSIONS, agent=row[0])
        for (session,) in sessions:
            context.hint(Topic.SUPPORT, session)


@dataclass(frozen=True, slots=True)
class TakeCode(StaffMutation[None]):
    """Note that an agent used the code of a time step: it works once.

    Raises ``AuthenticationFailed`` when that step, or a later one, was used already. # rfc6238#5.2
    """

    audited: ClassVar[bool] = False

    agent_id: int
    step: int

    def write(self, context: WriteContext) -> None:
        if context.db.one(_TAKE, id=self.agent_id, step=self.step) is None:
            raise AuthenticationFailed
