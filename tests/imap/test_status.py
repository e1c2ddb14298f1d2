"""STATUS, STATUS=SIZE (RFC 8438), APPENDLIMIT (RFC 7889)."""

from __future__ import annotations

from tests.imap.listed import status
from tests.kit.messages import simple
from tests.kit.server import TestServer


def test_counters(server: TestServer) -> None:
    """Every item says what is there. # rfc9051#6.3.11, rfc9051#7.3.3"""
    client = server.imap(server.account())
    first = simple("one")
    client.append("INBOX", first, "\\Seen")
    client.append("INBOX", simple("three"), "\\Deleted")
    items = "MESSAGES RECENT UIDNEXT UNSEEN DELETED SIZE"
    assert status(client, "inbox", items) == {
        "MESSAGES": 2,
        "RECENT": 0,
        "UIDNEXT": 3,
        "UNSEEN": 1,
        "DELETED": 1,
        "SIZE": len(first) + len(simple("three")),
    }
    assert status(client, "INBOX", "UIDVALIDITY")["UIDVALIDITY"] > 0


def test_selected_mailbox_and_other_session(server: TestServer) -> None:
    """The selected mailbox can be asked about too, and what another session did counts."""
    # rfc9051#6.3.11
    account = server.account()
    client, other = server.imap(account, select="INBOX"), server.imap(account)
    other.append("INBOX", simple())
    assert status(client, "INBOX", "MESSAGES UNSEEN") == {"MESSAGES": 1, "UNSEEN": 1}
    before = status(client, "INBOX", "HIGHESTMODSEQ")["HIGHESTMODSEQ"]
    other.ok("SELECT INBOX")
    other.ok("STORE 1 +FLAGS (\\Seen \\Deleted)")
    after = status(client, "INBOX", "UNSEEN DELETED HIGHESTMODSEQ")
    assert after["HIGHESTMODSEQ"] > before
    assert (after["UNSEEN"], after["DELETED"]) == (0, 1)
    other.ok("EXPUNGE")
    assert status(client, "INBOX", "MESSAGES SIZE UIDNEXT") == {
        "MESSAGES": 0,
        "SIZE": 0,
        "UIDNEXT": 2,
    }


def test_highestmodseq_enables_condstore(server: TestServer) -> None:
    """RFC 7162 section 3.1: from then on FETCH carries MODSEQ."""
    client = server.imap(server.account())
    client.append("INBOX", simple())
    client.ok("SELECT INBOX")
    assert b"MODSEQ" not in client.ok("STORE 1 +FLAGS (\\Seen)").matching("FETCH")[0]
    client.ok("STATUS Sent (HIGHESTMODSEQ)")
    assert b"MODSEQ" in client.ok("STORE 1 -FLAGS (\\Seen)").matching("FETCH")[0]


def test_appendlimit(server: TestServer) -> None:
    """The capability, STATUS and what APPEND refuses name one number."""
    # rfc7889#2, rfc7889#3.1, rfc7889#4
    client = server.imap(server.account())
    limit = status(client, "INBOX", "APPENDLIMIT")["APPENDLIMIT"]
    [line] = client.ok("CAPABILITY").lines
    assert f"APPENDLIMIT={limit}".encode() in line.split()
    assert b"STATUS=SIZE" in line.split()
    refused = client.cmd(f"APPEND INBOX {{{limit + 1}}}")
    assert (refused.status, refused.code) == ("NO", "TOOBIG")


def test_refusals(server: TestServer) -> None:
    """Missing mailboxes are NO, unknown items BAD."""
    client = server.imap(server.account())
    assert client.cmd("STATUS nothing (MESSAGES)").code == "NONEXISTENT"
    for command in ("STATUS INBOX", "STATUS INBOX ()", "STATUS INBOX (NOSUCH)", "STATUS"):
        assert client.cmd(command).status == "BAD"
