"""A directory in memory, a clock that is set by hand, and the client's side of SCRAM."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed

from folkmoot.auth import app_passwords
from folkmoot.auth.authenticate import Authenticator
from folkmoot.auth.cache import VerifiedCache
from folkmoot.auth.passwords import PasswordHasher
from folkmoot.auth.sasl.steps import Challenge
from folkmoot.auth.scram import ScramRecord
from folkmoot.auth.session import SaslSession
from folkmoot.auth.throttle import Throttle, ThrottleLimits
from folkmoot.storage.types import Account, AccountState, Actor, Credential, LoginRecord

T = TypeVar("T")

ITERATIONS = 4096
ALICE = "alice@example.test"
PASSWORD = "correct horse"
HOME = "192.0.2.1"


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CountingHasher(PasswordHasher):
    """Cheap costs; counts how often a hash is computed to check a password."""

    def __init__(self) -> None:
        super().__init__(memory_kib=8, time_cost=1, parallelism=1)
        self.verified = 0

    def verify(self, password: str, secret: str | None) -> bool:
        self.verified += 1
        return super().verify(password, secret)


class MemoryDirectory:
    """Accounts by address; ``logins`` and ``renewed`` note what was asked to be written."""

    def __init__(self) -> None:
        self.records: dict[str, LoginRecord] = {}
        self.logins: list[tuple[int, int, str, str]] = []
        self.renewed: list[tuple[int, str, str, str]] = []
        self.error: Exception | None = None
        self.write_error: Exception | None = None

    def canonical_name(self, name: str) -> Deferred[str]:
        return succeed(name if "@" in name else f"{name}@example.test")

    def login_record(self, name: str) -> Deferred[LoginRecord | None]:
        if self.error is not None:
            return fail(self.error)
        return succeed(self.records.get(name))

    def recent_record(self, name: str) -> LoginRecord | None:
        return None

    def record_login(
        self, account_id: int, app_password_id: int, protocol: str, peer: str
    ) -> Deferred[None]:
        if self.write_error is not None:
            return fail(self.write_error)
        self.logins.append((account_id, app_password_id, protocol, peer))
        for name, record in self.records.items():
            if record.account.id == account_id:
                used = replace(record.account, last_used=datetime.now(UTC))
                self.records[name] = replace(record, account=used)
        return succeed(None)

    def renew_secret(
        self, account_id: int, old_secret: str, secret: str, scram: str
    ) -> Deferred[None]:
        if self.write_error is not None:
            return fail(self.write_error)
        self.renewed.append((account_id, old_secret, secret, scram))
        return succeed(None)


class World:
    """An authenticator with everything around it, and one account."""

    def __init__(self, limits: ThrottleLimits | None = None) -> None:
        self.clock = Clock()
        self.directory = MemoryDirectory()
        self.hasher = CountingHasher()
        self.light = CountingHasher()
        self.throttle = Throttle(self.clock, limits)
        self.pending: list[Callable[[], None]] = []
        self.hold = False
        self.authenticator = Authenticator(
            self.directory,
            self.hasher,
            self.throttle,
            VerifiedCache(self.clock),
            self.run_in_thread,
            secret=b"a secret of the installation",
            light_hasher=self.light,
            scram_iterations=ITERATIONS,
            max_pending=20,
        )
        self.add(1, ALICE, PASSWORD)

    def run_in_thread(self, work: Callable[[], T], /) -> Deferred[T]:
        """At once, or (``hold``) when the test calls what is in ``pending``."""
        if not self.hold:
            return maybeDeferred(work)
        deferred: Deferred[T] = Deferred()
        self.pending.append(lambda: deferred.callback(work()))
        return deferred

    def add(self, id_: int, address: str, password: str) -> None:
        account = Account(
            id_, id_ + 100, address, "", AccountState.ACTIVE, "free", False, _NOW, None
        )
        record = LoginRecord(
            account,
            7,
            [Credential(0, self.hasher.hash(password), ())],
            str(ScramRecord.from_password(password, ITERATIONS)),
        )
        self.directory.records[address] = record

    def add_app_password(self, id_: int, *protocols: str) -> str:
        """Give alice an app password; returns it as it is shown."""
        shown = app_passwords.generate()
        bare = app_passwords.canonical(shown)
        assert bare is not None
        record = self.directory.records[ALICE]
        credential = Credential(id_, self.light.hash(bare), protocols)
        self.change(credentials=[*record.credentials, credential])
        return shown

    def change(self, **values: object) -> None:
        """Replace fields of alice's record."""
        record = self.directory.records[ALICE]
        self.directory.records[ALICE] = replace(record, **values)  # type: ignore[arg-type]

    def login(
        self,
        name: str = ALICE,
        password: str = PASSWORD,
        peer: str = HOME,
        protocol: str = "imap",
        authzid: str = "",
    ) -> Actor:
        return result_of(
            self.authenticator.authenticate(name, password, protocol, peer, authzid=authzid)
        )


_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def result_of(deferred: Deferred[T]) -> T:
    """The result of a Deferred that has fired; raises its error."""
    results: list[T] = []
    errors: list[BaseException] = []
    deferred.addCallbacks(results.append, lambda failure: errors.append(failure.value))
    if errors:
        raise errors[0]
    assert results, "the Deferred has not fired"
    return results[0]


class ScramClient:
    """The client's side of RFC 5802, written from the RFC and independent of the server's."""

    def __init__(
        self,
        name: str,
        password: str,
        *,
        header: str = "n,,",
        channel: bytes = b"",
        nonce: str = "rOprNGfwEbeRWgbNEkqO",
    ) -> None:
        self.password = password
        self.header = header
        self.channel = channel
        self.nonce = nonce
        escaped = name.replace("=", "=3D").replace(",", "=2C")
        self.bare = f"n={escaped},r={nonce}"
        self.server_signature = b""
        self.salt = b""

    def first(self) -> bytes:
        return (self.header + self.bare).encode()

    def final(self, server_first: bytes) -> bytes:
        fields = dict(part.split("=", 1) for part in server_first.decode().split(","))
        assert fields["r"].startswith(self.nonce)
        assert len(fields["r"]) > len(self.nonce)
        self.salt = b64decode(fields["s"])
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), self.salt, int(fields["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        stored_key = hashlib.sha256(client_key).digest()
        channel = b64encode(self.header.encode() + self.channel).decode()
        without_proof = f"c={channel},r={fields['r']}"
        message = f"{self.bare},{server_first.decode()},{without_proof}".encode()
        signature = hmac.digest(stored_key, message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        self.server_signature = hmac.digest(server_key, message, "sha256")
        return f"{without_proof},p={b64encode(proof).decode()}".encode()

    def run(self, session: SaslSession) -> Actor:
        """The whole exchange; checks the server's signature."""
        first = result_of(session.start(self.first()))
        assert isinstance(first, Challenge)
        last = result_of(session.step(self.final(first.data)))
        assert isinstance(last, Challenge)
        assert last.data == b"v=" + b64encode(self.server_signature)
        actor = result_of(session.step(b""))
        assert isinstance(actor, Actor)
        return actor
