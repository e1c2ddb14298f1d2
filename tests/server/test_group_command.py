"""``group`` on an installation that does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.test_commands import Cli

CHOIR = "choir@example.org"
PLANS = (
    "[plan.free]\ngroups = 0\n[plan.business]\ngroups = 1\nmembers = 3\n"
    'documents = { bytes = "10 MB" }\n'
)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A domain, three people who pay and one who does not."""
    made = Cli(tmp_path)
    (tmp_path / "directory.toml").write_text(PLANS)
    made.ok("domain", "add", "example.org")
    for name in ("ada", "bob", "carol", "dave"):
        plan = "free" if name == "dave" else "business"
        add = ("account", "add", f"{name}@example.org", "--plan", plan, "--password-stdin")
        made.ok(*add, stdin="correct horse\n")
    return made


@pytest.fixture
def choir(cli: Cli) -> Cli:
    """With a group of Ada's, in which Bob may write documents."""
    cli.ok("group", "add", CHOIR, "--admin", "ada@example.org", "--name", "The choir")
    member = ("group", "member", "add", CHOIR, "bob@example.org")
    cli.ok(*member, "--tool", "documents=write", "--tool", "mail=ip")
    return cli


def shown(cli: Cli) -> dict[str, object]:
    """The group for scripts."""
    found = cli.json("group", "show", CHOIR)
    assert isinstance(found, dict)
    return found


def rights(cli: Cli, address: str) -> dict[str, str]:
    """What a member may do, by tool."""
    members = shown(cli)["members"]
    assert isinstance(members, list)
    [found] = [one["rights"] for one in members if one["address"] == address]
    assert isinstance(found, dict)
    return found


def test_show_and_list(choir: Cli) -> None:
    """People and scripts see who is in a group, what each may do and what it may hold."""
    assert choir.json("group", "list") == [
        {
            "address": CHOIR,
            "name": "The choir",
            "administrator": "ada@example.org",
            "members": 2,
            "created": shown(choir)["created"],
        }
    ]
    assert "The choir" in choir.ok("group", "list")
    assert rights(choir, "ada@example.org")["mail"] == "all"
    assert rights(choir, "bob@example.org") == {
        "mail": "lrsip",
        "calendar": "read",
        "contacts": "read",
        "documents": "write",
    }
    usage = shown(choir)["usage"]
    assert isinstance(usage, dict)
    assert usage["documents"]["bytes_limit"] == 10_000_000
    assert "10,000,000 bytes" in choir.ok("group", "show", CHOIR)
    details = choir.json("account", "show", "ada@example.org")
    assert isinstance(details, dict)
    assert (details["groups_limit"], details["members_limit"]) == (1, 3)
    assert "at most 1" in choir.ok("account", "show", "ada@example.org")


def test_own_limits(choir: Cli) -> None:
    """Less than the plan gives, for one tool, of groups and accounts; without a number, all.
    What is no limit changes nothing."""
    for show in (("group", CHOIR), ("account", "ada@example.org")):
        kind, name = show
        told = choir.ok(kind, "limit", name, "documents", "--space", "5 MB", "--items", "7")
        assert "0 of 5,000,000 bytes (plan: 10,000,000 bytes)" in told
        assert "0 of 7 (plan: no limit)" in told
        found = choir.json(kind, "show", name)
        assert isinstance(found, dict)
        usage = found["usage"]["documents"]
        assert (usage["bytes_limit"], usage["plan_bytes"]) == (5_000_000, 10_000_000)
        assert (usage["items_limit"], usage["plan_items"]) == (7, None)
        assert "plan" not in choir.ok(kind, "limit", name, "documents", "--space", "20 MB")
        choir.ok(kind, "limit", name, "documents", "--space", "0")
        assert "0 of 10,000,000 bytes" in choir.ok(kind, "limit", name, "documents")
    before = shown(choir)
    for wrong in (
        ("music",),
        ("mail", "--space", "much"),
        ("mail", "--space", "-1"),
        ("mail", "--space", str(2**63)),
        ("mail", "--items", "-1"),
        ("mail", "--items", str(2**63)),
    ):
        assert choir("group", "limit", CHOIR, *wrong).exit_code == 2
    assert shown(choir) == before


def test_rights_change_by_tool(choir: Cli) -> None:
    """Tools that are not named keep their rights; all names every tool."""
    change = ("group", "member", "rights", CHOIR, "bob@example.org", "--tool")
    choir.ok(*change, "calendar=write")
    assert rights(choir, "bob@example.org")["documents"] == "write"
    assert rights(choir, "bob@example.org")["calendar"] == "write"
    choir.ok(*change, "all=read")
    assert set(rights(choir, "bob@example.org").values()) == {"read"}


