"""``share`` on an installation that does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.test_commands import Cli

CHOIR = "choir@example.org"
ADA, BOB, DAVE = "ada@example.org", "bob@example.org", "dave@example.org"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """Ada leads the choir, Bob is in it, Dave is in no group."""
    made = Cli(tmp_path)
    made.ok("domain", "add", "example.org")
    for address in (ADA, BOB, DAVE):
        made.ok("account", "add", address, "--password-stdin", stdin="correct horse\n")
    made.ok("group", "add", CHOIR, "--admin", ADA)
    made.ok("group", "member", "add", CHOIR, BOB)
    return made


def shared(cli: Cli, owner: str, path: str = "") -> list[tuple[str, str, str]]:
    """What somebody shares, for scripts."""
    found = cli.json("share", "list", owner, *([path] if path else []))
    assert isinstance(found, list)
    return [(one["path"], one["with"], one["rights"]) for one in found]


def add(cli: Cli, owner: str, path: str, grantee: str, rights: str) -> str:
    """Share something."""
    return cli.ok("share", "add", owner, path, "--with", grantee, "--rights", rights)


def test_share_show_and_withdraw(cli: Cli) -> None:
    """With a group and with a person; rights are replaced, listed by path, and taken back."""
    add(cli, ADA, "calendar/Calendar", CHOIR, "busy")
    add(cli, ADA, "calendar/Calendar", CHOIR, "write")
    add(cli, ADA, "mail/Archive", BOB, "lrsi")
    add(cli, ADA, "contacts/Contacts/", BOB, "read")
    assert shared(cli, ADA) == [
        ("mail/Archive", BOB, "lrsi"),
        ("calendar/Calendar", CHOIR, "write"),
        ("contacts/Contacts", BOB, "read"),
    ]
    assert shared(cli, ADA, "mail/Archive") == [("mail/Archive", BOB, "lrsi")]
    assert shared(cli, BOB) == []
    text = cli.ok("share", "list", ADA)
    assert "calendar/Calendar" in text
    assert CHOIR in text
    cli.ok("share", "remove", ADA, "mail/Archive", "--with", BOB)
    assert shared(cli, ADA, "mail/Archive") == []
    again = cli("share", "remove", ADA, "mail/Archive", "--with", BOB)
    assert (again.exit_code, "not shared" in again.output) == (1, True)
    cli.ok("check")


def test_a_group_shares_its_own(cli: Cli) -> None:
    """With itself, which says what all members may do, and with one of them."""
    add(cli, CHOIR, "calendar/Calendar", CHOIR, "none")
    add(cli, CHOIR, "calendar/Calendar", BOB, "write")
    assert shared(cli, CHOIR) == [
        ("calendar/Calendar", CHOIR, "none"),
        ("calendar/Calendar", BOB, "write"),
    ]


@pytest.mark.parametrize(
    ("owner", "path", "grantee", "says"),
    [
        (ADA, "calendar/Calendar", DAVE, "Only groups of the owner"),
        (DAVE, "calendar/Calendar", CHOIR, "Only groups of the owner"),
        (CHOIR, "calendar/Calendar", DAVE, "Only groups of the owner"),
        (ADA, "calendar/Calendar", ADA, "Only groups of the owner"),
        (ADA, "calendar/Calendar", "ghost@example.org", "no account or group"),
        ("ghost@example.org", "calendar/Calendar", CHOIR, "no account or group"),
        (ADA, "calendar/Calendar", "nonsense", "not an e-mail address"),
        (ADA, "calendar", CHOIR, "cannot be shared"),
        (ADA, "documents/", CHOIR, "cannot be shared"),
        (ADA, "calendar/Inbox", CHOIR, "cannot be shared"),
        (ADA, "calendar/../mail/INBOX", CHOIR, "nothing at"),
        (ADA, "calendar//Calendar", CHOIR, "nothing at"),
        (ADA, "calendar/Calend\u0430r", CHOIR, "nothing at"),
        (ADA, "calendar/Calendar\u202e", CHOIR, "nothing at"),
        (ADA, "../bob@example.org/mail/INBOX", CHOIR, "begins with one of"),
        (ADA, "music/Jazz", CHOIR, "begins with one of"),
        (ADA, "", CHOIR, "begins with one of"),
    ],
)
def test_what_is_refused(cli: Cli, owner: str, path: str, grantee: str, says: str) -> None:
    """People outside common groups, oneself, what does not exist and what leads elsewhere."""
    done = cli("share", "add", owner, path, "--with", grantee, "--rights", "read")
    assert (done.exit_code, says in done.output) == (1, True), done.output
    if owner != "ghost@example.org":
        assert shared(cli, owner) == []


@pytest.mark.parametrize("wrong", ["", "z", "admin", "a", "read+", "send-as", "write+a"])
def test_wrong_rights_are_wrong_usage(cli: Cli, wrong: str) -> None:
    """What cannot be given is said before anything is changed."""
    done = cli("share", "add", ADA, "mail/INBOX", "--with", CHOIR, "--rights", wrong)
    assert done.exit_code == 2
    busy = cli("share", "add", ADA, "mail/INBOX", "--with", CHOIR, "--rights", "busy")
    assert (busy.exit_code, "Only calendars" in busy.output) == (1, True)
    assert shared(cli, ADA) == []


def test_leaving_ends_it(cli: Cli) -> None:
    """What was shared with the group, and with people in it only, is withdrawn."""
    add(cli, BOB, "mail/Archive", CHOIR, "read")
    add(cli, BOB, "mail/Archive", ADA, "read")
    add(cli, ADA, "mail/Archive", BOB, "read")
    add(cli, CHOIR, "mail/Archive", BOB, "write")
    cli.ok("group", "member", "remove", CHOIR, BOB)
    assert [shared(cli, each) for each in (ADA, BOB, CHOIR)] == [[], [], []]
    cli.ok("check")
