"""Plans on the command line and from the directory file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from folkmoot.server.commands.work import Work
from folkmoot.storage.types import Feature, Tool
from folkmoot.storage.types_accounts import Terms
from tests.server.test_commands import Cli
from tests.server.test_directory_apply import TEXT, apply, work

__all__ = ["work"]

ADA = "ada@example.org"
PLANS = """
[plan.free]
mail = { bytes = "20 MB", items = 0 }
largest_item = "5 MB"
mail_per_day = 20
groups = 1
members = 5
drive = false
join_groups = false
app_passwords = false
"""


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """An installation with a plan, and somebody without one."""
    made = Cli(tmp_path)
    (tmp_path / "directory.toml").write_text(PLANS)
    made.ok("domain", "add", "example.org")
    made.ok("account", "add", ADA, "--generate")
    return made


def test_plans_are_shown(cli: Cli) -> None:
    """Room, numbers and what a plan does not have, for people and for scripts."""
    listed: Any = cli.json("plan", "list")
    assert [plan["name"] for plan in listed] == ["default", "free"]
    free: Any = cli.json("plan", "show", "free")
    assert free == listed[1]
    assert free["limits"]["mail"] == {
        "bytes_limit": 20_000_000,
        "items_limit": None,
        "largest_item": 5_000_000,
    }
    assert (free["groups_limit"], free["members_limit"], free["mail_per_day"]) == (1, 5, 20)
    features = free["features"]
    assert {name for name, there in features.items() if not there} == {
        "drive",
        "groups",
        "app_passwords",
    }
    text = cli.ok("plan", "show", "free")
    assert "20 recipients elsewhere in a day" in text
    assert "app_passwords, drive, groups" in text
    assert "free" in cli.ok("plan", "list")
    assert cli("plan", "show", "gold").exit_code == 2


def test_an_account_gets_another_plan(cli: Cli) -> None:
    """All of it at once; what does not fit is said, and stays."""
    for name in ("choir", "band"):
        cli.ok("group", "add", f"{name}@example.org", "--admin", ADA)
    output = cli.ok("account", "set", ADA, "--plan", "free", "--name", "Ada")
    assert "groups of ada@example.org, 2 of 1 groups" in output
    shown: Any = cli.json("account", "show", ADA)
    assert (shown["plan"], shown["name"], shown["sent_today"]) == ("free", "Ada", 0)
    assert shown["usage"]["mail"]["bytes_limit"] == 20_000_000
    assert shown["usage"]["documents"]["largest_item"] == 5_000_000
    assert shown["usage"]["mail"]["items_used"] == 1  # the message that tells it
    assert not shown["features"]["drive"]
    group: Any = cli.json("group", "show", "choir@example.org")
    assert group["usage"]["mail"]["bytes_limit"] == 20_000_000
    assert "0 today" in cli.ok("account", "show", ADA)
    assert cli("group", "add", "trio@example.org", "--admin", ADA).exit_code == 1
    refused = cli("account", "app-password", "add", ADA, "phone")
    assert refused.exit_code == 1
    assert "plan" in refused.output
    cli.ok("account", "set", ADA, "--plan", "default", "--domain-admin")
    shown = cli.json("account", "show", ADA)
    assert (shown["domain_admin"], shown["mail_per_day"]) == (True, None)
    assert all(shown["features"].values())
    assert cli("account", "set", ADA, "--plan", "gold").exit_code == 2
    assert cli("account", "set", ADA).exit_code == 2
    assert cli("account", "set", "x@example.org", "--name", "x").exit_code == 1


def test_the_directory_file_gives_terms(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    """Features, largest item and mail per day come with the plan, and change with it at once."""
    text = TEXT.replace("[plan.free]", "[plan.free]\nimap = false\nlargest_item = 100")
    text = text.replace("[[domain]]", '[[domain]]\nplans = ["free"]', 1)
    assert apply(work, text, caplog)[1] == 0
    ada = work.wait(work.accounts.show(ADA))
    assert ada.terms == Terms(withheld=frozenset({Feature.IMAP}))
    assert {usage.tool: usage.largest_item for usage in ada.usage} == dict.fromkeys(Tool, 100)
    assert work.wait(work.accounts.domain("example.org")).plans == ("free",)
    assert apply(work, text, caplog) == (0, 0)
    changed = text.replace("imap = false", "mail_per_day = 5").replace('plans = ["free"]', "")
    assert apply(work, changed, caplog)[1] == 0
    ada = work.wait(work.accounts.show(ADA))
    assert ada.terms == Terms(mail_per_day=5)
    assert work.wait(work.accounts.domain("example.org")).plans == ()
    assert apply(work, changed, caplog) == (0, 0)


def test_plans_of_a_domain_exist(cli: Cli) -> None:
    """A plan that is not in the file cannot be given to those who give plans."""
    file = cli.folder / "directory.toml"
    file.write_text(PLANS + '[[domain]]\nname = "example.org"\nplans = ["gold"]\n')
    done = cli("plan", "list")
    assert done.exit_code == 2
    assert "gold" in done.output
