"""No descriptors left: listeners wait without spinning, and go on when there are some again."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.faults.site import DRIVE, Site, message
from tests.kit.databases import Databases
from tests.server.cli import eventually

pytestmark = pytest.mark.slow
LIMIT = 120


def _exhaust(site: Site) -> list[socket.socket]:
    """More connections than the server has descriptors for, on all ports in turn."""
    made = []
    for _ in range(LIMIT // 3):
        for name in ("imap", "submission", "lmtp", "http", "imaps", "submissions", "https"):
            one = socket.create_connection(("127.0.0.1", site.ports[name]), 20)
            made.append(one)
    return made


def test_exhausted(databases: Databases, tmp_path: Path) -> None:
    """Who is connected goes on, nobody spins, and then everything is as before."""
    limits = "[limits]\nconnections_per_address = 1000\nlogin = 60\n"
    site = Site(tmp_path, url=databases.fresh("sqlite"), more=limits)
    # Few as shells give them, and more as the system allows.
    prefix = ("sh", "-c", f'ulimit -Sn {LIMIT // 2}; ulimit -Hn {LIMIT}; exec "$@"', "sh")
    with site.server(prefix=prefix) as server:
        process = psutil.Process(server.process.pid)
        assert process.rlimit(psutil.RLIMIT_NOFILE) == (LIMIT, LIMIT), "it takes what it may"
        client, web = site.imap("alice", "INBOX"), site.http("alice")
        client.append("INBOX", message("before"))
        connections = _exhaust(site)
        eventually(lambda: process.num_fds() >= LIMIT - 5)
        time.sleep(0.5)
        before, began = sum(process.cpu_times()[:2]), time.monotonic()
        time.sleep(2)
        spent = sum(process.cpu_times()[:2]) - before
        assert spent < 0.5 * (time.monotonic() - began), "it spins"
        # Small changes need no descriptor; large ones may be refused, clearly.
        client.append("INBOX", message("meanwhile"))
        large = message("large", 600_000)
        answer = client.cmd(b"APPEND INBOX {%d+}\r\n%b" % (len(large), large))
        assert answer.status == "OK" or answer.code == "UNAVAILABLE", answer
        assert web.request("PUT", DRIVE + "small", (), b"meanwhile").status == 201
        assert web.request("GET", DRIVE + "small").body == b"meanwhile"
        for one in connections:
            one.close()
        eventually(lambda: process.num_fds() < LIMIT / 2)
        site.works()
        assert client.ok("NOOP").status == "OK"
        assert server.text().count("\n") < 500, "it fills the log"
        site.ended(server)
    site.check()
