"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE."""

from __future__ import annotations

import pytest

from tests.imap.listed import listed, one, status
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer


@pytest.fixture
def client(server: TestServer) -> ImapClient:
    """A fresh account, signed in."""
    return server.imap(server.account())


def test_create_makes_all_levels(client: ImapClient) -> None:
    """Every level is a mailbox that can be selected; a delimiter at the end says nothing."""
    # rfc9051#6.3.4
    client.ok("CREATE a/b/c/")
    assert listed(client, 'LIST "" a*') == ["a", "a/b", "a/b/c"]
    for name in ("a", "a/b", "a/b/c", "a/b/"):
        client.ok(f"SELECT {name}")
    assert client.cmd("CREATE a/b").code == "ALREADYEXISTS"
    assert client.cmd("CREATE a/b/").code == "ALREADYEXISTS"


@pytest.mark.parametrize("name", ["INBOX", "inbox", "InBoX/"])
def test_inbox_exists_already(client: ImapClient, name: str) -> None:
    """INBOX is always there, in any spelling. # rfc9051#5.1"""
    assert client.cmd(f"CREATE {name}").code == "ALREADYEXISTS"


@pytest.mark.parametrize(
    "name",
    ['"a*b"', '"%"', "/a", "a//b", "/", "//", '"a&AAk-b"', '"a&ICg-b"', "x" * 256, "a/" * 51],
)
def test_names_that_cannot_be(client: ImapClient, name: str) -> None:
    """Wildcards, empty levels, control characters, too long and too deep: NO [CANNOT]."""
    # rfc9051#5.1, rfc5530#3
    response = client.cmd(f"CREATE {name}")
    assert (response.status, response.code) == ("NO", "CANNOT")
    assert client.cmd(f"SUBSCRIBE {name}").code == "CANNOT"
    client.ok("CREATE target")
    assert client.cmd(f"RENAME target {name}").code == "CANNOT"


def test_name_that_is_not_utf7(client: ImapClient) -> None:
    """Broken modified UTF-7 is a syntax error, not a mailbox of a strange name. # rfc3501#5.1.3"""
    for name in ("a&", "&AA", '"&Jjo!-"'):
        assert client.cmd(f"CREATE {name}").status == "BAD"


def test_delete(client: ImapClient) -> None:
    """A deleted mailbox is gone, and one made again under its name is another. # rfc9051#6.3.5"""
    client.ok("CREATE old")
    client.append("old", simple())
    before = status(client, "old", "UIDVALIDITY")["UIDVALIDITY"]
    client.ok("DELETE old")
    assert client.cmd("SELECT old").code == "NONEXISTENT"
    assert client.cmd("DELETE old").code == "NONEXISTENT"
    client.ok("CREATE old")
    after = status(client, "old", "MESSAGES UIDVALIDITY")
    assert after["MESSAGES"] == 0
    assert after["UIDVALIDITY"] > before


def test_delete_refusals(client: ImapClient) -> None:
    """INBOX stays, and so does what has children. # rfc9051#6.3.5"""
    assert client.cmd("DELETE INBOX").code == "CANNOT"
    client.ok("CREATE a/b")
    assert client.cmd("DELETE a").code == "HASCHILDREN"
    client.ok("DELETE a/b")
    client.ok("DELETE a")


def test_delete_the_selected_mailbox(client: ImapClient) -> None:
    """The own session is told and goes on without a mailbox."""
    client.ok("CREATE old")
    client.ok("SELECT old")
    assert client.ok("DELETE old").matching("[CLOSED]")
    assert client.cmd("FETCH 1 UID").status == "BAD"
    client.ok("SELECT INBOX")


def test_delete_in_another_session(server: TestServer) -> None:
    """A session whose mailbox is taken away is closed, also while it is in IDLE."""
    account = server.account()
    first, second, third = (server.imap(account) for _ in range(3))
    first.ok("CREATE old")
    second.ok("SELECT old")
    third.ok("SELECT old")
    second.idle()
    first.ok("DELETE old")
    second.wait_line("BYE")
    third.send(b"x NOOP\r\n")
    third.wait_line("BYE")
    assert second.at_end()
    assert third.at_end()
    first.ok("NOOP")


def test_rename_takes_children_along(client: ImapClient) -> None:
    """Messages, UIDs and children keep; missing levels above the new name are made."""
    # rfc9051#6.3.6
    client.ok("CREATE a/b/c")
    client.append("a/b", simple())
    before = status(client, "a/b", "MESSAGES UIDVALIDITY UIDNEXT")
    client.ok("RENAME a/b x/y/z")
    assert listed(client, 'LIST "" "a*"') == ["a"]
    assert listed(client, 'LIST "" "x*"') == ["x", "x/y", "x/y/z", "x/y/z/c"]
    assert status(client, "x/y/z", "MESSAGES UIDVALIDITY UIDNEXT") == before


