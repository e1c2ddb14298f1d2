"""Several processes on one SQLite file: they take turns at writing and tell each other."""

from __future__ import annotations

import contextlib
import queue
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.storage.bus.neighbours import Neighbours
from folkmoot.storage.bus.wire import decode_hints
from folkmoot.storage.engine import sqlite
from folkmoot.storage.engine.db import Db, Statement
from folkmoot.storage.engine.sqlite import SqliteDatabase, connect
from folkmoot.storage.types import Hint, Topic
from tests.kit.waiting import until
from tests.storage.engine_kit import Request

_INSERT = Statement("INSERT INTO t (n) VALUES (:n)")
LOOK = 0.05  # seconds


class Process:
    """An engine as one process has it, and what it hears."""

    def __init__(self, path: Path) -> None:
        self.heard: queue.SimpleQueue[list[Hint]] = queue.SimpleQueue()
        self.engine = SqliteDatabase(path, self.heard.put)

    def insert(self, number: int) -> Request:
        """Begin to write a row; its hint has the same number."""

        def work(db: Db) -> tuple[None, list[Hint]]:
            db.run(_INSERT, n=number)
            return None, [Hint(Topic.COLLECTION, number, 1)]

        request = Request(work)
        self.engine.write(request)
        return request

    def all_heard(self) -> list[Hint]:
        """What it heard so far, in order."""
        found: list[Hint] = []
        while not self.heard.empty():
            found += self.heard.get()
        return found


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with one table, deeper than a socket's path may be."""
    monkeypatch.setattr(sqlite, "FOREIGN_WRITE_POLL", LOOK)
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    path = folder / "test.db"
    connection = connect(str(path))
    connection.execute("CREATE TABLE t (n INTEGER)")
    connection.close()
    return path


@pytest.fixture
def pair(path: Path) -> Iterator[tuple[Process, Process]]:
    """Two of them."""
    pair = (Process(path), Process(path))
    yield pair
    for one in pair:
        one.engine.close()


def test_commits_are_told(pair: tuple[Process, Process]) -> None:
    """What one process commits the other hears of, just that, and need not look at everything."""
    here, there = pair
    wanted: list[Hint] = []
    # Now and then it looks between the commit and the word of it, and then does look at all.
    for number in range(1, 20):
        here.insert(number).done.result(60)
        wanted.append(Hint(Topic.COLLECTION, number, 1))
        while there.heard.get(timeout=60) != wanted[-1:]:
            pass
        with contextlib.suppress(queue.Empty):
            there.heard.get(timeout=LOOK * 4)
            continue
        break
    assert number < 19
    assert here.all_heard() == wanted


def test_foreign_writes_are_seen(pair: tuple[Process, Process], path: Path) -> None:
    """A program that tells nobody makes everybody look at everything."""
    foreign = sqlite3.connect(path)
    foreign.execute("INSERT INTO t VALUES (1)")
    foreign.commit()
    foreign.close()
    for one in pair:
        assert one.heard.get(timeout=60) == [Hint(Topic.ALL, 0)]


def test_turns(pair: tuple[Process, Process], path: Path) -> None:
    """Two processes that write as much as they can lose nothing and fail nobody."""
    requests = [one.insert(number) for number in range(300) for one in pair]
    for request in requests:
        request.done.result(60)
    reader = sqlite3.connect(path)
    assert reader.execute("SELECT COUNT(*), COUNT(DISTINCT n) FROM t").fetchone() == (600, 300)
    reader.close()
    until(lambda: all(one.heard.qsize() for one in pair))
    wanted = {Hint(Topic.COLLECTION, number, 1) for number in range(300)}
    seen: list[set[Hint]] = [set(), set()]

    def complete() -> bool:
        for mine, one in zip(seen, pair, strict=True):
            mine.update(one.all_heard())
        return all(mine >= wanted for mine in seen)

    until(complete)


def test_a_neighbour_that_is_busy_hears_later(tmp_path: Path) -> None:
    """What a full socket does not take waits, and comes when there is room."""
    teller = Neighbours(tmp_path / "bus", lambda hints: None)
    slow = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    slow.bind(str(tmp_path / "bus" / "slow.sock"))
    slow.settimeout(60)
    number = 0
    while not teller.pass_on():
        number += 1
        teller.tell([Hint(Topic.COLLECTION, number)])
    teller.tell([Hint(Topic.COLLECTION, number + 1)])
    found: set[int] = set()
    while len(found) < number + 1:
        found.update(hint.id for hint in decode_hints(slow.recv(8192).decode()))
        teller.pass_on()
    assert not teller.pass_on()
    slow.close()
    teller.close()


def test_too_much_becomes_everything(tmp_path: Path) -> None:
    """What waits for a neighbour that takes nothing is bounded."""
    teller = Neighbours(tmp_path / "bus", lambda hints: None)
    stuck = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stuck.bind(str(tmp_path / "bus" / "stuck.sock"))
    stuck.settimeout(60)
    for number in range(3000):
        teller.tell([Hint(Topic.COLLECTION, number)])
    found: list[Hint] = []
    while teller.pass_on() or not found or found[-1].topic is not Topic.ALL:
        found += decode_hints(stuck.recv(8192).decode())
    assert len(found) < 2000
    stuck.close()
    teller.close()


def test_who_is_gone_is_forgotten(tmp_path: Path) -> None:
    """The socket of a process that was killed is removed by whoever finds it."""
    left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    teller = Neighbours(tmp_path / "bus", lambda hints: None)
    left.bind(str(tmp_path / "bus" / "1-dead.sock"))
    left.close()
    teller.tell([Hint(Topic.COLLECTION, 1)])
    assert not (tmp_path / "bus" / "1-dead.sock").exists()
    teller.close()
    assert not list((tmp_path / "bus").iterdir())


def test_threads_end(path: Path) -> None:
    """Closing an engine leaves no thread behind."""
    before = threading.active_count()
    one = Process(path)
    one.engine.close()
    assert threading.active_count() == before
