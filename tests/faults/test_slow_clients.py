"""Clients that trickle, stop in the middle, or never read: bounded, and nobody else waits."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator

import psutil  # type: ignore[import-untyped]
import pytest

from tests.faults.site import DRIVE, OFFSETS, Site, address, message, password
from tests.kit.databases import Databases
from tests.kit.http import basic
from tests.kit.pace import patience
from tests.server.cli import Running, eventually

pytestmark = pytest.mark.slow
MIB = 2**20
ATTACKER = "127.0.0.66"  # everything on loopback; the others come from 127.0.0.1
EACH = 20  # connections of each kind of attack
PER_ADDRESS = 100
LOGIN_SECONDS = 15
HEAD_SECONDS = 20
MEMORY = 64 * MIB
HELLO = bytes.fromhex("160301020001")  # the first octets of a TLS handshake
LIMITS = f"[limits]\nlogin = {LOGIN_SECONDS}\nconnections_per_address = {PER_ADDRESS}\n"


@pytest.fixture(scope="module")
def site(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """With short patience for those who do not sign in."""
    folder = tmp_path_factory.mktemp("slow")
    return Site(folder, url=databases.fresh("sqlite"), more=LIMITS)


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[Running]:
    """Running; alice has large things to ask for."""
    with site.server() as server:
        client = site.imap("alice")
        for _ in range(4):
            client.append("INBOX", message("large", 8 * MIB))
        assert site.put("large", bytes(32 * MIB)).status == 201
        client.close()
        yield server
        site.ended(server)
    site.check()


class Attack:
    """Connections to one port that are sent ``lines``, wait for answers, and then trickle."""

    def __init__(self, site: Site, port: str, *lines: bytes, trickle: bytes = b"") -> None:
        self.port = port
        self._trickle = trickle
        self.sockets = [self._open(site.ports[port], lines) for _ in range(EACH)]

    def _open(self, port: int, lines: tuple[bytes, ...]) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", port), 20, (ATTACKER, 0))
        for line in lines:
            made.sendall(line)
            if line != lines[-1]:
                made.recv(65536)
        return made

    def drip(self) -> None:
        """One octet more on each connection."""
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.send(self._trickle or b"")

    @property
    def left(self) -> int:
        """Connections that the server has not closed."""
        return sum(not _closed(one) for one in self.sockets)

    def close(self) -> None:
        """Go away."""
        for one in self.sockets:
            one.close()


def _closed(one: socket.socket) -> bool:
    try:
        while select.select([one], [], [], 0)[0]:
            if not one.recv(65536):
                return True
    except OSError:
        return True
    return False


class Others:
    """Somebody who works meanwhile, from another address, and how long that takes at most."""

    def __init__(self, site: Site) -> None:
        self.slowest = 0.0
        self.count = 0
        self.failure: BaseException | None = None
        self._site = site
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._end.wait(0.1):
                began = time.monotonic()
                self._site.works("bob")
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.count += 1
        except BaseException as error:
            self.failure = error

    def stop(self) -> None:
        """They were served, all the time."""
        self._end.set()
        self._thread.join(60)
        assert self.failure is None, self.failure
        assert self.count > 3
        # Nobody waits for an attack to be over.
        assert self.slowest < LOGIN_SECONDS, f"one round of work took {self.slowest:.1f} seconds"


def _login(person: str) -> bytes:
    return f'a LOGIN {address(person)} "{password(person)}"\r\n'.encode()


def _get(path: str, more: str = "") -> bytes:
    login = basic(address("alice"), password("alice"))
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\n{more}\r\n".encode()


def _put(length: int) -> bytes:
    return _get(DRIVE + "half", f"Content-Length: {length}\r\n").replace(b"GET", b"PUT", 1)


def _lmtp(line: bytes) -> tuple[bytes, ...]:
    envelope = f"MAIL FROM:<a@example.net>\r\nRCPT TO:<{address('dave')}>\r\nDATA\r\n"
    return b"LHLO x\r\n", envelope.encode(), line


ENDING: tuple[tuple[str, tuple[bytes, ...], bytes], ...] = (
    # Those that do not sign in, or do not get to the end of a head, are closed in a short time.
    ("imap", (b"",), b""),
    ("imap", (b"a LOGIN x {5}\r\n",), b"y"),
    ("imaps", (HELLO,), b"\0"),
    ("submission", (b"E",), b"h"),
    ("http", (b"GET / HTTP/1.1\r\nHost: x\r\nX: ",), b"y"),
)
LASTING: tuple[tuple[str, tuple[bytes, ...], bytes], ...] = (
    # What somebody with a password, or a mail server, does slowly may take its time.
    ("imap", (_login("carol"), b"a APPEND INBOX {9000000+}\r\n" + b"x" * 65536), b"x"),
    ("imap", (_login("alice"), b"b SELECT INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\n"), b""),
    ("http", (_put(9_000_000) + bytes(65536),), b"x"),
    ("http", (_get(DRIVE + "large") * 5,), b""),
    ("lmtp", (*_lmtp(b"Subject: half\r\n\r\n"),), b"x"),
    ("lmtp", (b"NOOP\r\n" * 20_000,), b""),
    ("https", (HELLO,), b"\0"),
    ("submissions", (HELLO,), b"\0"),
)


def _attackers(process: psutil.Process) -> int:
    """How many connections the attacker has."""
    return sum(1 for one in process.net_connections() if one.raddr and one.raddr.ip == ATTACKER)


def test_slow_on_every_port(site: Site, server: Running) -> None:
    """All attacks at once: the others go on, memory is bounded, and those who may not stay go."""
    process = psutil.Process(server.process.pid)
    others = Others(site)
    eventually(lambda: others.count > 0 or others.failure is not None)
    before = process.memory_info().rss
    began = time.monotonic()
    lasting = [Attack(site, port, *lines, trickle=more) for port, lines, more in LASTING]
    # Two of them end soon: who sends nothing but NOOP, and who does not sign in.
    eventually(lambda: _attackers(process) >= EACH * (len(LASTING) - 2))
    ending = [Attack(site, port, *lines, trickle=more) for port, lines, more in ENDING]
    peak = 0
    while any(one.left for one in ending):
        for one in (*ending, *lasting):
            one.drip()
        peak = max(peak, process.memory_info().rss)
        assert time.monotonic() - began < HEAD_SECONDS + patience(15), [
            one.port for one in ending if one.left
        ]
        time.sleep(0.2)
    others.stop()
    assert peak - before < MEMORY, f"{(peak - before) / MIB:.0f} MB"
    for one in (*ending, *lasting):
        one.close()
    eventually(lambda: len(process.net_connections()) < 30)
    assert "Traceback" not in server.text()


@pytest.mark.parametrize("port", OFFSETS)
def test_thousands_from_one_address(site: Site, server: Running, port: str) -> None:
    """An address has its share of connections and no more; who comes from elsewhere is served."""
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    made = []
    for _ in range(600):
        with contextlib.suppress(OSError):
            one = socket.create_connection(("127.0.0.1", site.ports[port]), 20, (ATTACKER, 0))
            one.send(HELLO if port.endswith("s") else b"")
            made.append(one)
    site.works("bob")
    began = time.monotonic()
    eventually(lambda: _attackers(process) <= PER_ADDRESS)
    assert time.monotonic() - began < LOGIN_SECONDS
    assert process.memory_info().rss - before < MEMORY
    for one in made:
        one.close()
    eventually(lambda: len(process.net_connections()) < 30)
