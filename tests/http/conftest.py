"""An HTTP listener with a small application that shows what it is given."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.protocols.tls import TLSMemoryBIOFactory

from folkmoot.protocols.http.body import ClientGone
from folkmoot.protocols.http.errors import Refused
from folkmoot.protocols.http.exchange import Exchange
from folkmoot.protocols.http.forwarded import Proxies
from folkmoot.protocols.http.limits import HttpLimits
from folkmoot.protocols.http.login import Login
from folkmoot.protocols.http.pages import Pages
from folkmoot.protocols.http.router import Router
from folkmoot.protocols.http.server import HttpFactory
from folkmoot.protocols.http.setup.application import AccountSetup
from folkmoot.protocols.http.setup.services import Encryption, MailServer, Services
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.server.tls import TlsStore
from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.errors import OverQuota
from tests.kit import reactor
from tests.kit.clock import HandClock
from tests.kit.http import TIMEOUT, HttpClient
from tests.kit.server import TestAccount, TestServer

MEBIBYTE = 2**20
SERVICES = Services(
    "Tea & <Mail>",
    "https://mail.example.test:8443",
    imap=(
        MailServer("imap.example.test", 993, Encryption.IMPLICIT),
        MailServer("imap.example.test", 143, Encryption.STARTTLS),
    ),
    submission=(MailServer("smtp.example.test", 587, Encryption.STARTTLS),),
)


@dataclass
class Shown:
    """What the application noticed."""

    requests: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    holding: Deferred[None] | None = None


class ShowApplication:
    """Each first name under /dav/ is one behaviour of an application."""

    def __init__(self, server: TestServer, shown: Shown) -> None:
        self._server = server
        self.shown = shown

    async def __call__(self, exchange: Exchange) -> None:
        name = exchange.path[1] if len(exchange.path) > 1 else "show"
        self.shown.requests.append(f"{exchange.method} {exchange.raw_path}")
        handler: Callable[[Exchange], Any] = getattr(self, f"_{name}", self._show)
        try:
            await handler(exchange)
        except ClientGone:
            self.shown.gone.append(exchange.raw_path)
            raise

    async def _show(self, exchange: Exchange) -> None:
        facts = {
            "method": exchange.method,
            "path": exchange.path,
            "raw_path": exchange.raw_path,
            "trailing_slash": exchange.trailing_slash,
            "query": exchange.query,
            "base_url": exchange.base_url,
            "peer": exchange.peer,
            "secure": exchange.secure,
            "account": exchange.actor.account_id if exchange.signed_in else None,
            "length": exchange.content_length,
            "x": exchange.header("X-Test"),
            "all_x": exchange.headers("x-test"),
        }
        body = json.dumps(facts).encode()
        await exchange.respond(200, [("Content-Type", "application/json")], body)

    async def _read(self, exchange: Exchange) -> None:
        body = await exchange.read_body(10_000)
        await exchange.respond(200, [("ETag", '"1"')], b"%d" % len(body))

    async def _spool(self, exchange: Exchange) -> None:
        workspace = Workspace(self._server.store, exchange.actor)
        body = await exchange.spool_body(workspace, 64 * MEBIBYTE)
        if isinstance(body, bytes):
            kind, size, digest = "memory", len(body), hashlib.sha256(body).hexdigest()
        else:
            kind, size, digest = "spool", body.size, _digest(body)
            body.discard()
        await exchange.respond(201, [], f"{kind} {size} {digest}".encode())

    async def _full(self, exchange: Exchange) -> None:
        raise OverQuota

    async def _local(self, exchange: Exchange) -> None:
        target = exchange.local(exchange.header("Destination") or "")
        await exchange.respond(200, [], json.dumps(target.path).encode())

    async def _broken(self, exchange: Exchange) -> None:
        raise RuntimeError("the secret text")

    async def _forgotten(self, exchange: Exchange) -> None:
        """It answers nothing."""

    async def _half(self, exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Type", "application/xml")])
        await exchange.write(b"<a>")
        raise RuntimeError("too late")

    async def _stream(self, exchange: Exchange) -> None:
        """``?PIECES`` pieces of 64 KiB."""
        await exchange.start(200, [("Content-Type", "application/octet-stream")])
        for number in range(int(exchange.query)):
            await exchange.write(bytes([number % 256]) * 65536)
        exchange.finish()

    async def _sized(self, exchange: Exchange) -> None:
        await exchange.start(200, [("Content-Type", "text/xml")], 5)
        await exchange.write(b"12345")
        exchange.finish()

    async def _xml(self, exchange: Exchange) -> None:
        """``?OCTETS``: that much XML at once."""
        body = b"<a/>" * (int(exchange.query) // 4)
        await exchange.respond(207, [("Content-Type", 'application/xml; charset="utf-8"')], body)

    async def _tagged(self, exchange: Exchange) -> None:
        fields = [("Content-Type", "text/calendar"), ("ETag", '"1"')]
        await exchange.respond(200, fields, b"x" * 5000)

    async def _pieces(self, exchange: Exchange) -> None:
        await exchange.start(207, [("Content-Type", "application/xml")])
        for number in range(3000):
            await exchange.write(b"<response>%d</response>" % number)
        exchange.finish()

    async def _hold(self, exchange: Exchange) -> None:
        self.shown.holding = Deferred()
        await self.shown.holding
        await exchange.respond(200, [], b"held")

    async def _teapot(self, exchange: Exchange) -> None:
        raise Refused(423, "It is locked.", [("X-Why", "lock")])

    async def _header(self, exchange: Exchange) -> None:
        await exchange.respond(200, [("X-Bad", "a\r\nInjected: b")])

    async def _none(self, exchange: Exchange) -> None:
        await exchange.respond(204, [("ETag", '"2"')])


def _digest(spool: Any) -> str:
    digest = hashlib.sha256()
    for offset in range(0, spool.size, MEBIBYTE):
        digest.update(spool.read(offset, MEBIBYTE))
    return digest.hexdigest()


class Web:
    """The listener, and clients for it; timers are those of ``clock``, if one is given."""

    def __init__(
        self,
        server: TestServer,
        folder: Path,
        limits: HttpLimits,
        *,
        tls: bool = False,
        plaintext_logins: bool = True,
        proxies: Proxies | None = None,
        clock: HandClock | None = None,
    ) -> None:
        self.server = server
        self.tls = tls
        self.shown = Shown()
        self.counts: Counter[str] = Counter()
        login = Login(server.authenticator, lambda peer: plaintext_logins)
        pages = Pages("https://mail.example.test", (("IMAP", "mail.example.test, port 993"),))
        router = Router(
            login,
            pages,
            {"dav": ShowApplication(server, self.shown)},
            setup=AccountSetup(SERVICES),
        )
        self.factory = HttpFactory(
            clock or reactor.get(),
            router,
            hostname="mail.example.test",
            limits=limits,
            counts=self.counts,
            secure=tls,
            proxies=proxies,
        )
        listening: Any = self.factory
        if tls:
            certificate, key = folder / "web.pem", folder / "web-key.pem"
            write_self_signed(certificate, key, ["mail.example.test"])
            creator: Any = TlsStore(certificate, key).connection_creator
            listening = TLSMemoryBIOFactory(creator, False, listening)
        self._port: Any = reactor.call(
            lambda: reactor.get().listenTCP(0, listening, interface="127.0.0.1")
        )
        self.port = int(self._port.getHost().port)
        self._account: TestAccount | None = None

    @property
    def account(self) -> TestAccount:
        """Somebody who can sign in."""
        if self._account is None:
            self._account = self.server.account()
        return self._account

    def client(self, *, login: bool = True, timeout: float = TIMEOUT) -> HttpClient:
        """A connection; with ``login`` it sends the account's password."""
        who = (self.account.address, self.account.password) if login else None
        return HttpClient(self.port, who, tls=self.tls, timeout=timeout)

    def stop(self) -> None:
        """Stop listening and drop connections."""
        reactor.call(lambda: self._port.stopListening())
        reactor.call(self.factory.abort)


MakeWeb = Callable[..., AbstractContextManager[Web]]


@pytest.fixture
def make_web(server: TestServer, tmp_path: Path) -> MakeWeb:
    """Builds a listener with what ``Web`` takes; use it in ``with``."""

    @contextmanager
    def build(limits: HttpLimits | None = None, **options: Any) -> Iterator[Web]:
        web = Web(server, tmp_path, limits or HttpLimits(), **options)
        try:
            yield web
        finally:
            web.stop()

    return build


@pytest.fixture
def web(make_web: MakeWeb) -> Iterator[Web]:
    """A plain listener that takes logins."""
    with make_web() as web:
        yield web
