"""The directory file and the store: applied again it changes nothing, and nothing is deleted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.auth.accounts import AccountWanted
from folkmoot.config.directory import Directory, parse_directory
from folkmoot.config.rules import parse_config
from folkmoot.server.commands.work import Work
from folkmoot.server.directory_apply import apply_directory
from folkmoot.sharing.policy import MEMBER
from folkmoot.sharing.rights import READ, WRITE
from folkmoot.storage.types import AccountState, OwnLimit, Right, Tool
from folkmoot.storage.types_accounts import AccountUpdate
from folkmoot.storage.types_groups import Posting
from tests.server.test_commands import CONFIG

TEXT = """
[plan.free]
mail = { bytes = "20 MB", items = 100 }

[[domain]]
name = "example.org"
catchall = "ada@example.org"

[[account]]
address = "ada@example.org"
name = "Ada"
password = "correct horse"
plan = "free"
aliases = ["countess@example.org"]
domain_admin = true

[[account]]
address = "bob@example.org"
"""


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """An open, empty store."""
    made = Work(parse_config(CONFIG, tmp_path / "folkmoot.toml"))
    yield made
    made.core.close()


def directory(text: str) -> Directory:
    """A directory from text."""
    return parse_directory(text, Path("/directory.toml"))


def apply(work: Work, text: str, caplog: pytest.LogCaptureFixture) -> tuple[int, int]:
    """Apply a text; the numbers of changes and of failures."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        done = work.wait(apply_directory(work.accounts, work.groups, work.sharing, directory(text)))
    last = caplog.records[-1]
    changes, failures = vars(last)["changes"], vars(last)["failures"]
    assert done == (failures == 0)
    return changes, failures


