"""SPECIAL-USE and CREATE-SPECIAL-USE (RFC 6154)."""

from __future__ import annotations

from tests.imap.listed import listed, names, one
from tests.kit.server import TestServer

USES = ["Archive", "Drafts", "Junk", "Sent", "Trash"]


def test_there_from_the_start(server: TestServer) -> None:
    """A new account has the mailboxes that clients look for, subscribed. # rfc6154#2"""
    client = server.imap(server.account())
    assert {b"SPECIAL-USE", b"CREATE-SPECIAL-USE"} <= set(client.ok("CAPABILITY").lines[0].split())
    found = names(client.ok('LIST (SPECIAL-USE SUBSCRIBED) "" "*"'))
    assert [name.name for name in found] == USES
    for name in found:
        assert name.attributes == {f"\\{name.name}", "\\HasNoChildren", "\\Subscribed"}
    assert listed(client, 'LIST (SPECIAL-USE) "" "*" RETURN (SPECIAL-USE)') == USES


def test_survives_rename(server: TestServer) -> None:
    """The use belongs to the mailbox, not to its name."""
    client = server.imap(server.account())
    client.ok("RENAME Sent Verzonden")
    assert "\\Sent" in one(client, 'LIST "" Verzonden').attributes


def test_recursive_match(server: TestServer) -> None:
    """A parent of a special mailbox is named for its child."""
    client = server.imap(server.account())
    client.ok("RENAME Sent Mail/Sent")
    found = {n.name: n for n in names(client.ok('LIST (SPECIAL-USE RECURSIVEMATCH) "" "%"'))}
    assert found["Mail"].extended == '"CHILDINFO" ("SPECIAL-USE")'
    assert found["Drafts"].extended == ""


def test_create_with_use(server: TestServer) -> None:
    """A use is taken by one mailbox and free again when that is gone. # rfc6154#3"""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    taken = client.cmd("CREATE Outgoing (USE (\\Sent))")
    assert (taken.status, taken.code) == ("NO", "USEATTR")
    assert listed(client, 'LIST "" Outgoing') == []
    client.ok("DELETE Sent")
    client.ok("CREATE Outgoing (USE (\\sent))")
    assert "\\Sent" in one(other, 'LIST "" Outgoing').attributes


def test_uses_that_are_not_offered(server: TestServer) -> None:
    """Views over all mail, unknown uses and two at once: NO [USEATTR], nothing is made."""
    # rfc6154#3
    client = server.imap(server.account())
    for uses in ("\\All", "\\Flagged", "\\Nonsense", "\\Junk \\Trash"):
        response = client.cmd(f"CREATE x (USE ({uses}))")
        assert (response.status, response.code) == ("NO", "USEATTR")
    assert listed(client, 'LIST "" x') == []
    client.ok("CREATE x (USE ())")
    assert client.cmd("CREATE Sent (USE ())").code == "ALREADYEXISTS"
    assert client.cmd("CREATE y (NOSUCH (x))").status == "BAD"
