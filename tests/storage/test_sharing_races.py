"""What is taken away in the middle of something: all of it is done, or nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from folkmoot.sharing.rights import READ, WRITE
from folkmoot.storage.errors import NotFound, PermissionDenied, StorageError
from folkmoot.storage.mutations.grants import Share
from folkmoot.storage.mutations.groups import AddMember, RemoveMember, SetMemberRights
from folkmoot.storage.mutations.item_grants import ShareItem, UnshareItem
from folkmoot.storage.mutations.messages import AppendMessages, MoveMessages
from folkmoot.storage.mutations.tree_items import CreateItem, RemoveItem, ReplaceItem
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, FlagSet, NewMessage, Tool, UidSet
from folkmoot.storage.types_tree import TreePath
from folkmoot.storage.views.mailboxes import ListMailboxes
from folkmoot.storage.views.tree import FindPath
from tests.kit.messages import simple
from tests.storage.accounts_kit import apply
from tests.storage.test_groups import FILE, World, world

__all__ = ["world"]
MESSAGES = 30
ALL = UidSet.from_ranges([(1, 0xFFFF_FFFF)])


def _boxes(world: World, who: str, space: int) -> dict[str, tuple[int, int]]:
    """Number and messages of mailboxes by name."""
    found = world.store.call_read(
        world[who], "test", lambda txn: txn.view(ListMailboxes(space, world.id(who)))
    )
    return {info.name: (info.id, info.messages) for info in found}


def _together(*works: Callable[[], object]) -> list[Exception | None]:
    """Run each in a thread of its own at the same time; what each has raised."""
    outcomes: list[Exception | None] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(number: int, work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except Exception as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _do(world: World, actor: Actor, mutation: Any) -> Callable[[], object]:
    return lambda: world.store.call(actor, "test", lambda txn: txn.apply(mutation))


def test_a_member_is_removed_in_the_middle_of_a_move(world: World) -> None:
    """Everything has come over, or nothing has left the group; never a part."""
    write = dict.fromkeys(Tool, WRITE)
    for round_ in range(8):
        apply(world.store, SetMemberRights(world.group, world.id("bob"), write))
        mailbox, before = _boxes(world, "alice", world.space)["INBOX"]
        content = world.store.prepare(simple(f"round {round_}"))
        new = tuple(NewMessage(content, FlagSet(), datetime.now(UTC)) for _ in range(MESSAGES))
        _do(world, world["alice"], AppendMessages(mailbox, new))()
        own = world["bob"].space_id
        target, there = _boxes(world, "bob", own)["Archive"]
        moved, removed = _together(
            _do(world, world["bob"], MoveMessages(mailbox, ALL, target)),
            _do(world, Actor.system("test"), RemoveMember(world.group, world.id("bob"))),
        )
        assert removed is None
        left, come = _boxes(world, "alice", world.space)["INBOX"][1], _boxes(world, "bob", own)
        if moved is None:
            assert (left, come["Archive"][1]) == (0, there + before + MESSAGES)
        else:
            assert isinstance(moved, NotFound)
            assert (left, come["Archive"][1]) == (before + MESSAGES, there)
        apply(world.store, AddMember(world.group, world.id("bob"), write))


def _shared_item(world: World) -> tuple[int, Any]:
    def make(txn: Txn) -> tuple[int, Any]:
        found = txn.view(FindPath(TreePath(world["carol"].space_id, Tool.DOCUMENTS)))
        assert found.entry is not None
        folder = found.entry.node.id
        return folder, txn.apply(CreateItem(folder, "thing", FILE))

    return world.store.call(world["carol"], "test", make)


def test_a_grant_is_taken_back_in_the_middle_of_a_write(world: World) -> None:
    """The writer is refused or was first; the link is gone in any case, and the rest adds up."""
    for _ in range(8):
        folder, item = _shared_item(world)
        grant = ShareItem(folder, item.id, world.space, READ | WRITE)
        _do(world, world["carol"], grant)()
        written, ended = _together(
            _do(world, world["bob"], ReplaceItem(item, FILE)),
            _do(world, world["carol"], UnshareItem(folder, item.id, world.space)),
        )
        assert ended is None
        assert written is None or isinstance(written, NotFound)
        _do(world, world["carol"], RemoveItem(item))()


def test_it_is_shared_by_two_at_once(world: World) -> None:
    """Both mean the same thing: it is shared once, and removing it ends that."""
    for _ in range(8):
        folder, item = _shared_item(world)
        grant = ShareItem(folder, item.id, world.space, READ)
        outcomes = _together(*[_do(world, world["carol"], grant)] * 3)
        assert all(each is None or isinstance(each, StorageError) for each in outcomes)
        assert None in outcomes
        _do(world, world["carol"], RemoveItem(item))()


def test_somebody_leaves_while_sharing(world: World) -> None:
    """Nothing is shared with a group that its owner is not in: whoever was first."""
    for _ in range(8):
        folder, item = _shared_item(world)
        shared, left = _together(
            _do(world, world["carol"], ShareItem(folder, item.id, world.space, READ)),
            _do(world, Actor.system("test"), RemoveMember(world.group, world.id("carol"))),
        )
        assert left is None
        assert shared is None or isinstance(shared, PermissionDenied | NotFound)
        apply(world.store, AddMember(world.group, world.id("carol"), {}))
        _do(world, world["carol"], RemoveItem(item))()


@pytest.mark.parametrize("grantee", ["a stranger", "nobody", "oneself"])
def test_no_one_else(world: World, grantee: str) -> None:
    """Rights are given to fellow members and common groups only."""
    folder, item = _shared_item(world)
    spaces = {
        "a stranger": world["eve"].space_id,
        "nobody": 10_000,
        "oneself": world["carol"].space_id,
    }
    mailbox = _boxes(world, "carol", world["carol"].space_id)["Archive"][0]
    with pytest.raises(PermissionDenied):
        _do(world, world["carol"], Share(mailbox, spaces[grantee], READ))()
    with pytest.raises(PermissionDenied):
        _do(world, world["carol"], ShareItem(folder, item.id, spaces[grantee], READ))()
