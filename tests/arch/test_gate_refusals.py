"""What an agent of support was refused stands in the trail; who goes on and on is out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from folkmoot.storage import refusals
from folkmoot.storage.errors import (
    Conflict,
    Expired,
    ExportRefused,
    NotFound,
    PermissionDenied,
    StorageError,
    Unavailable,
)
from folkmoot.storage.mutations.flags import StoreFlags
from folkmoot.storage.mutations.messages import AppendMessages, ExpungeMessages
from folkmoot.storage.mutations.support_grants import WithdrawSupport
from folkmoot.storage.mutations.tree_items import CreateItem
from folkmoot.storage.trail import check_trail, describe
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Flag, FlagChange, FlagSet, MessageColumn, Tool, UidSet
from folkmoot.storage.types_search import HeaderContains
from folkmoot.storage.types_support import SupportScope, TrailRow
from folkmoot.storage.views.bodies import ReadBodies
from folkmoot.storage.views.messages import FetchRows, ReadState
from folkmoot.storage.views.search import SearchMessages
from folkmoot.storage.views.trail import ShowTrail
from tests.arch.gate_world import ALICE, FILE, SYSTEM, TABLE, World, make_world
from tests.arch.support_world import DORA, SAM, let_in
from tests.kit.databases import Databases

Work = Callable[[Txn], Any]


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    """One for all tests."""
    world = make_world(Path(databases.fresh("sqlite").removeprefix("sqlite:///")))
    yield world
    world.store.close()


def _agent(world: World, *tools: Tool, **scope: Any) -> Actor:
    return let_in(
        world.store,
        world.alice.account.space_id,
        ALICE,
        SupportScope(frozenset(tools or Tool), **scope),
        agent=DORA,
    )


def _rows(world: World) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(world.path)
    try:
        sql = "SELECT actor_name, agent, label, operation, collections, detail FROM audit"
        return list(connection.execute(f"{sql} ORDER BY id"))
    finally:
        connection.close()


def _refused(world: World, actor: Actor, work: Work) -> tuple[type[StorageError], list[Any]]:
    """The error of some work, and the rows that it left."""
    before = len(_rows(world))
    with pytest.raises(StorageError) as caught:
        world.store.call(actor, "fetch", work)
    return type(caught.value), _rows(world)[before:]


def test_each_refusal_has_a_row(world: World) -> None:
    """With both names, what was tried, on what, and why not."""
    inbox, hers = world.alice.mailboxes["INBOX"], world.mallory.mailboxes["INBOX"]
    append = TABLE[AppendMessages](world)[0]
    bulk = ReadBodies(inbox, UidSet.from_ranges([(1, 9)]), 10**6, False)
    full, looks = _agent(world), _agent(world, read_only=True)
    calendar = _agent(world, Tool.CALENDAR)
    world.store.call(world.alice.actor, "test", lambda txn: txn.apply(append))
    cases: list[tuple[Actor, Work, type[StorageError], str, int]] = [
        (full, lambda txn: txn.apply(ExpungeMessages(hers)), NotFound, "ExpungeMessages", hers),
        (looks, lambda txn: txn.apply(append), PermissionDenied, "AppendMessages", inbox),
        (calendar, lambda txn: txn.view(ReadState(inbox)), NotFound, "ReadState", inbox),
        (full, lambda txn: txn.view(bulk), ExportRefused, "ReadBodies", inbox),
    ]
    for actor, work, error, operation, where in cases:
        found, [row] = _refused(world, actor, work)
        assert found is error
        assert row[:5] == (ALICE, DORA, "fetch", operation, str(where))
        assert row[5].startswith(f"refused ({error.__name__}): ")


def test_what_was_in_the_way(world: World) -> None:
    """Who looks first and then fails for what is there, leaves where it looked."""
    inbox = world.alice.mailboxes["INBOX"]

    def work(txn: Txn) -> None:
        txn.view(ReadState(inbox))
        raise Conflict("It is another one.")

    _, [row] = _refused(world, _agent(world), work)
    assert row[3:] == (
        "ReadState",
        str(inbox),
        f"refused (Conflict): It is another one. {_named(inbox)}",
    )


def _named(mailbox: int) -> str:
    return f"mailbox_id={mailbox}"


def test_refused_in_between(world: World) -> None:
    """What a transaction gets over leaves its row beside those of what was done."""
    agent, before = _agent(world), len(_rows(world))
    denied = ExpungeMessages(world.mallory.mailboxes["INBOX"])

    def work(txn: Txn) -> None:
        assert isinstance(txn.attempt(denied), NotFound)
        txn.view(ReadState(world.alice.mailboxes["INBOX"]))

    world.store.call(agent, "test", work)
    assert [row[3] for row in _rows(world)[before:]] == ["ExpungeMessages", "ReadState"]


def test_after_the_end(world: World) -> None:
    """Who goes on after a withdrawal is refused with a row; who never was let in, without."""
    agent = _agent(world)
    assert agent.support is not None
    end = WithdrawSupport(world.alice.account.space_id, agent.support.grant_id)
    world.store.call(world.alice.actor, "test", lambda txn: txn.apply(end))
    view = ReadState(world.alice.mailboxes["INBOX"])
    error, [row] = _refused(world, agent, lambda txn: txn.view(view))
    assert error is Expired
    assert row[:4] == (ALICE, DORA, "fetch", "fetch")


def test_a_refusal_that_cannot_be_written(world: World) -> None:
    """Then the agent does not learn why, and not even whether there is such a thing."""
    agent = _agent(world)
    connection = sqlite3.connect(world.path)
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    connection.commit()
    denied = ExpungeMessages(world.mallory.mailboxes["INBOX"])
    try:
        assert _refused(world, agent, lambda txn: txn.apply(denied)) == (Unavailable, [])
    finally:
        connection.execute("DROP TRIGGER full")
        connection.commit()
        connection.close()
    assert _refused(world, agent, lambda txn: txn.apply(denied))[0] is NotFound


def test_too_many_end_the_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trail is not filled with them: the last one says that the session is over."""
    monkeypatch.setattr(refusals, "MOST_REFUSED", 3)
    agent = _agent(world)
    denied = ExpungeMessages(world.mallory.mailboxes["INBOX"])

    def work(txn: Txn) -> None:
        txn.apply(denied)

    kinds = [_refused(world, agent, work) for _ in range(5)]
    assert [error for error, _ in kinds] == [NotFound] * 3 + [Expired] * 2
    assert [len(rows) for _, rows in kinds] == [1, 1, 2, 0, 0]
    assert kinds[2][1][1][3] == "EndSession"
    broken: list[Any] = []
    world.store.call(SYSTEM, "t", lambda txn: broken.extend(check_trail(txn._context.db).broken))
    assert broken == []


