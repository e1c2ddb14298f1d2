"""What is measured of DAV: each subject yields its measurements in order, and prepares between."""

from __future__ import annotations

import itertools
import statistics
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import davdata
from benchmarks.davasks import (
    ABOUT,
    CALDAV,
    CARDDAV,
    DEEP,
    FILE_LISTING,
    FLAT,
    LISTING,
    ask,
    datas,
    events_multiget,
    events_query,
    responses,
    synced,
    time_range,
    token,
)
from benchmarks.davdata import DAYS, MONTH, PART, WEEK
from benchmarks.davload import Http, race
from benchmarks.davserve import CALENDAR, CONTACTS, FILES, SIDE_BY_SIDE, TYPES, DavServer
from benchmarks.load import Failed
from benchmarks.subjects import MIB, Measure, Measures


@dataclass(frozen=True)
class Sizes:
    """How much is done in each measurement."""

    puts: int  # in each time
    members: int  # of the calendar and of the address book
    few: int  # members of the small calendar, to see how costs grow
    multiget: int
    requests: int  # of what is quick, each time
    files: int  # of 1 KiB that are put and got, each time
    folders: tuple[int, int]  # files in each
    large: int  # MiB
    times: int  # that a measurement is repeated, where it can be


NORMAL = Sizes(200, 2000, 200, 500, 20, 200, (1000, 10_000), 256, 3)
LARGE = Sizes(200, 10_000, 1000, 500, 20, 200, (1000, 10_000), 256, 3)
QUICK = Sizes(40, 400, 40, 100, 5, 50, (100, 500), 32, 1)

_BUSY = "a month's free-busy"


