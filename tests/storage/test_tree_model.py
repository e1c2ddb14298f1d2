"""Random histories of two spaces against nested dictionaries, and clients that follow by sync."""

from __future__ import annotations

import copy
import itertools
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from folkmoot.storage.blobs.fs import digest
from folkmoot.storage.errors import (
    AlreadyExists,
    Conflict,
    MissingParent,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    StorageError,
    Unchangeable,
)
from folkmoot.storage.types_tree import Folder, TreePath
from tests.storage.test_tree_sync import Client, state
from tests.storage.tree_kit import DOCUMENTS, RED, World

Names = tuple[str, ...]
Place = tuple[int, Names]
Draw = tuple[int, int, Names]
#: One of the spaces, something that is in it, and perhaps a name below that.
PLACES = st.tuples(
    st.integers(0, 1), st.integers(0, 20), st.sampled_from([(), ("a",), ("b",), ("\u00e9",)])
)
LIMITS = st.sampled_from([None, 1, 2, 3, 10])
MOST = 40  # nodes that are copied together: copies of copies would grow without end
EXAMPLES = {"sqlite": 40, "postgres": 12}
_numbers = itertools.count(1)


@dataclass
class Node:
    """A file with its octets, or a folder (``body`` None) with members by name in NFC."""

    name: str
    body: bytes | None = None
    red: str | None = None
    members: dict[str, Node] = field(default_factory=dict)

    def paths(self) -> list[Names]:
        """Of all that is in it, itself first."""
        below = [(n.name, *path) for n in self.members.values() for path in n.paths()]
        return [(), *below]

    def count(self) -> int:
        return 1 + sum(node.count() for node in self.members.values())

    def size(self) -> int:
        return len(self.body or b"") + sum(node.size() for node in self.members.values())

    def files(self) -> int:
        return (self.body is not None) + sum(node.files() for node in self.members.values())


def nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


class Refused(Exception):
    """What the model says that the store must raise."""

    def __init__(self, kind: type[StorageError]) -> None:
        self.kind = kind


class Model:
    """Two spaces of plain dictionaries, with the rules of the tree."""

    def __init__(self) -> None:
        self.roots = [Node(""), Node("")]

    def find(self, space: int, names: Names) -> Node | None:
        node: Node | None = self.roots[space]
        for name in names:
            node = node.members.get(nfc(name)) if node is not None else None
        return node

    def parent(self, space: int, names: Names) -> Node | None:
        """The folder above; None where none is there, and for a root."""
        above = self.find(space, names[:-1]) if names else None
        return above if above is not None and above.body is None else None

    def put(self, space: int, names: Names, body: bytes) -> None:
        above, node = self.parent(space, names), self.find(space, names)
        if node is not None and node.body is None:
            raise Refused(AlreadyExists)
        if above is None:
            raise Refused(MissingParent)
        if node is None:
            node = above.members[nfc(names[-1])] = Node(names[-1])
        node.body = body

    def make(self, space: int, names: Names) -> None:
        above, node = self.parent(space, names), self.find(space, names)
        if node is not None:
            raise Refused(AlreadyExists)
        if above is None:
            raise Refused(MissingParent)
        above.members[nfc(names[-1])] = Node(names[-1])

    def delete(self, space: int, names: Names) -> None:
        if self.find(space, names) is None:
            raise Refused(NotFound)
        above = self.parent(space, names)
        if above is None:
            raise Refused(Unchangeable)
        del above.members[nfc(names[-1])]

    def set(self, space: int, names: Names, red: str | None) -> None:
        node = self.find(space, names)
        if node is None:
            raise Refused(NotFound)
        node.red = red

    def transfer(self, moves: bool, source: Place, target: Place, overwrite: bool) -> bool:
        """Copy or move; whether something was replaced."""
        node, names = self.find(*source), target[1]
        above, there = self.parent(*target), self.find(*target)
        if node is None:
            raise Refused(NotFound)
        if above is None:
            raise Refused(MissingParent if names else Unchangeable)
        if there is node:
            if not moves or there.name == names[-1]:
                raise Refused(PermissionDenied)
            there = None
        if there is not None and not overwrite:
            raise Refused(PreconditionFailed)
        if there is not None and _within(source, target):
            raise Refused(Conflict)
        if moves and not source[1]:
            raise Refused(Unchangeable)
        if node.body is None and _within((target[0], names[:-1]), source):
            raise Refused(Conflict)
        new = node
        if moves:
            self.delete(*source)
        else:
            new = copy.deepcopy(node)
        new.name = names[-1]
        above.members[nfc(names[-1])] = new
        return there is not None


def _within(place: Place, above: Place) -> bool:
    """Whether a place is another one or lies below it."""
    ours, others = [*map(nfc, place[1])], [*map(nfc, above[1])]
    return place[0] == above[0] and ours[: len(others)] == others


