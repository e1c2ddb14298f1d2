"""What people do with their own account: the password, those of devices, a look at it all."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from folkmoot.auth import app_passwords
from folkmoot.auth.accounts import Accounts
from folkmoot.auth.authenticate import Authenticator
from folkmoot.storage.errors import AuthenticationFailed
from folkmoot.storage.mutations.credentials import (
    AddOwnAppPassword,
    ChangeOwnPassword,
    NewAppPassword,
    RevokeOwnAppPassword,
)
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor
from folkmoot.storage.types_accounts import AccountDetails
from folkmoot.storage.views.accounts import ShowOwnAccount

PROTOCOL = "account"  # what an old password is asked for, in the log


class OwnAccount:
    """The account of somebody who signed in.

    All methods return Deferreds that fail with storage errors; ``PermissionDenied`` says that the
    actor signed in with the password of a device, which opens no more than what it is for.
    """

    def __init__(
        self, store: Store, accounts: Accounts, authenticator: Authenticator, actor: Actor
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._authenticator = authenticator
        self._actor = actor

    def show(self) -> Deferred[AccountDetails]:
        """The account with its aliases, devices, usage and limits."""
        view = ShowOwnAccount(self._actor.space_id)
        return self._store.read(self._actor, "own account", lambda txn: txn.view(view))

    def change_password(self, old: str, new: str, peer: str) -> Deferred[None]:
        """Choose another main password. All sessions end, the actor's too: sign in again.

        ``peer`` is the client's address as text: the old password is looked at, and throttled,
        like one at a login. Raises ``AuthenticationFailed``, ``Throttled``, ``PasswordRefused``.
        """

        async def change() -> None:
            name = self._actor.name
            known = await self._authenticator.authenticate(name, old, PROTOCOL, peer)
            if known.credential_id or known.account_id != self._actor.account_id:
                raise AuthenticationFailed
            shown = (await self.show()).account.name
            secret, scram = await self._accounts.hashed(new, name, shown)
            mutation = ChangeOwnPassword(self._actor.space_id, secret, scram)
            await self._store.run(self._actor, "own password", lambda txn: txn.apply(mutation))

        return Deferred.fromCoroutine(change())

    def add_app_password(self, name: str, protocols: tuple[str, ...] = ()) -> Deferred[str]:
        """Make an app password; its text, which is shown this once.

        ``protocols`` are "imap", "submission" …; empty for all. Raises ``AlreadyExists``,
        ``InvalidName``, ``LimitReached``, ``NotInPlan``.
        """

        async def add() -> str:
            shown, secret = await self._accounts.new_code()
            new = NewAppPassword(name, secret, protocols, app_passwords.MAX_APP_PASSWORDS)
            mutation = AddOwnAppPassword(self._actor.space_id, new)
            await self._store.run(self._actor, "app password", lambda txn: txn.apply(mutation))
            return shown

        return Deferred.fromCoroutine(add())

    def revoke_app_password(self, name: str) -> Deferred[None]:
        """Take an app password away. All sessions end, the actor's too. Raises ``NotFound``."""
        mutation = RevokeOwnAppPassword(self._actor.space_id, name)
        return self._store.run(self._actor, "app password", lambda txn: txn.apply(mutation))
