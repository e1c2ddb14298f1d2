"""Every mutation and view as an agent of support: with and without a grant, narrow and wide.

The tables are those of the other tests of the gate: what is added there is tried here too.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from folkmoot.storage.errors import (
    Expired,
    ExportRefused,
    NotFound,
    PermissionDenied,
    StorageError,
    Unavailable,
)
from folkmoot.storage.mutations import (
    bindings,
    colleagues,
    grants,
    mailboxes,
    messages,
    support_grants,
    support_staff,
)
from folkmoot.storage.mutations import scheduling as scheduling_mutations
from folkmoot.storage.mutations.messages import AppendMessages
from folkmoot.storage.mutations.support_sessions import EndSupport, RecordSupportLogin
from folkmoot.storage.mutations.tree_items import CreateItem
from folkmoot.storage.trail import check_trail
from folkmoot.storage.txn import Decisions, Txn
from folkmoot.storage.types import (
    Actor,
    FlagSet,
    MessageColumn,
    NewMessage,
    Right,
    Tool,
    UidSet,
)
from folkmoot.storage.types_support import AgentState, NewGrant, SupportScope
from folkmoot.storage.types_tree import TreePath
from folkmoot.storage.views import acl, busy, objects, places, tree
from folkmoot.storage.views.base import View
from folkmoot.storage.views.bodies import LocateBody, ReadBodies
from folkmoot.storage.views.mailboxes import ListMailboxes
from folkmoot.storage.views.messages import FetchRows, ReadState
from folkmoot.storage.views.support import GrantsToEnd
from tests.arch.gate_world import (
    ADMINISTRATION,
    ALICE,
    FILE,
    GROUPS,
    OWNED,
    SYSTEM,
    TABLE,
    AnyMutation,
    World,
    make_world,
    open_store,
)
from tests.arch.support_world import DORA, SAM, come_in, let_in
from tests.arch.test_gate_views import TABLE as VIEWS
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.stores import decisions

AnyView = View[Any]
SECRET = "a very secret sentence"
KINDS = sorted(TABLE, key=lambda kind: kind.__name__)
VIEW_KINDS = sorted([*VIEWS], key=lambda kind: kind.__name__)
each = pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
#: What an agent never does, whatever was granted: share, send, decide for the customer.
NEVER = {
    *(mailboxes.Subscribe, scheduling_mutations.SendScheduling),
    *(bindings.Rebind, bindings.HideBound, bindings.SetBoundProperties),
    *(colleagues.RenewColleagues, colleagues.ShowProfile),
}
#: Views for those who decide with whom something is shared.
OF_SHARERS = {acl.ReadAcl, places.FindThing}


class Undo(Exception):
    """Rolls a transaction back that went well."""


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    """One for all tests, each of which leaves what people have as it was."""
    world = make_world(Path(databases.fresh("sqlite").removeprefix("sqlite:///")))
    yield world
    world.store.close()


@pytest.fixture(scope="module")
def agents(world: World) -> dict[str, Actor]:
    """Dora in Alice's account with grants of several kinds."""
    space = world.alice.account.space_id
    scopes = {
        "looks": SupportScope(read_only=True, export=True, with_groups=True),
        "calendar": SupportScope(frozenset({Tool.CALENDAR}), export=True),
        "groups": SupportScope(with_groups=True),
        "export": SupportScope(export=True),
    }
    return {
        name: let_in(world.store, space, ALICE, scope, agent=DORA) for name, scope in scopes.items()
    }


def _outcome(world: World, actor: Actor, mutation: AnyMutation) -> type[BaseException]:
    def work(txn: Txn) -> None:
        txn.apply(mutation)
        raise Undo

    try:
        world.store.call(actor, "test", work)
    except BaseException as error:
        return type(error)
    raise AssertionError("work always raises")


def _do(world: World, mutation: AnyMutation, actor: Actor = SYSTEM) -> Any:
    return world.store.call(actor, "test", lambda txn: txn.apply(mutation))


def _read(world: World, actor: Actor, view: AnyView) -> Any:
    return world.store.call_read(actor, "test", lambda txn: txn.view(view))


