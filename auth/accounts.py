"""What administrators do with domains and accounts: for the command line, files and tests.

Names are taken as people write them and normalised here. All methods return Deferreds that fail
with storage errors, and with ``PasswordRefused`` where a password is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from twisted.internet.defer import Deferred

from folkmoot.auth import app_passwords
from folkmoot.auth.passwords import PasswordHasher, PasswordPolicy
from folkmoot.auth.scram import DEFAULT_ITERATIONS, ScramRecord
from folkmoot.storage.addresses import normalize_address, normalize_domain
from folkmoot.storage.errors import AuthenticationFailed
from folkmoot.storage.mutations.accounts import (
    AddAddress,
    AssignPlan,
    CreateAccount,
    DeleteAccount,
    RemoveAddress,
    SetAccountState,
    UpdateAccount,
)
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.credentials import (
    AddAppPassword,
    RedeemReset,
    ResetPassword,
    RevokeAppPassword,
    SetPassword,
)
from folkmoot.storage.mutations.domains import (
    CreateDomain,
    DeleteDomain,
    SetCatchall,
    SetDomainPlans,
)
from folkmoot.storage.mutations.own_limits import LimitAccount
from folkmoot.storage.notices import excess_notice
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Account, AccountState, Actor, AppPassword, Limit, OwnLimit, Tool
from folkmoot.storage.types_accounts import (
    AccountDetails,
    AccountUpdate,
    Domain,
    Excess,
    NewAccount,
    Plan,
    Terms,
)
from folkmoot.storage.upkeep import sweep_bodies
from folkmoot.storage.views.accounts import (
    FindAccount,
    ListAccounts,
    ListDomains,
    ReadReset,
    ShowAccount,
    ShowDomain,
)

T = TypeVar("T")

RESET_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWanted:
    """An account as somebody asks for it.

    ``password`` or ``password_hash`` (argon2id) or neither: then only app passwords open it.
    A tool that is not in ``limits`` is unlimited.
    """

    address: str
    password: str | None = None
    password_hash: str | None = None
    name: str = ""
    plan: str = "default"
    limits: Mapping[Tool, Limit] = field(default_factory=dict)
    domain_admin: bool = False
    disabled: bool = False
    terms: Terms = field(default_factory=Terms)


class Accounts:
    """Domains and accounts of a store, for the operator or (``actor``) one domain's administrator.

    ``reason`` stands in the audit trail of what the operator does.
    """

    def __init__(
        self,
        store: Store,
        hasher: PasswordHasher,
        *,
        policy: PasswordPolicy | None = None,
        light_hasher: PasswordHasher | None = None,
        scram_iterations: int = DEFAULT_ITERATIONS,
        reason: str = "administration",
        actor: Actor | None = None,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._policy = policy or PasswordPolicy()
        self._light_hasher = light_hasher or app_passwords.light_hasher()
        self._scram_iterations = scram_iterations
        self._actor = actor or Actor.system(reason)

    def acting_as(self, actor: Actor) -> Accounts:
        """The same for somebody who administers a domain, who may do there what the gate lets."""
        return Accounts(
            self._store,
            self._hasher,
            policy=self._policy,
            light_hasher=self._light_hasher,
            scram_iterations=self._scram_iterations,
            actor=actor,
        )

    # --- domains ------------------------------------------------------------------------------

    def create_domain(self, name: str) -> Deferred[None]:
        """Serve a domain. Raises ``AlreadyExists``, ``InvalidName``."""
        return self._change_domain("create domain", name, CreateDomain)

    def delete_domain(self, name: str) -> Deferred[None]:
        """Serve a domain no longer. Raises ``Conflict`` while it is in use, ``NotFound``."""
        return self._change_domain("delete domain", name, DeleteDomain)

    def set_catchall(self, name: str, address: str | None) -> Deferred[None]:
        """Give an account the mail for unknown addresses of a domain; None for nobody."""
        return Deferred.fromCoroutine(self._set_catchall(name, address))

    async def _set_catchall(self, name: str, address: str | None) -> None:
        domain = normalize_domain(name)
        target = None if address is None else normalize_address(address)

        def work(txn: Txn) -> None:
            account = None if target is None else txn.view(FindAccount(target)).id
            txn.apply(SetCatchall(domain, account))

        await self._store.run(self._actor, f"catch-all of {domain}", work)

    def domains(self) -> Deferred[list[Domain]]:
        """All domains by name."""
        return self._store.read(self._actor, "domains", lambda txn: txn.view(ListDomains()))

    def domain(self, name: str) -> Deferred[Domain]:
        """One domain. Raises ``NotFound``."""

        async def show() -> Domain:
            view = ShowDomain(normalize_domain(name))
            return await self._store.read(self._actor, "domain", lambda txn: txn.view(view))

        return Deferred.fromCoroutine(show())

    def set_domain_plans(self, name: str, plans: Sequence[str]) -> Deferred[None]:
        """Say which plans administrators of a domain may give to its accounts."""
        return self._change_domain(
            "plans of", name, lambda domain: SetDomainPlans(domain, tuple(plans))
        )

    def _change_domain(
        self, label: str, name: str, make: Callable[[str], Mutation[None]]
    ) -> Deferred[None]:
        async def change() -> None:
            domain = normalize_domain(name)
            work = make(domain)
            await self._store.run(self._actor, f"{label} {domain}", lambda txn: txn.apply(work))

        return Deferred.fromCoroutine(change())

    # --- accounts -----------------------------------------------------------------------------

    def create(self, wanted: AccountWanted) -> Deferred[Account]:
        """Make an account. Raises ``AlreadyExists``, ``NotFound`` (domain), ``InvalidName``."""
        return Deferred.fromCoroutine(self._create(wanted))

    async def _create(self, wanted: AccountWanted) -> Account:
        address = normalize_address(wanted.address)
        secret, scram = wanted.password_hash or "", None
        if wanted.password is not None:
            secret, scram = await self.hashed(wanted.password, address, wanted.name)
        new = NewAccount(
            address=address,
            name=wanted.name,
            secret=secret,
            scram=scram,
            plan=wanted.plan,
            limits=wanted.limits,
            domain_admin=wanted.domain_admin,
            disabled=wanted.disabled,
            terms=wanted.terms,
        )

        def work(txn: Txn) -> Account:
            txn.apply(CreateAccount(new))
            return txn.view(FindAccount(address))

        return await self._store.run(self._actor, f"create {address}", work)

    def accounts(self, domain: str | None = None) -> Deferred[list[Account]]:
        """All accounts by address, or those of one domain."""
        return Deferred.fromCoroutine(self._accounts(domain))

    async def _accounts(self, domain: str | None) -> list[Account]:
        view = ListAccounts(normalize_domain(domain) if domain is not None else "")
        return await self._store.read(self._actor, "accounts", lambda txn: txn.view(view))

    def show(self, address: str) -> Deferred[AccountDetails]:
        """An account with all that belongs to it. Raises ``NotFound``."""
        return Deferred.fromCoroutine(self._show(address))

    async def _show(self, address: str) -> AccountDetails:
        view = ShowAccount(normalize_address(address))
        return await self._store.read(self._actor, "account", lambda txn: txn.view(view))

    def set_password(self, address: str, password: str) -> Deferred[None]:
        """Change the main password; all sessions of the account end."""
        return Deferred.fromCoroutine(self._set_password(address, password))

    async def _set_password(self, address: str, password: str) -> None:
        found = await self._show(address)
        account = found.account
        secret, scram = await self.hashed(password, account.address, account.name)
        await self._change(address, "password of", lambda id_: SetPassword(id_, secret, scram))

    def reset_password(self, address: str) -> Deferred[str]:
        """Take the main password away, which ends all sessions; a code to choose a new one with.

        The code is shown this once, works once, and for a week (``redeem_reset``).
        """

        async def reset() -> str:
            shown, secret = await self.new_code()
            until = int(time.time()) + RESET_SECONDS
            await self._change(address, "reset", lambda id_: ResetPassword(id_, secret, until))
            return shown

        return Deferred.fromCoroutine(reset())

    def redeem_reset(self, address: str, code: str, password: str) -> Deferred[None]:
        """Choose a password with a code of ``reset_password``.

        Raises ``AuthenticationFailed`` when the code is wrong, used, withdrawn or too old.
        """

        async def redeem() -> None:
            primary = normalize_address(address)
            account_id, kept = await self._store.read(
                self._actor, "reset", lambda txn: txn.view(ReadReset(primary))
            )
            bare = app_passwords.canonical(code)
            hasher = self._light_hasher
            if bare is None or not await self._store.compute(lambda: hasher.verify(bare, kept)):
                raise AuthenticationFailed("This code is not good any more.")
            name = (await self._show(primary)).account.name
            secret, scram = await self.hashed(password, primary, name)
            mutation = RedeemReset(account_id, kept, secret, scram)
            await self._store.run(
                self._actor, f"reset of {primary}", lambda txn: txn.apply(mutation)
            )

        return Deferred.fromCoroutine(redeem())

    def set_state(self, address: str, state: AccountState) -> Deferred[None]:
        """Disable an account, which ends its sessions, or enable it."""
        return Deferred.fromCoroutine(
            self._change(address, f"{state.value}:", lambda id_: SetAccountState(id_, state))
        )

    def update(self, address: str, update: AccountUpdate) -> Deferred[tuple[Excess, ...]]:
        """Change name, plan, role, limits or hidden capabilities. Groups follow the limits.

        Gives what is above a limit from now on, which is told to the person too.
        """
        return self._change_room(address, "update", lambda id_: UpdateAccount(id_, update))

    def assign_plan(self, address: str, plan: Plan) -> Deferred[tuple[Excess, ...]]:
        """Give an account another plan, at once; as ``update``. Raises ``PermissionDenied``."""
        return self._change_room(
            address, f"plan {plan.name} for", lambda id_: AssignPlan(id_, plan)
        )

    def _change_room(
        self, address: str, label: str, make: Callable[[int], Mutation[tuple[Excess, ...]]]
    ) -> Deferred[tuple[Excess, ...]]:
        async def change() -> tuple[Excess, ...]:
            primary = normalize_address(address)

            def work(txn: Txn) -> tuple[Excess, ...]:
                id_ = txn.view(FindAccount(primary)).id
                excess = txn.apply(make(id_))
                if excess:
                    txn.apply(excess_notice(self._store, id_, primary, excess))
                return excess

            return await self._store.run(self._actor, f"{label} {primary}", work)

        return Deferred.fromCoroutine(change())

    def limit(self, address: str, limits: Mapping[Tool, OwnLimit]) -> Deferred[None]:
        """Let tools hold less than the plan gives; the person may change it. Groups do not follow.

        Tools that are left out stay as they are.
        """
        return Deferred.fromCoroutine(
            self._change(address, "limits of", lambda id_: LimitAccount(id_, limits))
        )

    def delete(self, address: str) -> Deferred[None]:
        """Destroy an account and all its data for good, the octets of its messages as well.

        Raises ``Conflict`` while the account is the administrator of a group.
        """
        return Deferred.fromCoroutine(self._delete(address))

    async def _delete(self, address: str) -> None:
        await self._change(address, "delete", DeleteAccount)
        await self._store.compute(lambda: sweep_bodies(self._store, -1))

    def add_alias(self, address: str, alias: str) -> Deferred[None]:
        """Let another address reach the account. Raises ``AlreadyExists``, ``NotFound``."""
        return Deferred.fromCoroutine(
            self._change(address, "alias of", lambda id_: AddAddress(id_, normalize_address(alias)))
        )

    def remove_alias(self, address: str, alias: str) -> Deferred[None]:
        """Take an alias away. Raises ``NotFound``, ``Unchangeable``."""
        return Deferred.fromCoroutine(
            self._change(
                address, "alias of", lambda id_: RemoveAddress(id_, normalize_address(alias))
            )
        )

    # --- app passwords ------------------------------------------------------------------------

    def add_app_password(
        self, address: str, name: str, protocols: tuple[str, ...] = ()
    ) -> Deferred[tuple[AppPassword, str]]:
        """Make an app password; gives it with its text, which is shown this once.

        ``protocols`` are "imap", "submission" …; empty for all.
        """
        return Deferred.fromCoroutine(self._add_app_password(address, name, protocols))

    async def _add_app_password(
        self, address: str, name: str, protocols: tuple[str, ...]
    ) -> tuple[AppPassword, str]:
        shown, secret = await self.new_code()
        limit = app_passwords.MAX_APP_PASSWORDS
        created = await self._change(
            address,
            "app password of",
            lambda id_: AddAppPassword(id_, name, secret, protocols, limit),
        )
        details = await self._show(address)
        return next(found for found in details.app_passwords if found.id == created), shown

    def revoke_app_password(self, address: str, name: str) -> Deferred[None]:
        """Take an app password away; sessions of the account end. Raises ``NotFound``."""
        return Deferred.fromCoroutine(
            self._change(address, "app password of", lambda id_: RevokeAppPassword(id_, name))
        )

    # --- inside -------------------------------------------------------------------------------

    async def _change(self, address: str, label: str, make: Callable[[int], Mutation[T]]) -> T:
        """Apply to the account with this address what ``make`` makes of its id."""
        primary = normalize_address(address)

        def work(txn: Txn) -> T:
            return txn.apply(make(txn.view(FindAccount(primary)).id))

        return await self._store.run(self._actor, f"{label} {primary}", work)

    async def new_code(self) -> tuple[str, str]:
        """A made-up password as it is shown, and its hash."""
        shown = app_passwords.generate()
        bare = app_passwords.canonical(shown)
        assert bare is not None
        return shown, await self._store.compute(lambda: self._light_hasher.hash(bare))

    async def hashed(self, password: str, address: str, name: str) -> tuple[str, str]:
        """The hash and the SCRAM record of a new password. Raises ``PasswordRefused``."""
        self._policy.check(password, address=address, name=name)
        return await self._store.compute(
            lambda: (
                self._hasher.hash(password),
                str(ScramRecord.from_password(password, self._scram_iterations)),
            )
        )