class DavSubjects:
    """The measurements on one running server."""

    def __init__(self, server: DavServer, sizes: Sizes, tools: Collection[str]) -> None:
        """``tools`` are those that something is prepared for."""
        self._server = server
        self._tools = server.tools.intersection(tools)
        self._sizes = sizes
        self._series = itertools.count()

    def prepare(self) -> None:
        """Make the collections, and go once through what costs more the first time."""
        server, sizes = self._server, self._sizes
        if CALENDAR in self._tools:
            for name, count in (("few", sizes.few), ("many", sizes.members)):
                url = server.make(CALENDAR, name)
                server.seed(CALENDAR, url, _events(range(count), name))
                synced(Http(server.site), url, "", count)
        if CONTACTS in self._tools:
            url = server.make(CONTACTS, "book")
            server.seed(CONTACTS, url, _contacts(range(sizes.members)))
            synced(Http(server.site), url, "", sizes.members)

    # --- one method for each subject --------------------------------------------------------------

    def put(self) -> Measures:
        """PUT of new events into an empty calendar, by one connection and by eight."""
        if CALENDAR not in self._server.tools:
            return
        for clients in (1, SIDE_BY_SIDE):
            plural = "s" if clients > 1 else ""
            name = f"PUT of events, {clients} connection{plural}"
            yield Measure(name, "/s", self._putting(CALENDAR, clients), self._sizes.times)

    def _putting(self, tool: str, clients: int) -> Callable[[], float]:
        server, count = self._server, self._sizes.puts if tool == CALENDAR else self._sizes.files

        def work() -> float:
            series = f"put{next(self._series)}"
            url = server.make(tool, series)
            data = _events(range(count), series) if tool == CALENDAR else _files(range(count))
            requests = server.put_requests(tool, url, data)
            batches = [requests[start::clients] for start in range(clients)]
            return count / race(server.site, batches, server.warm(url), (201,))

        return work

    def growth(self) -> Measures:
        """What a PUT and a sync cost in a small calendar and in a large one."""
        if CALENDAR not in self._server.tools:
            return
        for name, count in (("few", self._sizes.few), ("many", self._sizes.members)):
            url = self._server.collection(CALENDAR, name)
            changing, syncing = self.change(url, name), self.change_and_sync(url, name)
            yield Measure(f"PUT of a changed event among {count:,}", "ms", changing, 3, warm=True)
            title = f"sync-collection after 10 changes of {count:,}"
            yield Measure(title, "ms", syncing, self._sizes.times, warm=True)

    def change(self, url: str, series: str, days: int = DAYS) -> Callable[[], float]:
        """Put ten events anew; the median of their milliseconds."""

        def work() -> float:
            times = []
            with Http(self._server.site) as client:
                for number in range(10):
                    revision = next(self._series)
                    data = davdata.event(number * 3 + 1, series, revision, days)
                    path = f"{url}event{number * 3 + 1}.ics"
                    client.run("PUT", path, data, [TYPES[CALENDAR]], (200, 201, 204))
                    times.append(client.seconds)
            return statistics.median(times) * 1000

        return work

    def change_and_sync(self, url: str, series: str, days: int = DAYS) -> Callable[[], float]:
        """Put ten events anew and learn of that; the milliseconds of the latter."""
        change = self.change(url, series, days)

        def work() -> float:
            with Http(self._server.site) as client:
                known = token(client.run("PROPFIND", url, ABOUT.encode(), FLAT))
                change()
                return synced(client, url, known, 10)[1]

        return work

    def listing(self) -> Measures:
        """PROPFIND and the first sync of the large calendar."""
        if CALENDAR not in self._server.tools:
            return
        url, count = self._server.collection(CALENDAR, "many"), self._sizes.members
        times = self._sizes.times
        with Http(self._server.site) as client:

            def about() -> float:
                return statistics.median(
                    ask(client, "PROPFIND", url, ABOUT, FLAT, responses(1))
                    for _ in range(self._sizes.requests)
                )

            def members() -> float:
                check = responses(count + 1)
                return ask(client, "PROPFIND", url, LISTING, DEEP, check)

            change = self.change(url, "many")

            def changed() -> float:
                change()
                return members()

            def first() -> float:
                return synced(client, url, "", count)[1]

            yield Measure(f"PROPFIND Depth 0 of {count:,} events", "ms", about, times, warm=True)
            again = f"PROPFIND Depth 1 of {count:,} events, again"
            yield Measure(f"PROPFIND Depth 1 of {count:,} events", "ms", changed, times, warm=True)
            yield Measure(again, "ms", members, times, warm=True)
            yield Measure(f"first sync of {count:,} events", "ms", first, times, warm=True)

    def events(self) -> Measures:
        """Multiget, a week with data, and free-busy of the large calendar."""
        if CALENDAR not in self._server.tools:
            return
        url, count = self._server.collection(CALENDAR, "many"), self._sizes.members
        times, several = self._sizes.times, self._sizes.multiget
        step = count // several
        multiget = events_multiget(f"{url}event{n * step}.ics" for n in range(several))
        week = events_query(WEEK)
        busy = f"<C:free-busy-query {CALDAV}>{time_range(MONTH)}</C:free-busy-query>"
        in_week, spans = davdata.events_in(count, WEEK), davdata.busy_in(count, MONTH)

        def check_busy(answer: bytes) -> None:
            if davdata.busy_told(answer) != spans:
                raise Failed("other busy times than there are")

        with Http(self._server.site) as client:
            for name, body, check, expect in (
                (f"calendar-multiget of {several}", multiget, datas(several), 207),
                (f"a week with data ({in_week}) of {count:,}", week, datas(in_week), 207),
                (f"{_BUSY} of {count:,}", busy, check_busy, 200),
            ):
                work = self._asking(client, url, body, check, expect)
                yield Measure(name, "ms", work, times, warm=True)

    def _asking(
        self, client: Http, url: str, body: str, check: Callable[[bytes], None], expect: int = 207
    ) -> Callable[[], float]:
        return lambda: ask(client, "REPORT", url, body, DEEP, check, expect)

    def contacts(self) -> Measures:
        """Text query and multiget in the address book."""
        if CONTACTS not in self._server.tools:
            return
        url, count = self._server.collection(CONTACTS, "book"), self._sizes.members
        several = self._sizes.multiget
        step = count // several
        hrefs = "".join(f"<href>{url}contact{n * step}.vcf</href>" for n in range(several))
        wanted = "<prop><getetag/><C:address-data/></prop>"
        multiget = f"<C:addressbook-multiget {CARDDAV}>{wanted}{hrefs}</C:addressbook-multiget>"
        query = (
            f"<C:addressbook-query {CARDDAV}>{wanted}"
            '<C:filter><C:prop-filter name="FN"><C:text-match collation="i;unicode-casemap" '
            f'match-type="contains">{PART}</C:text-match></C:prop-filter></C:filter>'
            "</C:addressbook-query>"
        )
        found = davdata.contacts_with_part(count)
        with Http(self._server.site) as client:
            for name, body, check in (
                (f"text query ({found}) of {count:,} contacts", query, datas(found)),
                (f"addressbook-multiget of {several}", multiget, datas(several)),
            ):
                work = self._asking(client, url, body, check)
                yield Measure(name, "ms", work, self._sizes.times, warm=True)

    def files(self) -> Measures:
        """PUT and GET of files of 1 KiB, by one connection and by eight."""
        if FILES not in self._server.tools:
            return
        for clients in (1, SIDE_BY_SIDE):
            plural = "s" if clients > 1 else ""
            name = f"PUT of 1 KiB files, {clients} connection{plural}"
            yield Measure(name, "/s", self._putting(FILES, clients), self._sizes.times)
        server, count = self._server, self._sizes.files
        url = server.make(FILES, "get")
        server.seed(FILES, url, _files(range(count)))
        requests = [server.site.request("GET", url + name) for name in _files(range(count))]

        def getting(clients: int) -> Callable[[], float]:
            batches = [requests[start::clients] for start in range(clients)]
            return lambda: count / race(server.site, batches, server.warm(url), (200,))

        for clients in (1, SIDE_BY_SIDE):
            plural = "s" if clients > 1 else ""
            name = f"GET of 1 KiB files, {clients} connection{plural}"
            yield Measure(name, "/s", getting(clients), self._sizes.times, warm=True)

    def large(self) -> Measures:
        """One large file up and down, and the memory that this takes."""
        if FILES not in self._server.tools:
            return
        server, size = self._server, self._sizes.large
        url = server.homes[FILES] + "large.bin"
        block = davdata.file(1, MIB)
        memory: dict[str, float] = {}

        def up() -> float:
            with Http(server.site) as client, _Memory(server) as used:
                seconds = client.upload(url, block, size)
            memory["up"] = used.extra / MIB
            return size / seconds

        def down() -> float:
            with Http(server.site) as client, _Memory(server) as used:
                seconds = client.download(url, size * MIB)
            memory["down"] = used.extra / MIB
            return size / seconds

        for title, work, key in (("PUT", up, "up"), ("GET", down, "down")):
            yield Measure(f"{title} of {size} MiB", "MiB/s", work, self._sizes.times)
            name = f"memory while {size} MiB go {key}"
            yield Measure(name, "MiB more", lambda key=key: memory[key])  # type: ignore[misc]
        with Http(server.site) as client:
            client.run("DELETE", url, expect=(200, 204))

    def folders(self) -> Measures:
        """PROPFIND of folders, and COPY, MOVE and DELETE of one."""
        if FILES not in self._server.tools:
            return
        server, times = self._server, self._sizes.times
        for count in self._sizes.folders:
            url = server.make(FILES, f"folder{count}")
            server.seed(FILES, url, _files(range(count)))
            check = responses(count + 1)
            with Http(server.site) as client:
                work = lambda url=url, check=check, client=client: ask(  # noqa: E731
                    client, "PROPFIND", url, FILE_LISTING, DEEP, check
                )
                yield Measure(f"PROPFIND of {count:,} files, again", "ms", work, times, warm=True)
        count = self._sizes.folders[0]
        source = server.collection(FILES, f"folder{count}")
        names = itertools.count()
        made: list[str] = []

        def next_made() -> str:
            if not made:
                raise Failed("there is no copy")
            return made.pop(0)

        def transfer(method: str, source: str) -> float:
            target = server.collection(FILES, f"{method.lower()}{next(names)}")
            where = f"Destination: http://127.0.0.1:{server.site.port}{target}"
            with Http(server.site) as client:
                client.run(method, source, None, [where, "Depth: infinity"], (201,))
                made.append(target)
                return client.seconds * 1000

        def delete() -> float:
            url = next_made()
            with Http(server.site) as client:
                client.run("DELETE", url, expect=(200, 204))
                return client.seconds * 1000

        yield Measure(f"COPY of {count:,} files", "ms", lambda: transfer("COPY", source), times)
        yield Measure(
            f"MOVE of {count:,} files", "ms", lambda: transfer("MOVE", next_made()), times
        )
        yield Measure(f"DELETE of {count:,} files", "ms", delete, times)


#: The subjects, and of which tool each is.
SUBJECTS = {
    "put": CALENDAR,
    "listing": CALENDAR,
    "growth": CALENDAR,
    "events": CALENDAR,
    "contacts": CONTACTS,
    "files": FILES,
    "large": FILES,
    "folders": FILES,
}


class _Memory:
    """Samples the anonymous memory of a server; ``extra`` is the peak minus that before."""

    def __init__(self, server: DavServer) -> None:
        self._server = server
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._before = self._peak = 0

    def __enter__(self) -> _Memory:
        self._before = self._peak = self._server.anonymous_memory()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(0.02):
            self._peak = max(self._peak, self._server.anonymous_memory())

    @property
    def extra(self) -> int:
        """Octets more than before."""
        return self._peak - self._before


def _events(numbers: Sequence[int], series: str) -> Mapping[str, bytes]:
    return {f"event{n}.ics": davdata.event(n, series) for n in numbers}


def _contacts(numbers: Sequence[int]) -> Mapping[str, bytes]:
    return {f"contact{n}.vcf": davdata.contact(n) for n in numbers}


def _files(numbers: Sequence[int]) -> Mapping[str, bytes]:
    return {f"file{n}.bin": davdata.file(n) for n in numbers}
