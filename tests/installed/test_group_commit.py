"""Commits that are shared, on a disk like those of most servers: needs a C compiler."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import load, slow_disk
from benchmarks.serve import ServerProcess, address

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

DELAY = 2.0  # milliseconds that each fsync takes longer
CLIENTS = 8
EACH = 25  # messages of a connection
ROUNDS = 12


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of its own whose disk takes its time."""
    environment = slow_disk.environment(tmp_path, DELAY)
    with ServerProcess(tmp_path / "server", 1, environment, ["imap"]) as server:
        yield server
        assert not server.log


def test_eight_connections_append_three_times_as_much_as_one(server: ServerProcess) -> None:
    """The best round of each counts, because other work on the machine only takes away."""
    numbers = itertools.count()

    def rate(clients: int) -> float:
        scripts = [
            load.append("INBOX", [load.message(next(numbers), 4096, "a") for _ in range(EACH)])
            for _ in range(clients)
        ]
        seconds = load.race(server.ports["imap"], scripts, load.imap_login(address(0)))
        return clients * EACH / seconds

    one = eight = 0.0
    for _ in range(ROUNDS):
        one, eight = max(one, rate(1)), max(eight, rate(CLIENTS))
        if eight >= 3 * one:
            break
    print(f"one connection {one:.0f}/s, eight {eight:.0f}/s, {eight / one:.1f} times")
    assert one < 1000 / DELAY  # the delay is there
    assert eight >= 3 * one, (one, eight)