def machine(world: World) -> type[RuleBasedStateMachine]:
    """The histories of one database; each has two new accounts."""

    class Histories(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.people = [world.person(f"p{next(_numbers)}") for _ in range(2)]
            self.model = Model()
            self.clients = [Client(person) for person in self.people]

            for space in (0, 1):
                for path in (("a",), ("b",), ("a", "e\u0301")):
                    self.make_(space, path)
                    self.put_(space, (*path, "f"), b"0")

        def place(self, draw: Draw) -> Place:
            space, number, more = draw
            paths = self.model.roots[space].paths()
            return space, (*paths[number % len(paths)], *more)

        def at(self, space: int, names: Names) -> TreePath:
            return TreePath(self.people[space].space, DOCUMENTS, names)

        def put_(self, space: int, names: Names, body: bytes) -> None:
            call = self.people[0].tree.put(self.at(space, names), body, "")
            self.same(call, lambda: self.model.put(space, names, body))

        def make_(self, space: int, names: Names) -> None:
            call = self.people[0].tree.make(self.at(space, names))
            self.same(call, lambda: self.model.make(space, names))

        def same(self, deferred: Any, expect: Any) -> None:
            """The store and the model do the same thing with the same outcome."""
            try:
                expected = expect()
            except Refused as refusal:
                expected = refusal.kind
            (result,) = world.pump.wait(deferred)
            if isinstance(expected, type):
                assert type(result) is expected, (result, expected)
            else:
                assert not isinstance(result, BaseException), result
                assert expected is None or result is expected

        @rule(place=PLACES, body=st.binary(max_size=3))
        def put(self, place: Draw, body: bytes) -> None:
            self.put_(*self.place(place), body)

        @rule(place=PLACES)
        def make(self, place: Draw) -> None:
            self.make_(*self.place(place))

        @rule(place=PLACES)
        def delete(self, place: Draw) -> None:
            where = self.place(place)
            call = self.people[0].tree.delete(self.at(*where))
            self.same(call, lambda: self.model.delete(*where))

        @rule(place=PLACES, red=st.sampled_from([None, "<red/>", "<r/>"]))
        def set(self, place: Draw, red: str | None) -> None:
            where = self.place(place)
            call = self.people[0].tree.set_properties(self.at(*where), {RED: red})
            self.same(call, lambda: self.model.set(*where, red))

        @rule(moves=st.booleans(), draws=st.tuples(PLACES, PLACES), overwrite=st.booleans())
        def transfer(self, moves: bool, draws: tuple[Draw, Draw], overwrite: bool) -> None:
            source, goal = self.place(draws[0]), self.place(draws[1])
            node = self.model.find(*source)
            if node is not None and node.count() > MOST:
                return
            tree = self.people[0].tree
            go = tree.move if moves else tree.copy
            call = go(self.at(*source), self.at(*goal), overwrite=overwrite)
            self.same(call, lambda: self.model.transfer(moves, source, goal, overwrite))

        @rule(place=PLACES)
        def begin(self, place: Draw) -> None:
            """Another client starts to follow a folder."""
            space, names = self.place(place)
            node = self.model.find(space, names)
            if node is not None and node.body is None:
                self.clients.append(Client(self.people[space], self.at(space, names)))

        @rule(number=st.integers(0, 9), limit=LIMITS)
        def sync(self, number: int, limit: int | None) -> None:
            """One request of one client; its folder may be gone."""
            client = self.clients[number % len(self.clients)]
            try:
                client.step(limit)
            except NotFound:
                self.clients.remove(client)

        def teardown(self) -> None:
            """Everything is as in the model, and the clients find out."""
            shown: dict[int, dict[str, str]] = {}
            for space, person in enumerate(self.people):
                self.compare(self.at(space, ()), self.model.roots[space], shown)
                root = self.model.roots[space]
                assert person.usage() == (root.size(), root.files())
            for client in self.clients:
                if client.folder in shown:
                    client.follow(2)
                    assert client.known == shown[client.folder]

        def compare(self, path: TreePath, node: Node, shown: dict[int, dict[str, str]]) -> None:
            person = self.people[0]
            shown[person.folder(path).id] = state(person, path)
            entries = person.members(path, limit=3)
            expected = {each.name: each for each in node.members.values()}
            assert {entry.node.name for entry in entries} == set(expected)
            for entry in entries:
                one = expected[entry.node.name]
                assert entry.properties.get(RED) == one.red
                if isinstance(entry.node, Folder):
                    assert one.body is None
                    self.compare(path.below(entry.node.name), one, shown)
                else:
                    assert one.body is not None
                    assert entry.node.etag == digest(one.body)[:16].hex()

    return Histories


def test_random_histories(world: World, database_kind: str) -> None:
    """The store and the model agree in every outcome and in the end, and so do the clients."""
    run_state_machine_as_test(
        machine(world),
        settings=settings(
            max_examples=EXAMPLES[database_kind],
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
