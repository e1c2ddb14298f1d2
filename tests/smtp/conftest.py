"""The real server with submission, LMTP and the outbound queue, over real sockets."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from twisted.internet.defer import Deferred
from twisted.protocols.tls import TLSMemoryBIOFactory

from folkmoot.protocols.smtp.limits import SmtpLimits
from folkmoot.protocols.smtp.listener import MailFactory
from folkmoot.protocols.smtp.outcomes import RetryPolicy
from folkmoot.protocols.smtp.peer import Timeouts
from folkmoot.protocols.smtp.queue_worker import QueueWorker, WorkerLimits
from folkmoot.protocols.smtp.relay import RelayOptions, TlsMode
from folkmoot.protocols.smtp.routing import MxRecord
from folkmoot.protocols.smtp.sender import Routes, Sender
from folkmoot.protocols.smtp.service import Service
from folkmoot.protocols.smtp.signing import DkimKey, Signer
from folkmoot.server.selfsigned import write_self_signed
from folkmoot.server.tls import TlsStore, channel_bindings
from folkmoot.sharing.delivery import Delivery
from folkmoot.sharing.outbound import Outbound
from folkmoot.sharing.workspace import Workspace
from folkmoot.storage.types import Actor, ActorKind
from folkmoot.storage.types_mail import QueueEntry
from tests import LOOP
from tests.kit import reactor
from tests.kit.server import TestAccount, TestServer

T = TypeVar("T")

HOSTNAME = "mail.example.test"
FAST = RetryPolicy(schedule=(0.2,), warn_after=0, jitter=0)


def on_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the reactor's loop and wait for it."""
    return asyncio.run_coroutine_threadsafe(work, LOOP).result(60)


def fired(work: Callable[[], Deferred[T]]) -> T:
    """Call something on the reactor's loop and wait for its Deferred."""

    async def run() -> T:
        return await work().asFuture(LOOP)

    return on_loop(run())


class LocalDns:
    """Every domain is served by one host on this machine."""

    async def exchangers(self, domain: str) -> list[MxRecord] | None:
        return None if domain.startswith("nowhere.") else [MxRecord(10, "next.test")]

    async def addresses(self, host: str) -> list[str]:
        return ["127.0.0.1"]


class MailServer:
    """Listens for submission (with STARTTLS), submissions and LMTP."""

    def __init__(self, base: TestServer, folder: Path) -> None:
        self.base = base
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        write_self_signed(certificate, key, [HOSTNAME])
        self.tls = TlsStore(certificate, key)
        self.keep = 5 * 86_400
        self.delivery = Delivery(base.store)
        self.outbound = Outbound(base.store)
        self.service = Service(
            hostname=HOSTNAME,
            intake=self.delivery,
            authenticator=base.authenticator,
            tls=self.tls.connection_creator,
            channel_bindings=channel_bindings,
        )
        self._factories: list[MailFactory] = []
        self._ports: list[Any] = []
        self._workers: list[QueueWorker] = []
        self.smtp_port = self.listen("submission")
        self.smtps_port = self.listen("submission", secure=True)
        self.lmtp_port = self.listen("lmtp")

    def listen(
        self, protocol: str, limits: SmtpLimits | None = None, *, secure: bool = False
    ) -> int:
        """Open one more port; returns it."""
        service = replace(self.service, limits=limits) if limits else self.service
        factory = MailFactory(service, protocol, secure=secure)

        outer: Any = factory
        if secure:
            creator: Any = self.tls.connection_creator
            outer = TLSMemoryBIOFactory(creator, False, outer)
        listening = reactor.call(lambda: reactor.get().listenTCP(0, outer, interface="127.0.0.1"))
        self._factories.append(factory)
        self._ports.append(listening)
        port: int = listening.getHost().port
        return port

    def worker(
        self,
        port: int,
        policy: RetryPolicy = FAST,
        limits: WorkerLimits | None = None,
        keys: Mapping[str, DkimKey] | None = None,
        outbound: Outbound | None = None,
    ) -> QueueWorker:
        """Start a worker that sends all mail to ``port`` on this machine."""
        queue = outbound or self.outbound
        options = RelayOptions(HOSTNAME, TlsMode.OPPORTUNISTIC, timeouts=Timeouts(connect=60))
        sender = Sender(
            queue,
            self.delivery,
            Routes(LocalDns(), mx_port=port, public_only=False),
            options,
            Signer(keys or {}),
        )
        limits = limits or WorkerLimits(lease=30, poll=0.5)

        async def start() -> QueueWorker:
            worker = QueueWorker(queue, sender, policy, limits, hostname=HOSTNAME)
            worker.start()
            return worker

        worker = on_loop(start())
        self._workers.append(worker)
        return worker

    def stop_worker(self, worker: QueueWorker, grace: float = 5) -> None:
        """End a worker."""
        self._workers.remove(worker)
        on_loop(worker.stop(grace))

    def smtp(self, account: TestAccount | None = None) -> smtplib.SMTP:
        """A client of submission; with an account, after STARTTLS and AUTH."""
        client = smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=60)
        if account is not None:
            client.starttls(context=unchecked())
            client.login(account.address, account.password)
        return client

    def lmtp(self) -> smtplib.LMTP:
        """A client of LMTP, greeted."""
        client = smtplib.LMTP("127.0.0.1", self.lmtp_port, timeout=60)
        client.ehlo("mta.test")
        return client

    def raw(self, port: int | None = None) -> RawClient:
        """A socket of LMTP (or of another port) that says what a test tells it."""
        return RawClient(port or self.lmtp_port)

    def inbox(self, account: TestAccount) -> list[bytes]:
        """The octets of the messages in an INBOX, in order."""
        actor = Actor(ActorKind.ACCOUNT, account.id, account.space_id, account.address, epoch=1)
        workspace = Workspace(self.base.store, actor)

        async def read() -> list[bytes]:
            info, state, _ = await workspace.open("INBOX").asFuture(LOOP)
            found: list[bytes] = []
            for uid in state.uids:
                body = await workspace.body(info.id, uid).asFuture(LOOP)
                if body.file is not None:
                    found.append(self.base.store.blobs.read(body.file, 0, body.size))
                else:
                    found.append(body.data or b"")
            return found

        return on_loop(read())

    def queue(self) -> list[QueueEntry]:
        """What waits in the queue."""

        return fired(self.outbound.entries)

    def stop(self) -> None:
        """End workers, listeners and connections."""
        for worker in list(self._workers):
            self.stop_worker(worker, 0.2)
        for port in self._ports:
            reactor.call(port.stopListening)
        for factory in self._factories:
            on_loop(factory.close(1))


def unchecked() -> ssl.SSLContext:
    """A client's TLS context that takes our self-signed certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class RawClient:
    """A socket with lines."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")
        self.greeting = self.reply()

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.socket.sendall(octets)

    def reply(self) -> str:
        """Read one reply, all its lines."""
        lines: list[str] = []
        while line := self.file.readline().decode():
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    def ask(self, line: bytes) -> str:
        """Send one command line and read its reply."""
        self.send(line + b"\r\n")
        return self.reply()

    def closed(self) -> bool:
        """Whether the server has closed the connection."""
        return self.file.read(1) == b""

    def close(self) -> None:
        """Close the socket."""
        self.file.close()
        self.socket.close()


@pytest.fixture
def mail(server: TestServer, tmp_path: Path) -> Iterator[MailServer]:
    """The real server with its mail services; no queue worker runs until a test starts one."""
    mail = MailServer(server, tmp_path)
    yield mail
    mail.stop()
