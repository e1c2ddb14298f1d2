"""What one pays for the groups that one is in, and for others who are connected."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks import fill, groups, load
from benchmarks.davload import Site
from benchmarks.growth_sized import ROUNDS, TIMES, milliseconds
from benchmarks.load import Imap
from benchmarks.serve import PASSWORD, ServerProcess, address
from benchmarks.subjects import MESSAGE_SIZE, MIB, Measure, Measures
from folkmoot.auth.passwords import PasswordHasher
from folkmoot.config.directory import DEFAULT_PLAN
from folkmoot.storage.mutations.accounts import CreateAccount
from folkmoot.storage.mutations.groups import AddMember
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor, Tool
from folkmoot.storage.types_accounts import NewAccount
from folkmoot.storage.types_tree import TreePath

MEMBERS = COLLECTIONS = 20
#: Accounts that wait; each of them may have so many connections.
WAITING = 4
TELLING = 100


class Memberships:
    """A town of groups, and for each size somebody who is in so many of them."""

    def __init__(self, folder: Path, sizes: Sequence[int], stack: ExitStack) -> None:
        town = max(*sizes, MEMBERS)
        data = folder / "data"
        data.mkdir(parents=True, mode=0o700)
        store = fill.open_store(data)
        stack.callback(store.close)
        groups.fill(store, groups.Sizes(town, MEMBERS, COLLECTIONS))
        people = [_member(store, town + 1 + n, size) for n, size in enumerate(sizes)]
        server = ServerProcess(folder, 0, protocols=("imap", "http"))
        self.servers = [stack.enter_context(server)] * len(sizes)
        space = groups.find_group(store, 0).space_id
        self.subjects = [
            Member(server, store, actor, space if size else 0)
            for actor, size in zip(people, sizes, strict=True)
        ]


def _member(store: Store, number: int, size: int) -> Actor:
    secret = PasswordHasher(memory_kib=8, time_cost=1).hash(PASSWORD)
    new = NewAccount(address(number), f"In {size}", secret, None, DEFAULT_PLAN)
    fill.apply(store, CreateAccount(new))
    account = fill.find_account(store, number).account_id
    for group in range(size):
        fill.apply(store, AddMember(groups.find_group(store, group).id, account, {}))
    return fill.find_account(store, number)


class Member:
    """The measurements on one of them; ``space`` is that of a group, 0 of who is in none."""

    def __init__(self, server: ServerProcess, store: Store, actor: Actor, space: int) -> None:
        self._server = server
        self._store = store
        self._actor = actor
        self._space = space

    def prepare(self) -> None:
        """Nothing is left to do."""

    def grow(self) -> Measures:
        """All of them."""
        actor = self._actor
        imap = self._server.ports["imap"]
        site = Site(self._server.ports["http"], actor.name, PASSWORD)
        yield from _each(lambda: groups.session(imap, actor.name))
        yield from _each(lambda: groups.tree(site, actor.space_id))
        own = TreePath(actor.space_id, Tool.DOCUMENTS)
        for name, space in (("one's own", actor.space_id), ("a group's", self._space)):
            if space:
                work = partial(self._found, own, TreePath(space, Tool.DOCUMENTS))
                yield Measure(f"find {name} folder in a transaction", "ms", work, TIMES)

    def _found(self, own: TreePath, path: TreePath) -> float:
        return groups.decisions(self._store, self._actor, own, path)[1] * 1000


def _each(look: Callable[[], dict[str, float]]) -> Measures:
    """What a look has found, one by one: the first measurement takes them all."""
    found: list[dict[str, float]] = []
    first = look()

    def taken(name: str) -> Callable[[], float]:
        def work() -> float:
            if name == next(iter(first)):
                found.append(look())
            return statistics.median(one[name] for one in found) * 1000

        return work

    for name in first:
        yield Measure(name, "ms", taken(name), TIMES)


class Connections:
    """For each size a server with so many connections that wait in IDLE."""

    def __init__(self, folder: Path, sizes: Sequence[int], stack: ExitStack) -> None:
        self.servers = [
            stack.enter_context(ServerProcess(folder / str(size), WAITING + 1, protocols=("imap",)))
            for size in sizes
        ]
        self.subjects = [
            Waiting(server, size) for server, size in zip(self.servers, sizes, strict=True)
        ]
        for subject in self.subjects:
            stack.callback(subject.close)


class Waiting:
    """The measurements on one of them."""

    def __init__(self, server: ServerProcess, size: int) -> None:
        self._server = server
        self._size = size
        self._waiting: list[Imap] = []

    def prepare(self) -> None:
        """Connect those that wait."""
        port = self._server.ports["imap"]
        # What the first work of a server takes does not count.
        for _ in range(ROUNDS):
            Imap(port, address(1), "INBOX").close()
        self._before = self._server.memory()
        for number in range(self._size):
            one = Imap(port, address(1 + number % WAITING), "INBOX")
            one.idle()
            self._waiting.append(one)

    def close(self) -> None:
        """Let them go."""
        for one in self._waiting:
            one.close()

    def grow(self) -> Measures:
        """All of them."""
        port = self._server.ports["imap"]
        yield Measure("memory of the server", "MiB", lambda: self._server.memory() / MIB)
        reader, writer = Imap(port, address(0), "INBOX"), Imap(port, address(0))
        yield milliseconds("NOOP of another one", lambda: writer.run(b"NOOP"), 100)
        yield Measure("APPEND sent until EXISTS in IDLE", "ms", self._push(reader, writer), TIMES)
        yield Measure("connect, sign in, leave", "ms", self._login, TIMES, warm=True)
        reader.close()
        writer.close()
        # That of a few is lost in what else changes.
        if self._size >= TELLING:
            yield Measure("memory of each that waits", "KiB", self._each)

    def _each(self) -> float:
        return (self._server.memory() - self._before) / self._size / 1024

    def _login(self) -> float:
        return load.logins(address(0), self._server.ports["imap"], ROUNDS) / ROUNDS * 1000

    def _push(self, reader: Imap, writer: Imap) -> Callable[[], float]:
        numbers = itertools.count()

        def work() -> float:
            times = []
            for _ in range(ROUNDS):
                reader.idle()
                message = load.message(next(numbers), MESSAGE_SIZE, address(0))
                begin = time.perf_counter()
                writer.run(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message))
                times.append(reader.wait(b" EXISTS") - begin)
                reader.done()
            return statistics.median(times) * 1000

        return work
