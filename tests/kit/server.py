"""The real server inside the test process: store, sign-in, IMAP and HTTP over real sockets."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.protocols.tls import TLSMemoryBIOFactory

from folkmoot.auth.accounts import Accounts, AccountWanted
from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.cache import VerifiedCache
from folkmoot.auth.directory import StoreDirectory
from folkmoot.auth.help_desk import HelpDesk
from folkmoot.auth.passwords import PasswordHasher
from folkmoot.auth.support import SupportDesk, SupportRules
from folkmoot.auth.support_door import SupportDoor
from folkmoot.auth.support_staff import AgentWanted, SupportStaff
from folkmoot.auth.throttle import Throttle, ThrottleLimits
from folkmoot.protocols.http.limits import HttpLimits
from folkmoot.protocols.http.login import Login
from folkmoot.protocols.http.pages import Pages
from folkmoot.protocols.http.router import Router
from folkmoot.protocols.http.server import HttpFactory
from folkmoot.protocols.http.support.application import SupportPages
from folkmoot.protocols.imap.server import ConnectionCounts, ImapFactory
from folkmoot.protocols.imap.session import ImapLimits
from folkmoot.quota.letters import Office
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.server.support import Letters
from folkmoot.server.tls import TlsStore, channel_bindings
from folkmoot.server.web import dav_application
from folkmoot.sharing.groups import Groups
from folkmoot.sharing.rights import READ, WRITE
from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Limit, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from folkmoot.storage.types_groups import Group
from folkmoot.storage.types_support import SupportScope
from folkmoot.storage.upkeep import check
from tests.kit import reactor
from tests.kit.clock import HandClock
from tests.kit.http import HttpClient
from tests.kit.imap import ImapClient
from tests.kit.stores import decisions, without_drop_folder

DOMAIN = "example.test"
PASSWORD = "correct horse battery"
DESK = "help@elsewhere.test"  # where messages to support go


@dataclass(frozen=True)
class TestAccount:
    """An account that a test made."""

    __test__ = False

    id: int
    space_id: int
    address: str
    password: str = PASSWORD


@dataclass(frozen=True)
class TestAgent:
    """An agent of support that a test made."""

    __test__ = False

    address: str
    password: str = PASSWORD


MakeServer = Callable[..., AbstractContextManager["TestServer"]]


class TestServer:
    """Listens on loopback with ports of its own.

    With ``tls`` there is STARTTLS at ``imap_port``, and TLS from the first octet at ``imaps_port``.
    The DAV tree is at ``http_port``. IMAP's timers are those of ``clock``, if one is given.
    """

    __test__ = False

    def __init__(
        self,
        url: str,
        folder: Path,
        limits: ImapLimits | None = None,
        *,
        tls: bool = False,
        plaintext_logins: bool = True,
        hidden: frozenset[str] = frozenset(),
        clock: HandClock | None = None,
    ) -> None:
        self.url = url
        self.folder = folder
        self._numbers = itertools.count(1)
        self._reactor = reactor.get()
        self._clock = clock or self._reactor
        self.store = Store(url, folder / "blobs", decisions(), self._reactor.callFromThread)
        # Cheap hashes: what they cost is not what most tests are about.
        hasher = PasswordHasher(memory_kib=8, time_cost=1)
        self.accounts = Accounts(self.store, hasher, scram_iterations=4096)
        self.groups = Groups(self.store)
        directory = StoreDirectory(self.store)
        self.authenticator = Authenticator(
            directory,
            hasher,
            Throttle(time.monotonic),
            VerifiedCache(time.monotonic),
            self.store.compute,
            secret=reactor.call(directory.secret),
            support=SupportDoor(self.store),
        )
        # Whoever guesses waits for longer than a slow test takes.
        slow = Throttle(time.monotonic, ThrottleLimits(base_delay=60))
        self.staff = SupportStaff(self.store, hasher, throttle=slow)
        self.desk = SupportDesk(self.store, self.staff, SupportRules(), self._post)
        post = Letters(self.store, Office("mail.example.test", DESK), 3600)
        self.help = HelpDesk(self.store, post, hostname="mail.example.test", desk=DESK)
        self.letters: list[tuple[str, str, str]] = []
        self._hidden = hidden
        self._limits = limits or ImapLimits()
        self._counts = ConnectionCounts()
        self._ports: list[Any] = []
        self._tls = _tls(folder) if tls else None
        self.factory = self._factory(plaintext_logins=plaintext_logins)
        self.factories = [self.factory]
        self.imap_port = self._listen(self.factory)
        self.imaps_port = 0
        if self._tls is not None:
            implicit: Any = self._factory(implicit_tls=True)
            self.factories.append(implicit)
            creator: Any = self._tls.connection_creator
            self.imaps_port = self._listen(TLSMemoryBIOFactory(creator, False, implicit))
        self.http_factory = self._http(plaintext_logins=plaintext_logins)
        self.http_port = self._listen(self.http_factory)
        reactor.call(lambda: self.accounts.create_domain(DOMAIN))

    def _factory(
        self, *, implicit_tls: bool = False, plaintext_logins: bool = False
    ) -> ImapFactory:
        return ImapFactory(
            self._clock,
            self.authenticator,
            lambda actor: Workspace(self.store, actor),
            hostname="mail.example.test",
            limits=self._limits,
            counts=self._counts,
            tls=self._tls.connection_creator if self._tls is not None else None,
            implicit_tls=implicit_tls,
            plaintext_logins=lambda peer: plaintext_logins,
            channel_bindings=channel_bindings,
            hidden=self._hidden,
        )

    def _http(self, *, plaintext_logins: bool) -> HttpFactory:
        login = Login(self.authenticator, lambda peer: plaintext_logins)
        dav = dav_application(self.store)
        pages = SupportPages(self.desk, self.help, self.authenticator)
        router = Router(
            login,
            Pages("https://mail.example.test"),
            {"dav": dav},
            open_mounts={"support": pages.behind(lambda peer: plaintext_logins)},
        )
        return HttpFactory(
            self._reactor,
            router,
            hostname="mail.example.test",
            # Long enough for tests that keep connections while others do something slowly.
            limits=HttpLimits(idle_seconds=600),
            counts=Counter(),
        )

    def _listen(self, factory: Any) -> int:
        port = reactor.call(lambda: self._reactor.listenTCP(0, factory, interface="127.0.0.1"))
        self._ports.append(port)
        return int(port.getHost().port)

    def account(
        self,
        name: str | None = None,
        limits: Mapping[Tool, Limit] | None = None,
        *,
        drop_folder: bool = False,
    ) -> TestAccount:
        """A fresh account; ``name`` is its local part.

        Most tests begin with documents in which nothing is: without the drop folder.
        """
        local = name or f"user{next(self._numbers)}"
        wanted = AccountWanted(address=f"{local}@{DOMAIN}", password=PASSWORD, limits=limits or {})
        made = reactor.call(lambda: self.accounts.create(wanted))
        if not drop_folder:
            without_drop_folder(self.store, made.space_id)
        return TestAccount(made.id, made.space_id, made.address)

    def update(self, account: TestAccount, **changes: Any) -> None:
        """Change an account; ``changes`` are those of ``AccountUpdate``."""
        update = AccountUpdate(**changes)
        reactor.call(lambda: self.accounts.update(account.address, update))

    def group(
        self,
        name: str,
        admin: TestAccount,
        *readers: TestAccount,
        writers: Sequence[TestAccount] = (),
    ) -> Group:
        """A group; ``name`` is the local part of its address."""
        address = f"{name}@{DOMAIN}"
        made = reactor.call(lambda: self.groups.create(address, admin.address, name.title()))
        for account in (*readers, *writers):
            rights = dict.fromkeys(Tool, WRITE if account in writers else READ)
            reactor.call(partial(self.groups.add_member, address, account.address, rights))
        return made

    def _post(
        self, _txn: Txn, address: str, subject: str, text: str, *, invitation: str = ""
    ) -> None:
        """Keep a letter about support: to whom, subject, text."""
        self.letters.append((address, subject, text))

    def agent(self) -> TestAgent:
        """Somebody of support."""
        address = f"agent{next(self._numbers)}@support.test"
        wanted = AgentWanted(address=address, password=PASSWORD)
        reactor.call(lambda: self.staff.create_agent(wanted))
        return TestAgent(address)

    def let_in(self, agent: TestAgent, account: TestAccount, **scope: Any) -> TestAccount:
        """Let an agent into an account; the account as the agent signs in to it."""
        desk, name = self.desk, account.address
        reactor.call(lambda: desk.grant(name, agent.address, scope=SupportScope(**scope)))
        _, key = reactor.call(lambda: desk.open(name, agent.address, agent.password, "", "to help"))
        return replace(account, address=f"{name}*{agent.address}", password=key)

    def leave(self, group: str, account: TestAccount) -> None:
        """Take somebody out of a group, by its address."""
        reactor.call(lambda: self.groups.remove_member(group, account.address))

    def imap(self, account: TestAccount | None = None, select: str | None = None) -> ImapClient:
        """A raw IMAP client, signed in and with a mailbox selected if asked for."""
        client = ImapClient("127.0.0.1", self.imap_port)
        if account is not None:
            client.login(account.address, account.password)
        if select is not None:
            client.ok(f"SELECT {select}")
        return client

    def http(self, account: TestAccount | None = None) -> HttpClient:
        """A raw HTTP client; with an account, it sends its password."""
        login = (account.address, account.password) if account is not None else None
        return HttpClient(self.http_port, login)

    def stop(self) -> None:
        """Stop listening, drop connections, check and close the store."""

        def end() -> Deferred[None]:
            return Deferred.fromCoroutine(self._end())

        reactor.call(end)
        findings = check(self.store)
        self.store.close()
        assert not findings, findings

    async def _end(self) -> None:
        for port in self._ports:
            await port.stopListening()
        for factory in self.factories:
            for connection in list(factory.connections):
                connection.transport.abortConnection()
        self.http_factory.abort()


def _tls(folder: Path) -> TlsStore:
    certificate, key = folder / "cert.pem", folder / "key.pem"
    write_self_signed(certificate, key, ["mail.example.test"])
    return TlsStore(certificate, key)