def _is_own(kind: type[AnyMutation]) -> bool:
    """What people do with their account: passwords, limits, groups, support."""
    module = kind.__module__.rpartition(".")[2]
    return module in ("credentials", "own_groups", "own_limits", "support_grants", "help_desk")


@each
def test_mutations_with_a_grant(world: World, kind: type[AnyMutation]) -> None:
    """The agent changes what the customer has, and nothing else."""
    for number, mutation in enumerate(TABLE[kind](world)):
        outcome = _outcome(world, world.sam, mutation)
        if kind is RecordSupportLogin:
            assert outcome is Undo
        elif kind in ADMINISTRATION:
            assert outcome is PermissionDenied, mutation
        elif kind in GROUPS or kind in NEVER or _is_own(kind):
            assert outcome in (NotFound, PermissionDenied), mutation
        elif number == 0 and kind in OWNED and not _shares(kind):
            assert outcome is Undo, mutation
        else:
            assert issubclass(outcome, (Undo, StorageError)), mutation


def _shares(kind: type[AnyMutation]) -> bool:
    return kind.__module__.rpartition(".")[2] in ("grants", "item_grants")


@each
def test_sharing_is_never_granted(
    world: World, agents: dict[str, Actor], kind: type[AnyMutation]
) -> None:
    """Neither with export nor with groups."""
    if not (_shares(kind) or kind in NEVER or kind in GROUPS or _is_own(kind)):
        return
    for mutation in TABLE[kind](world):
        for name in ("export", "groups"):
            outcome = _outcome(world, agents[name], mutation)
            assert outcome in (NotFound, PermissionDenied), mutation


@each
def test_mutations_that_only_look(
    world: World, agents: dict[str, Actor], kind: type[AnyMutation]
) -> None:
    """A grant to read changes nothing at all."""
    if kind is RecordSupportLogin:
        return
    for mutation in TABLE[kind](world):
        outcome = _outcome(world, agents["looks"], mutation)
        assert outcome in (NotFound, PermissionDenied, ExportRefused), mutation


@each
def test_mutations_of_other_tools(
    world: World, agents: dict[str, Actor], kind: type[AnyMutation]
) -> None:
    """A grant for calendars opens neither mail nor documents."""
    if kind is RecordSupportLogin:
        return
    for mutation in TABLE[kind](world)[:1]:
        outcome = _outcome(world, agents["calendar"], mutation)
        assert outcome in (NotFound, PermissionDenied), mutation


@each
def test_mutations_without_a_grant(world: World, kind: type[AnyMutation]) -> None:
    """A session that was never opened, or is of somebody else's grant, can do nothing."""
    support = world.sam.support
    assert support is not None
    made_up = [
        replace(world.sam, support=replace(support, session_id=10**6)),
        replace(world.sam, support=None),
        replace(world.sam, account_id=world.mallory.account.id),
    ]
    before = world.rows()
    for mutation in TABLE[kind](world):
        for actor in made_up:
            assert _outcome(world, actor, mutation) is Expired, mutation
    assert world.rows() == before


@pytest.mark.parametrize("kind", VIEW_KINDS)
def test_views(world: World, agents: dict[str, Actor], kind: type[AnyView]) -> None:
    """What is granted is seen, with a row in the trail; what is not looks absent."""
    for view in VIEWS[kind](world):
        rows = _rows(world)
        if kind in OF_SHARERS:  # folders are found, what is in them is not
            with contextlib.suppress(NotFound, PermissionDenied):
                assert _read(world, world.sam, view)[1] == 0
            continue
        _read(world, world.sam, view)
        [row] = _rows(world)[len(rows) :]
        assert row == ("support", ALICE, SAM, kind.__name__, "to help")
        if view.needs() and kind not in (busy.BusyCalendars,):
            with pytest.raises((NotFound, PermissionDenied, Expired)):
                _read(world, replace(world.sam, support=None), view)


def _rows(world: World) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(world.path)
    try:
        sql = "SELECT actor_kind, actor_name, agent, operation, reason FROM audit ORDER BY id"
        return list(connection.execute(sql))
    finally:
        connection.close()


