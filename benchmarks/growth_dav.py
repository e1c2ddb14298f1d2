"""What requests cost as the calendar or the folder grows."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import davdata, fill
from benchmarks.davasks import (
    ABOUT,
    DEEP,
    FILE_LISTING,
    FLAT,
    ask,
    datas,
    events_multiget,
    events_query,
    responses,
    synced,
    token,
)
from benchmarks.davdata import MIDDLE_WEEK
from benchmarks.davload import Http
from benchmarks.davserve import ALL_TOOLS, CALENDAR, FILES, Folkmoot
from benchmarks.davsubjects import NORMAL, DavSubjects
from benchmarks.growth_sized import ROUNDS, TIMES, milliseconds
from benchmarks.subjects import Measure, Measures
from folkmoot.storage.types import Tool
from folkmoot.storage.types_tree import TreePath

SOME = 50
CHANGES = 10


def _filled(
    folder: Path,
    tool: str,
    sizes: Sequence[int],
    stack: ExitStack,
    items: Callable[[int], dict[str, bytes]],
) -> Folkmoot:
    """A server with a collection ``grows<size>`` for each size, filled while it does not run."""
    server = Folkmoot(folder)
    stack.enter_context(server)
    for size in sizes:
        server.make(tool, f"grows{size}")
    server.stop()
    kind = Tool.CALENDAR if tool == CALENDAR else Tool.DOCUMENTS
    with fill.opened(folder / "data") as store:
        actor = fill.find_account(store, 0)
        for size in sizes:
            path = TreePath(actor.space_id, kind, (f"grows{size}",))
            fill.add_items(store, actor, path, items(size))
    server.process.restart()
    return server


class Calendars:
    """One server with one calendar for each size.

    Larger ones reach further: a week has about as many events in each of them.
    """

    def __init__(self, folder: Path, sizes: Sequence[int], stack: ExitStack) -> None:
        def events(size: int) -> dict[str, bytes]:
            days = _days(size)
            return {f"event{n}.ics": davdata.event(n, str(size), 0, days) for n in range(size)}

        server = _filled(folder, CALENDAR, sizes, stack, events)
        self.servers = [server.process] * len(sizes)
        self.subjects = [OneCalendar(server, size) for size in sizes]


def _days(size: int) -> int:
    """That so many events are spread over."""
    return davdata.DAYS * size // NORMAL.members


class OneCalendar:
    """The measurements on one of them."""

    def __init__(self, server: Folkmoot, size: int) -> None:
        self._server = server
        self._size = size
        self._url = server.collection(CALENDAR, f"grows{size}")

    def prepare(self) -> None:
        """Nothing is left to do."""

    def grow(self) -> Measures:
        """All of them."""
        size, url = self._size, self._url
        days = _days(size)
        race = DavSubjects(self._server, NORMAL, ALL_TOOLS)
        change = race.change(url, str(size), days)
        yield Measure("PUT of a changed event", "ms", change, TIMES, warm=True)
        sync = race.change_and_sync(url, str(size), days)
        yield Measure(f"sync-collection after {CHANGES} changes", "ms", sync, TIMES, warm=True)
        client = Http(self._server.site)
        urls = [f"{url}event{n * (size // SOME)}.ics" for n in range(SOME)]
        found = davdata.events_in(size, MIDDLE_WEEK, days)
        for name, body, count in (
            (f"calendar-multiget of {SOME}", events_multiget(urls), SOME),
            ("calendar-query of a week, with data", events_query(MIDDLE_WEEK), found),
        ):
            work = _asking(client, "REPORT", url, body, count)
            yield milliseconds(name, work)
        yield Measure("(events of that week)", "events", lambda: found)
        client.close()


def _asking(client: Http, method: str, url: str, body: str, count: int) -> Callable[[], object]:
    check = datas(count) if method == "REPORT" else responses(count)
    headers = FLAT if count == 1 else DEEP
    return lambda: ask(client, method, url, body, headers, check)


class Folders:
    """One server with one folder for each size."""

    def __init__(self, folder: Path, sizes: Sequence[int], stack: ExitStack) -> None:
        def files(size: int) -> dict[str, bytes]:
            return {f"file{n}.bin": davdata.file(size * 1_000 + n) for n in range(size)}

        server = _filled(folder, FILES, sizes, stack, files)
        self.servers = [server.process] * len(sizes)
        self.subjects = [OneFolder(server, size) for size in sizes]


class OneFolder:
    """The measurements on one of them."""

    def __init__(self, server: Folkmoot, size: int) -> None:
        self._server = server
        self._size = size
        self._url = server.collection(FILES, f"grows{size}")
        self._numbers = itertools.count(1 << 24)

    def prepare(self) -> None:
        """Nothing is left to do."""

    def grow(self) -> Measures:
        """All of them."""
        url, places = self._url, self._places()
        with Http(self._server.site) as client:
            yield milliseconds("PUT of a changed file", lambda: self._put(client, next(places)))
            yield milliseconds(
                "GET of a file",
                lambda: client.run("GET", f"{url}file{next(places)}.bin", expect=(200,)),
            )
            yield milliseconds("PROPFIND Depth 0", _asking(client, "PROPFIND", url, ABOUT, 1))
            listing = _asking(client, "PROPFIND", url, FILE_LISTING, self._size + 1)

            def changed() -> float:
                self._put(client, next(places))
                listing()
                return client.seconds * 1000

            name = "PROPFIND Depth 1 after a change"
            yield Measure(name, "ms", changed, TIMES, warm=True)
            yield milliseconds("PROPFIND Depth 1, again", listing, 3)
            name = f"sync-collection after {CHANGES} changes"
            yield Measure(name, "ms", lambda: self._sync(client, places), TIMES, warm=True)

    def _places(self) -> Iterator[int]:
        return (number * 37 % self._size for number in itertools.count())

    def _put(self, client: Http, place: int) -> None:
        data = davdata.file(next(self._numbers))
        client.run("PUT", f"{self._url}file{place}.bin", data, expect=(201, 204))

    def _sync(self, client: Http, places: Iterator[int]) -> float:
        times = []
        for _ in range(ROUNDS // CHANGES):
            known = token(client.run("PROPFIND", self._url, ABOUT.encode(), FLAT))
            for _ in range(CHANGES):
                self._put(client, next(places))
            times.append(synced(client, self._url, known, CHANGES)[1])
        return statistics.median(times)