@pytest.mark.parametrize(
    "wrong",
    [
        "documents",
        "music=read",
        "mail=z",
        "mail=a",
        "all=admin",
        "mail=busy",
        "mail=none",
        "mail=",
        "mail=write+",
        "mail=write+x y",
    ],
)
def test_wrong_rights_are_wrong_usage(choir: Cli, wrong: str) -> None:
    """What cannot be given is said before anything is changed."""
    done = choir("group", "member", "rights", CHOIR, "bob@example.org", "--tool", wrong)
    assert done.exit_code == 2
    assert rights(choir, "bob@example.org")["documents"] == "write"


def test_hand_over_and_leave(choir: Cli) -> None:
    """The administrator leaves after another one is chosen, not before; so with deletion."""
    leave = ("group", "member", "remove", CHOIR, "ada@example.org")
    assert "another one is chosen" in choir(*leave).output
    gone = choir("account", "delete", "ada@example.org", "--yes")
    assert gone.exit_code == 1
    assert CHOIR in gone.output
    choir.ok("group", "admin", CHOIR, "bob@example.org")
    choir.ok(*leave)
    choir.ok("account", "delete", "ada@example.org", "--yes")
    assert shown(choir)["administrator"] == "bob@example.org"
    assert "not a member" in choir("group", "admin", CHOIR, "carol@example.org").output
    choir.ok("check")


def test_plans_limit_groups(choir: Cli) -> None:
    """Nobody has more groups, and no group more members, than the plan says."""
    other = ("group", "add", "other@example.org", "--admin")
    for name in ("ada", "dave"):
        done = choir(*other, f"{name}@example.org")
        assert done.exit_code == 1
        assert "no more groups" in done.output
    choir.ok("group", "member", "add", CHOIR, "carol@example.org")
    full = choir("group", "member", "add", CHOIR, "dave@example.org")
    assert full.exit_code == 1
    assert "no more members" in full.output


def test_rename_and_delete(choir: Cli) -> None:
    """The address stays with a new name; what is destroyed asks first."""
    choir.ok("group", "rename", CHOIR, "Band")
    assert shown(choir)["name"] == "Band"
    assert choir("group", "delete", CHOIR, stdin="n\n").exit_code == 1
    choir.ok("group", "delete", CHOIR, "--yes")
    assert choir.json("group", "list") == []
    assert "no group" in choir("group", "show", CHOIR).output
    choir.ok("check", "--deep")


def test_how_a_group_takes_mail(choir: Cli) -> None:
    """Who posts, which tools there are, who gets copies, who writes in its name: set and shown."""
    bob = "bob@example.org"
    choir.ok("group", "set", CHOIR, "--posting", "members")
    choir.ok("group", "set", CHOIR, "--tools", "mail,documents")
    choir.ok("group", "member", "forward", CHOIR, bob, "on")
    choir.ok("group", "member", "rights", CHOIR, bob, "--tool", "mail=write+send-as")
    choir.ok("group", "alias", "add", CHOIR, "Singers@example.org")
    found = shown(choir)
    assert (found["posting"], found["tools"]) == ("members", ["mail", "documents"])
    assert found["aliases"] == ["singers@example.org"]
    assert isinstance(found["members"], list)
    assert [one["forward"] for one in found["members"]] == [False, True]
    assert rights(choir, bob)["mail"] == "write+send-as"
    text = choir.ok("group", "show", CHOIR)
    for part in ("mail, documents", "members", "singers@example.org", "write+send-as"):
        assert part in text
    choir.ok("group", "member", "forward", CHOIR, bob, "off")
    choir.ok("group", "alias", "remove", CHOIR, "singers@example.org")
    choir.ok("group", "set", CHOIR, "--tools", "all", "--posting", "anyone")
    again = shown(choir)
    assert (again["aliases"], len(again["tools"])) == ([], 4)  # type: ignore[arg-type]
    assert choir("group", "set", CHOIR).exit_code == 2
    assert choir("group", "set", CHOIR, "--tools", "mail,music").exit_code == 2
    assert choir("group", "alias", "remove", CHOIR, CHOIR).exit_code == 1
    assert choir("group", "alias", "add", CHOIR, bob).exit_code == 1
    assert choir("group", "member", "forward", CHOIR, "dave@example.org", "on").exit_code == 1