def test_it_is_idempotent(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """Everything in the file is made once; a second run finds nothing to do."""
    assert apply(work, TEXT, caplog) == (5, 0)
    ada = work.wait(work.accounts.show("ada@example.org"))
    assert (ada.account.name, ada.account.plan, ada.account.domain_admin) == ("Ada", "free", True)
    assert ada.aliases == ("countess@example.org",)
    assert ada.has_scram
    mail = next(usage for usage in ada.usage if usage.tool is Tool.MAIL)
    assert (mail.bytes_limit, mail.items_limit) == (20_000_000, 100)
    bob = work.wait(work.accounts.show("bob@example.org"))
    assert (bob.account.plan, bob.has_password) == ("default", False)
    (domain,) = work.wait(work.accounts.domains())
    assert domain.catchall == "ada@example.org"
    assert apply(work, TEXT, caplog) == (0, 0)


def test_what_is_written_is_changed_and_the_rest_stays(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """Names, plans and states follow the file; keys and entries that are not there do nothing."""
    apply(work, TEXT, caplog)
    changed = TEXT.replace('"Ada"', '"Ada L"').replace(
        'address = "bob@example.org"', 'address = "bob@example.org"\ndisabled = true\nplan = "free"'
    )
    # name, plan with its limits, state
    assert apply(work, changed, caplog) == (4, 0)
    bob = work.wait(work.accounts.show("bob@example.org")).account
    assert (bob.state, bob.plan) == (AccountState.DISABLED, "free")
    # Back to the first text: without the keys, the state and the plan stay as they are.
    assert apply(work, TEXT, caplog) == (1, 0)
    bob = work.wait(work.accounts.show("bob@example.org")).account
    assert (bob.state, bob.plan) == (AccountState.DISABLED, "free")
    # A file without people deletes nobody, but says who is not in it.
    assert apply(work, TEXT[: TEXT.index("[[domain]]")], caplog) == (0, 0)
    assert {r.__dict__.get("account") for r in caplog.records} >= {
        "ada@example.org",
        "bob@example.org",
    }
    assert len(work.wait(work.accounts.accounts())) == 2


def test_hidden_capabilities_follow_the_file(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """For new and present accounts; in any case and order, and without the key as they are."""
    hiding = TEXT.replace('name = "Ada"', 'name = "Ada"\nhide_capabilities = ["xlist", "IDLE"]')
    apply(work, hiding, caplog)
    assert apply(work, hiding, caplog) == (0, 0)
    assert apply(work, TEXT, caplog) == (0, 0)

    def hidden(address: str) -> tuple[str, ...]:
        return work.wait(work.accounts.show(address)).account.hidden_capabilities

    assert hidden("ada@example.org") == ("IDLE", "XLIST")
    assert hidden("bob@example.org") == ()
    assert apply(work, hiding.replace('["xlist", "IDLE"]', "[]"), caplog) == (1, 0)
    assert hidden("ada@example.org") == ()


def test_a_password_is_only_the_first_one(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """A person's own change of the password is never undone by the file."""
    apply(work, TEXT, caplog)
    work.wait(work.accounts.set_password("ada@example.org", "my own secret"))
    assert apply(work, TEXT.replace("correct horse", "something else"), caplog) == (0, 0)


def test_larger_plans_count_at_once_for_everybody(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """Limits of a plan reach accounts that were made elsewhere as well."""
    apply(work, TEXT, caplog)
    work.wait(
        work.accounts.create(
            AccountWanted(address="eve@example.org", password="battery staple", plan="free")
        )
    )
    assert apply(work, TEXT.replace("20 MB", "30 MB"), caplog) == (2, 0)
    for person in ("ada", "eve"):
        details = work.wait(work.accounts.show(f"{person}@example.org"))
        assert {usage.tool: usage.bytes_limit for usage in details.usage} == {
            Tool.MAIL: 30_000_000,
            Tool.CALENDAR: None,
            Tool.CONTACTS: None,
            Tool.DOCUMENTS: None,
        }


def test_own_limits_are_no_difference(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """The file says what plans give; what people leave themselves of it is not undone, also not
    when the plan changes."""
    text = GROUPS + "[plan.default.mail]\nitems = 50\n"
    assert apply(work, text, caplog)[1] == 0
    less = {Tool.MAIL: OwnLimit(1_000_000, 7), Tool.DOCUMENTS: OwnLimit(5000, 1)}
    for address in ("ada@example.org", "bob@example.org"):
        work.wait(work.accounts.limit(address, less))
    work.wait(work.groups.limit("choir@example.org", less))

    def limits() -> list[tuple[int | None, int | None]]:
        people = ("ada@example.org", "bob@example.org")
        usages = [work.wait(work.accounts.show(address)).usage for address in people]
        usages.append(work.wait(work.groups.show("choir@example.org")).usage)
        found = [one for usage in usages for one in usage if one.tool in less]
        return [(one.bytes_limit, one.items_limit) for one in found]

    for changed, changes in ((text, 0), (text.replace("20 MB", "30 MB"), 1)):
        assert apply(work, changed, caplog) == (changes, 0)
        assert limits() == [(1_000_000, 7), (5000, 1)] * 3
    smaller = text.replace("20 MB", "500 kB").replace("items = 50", "items = 5")
    assert apply(work, smaller, caplog)[1] == 0
    assert limits()[::2] == [(500_000, 7), (1_000_000, 5), (1_000_000, 5)]


def test_one_bad_entry_does_not_stop_the_others(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """A password that the policy refuses and an alias in use are logged; the rest is applied."""
    work.wait(work.accounts.create_domain("example.org"))
    work.wait(work.accounts.create(AccountWanted(address="countess@example.org")))
    text = TEXT + '\n[[account]]\naddress = "carl@example.org"\npassword = "short"\n'
    _, failures = apply(work, text, caplog)
    assert failures == 2
    entries = {vars(r)["entry"] for r in caplog.records if r.levelno == logging.ERROR}
    assert entries == {"carl@example.org", "countess@example.org"}
    addresses = {account.address for account in work.wait(work.accounts.accounts())}
    assert addresses == {"ada@example.org", "bob@example.org", "countess@example.org"}


GROUPS = (
    TEXT
    + """
[plan.default]
groups = 1
members = 3

[[account]]
address = "carol@example.org"

[[group]]
address = "choir@example.org"
name = "Choir"
admin = "bob@example.org"
members = ["ada@example.org"]
editors = ["carol@example.org"]
"""
)


def test_groups_are_made_once(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """A group with its members; what an administrator changed of rights is not undone."""
    _, failures = apply(work, GROUPS, caplog)
    assert failures == 0
    assert apply(work, GROUPS, caplog) == (0, 0)
    details = work.wait(work.groups.show("choir@example.org"))
    assert (details.group.name, details.group.administrator) == ("Choir", "bob@example.org")
    given = {one.address: one.rights[Tool.DOCUMENTS] | MEMBER for one in details.members}
    assert given["ada@example.org"] == READ
    assert given["carol@example.org"] == WRITE
    work.wait(
        work.groups.set_rights("choir@example.org", "carol@example.org", {Tool.DOCUMENTS: READ})
    )
    changed = GROUPS.replace('name = "Choir"', 'name = "Band"').replace(
        'admin = "bob@example.org"', 'admin = "carol@example.org"'
    )
    assert apply(work, changed, caplog) == (2, 0)
    group = work.wait(work.groups.show("choir@example.org")).group
    assert (group.name, group.administrator) == ("Band", "carol@example.org")
    assert apply(work, changed, caplog) == (0, 0)
    assert apply(work, TEXT, caplog)[1] == 0
    assert len(work.wait(work.groups.groups())) == 1


def test_how_a_group_takes_mail(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """What is said of the group follows the file; what is said of members counts when they join."""
    text = GROUPS + (
        'posting = "members"\ntools = ["mail", "calendar"]\naliases = ["singers@example.org"]\n'
        'forward = ["bob@example.org", "ada@example.org"]\nsend_as = ["carol@example.org"]\n'
    )
    assert apply(work, text, caplog)[1] == 0
    assert apply(work, text, caplog) == (0, 0)
    choir = "choir@example.org"
    details = work.wait(work.groups.show(choir))
    assert details.posting is Posting.MEMBERS
    assert details.tools == {Tool.MAIL, Tool.CALENDAR}
    assert details.aliases == ("singers@example.org",)
    assert [one.forward for one in details.members] == [True, True, False]
    assert [Right.SEND_AS in one.rights[Tool.MAIL] for one in details.members] == [0, 0, 1]
    work.wait(work.groups.set_forward(choir, "ada@example.org", False))
    work.wait(work.groups.set_settings(choir, Posting.WRITERS, frozenset(Tool)))
    assert apply(work, text, caplog) == (1, 0)
    details = work.wait(work.groups.show(choir))
    assert (details.posting, len(details.tools)) == (Posting.MEMBERS, 2)
    assert [one.forward for one in details.members] == [False, True, False]
    assert apply(work, GROUPS, caplog) == (0, 0)


SHARES = (
    GROUPS
    + """
[[share]]
owner = "ada@example.org"
path = "calendar/Calendar"
with = "choir@example.org"
rights = "read"

[[share]]
owner = "choir@example.org"
path = "mail/Archive"
with = "choir@example.org"
rights = "write"
"""
)


def test_shares_are_made_once(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """Rights follow the file; what is shared beside it stays; what is not there is reported."""

    def shared(owner: str) -> list[tuple[str, Right]]:
        found = work.wait(work.sharing.shared(owner))
        return [(one.grant.address, one.grant.rights) for one in found]

    ada, bob, choir = "ada@example.org", "bob@example.org", "choir@example.org"
    assert apply(work, SHARES, caplog)[1] == 0
    assert apply(work, SHARES, caplog) == (0, 0)
    assert (shared(ada), shared(choir)) == ([(choir, READ)], [(choir, WRITE)])
    work.wait(work.sharing.share(ada, "calendar/Calendar", bob, READ))
    changed = SHARES.replace('rights = "read"', 'rights = "busy"')
    assert apply(work, changed, caplog) == (1, 0)
    assert shared(ada) == [(choir, Right.LOOKUP | Right.BUSY), (bob, READ)]
    assert apply(work, SHARES.replace("mail/Archive", "mail/Nowhere"), caplog)[1] == 1


def test_groups_beyond_a_plan_are_reported(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """One that the plan does not allow fails by itself; the rest is applied."""
    _, failures = apply(work, GROUPS.replace("groups = 1", "groups = 0"), caplog)
    assert failures == 1
    assert work.wait(work.groups.groups()) == []


def test_a_plan_that_was_not_paid_is_not_given_back(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """The file still names it, at each start; another plan that is written there counts."""
    text = TEXT.replace('plan = "free"', 'plan = "pro"').replace(
        "[plan.free]", '[plan.pro]\nprice = 12\ncurrency = "EUR"\n\n[plan.free]'
    )
    apply(work, text, caplog)
    address = "ada@example.org"
    work.wait(work.accounts.update(address, AccountUpdate(plan="default")))

    def again(text: str) -> str:
        applied = apply_directory(
            work.accounts, work.groups, work.sharing, directory(text), {address: "pro"}
        )
        assert work.wait(applied)
        return work.wait(work.accounts.show(address)).account.plan

    assert again(text) == "default"
    assert again(text.replace('plan = "pro"', 'plan = "free"')) == "free"
