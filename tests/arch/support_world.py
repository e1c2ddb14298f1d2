"""Support in the world of the gate: an agent whom Alice lets in, and mutations of support."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from folkmoot.storage.mutations import (
    help_desk,
    support_grants,
    support_sessions,
    support_staff,
    trail,
)
from folkmoot.storage.mutations.base import Mutation
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor, Tool
from folkmoot.storage.types_support import (
    AgentState,
    HelpKind,
    NewGrant,
    NewHelp,
    SupportScope,
    SupportWish,
)
from folkmoot.storage.views.support import FindAgent, SupportActor

if TYPE_CHECKING:
    from tests.arch.gate_world import World

AnyMutation = Mutation[Any]
Make = Callable[["World"], Sequence[AnyMutation]]

SYSTEM = Actor.system("test")
SAM, DORA = "sam@support.test", "dora@support.test"
NARROW = SupportScope(frozenset({Tool.MAIL}), read_only=True)
WISH = SupportWish("to help", "1h", SupportScope())
CONTACT = NewHelp(HelpKind.CONTACT, "Help", "Nothing works", "", "contact@example.test")
CALLBACK = NewHelp(HelpKind.CALLBACK, "Call", "", "+1 2", "call@example.test", 2**40, 2**40 + 1)


def _apply(mutation: AnyMutation, txn: Txn) -> Any:
    return txn.apply(mutation)


def set_up(store: Store, space_id: int, address: str = "alice@example.test") -> None:
    """Sam in the department Support, Dora in none; the owner of a space let Sam in (grant 1)."""
    staff = support_staff
    setups: list[AnyMutation] = [
        staff.CreateDepartment("Support"),
        staff.CreateAgent(SAM, "Sam", "hash", "", "Support"),
        staff.CreateAgent(DORA, "Dora", "hash"),
        support_grants.GrantSupport(space_id, NewGrant(SAM, until=2**40), own=False),
        support_grants.RequestSupport(1, address, WISH, 2**40),
        support_grants.SetRequestToken(1, "token"),
        help_desk.AskHelp(space_id, CONTACT, own=False),
    ]
    for setup in setups:
        store.call(SYSTEM, "test", partial(_apply, setup))


def let_in(
    store: Store,
    space_id: int,
    address: str,
    scope: SupportScope,
    *,
    agent: str = SAM,
    free_items: int = 20,
) -> Actor:
    """Grant, open a session under the new grant, and come in."""
    new = NewGrant(agent, scope, until=2**40, free_items=free_items)
    grant = support_grants.GrantSupport(space_id, new, own=False)
    grant_id = store.call(SYSTEM, "test", lambda txn: txn.apply(grant))
    return come_in(store, address, agent=agent, grant_id=grant_id)


def come_in(store: Store, address: str, *, agent: str = SAM, grant_id: int = 0) -> Actor:
    """Open a session of an agent, and be the actor of it."""
    found = store.call_read(SYSTEM, "test", lambda txn: txn.view(FindAgent(agent)))
    assert found is not None
    key = hashlib.sha256(f"{address} {agent} {grant_id}".encode()).hexdigest()
    open_it = support_sessions.OpenSupport(found.id, address, key, "to help", 3600, grant_id)
    store.call(SYSTEM, "test", lambda txn: txn.apply(open_it))
    actor = store.call_read(SYSTEM, "test", lambda txn: txn.view(SupportActor(key)))
    assert actor is not None
    return actor


def own_table() -> Mapping[type[AnyMutation], Make]:
    """What customers decide about support."""

    def space(world: World) -> int:
        return world.alice.account.space_id

    grants = support_grants
    return {
        grants.GrantSupport: lambda w: [grants.GrantSupport(space(w), NewGrant(SAM))],
        grants.WithdrawSupport: lambda w: [grants.WithdrawSupport(space(w), 1)],
        grants.NarrowSupport: lambda w: [grants.NarrowSupport(space(w), 1, NARROW)],
        grants.ActivateSupport: lambda w: [
            grants.ActivateSupport(space(w), 1, "token", NewGrant(SAM))
        ],
        help_desk.AskHelp: lambda w: [help_desk.AskHelp(space(w), CALLBACK)],
        help_desk.CancelHelp: lambda w: [help_desk.CancelHelp(space(w), 1)],
        support_sessions.RecordSupportLogin: lambda w: [
            support_sessions.RecordSupportLogin(space(w), "imap", "192.0.2.1")
        ],
    }


def administration_table() -> Mapping[type[AnyMutation], Make]:
    """What the operator does with support."""
    staff, grants, sessions = support_staff, support_grants, support_sessions
    alice = "alice@example.test"
    return {
        staff.CreateDepartment: lambda w: [staff.CreateDepartment("Development")],
        staff.CreateAgent: lambda w: [staff.CreateAgent("eve@support.test", "Eve", "hash")],
        staff.UpdateAgent: lambda w: [
            staff.UpdateAgent(SAM, state=AgentState.DISABLED),
            staff.UpdateAgent(SAM, department=""),
        ],
        staff.TakeCode: lambda w: [staff.TakeCode(1, 10)],
        grants.SetMayGrant: lambda w: [grants.SetMayGrant(w.alice.account.id, False)],
        grants.RequestSupport: lambda w: [grants.RequestSupport(1, alice, WISH, 2**40)],
        grants.SetRequestToken: lambda w: [grants.SetRequestToken(1, "other")],
        sessions.OpenSupport: lambda w: [sessions.OpenSupport(1, alice, "key", "to help", 60)],
        sessions.NoteRefusedSession: lambda w: [sessions.NoteRefusedSession(alice, SAM, "to help")],
        sessions.EndSession: lambda w: [
            sessions.EndSession(1, w.sam.support.session_id if w.sam.support else 0)
        ],
        sessions.EndSupport: lambda w: [sessions.EndSupport()],
        sessions.EndPages: lambda w: [sessions.EndPages("nonce", 2**40)],
        sessions.NoteTold: lambda w: [sessions.NoteTold(1, 1)],
        help_desk.CloseHelp: lambda w: [help_desk.CloseHelp(1, SAM)],
        trail.TrimTrail: lambda w: [trail.TrimTrail(0)],
    }
