"""Measures groups: ``python -m benchmarks.groups [--groups N] [--members N] [--collections N]``.

Many groups with many members and collections each, all in one store; then what it costs one person
who is in some of them, beside one who is in none: signing in, listing, one decision about rights,
and how long a door stays open for somebody who is taken out of a group.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.davload import Http, Site
from benchmarks.fill import SYSTEM, apply, find_account, open_store
from benchmarks.load import Imap, logins
from benchmarks.report import facts
from benchmarks.serve import DOMAIN, PASSWORD, ServerProcess, address
from folkmoot.auth.passwords import PasswordHasher
from folkmoot.config.directory import DEFAULT_PLAN
from folkmoot.storage.mutations.accounts import CreateAccount
from folkmoot.storage.mutations.domains import CreateDomain
from folkmoot.storage.mutations.groups import AddMember, CreateGroup, RemoveMember
from folkmoot.storage.mutations.tree_folders import CreateFolder
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Tool
from folkmoot.storage.types_accounts import NewAccount
from folkmoot.storage.types_groups import Group, NewGroup
from folkmoot.storage.types_tree import TreePath
from folkmoot.storage.views.groups import FindGroup
from folkmoot.storage.views.tree import FindPath

FIRST_FOLDERS = 15  # what a group has without anybody's doing
ROUNDS = 30
_PROPS = (
    b'<propfind xmlns="DAV:"><prop><displayname/><resourcetype/>'
    b"<current-user-privilege-set/></prop></propfind>"
)


@dataclass(frozen=True)
class Sizes:
    """How much of everything; there are as many people as groups."""

    groups: int
    members: int
    collections: int


def fill(store: Store, sizes: Sizes) -> None:
    """One person leads each group; its members are those who come next."""

    write = partial(apply, store)
    secret = PasswordHasher(memory_kib=8, time_cost=1).hash(PASSWORD)
    write(CreateDomain(DOMAIN))
    # The last one is in no group.
    for number in range(sizes.groups + 1):
        write(
            CreateAccount(
                NewAccount(address(number), f"Person {number}", secret, None, DEFAULT_PLAN)
            )
        )
    ids = [find_account(store, number).account_id for number in range(sizes.groups)]
    for number in range(sizes.groups):
        group = write(CreateGroup(NewGroup(_group(number), f"Group {number}", ids[number])))
        for more in range(1, sizes.members):
            write(AddMember(group, ids[(number + more) % sizes.groups], {}))
        leader = find_account(store, number)
        space = find_group(store, number).space_id
        store.call(leader, "fill", partial(_folders, space, sizes.collections - FIRST_FOLDERS))


def _folders(space: int, count: int, txn: Txn) -> None:
    root = txn.view(FindPath(TreePath(space, Tool.DOCUMENTS))).entry
    assert root is not None
    for number in range(count):
        txn.apply(CreateFolder(root.node.id, f"Folder {number}"))


def find_group(store: Store, number: int) -> Group:
    """A group by its number."""
    return store.call_read(SYSTEM, "find", lambda txn: txn.view(FindGroup(_group(number))))


def _group(number: int) -> str:
    return f"group{number}@{DOMAIN}"


def _median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds, the first one not counted."""
    work()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def decisions(store: Store, member: Actor, own: TreePath, groups: TreePath) -> tuple[float, float]:
    """Seconds of a transaction that finds a folder of one's own, and of a group."""

    def find(path: TreePath) -> object:
        return store.call_read(member, "find", lambda txn: txn.view(FindPath(path)))

    return _median(partial(find, own), 300), _median(partial(find, groups), 300)


def session(port: int, name: str) -> dict[str, float]:
    """What IMAP costs somebody, in seconds."""
    rounds = 20
    imap = Imap(port, name)
    found = {
        "IMAP: connect, sign in, leave": logins(name, port, rounds) / rounds,
        'IMAP: LIST "" "*"': _median(lambda: imap.run(b'LIST "" "*"')),
        "IMAP: LIST with STATUS": _median(
            lambda: imap.run(b'LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN UIDNEXT))')
        ),
    }
    imap.close()
    return found


