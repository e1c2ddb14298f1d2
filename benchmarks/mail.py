"""Measures mail: ``python -m benchmarks.mail [--quick] [--json FILE] [only ...]``.

The server runs in its own process on a fresh folder; clients run in this one and wait for each
answer before they send the next request. Nothing is estimated or taken from elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import load
from benchmarks.load import Imap
from benchmarks.serve import MemoryWatch, ServerProcess, address, fsync_seconds

ACCOUNTS = 9
SIDE_BY_SIDE = 8
MESSAGE_SIZE = 4096
FULL = b"(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"
# What Thunderbird asks of new messages.
THUNDERBIRD = (
    b"(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID"
    b" Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])"
)
MIB = 1 << 20


@dataclass(frozen=True)
class Sizes:
    """How much is done in each measurement."""

    appends: int  # by one connection
    mailbox: int  # messages in the large mailbox, appended by eight connections
    moves: int
    deliveries: int
    logins: int
    idle: int  # connections
    pushes: int
    large: int  # messages of one MiB


NORMAL = Sizes(2000, 10_000, 1000, 1000, 500, 200, 100, 200)
QUICK = Sizes(400, 2000, 200, 200, 100, 50, 20, 40)


@dataclass(frozen=True)
class Result:
    """One line of the table. ``cpu`` is the server's processor time, as a share of one core."""

    name: str
    value: float
    unit: str
    cpu: float


