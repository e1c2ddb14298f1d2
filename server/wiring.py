"""The composition root: joins storage, sign-in and protocols to a whole server.

``Server`` lives on any asyncio reactor that runs already. What it shares with the command line,
which needs no network, is put together in ``core``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.cache import VerifiedCache
from folkmoot.auth.directory import StoreDirectory
from folkmoot.auth.peer import is_loopback
from folkmoot.auth.support_door import SupportDoor
from folkmoot.auth.throttle import Throttle
from folkmoot.config.directory import Directory, load_directory
from folkmoot.config.load import ConfigError
from folkmoot.config.schema import Config
from folkmoot.protocols.imap.server import ConnectionCounts, ImapFactory
from folkmoot.protocols.smtp.listener import MailFactory
from folkmoot.protocols.smtp.queue_worker import QueueWorker
from folkmoot.protocols.smtp.routing import DnsResolver, MxRecord, Resolver, RoutingError
from folkmoot.protocols.smtp.sender import Routes, Sender, Smarthost
from folkmoot.protocols.smtp.service import Connections, Service
from folkmoot.protocols.smtp.signing import Signer
from folkmoot.quota.offers import Offers
from folkmoot.server import billing, settings
from folkmoot.server.background import Background
from folkmoot.server.core import CannotOpen, Core, Deliver
from folkmoot.server.daily import Daily
from folkmoot.server.directory_apply import apply_directory
from folkmoot.server.directory_support import apply_staff
from folkmoot.server.indexer import Indexer
from folkmoot.server.listeners import Bound, Listeners, bind, bind_all, inherit
from folkmoot.server.metrics import Gauges, metrics_site
from folkmoot.server.place import ALONE, Place
from folkmoot.server.presence import Presence
from folkmoot.server.run import StartFailed
from folkmoot.server.scheduler import Scheduler
from folkmoot.server.support import SupportLetters, SupportWatch, account_page, letters_of
from folkmoot.server.tls import TlsError, TlsStore, channel_bindings
from folkmoot.server.upkeep import UidKeeper, Upkeep
from folkmoot.server.web import Web
from folkmoot.sharing.delivery import Delivery, DeliveryRules
from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.types import Actor
from folkmoot.storage.types_mail import SendState
from folkmoot.storage.views.billing import EndedPlans

log = logging.getLogger("folkmoot.server")
_T = TypeVar("_T")

LOGIN_THREADS = 4  # password hashes at a time
GOODBYE_SECONDS = 3.0  # what connections and the queue have to end in good order


class Server:
    """A whole server. ``start`` and ``stop`` are called on the reactor's asyncio loop.

    Once it is ``running``, ``bound`` lists the listeners with their real ports; ``core``,
    ``delivery`` and ``authenticator`` give direct ways in. ``reopen_logs`` is called first at each
    ``reload``. ``place`` says which one this is of several processes; what is to be done once is
    done by the one that leads.
    """

    def __init__(
        self,
        config: Config,
        reactor: Any,
        *,
        directory: Directory | None = None,
        reopen_logs: Callable[[], None] = lambda: None,
        place: Place = ALONE,
    ) -> None:
        self.config = config
        self._place = place
        self.bound: list[Bound] = []
        self.core: Core
        self.delivery: Delivery
        self.authenticator: Authenticator
        self._reactor = reactor
        self._directory = directory or Directory()
        self._reopen_logs = reopen_logs
        self._listeners = Listeners(reactor)
        self._tls: TlsStore | None = None
        self._login_threads: LoginThreads | None = None
        self._worker: QueueWorker | None = None
        self._background: list[Background] = []
        self._metrics: socket.socket | None = None
        self._imap: list[ImapFactory] = []
        self._smtp: list[MailFactory] = []
        self._web: Web | None = None
        self._reloading = asyncio.Lock()
        self.running = False

    # --- life ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Come up; whatever fails, nothing is left running. Raises ``StartFailed``."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        config = self.config
        self._tls = _tls(config)
        if self._place.sockets:
            self.bound = inherit(config.listener, self._place.sockets)
        else:
            self.bound = bind_all(config.listener)
        if config.metrics.port is not None:
            # Each process has numbers of its own, on ports one after the other.
            self._metrics = bind(config.metrics.address, config.metrics.port + self._place.number)
        loop = asyncio.get_running_loop()

        def deliver(call: Callable[[], None]) -> None:
            # The reactor's own callFromThread makes a timer of each call and waits for that.
            loop.call_soon_threadsafe(call)

        try:
            self.core = await asyncio.to_thread(Core, config, deliver, reason="directory file")
        except CannotOpen as error:
            raise StartFailed(str(error)) from error
        self.running = True
        if self._place.leads:
            await self._apply_directory()
        authenticator = self.authenticator = await self._authenticator()
        self.delivery = self._delivery()
        counts = ConnectionCounts()
        smtp_connections = {
            protocol: Connections(config.limits.connections_per_address)
            for protocol in ("submission", "lmtp")
        }
        payments = billing.payments(
            self.core.store,
            self._offers,
            config,
            adapters=billing.adapters(config),
            reason="payment provider",
        )
        web = Web(
            self._reactor,
            config,
            authenticator,
            self.core.store,
            self.bound,
            payments,
            self.core.support,
            self.core.help,
        )
        self._web = web
        for one in self.bound:
            if one.section.protocol == "imap":
                self._listen_imap(one, authenticator, counts)
            elif one.section.protocol == "http":
                self._listen(one, web.listener(one))
            else:
                connections = smtp_connections[one.section.protocol]
                self._listen_smtp(one, authenticator, connections)
            log.info(
                "listening",
                extra={
                    "protocol": one.section.protocol,
                    "address": one.section.address,
                    "port": one.port,
                    "tls": one.section.tls,
                },
            )
        self._listen_metrics()
        if self._place.leads:
            self._worker = self._queue_worker()
            self._worker.start()
        self._background = self._jobs()
        for job in self._background:
            job.start()
        self._place.tell_ready()

    def _jobs(self) -> list[Background]:
        """What runs beside the protocols: in each process, and in the one that leads."""
        config, store = self.config, self.core.store
        jobs: list[Background] = [SupportWatch(store), Presence(store, self._in_use)]
        if self._place.leads:
            jobs += [
                Upkeep(store),
                UidKeeper(store),
                Daily(store, self._offers, billing.office(config)),
                Indexer(store),
                Scheduler(store),
                SupportLetters(
                    store,
                    letters_of(config, store),
                    zone=config.support.zone,
                    page=account_page(config),
                    keep_audit=config.support.keep_audit,
                ),
            ]
        return jobs

    async def reload(self) -> None:
        """Read log file, certificate and directory file again; what is wrong stays as it was."""
        async with self._reloading:
            self._reopen_logs()
            log.info("reloading")
            if self._tls is not None:
                self._tls.reload()
            if self.config.server.directory is None:
                return
            try:
                self._directory = load_directory(self.config.server.directory)
            except ConfigError as error:
                for problem in error.problems:
                    log.error("directory file not applied", extra={"why": str(problem)})
                return
            if self._place.leads:
                await self._apply_directory()

    async def _apply_directory(self) -> None:
        core, system = self.core, Actor.system("directory file")
        ended = await _result(core.store.read(system, "plans", lambda txn: txn.view(EndedPlans())))
        await _result(
            apply_directory(core.accounts, core.groups, core.sharing, self._directory, ended)
        )
        await _result(apply_staff(core.staff, self._directory))

    async def stop(self) -> None:
        """Stop listening, say goodbye, finish what is being stored. Idempotent."""
        await self._listeners.close()
        for one in self.bound:
            one.socket.close()
        if self._metrics is not None:
            self._metrics.close()
        while self._background:
            await self._background.pop().stop()
        endings = [factory.close(GOODBYE_SECONDS) for factory in self._smtp]
        if self._web is not None:
            endings.append(self._web.close(GOODBYE_SECONDS))
        if self._worker is not None:
            endings.append(self._worker.stop(GOODBYE_SECONDS))
            self._worker = None
        await asyncio.gather(self._end_imap(), *endings)
        if self._login_threads is not None:
            await asyncio.to_thread(self._login_threads.close)
            self._login_threads = None
        if self.running:
            self.running = False
            await asyncio.to_thread(self.core.close)

    async def _end_imap(self) -> None:
        """Say BYE, let connections end by themselves for a while, then cut them off."""
        connections = [one for factory in self._imap for one in factory.connections]
        for connection in connections:
            connection.close("Server shutting down")
        end = time.monotonic() + GOODBYE_SECONDS
        while any(factory.connections for factory in self._imap) and time.monotonic() < end:
            await asyncio.sleep(0.02)
        for factory in self._imap:
            for connection in [*factory.connections]:
                connection.transport.abortConnection()

    # --- parts --------------------------------------------------------------------------------

    async def _authenticator(self) -> Authenticator:
        directory = StoreDirectory(self.core.store)
        self._login_threads = LoginThreads(self._reactor.callFromThread)
        passwords = self.config.passwords
        return Authenticator(
            directory,
            self.core.hasher,
            Throttle(time.monotonic, settings.throttle_limits(self.config)),
            VerifiedCache(time.monotonic, passwords.remember),
            self._login_threads,
            secret=await _result(directory.secret()),
            support=SupportDoor(self.core.store),
            scram_iterations=passwords.scram_iterations,
        )

    def _delivery(self) -> Delivery:
        rules = DeliveryRules(
            separator=self.config.mail.subaddress_separator,
            keep=self.config.relay.give_up_after,
        )
        return Delivery(self.core.store, rules)

    def _offers(self) -> Offers:
        """The plans as the directory file has them now."""
        return billing.offers(self._directory)

    def _in_use(self) -> set[int]:
        """Accounts with open sessions that may last for days."""
        connections = [one for factory in self._imap for one in factory.connections]
        actors = [one.session.actor for one in connections]
        return {actor.account_id for actor in actors if actor is not None}

    def _queue_worker(self) -> QueueWorker:
        config = self.config
        relay = config.relay
        smarthost = None
        if relay.host is not None and not relay.hold:
            smarthost = Smarthost(relay.host, relay.port)
        resolver: Resolver = HeldBack() if relay.hold else DnsResolver()
        sender = Sender(
            self.core.outbound,
            self.delivery,
            Routes(resolver, smarthost),
            settings.relay_options(config),
            Signer(settings.dkim_keys(config)),
        )
        return QueueWorker(
            self.core.outbound,
            sender,
            settings.retry_policy(config),
            settings.worker_limits(config),
            hostname=config.server.hostname,
        )

    def _listen_imap(
        self, bound: Bound, authenticator: Authenticator, counts: ConnectionCounts
    ) -> None:
        section = bound.section
        tls = self._tls.connection_creator if self._tls is not None else None
        factory = ImapFactory(
            self._reactor,
            authenticator,
            lambda actor: Workspace(self.core.store, actor),
            hostname=self.config.server.hostname,
            limits=settings.imap_limits(self.config),
            counts=counts,
            tls=tls if section.tls == "starttls" else None,
            implicit_tls=section.tls == "implicit",
            plaintext_logins=lambda peer: section.plaintext_logins or is_loopback(peer),
            channel_bindings=channel_bindings,
            hidden=frozenset(self.config.imap.hide_capabilities),
        )
        self._imap.append(factory)
        self._listen(bound, factory)

    def _listen_smtp(
        self,
        bound: Bound,
        authenticator: Authenticator,
        connections: Connections,
    ) -> None:
        section = bound.section
        tls = self._tls.connection_creator if self._tls is not None else None
        service = Service(
            hostname=self.config.server.hostname,
            intake=self.delivery,
            limits=settings.smtp_limits(self.config),
            authenticator=authenticator if section.protocol == "submission" else None,
            tls=tls if section.tls == "starttls" else None,
            plaintext_logins=section.plaintext_logins,
            channel_bindings=channel_bindings,
            connections=connections,
        )
        factory = MailFactory(service, section.protocol, secure=section.tls == "implicit")
        self._smtp.append(factory)
        self._listen(bound, factory)

    def _listen(self, bound: Bound, factory: Any) -> None:
        """Give a listener its factory, behind TLS where that begins with the first octet."""
        if bound.section.tls == "implicit" and self._tls is not None:
            creator: Any = self._tls.connection_creator
            factory = TLSMemoryBIOFactory(creator, False, factory)
            factory.noisy = False
        self._listeners.add(bound.socket, factory)

    def _listen_metrics(self) -> None:
        if self._metrics is None:
            return
        gauges = Gauges(self._connections, self._certificate_end)
        self._listeners.add(self._metrics, metrics_site(gauges))

    def _connections(self) -> dict[str, int]:
        return {
            "imap": sum(len(factory.connections) for factory in self._imap),
            "smtp": sum(len(factory.sessions) for factory in self._smtp),
            "http": self._web.connections if self._web is not None else 0,
        }

    def _certificate_end(self) -> float | None:
        return self._tls.chain[0].not_valid_after_utc.timestamp() if self._tls else None


class LoginThreads:
    """A few threads for password hashes, so that logins cannot hold up anything else."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._pool = ThreadPool(0, LOGIN_THREADS, "login")
        self._pool.start()

    def __call__(self, work: Callable[[], _T], /) -> Deferred[_T]:
        """Run in a thread; the result arrives on the reactor's."""
        deferred: Deferred[_T] = Deferred()

        def finished(success: bool, result: _T | Failure) -> None:
            self._deliver(lambda: None if deferred.called else deferred.callback(result))

        self._pool.callInThreadWithCallback(finished, work)
        return deferred

    def close(self) -> None:
        """Wait for what runs. Blocks."""
        self._pool.stop()


class HeldBack:
    """A resolver that knows no way out: mail for other servers waits in the queue."""

    async def exchangers(self, domain: str) -> list[MxRecord]:
        """Raises ``RoutingError`` that keeps the mail."""
        raise RoutingError(SendState.DEFERRED, "4.7.0", "Outbound mail is held back here")

    async def addresses(self, host: str) -> list[str]:
        """No host is asked for."""
        return []


def _tls(config: Config) -> TlsStore | None:
    if config.tls.certificate is None or config.tls.key is None:
        return None
    try:
        return TlsStore(config.tls.certificate, config.tls.key)
    except TlsError as error:
        raise StartFailed(str(error)) from None


async def _result(work: Any) -> Any:
    """Wait for a Deferred, or a coroutine that waits for Deferreds, on the asyncio loop."""
    deferred = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)
    return await deferred.asFuture(asyncio.get_running_loop())
