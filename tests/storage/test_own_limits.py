"""Own limits in the store: beside those of plans, of which the smaller one counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.storage.errors import NotFound, OverQuota, PermissionDenied
from folkmoot.storage.mutations.accounts import AssignPlan, DeleteAccount, UpdateAccount
from folkmoot.storage.mutations.groups import AddMember, CreateGroup, SetGroupAdministrator
from folkmoot.storage.mutations.own_limits import LimitAccount, LimitGroup, LimitOwnSpace
from folkmoot.storage.store import Store
from folkmoot.storage.types import Actor, Hint, Limit, OwnLimit, Tool, Topic
from folkmoot.storage.types_accounts import AccountUpdate, Plan
from folkmoot.storage.types_groups import NewGroup
from folkmoot.storage.types_mail import Standing
from folkmoot.storage.upkeep import check, repair
from folkmoot.storage.views.accounts import ShowAccount
from folkmoot.storage.views.groups import ShowGroup
from folkmoot.storage.views.resolve import ResolveAddress
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.stores import open_store
from tests.storage.accounts_kit import ALICE, actor_of, apply, make_account, view
from tests.storage.mail_kit import Mail, new_mail, sql

BOB = "bob@example.test"
CHOIR = "choir@example.test"
Pair = tuple[int | None, int | None]


@pytest.fixture
def mail(databases: Databases, database_kind: str, tmp_path: Path) -> Iterator[Mail]:
    """Alice, whose plan gives each tool 10,000 octets and 10 items, on each kind of database."""
    store = open_store(databases.fresh(database_kind), tmp_path)
    mail = new_mail(store)
    plan(mail, Limit(10_000, 10))
    yield mail
    assert check(store) == []
    store.close()


def plan(mail: Mail, limit: Limit) -> None:
    """Give the account's plan the same limit for each tool."""
    update = AccountUpdate(limits=dict.fromkeys(Tool, limit))
    apply(mail.store, UpdateAccount(mail.actor.account_id, update))


def own(mail: Mail, *limits: OwnLimit, tool: Tool = Tool.MAIL) -> Pair:
    """Set own limits of Alice's, one after the other; what counts then."""
    for limit in limits:
        mail.apply(LimitOwnSpace(mail.actor.space_id, {tool: limit}))
    return counts(mail.store, tool)


def counts(store: Store, tool: Tool = Tool.MAIL, address: str = ALICE) -> Pair:
    """The limits that count for an account."""
    [usage] = [one for one in view(store, ShowAccount(address)).usage if one.tool is tool]
    return usage.bytes_limit, usage.items_limit


def of_group(store: Store) -> dict[Tool, Pair]:
    """The limits that count for the choir."""
    found = view(store, ShowGroup(CHOIR)).usage
    return {one.tool: (one.bytes_limit, one.items_limit) for one in found}


def act(store: Store, actor: Actor, mutation: LimitGroup | LimitOwnSpace | LimitAccount) -> None:
    """Apply as somebody who signed in."""
    store.call(actor, "test", lambda txn: txn.apply(mutation))


@pytest.mark.parametrize("given", [Limit(10_000, 10), Limit(10_000, None), Limit(None, 10)])
def test_the_smaller_one_counts(mail: Mail, given: Limit) -> None:
    """Of octets and of items, whichever is set later; None has no say."""
    plan(mail, given)
    assert counts(mail.store) == (given.bytes, given.items)
    assert own(mail, OwnLimit(2048, 2)) == (2048, 2)
    assert own(mail, OwnLimit(0, None)) == (0, given.items)
    assert own(mail, OwnLimit(None, 0)) == (given.bytes, 0)
    assert own(mail, OwnLimit(2048, 2), OwnLimit()) == (given.bytes, given.items)
    own(mail, OwnLimit(2048, 2))
    for smaller, left in ((Limit(100, 5), (100, 2)), (Limit(None, 1), (2048, 1))):
        plan(mail, smaller)
        assert counts(mail.store) == left
    plan(mail, Limit(None, None))
    assert counts(mail.store) == (2048, 2)


def test_what_is_not_below_the_plan_is_forgotten(mail: Mail) -> None:
    """A plan that grows later gives all that it has."""
    assert own(mail, OwnLimit(9999, 9)) == (9999, 9)
    assert own(mail, OwnLimit(2**63 - 1, 2**63 - 1)) == (10_000, 10)
    assert own(mail, OwnLimit(10_000, 10)) == (10_000, 10)
    plan(mail, Limit(20_000, 20))
    assert counts(mail.store) == (20_000, 20)
    plan(mail, Limit(None, None))
    assert own(mail, OwnLimit(2**63 - 1, 2**63 - 1)) == (2**63 - 1, 2**63 - 1)
    mail.append(mail.box().id, simple())


def test_each_tool_has_its_own(mail: Mail) -> None:
    """Tools that are not named keep theirs; the whole plan is assigned anew and changes nothing."""
    limits = {Tool.CALENDAR: OwnLimit(items=3), Tool.DOCUMENTS: OwnLimit(2048)}
    apply(mail.store, LimitAccount(mail.actor.account_id, limits))
    apply(mail.store, LimitAccount(mail.actor.account_id, {Tool.CONTACTS: OwnLimit(items=4)}))
    assigned = Plan("free", dict.fromkeys(Tool, Limit(10_000, 10)))
    for _ in range(2):
        assert [counts(mail.store, tool) for tool in Tool] == [
            (10_000, 10),
            (10_000, 3),
            (10_000, 4),
            (2048, 10),
        ]
        apply(mail.store, AssignPlan(mail.actor.account_id, assigned))
    with pytest.raises(NotFound):
        apply(mail.store, LimitAccount(777, limits))


