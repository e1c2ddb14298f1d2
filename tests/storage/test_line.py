"""The line in which jobs wait for threads."""

from __future__ import annotations

import queue
import threading
import time

import pytest

from folkmoot.storage.engine.line import Line
from folkmoot.storage.errors import ShuttingDown


class Worker(threading.Thread):
    """Notes what it takes; a job that is an event is waited for."""

    def __init__(self, line: Line[object]) -> None:
        super().__init__(daemon=True)
        self._line = line
        self.place: queue.SimpleQueue[object | None] = queue.SimpleQueue()
        self.done: list[object] = []
        self.start()

    def run(self) -> None:
        while (job := self._line.take(self.place)) is not None:
            if isinstance(job, threading.Event):
                job.wait(30)
            self.done.append(job)


def _until(condition: object) -> None:
    end = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.001)


def test_jobs_are_taken_in_their_order() -> None:
    """What came first is done first, by whoever is free."""
    line: Line[object] = Line()
    for number in range(100):
        line.put(number)
    worker = Worker(line)
    _until(lambda: len(worker.done) == 100)
    assert worker.done == list(range(100))
    line.close()


def test_the_last_to_wait_is_the_first_to_go_on() -> None:
    """One thread does what one thread can do: its caches are warm, and the others sleep on."""
    line: Line[object] = Line()
    workers = [Worker(line) for _ in range(3)]
    _until(lambda: len(line._waiting) == 3)
    last = line._waiting[-1]
    for number in range(50):
        line.put(number)
        _until(lambda: len(line._waiting) == 3)
    assert [len(one.done) for one in workers if one.place is last] == [50]
    assert sum(len(one.done) for one in workers) == 50
    line.close()


def test_a_busy_thread_keeps_nobody_waiting() -> None:
    """While one is at work, others take what comes."""
    line: Line[object] = Line()
    workers = [Worker(line) for _ in range(2)]
    held = threading.Event()
    line.put(held)
    line.put("quick")
    _until(lambda: any(one.done == ["quick"] for one in workers))
    held.set()
    line.close()
    for one in workers:
        one.join(30)
        assert not one.is_alive()


def test_closing_leaves_nothing_undone() -> None:
    """Jobs from before the end are done, later ones refused, and all threads end."""
    line: Line[object] = Line()
    for number in range(10):
        line.put(number)
    line.close()
    line.close()
    with pytest.raises(ShuttingDown):
        line.put("late")
    workers = [Worker(line) for _ in range(3)]
    for one in workers:
        one.join(30)
        assert not one.is_alive()
    assert sorted(job for one in workers for job in one.done) == list(range(10))  # type: ignore[type-var]


def test_many_at_once() -> None:
    """Whatever the threads do at the same time, each job is done once."""
    line: Line[object] = Line()
    workers = [Worker(line) for _ in range(4)]

    def give(start: int) -> None:
        for number in range(start, start + 2000):
            line.put(number)

    givers = [threading.Thread(target=give, args=(2000 * n,)) for n in range(3)]
    for giver in givers:
        giver.start()
    for giver in givers:
        giver.join()
    line.close()
    for one in workers:
        one.join(30)
    done = [job for one in workers for job in one.done]
    assert sorted(done) == list(range(6000))  # type: ignore[type-var]
