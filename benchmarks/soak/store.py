"""A soak on one store, from the start of the server to ``folkmoot check``."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

from benchmarks.serve import ServerProcess
from benchmarks.soak.plants import PLANTS
from benchmarks.soak.report import Outcome
from benchmarks.soak.run import look_anew, work
from benchmarks.soak.watch import Watch, trend
from benchmarks.soak.world import directory, make_world, settle

_SMALL_CACHE = """
from folkmoot.storage.engine import sqlite
sqlite.connect.__defaults__ = (2 << 20,)
sqlite.READER_CACHE = 2 << 20
"""
"""SQLite's connections keep up to 80 MiB of pages of the database, which fill slowly. That would
hide a leak, so here they keep 2 MiB each, and are soon full."""
_LONGEST_CHECK = 3600


def soak(kind: str, url: str, folder: Path, arguments: argparse.Namespace) -> Outcome:
    """Run it."""
    world = make_world(arguments.people, arguments.pace, arguments.seed)
    server = ServerProcess(
        folder,
        protocols=("imap", "submission", "http"),
        workers=arguments.workers,
        config=f'[database]\nurl = "{url}"\n' if url else "",
        directory=directory(world),
        before=_SMALL_CACHE + PLANTS.get(arguments.plant, ""),
    )
    with server:
        watch = Watch(server.process, world.journal)

        async def all_of_it() -> None:
            await settle(world, server.ports)
            world.journal.second()
            await work(world, arguments.minutes * 60, watch.sample)
            await look_anew(world)

        asyncio.run(all_of_it())
        watch.sample()
    found = _check(folder)
    samples = watch.samples
    steady = trend(samples[:-1])  # the last one is from after the last looks
    people = len(world.people)
    return Outcome(kind, people, world.journal, samples, steady, found, _log(server))


def _log(server: ServerProcess) -> str:
    """What it has logged, but for what is known of PostgreSQL without its own packages."""
    lines = server.log.splitlines(keepends=True)
    return "".join(line for line in lines if "searching without trigrams" not in line)


def _check(folder: Path) -> str:
    """What ``folkmoot check --deep`` finds; "" is nothing."""
    program = "from folkmoot.server.main import main; main()"
    config = folder / "folkmoot.toml"
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", str(config), "check", "--deep"],
        capture_output=True,
        text=True,
        timeout=_LONGEST_CHECK,
        check=False,
    )
    return "" if done.returncode == 0 else f"{done.returncode}: {done.stdout}{done.stderr}"
