"""Every mutation there is meets the gate: who may, who may not, who has no room, who decides.

The table in ``gate_world`` makes each mutation as it would touch the data of one account, Alice.
A mutation that is not in the table fails the suite, so nobody can add one that is not seen here.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from folkmoot.auth.audit import Auditor
from folkmoot.quota.ledger import Ledger
from folkmoot.sharing.policy import GroupPolicy
from folkmoot.storage import mutations
from folkmoot.storage.engine.db import Statement
from folkmoot.storage.errors import Expired, NotFound, OverQuota, PermissionDenied
from folkmoot.storage.gate import Administration, Need
from folkmoot.storage.mutations import (
    accounts,
    mailboxes,
    messages,
    scheduling,
    tree_folders,
    tree_items,
)
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.mutations.replace import ReplaceMessage
from folkmoot.storage.mutations.support_sessions import RecordSupportLogin
from folkmoot.storage.policy import (
    AuditEntry,
    Authorizer,
    Balance,
    Charge,
    Circle,
    CollectionFacts,
    DomainFacts,
    SpaceFacts,
)
from folkmoot.storage.policy import Auditor as AuditorProtocol
from folkmoot.storage.policy import Ledger as LedgerProtocol
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Decisions, ReadContext, Txn, WriteContext
from folkmoot.storage.types import Actor, Limit, Right, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from tests.arch.gate_world import (
    ADMINISTRATION,
    GROUPS,
    SHARING,
    SYSTEM,
    TABLE,
    AnyMutation,
    World,
    make_world,
    open_store,
)
from tests.kit.databases import Databases
from tests.kit.stores import at_once


class Undo(Exception):
    """Rolls a transaction back that went well."""


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    """One for all tests: each of them leaves it as it was."""
    world = make_world(Path(databases.fresh("sqlite").removeprefix("sqlite:///")))
    yield world
    world.store.close()


def _all_mutations() -> set[type[AnyMutation]]:
    """The mutations that the store's modules define; abstract ones stand for nothing."""
    found: set[type[AnyMutation]] = set()
    for info in pkgutil.walk_packages(mutations.__path__, f"{mutations.__name__}."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Mutation):
                found.add(value)
    return {kind for kind in found if "abstract" not in vars(kind)}


KINDS = sorted(TABLE, key=lambda kind: kind.__name__)
each = pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])


def _apply(mutation: AnyMutation, txn: Txn) -> None:
    txn.apply(mutation)


def _doer(world: World, kind: type[AnyMutation]) -> Actor:
    """Who may do the first of a kind."""
    if kind is RecordSupportLogin:
        return world.sam
    return SYSTEM if kind in ADMINISTRATION else world.alice.actor


def _outcome(store: Store, actor: Actor, mutation: AnyMutation) -> BaseException:
    """What came of an attempt; ``Undo`` when it went well (and was rolled back)."""

    def work(txn: Txn) -> None:
        txn.apply(mutation)
        raise Undo

    try:
        store.call(actor, "test", work)
    except BaseException as error:
        return error
    raise AssertionError("work always raises")


# --- the tests -------------------------------------------------------------------------------


def test_table_is_complete() -> None:
    """Who adds a mutation adds it here."""
    assert _all_mutations() == set(TABLE)


@each
def test_those_who_may(world: World, kind: type[AnyMutation]) -> None:
    """The table's mutations work: refusals below are the gate's, not faults of the table."""
    before = world.rows()
    mutation = TABLE[kind](world)[0]
    assert isinstance(_outcome(world.store, _doer(world, kind), mutation), Undo)
    assert world.rows() == before


@each
def test_stranger(world: World, kind: type[AnyMutation]) -> None:
    """What belongs to others looks absent; administration is refused. Nothing is written."""
    before = world.rows()
    for mutation in TABLE[kind](world):
        error = _outcome(world.store, world.mallory.actor, mutation)
        expected = PermissionDenied if kind in ADMINISTRATION else NotFound
        assert type(error) is expected, (mutation, error)
        assert world.rows() == before


def test_owner_does_not_administer(world: World) -> None:
    """To own an account is not to administer it."""
    before = world.rows()
    for make in ADMINISTRATION.values():
        for mutation in make(world):
            error = _outcome(world.store, world.alice.actor, mutation)
            assert type(error) is PermissionDenied
    assert world.rows() == before


