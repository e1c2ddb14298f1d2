"""kill -9 in the middle of everything: what was acknowledged is there, and nothing half done."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.faults.chance import ROUNDS, seed
from tests.faults.load import Load
from tests.faults.site import Site
from tests.kit.databases import Databases
from tests.server.cli import Running, eventually

# Databases, and how many processes serve.
KINDS = [("sqlite", 1), ("postgres", 2)]
if ROUNDS > 2:
    KINDS += [("sqlite", 2), ("postgres", 1)]
LEAST = 50  # changes before a crash
HOLD = "[relay]\nhold = true\n"


@pytest.mark.slow
@pytest.mark.timeout(400 + 60 * ROUNDS)
@pytest.mark.parametrize(("kind", "workers"), KINDS)
def test_kill(databases: Databases, tmp_path: Path, kind: str, workers: int) -> None:
    """Mail, flags, moves, the queue, files, folders and grants survive it, each exactly once."""
    number = seed()
    dice = random.Random(number)
    site = Site(tmp_path, url=databases.fresh(kind), more=HOLD, workers=workers)
    load = Load(site, number)
    for _ in range(ROUNDS):
        with site.server() as server:
            load.start()
            load.under_way()
            eventually(lambda count=load.count: load.count > count + LEAST)  # type: ignore[misc]
            time.sleep(dice.uniform(0.0, 0.5))
            if workers > 1:  # first one of them, and a moment later all
                dice.choice(_workers(server)).kill()
                time.sleep(dice.uniform(0.1, 1.0))
            ending = _workers(server)
            for process in (server.process, *ending):
                process.kill()
            eventually(lambda ending=ending: all(map(_gone, ending)))  # type: ignore[misc]
            load.join()
    with site.server() as server:
        load.compare()
        site.works()
        site.ended(server)
    waiting = site.queued()
    assert set(waiting) >= load.queued
    assert len(waiting) == len(set(waiting)), "something was queued twice"


def _gone(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return True


def _workers(server: Running) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(server.process.pid).children()
    return found