def tree(site: Site, space: int) -> dict[str, float]:
    """What DAV costs somebody, in seconds."""
    http = Http(site)
    places = {
        "DAV: PROPFIND 1 of the calendar home": f"/dav/calendars/{space}/",
        "DAV: PROPFIND 1 of the address book home": f"/dav/contacts/{space}/",
        "DAV: PROPFIND 1 of Groups in the drive": "/dav/drive/Groups/",
    }
    found = {
        what: _median(partial(http.run, "PROPFIND", path, _PROPS, ["Depth: 1"]))
        for what, path in places.items()
    }
    http.close()
    return found


def revocation(store: Store, port: int, port_of_http: int, rounds: int) -> dict[str, float]:
    """Seconds from the commit of another process to the closed door, the worst of all."""
    idle, asked = [], []
    for number in range(rounds):
        name, member = address(number + 1), find_account(store, number + 1)
        found = find_group(store, number)
        imap = Imap(port, name, f'"Groups/{found.name}/INBOX"')
        imap.idle()
        http = Http(Site(port_of_http, name, PASSWORD))
        path = f"/dav/drive/Groups/{found.name.replace(' ', '%20')}/"
        http.run("PROPFIND", path, _PROPS, ["Depth: 0"])
        apply(store, RemoveMember(found.id, member.account_id))
        begin = time.perf_counter()
        http.run("PROPFIND", path, _PROPS, ["Depth: 0"], expect=(404,))
        asked.append(time.perf_counter() - begin)
        idle.append(imap.closed() - begin)
        imap.close()
        http.close()
    return {"to a closed IDLE (worst)": max(idle), "to DAV's 404 (worst)": max(asked)}


@contextmanager
def _serving(folder: Path) -> Iterator[ServerProcess]:
    with ServerProcess(folder, 0, protocols=("imap", "http")) as server:
        yield server


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.groups", description=__doc__)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--members", type=int, default=20)
    parser.add_argument("--collections", type=int, default=20)
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the fresh folder in here")
    arguments = parser.parse_args()
    sizes = Sizes(arguments.groups, arguments.members, arguments.collections)
    console = Console(width=120)
    with tempfile.TemporaryDirectory(dir=arguments.data) as name:
        folder = Path(name)
        known = facts(folder)
        data = folder / "data"
        data.mkdir(mode=0o700)
        store = open_store(data)
        begin = time.perf_counter()
        fill(store, sizes)
        filled = time.perf_counter() - begin
        middle, alone = find_account(store, sizes.groups // 2), find_account(store, sizes.groups)
        group = find_group(store, sizes.groups // 2)
        own, of_group = decisions(
            store,
            middle,
            TreePath(middle.space_id, Tool.DOCUMENTS),
            TreePath(group.space_id, Tool.DOCUMENTS),
        )
        with _serving(folder) as server:
            imap_port, http_port = server.ports["imap"], server.ports["http"]
            columns = []
            for actor in (alone, middle):
                of = Site(http_port, actor.name, PASSWORD)
                columns.append(session(imap_port, actor.name) | tree(of, actor.space_id))
            doors = revocation(store, imap_port, http_port, min(10, sizes.groups - 2))
        store.close()
    console.print(*[f"{what}: {value}" for what, value in known.items()], sep="\n")
    console.print(
        f"{sizes.groups} groups of {sizes.members} members with {sizes.collections} collections"
        f" each, filled in {filled:.0f} s"
    )
    table = Table("", "in no group", f"in {sizes.members} groups", title="milliseconds")
    table.add_row("find a folder: of one's own, of a group", _ms(own), _ms(of_group))
    for what in columns[0]:
        table.add_row(what, *[_ms(column[what]) for column in columns])
    console.print(table)
    for what, seconds in doors.items():
        console.print(f"from the removal of a member by another process {what}: {_ms(seconds)} ms")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"


if __name__ == "__main__":
    main()