def test_members_do_not_lead(world: World) -> None:
    """Who is in a group knows that it is there; only its administrator may change it."""
    before = world.rows()
    for make in GROUPS.values():
        for mutation in make(world):
            assert type(_outcome(world.store, world.bob, mutation)) is PermissionDenied
            assert type(_outcome(world.store, world.carol, mutation)) is NotFound
    assert world.rows() == before


@each
def test_stale_session(world: World, kind: type[AnyMutation]) -> None:
    """A session from before a password change can do nothing, not even its own things."""
    stale = replace(world.alice.actor, epoch=world.alice.actor.epoch - 1)
    before = world.rows()
    for mutation in TABLE[kind](world):
        assert type(_outcome(world.store, stale, mutation)) is Expired
    assert world.rows() == before


@each
def test_system(world: World, kind: type[AnyMutation]) -> None:
    """The server may deliver and administer, but not touch what people keep."""
    before = world.rows()
    for mutation in TABLE[kind](world):
        error = _outcome(world.store, SYSTEM, mutation)
        delivery = isinstance(mutation, messages.AppendMessages) and mutation.right is Right.POST
        if kind in {*ADMINISTRATION, *GROUPS, *SHARING} or delivery:
            assert isinstance(error, Undo), (mutation, error)
        else:
            assert type(error) in (PermissionDenied, NotFound), (mutation, error)
    assert world.rows() == before


class _NotingLedger(Ledger):
    """Decides as always, and remembers what it was asked."""

    def __init__(self) -> None:
        self.charges: list[Charge] = []

    def check(self, charge: Charge, balance: Balance) -> None:
        if not charge.exempt:
            self.charges.append(charge)
        super().check(charge, balance)


@pytest.fixture
def full(world: World) -> Iterator[None]:
    """Alice's space has no room for anything more."""

    def limit(limit: Limit) -> None:
        update = AccountUpdate(limits=dict.fromkeys(Tool, limit))
        mutation = accounts.UpdateAccount(world.alice.account.id, update)
        world.store.call(SYSTEM, "test", lambda txn: txn.apply(mutation))

    limit(Limit(1, 1))
    yield
    limit(Limit(None, None))


@pytest.mark.usefixtures("full")
def test_over_quota(world: World) -> None:
    """What adds to a full space is refused, whatever it is; what frees room always works."""
    ledger = _NotingLedger()
    store = open_store(world.path, Decisions(GroupPolicy(), ledger, Auditor()))
    before = world.rows()
    refused: set[type[AnyMutation]] = set()
    freeing: set[type[AnyMutation]] = set()
    for kind, make in TABLE.items():
        ledger.charges.clear()
        error = _outcome(store, _doer(world, kind), make(world)[0])
        if any(charge.bytes > 0 or charge.items > 0 for charge in ledger.charges):
            assert type(error) is OverQuota, kind
            refused.add(kind)
        else:
            assert isinstance(error, Undo), (kind, error)
            freeing.update([kind] if ledger.charges else [])
    # Deliveries too.
    post = TABLE[messages.AppendMessages](world)[1]
    assert type(_outcome(store, SYSTEM, post)) is OverQuota
    store.close()
    assert world.rows() == before
    adding = {tree_items.CreateItem, tree_items.CopyItem, tree_folders.CopyFolder}
    adding |= {
        scheduling.DeliverScheduling,
        tree_items.ReplaceItem,
        messages.AppendMessages,
        messages.CopyMessages,
    }
    assert refused == {*adding, ReplaceMessage}
    gone = {messages.ExpungeMessages, mailboxes.DeleteMailbox}
    assert freeing == {*gone, tree_items.RemoveItem, tree_folders.RemoveFolder}


class Broken(Exception):
    """A decision that could not be made."""


