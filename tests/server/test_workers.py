"""A server of several processes: one service to clients, and no process that others die of."""

from __future__ import annotations

import imaplib
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.kit.databases import Databases
from tests.kit.pace import patience
from tests.kit.ports import free_base
from tests.server.cli import Running, eventually, run, running

pytestmark = pytest.mark.slow
COUNT = 2
MESSAGE = b"From: a@example.org\r\nSubject: hello\r\n\r\nhello\r\n"
DIRECTORY = """
[[domain]]
name = "example.org"

[[account]]
address = "ada@example.org"
password = "correct horse"
"""


class Server:
    """A server of ``COUNT`` processes."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.base = free_base(143, 0)
        self.config = folder / "folkmoot.toml"
        self.config.write_text(
            '[server]\nhostname = "mail.example.org"\ndata_dir = "data"\n'
            f'directory = "directory.toml"\nworkers = {COUNT}\n[database]\nurl = "{database}"\n'
            '[passwords]\nargon2_memory = "64 KiB"\nscram_iterations = 4096\n'
            '[[listener]]\nprotocol = "imap"\naddress = "127.0.0.1"\n'
            f"port = {self.base + 143}\n"
        )
        (folder / "directory.toml").write_text(DIRECTORY)
        self.running: Running

    def workers(self) -> list[psutil.Process]:
        """The processes that serve."""
        found: list[psutil.Process] = psutil.Process(self.running.process.pid).children()
        return found

    def up(self, times: int = COUNT) -> None:
        """Wait until so many processes have begun to listen."""
        self.running.wait_for("listening", times)

    def client(self, password: str = "correct horse", name: str = "ada") -> imaplib.IMAP4:
        """A new connection, signed in."""
        client = imaplib.IMAP4("127.0.0.1", self.base + 143, timeout=60)
        client.login(f"{name}@example.org", password)
        return client

    def process_of(self, client: imaplib.IMAP4) -> int:
        """Which process serves a connection."""
        port = client.sock.getsockname()[1]
        for worker in self.workers():
            with suppress(psutil.NoSuchProcess):  # one that ends just now
                theirs = worker.net_connections()
                if any(one.raddr and one.raddr.port == port for one in theirs):
                    return int(worker.pid)
        raise AssertionError("nobody serves it")

    def clients(self) -> dict[int, imaplib.IMAP4]:
        """One connection to each process, by its number."""
        found: dict[int, imaplib.IMAP4] = {}
        end = time.monotonic() + patience(30)
        while len(found) < COUNT:
            assert time.monotonic() < end, "one process gets all connections"
            # Several at a time: the process that is busy with one leaves the next to another.
            with ThreadPoolExecutor(8) as pool:
                made = list(pool.map(lambda _: self.client(), range(8)))
            for client in made:
                if found.setdefault(self.process_of(client), client) is not client:
                    client.logout()
        return found


@pytest.fixture(params=["sqlite", "postgres"])
def server(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[Server]:
    """A server with one account, that runs."""
    server = Server(tmp_path, databases.fresh(request.param))
    with running(tmp_path / "out", "-c", server.config, "serve") as process:
        server.running = process
        server.up()
        yield server


def _idle(client: imaplib.IMAP4) -> None:
    client.select()
    client.send(b"x IDLE\r\n")
    assert client.readline().startswith(b"+")


def test_one_service(server: Server) -> None:
    """A change made in one process is pushed at once to sessions in all others, with SQLite too;
    what the command line does reaches all of them; the end is clean."""
    clients = server.clients()
    first, *others = clients.values()
    for client in others:
        _idle(client)
    first.append("INBOX", None, None, MESSAGE)
    for client in others:
        assert b"1 EXISTS" in client.readline()
    words = ("account", "passwd", "ada@example.org", "--password-stdin")
    changed = run("-c", server.config, *words, stdin="battery staple")
    assert changed.returncode == 0, changed.stderr
    for client in others:
        while not (line := client.readline()).startswith(b"* BYE"):
            assert line, "closed without a word"
    for client in [server.client("battery staple") for _ in range(6)]:
        client.logout()
    _reload(server)
    assert server.running.stop() == 0
    assert "Traceback" not in server.running.text()


def _reload(server: Server) -> None:
    """SIGHUP reaches the processes: whoever is new in the directory file signs in anywhere."""
    bob = '\n[[account]]\naddress = "bob@example.org"\npassword = "correct horse"\n'
    with (server.folder / "directory.toml").open("a") as file:
        file.write(bob)
    server.running.hup()
    server.running.wait_for("reloading", COUNT)

    def known() -> bool:
        try:
            server.client(name="bob").logout()
        except imaplib.IMAP4.error:
            return False
        return True

    eventually(known)


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_a_process_that_dies(server: Server) -> None:
    """The others go on, it comes again, and it serves again; so with the one that leads. Whoever
    looks after them is not outlived."""
    for leads in (False, True):
        clients = server.clients()
        number = min(clients) if leads else max(clients)
        psutil.Process(number).send_signal(signal.SIGKILL)
        for process, client in clients.items():
            if process != number:
                assert client.noop()[0] == "OK"
        eventually(lambda: len(server.workers()) == COUNT)
        server.up(COUNT + 1 + leads)
        assert number not in server.clients()
    assert server.running.text().count("a worker ended") == 2
    # When the supervisor is killed, its workers end, and give the ports free.
    workers = server.workers()
    server.running.process.kill()
    gone, alive = psutil.wait_procs(workers, timeout=patience(20))
    assert not alive
    assert len(gone) == COUNT
