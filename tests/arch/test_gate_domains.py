"""Whoever administers a domain: what may be done there, and that nobody's data can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from folkmoot.storage.errors import NotFound, PermissionDenied, StorageError
from folkmoot.storage.mutations import (
    accounts,
    credentials,
    domains,
    group_settings,
    groups,
    notices,
)
from folkmoot.storage.mutations.own_limits import LimitGroup
from folkmoot.storage.mutations.support_grants import SetMayGrant
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import AccountState, Actor
from folkmoot.storage.types_accounts import AccountUpdate, Plan
from folkmoot.storage.types_groups import NewGroup
from folkmoot.storage.views import accounts as account_views
from folkmoot.storage.views import billing as billing_views
from folkmoot.storage.views import groups as group_views
from folkmoot.storage.views.base import View
from folkmoot.storage.views.bodies import ReadBodies
from folkmoot.storage.views.mailboxes import ListMailboxes
from folkmoot.storage.views.messages import ReadState
from folkmoot.storage.views.usage import ReadMailUsage
from tests.arch.gate_world import GROUPS, ONE, OWNED, SYSTEM, TABLE, AnyMutation, World, make_world
from tests.arch.test_gate_views import NOTHING
from tests.arch.test_gate_views import TABLE as VIEWS
from tests.kit.databases import Databases

#: What administrators of a domain may do there.
MAY = {
    *(accounts.CreateAccount, accounts.AssignPlan, accounts.SetAccountState),
    *(accounts.DeleteAccount, accounts.AddAddress, accounts.RemoveAddress),
    *(credentials.ResetPassword, domains.SetCatchall, notices.DeliverNotice),
    *(groups.CreateGroup, groups.DeleteGroup, groups.SetGroupAdministrator, SetMayGrant),
    *(group_settings.AddGroupAddress, group_settings.RemoveGroupAddress, LimitGroup),
}
KINDS = sorted(TABLE, key=lambda kind: kind.__name__)
each = pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])


AnyView = View[Any]


class Undo(Exception):
    """Rolls a transaction back that went well."""


@pytest.fixture(scope="module")
def world(databases: Databases) -> Iterator[World]:
    """One for all tests: each of them leaves it as it was."""
    world = make_world(Path(databases.fresh("sqlite").removeprefix("sqlite:///")))
    yield world
    world.store.close()


def _outcome(world: World, actor: Actor, mutation: AnyMutation) -> type[BaseException]:
    def work(txn: Txn) -> None:
        txn.apply(mutation)
        raise Undo

    try:
        world.store.call(actor, "test", work)
    except BaseException as error:
        return type(error)
    raise AssertionError("work always raises")


def _apply(mutation: AnyMutation, txn: Txn) -> None:
    txn.apply(mutation)


def _read(world: World, actor: Actor, view: AnyView) -> Any:
    return world.store.call_read(actor, "test", lambda txn: txn.view(view))


def _refusal(kind: type[AnyMutation]) -> type[StorageError]:
    return NotFound if kind in OWNED or kind in GROUPS else PermissionDenied


@each
def test_of_this_domain(world: World, kind: type[AnyMutation]) -> None:
    """What is on the list works; all else is refused, what people keep looks absent."""
    for mutation in TABLE[kind](world)[:1] if kind in MAY else TABLE[kind](world):
        expected = Undo if kind in MAY else _refusal(kind)
        assert _outcome(world, world.ruler, mutation) is expected, mutation


@each
def test_of_another_domain(world: World, kind: type[AnyMutation]) -> None:
    """Has nothing to say here."""
    for mutation in TABLE[kind](world):
        assert _outcome(world, world.foreign, mutation) is _refusal(kind), mutation


@each
def test_with_the_password_of_a_device(world: World, kind: type[AnyMutation]) -> None:
    """Opens what the device is for, and no domain."""
    device = replace(world.ruler, credential_id=1)
    for mutation in TABLE[kind](world):
        assert _outcome(world, device, mutation) is _refusal(kind), mutation


def test_who_was_one_is_none_at_once(world: World) -> None:
    """In the session that is open, too."""
    for lift in (False, True):
        update = accounts.UpdateAccount(world.ruler.account_id, AccountUpdate(domain_admin=lift))
        world.store.call(SYSTEM, "test", partial(_apply, update))
        mutation = TABLE[accounts.SetAccountState](world)[0]
        expected = Undo if lift else PermissionDenied
        assert _outcome(world, world.ruler, mutation) is expected


def test_what_only_the_operator_gives(world: World) -> None:
    """Other plans, other domains, the role itself; nor may anybody take over a group of others."""
    id_, foreign = world.alice.account.id, world.foreign.account_id
    new = world.new_account()
    refused: list[AnyMutation] = [
        accounts.CreateAccount(replace(new, plan="gold")),
        accounts.CreateAccount(replace(new, domain_admin=True)),
        accounts.CreateAccount(replace(new, address="new@empty.test")),
        accounts.CreateAccount(replace(new, address="new@nowhere.test")),
        accounts.AssignPlan(id_, Plan("gold")),
        accounts.AssignPlan(id_, Plan("")),
        accounts.AssignPlan(foreign, Plan("free")),
        accounts.SetAccountState(foreign, AccountState.DISABLED),
        accounts.SetAccountState(10**6, AccountState.DISABLED),
        accounts.AddAddress(id_, "more@empty.test"),
        accounts.AddAddress(foreign, "more@example.test"),
        accounts.RemoveAddress(foreign, "alias@example.test"),
        credentials.ResetPassword(foreign, "hash", 2**40),
        domains.SetCatchall("example.test", foreign),
        domains.SetCatchall("empty.test", id_),
        groups.CreateGroup(NewGroup("band@empty.test", "Band", id_)),
        groups.CreateGroup(NewGroup("band@example.test", "Band", foreign)),
    ]
    before = world.rows()
    for mutation in refused:
        assert _outcome(world, world.ruler, mutation) is PermissionDenied, mutation
    join = groups.AddMember(world.choir, world.ruler.account_id, {})
    leave = groups.RemoveMember(world.choir, world.ruler.account_id)
    take = groups.SetGroupAdministrator(world.choir, world.ruler.account_id)
    world.store.call(SYSTEM, "test", partial(_apply, join))
    assert _outcome(world, world.ruler, take) is PermissionDenied
    world.store.call(SYSTEM, "test", partial(_apply, leave))
    assert len(world.rows()) == len(before) + 2  # what was audited


@pytest.mark.parametrize("name", ["ruler", "foreign"])
def test_no_view_of_data_answers(world: World, name: str) -> None:
    """Mail, calendars, contacts and documents of others are absent for both."""
    actor, space = getattr(world, name), world.alice.account.space_id
    mailbox = world.alice.mailboxes["INBOX"]
    views: list[AnyView] = [view for make in VIEWS.values() for view in make(world)]
    views += [ReadMailUsage(space), ReadBodies(mailbox, ONE, 100, False), ReadState(mailbox)]
    for view in views:
        if type(view) in NOTHING:
            assert _read(world, actor, view) == NOTHING[type(view)]
            continue
        with pytest.raises(NotFound):
            _read(world, actor, view)
    assert _read(world, actor, ListMailboxes(actor.space_id, actor.account_id)) != []
    assert _read(world, actor, ListMailboxes(space, world.alice.account.id)) == []


def test_views_of_a_domain(world: World) -> None:
    """Accounts, usage and groups of one's own domain, without the names of people's devices."""
    mine: list[AnyView] = [
        account_views.FindAccount("alice@example.test"),
        account_views.ListAccounts("example.test"),
        account_views.ShowAccount("alice@example.test"),
        account_views.ShowDomain("example.test"),
        billing_views.ReadAccountBilling("alice@example.test"),
        billing_views.ReadDomainCredit("example.test"),
        group_views.ListGroups("example.test"),
        group_views.FindGroup("choir@example.test"),
        group_views.ShowGroup("choir@example.test"),
    ]
    for view in mine:
        assert _read(world, world.ruler, view)
        strangers = (world.foreign, world.mallory.actor, replace(world.ruler, credential_id=1))
        for actor in strangers:
            with pytest.raises((NotFound, PermissionDenied)):
                _read(world, actor, view)
    show = account_views.ShowAccount("alice@example.test")
    assert _read(world, world.ruler, show).app_passwords == ()
    assert _read(world, SYSTEM, show).app_passwords != ()
    everything: list[AnyView] = [
        account_views.ListAccounts(),
        account_views.ListDomains(),
        account_views.ReadLoginRecord("alice@example.test"),
        account_views.ReadReset("dave@example.test"),
        group_views.ListGroups(),
        billing_views.ReadDomainCredit("empty.test"),
        billing_views.ReadAccountBilling("ruler@empty.test"),
        billing_views.ListPayments(),
    ]
    for view in everything:
        with pytest.raises(PermissionDenied):
            _read(world, world.ruler, view)
    for actor in (world.alice.actor, world.bob):  # who is in it
        assert len(_read(world, actor, group_views.ShowGroup("choir@example.test")).members) == 2
