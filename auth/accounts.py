"""What administrators do with domains and accounts: for the command line, files and tests.

Names are taken as people write them and normalised here. All methods return Deferreds that fail
with storage errors, and with ``PasswordRefused`` where a password is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from twisted.internet.defer import Deferred

from folkmoot.auth import app_passwords
from folkmoot.auth.passwords import PasswordHasher, PasswordPolicy
from folkmoot.auth.scram import DEFAULT_ITERATIONS, ScramRecord
from folkmoot.storage.addresses import normalize_address, normalize_domain
from folkmoot.storage.mutations.accounts import (
    AccountMutation,
    AddAddress,
    CreateAccount,
    DeleteAccount,
    RemoveAddress,
    SetAccountState,
    UpdateAccount,
)
from folkmoot.storage.mutations.credentials import (
    AddAppPassword,
    RevokeAppPassword,
    SetPassword,
)
from folkmoot.storage.mutations.domains import CreateDomain, DeleteDomain, SetCatchall
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Account, AccountState, Actor, AppPassword, Limit, Tool
from folkmoot.storage.types_accounts import (
    AccountDetails,
    AccountUpdate,
    Domain,
    NewAccount,
    Terms,
)
from folkmoot.storage.upkeep import sweep_bodies
from folkmoot.storage.views.accounts import FindAccount, ListAccounts, ListDomains, ShowAccount

T = TypeVar("T")


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
    """Domains and accounts of a store; ``reason`` stands in the audit trail."""

    def __init__(
        self,
        store: Store,
        hasher: PasswordHasher,
        *,
        policy: PasswordPolicy | None = None,
        light_hasher: PasswordHasher | None = None,
        scram_iterations: int = DEFAULT_ITERATIONS,
        reason: str = "administration",
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._policy = policy or PasswordPolicy()
        self._light_hasher = light_hasher or app_passwords.light_hasher()
        self._scram_iterations = scram_iterations
        self._actor = Actor.system(reason)

    # --- domains ------------------------------------------------------------------------------

    def create_domain(self, name: str) -> Deferred[None]:
        """Serve a domain. Raises ``AlreadyExists``, ``InvalidName``."""
        return Deferred.fromCoroutine(self._create_domain(name))

    async def _create_domain(self, name: str) -> None:
        domain = normalize_domain(name)
        await self._store.run(
            self._actor, f"create domain {domain}", lambda txn: txn.apply(CreateDomain(domain))
        )

    def delete_domain(self, name: str) -> Deferred[None]:
        """Serve a domain no longer. Raises ``Conflict`` while it is in use, ``NotFound``."""
        return Deferred.fromCoroutine(self._delete_domain(name))

    async def _delete_domain(self, name: str) -> None:
        domain = normalize_domain(name)
        await self._store.run(
            self._actor, f"delete domain {domain}", lambda txn: txn.apply(DeleteDomain(domain))
        )

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

    # --- accounts -----------------------------------------------------------------------------

    def create(self, wanted: AccountWanted) -> Deferred[Account]:
        """Make an account. Raises ``AlreadyExists``, ``NotFound`` (domain), ``InvalidName``."""
        return Deferred.fromCoroutine(self._create(wanted))

    async def _create(self, wanted: AccountWanted) -> Account:
        address = normalize_address(wanted.address)
        secret, scram = wanted.password_hash or "", None
        if wanted.password is not None:
            self._policy.check(wanted.password, address=address, name=wanted.name)
            secret, scram = await self._hash(wanted.password)
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
        self._policy.check(password, address=account.address, name=account.name)
        secret, scram = await self._hash(password)
        await self._change(address, "password of", lambda id_: SetPassword(id_, secret, scram))

    def set_state(self, address: str, state: AccountState) -> Deferred[None]:
        """Disable an account, which ends its sessions, or enable it."""
        return Deferred.fromCoroutine(
            self._change(address, f"{state.value}:", lambda id_: SetAccountState(id_, state))
        )

    def update(self, address: str, update: AccountUpdate) -> Deferred[None]:
        """Change name, plan, role, limits or hidden capabilities. Groups follow the limits."""
        return Deferred.fromCoroutine(
            self._change(address, "update", lambda id_: UpdateAccount(id_, update))
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
        shown = app_passwords.generate()
        bare = app_passwords.canonical(shown)
        assert bare is not None
        secret = await self._store.compute(lambda: self._light_hasher.hash(bare))
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

    async def _change(
        self, address: str, label: str, make: Callable[[int], AccountMutation[T]]
    ) -> T:
        """Apply to the account with this address what ``make`` makes of its id."""
        primary = normalize_address(address)

        def work(txn: Txn) -> T:
            return txn.apply(make(txn.view(FindAccount(primary)).id))

        return await self._store.run(self._actor, f"{label} {primary}", work)

    async def _hash(self, password: str) -> tuple[str, str]:
        """The hash and the SCRAM record of a password, made in a thread."""
        return await self._store.compute(
            lambda: (
                self._hasher.hash(password),
                str(ScramRecord.from_password(password, self._scram_iterations)),
            )
        )
