"""A disk that is full, read-only, forbidden, broken or slow: a clear no, and on when it is over."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import slow_disk
from tests.faults.attempts import Attempts, Writer
from tests.faults.preload import BROKEN, FORBIDDEN, FULL, READ_ONLY, Machine
from tests.faults.site import Site, message
from tests.kit.databases import Databases
from tests.server.cli import Running, eventually

pytestmark = pytest.mark.slow
SYNC = 0.7  # seconds that a sync of the slow disk takes
MIB = 2**20
DISK = 48 * MIB


def test_nothing_can_be_written(databases: Databases, tmp_path: Path, machine: Machine) -> None:
    """Full, read-only, broken: changes are refused, reads go on; then all is as before."""
    site = _site(databases, tmp_path)
    with site.server(env=machine.env) as server:
        attempts = Attempts(site)
        assert all(attempts.everything())
        for error in (FULL, READ_ONLY, BROKEN):
            with machine.disk(error, site.data):
                assert not any(attempts.everything())
                attempts.read()
            assert all(attempts.everything())
            if error == FULL:  # uploads that were broken off are gone
                assert not list((site.data / "blobs" / "incoming").iterdir())
        attempts.compare()
        _ended(site, server, attempts)


def test_no_files_can_be_made(databases: Databases, tmp_path: Path, machine: Machine) -> None:
    """Without the folder of large bodies, all that is small goes on."""
    site = _site(databases, tmp_path)
    with site.server(env=machine.env) as server:
        attempts = Attempts(site)
        assert all(attempts.everything())
        with machine.disk(FORBIDDEN, site.data / "blobs"):
            assert attempts.everything() == [True] * 8 + [False] * 4
            attempts.read()
        assert all(attempts.everything())
        attempts.compare()
        _ended(site, server, attempts)


def test_killed_on_a_full_disk(databases: Databases, tmp_path: Path, machine: Machine) -> None:
    """A crash while the disk is full loses nothing, and what was refused does not come back."""
    site = _site(databases, tmp_path)
    with site.server(env=machine.env) as server:
        attempts = Attempts(site)
        assert all(attempts.everything())
        with machine.disk(FULL, site.data):
            assert not any(attempts.everything())
            server.process.kill()
            server.process.wait(60)
    with site.server() as server:
        again = Attempts(site)
        again.done, again.refused = attempts.done, attempts.refused
        again.compare()
        assert all(again.everything())
        _ended(site, server, again)


@pytest.fixture
def small_disk(tmp_path: Path) -> Sequence[str]:
    """A command that puts a small file system under the data folder, and becomes another one."""
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    mount = f'mount -t tmpfs -o size={DISK} none "{tmp_path / "data"}"'
    (tmp_path / "data").mkdir(mode=0o700)
    if subprocess.run([*unshare, "sh", "-c", mount], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    return [*unshare, "sh", "-c", f'{mount} && exec "$@"', "sh"]


def test_a_file_system_fills_up(tmp_path: Path, small_disk: Sequence[str]) -> None:
    """A real one: people write until it is full, go on being refused, and then go on."""
    site = Site(tmp_path, more="[relay]\nhold = true\n")
    with site.server(prefix=small_disk) as server:
        inside = Path(f"/proc/{server.process.pid}/root{site.data}")
        writers = [Writer(site, number) for number in range(4)]
        eventually(lambda: all(one.since(True) >= 4 for one in writers))
        with (inside / "filler").open("wb", buffering=0) as filler:
            with contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(16 * 1024))
            eventually(lambda: all(one.since(False) >= 8 for one in writers))
        (inside / "filler").unlink()
        for one in writers:
            one.forget()
        eventually(lambda: all(one.since(True) >= 4 for one in writers))
        for one in writers:
            one.end()
        writers[0].attempts.read()
        for one in writers:
            one.attempts.compare()
        # The file system goes with the server: what a crash now would leave is looked at.
        server.process.send_signal(signal.SIGSTOP)
        shutil.copytree(inside, site.data, ignore=_sockets, dirs_exist_ok=True)
    site.check()


def _sockets(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if (Path(folder) / name).is_socket()}


def test_a_slow_disk(databases: Databases, tmp_path: Path) -> None:
    """Reads do not wait for a sync that takes most of a second, and many writes share one."""
    try:
        env = slow_disk.environment(tmp_path, SYNC * 1000)
    except slow_disk.NoCompiler:
        pytest.skip("there is no C compiler to build the slow disk with")
    site = _site(databases, tmp_path)
    with site.server(env=env) as server:
        clients = [site.imap("alice", "INBOX") for _ in range(20)]
        reader = site.imap("bob", "INBOX")
        began = time.monotonic()
        octets = message("slow", 2000)
        tags = [c.start(b"APPEND INBOX {%d+}\r\n%b" % (len(octets), octets)) for c in clients]
        for _ in range(10):
            reader.ok("STATUS INBOX (MESSAGES)")
        answered, _, _ = select.select([c.socket for c in clients], [], [], 0)
        assert len(answered) < len(clients), "all syncs were waited for"
        assert {c.finish(tag).status for c, tag in zip(clients, tags, strict=True)} == {"OK"}
        assert SYNC < time.monotonic() - began < len(clients) * SYNC / 2, "one sync each"
        tag = clients[0].start(b"APPEND INBOX {%d+}\r\n%b" % (len(octets), octets))
        site.ended(server)
        stored = clients[0].finish(tag).status == "OK" if not clients[0].at_end() else False
    with site.server() as server:
        found = site.imap("alice").ok("STATUS INBOX (MESSAGES)").lines[0]
        assert (b"MESSAGES 21" in found) if stored else (b"MESSAGES 2" in found), found
        site.ended(server)
    site.check()


def _site(databases: Databases, folder: Path) -> Site:
    # In the data folder, because all of it is on the disk that fails.
    (folder / "data").mkdir(mode=0o700)
    path = databases.fresh("sqlite").removeprefix("sqlite:///")
    shutil.copy(path, folder / "data" / "folkmoot.db")
    return Site(folder, more="[relay]\nhold = true\n")


def _ended(site: Site, server: Running, attempts: Attempts) -> None:
    attempts.close()
    site.ended(server)
    site.check()
