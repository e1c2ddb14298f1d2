"""People and administrators of domains at work, over the real store: what a portal will call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from folkmoot.auth.accounts import AccountWanted
from folkmoot.auth.own import OwnAccount
from folkmoot.auth.passwords import PasswordRefused
from folkmoot.sharing.groups import Groups
from folkmoot.storage.errors import (
    AlreadyExists,
    AuthenticationFailed,
    Expired,
    LimitReached,
    NotFound,
    NotInPlan,
    PermissionDenied,
    Unchangeable,
)
from folkmoot.storage.txn import ReadTxn
from folkmoot.storage.types import AccountState, Actor, Feature, Limit, Tool, UidSet
from folkmoot.storage.types_accounts import AccountUpdate, Plan, Terms
from folkmoot.storage.views.bodies import ReadBodies
from folkmoot.storage.views.mailboxes import ListMailboxes
from tests.auth.support import HOME, PASSWORD
from tests.auth.test_accounts import Office, wait
from tests.kit.databases import Databases
from tests.kit.stores import open_store

Attempt = Callable[[], Deferred[Any]]

ADA, BOB = "ada@example.test", "bob@example.test"
SMALL = Plan("small", {Tool.MAIL: Limit(1000, None)}, Terms(1, 2, 5, frozenset({Feature.DRIVE})))


@pytest.fixture(params=["sqlite", "postgres"])
def office(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """Two domains; Ada administers the first one, in which Bob is."""
    store = open_store(databases.fresh(request.param), tmp_path_factory.mktemp("own"))
    office = Office(store)
    accounts = office.accounts
    for domain in ("example.test", "other.test"):
        wait(accounts.create_domain(domain))
    for address, domain_admin in ((ADA, True), (BOB, False), ("eve@other.test", False)):
        wanted = AccountWanted(address=address, password=PASSWORD, domain_admin=domain_admin)
        wait(accounts.create(wanted))
    yield office
    store.close()


def actor(office: Office, address: str, password: str = PASSWORD) -> Actor:
    """Somebody who signed in."""
    return wait(office.authenticator.authenticate(address, password, "account", HOME))


def own(office: Office, who: Actor) -> OwnAccount:
    """The account of an actor."""
    return OwnAccount(office.store, office.accounts, office.authenticator, who)


def test_own_password(office: Office) -> None:
    """With the old one only; the session that did it has ended too."""
    bob = actor(office, BOB)
    mine = own(office, bob)
    with pytest.raises(AuthenticationFailed):
        wait(mine.change_password("wrong", "a new long password", HOME))
    with pytest.raises(PasswordRefused):
        wait(mine.change_password(PASSWORD, "short", HOME))
    wait(mine.change_password(PASSWORD, "a new long password", HOME))
    with pytest.raises(Expired):
        wait(mine.show())
    with pytest.raises(AuthenticationFailed):
        actor(office, BOB)
    assert wait(own(office, actor(office, BOB, "a new long password")).show()).has_password


def test_own_app_passwords(office: Office) -> None:
    """Made, used and revoked by oneself; who signed in with one makes no others."""
    mine = own(office, actor(office, BOB))
    shown = wait(mine.add_app_password("phone", ("imap",)))
    assert [one.name for one in wait(mine.show()).app_passwords] == ["phone"]
    phone = wait(office.authenticator.authenticate(BOB, shown, "imap", HOME))
    device = own(office, phone)
    attempts: tuple[Attempt, ...] = (
        lambda: device.add_app_password("tablet"),
        lambda: device.revoke_app_password("phone"),
    )
    for attempt in attempts:
        with pytest.raises(PermissionDenied):
            wait(attempt())
    with pytest.raises(AuthenticationFailed):
        wait(device.change_password(shown, "a new long password", HOME))
    wait(mine.revoke_app_password("phone"))
    with pytest.raises(AuthenticationFailed):
        wait(office.authenticator.authenticate(BOB, shown, "imap", HOME))


def test_a_plan_without_app_passwords(office: Office) -> None:
    """None is made, and those that are there open nothing until the plan has them again."""
    mine = own(office, actor(office, BOB))
    shown = wait(mine.add_app_password("phone"))
    without = AccountUpdate(terms=Terms(withheld=frozenset({Feature.APP_PASSWORDS})))
    wait(office.accounts.update(BOB, without))
    with pytest.raises(NotInPlan):
        wait(office.authenticator.authenticate(BOB, shown, "imap", HOME))
    with pytest.raises(NotInPlan):
        wait(own(office, actor(office, BOB)).add_app_password("tablet"))
    wait(office.accounts.update(BOB, AccountUpdate(terms=Terms())))
    assert wait(office.authenticator.authenticate(BOB, shown, "imap", HOME)).credential_id


def test_a_plan_without_a_protocol(office: Office) -> None:
    """By password and by SCRAM: what lacks is told to those only who know the password."""
    without = AccountUpdate(terms=Terms(withheld=frozenset({Feature.IMAP, Feature.CALDAV})))
    wait(office.accounts.update(BOB, without))
    used = wait(office.accounts.show(BOB)).account.last_used
    for sign_in in (office.login, office.scram):
        with pytest.raises(NotInPlan):
            sign_in(BOB, PASSWORD)
        with pytest.raises(AuthenticationFailed):
            sign_in(BOB, "wrong")
    assert wait(office.accounts.show(BOB)).account.last_used == used
    assert office.login(BOB, PASSWORD, "submission").withheld == without.terms.withheld  # type: ignore[union-attr]
    office.login(BOB, PASSWORD, "dav")
    tools = frozenset({Feature.CALDAV, Feature.CARDDAV, Feature.DRIVE})
    wait(office.accounts.update(BOB, AccountUpdate(terms=Terms(withheld=tools))))
    with pytest.raises(NotInPlan):
        office.login(BOB, PASSWORD, "dav")


def test_groups_follow_the_plan(office: Office) -> None:
    """Of whoever administers them, also the largest item, at once and after a hand-over."""
    people = Groups(office.store)
    wait(people.create("choir@example.test", BOB))
    wait(people.add_member("choir@example.test", ADA))

    def limits() -> set[tuple[int | None, int | None]]:
        usage = wait(people.show("choir@example.test")).usage
        return {(one.bytes_limit, one.largest_item) for one in usage}

    for address, limit in ((BOB, Limit(100, None, 10)), (ADA, Limit(200, None, 20))):
        wait(office.accounts.assign_plan(address, Plan("p", dict.fromkeys(Tool, limit))))
    assert limits() == {(100, 10)}
    wait(people.hand_over("choir@example.test", ADA))
    assert limits() == {(200, 20)}
    wait(office.accounts.assign_plan(BOB, Plan("p", dict.fromkeys(Tool, Limit(1, 1, 1)))))
    assert limits() == {(200, 20)}
    wait(office.accounts.assign_plan(ADA, Plan("q")))
    assert limits() == {(None, None)}


def test_an_administrator_of_a_domain(office: Office) -> None:
    """Accounts, aliases and plans of the own domain; elsewhere nothing, not even a look."""
    wait(office.accounts.set_domain_plans("example.test", ["small"]))
    ada = office.accounts.acting_as(actor(office, ADA))
    assert wait(ada.domain("example.test")).plans == ("small",)
    wanted = AccountWanted(
        address="new@example.test",
        password=PASSWORD,
        plan=SMALL.name,
        limits=SMALL.limits,
        terms=SMALL.terms,
    )
    assert wait(ada.create(wanted)).plan == "small"
    wait(ada.assign_plan(BOB, SMALL))
    assert wait(ada.show(BOB)).terms == SMALL.terms
    wait(ada.add_alias(BOB, "robert@example.test"))
    wait(ada.set_state(BOB, AccountState.DISABLED))
    with pytest.raises(AuthenticationFailed):
        actor(office, BOB)
    assert len(wait(ada.accounts("example.test"))) == 3
    wait(ada.delete("new@example.test"))
    refusals: tuple[Attempt, ...] = (
        lambda: ada.accounts(),
        lambda: ada.accounts("other.test"),
        lambda: ada.show("eve@other.test"),
        lambda: ada.show("nobody@other.test"),
        lambda: ada.assign_plan("eve@other.test", SMALL),
        lambda: ada.assign_plan(BOB, Plan("default")),
        lambda: ada.add_alias(BOB, "robert@other.test"),
        lambda: ada.create_domain("new.test"),
        lambda: ada.set_domain_plans("example.test", ["gold"]),
        lambda: ada.set_password(BOB, "a new long password"),
        lambda: ada.update(BOB, AccountUpdate(limits={Tool.MAIL: Limit(None, None)})),
        lambda: ada.add_app_password(BOB, "mine"),
    )
    for refused in refusals:
        with pytest.raises(PermissionDenied):
            wait(refused())


def test_a_password_is_reset(office: Office) -> None:
    """All sessions end, the old password is gone; the code chooses another one, once."""
    bob = actor(office, BOB)
    ada = office.accounts.acting_as(actor(office, ADA))
    first = wait(ada.reset_password(BOB))
    code = wait(ada.reset_password(BOB))
    with pytest.raises(Expired):
        wait(own(office, bob).show())
    for password in (PASSWORD, code):
        with pytest.raises(AuthenticationFailed):
            actor(office, BOB, password)
    for wrong in (first, "wrong", ""):
        with pytest.raises(AuthenticationFailed):
            wait(office.accounts.redeem_reset(BOB, wrong, "a new long password"))
    with pytest.raises(PasswordRefused):
        wait(office.accounts.redeem_reset(BOB, code, "short"))
    wait(office.accounts.redeem_reset(BOB, code, "a new long password"))
    actor(office, BOB, "a new long password")
    with pytest.raises(AuthenticationFailed):
        wait(office.accounts.redeem_reset(BOB, code, "another long password"))


def test_a_reset_does_not_last(office: Office) -> None:
    """A code that is too old opens nothing, and a new password takes one away."""
    accounts = office.accounts
    code = wait(accounts.reset_password(BOB))
    wait(accounts.set_password(BOB, PASSWORD))
    with pytest.raises(AuthenticationFailed):
        wait(accounts.redeem_reset(BOB, code, "a new long password"))
    actor(office, BOB)


def test_people_and_groups(office: Office) -> None:
    """Whoever the plan lets makes a group, leads it, hands it over, and goes out of it. # M3.1"""
    people = Groups(office.store)
    ada = people.acting_as(actor(office, ADA))
    bob = people.acting_as(actor(office, BOB))
    eve = people.acting_as(actor(office, "eve@other.test"))
    wait(office.accounts.update(BOB, AccountUpdate(terms=Terms(groups=1, members=2))))
    made = wait(bob.found("choir@example.test", "Choir"))
    assert (made.administrator, made.members) == (BOB, 1)
    for address, error in (
        ("band@example.test", LimitReached),
        ("choir@example.test", AlreadyExists),
        ("band@other.test", PermissionDenied),
        ("postmaster@example.test", PermissionDenied),
    ):
        with pytest.raises(error):
            wait(bob.found(address))
    wait(bob.add_member("choir@example.test", ADA))
    with pytest.raises(LimitReached):
        wait(bob.add_member("choir@example.test", "eve@other.test"))
    with pytest.raises(Unchangeable):
        wait(bob.leave("choir@example.test"))
    nothing: tuple[Callable[[str], Deferred[Any]], ...] = (eve.show, eve.leave, eve.delete)
    for each in nothing:
        with pytest.raises(NotFound):
            wait(each("choir@example.test"))
    with pytest.raises(PermissionDenied):
        wait(bob.groups("example.test"))
    wait(bob.hand_over("choir@example.test", ADA))
    assert wait(ada.show("choir@example.test")).group.administrator == ADA
    wait(bob.leave("choir@example.test"))
    with pytest.raises(NotFound):
        wait(bob.show("choir@example.test"))
    with pytest.raises(NotFound):
        wait(bob.leave("choir@example.test"))