def test_groups_need_to_be_granted(world: World, agents: dict[str, Actor]) -> None:
    """The space of a group that the customer leads is absent, unless the grant says it."""
    inbox = world.shared.mailboxes["INBOX"]
    with pytest.raises(NotFound):
        _read(world, world.sam, ReadState(inbox))
    assert _read(world, agents["groups"], ReadState(inbox)).rights & Right.READ
    document = LocateBody(inbox, 1)
    assert _read(world, agents["groups"], document).size
    path = TreePath(world.shared.account.space_id, Tool.DOCUMENTS, ("Folder",))
    with pytest.raises(NotFound):
        _read(world, world.sam, tree.FindPath(path))


def test_rights_of_agents(world: World, agents: dict[str, Actor]) -> None:
    """Nobody of support may share or send; who looks has no more than that."""
    inbox = world.alice.mailboxes["INBOX"]
    state = _read(world, world.sam, ReadState(inbox))
    assert not state.rights & (Right.SHARE | Right.SEND_AS)
    assert state.rights & Right.EXPUNGE
    state = _read(world, agents["looks"], ReadState(inbox))
    assert state.rights == Right.LOOKUP | Right.READ | Right.BUSY
    with pytest.raises(NotFound):
        _read(world, agents["calendar"], ReadState(inbox))


# --- export --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(world: World) -> World:
    """Alice has three messages and three files with a secret in their bodies."""

    def fill(txn: Txn) -> None:
        box = world.alice.mailboxes["Archive"]
        for number in range(3):
            octets = simple(f"subject {number}") + f"{SECRET} {number}\r\n".encode()
            new = NewMessage(world.store.prepare(octets), FlagSet(), world.message.internal_date)
            txn.apply(AppendMessages(box, (new,)))
            data = f"{SECRET} {number}".encode()
            file = replace(FILE, data=data, size=len(data), digest=bytes([number]) * 32)
            txn.apply(CreateItem(world.alice.docs.id, f"file{number}", file))

    world.store.call(world.alice.actor, "test", fill)
    return world


def _bulk(world: World) -> Sequence[AnyView]:
    """Views that give several bodies at once."""
    box, docs = world.alice.mailboxes["Archive"], world.alice.docs.id
    uids, blobs = UidSet.from_ranges([(1, 3)]), world.store.blobs
    names = tuple(f"file{number}" for number in range(3))
    entries = _read(world, world.alice.actor, tree.ReadNamed(docs, names))
    ids = tuple(entry.node.id for entry in entries)
    return [
        ReadBodies(box, uids, 10**6, False),
        ReadBodies(box, uids, 1, True),
        FetchRows(box, uids, (MessageColumn.PREVIEW,)),
        tree.ReadNamed(docs, names, blobs, 10**6),
        objects.ReadNumbered(docs, ids, blobs, 1),
    ]


def _single(world: World) -> Sequence[AnyView]:
    """Views that give one body, each another one."""
    box, docs, blobs = world.alice.mailboxes["Archive"], world.alice.docs.id, world.store.blobs
    path = TreePath(world.alice.account.space_id, Tool.DOCUMENTS, ("file1",))
    [entry] = _read(world, world.alice.actor, tree.ReadNamed(docs, ("file2",)))
    return [
        ReadBodies(box, UidSet.from_ranges([(1, 1)]), 10**6, False),
        LocateBody(box, 2),
        tree.ReadNamed(docs, ("file0",), blobs, 10**6),
        tree.FindPath(path, octets=10**6),
        tree.LocateItem(entry.node),
    ]


def test_bulk_needs_export(filled: World, agents: dict[str, Actor]) -> None:
    """Several bodies at once are refused with a reason, and none of them gets out."""
    for view in _bulk(filled):
        assert SECRET.encode() in _text(_read(filled, agents["export"], view))
        with pytest.raises(ExportRefused, match="export"):
            _read(filled, filled.sam, view)


def test_single_items_are_free_up_to_a_limit(filled: World) -> None:
    """Each counts once; what was read stays readable, one more than the limit is refused."""
    space = filled.alice.account.space_id
    views = _single(filled)
    agent = let_in(filled.store, space, ALICE, SupportScope(), agent=DORA, free_items=4)
    for view in (*views[:4], *views[:4]):
        assert SECRET.encode() in _text(_read(filled, agent, view))
    with pytest.raises(ExportRefused, match="4 items"):
        _read(filled, agent, views[4])


