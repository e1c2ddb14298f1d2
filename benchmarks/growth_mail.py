"""What commands of mail cost as the mailbox grows."""

from __future__ import annotations

import itertools
import re
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks import fill, load
from benchmarks.growth_sized import ROUNDS, TIMES, milliseconds
from benchmarks.load import Failed, Imap
from benchmarks.serve import ServerProcess, address
from benchmarks.subjects import NORMAL, Measure, Measures, Subjects

SIZE = 1024
CHANGES = 10
PAGE = 50
_NUMBER = re.compile(rb"\[(UIDVALIDITY|HIGHESTMODSEQ) (\d+)\]")


class Mailboxes:
    """One server with one mailbox for each size."""

    def __init__(self, folder: Path, sizes: Sequence[int], stack: ExitStack) -> None:
        server = stack.enter_context(ServerProcess(folder, protocols=("imap",)))
        client = Imap(server.ports["imap"], address(0))
        for size in sizes:
            client.run(b"CREATE Grows%d" % size)
        client.close()
        server.stop()
        with fill.opened(folder / "data") as store:
            actor = fill.find_account(store, 0)
            for size in sizes:
                fill.add_messages(store, actor, f"Grows{size}", size, SIZE)
            fill.index(store)
        server.restart()
        self.servers = [server] * len(sizes)
        self.subjects = [OneMailbox(server, size) for size in sizes]


class OneMailbox:
    """The measurements on one of them."""

    def __init__(self, server: ServerProcess, size: int) -> None:
        self._server = server
        self._size = size
        self._name = f"Grows{size}"
        self._numbers = itertools.count(1)
        self._changes = itertools.count()

    def prepare(self) -> None:
        """Nothing is left to do."""

    def _imap(self, select: bool = True) -> Imap:
        return Imap(self._server.ports["imap"], address(0), self._name if select else None)

    def grow(self) -> Measures:
        """All of them."""
        reader, writer = self._imap(), self._imap()
        reader.run(b"ENABLE QRESYNC")
        yield milliseconds("APPEND", lambda: self._append(writer))
        yield Measure("NOOP that tells of a change", "ms", self._told(reader, writer), TIMES)
        yield milliseconds(f"FETCH of {PAGE} messages for a list", lambda: self._page(reader))
        for name, command in (
            ("SEARCH SUBJECT, nothing found", b"SEARCH SUBJECT nowhere"),
            ("SEARCH TEXT, nothing found", b"SEARCH TEXT nowhere"),
            ("SEARCH FLAGGED", b"SEARCH FLAGGED"),
        ):
            yield milliseconds(name, lambda command=command: reader.run(command))  # type: ignore[misc]
        sync = self._sync(reader, writer)
        yield Measure(f"SELECT with QRESYNC after {CHANGES} changes", "ms", sync, TIMES, warm=True)
        reader.close()
        writer.close()
        opening = Subjects(self._server, NORMAL).opening(self._name, self._size, TIMES)
        for name, one in zip(("SELECT, warm", "SELECT, cold"), opening, strict=True):
            yield replace(one, name=name)

    def _append(self, client: Imap) -> None:
        message = load.message(next(self._numbers), SIZE, address(0))
        client.run(b"APPEND %b {%d+}\r\n%b" % (self._name.encode(), len(message), message))

    def _page(self, client: Imap) -> None:
        first = next(self._numbers) * 37 % (self._size - PAGE) + 1
        items = b"(UID FLAGS ENVELOPE RFC822.SIZE)"
        client.run(b"FETCH %d:%d %b" % (first, first + PAGE - 1, items))

    def _change(self, client: Imap) -> None:
        number = next(self._changes)
        place = number * 37 % self._size + 1
        sign = b"+" if number // self._size % 2 == 0 else b"-"
        client.run(b"STORE %d %bFLAGS.SILENT (\\Flagged)" % (place, sign))

    def _told(self, reader: Imap, writer: Imap) -> Callable[[], float]:
        def work() -> float:
            times = []
            for _ in range(ROUNDS):
                self._change(writer)
                begin = time.perf_counter()
                answer = reader.ask(b"NOOP")
                times.append(time.perf_counter() - begin)
                if b" FETCH (" not in answer:
                    raise Failed("NOOP told of nothing")
            return statistics.median(times) * 1000

        return work

    def _sync(self, reader: Imap, writer: Imap) -> Callable[[], float]:
        def work() -> float:
            opened = dict(_NUMBER.findall(reader.ask(b"SELECT " + self._name.encode())))
            known = b"%b %b" % (opened[b"UIDVALIDITY"], opened[b"HIGHESTMODSEQ"])
            # Not while it is selected: what is told at once need not be synced.
            reader.run(b"UNSELECT")
            for _ in range(CHANGES):
                self._change(writer)
            begin = time.perf_counter()
            answer = reader.ask(b"SELECT %b (QRESYNC (%b))" % (self._name.encode(), known))
            seconds = time.perf_counter() - begin
            if (found := answer.count(b" FETCH (")) != CHANGES:
                raise Failed(f"QRESYNC told of {found} instead of {CHANGES} changes")
            return seconds * 1000

        return work