def test_an_administrator_of_a_domain_and_its_groups(office: Office) -> None:
    """Makes and ends them and says who leads, but is in none because of it."""
    people = Groups(office.store)
    ada, bob = (people.acting_as(actor(office, who)) for who in (ADA, BOB))
    wait(ada.create("choir@example.test", BOB))
    assert [one.address for one in wait(ada.groups("example.test"))] == ["choir@example.test"]
    with pytest.raises(NotFound):  # like any stranger
        wait(ada.add_member("choir@example.test", ADA))
    wait(bob.add_member("choir@example.test", ADA))
    with pytest.raises(PermissionDenied):
        wait(ada.hand_over("choir@example.test", ADA))
    wait(ada.delete("choir@example.test"))
    assert wait(ada.groups("example.test")) == []


def test_no_groups_in_the_plan(office: Office) -> None:
    """Nobody comes into one; who is in one stays, and the one that is led goes on."""
    people = Groups(office.store)
    bob = people.acting_as(actor(office, BOB))
    wait(bob.found("choir@example.test"))
    wait(bob.add_member("choir@example.test", ADA))
    without = AccountUpdate(terms=Terms(withheld=frozenset({Feature.GROUPS})))
    for address in (ADA, BOB):
        wait(office.accounts.update(address, without))
    bob = people.acting_as(actor(office, BOB))
    assert wait(bob.show("choir@example.test")).group.members == 2
    wait(bob.rename("choir@example.test", "Singers"))
    wait(bob.remove_member("choir@example.test", ADA))
    refusals: tuple[Attempt, ...] = (
        lambda: bob.found("band@example.test"),
        lambda: bob.add_member("choir@example.test", ADA),
    )
    for refused in refusals:
        with pytest.raises(NotInPlan):
            wait(refused())