def test_one_after_another_in_one_transaction(filled: World) -> None:
    """Is bulk too: no protocol gets around the limit by asking for each."""
    first, second, *_ = _single(filled)

    def work(txn: Any) -> None:
        txn.view(first)
        txn.view(second)

    with pytest.raises(ExportRefused):
        filled.store.call_read(filled.sam, "test", work)


def test_no_view_forgets(filled: World) -> None:
    """With no free items at all, what comes out of any view has nothing of the content in it."""
    space, store = filled.alice.account.space_id, filled.store
    agent = let_in(store, space, ALICE, SupportScope(), agent=DORA, free_items=0)
    box = filled.alice.mailboxes["Archive"]
    views = [view for make in VIEWS.values() for view in make(filled)]
    views += [*_bulk(filled), *_single(filled), ListMailboxes(space, filled.alice.account.id)]
    columns = tuple(each for each in MessageColumn if each is not MessageColumn.PREVIEW)
    views += [FetchRows(box, UidSet.from_ranges([(1, 3)]), columns), ReadState(box)]
    refused = 0
    for view in views:
        try:
            found = _read(filled, agent, view)
        except ExportRefused:
            refused += 1
        except StorageError:
            assert type(view) in OF_SHARERS
        else:
            assert SECRET.encode() not in _text(found), view
            assert FILE.data is not None
            assert FILE.data not in _text(found), view
    assert refused >= len(_bulk(filled)) + len(_single(filled))


def _text(value: Any) -> bytes:
    return repr(value).encode()


def test_copies_to_others_need_export(world: World, agents: dict[str, Actor]) -> None:
    """Into a space of others, nothing is copied without the permission to export."""
    inbox, group = world.alice.mailboxes["INBOX"], world.shared.mailboxes["INBOX"]
    copy = messages.CopyMessages(inbox, UidSet.from_ranges([(1, 1)]), group)
    assert _outcome(world, agents["groups"], copy) is ExportRefused
    wide = SupportScope(export=True, with_groups=True)
    agent = let_in(world.store, world.alice.account.space_id, ALICE, wide, agent=DORA)
    assert _outcome(world, agent, copy) is Undo


def test_copies_into_what_is_shared_need_export(world: World, agents: dict[str, Actor]) -> None:
    """Within the account, too: others would find it there."""
    inbox, archive = world.alice.mailboxes["INBOX"], world.alice.mailboxes["Archive"]
    copy = messages.CopyMessages(inbox, UidSet.from_ranges([(1, 1)]), archive)
    assert _outcome(world, world.sam, copy) is Undo
    share = grants.Share(archive, world.bob.space_id, Right.LOOKUP | Right.READ)
    _do(world, share, world.alice.actor)
    assert _outcome(world, world.sam, copy) is ExportRefused
    assert _outcome(world, agents["export"], copy) is Undo
    _do(world, grants.Unshare(archive, world.bob.space_id), world.alice.actor)
    assert _outcome(world, world.sam, copy) is Undo


# --- the end -------------------------------------------------------------------------------------


def _session(world: World, **scope: Any) -> Actor:
    space = world.alice.account.space_id
    return let_in(world.store, space, ALICE, SupportScope(**scope), agent=DORA)


def _works(world: World, actor: Actor) -> bool:
    try:
        _read(world, actor, ReadState(world.alice.mailboxes["INBOX"]))
    except Expired:
        return False
    return True


def test_withdrawn(world: World) -> None:
    """The next transaction meets it."""
    agent = _session(world)
    assert agent.support is not None
    assert _works(world, agent)
    space = world.alice.account.space_id
    _do(world, support_grants.WithdrawSupport(space, agent.support.grant_id), world.alice.actor)
    assert not _works(world, agent)


def test_narrowed_while_open(world: World) -> None:
    """What was taken out of a grant is refused to the session that is open."""
    agent = _session(world, export=True)
    assert agent.support is not None
    space, append = world.alice.account.space_id, TABLE[AppendMessages](world)[0]
    assert _outcome(world, agent, append) is Undo
    narrow = support_grants.NarrowSupport
    _do(world, narrow(space, agent.support.grant_id, SupportScope(read_only=True), own=False))
    assert _outcome(world, agent, append) is PermissionDenied
    view = ReadState(world.alice.mailboxes["INBOX"])
    assert not _read(world, agent, view).rights & Right.INSERT
    _do(
        world,
        narrow(space, agent.support.grant_id, SupportScope(frozenset({Tool.CALENDAR})), own=False),
    )
    with pytest.raises(NotFound):
        _read(world, agent, view)
    # It never widens.
    _do(world, narrow(space, agent.support.grant_id, SupportScope(), own=False), SYSTEM)
    with pytest.raises(NotFound):
        _read(world, agent, view)


