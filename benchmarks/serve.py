"""Servers in processes of their own, on fresh folders: ``folkmoot serve``, and Dovecot."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

import psutil  # type: ignore[import-untyped]

from tests.kit import dovecot

HOST = "127.0.0.1"
DOMAIN = "example.test"
PASSWORD = dovecot.PASSWORD
START_SECONDS = 180.0  # however busy the machine is

_CONFIG = """\
[server]
hostname = "mail.example.test"
data_dir = "data"
directory = "directory.toml"
workers = {workers}
{listeners}
[log]
level = "warning"
file = "server.log"
[relay]
hold = true
[mail]
max_message_size = "128 MiB"
[limits]
connections_per_address = 10000
connections_per_account = 1000
"""
_LISTENER = """\
[[listener]]
protocol = "{protocol}"
port = {port}
"""


class Server(Protocol):
    """What is measured."""

    name: str
    ports: dict[str, int]

    def restart(self) -> None:
        """End it cleanly and start it on the same data."""

    def memory(self) -> int:
        """Octets of memory of all its processes; what they share counts once (PSS)."""

    def cpu(self) -> float | None:
        """Seconds of processor time that it has used, if that is known."""


class ServerProcess:
    """Starts with ``accounts`` people (``person0`` and so on); a context manager.

    ``ports`` has the port of each protocol; ``environment`` adds to that of the process, which has
    ``workers``, and ``config`` to its config file. ``directory`` is a directory file instead of one
    with these people, and ``before`` is Python that its process runs first. Raises
    ``RuntimeError`` when it does not come up.
    """

    name = "Folkmoot"
    durable = "the transaction is in SQLite with synchronous=FULL; large bodies are fsynced files"

    def __init__(
        self,
        folder: Path,
        accounts: int = 1,
        environment: Mapping[str, str] | None = None,
        protocols: Sequence[str] = ("imap", "lmtp", "submission"),
        workers: int = 1,
        *,
        config: str = "",
        directory: str = "",
        before: str = "",
    ) -> None:
        self.folder = folder
        self._before = before
        self._environment = {**os.environ, **(environment or {})}
        self.ports = dict(zip(protocols, _free_ports(len(protocols)), strict=True))
        listeners = "".join(
            _LISTENER.format(protocol=protocol, port=port) for protocol, port in self.ports.items()
        )
        folder.mkdir(parents=True, exist_ok=True)
        text = _CONFIG.format(listeners=listeners, workers=workers)
        (folder / "folkmoot.toml").write_text(text + config)
        people = "".join(
            f'[[account]]\naddress = "{address(number)}"\npassword = "{PASSWORD}"\n'
            for number in range(accounts)
        )
        text = directory or f'[[domain]]\nname = "{DOMAIN}"\n{people}'
        (folder / "directory.toml").write_text(text)
        self._launch()

    def _launch(self) -> None:
        command = [f"{self._before}\nfrom folkmoot.server.main import main; main()"]
        command += ["--config", str(self.folder / "folkmoot.toml"), "serve"]
        self._process = subprocess.Popen([sys.executable, "-c", *command], env=self._environment)
        self.process = psutil.Process(self._process.pid)

    def __enter__(self) -> ServerProcess:
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def restart(self) -> None:
        """End it cleanly and start it on the same data."""
        self.stop()
        self._launch()
        self.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        for port in self.ports.values():
            while True:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the server did not start; see {self.folder}/server.log")
                try:
                    socket.create_connection((HOST, port), 1).close()
                    break
                except ConnectionRefusedError:
                    time.sleep(0.05)

    def stop(self) -> None:
        """End it cleanly and wait for that."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    @property
    def log(self) -> str:
        """What it has logged: nothing, unless something went wrong."""
        file = self.folder / "server.log"
        return file.read_text() if file.exists() else ""

    def resident(self) -> int:
        """Its memory now (RSS), in octets."""
        return sum(one.memory_info().rss for one in self._processes())

    def memory(self) -> int:
        """Its memory now with its part of what it shares (PSS), in octets."""
        return sum(map(_proportional, self._processes()))

    def cpu(self) -> float:
        """Seconds of processor time that it has used."""
        times = [one.cpu_times() for one in self._processes()]
        return float(sum(each.user + each.system for each in times))

    def _processes(self) -> list[psutil.Process]:
        """It, and its workers if it has several."""
        return [self.process, *self.process.children()]


class DovecotProcess(dovecot.Dovecot):
    """Debian's Dovecot on a fresh folder, set up as its manual says for many logins.

    ``storage`` is ``sdbox`` or ``maildir``, and its name here.
    """

    # Counted with strace, of APPEND and of LMTP.
    _DURABLE: Mapping[str, str] = {
        "sdbox": "three fdatasyncs for each message: of two files and of a folder",
        "maildir": "one fdatasync, one fsync of the folder and about one of the index for each",
    }
    _MORE = """
service imap-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 2000
}
service lmtp {
  process_min_avail = 2
}
service auth {
  client_limit = 5000
}
service anvil {
  client_limit = 5000
}
"""

    def __init__(self, folder: Path, accounts: int, storage: str) -> None:
        people = [address(number) for number in range(accounts)]
        super().__init__(people, storage, more=self._MORE, parent=folder)
        self.name = storage
        self.durable = self._DURABLE[storage]

    def __enter__(self) -> DovecotProcess:
        self.start()
        return self

    def restart(self) -> None:
        """End it cleanly and start it on the same data."""
        self.stop()
        self.start()

    def memory(self) -> int:
        """The memory of all its processes, in octets."""
        first = psutil.Process(self.pid)
        return sum(map(_proportional, [first, *first.children(recursive=True)]))

    def cpu(self) -> None:
        """Not known: processes that have ended do not count any more."""


def _proportional(process: psutil.Process) -> int:
    try:
        pss: int = process.memory_full_info().pss
    except psutil.NoSuchProcess:
        return 0
    return pss


class MemoryWatch:
    """Samples the memory of a server while a block runs; ``extra`` is peak minus before."""

    def __init__(self, server: ServerProcess, interval: float = 0.01) -> None:
        self._server = server
        self._interval = interval
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.before = self.peak = 0

    def __enter__(self) -> MemoryWatch:
        self.before = self.peak = self._server.resident()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(self._interval):
            self.peak = max(self.peak, self._server.resident())

    @property
    def extra(self) -> int:
        """Octets of memory above what was there before."""
        return self.peak - self.before


def address(number: int) -> str:
    """The address of an account, which is its login name."""
    return f"person{number}@{DOMAIN}"


def drop_caches() -> bool:
    """Make the system forget the files that it holds in memory; False if it is not allowed."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        return False
    return True


def fsync_seconds(folder: Path, rounds: int = 200) -> float:
    """The median time of a 4 KiB write with fsync, in seconds."""
    file = folder / "fsync"
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY)
    try:
        times = []
        for number in range(rounds):
            begin = time.perf_counter()
            os.pwrite(descriptor, b"x" * 4096, number * 4096)
            os.fsync(descriptor)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)
    finally:
        os.close(descriptor)
        file.unlink()


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server((HOST, 0)) for _ in range(number)]
    try:
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