def test_who_has_too_much_is_told_once(office: Office) -> None:
    """By mail into INBOX, also where that is what is full; of groups their administrator."""
    people = Groups(office.store)
    for name in ("choir", "band"):
        wait(people.create(f"{name}@example.test", BOB))
        wait(people.add_member(f"{name}@example.test", ADA))
    small = Plan("small", {Tool.MAIL: Limit(10, 0)}, Terms(groups=1, members=1))
    first = wait(office.accounts.assign_plan(BOB, small))
    assert {one.what for one in first} == {
        "groups of bob@example.test",
        "members of choir@example.test",
        "members of band@example.test",
    }
    (message,) = _inbox(office, BOB)
    assert b"groups of bob@example.test: 2 of 1 groups" in message
    assert b"Nothing was deleted" in message
    # That message takes room too; nobody hears of it again.
    for limits in ({Tool.MAIL: Limit(9, 0)}, {Tool.MAIL: Limit(8, 0)}):
        wait(office.accounts.update(BOB, AccountUpdate(limits=limits)))
    assert len(_inbox(office, BOB)) == 1
    assert _inbox(office, ADA) == []


def test_who_takes_over_too_much_is_told(office: Office) -> None:
    """A group that is larger than its new administrator's plan."""
    people = Groups(office.store)
    wait(people.create("choir@example.test", BOB))
    for member in (ADA, "eve@other.test"):
        wait(people.add_member("choir@example.test", member))
    wait(office.accounts.update(ADA, AccountUpdate(terms=Terms(members=2))))
    wait(people.acting_as(actor(office, BOB)).hand_over("choir@example.test", ADA))
    (message,) = _inbox(office, ADA)
    assert b"members of choir@example.test: 3 of 2 members" in message


def _inbox(office: Office, address: str) -> list[bytes]:
    """The messages in somebody's INBOX."""
    who = actor(office, address)

    def work(txn: ReadTxn) -> list[bytes]:
        found = txn.view(ListMailboxes(who.space_id, who.account_id))
        inbox = next(one.id for one in found if one.name == "INBOX")
        everything = UidSet.from_ranges([(1, 100)])
        return [body.data or b"" for body in txn.view(ReadBodies(inbox, everything, 10**6, False))]

    return office.store.call_read(who, "test", work)