@pytest.mark.parametrize(
    "clock", [-3600 * 24, 3600, 2**41], ids=["before it began", "at the end", "much later"]
)
def test_clock_jumps(world: World, monkeypatch: pytest.MonkeyPatch, clock: int) -> None:
    """A grant holds between its two moments; before and after, nothing does."""
    agent = _session(world)
    assert _works(world, agent)
    now = time.time()
    monkeypatch.setattr("folkmoot.storage.txn.time.time", lambda: now + clock)
    assert not _works(world, agent)


def test_an_ended_grant_stays_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes back gives nothing back once the server has seen the end."""
    space, now = world.alice.account.space_id, time.time()
    new = NewGrant(DORA, until=int(now) + 100)
    grant = _do(world, support_grants.GrantSupport(space, new, own=False))
    agent = come_in(world.store, ALICE, agent=DORA, grant_id=grant)
    assert _works(world, agent)
    monkeypatch.setattr("folkmoot.storage.txn.time.time", lambda: now + 200)
    _do(world, EndSupport())
    monkeypatch.undo()
    assert not _works(world, agent)


def test_an_ended_session_stays_ended(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same of a session whose grant goes on; all others end too, so this is another world."""
    world = make_world(Path(databases.fresh("sqlite").removeprefix("sqlite:///")))
    agent, now = _session(world), time.time()
    assert _works(world, agent)
    to_end = GrantsToEnd()
    assert not world.store.call_read(SYSTEM, "test", lambda txn: txn.view(to_end))
    monkeypatch.setattr("folkmoot.storage.txn.time.time", lambda: now + 3700)
    assert world.store.call_read(SYSTEM, "test", lambda txn: txn.view(to_end))
    _do(world, EndSupport())
    assert not world.store.call_read(SYSTEM, "test", lambda txn: txn.view(to_end))
    monkeypatch.undo()
    assert not _works(world, agent)
    world.store.close()


@pytest.mark.parametrize(
    "update",
    [
        support_staff.UpdateAgent(DORA, secret="x"),
        support_staff.UpdateAgent(DORA, totp="x"),
        support_staff.UpdateAgent(DORA, state=AgentState.DISABLED),
    ],
    ids=["password", "second factor", "disabled"],
)
def test_another_secret_ends_all_sessions(world: World, update: support_staff.UpdateAgent) -> None:
    """Whoever had the old one has nothing of it, also when the agent is let in again."""
    agent = _session(world)
    assert _works(world, agent)
    _do(world, update)
    assert not _works(world, agent)
    _do(world, support_staff.UpdateAgent(DORA, totp="", state=AgentState.ACTIVE))
    assert not _works(world, agent)


def test_agent_disabled_or_moved(world: World) -> None:
    """Grants to a department are for those who are in it."""
    space = world.alice.account.space_id
    _do(world, support_staff.UpdateAgent(DORA, department="Support"))
    new = NewGrant("Support", until=2**40)
    grant = _do(world, support_grants.GrantSupport(space, new, own=False))
    agent = come_in(world.store, ALICE, agent=DORA, grant_id=grant)
    assert _works(world, agent)
    _do(world, support_staff.UpdateAgent(DORA, department=""))
    assert not _works(world, agent)
    _do(world, support_staff.UpdateAgent(DORA, department="Support"))
    assert _works(world, agent)
    _do(world, support_staff.UpdateAgent(DORA, state=AgentState.DISABLED))
    assert not _works(world, agent)
    _do(world, support_staff.UpdateAgent(DORA, department="", state=AgentState.ACTIVE))
    assert not _works(world, agent)


