"""The HTTP listeners of a server: the DAV tree, and the pages with help."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.help_desk import HelpDesk
from folkmoot.auth.peer import is_loopback
from folkmoot.auth.support import SupportDesk
from folkmoot.config.schema import Config
from folkmoot.protocols import caldav, carddav, drive
from folkmoot.protocols.dav.application import DavApplication
from folkmoot.protocols.dav.limits import DavLimits
from folkmoot.protocols.http.hooks import Hooks
from folkmoot.protocols.http.login import Login
from folkmoot.protocols.http.pages import Pages
from folkmoot.protocols.http.router import Router
from folkmoot.protocols.http.server import HttpFactory
from folkmoot.protocols.http.setup.application import AccountSetup
from folkmoot.protocols.http.setup.services import Encryption, Services
from folkmoot.protocols.http.support.application import SupportPages
from folkmoot.quota.payments import Payments
from folkmoot.server import settings
from folkmoot.server.client_setup import services
from folkmoot.server.listeners import Bound
from folkmoot.sharing.tree import Tree
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor, Hint, Topic
from folkmoot.storage.views.support import SessionsOver

DAV_PACKAGES = (drive, caldav, carddav)  # what is registered beside the core of DAV
_SUPPORT = Actor.system("support")
_ENCRYPTION = {
    Encryption.NONE: "no encryption",
    Encryption.STARTTLS: "STARTTLS",
    Encryption.IMPLICIT: "TLS",
}
_MAIL = {"imap": "IMAP, for reading mail", "submission": "SMTP, for sending mail"}


class Web:
    """Makes the factories of HTTP listeners, and ends their connections.

    ``bound`` are all listeners of the server: the help names their ports.
    """

    def __init__(
        self,
        reactor: Any,
        config: Config,
        authenticator: Authenticator,
        store: Store,
        bound: list[Bound],
        payments: Payments,
        support: SupportDesk,
        help_desk: HelpDesk,
    ) -> None:
        self._reactor = reactor
        self._config = config
        self._authenticator = authenticator
        self._store = store
        self._support = SupportPages(support, help_desk, authenticator)
        self._dav = dav_application(store, settings.dav_limits(config))
        self._hooks = {"hooks": Hooks(payments)} if payments.adapters else {}
        found = services(config, [(one.section, one.port) for one in bound])
        self._setup = AccountSetup(found)
        self._pages = Pages(found.base_url, _mail(found))
        self._counts: Counter[str] = Counter()
        self._factories: list[HttpFactory] = []

    def listener(self, bound: Bound) -> HttpFactory:
        """What makes the connections of a listener, behind its TLS where it has one."""
        section = bound.section

        def plaintext_logins(peer: str) -> bool:
            return section.plaintext_logins or is_loopback(peer)

        login = Login(self._authenticator, plaintext_logins, self._watch_support)
        page = self._support.behind(plaintext_logins)
        factory = HttpFactory(
            self._reactor,
            Router(
                login,
                self._pages,
                {"dav": self._dav},
                open_mounts={**self._hooks, "support": page},
                setup=self._setup,
            ),
            hostname=self._config.server.hostname,
            limits=settings.http_limits(self._config),
            counts=self._counts,
            secure=section.tls == "implicit",
            proxies=settings.http_proxies(self._config),
        )
        self._factories.append(factory)
        return factory

    def _watch_support(self, session: int, over: Callable[[], None]) -> Callable[[], None]:
        """Hear when a session of an agent is over."""
        store = self._store

        def hinted(hint: Hint) -> None:
            # The hint says only that something may have changed; the gate knows.
            view = SessionsOver((session,))
            look = store.read(_SUPPORT, "support", lambda txn: txn.view(view))
            look.addCallbacks(lambda ended: over() if ended else None, lambda _: None)

        return store.bus.subscribe(Topic.SUPPORT, session, hinted)

    @property
    def connections(self) -> int:
        """How many there are."""
        return sum(len(factory.connections) for factory in self._factories)

    async def close(self, seconds: float) -> None:
        """Let answers under way end for a while, then cut connections off."""
        for factory in self._factories:
            factory.close()
        end = time.monotonic() + seconds
        while self.connections and time.monotonic() < end:
            await asyncio.sleep(0.02)
        for factory in self._factories:
            factory.abort()


def dav_application(store: Store, limits: DavLimits | None = None) -> DavApplication:
    """The DAV tree over a store, with everything that it is used for."""
    return DavApplication(lambda actor: Tree(store, actor), DAV_PACKAGES, limits)


def _mail(found: Services) -> tuple[tuple[str, str], ...]:
    return tuple(
        (_MAIL[protocol], f"{one.host}, port {one.port}, {_ENCRYPTION[one.encryption]}")
        for protocol, servers in (("imap", found.imap), ("submission", found.submission))
        for one in servers
    )