def test_it_is_charged_and_told_to_those_who_deliver(mail: Mail) -> None:
    """Nothing that does not fit is stored or taken from elsewhere; what is over stays."""
    inbox = mail.box().id
    mail.append(inbox, simple(), simple())
    own(mail, OwnLimit(items=2))
    assert view(mail.store, ResolveAddress(ALICE)).standing is Standing.OVER_QUOTA
    own(mail, OwnLimit(items=1))
    with pytest.raises(OverQuota):
        mail.append(inbox, simple())
    assert mail.box().messages == 2
    own(mail, OwnLimit())
    assert view(mail.store, ResolveAddress(ALICE)).standing is Standing.LOCAL
    mail.append(inbox, simple())


def test_a_plan_that_gets_too_small_is_told_in_spite_of_it(mail: Mail) -> None:
    """What is over the own limit is the person's affair; what is over the plan's is a message."""
    mail.append(mail.box().id, simple(), simple(), simple())
    own(mail, OwnLimit(items=1))
    change = AccountUpdate(limits={Tool.MAIL: Limit(None, 5)})
    assert apply(mail.store, UpdateAccount(mail.actor.account_id, change)) == ()
    change = AccountUpdate(limits={Tool.MAIL: Limit(None, 2)})
    [excess] = apply(mail.store, UpdateAccount(mail.actor.account_id, change))
    assert (excess.used, excess.limit) == (3, 2)


def test_groups(mail: Mail) -> None:
    """They have the plan of their administrator and own limits that stay with them."""
    store, alice = mail.store, mail.actor
    make_account(store, BOB, limits={Tool.MAIL: Limit(5000, 5)})
    own(mail, OwnLimit(items=1))
    group = apply(store, CreateGroup(NewGroup(CHOIR, "Choir", alice.account_id)))
    bob = actor_of(store, BOB)
    apply(store, AddMember(group, bob.account_id, {}))
    assert of_group(store)[Tool.MAIL] == (10_000, 10)
    less = LimitGroup(group, {Tool.MAIL: OwnLimit(4096, 8), Tool.CALENDAR: OwnLimit(items=0)})
    with pytest.raises(PermissionDenied):
        act(store, bob, less)
    act(store, alice, less)
    assert of_group(store)[Tool.MAIL] == (4096, 8)
    assert counts(store) == (10_000, 1)
    act(store, bob, LimitOwnSpace(bob.space_id, {Tool.MAIL: OwnLimit(items=3)}))
    apply(store, SetGroupAdministrator(group, bob.account_id))
    assert of_group(store)[Tool.MAIL] == (4096, 5)
    assert of_group(store)[Tool.CALENDAR] == (None, 0)
    act(store, bob, LimitGroup(group, dict.fromkeys(Tool, OwnLimit())))
    assert of_group(store)[Tool.MAIL] == (5000, 5)
    assert of_group(store)[Tool.CALENDAR] == (None, None)
    apply(store, DeleteAccount(alice.account_id))


def test_trail_and_hint(mail: Mail) -> None:
    """Who set what is in the audit trail; those who look at the space look again."""
    heard: list[Hint] = []
    told = threading.Event()

    def hear(hint: Hint) -> None:
        heard.append(hint)
        told.set()

    mail.store.bus.subscribe(Topic.SPACE, mail.actor.space_id, hear)
    own(mail, OwnLimit(2048, 2))
    assert told.wait(60)
    own(mail, OwnLimit())
    rows = sql(mail.store, "SELECT actor_name, detail FROM audit WHERE operation = 'LimitOwnSpace'")
    assert sorted(rows) == [
        (ALICE, "mail: 2048 bytes, 2 items"),
        (ALICE, "mail: as the plan"),
    ]


def test_both_change_at_once(mail: Mail) -> None:
    """Plan and own limit from two threads: whoever is last, the smaller one counts."""

    def plans() -> None:
        for number in range(10):
            plan(mail, Limit(10_000 + number, 10 + number))

    thread = threading.Thread(target=plans)
    thread.start()
    for number in range(10):
        own(mail, OwnLimit(2048 + number, 2 + number % 5))
    thread.join()
    assert counts(mail.store) == (2057, 6)
    assert own(mail, OwnLimit()) == (10_009, 19)
    assert counts(mail.store, Tool.DOCUMENTS) == (10_009, 19)


def test_a_limit_that_is_not_the_smaller_one_is_found(mail: Mail) -> None:
    """And repaired, with and without one."""
    own(mail, OwnLimit(2048, 2))
    for wrong in ("bytes_limit = NULL", "bytes_limit = 10000", "items_limit = 1"):
        sql(mail.store, f"UPDATE usage SET {wrong} WHERE tool = 'mail'")
        [finding] = check(mail.store)
        assert finding.repairable
        repair(mail.store)
        assert check(mail.store) == []
        assert counts(mail.store) == (2048, 2)