def test_the_account_is_deleted(world: World) -> None:
    """Then there is nothing to be in any more; what was done stays in the trail."""
    from folkmoot.storage.mutations.accounts import DeleteAccount

    name = "carol@example.test"
    agent = let_in(world.store, world.carol.space_id, name, SupportScope(), agent=DORA)
    view = ListMailboxes(world.carol.space_id, world.carol.account_id)
    assert _read(world, agent, view)
    _do(world, DeleteAccount(world.carol.account_id))
    with pytest.raises(Expired):
        _read(world, agent, view)
    assert ("support", name, DORA, "ListMailboxes", "to help") in _rows(world)


# --- the trail -----------------------------------------------------------------------------------


def _check(world: World) -> Sequence[str]:
    seen: list[Sequence[str]] = []

    def work(txn: Txn) -> None:
        seen.append(check_trail(txn._context.db).broken)

    world.store.call(SYSTEM, "test", work)
    return seen[0]


def test_nothing_without_a_trail(world: World) -> None:
    """Where the row cannot be written, nothing is read and nothing is done."""
    connection = sqlite3.connect(world.path)
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    connection.commit()
    before = world.rows()
    try:
        for view in (ReadState(world.alice.mailboxes["INBOX"]), tree.LocateItem(world.alice.item)):
            with pytest.raises(StorageError):
                _read(world, world.sam, view)
        with pytest.raises(StorageError):
            _do(world, TABLE[AppendMessages](world)[0], world.sam)
        assert world.rows() == before
    finally:
        connection.execute("DROP TRIGGER full")
        connection.commit()
        connection.close()
    _read(world, world.sam, ReadState(world.alice.mailboxes["INBOX"]))


def test_auditor_that_fails(world: World) -> None:
    """An auditor that cannot decide stops reads of agents as well as writes."""

    class Broken(Exception):
        pass

    class Auditor:
        def entry(self, *_: Any) -> None:
            raise Broken

    given = decisions()
    store = open_store(world.path, Decisions(given.authorizer, given.ledger, Auditor()))
    try:
        with pytest.raises(Broken):
            store.call_read(
                world.sam, "test", lambda txn: txn.view(ReadState(world.alice.mailboxes["INBOX"]))
            )
    finally:
        store.close()


def test_what_is_rolled_back_leaves_no_row(world: World) -> None:
    """Rows of what was done are of what stays done; errors of the server are no refusals."""
    rows = _rows(world)
    assert _outcome(world, world.sam, TABLE[AppendMessages](world)[0]) is Undo
    assert _rows(world) == rows


def test_the_chain_holds(world: World) -> None:
    """After all this: no gap, no change."""
    assert _check(world) == ()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET agent = 'nobody' WHERE id = {middle}",
        "DELETE FROM audit WHERE id = {middle}",
        "DELETE FROM audit WHERE id = {last}",
        "UPDATE audit SET reason = 'none', hash = '' WHERE id = {last}",
    ],
)
def test_changes_are_found(world: World, tmp_path: Path, change: str) -> None:
    """The database refuses to change the trail; who gets around that is found out."""
    source = sqlite3.connect(world.path)
    copy = sqlite3.connect(tmp_path / "copy.db")
    source.backup(copy)
    source.close()
    (last,) = copy.execute("SELECT last FROM audit_chain").fetchone()
    sql = change.format(middle=last - 5, last=last)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        copy.execute(sql)
    copy.execute("DROP TRIGGER audit_stays")
    copy.execute("DROP TRIGGER audit_is_kept")
    copy.execute(sql)
    copy.commit()
    copy.close()
    store = open_store(tmp_path / "copy.db", decisions())
    found: list[Sequence[str]] = []
    store.call(SYSTEM, "t", lambda txn: found.append(check_trail(txn._context.db).broken))
    store.close()
    assert found[0]


def test_reads_outside_a_write_are_not_possible(world: World) -> None:
    """A snapshot cannot be written to: a view there answers nothing to an agent."""
    from folkmoot.storage.txn import ReadContext, ReadTxn

    given = decisions()
    view = ReadState(world.alice.mailboxes["INBOX"])

    def work(txn: Txn) -> None:
        context = ReadContext(txn._context.db, world.sam, given)
        with pytest.raises(Unavailable):
            ReadTxn(context, "test", given).view(view)

    world.store.call(SYSTEM, "test", work)