def test_the_history_of_one_thing(world: World) -> None:
    """Whoever changed it, read or written: found by the name of the place or of the item."""
    agent, alice = _agent(world), world.alice
    file = CreateItem(alice.docs.id, "Invoice 7.txt", FILE)
    append = AppendMessages(alice.mailboxes["Archive"], (world.message,))

    def work(txn: Txn) -> None:
        txn.apply(file)
        txn.apply(append)

    world.store.call(agent, "test", work)
    space = alice.account.space_id

    def history(on: str) -> list[TrailRow]:
        view = ShowTrail(space, own=True, limit=5, on=on)
        return world.store.call_read(alice.actor, "test", lambda txn: txn.view(view))

    [row] = history("invoice 7")
    assert (row.operation, row.name, row.agent) == ("CreateItem", ALICE, DORA)
    assert row.names == ("documents",)
    assert [row.operation for row in history("mail: archive")] == ["AppendMessages"]
    assert history("invoice 8") == []


def test_what_rows_say(world: World) -> None:
    """Which parts were read, what was looked for, which flags were set; and nothing of content."""
    inbox, uids = world.alice.mailboxes["INBOX"], UidSet.from_ranges([(1, 2)])
    flags = FlagSet(Flag.SEEN | Flag.FLAGGED, ("work",))
    cases = {
        FetchRows(inbox, uids, (MessageColumn.HEADER, MessageColumn.FLAGS)): "columns=header,flags",
        StoreFlags(inbox, uids, FlagChange.ADD, flags): "flags=SEEN FLAGGED work",
        SearchMessages(inbox, HeaderContains("subject", "a"), world.store.blobs): "text='a'",
    }
    for operation, said in cases.items():
        assert said in describe(operation)
    assert "data" not in describe(CreateItem(world.alice.docs.id, "x", FILE))


def test_refused_only_for_agents(world: World) -> None:
    """What people themselves may not do is no matter of support."""
    denied = ExpungeMessages(world.mallory.mailboxes["INBOX"])
    assert _refused(world, world.alice.actor, lambda txn: txn.apply(denied)) == (NotFound, [])
    assert SAM not in {row[1] for row in _rows(world)}
