"""The directory that the authenticator asks: accounts in the store."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from folkmoot.auth.recent import RecentRecords
from folkmoot.storage.mutations.credentials import EnsureSecret, RecordLogin, RenewSecret
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor, LoginRecord
from folkmoot.storage.views.accounts import CanonicalName, ReadLoginRecord

_LOGIN = Actor.system("login")


class StoreDirectory:
    """Implements ``authenticate.Directory``. All Deferreds may fail with storage errors."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent = RecentRecords(store.bus)

    def canonical_name(self, name: str) -> Deferred[str]:
        """The full address for a bare local part, if exactly one domain exists."""
        return self._store.read(_LOGIN, "login", lambda txn: txn.view(CanonicalName(name)))

    def login_record(self, name: str) -> Deferred[LoginRecord | None]:
        """The account with this primary address, or None."""
        mark = self._store.bus.mark()

        def remembered(record: LoginRecord | None) -> LoginRecord | None:
            if record is not None:
                self._recent.put(name, record, mark)
            return record

        read = self._store.read(_LOGIN, "login", lambda txn: txn.view(ReadLoginRecord(name)))
        return read.addCallback(remembered)

    def recent_record(self, name: str) -> LoginRecord | None:
        """What ``login_record`` gave a moment ago, if the account has not changed since."""
        return self._recent.get(name)

    def record_login(
        self, account_id: int, app_password_id: int, protocol: str, peer: str
    ) -> Deferred[None]:
        """Note the time of the login; where it came from is for the log."""
        record = RecordLogin(account_id, app_password_id)
        return self._store.run(_LOGIN, f"login {protocol}", lambda txn: txn.apply(record))

    def renew_secret(
        self, account_id: int, old_secret: str, secret: str, scram: str
    ) -> Deferred[None]:
        """Replace the hash of an unchanged password."""
        renew = RenewSecret(account_id, old_secret, secret, scram)
        return self._store.run(_LOGIN, "login", lambda txn: txn.apply(renew))

    def secret(self) -> Deferred[bytes]:
        """The ``secret`` of the ``Authenticator``, kept in the store for all its processes."""
        ensure = EnsureSecret("login-secret")
        return self._store.run(_LOGIN, "start", lambda txn: txn.apply(ensure))
