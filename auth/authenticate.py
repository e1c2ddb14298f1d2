"""The one way in: every login of every protocol ends here, and gives an ``Actor`` or an error."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Hashable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from folkmoot.auth import app_passwords
from folkmoot.auth.cache import VerifiedCache
from folkmoot.auth.login_name import normalize_login_name
from folkmoot.auth.passwords import PasswordHasher
from folkmoot.auth.sasl.registry import create, offered
from folkmoot.auth.scram import DEFAULT_ITERATIONS, ScramRecord, fake_record
from folkmoot.auth.session import SaslSession, ScramAttempt
from folkmoot.auth.shared_work import RunInThread, SharedWork
from folkmoot.auth.support_door import PROTOCOLS as SUPPORT_PROTOCOLS
from folkmoot.auth.support_names import split_name
from folkmoot.auth.throttle import Scope, Throttle
from folkmoot.auth.verify import Verifier, main_credential, usable
from folkmoot.storage.errors import (
    AuthenticationFailed,
    Expired,
    NotInPlan,
    StorageError,
    Throttled,
    Unavailable,
)
from folkmoot.storage.types import (
    Actor,
    ActorKind,
    Credential,
    Feature,
    LoginRecord,
)

log = logging.getLogger(__name__)

T = TypeVar("T")

_NOTE_AFTER = timedelta(days=1)

#: What opens each protocol: any one of these. Protocols that are not here are open to every plan.
FEATURES: Final = {
    "imap": frozenset({Feature.IMAP}),
    "submission": frozenset({Feature.SUBMISSION}),
    "dav": frozenset({Feature.CALDAV, Feature.CARDDAV, Feature.DRIVE}),
}


class Directory(Protocol):
    """Where accounts are found. Names are normalised (``normalize_login_name``)."""

    def canonical_name(self, name: str) -> Deferred[str]:
        """The full address for a bare local part, if exactly one domain exists; else ``name``."""
        ...

    def login_record(self, name: str) -> Deferred[LoginRecord | None]:
        """The account with this address; None when there is none."""
        ...

    def recent_record(self, name: str) -> LoginRecord | None:
        """What ``login_record`` gave a moment ago, if that is remembered and may be used still."""
        ...

    def record_login(
        self, account_id: int, app_password_id: int, protocol: str, peer: str
    ) -> Deferred[None]:
        """Note the last use of the account and of the app password (0: none)."""
        ...

    def renew_secret(
        self, account_id: int, old_secret: str, secret: str, scram: str
    ) -> Deferred[None]:
        """Replace the hash of an unchanged password, unless it was changed meanwhile."""
        ...


class Support(Protocol):
    """Where agents of support come in. Names are normalised."""

    async def find(self, account: str, agent: str, key: str) -> Actor | None:
        """The agent in an account, if the key is of a session that is good now."""
        ...

    async def record(self, actor: Actor, protocol: str, peer: str) -> None:
        """Write a login into the trail; without that there is none."""
        ...

    async def refuse(self, actor: Actor, protocol: str, peer: str) -> NoReturn:
        """Write that an agent came by a way that was not granted; raises ``NotInPlan``."""
        ...


class Authenticator:
    """Checks passwords and SASL exchanges. Used on the reactor's thread only.

    ``secret`` belongs to the installation and outlives restarts (made-up SCRAM salts depend on
    it). ``support`` lets agents into the accounts of those who granted it; None: nobody.
    ``max_pending`` bounds the passwords that wait for a thread. All Deferreds fail with
    ``AuthenticationFailed``, ``NotInPlan`` (which is told to those only who know the password),
    ``Throttled`` or ``Unavailable`` and nothing else.
    """

    def __init__(
        self,
        directory: Directory,
        hasher: PasswordHasher,
        throttle: Throttle,
        cache: VerifiedCache,
        run_in_thread: RunInThread,
        *,
        secret: bytes,
        support: Support | None = None,
        light_hasher: PasswordHasher | None = None,
        scram_iterations: int = DEFAULT_ITERATIONS,
        max_pending: int = 200,
    ) -> None:
        self._directory = directory
        self._verifier = Verifier(hasher, light_hasher or app_passwords.light_hasher())
        self._throttle = throttle
        self._cache = cache
        self._run_in_thread = run_in_thread
        self._secret = secret
        self._support = support
        self._scram_iterations = scram_iterations
        self._checks: SharedWork[Credential | None] = SharedWork(run_in_thread, max_pending)

    def authenticate(
        self, name: str, password: str, protocol: str, peer: str, *, authzid: str = ""
    ) -> Deferred[Actor]:
        """Sign in with a name and a password.

        ``protocol`` is "imap", "submission" …, ``peer`` the client's address as text, ``authzid``
        who to act as (SASL), "" for the account itself. An agent of support signs in with the key
        of a session, as ``account*agent`` or with the account as ``authzid``.
        """
        return Deferred.fromCoroutine(
            _closed(self._authenticate(name, password, protocol, peer, authzid))
        )

    def sasl(
        self,
        mechanism: str,
        protocol: str,
        peer: str,
        channel_bindings: Mapping[str, bytes],
        tls: bool,
    ) -> SaslSession:
        """Begin a SASL exchange; ``mechanism`` in any case.

        ``channel_bindings`` come from ``auth.channel_binding`` and are empty without TLS. ``tls``
        is True when the connection is encrypted, or the listener allows passwords without that.
        Raises ``AuthenticationFailed`` for a mechanism that ``mechanisms`` does not list.
        """
        name = mechanism.upper()
        if name not in self.mechanisms(channel_bindings, tls):
            raise AuthenticationFailed("This way to sign in is not offered here.")
        return SaslSession(self, create(name, channel_bindings), protocol, peer)

    def mechanisms(self, channel_bindings: Mapping[str, bytes], tls: bool) -> tuple[str, ...]:
        """Names of the SASL mechanisms to advertise; arguments as for ``sasl``."""
        return offered(tls, channel_bindings)

    def begin_scram(self, name: str, authzid: str, peer: str) -> Deferred[ScramAttempt]:
        """What a proof of ``name`` has to fit; made up for accounts that do not exist."""
        return Deferred.fromCoroutine(_closed(self._begin_scram(name, authzid, peer)))

    def end_scram(
        self, attempt: ScramAttempt, proven: bool, protocol: str, peer: str
    ) -> Deferred[Actor]:
        """Sign in after a proof, or count a wrong one."""
        return Deferred.fromCoroutine(_closed(self._end_scram(attempt, proven, protocol, peer)))

    async def _authenticate(
        self, name: str, password: str, protocol: str, peer: str, authzid: str
    ) -> Actor:
        login = await self._canonical(name)
        named = await self._support_names(name, login, authzid)
        if named is not None:
            return await self._support_login(*named, password, protocol, peer)
        app_only = self._check_throttle(login, peer, password)
        record = self._directory.recent_record(login)
        credential = self._cached(record, password)
        if record is None or credential is None or _long_unused(record):
            record = await self._directory.login_record(login) if login else None
            credential = self._cached(record, password)
        cached = credential is not None
        if credential is None:
            credential = await self._find(login, record, password, app_only)
        # A block that began while this password was hashed holds for it as well: parallel guesses
        # gain nothing.
        app_only = self._check_throttle(login, peer, password) or app_only
        if app_only and (credential is None or not credential.app_password_id):
            raise Throttled
        if record is None or credential is None or not usable(record, credential, protocol):
            self._failed(login, record, protocol, peer, password)
            raise AuthenticationFailed
        self._throttle.succeeded(login, peer)
        _check_plan(record, credential, protocol)
        if not cached:
            self._cache.remember(record.account.id, record.epoch, credential, password)
            await self._renew(record, credential, password)
        if not cached or _long_unused(record):
            await self._record(record, credential, protocol, peer)
        return _actor(record, credential)

    async def _begin_scram(self, name: str, authzid: str, peer: str) -> ScramAttempt:
        login = await self._canonical(name)
        await self._check_authzid(login, authzid)
        if self._throttle.blocked(login, peer) is not None:
            raise Throttled
        record = await self._directory.login_record(login) if login else None
        scram = fake_record(self._secret, login, self._scram_iterations)
        if record is not None and record.scram is not None:
            scram = ScramRecord.parse(record.scram)
        return ScramAttempt(login, record, scram)

    async def _end_scram(
        self, attempt: ScramAttempt, proven: bool, protocol: str, peer: str
    ) -> Actor:
        if self._throttle.blocked(attempt.login, peer) is not None:
            raise Throttled
        record = attempt.account
        main = main_credential(record)
        if not proven or record is None or main is None or not usable(record, main, protocol):
            self._failed(attempt.login, record, protocol, peer, None)
            raise AuthenticationFailed
        self._throttle.succeeded(attempt.login, peer)
        _check_plan(record, main, protocol)
        await self._record(record, main, protocol, peer)
        return _actor(record, main)

    def _failed(
        self, login: str, record: LoginRecord | None, protocol: str, peer: str, password: str | None
    ) -> None:
        """Count a failure. A name without an account may be a mistyped password: never logged."""
        self._throttle.failed(login, peer, password)
        who = record.account.address if record else "an unknown account"
        log.info("%s login of %s from %s failed", protocol, who, peer)

    def _check_throttle(self, login: str, peer: str, password: str) -> bool:
        """Raise ``Throttled``, or tell whether only app passwords may be tried.

        Nobody guesses an app password, so guesses at the main one do not lock its devices out.
        """
        block = self._throttle.blocked(login, peer)
        if block is None:
            return False
        if block[0] is Scope.ADDRESS or app_passwords.canonical(password) is None:
            raise Throttled
        return True

    def _cached(self, record: LoginRecord | None, password: str) -> Credential | None:
        if record is None:
            return None
        account, epoch = record.account.id, record.epoch
        for credential in record.credentials:
            if self._cache.knows(account, epoch, credential, password):
                return credential
        return None

    async def _find(
        self, login: str, record: LoginRecord | None, password: str, app_only: bool
    ) -> Credential | None:
        # The name is in the key also where there is no such account: both take as long.
        who: Hashable = None
        if record is not None:
            who = (record.account.id, record.epoch, tuple(record.credentials))
        return await self._checks.run(
            (login, who, password, app_only),
            lambda: self._verifier.find(record, password, app_only=app_only),
        )

    async def _canonical(self, name: str) -> str:
        login = normalize_login_name(name)
        if login and "@" not in login:
            return await self._directory.canonical_name(login)
        return login

    async def _check_authzid(self, login: str, authzid: str) -> None:
        """Whoever proves a password without sending it acts as themselves."""
        if authzid and await self._canonical(authzid) != login:
            raise AuthenticationFailed("Nobody else's account can be used with this login.")

    async def _support_names(self, name: str, login: str, authzid: str) -> tuple[str, str] | None:
        """The account and the agent of support that wants to be in it; None for people."""
        if authzid and (account := await self._canonical(authzid)) != login:
            return account, login
        named = split_name(name)
        if named is None or (login and await self._directory.login_record(login) is not None):
            return None  # an address may have an asterisk in it
        return named

    async def _support_login(
        self, account: str, agent: str, key: str, protocol: str, peer: str
    ) -> Actor:
        """Let an agent in. An account that is not there and one without a grant look the same."""
        login = f"{account}*{agent}"
        if self._throttle.blocked(login, peer) is not None:
            raise Throttled
        actor = None
        if self._support is not None and protocol in SUPPORT_PROTOCOLS:
            actor = await self._support.find(account, agent, key)
        if actor is None or self._support is None:
            self._failed(login, None, protocol, peer, key)
            raise AuthenticationFailed
        opens = FEATURES.get(protocol)
        try:
            if opens is not None and opens <= actor.withheld:
                await self._support.refuse(actor, protocol, peer)
            await self._support.record(actor, protocol, peer)
        except Expired:
            raise AuthenticationFailed from None
        log.info("%s login of support agent %s into %s from %s", protocol, agent, account, peer)
        return actor

    async def _renew(self, record: LoginRecord, credential: Credential, password: str) -> None:
        """Bring a stored main password up to the present costs; it is only known at a login."""
        if credential.app_password_id:
            return
        if record.scram is not None and not self._verifier.main.needs_update(credential.secret):
            return
        iterations, hasher = self._scram_iterations, self._verifier.main
        try:
            secret, scram = await self._run_in_thread(
                lambda: (
                    hasher.hash(password),
                    str(ScramRecord.from_password(password, iterations)),
                )
            )
            await self._directory.renew_secret(record.account.id, credential.secret, secret, scram)
        except StorageError as error:
            log.warning("could not renew the password hash of %d: %s", record.account.id, error)

    async def _record(
        self, record: LoginRecord, credential: Credential, protocol: str, peer: str
    ) -> None:
        """Note the use. A full disk must not keep people from reading their mail."""
        log.info("%s login of %s from %s", protocol, record.account.address, peer)
        try:
            await self._directory.record_login(
                record.account.id, credential.app_password_id, protocol, peer
            )
        except StorageError as error:
            log.warning("could not record a login of account %d: %s", record.account.id, error)


def _long_unused(record: LoginRecord) -> bool:
    """Whether a use is to be noted though the password is remembered, which may be for days."""
    used = record.account.last_used
    return used is None or datetime.now(UTC) - used > _NOTE_AFTER


def _check_plan(record: LoginRecord, credential: Credential, protocol: str) -> None:
    """Whether the account's plan has this protocol, and this kind of password."""
    opens = FEATURES.get(protocol)
    if opens is not None and opens <= record.withheld:
        raise NotInPlan("The plan of this account does not include this way to use it.")
    if credential.app_password_id and Feature.APP_PASSWORDS in record.withheld:
        raise NotInPlan("The plan of this account has no passwords for single devices.")


def _actor(record: LoginRecord, credential: Credential) -> Actor:
    account = record.account
    return Actor(
        ActorKind.ACCOUNT,
        account.id,
        account.space_id,
        account.address,
        credential_id=credential.app_password_id,
        epoch=record.epoch,
        hidden_capabilities=frozenset(account.hidden_capabilities),
        withheld=record.withheld,
    )


async def _closed(work: Coroutine[Deferred[Any], Any, T]) -> T:
    """Let only the errors of a login out; what else went wrong is for the log."""
    try:
        return await work
    except (AuthenticationFailed, NotInPlan, Throttled, Unavailable):
        raise
    except CancelledError:  # whoever wanted it is gone
        raise Unavailable from None
    except Exception:
        log.exception("a login could not be decided")
        raise Unavailable from None
