"""A server for tests of faults: the real daemon as a process, and clients for its ports."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from folkmoot.server.selfsigned import write_self_signed
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor
from folkmoot.storage.upkeep import check
from folkmoot.storage.views.queue import ListQueue
from tests.kit.http import Answer, HttpClient
from tests.kit.imap import ImapClient
from tests.kit.pace import within
from tests.kit.ports import free_base
from tests.kit.stores import open_store
from tests.server.cli import Running, running

STOP_SECONDS = 10  # in which the process has to end
OFFSETS = {"imap": 143, "imaps": 993, "submission": 587, "submissions": 465, "lmtp": 24}
OFFSETS |= {"http": 80, "https": 443}
PEOPLE = ("alice", "bob", "carol", "dave")
DOMAIN = "example.org"
DRIVE = "/dav/drive/My%20documents/"
_LISTENERS = (
    ("imap", "imap", "starttls"),
    ("imaps", "imap", "implicit"),
    ("submission", "submission", "starttls"),
    ("submissions", "submission", "implicit"),
    ("lmtp", "lmtp", "none"),
    ("http", "http", "none"),
    ("https", "http", "implicit"),
)


def address(person: str) -> str:
    """The login and the address of one of the people."""
    return f"{person}@{DOMAIN}"


def password(person: str) -> str:
    """What they sign in with."""
    return f"{person} and a secret"


class Site:
    """The files of a server in a folder, and how to start it and to speak to it.

    ``url`` is the database (SQLite where not given), ``more`` is put at
    the end of the config file, ``workers`` is how many processes serve.
    """

    def __init__(self, folder: Path, *, url: str = "", more: str = "", workers: int = 1) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._workers = workers
        self.url = url or f"sqlite:///{self.data / 'folkmoot.db'}"
        self.base = free_base(*OFFSETS.values())
        self.ports = {name: self.base + offset for name, offset in OFFSETS.items()}
        self._starts = 0
        write_self_signed(folder / "certificate.pem", folder / "key.pem", ["mail.example.org"])
        (folder / "directory.toml").write_text(_directory())
        listeners = "".join(
            f'[[listener]]\nprotocol = "{protocol}"\nport = {self.ports[name]}\ntls = "{tls}"\n'
            for name, protocol, tls in _LISTENERS
        )
        # Hashes are cheap, because their costs are not what is tested.
        self.config.write_text(
            f'[server]\nhostname = "mail.example.org"\ndata_dir = "{self.data}"\n'
            f'directory = "directory.toml"\nworkers = {workers}\n'
            '[tls]\ncertificate = "certificate.pem"\nkey = "key.pem"\n'
            '[passwords]\nargon2_memory = "64 KiB"\nscram_iterations = 4096\n'
            f'[database]\nurl = "{self.url}"\n{listeners}{more}'
        )

    @property
    def config(self) -> Path:
        """The config file."""
        return self.folder / "folkmoot.toml"

    @contextmanager
    def server(
        self, *, prefix: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Iterator[Running]:
        """The running server, listening; killed at the end of the block if it is still there."""
        self._starts += 1
        output = self.folder / f"output{self._starts}"
        args = ("-c", self.config, "serve")
        with running(output, *args, prefix=prefix, env=env) as process:
            process.wait_for("listening", times=len(_LISTENERS) * self._workers)
            yield process

    @contextmanager
    def store(self) -> Iterator[Store]:
        """What the server has stored. It is what ``folkmoot check --deep`` calls right."""
        store = open_store(self.url, self.data)
        try:
            yield store
            assert check(store, deep=True) == []
        finally:
            store.close()

    def queued(self) -> list[str]:
        """Whom mail is waiting for in the outbound queue. Everything else is checked, too."""
        with self.store() as store:
            view = ListQueue(1_000_000)
            entries = store.call_read(Actor.system("test"), "t", lambda txn: txn.view(view))
            return [one.recipient.address for entry in entries for one in entry.recipients]

    def ended(self, server: Running) -> None:
        """It ends on SIGTERM in time, and nothing was wrong with it until then."""
        with within(STOP_SECONDS):
            assert server.stop() == 0
        assert "Traceback" not in server.text(), server.text()[server.text().index("Traceback") :]

    def check(self) -> None:
        """Everything that is stored is as it must be, to the last octet."""
        with self.store():
            return

    # --- clients ------------------------------------------------------------------------------

    def imap(self, person: str | None = "alice", select: str | None = None) -> ImapClient:
        """Signed in, unless ``person`` is None; with a mailbox selected if asked for."""
        client = ImapClient("127.0.0.1", self.ports["imap"])
        if person is not None:
            client.login(address(person), password(person))
        if select is not None:
            client.ok(f"SELECT {select}")
        return client

    def http(self, person: str | None = "alice") -> HttpClient:
        """Sends the person's password with each request."""
        login = None if person is None else (address(person), password(person))
        return HttpClient(self.ports["http"], login)

    def lmtp(self) -> smtplib.LMTP:
        """For deliveries."""
        return smtplib.LMTP("127.0.0.1", self.ports["lmtp"], timeout=60)

    def smtp(self, person: str | None = "alice") -> smtplib.SMTP:
        """For submission, signed in unless ``person`` is None."""
        client = smtplib.SMTP("127.0.0.1", self.ports["submission"], timeout=60)
        if person is not None:
            client.login(address(person), password(person))
        return client

    def put(self, name: str, octets: bytes, person: str = "alice") -> Answer:
        """PUT a document, over a connection of its own."""
        with self.http(person) as client:
            return client.request("PUT", DRIVE + name, (), octets)

    def deliver(self, text: str, to: str = "bob") -> None:
        """A message by LMTP; raises what ``smtplib`` raises."""
        client = self.lmtp()
        try:
            client.sendmail("someone@example.net", [address(to)], text)
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                client.quit()

    def works(self, person: str = "alice") -> None:
        """Mail, deliveries and documents are taken and given, quickly."""
        client = self.imap(person, "INBOX")
        client.append("INBOX", message("works"))
        self.deliver(message("works").decode(), person)
        assert client.ok("NOOP").matching("EXISTS")
        client.close()
        assert self.put("works.txt", b"works", person).status in (201, 204)


def message(subject: str, size: int = 0) -> bytes:
    """A plain message with a body of some size."""
    line = "0123456789abcdef" * 4 + "\r\n"
    body = line * (size // len(line)) or "short\r\n"
    return (
        f"From: someone@example.net\r\nTo: all@example.org\r\nSubject: {subject}\r\n\r\n{body}"
    ).encode()


def _directory() -> str:
    room = 'mail = { bytes = "10 GB" }\ndocuments = { bytes = "10 GB" }\n'
    room += (
        'calendar = { bytes = "1 GB" }\ncontacts = { bytes = "1 GB" }\ngroups = 3\nmembers = 9\n'
    )
    people = "".join(
        f'[[account]]\naddress = "{address(one)}"\npassword = "{password(one)}"\nplan = "all"\n'
        for one in PEOPLE
    )
    group = (
        f'[[group]]\naddress = "choir@{DOMAIN}"\nname = "Choir"\nadmin = "{address("alice")}"\n'
        f'editors = ["{address("bob")}"]\nmembers = ["{address("carol")}"]\n'
    )
    return f'[plan.all]\n{room}[[domain]]\nname = "{DOMAIN}"\n{people}{group}'