class _BrokenAuthorizer:
    def rights(
        self, actor: Actor, collections: Sequence[CollectionFacts], circle: Circle
    ) -> Mapping[int, Right]:
        raise Broken

    def knows(self, actor: Actor, spaces: Sequence[SpaceFacts], circle: Circle) -> set[int]:
        return set()

    def may_administer(self, actor: Actor) -> bool:
        raise Broken

    def may_administer_domain(self, actor: Actor, domain: DomainFacts) -> bool:
        raise Broken

    def may_manage(self, actor: Actor, space: SpaceFacts, *, look: bool = False) -> bool:
        raise Broken

    def may_lead(self, actor: Actor, space: SpaceFacts, circle: Circle) -> bool:
        raise Broken


class _BrokenLedger:
    def check(self, charge: Charge, balance: Balance) -> None:
        raise Broken


class _BrokenAuditor:
    def entry(
        self, actor: Actor, label: str, operation: str, collections: Sequence[int], audited: bool
    ) -> AuditEntry | None:
        raise Broken


CHARGED: set[type[AnyMutation]] = {
    messages.AppendMessages,
    messages.CopyMessages,
    messages.ExpungeMessages,
    mailboxes.DeleteMailbox,
    tree_items.CreateItem,
    tree_items.ReplaceItem,
    tree_items.RemoveItem,
    tree_items.CopyItem,
    tree_folders.CopyFolder,
    tree_folders.RemoveFolder,
}


@pytest.mark.parametrize("broken", ["authorizer", "ledger", "auditor"])
def test_who_cannot_decide(world: World, broken: str) -> None:
    """If rights, room or the trail cannot be decided, nothing is written."""
    authorizer: Authorizer = _BrokenAuthorizer() if broken == "authorizer" else GroupPolicy()
    ledger: LedgerProtocol = _BrokenLedger() if broken == "ledger" else Ledger()
    auditor: AuditorProtocol = _BrokenAuditor() if broken == "auditor" else Auditor()
    store = open_store(world.path, Decisions(authorizer, ledger, auditor))
    before = world.rows()
    kinds: set[type[AnyMutation]] = CHARGED if broken == "ledger" else set(TABLE)
    for kind in kinds:
        mutation = TABLE[kind](world)[0]
        with pytest.raises(Broken):
            store.call(_doer(world, kind), "test", partial(_apply, mutation))
        assert world.rows() == before, kind
    store.close()


@each
def test_audited(world: World, kind: type[AnyMutation]) -> None:
    """What says that it leaves a trail leaves a row, in the same transaction."""
    count = Statement("SELECT COUNT(*) FROM audit")
    seen: list[int] = []

    def work(txn: Txn) -> None:
        db = txn._context.db
        seen.append(db.value(count))
        txn.apply(TABLE[kind](world)[0])
        txn.finish()
        seen.append(db.value(count))
        raise Undo

    with pytest.raises(Undo):
        world.store.call(_doer(world, kind), "test", work)
    assert seen[1] - seen[0] == (1 if kind.audited else 0)


@pytest.mark.parametrize("missing", ["needs", "cost", "write"])
def test_mutation_without_a_part(missing: str) -> None:
    """A class that does not say what it needs or costs fails when it is defined."""

    def needs(self: AnyMutation) -> Sequence[Need]:
        return [Administration()]

    def cost(self: AnyMutation, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self: AnyMutation, context: WriteContext) -> None:
        return None

    parts: dict[str, Any] = {"needs": needs, "cost": cost, "write": write}
    type("Whole", (Mutation,), dict(parts))
    del parts[missing]
    with pytest.raises(TypeError, match=f"does not say {missing}"):
        type("Partial", (Mutation,), parts)


class _Needless(Mutation[None]):
    """Says that it needs nothing."""

    def needs(self) -> Sequence[Need]:
        return []

    def cost(self, context: ReadContext) -> Sequence[Charge]:
        return ()

    def write(self, context: WriteContext) -> None:
        context.db.text("DELETE FROM messages")


def test_mutation_that_needs_nothing(world: World) -> None:
    """An empty list of needs is not a way around the gate."""
    before = world.rows()
    assert isinstance(_outcome(world.store, SYSTEM, _Needless()), TypeError)
    assert world.rows() == before


def test_store_needs_those_who_decide() -> None:
    """There are no defaults: a store without policy cannot be built."""
    with pytest.raises(TypeError):
        Decisions()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Store("sqlite:///nowhere.db", Path("nowhere"), deliver=at_once)  # type: ignore[call-arg]
