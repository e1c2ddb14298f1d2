"""What is measured: each subject yields its measurements in order, and prepares them between.

All but the first kind of a measurement can be repeated, so that servers take turns.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import load
from benchmarks.load import Imap
from benchmarks.serve import MemoryWatch, Server, ServerProcess, address, drop_caches

ACCOUNTS = 9
SIDE_BY_SIDE = 8
MESSAGE_SIZE = 4096
DELIVERY_SIZE = 2048
FULL = b"(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
# What Thunderbird asks of new messages.
THUNDERBIRD = (
    b"(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID"
    b" Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])"
)
MIB = 1 << 20
_AT_ONCE = 200  # messages of one APPEND where appending is not what is measured


@dataclass(frozen=True)
class Sizes:
    """How much is done in each measurement."""

    appends: int  # by one connection, each time
    mailbox: int  # messages in the large mailbox
    huge: int  # messages in the mailbox that is opened only
    moves: int
    deliveries: int
    logins: int
    idle: int  # connections
    pushes: int
    large: int  # messages of one MiB
    work: int  # cycles of mixed work of each connection
    times: int  # that a measurement is repeated, where it can be


NORMAL = Sizes(1000, 10_000, 100_000, 1000, 1000, 300, 500, 50, 100, 100, 5)
QUICK = Sizes(200, 2000, 5000, 200, 200, 100, 50, 20, 40, 20, 3)


@dataclass(frozen=True)
class Measure:
    """``work`` does it once and returns the result in ``unit``; ``lower`` is better in ms or KiB.

    With ``warm`` it is done once before it counts.
    """

    name: str
    unit: str
    work: Callable[[], float]
    times: int = 1
    warm: bool = False

    @property
    def lower(self) -> bool:
        return self.unit in ("ms", "KiB", "MiB more")


Measures = Iterator[Measure]


class Subjects:
    """The measurements on one running server; the large mailbox is there from the beginning."""

    def __init__(self, server: Server, sizes: Sizes) -> None:
        self._server = server
        self._sizes = sizes

    @property
    def _port(self) -> int:
        return self._server.ports["imap"]

    def _imap(self, person: int = 0, select: str | None = None) -> Imap:
        return Imap(self._port, address(person), select)

    def prepare(self) -> None:
        """Make the large mailbox, and go once through what costs more the first time."""
        client = self._imap()
        for mailbox in ("One", "Eight", "Large", "Mover", "Target"):
            client.run(b"CREATE " + mailbox.encode())
        self._fill(client, "Large", self._sizes.mailbox, MESSAGE_SIZE)
        client.close()
        load.race(self._port, [load.append("One", messages(99, 50))], load.imap_login(address(0)))

    @staticmethod
    def _fill(client: Imap, mailbox: str, count: int, size: int) -> None:
        for start in range(0, count, _AT_ONCE):
            batch = messages(2000 + start // _AT_ONCE, min(_AT_ONCE, count - start), size=size)
            parts = b"".join(b" {%d+}\r\n%b" % (len(one), one) for one in batch)
            client.run(b"APPEND " + mailbox.encode() + parts)

    def _command(self, name: str, client: Imap, command: bytes) -> Measure:
        def work() -> float:
            begin = time.perf_counter()
            client.run(command)
            return (time.perf_counter() - begin) * 1000

        return Measure(name, "ms", work, self._sizes.times, warm=True)

    # --- one method for each subject ----------------------------------------------------------

    def idle(self) -> Measures:
        """How soon IDLE tells of a new message, and what waiting connections cost."""
        # What was done before has left room in memory that connections would take.
        self._server.restart()
        reader, writer = self._imap(2, "INBOX"), self._imap(2)
        times: list[float] = []

        def pushes() -> float:
            for number in range(self._sizes.pushes):
                reader.idle()
                message = load.message(number, MESSAGE_SIZE, address(2))
                begin = time.perf_counter()
                writer.run(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message))
                times.append(reader.wait(b" EXISTS") - begin)
                reader.done()
            return statistics.median(times) * 1000

        yield Measure("IDLE: APPEND sent until EXISTS, median", "ms", pushes)
        yield Measure("IDLE: the same, slowest", "ms", lambda: max(times) * 1000)
        before = self._server.memory()
        waiting = [self._imap(2, "INBOX") for _ in range(self._sizes.idle)]
        for one in waiting:
            one.idle()

        def memory() -> float:
            return (self._server.memory() - before) / len(waiting) / 1024

        yield Measure(f"Memory of each of {len(waiting)} idle connections", "KiB", memory)
        for one in (*waiting, reader, writer):
            one.close()

    def append(self) -> Measures:
        """APPEND of 4 KiB messages, by one connection and by eight."""
        series = itertools.count()

        def race(mailbox: str, clients: int, count: int) -> float:
            parts = [messages(next(series), count // clients) for _ in range(clients)]
            scripts = [load.append(mailbox, part) for part in parts]
            return count / load.race(self._port, scripts, load.imap_login(address(0)))

        count, times = self._sizes.appends, self._sizes.times
        yield Measure("APPEND, 1 connection", "/s", lambda: race("One", 1, count), times)
        many = lambda: race("Eight", SIDE_BY_SIDE, 2 * count)  # noqa: E731
        yield Measure(f"APPEND, {SIDE_BY_SIDE} connections", "/s", many, times)

    def select(self) -> Measures:
        """SELECT of a large mailbox and of a huge one, when others did so before, and first."""
        times = self._sizes.times
        yield from self.opening("Large", self._sizes.mailbox, times)
        client = self._imap()
        client.run(b"CREATE Huge")
        self._fill(client, "Huge", self._sizes.huge, 1024)
        client.close()
        yield from self.opening("Huge", self._sizes.huge, min(3, times))

    def opening(self, mailbox: str, count: int, times: int) -> Measures:
        """SELECT of a mailbox of so many, when others did so before, and first."""

        def warm() -> float:
            client = self._imap(select=mailbox)
            begin = time.perf_counter()
            for _ in range(5):
                client.run(b"SELECT " + mailbox.encode())
            seconds = (time.perf_counter() - begin) / 5
            client.close()
            return seconds * 1000

        def cold() -> float:
            self._server.restart()
            drop_caches()
            client = self._imap()
            begin = time.perf_counter()
            client.run(b"SELECT " + mailbox.encode())
            seconds = time.perf_counter() - begin
            client.close()
            return seconds * 1000

        yield Measure(f"SELECT of {count:,}, warm", "ms", warm, times)
        yield Measure(f"SELECT of {count:,}, cold", "ms", cold, times)

    def metadata(self) -> Measures:
        """FETCH of metadata, SEARCH, SORT and THREAD in the large mailbox."""
        count = f"{self._sizes.mailbox:,}"
        client = self._imap(select="Large")
        for name, items in (
            ("(UID FLAGS)", b"(UID FLAGS)"),
            ("all metadata", FULL),
            ("headers as Thunderbird", THUNDERBIRD),
        ):
            yield self._command(f"FETCH of {count}: {name}", client, b"FETCH 1:* " + items)
        for name, command in (
            ("SEARCH SUBJECT", b"SEARCH SUBJECT nowhere"),
            ("SEARCH TEXT", b"SEARCH TEXT nowhere"),
            ("SORT (SUBJECT)", b"SORT (SUBJECT) UTF-8 ALL"),
            ("THREAD REFERENCES", b"THREAD REFERENCES UTF-8 ALL"),
        ):
            yield self._command(f"{name} in {count}", client, command)
        client.close()

    def changes(self) -> Measures:
        """STORE in the whole large mailbox, and MOVE."""
        count, times = self._sizes.mailbox, self._sizes.times
        client = self._imap(select="Large")

        def store(silent: bytes) -> float:
            seconds = 0.0
            for sign in (b"+", b"-"):
                command = b"STORE 1:* %bFLAGS%b (\\Flagged)" % (sign, silent)
                begin = time.perf_counter()
                client.run(command)
                seconds += time.perf_counter() - begin
            return 2 * count / seconds

        yield Measure(
            f"STORE 1:* FLAGS.SILENT of {count:,}", "/s", lambda: store(b".SILENT"), times
        )
        yield Measure(f"STORE 1:* FLAGS of {count:,}", "/s", lambda: store(b""), times)
        client.close()
        moves = self._sizes.moves

        def move() -> float:
            client = self._imap(select="Large")
            client.run(b"COPY 1:%d Mover" % moves)
            client.run(b"SELECT Mover")
            begin = time.perf_counter()
            client.run(b"MOVE 1:* Target")
            seconds = time.perf_counter() - begin
            client.close()
            return moves / seconds

        yield Measure(f"MOVE of {moves:,}", "/s", move, times)

    def bodies(self) -> Measures:
        """FETCH BODY.PEEK[]: one small message, many, and large ones."""
        client = self._imap(select="Large")
        numbers = itertools.count(1)

        def one() -> float:
            times = []
            for _ in range(200):
                number = next(numbers) * 37 % self._sizes.mailbox + 1
                begin = time.perf_counter()
                client.run(b"FETCH %d BODY.PEEK[]" % number)
                times.append(time.perf_counter() - begin)
            return statistics.median(times) * 1000

        def fetch() -> float:
            begin = time.perf_counter()
            octets = client.run(b"FETCH 1:* BODY.PEEK[]")
            return octets / MIB / (time.perf_counter() - begin)

        times = self._sizes.times
        yield Measure("FETCH BODY[] of one 4 KiB message", "ms", one, times, warm=True)
        yield Measure("FETCH BODY[] of all 4 KiB messages", "MiB/s", fetch, times, warm=True)
        client.run(b"CREATE Big")
        number = self._sizes.large
        big = [load.message(n, MIB, address(0)) for n in range(number)]

        def store() -> float:
            script = load.append("Big", big)
            return number / load.race(self._port, [script], load.imap_login(address(0)))

        yield Measure("APPEND of 1 MiB messages", "MiB/s", store)
        client.run(b"SELECT Big")
        if isinstance(self._server, ServerProcess):
            with MemoryWatch(self._server) as memory:
                fetch()
            extra = memory.extra / MIB
            name = f"Memory while {number} MiB are fetched"
            yield Measure(name, "MiB more", lambda: extra)
        yield Measure("FETCH BODY[] of 1 MiB messages", "MiB/s", fetch, times, warm=True)
        client.close()

    def logins(self) -> Measures:
        """Connect, LOGIN, and leave. The first login of an account may cost a password hash."""
        people = range(1, ACCOUNTS)
        if isinstance(self._server, ServerProcess):
            self._server.restart()

            def first() -> float:
                return len(people) / sum(load.logins(address(n), self._port, 1) for n in people)

            yield Measure("Logins, password hashed", "/s", first)
        count = self._sizes.logins
        again = lambda: count / load.logins(address(1), self._port, count)  # noqa: E731
        yield Measure("Logins", "/s", again, self._sizes.times, warm=True)

    def work(self) -> Measures:
        """Eight people at the same time, each in a mailbox of 200, as mail programs work."""
        people = range(1, SIDE_BY_SIDE + 1)
        for person in people:
            client = self._imap(person)
            client.run(b"CREATE Work")
            self._fill(client, "Work", 200, MESSAGE_SIZE)
            client.close()
        series = itertools.count()

        def mixed() -> float:
            cycles = self._sizes.work
            new = [messages(next(series), cycles) for _ in people]
            scripts = [load.work("Work", batch) for batch in new]
            openings = [
                [*load.imap_login(address(person)), b"select SELECT Work\r\n"] for person in people
            ]
            operations = load.WORK_OPERATIONS * cycles * len(scripts)
            return operations / load.race(self._port, scripts, *openings)

        name = f"Mixed work of {SIDE_BY_SIDE} people"
        yield Measure(name, "operations/s", mixed, self._sizes.times)

    def delivery(self) -> Measures:
        """LMTP, and submission where there is one, by one connection and by eight."""
        for title, protocol, person in (("LMTP", "lmtp", 3), ("Submission", "submission", 4)):
            if protocol in self._server.ports:
                for clients in (1, SIDE_BY_SIDE):
                    yield self._send(title, protocol, person, clients)

    def _send(self, title: str, protocol: str, person: int, clients: int) -> Measure:
        sender, recipient = address(person), address(person + 1)
        opening = load.LMTP_HELLO if protocol == "lmtp" else load.submission_login(sender)
        count = self._sizes.deliveries // clients
        series = itertools.count()

        def race() -> float:
            parts = [messages(next(series), count, sender, DELIVERY_SIZE) for _ in range(clients)]
            scripts = [load.send(sender, recipient, part) for part in parts]
            return count * clients / load.race(self._server.ports[protocol], scripts, opening)

        plural = "s" if clients > 1 else ""
        name = f"{title} of 2 KiB, {clients} connection{plural}"
        return Measure(name, "/s", race, self._sizes.times)


SUBJECTS = (
    "idle", "append", "metadata", "changes", "bodies", "work", "delivery", "logins", "select",
)  # fmt: skip


def messages(
    series: int, count: int, sender: str = address(0), size: int = MESSAGE_SIZE
) -> list[bytes]:
    """Messages that differ from those of another series."""
    first = series * 1_000_000
    return [load.message(first + n, size, sender) for n in range(count)]
