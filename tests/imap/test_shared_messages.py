"""Single messages that a member shares with a group, by copying them to where it finds them."""

from __future__ import annotations

from tests.imap.listed import status
from tests.imap.test_groups import Choir, choir
from tests.kit.messages import simple

__all__ = ["choir"]
SHARED = "Groups/Choir/Shared"


def test_copying_a_message_there_shares_it(choir: Choir) -> None:
    """All members read it, each with a \\Seen of their own; it costs the group nothing."""
    bob, carol = choir("bob", "INBOX"), choir("carol")
    bob.append("INBOX", simple("for the choir"))
    bob.ok("NOOP")
    before = bob.ok("GETQUOTA Groups/Choir").lines
    copied = bob.ok(f"COPY 1 {SHARED}")
    assert copied.code is not None
    assert copied.code.startswith("COPYUID")
    assert bob.ok("GETQUOTA Groups/Choir").lines == before
    assert status(carol, SHARED, "MESSAGES") == {"MESSAGES": 1}
    carol.ok(f"SELECT {SHARED}")
    assert b"for the choir" in b"".join(carol.ok("FETCH 1 BODY[]").lines)
    assert carol.ok("SEARCH SUBJECT choir").lines == [b"* SEARCH 1"]
    assert choir("eve").cmd(f"SELECT {SHARED}").code == "NONEXISTENT"


def test_nobody_else_puts_anything_there(choir: Choir) -> None:
    """What is there is what somebody shares: no APPEND, no MOVE, no flags, no EXPUNGE."""
    bob = choir("bob", "INBOX")
    bob.append("INBOX", simple("a"))
    bob.ok("NOOP")
    bob.ok(f"COPY 1 {SHARED}")
    assert bob.cmd(f"MOVE 1 {SHARED}").status == "NO"
    alice = choir("alice", SHARED)
    assert alice.cmd(r"STORE 1 +FLAGS (\Flagged)").status == "NO"
    assert alice.cmd(r"STORE 1 +FLAGS (\Deleted)").status == "NO"
    assert alice.cmd("EXPUNGE").status == "NO"
    assert alice.cmd("CLOSE").status == "OK"
    alice.ok(f"SELECT {SHARED}")
    assert alice.cmd(f"DELETE {SHARED}").status == "NO"
    assert alice.cmd(f"RENAME {SHARED} Groups/Choir/Other").status == "NO"
    assert alice.ok("COPY 1 INBOX").code is not None


def test_what_its_owner_removes_is_gone(choir: Choir) -> None:
    """Filed elsewhere it stays; expunged, open sessions of others are told."""
    bob, carol = choir("bob", "INBOX"), choir("carol")
    bob.append("INBOX", simple("a"))
    bob.ok("NOOP")
    bob.ok(f"COPY 1 {SHARED}")
    bob.ok("MOVE 1 Archive")
    carol.ok(f"SELECT {SHARED}")
    assert carol.ok("NOOP").lines == []
    bob.ok("SELECT Archive")
    bob.ok(r"STORE 1 +FLAGS (\Deleted)")
    bob.ok("EXPUNGE")
    assert carol.ok("NOOP").lines[0] == b"* 1 EXPUNGE"


def test_shared_twice_is_shared_once(choir: Choir) -> None:
    """The second copy answers with the same message."""
    bob = choir("bob", "INBOX")
    bob.append("INBOX", simple("a"))
    bob.ok("NOOP")
    assert bob.ok(f"COPY 1 {SHARED}").code == bob.ok(f"COPY 1 {SHARED}").code
    assert status(bob, SHARED, "MESSAGES") == {"MESSAGES": 1}


def test_what_is_of_others_is_not_shared_on(choir: Choir) -> None:
    """Only whoever has a message shares it."""
    alice = choir("alice")
    alice.append("Groups/Choir/INBOX", simple("a"))
    carol = choir("carol", "Groups/Choir/INBOX")
    assert carol.cmd(f"COPY 1 {SHARED}").status == "NO"


def test_a_groups_own_message_is_no_link(choir: Choir) -> None:
    """The group has it already: nothing is shared, and that is said."""
    alice = choir("alice", "Groups/Choir/INBOX")
    alice.append("Groups/Choir/INBOX", simple("a"))
    alice.ok("NOOP")
    refused = alice.cmd(f"COPY 1 {SHARED}")
    assert refused.status == "NO"
    assert "already" in refused.text
    assert status(alice, SHARED, "MESSAGES") == {"MESSAGES": 0}
    alice.ok(r"STORE 1 +FLAGS (\Deleted)")
    alice.ok("EXPUNGE")
