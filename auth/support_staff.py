"""Departments and agents of support: for the command line, files and the portal."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TypeVar

from folkmoot.auth import totp
from folkmoot.auth.login_name import normalize_login_name
from folkmoot.auth.passwords import PasswordHasher, PasswordPolicy
from folkmoot.auth.throttle import Throttle
from folkmoot.storage.addresses import normalize_address
from folkmoot.storage.errors import AuthenticationFailed, InvalidContent, Throttled
from folkmoot.storage.mutations.support_staff import (
    CreateAgent,
    CreateDepartment,
    StaffMutation,
    TakeCode,
    UpdateAgent,
)
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor
from folkmoot.storage.types_support import Agent, AgentSecrets, AgentState, Department
from folkmoot.storage.views.support import FindAgent, ListAgents, ListDepartments

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentWanted:
    """An agent as somebody asks for it; ``password_hash`` (argon2id) instead of ``password``.

    ``totp`` is the secret of the second factor in base 32, "" for none.
    """

    address: str
    name: str = ""
    password: str | None = None
    password_hash: str | None = None
    totp: str = ""
    department: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An agent who has signed in. ``mark`` changes with password and second factor."""

    id: int
    address: str
    mark: str


class SupportStaff:
    """Who works for support. Addresses are taken as people write them. All methods are coroutines
    that raise storage errors, and ``PasswordRefused`` where a password is given."""

    def __init__(
        self,
        store: Store,
        hasher: PasswordHasher,
        *,
        policy: PasswordPolicy | None = None,
        throttle: Throttle | None = None,
        reason: str = "administration",
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._policy = policy or PasswordPolicy()
        self._throttle = throttle or Throttle(time.monotonic)
        self._actor = Actor.system(reason)

    async def departments(self) -> list[Department]:
        """All departments by name."""
        return await self._store.read(
            self._actor, "departments", lambda txn: txn.view(ListDepartments())
        )

    async def agents(self) -> list[Agent]:
        """All agents by address."""
        return await self._store.read(self._actor, "agents", lambda txn: txn.view(ListAgents()))

    async def create_department(self, name: str) -> None:
        """Make a department. Raises ``AlreadyExists``, ``InvalidName``."""
        await self._apply("department", CreateDepartment(name.strip()))

    async def create_agent(self, wanted: AgentWanted) -> None:
        """Make an agent. Raises ``AlreadyExists``, ``NotFound`` (department), ``InvalidName``."""
        address = normalize_address(wanted.address)
        _check_totp(wanted.totp)
        secret = wanted.password_hash or ""
        if wanted.password is not None:
            secret = await self._hash(wanted.password, address, wanted.name)
        new = CreateAgent(address, wanted.name, secret, wanted.totp, wanted.department)
        await self._apply("agent", new)

    async def update_agent(
        self,
        address: str,
        *,
        name: str | None = None,
        password: str | None = None,
        second_factor: str | None = None,
        department: str | None = None,
        state: AgentState | None = None,
    ) -> None:
        """Change an agent; "" takes second factor or department away. Raises ``NotFound``."""
        normal = normalize_address(address)
        _check_totp(second_factor or "")
        secret = None
        if password is not None:
            secret = await self._hash(password, normal, name or "")
        update = UpdateAgent(normal, name, secret, second_factor, department, state)
        await self._apply("agent", update)

    async def sign_in(self, address: str, password: str, code: str, peer: str) -> SignedIn:
        """Find out that somebody is an agent, by password and second factor.

        Raises ``AuthenticationFailed``, always the same, and ``Throttled``.
        """
        login = normalize_login_name(address)
        self.check_throttle(login, peer)
        agent = await self._find(login)
        fits = await self._store.compute(
            lambda: self._hasher.verify(password, agent.secret if agent is not None else None)
        )
        step = None
        if agent is not None and agent.totp:
            step = totp.matching_step(agent.totp, code, time.time())
        wrong = agent is None or not fits or agent.state is not AgentState.ACTIVE
        if agent is None or wrong or (agent.totp and step is None):
            self._throttle.failed(_who(login), peer, f"{password}\0{code}")
            raise AuthenticationFailed
        if step is not None:
            await self._apply("agent", TakeCode(agent.id, step))
        return _signed_in(agent)

    async def is_still(self, known: SignedIn) -> bool:
        """Whether somebody who signed in before is an agent now, with the same secrets."""
        found = await self._find(known.address)
        active = found is not None and found.state is AgentState.ACTIVE
        return found is not None and active and _signed_in(found) == known

    def count_refused(self, address: str, peer: str, account: str) -> None:
        """Count an account that did not let an agent in, like a wrong password: nobody shall try
        one after the other."""
        self._throttle.failed(_who(address), peer, f"account {account}")

    def check_throttle(self, login: str, peer: str) -> None:
        """Raise ``Throttled`` where there was too much guessing."""
        if self._throttle.blocked(_who(login), peer) is not None:
            raise Throttled

    async def needs_code(self, address: str) -> bool:
        """Whether an agent is to be asked for a code; it is asked for nobody, too."""
        agent = await self._find(normalize_login_name(address))
        return agent is None or bool(agent.totp)

    async def _find(self, login: str) -> AgentSecrets | None:
        return await self._store.read(
            self._actor, "agent login", lambda txn: txn.view(FindAgent(login))
        )

    async def _hash(self, password: str, address: str, name: str) -> str:
        self._policy.check(password, address=address, name=name)
        return await self._store.compute(lambda: self._hasher.hash(password))

    async def _apply(self, label: str, mutation: StaffMutation[R]) -> R:
        return await self._store.run(self._actor, label, lambda txn: txn.apply(mutation))


def _signed_in(agent: AgentSecrets) -> SignedIn:
    mark = hashlib.sha256(f"{agent.secret}\0{agent.totp}".encode()).hexdigest()[:32]
    return SignedIn(agent.id, agent.address, mark)


def _who(login: str) -> str:
    """What the throttle knows an agent as: not as the account of that name."""
    return f"agent {login}"


def _check_totp(secret: str) -> None:
    if secret and not totp.is_secret(secret):
        raise InvalidContent("The secret of a second factor has at least 16 letters of base 32.")