class Bench:
    """Takes the measurements on a running server."""

    def __init__(self, server: ServerProcess, sizes: Sizes) -> None:
        self._server = server
        self._sizes = sizes
        self._port = server.ports["imap"]
        self.results: list[Result] = []

    def _timed(self, name: str, unit: str, work: Callable[[], tuple[float, float]]) -> None:
        """Measure; ``work`` returns an amount and the seconds that it took."""
        cpu = self._server.cpu()
        begin = time.perf_counter()
        amount, seconds = work()
        share = (self._server.cpu() - cpu) / (time.perf_counter() - begin)
        self.results.append(Result(name, amount / seconds, unit, share))

    def _command(self, name: str, amount: int, unit: str, client: Imap, command: bytes) -> None:
        def work() -> tuple[float, float]:
            begin = time.perf_counter()
            client.run(command)
            return amount, time.perf_counter() - begin

        self._timed(name, unit, work)

    # --- one method for each subject; the order matters ---------------------------------------

    def append(self) -> None:
        """APPEND of 4 KiB messages, by one connection and by eight."""
        opening = load.imap_login(address(0))
        with_one = Imap(self._port, address(0))
        for mailbox in ("One", "Large", "Target"):
            with_one.run(b"CREATE " + mailbox.encode())
        with_one.close()

        def race(mailbox: str, clients: int, count: int) -> tuple[float, float]:
            parts = [_messages(n, count // clients) for n in range(clients)]
            scripts = [load.append(mailbox, part) for part in parts]
            return count, load.race(self._port, scripts, opening)

        # What is done for the first time costs more once.
        load.race(self._port, [load.append("One", _messages(99, 50))], opening)
        sizes = self._sizes
        self._timed("APPEND, 1 connection", "/s", lambda: race("One", 1, sizes.appends))
        name = f"APPEND, {SIDE_BY_SIDE} connections"
        self._timed(name, "/s", lambda: race("Large", SIDE_BY_SIDE, sizes.mailbox))

    def metadata(self) -> None:
        """SELECT, FETCH of metadata, SEARCH, STORE and MOVE in the large mailbox."""
        count = self._sizes.mailbox
        client = Imap(self._port, address(0))

        def select() -> tuple[float, float]:
            times = 10
            begin = time.perf_counter()
            for _ in range(times):
                client.run(b"SELECT Large")
            return (time.perf_counter() - begin) / times * 1000, 1.0

        self._timed(f"SELECT of {count} messages", "ms", select)
        for name, items in (
            ("FETCH (UID FLAGS)", b"(UID FLAGS)"),
            ("FETCH all metadata", FULL),
            ("FETCH headers as Thunderbird", THUNDERBIRD),
        ):
            self._command(name, count, "messages/s", client, b"FETCH 1:* " + items)
        self._command("SEARCH SUBJECT", count, "messages/s", client, b"SEARCH SUBJECT nowhere")
        self._command("SEARCH TEXT", count, "messages/s", client, b"SEARCH TEXT nowhere")
        flag = rb"STORE 1:* +FLAGS.SILENT (\Flagged)"
        self._command("STORE 1:* +FLAGS.SILENT", count, "messages/s", client, flag)
        self._command("STORE 1:* +FLAGS", count, "messages/s", client, rb"STORE 1:* +FLAGS (\Seen)")
        moves = self._sizes.moves
        move = b"MOVE 1:%d Target" % moves
        self._command(f"MOVE of {moves}", moves, "messages/s", client, move)
        client.close()

    def bodies(self) -> None:
        """FETCH BODY.PEEK[] of small messages and of large ones."""
        client = Imap(self._port, address(0), "Large")

        def fetch() -> tuple[float, float]:
            begin = time.perf_counter()
            octets = client.run(b"FETCH 1:* BODY.PEEK[]")
            return octets / MIB, time.perf_counter() - begin

        self._timed("FETCH BODY[], 4 KiB messages", "MiB/s", fetch)
        client.run(b"CREATE Big")
        number = self._sizes.large
        big = load.append("Big", [load.message(n, MIB, address(0)) for n in range(number)])

        def store() -> tuple[float, float]:
            return number, load.race(self._port, [big], load.imap_login(address(0)))

        self._timed("APPEND of 1 MiB messages", "MiB/s", store)
        client.run(b"SELECT Big")
        with MemoryWatch(self._server) as memory:
            self._timed(f"FETCH BODY[], {number} of 1 MiB", "MiB/s", fetch)
        extra = memory.extra / MIB
        self.results.append(Result("  memory of the server meanwhile", extra, "MiB more", 0))
        client.close()

    def logins(self) -> None:
        """Connect and LOGIN: the first of an account, which hashes, and later ones."""
        people = range(1, ACCOUNTS)

        def first() -> tuple[float, float]:
            return len(people), sum(load.logins(address(n), self._port, 1) for n in people)

        self._timed("Logins, password hashed", "/s", first)
        count = self._sizes.logins
        again = lambda: (count, load.logins(address(1), self._port, count))  # noqa: E731
        self._timed("Logins, password remembered", "/s", again)

    def idle(self) -> None:
        """How soon IDLE tells of a new message, and what waiting connections cost."""
        reader = Imap(self._port, address(2), "INBOX")
        writer = Imap(self._port, address(2))
        times = []
        for number in range(self._sizes.pushes):
            reader.idle()
            message = load.message(number, MESSAGE_SIZE, address(2))
            begin = time.perf_counter()
            writer.run(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message))
            times.append(reader.wait(b" EXISTS") - begin)
            reader.done()
        for name, value in (("median", statistics.median(times)), ("slowest", max(times))):
            self.results.append(
                Result(f"IDLE: APPEND sent until EXISTS, {name}", value * 1000, "ms", 0)
            )
        before = self._server.resident()
        waiting = [Imap(self._port, address(2), "INBOX") for _ in range(self._sizes.idle)]
        for one in waiting:
            one.idle()
        each = (self._server.resident() - before) / len(waiting) / 1024
        name = f"Memory of an idle connection ({len(waiting)})"
        self.results.append(Result(name, each, "KiB", 0))
        for one in waiting:
            one.close()

    def delivery(self) -> None:
        """LMTP and submission, by one connection and by eight."""
        for title, protocol, person in (("LMTP", "lmtp", 3), ("Submission", "submission", 4)):
            for clients in (1, SIDE_BY_SIDE):
                self._send(title, protocol, person, clients)

    def _send(self, title: str, protocol: str, person: int, clients: int) -> None:
        count = self._sizes.deliveries
        sender, recipient = address(person), address(person + 1)
        lmtp = protocol == "lmtp"
        opening = load.LMTP_HELLO if lmtp else load.submission_login(sender)

        def race() -> tuple[float, float]:
            parts = [_messages(n, count // clients, sender) for n in range(clients)]
            scripts = [load.send(sender, recipient, part) for part in parts]
            return count, load.race(self._server.ports[protocol], scripts, opening)

        plural = "s" if clients > 1 else ""
        self._timed(f"{title}, {clients} connection{plural}", "/s", race)


# Idle first: later, a connection finds room in memory that others have left.
SUBJECTS = ("idle", "append", "metadata", "bodies", "logins", "delivery")


def _messages(series: int, count: int, sender: str = address(0)) -> list[bytes]:
    first = series * 1_000_000
    return [load.message(first + n, MESSAGE_SIZE, sender) for n in range(count)]


def facts(folder: Path) -> dict[str, str]:
    """What the numbers depend on."""
    cores = len(os.sched_getaffinity(0))
    return {
        "processor cores": str(cores),
        "fsync of 4 KiB": f"{fsync_seconds(folder) * 1000:.2f} ms",
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.mail", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to a file")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the fresh folder in here")
    parser.add_argument("only", nargs="*", help=f"of {', '.join(SUBJECTS)}; append comes first")
    arguments = parser.parse_args()
    unknown = set(arguments.only) - set(SUBJECTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return arguments


def _run(bench: Bench, only: list[str], console: Console) -> Iterator[str]:
    wanted = [name for name in SUBJECTS if not only or name in only or name == "append"]
    for name in wanted:
        with console.status(name):
            getattr(bench, name)()
        yield name


def main() -> None:
    """Measure, print the table, write the file."""
    arguments = _arguments()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(dir=arguments.data) as folder:
        known = facts(Path(folder))
        with ServerProcess(Path(folder) / "server", ACCOUNTS) as server:
            bench = Bench(server, QUICK if arguments.quick else NORMAL)
            for _ in _run(bench, arguments.only, console):
                pass
            log = server.log
    table = Table("what", "result", "unit", "server's processor")
    for one in bench.results:
        number = f"{one.value:,.0f}" if one.value >= 100 else f"{one.value:,.1f}"
        table.add_row(one.name, number, one.unit, f"{one.cpu:.0%}" if one.cpu else "")
    Console(width=100).print(*[f"{name}: {value}" for name, value in known.items()], sep="\n")
    Console(width=100).print(table)
    if arguments.json is not None:
        numbers = [{"name": r.name, "value": r.value, "unit": r.unit} for r in bench.results]
        arguments.json.write_text(json.dumps({"machine": known, "results": numbers}, indent=2))
    if log:
        console.print(f"The server has logged:\n{log}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
