"""kill -9 in the middle of everything: what was acknowledged is there, and nothing half done."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.chance import ROUNDS, seed
from tests.faults.load import Load
from tests.faults.site import Site
from tests.kit.databases import Databases

HOLD = "[relay]\nhold = true\n"


@pytest.mark.slow
@pytest.mark.timeout(60 + 30 * ROUNDS)
def test_kill(databases: Databases, database_kind: str, tmp_path: Path) -> None:
    """Mail, flags, moves, the queue, files, folders and grants survive it, each exactly once."""
    number = seed()
    dice = random.Random(number)
    site = Site(tmp_path, url=databases.fresh(database_kind), more=HOLD)
    load = Load(site, number)
    for _ in range(ROUNDS):
        with site.server() as server:
            load.start()
            load.under_way()
            time.sleep(dice.uniform(0.1, 1.5))
            server.process.send_signal(signal.SIGKILL)
            load.join()
    assert load.count > 50 * ROUNDS, "the load was none"
    with site.server() as server:
        load.compare()
        site.works()
        site.ended(server)
    waiting = site.queued()
    assert set(waiting) >= load.queued
    assert len(waiting) == len(set(waiting)), "something was queued twice"