def test_rename_refusals(client: ImapClient) -> None:
    """Taken, missing, or below itself. # rfc9051#6.3.6"""
    client.ok("CREATE a/b")
    assert client.cmd("RENAME a Sent").code == "ALREADYEXISTS"
    assert client.cmd("RENAME a a").code == "ALREADYEXISTS"
    assert client.cmd("RENAME a INBOX").code == "ALREADYEXISTS"
    assert client.cmd("RENAME nothing b").code == "NONEXISTENT"
    assert client.cmd("RENAME a a/b/c").status == "NO"
    assert client.cmd("RENAME a a/c").status == "NO"
    assert listed(client, 'LIST "" a*') == ["a", "a/b"]


def test_rename_inbox_moves_its_messages(server: TestServer) -> None:
    """INBOX stays, empty; its children stay too; who has it selected sees the messages go."""
    # rfc9051#6.3.6
    account = server.account()
    client, watching = server.imap(account), server.imap(account, select="INBOX")
    client.ok("CREATE INBOX/child")
    client.append("INBOX", simple("one"))
    client.append("INBOX", simple("two"))
    watching.ok("NOOP")
    client.ok("RENAME inbox Archive/2024")
    assert status(client, "INBOX", "MESSAGES") == {"MESSAGES": 0}
    assert status(client, "Archive/2024", "MESSAGES") == {"MESSAGES": 2}
    assert listed(client, 'LIST "" INBOX*') == ["INBOX", "INBOX/child"]
    assert len(watching.ok("NOOP").matching("EXPUNGE")) == 2


def test_rename_of_the_selected_mailbox(client: ImapClient) -> None:
    """The session stays in it; the mailbox has only another name."""
    client.ok("CREATE old")
    client.append("old", simple())
    client.ok("SELECT old")
    client.ok("RENAME old new")
    assert client.ok("FETCH 1 UID").matching("UID 1")
    assert b"* 2 EXISTS" in client.append("new", simple()).lines


def test_rename_keeps_subscriptions(client: ImapClient) -> None:
    """Subscriptions belong to names (RFC 9051 section 6.3.6)."""
    client.ok("CREATE old")
    client.ok("SUBSCRIBE old")
    client.ok("RENAME old new")
    found = one(client, 'LIST (SUBSCRIBED) "" old')
    assert "\\NonExistent" in found.attributes
    assert listed(client, 'LIST (SUBSCRIBED) "" new') == []


def test_oldname(server: TestServer) -> None:
    """IMAP4rev2 clients learn the name before, and the form in which a name is kept."""
    # rfc9051#6.3.9.7
    account = server.account()
    old, new = server.imap(account), server.imap(account)
    new.ok("ENABLE IMAP4rev2")
    assert not old.ok("CREATE first").lines
    assert not old.ok("RENAME first second").lines
    line = b'* LIST (\\HasNoChildren) "/" third ("OLDNAME" (second))'
    assert new.ok("RENAME second third").lines == [line]
    assert not new.ok("CREATE plain").lines
    made = new.ok('CREATE "e\u0301"').lines
    assert made == ['* LIST (\\HasNoChildren) "/" "\u00e9" ("OLDNAME" ("e\u0301"))'.encode()]
    gone = new.ok('DELETE "e\u0301"').lines
    assert gone == ['* LIST (\\NonExistent) "/" "\u00e9" ("OLDNAME" ("e\u0301"))'.encode()]


def test_subscribe(client: ImapClient) -> None:
    """Any possible name can be subscribed; doing it twice or undoing nothing is no error."""
    # rfc9051#6.3.7, rfc9051#6.3.8
    client.ok("SUBSCRIBE not/there")
    client.ok("SUBSCRIBE not/there/")
    assert listed(client, 'LSUB "" "not*"') == ["not/there"]
    client.ok("UNSUBSCRIBE not/there")
    client.ok("UNSUBSCRIBE not/there")
    assert listed(client, 'LSUB "" "not*"') == []


def test_bad_arguments(client: ImapClient) -> None:
    """What lacks an argument or has one too many is BAD."""
    for command in ("CREATE", "DELETE", "RENAME a", "SUBSCRIBE", "UNSUBSCRIBE a b", 'CREATE ""'):
        assert client.cmd(command).status == "BAD"
