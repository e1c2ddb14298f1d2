"""\\Seen in the mailboxes of groups and of others: each person's own, wherever flags show."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.imap.listed import status
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

INBOX = "Groups/Choir/INBOX"


@dataclass(frozen=True)
class Members:
    """Two members with the group's INBOX selected, in which there are four messages."""

    alice: ImapClient
    bob: ImapClient
    third: ImapClient


@pytest.fixture
def members(server: TestServer) -> Members:
    """Alice administers the group, Bob may write, Carol reads."""
    alice, bob, carol = (server.account(name) for name in ("alice", "bob", "carol"))
    server.group("choir", alice, carol, writers=[bob])
    writer = server.imap(bob)
    for number in range(4):
        writer.append(INBOX, simple(f"Number {number}"))
    return Members(*(server.imap(each, INBOX) for each in (alice, bob, carol)))


def seen(client: ImapClient) -> list[int]:
    """The numbers of messages with \\Seen, by every way to ask, which must agree."""
    client.ok("NOOP")
    found = _flagged(client, "FETCH 1:* FLAGS")
    assert found == _flagged(client, "FETCH 1:* (FLAGS INTERNALDATE MODSEQ)")
    assert found == _flagged(client, "FETCH 1:* (MODSEQ RFC822.SIZE FLAGS)")
    assert found == _numbers(client, "SEARCH SEEN")
    unseen = _numbers(client, "SEARCH UNSEEN")
    assert unseen == _numbers(client, "SEARCH NOT SEEN")
    assert sorted(found + unseen) == _numbers(client, "SEARCH OR SEEN UNSEEN")
    assert found == _numbers(client, "SEARCH SEEN SUBJECT Number")
    assert unseen == _numbers(client, "SEARCH OR (UNSEEN SUBJECT Number) SUBJECT nothing")
    assert unseen == _numbers(client, "SORT (ARRIVAL) UTF-8 UNSEEN", b"SORT")
    threads = client.ok("THREAD REFERENCES UTF-8 UNSEEN").matching("THREAD")
    assert sorted(int(word) for word in re.findall(rb"\d+", threads[0])) == unseen
    count = status(client, INBOX, "UNSEEN")["UNSEEN"]
    assert count == len(unseen)
    listed = client.ok(f'LIST "" {INBOX} RETURN (STATUS (UNSEEN))').matching("STATUS")
    assert listed[0].endswith(b"(UNSEEN %d)" % count)
    return found


def _flagged(client: ImapClient, command: str) -> list[int]:
    lines = client.ok(command).matching("FETCH")
    return [int(line.split()[1]) for line in lines if b"\\Seen" in line]


def _numbers(client: ImapClient, command: str, word: bytes = b"SEARCH") -> list[int]:
    [line] = client.ok(command).matching(word.decode())
    return sorted(int(number) for number in line.split()[2:])


def test_each_has_their_own(members: Members) -> None:
    """What one reads stays new to the others; also for the administrator."""
    members.bob.ok("STORE 1:2 +FLAGS (\\Seen)")
    members.alice.ok("FETCH 3 BODY[]")
    assert seen(members.bob) == [1, 2]
    assert seen(members.alice) == [3]
    assert seen(members.third) == []
    members.bob.ok("STORE 1 -FLAGS (\\Seen)")
    assert seen(members.bob) == [2]


def test_the_right_to_see_is_enough(members: Members) -> None:
    """A reader keeps \\Seen, and nothing else; of several flags what is allowed is done."""
    members.third.ok("STORE 1 +FLAGS (\\Seen)")
    assert members.third.cmd("STORE 1 +FLAGS (\\Flagged)").code == "NOPERM"
    assert members.third.cmd("STORE 1 +FLAGS (\\Deleted)").code == "NOPERM"
    members.bob.ok("STORE 2 +FLAGS (\\Flagged $Junk)")
    members.third.ok("STORE 2 FLAGS (\\Seen \\Deleted)")
    assert seen(members.third) == [1, 2]
    for client in (members.third, members.bob):
        client.ok("NOOP")
        [line] = client.ok("FETCH 2 FLAGS").matching("FETCH")
        assert b"\\Flagged" in line
        assert b"$Junk" in line
        assert b"\\Deleted" not in line


def test_replacing_flags(members: Members) -> None:
    """STORE FLAGS sets and clears one's own \\Seen among the flags of all."""
    members.bob.ok("STORE 1:3 FLAGS (\\Seen \\Answered)")
    assert seen(members.bob) == [1, 2, 3]
    assert seen(members.alice) == []
    members.bob.ok("STORE 2 FLAGS (\\Flagged)")
    assert seen(members.bob) == [1, 3]
    members.alice.ok("NOOP")
    [line] = members.alice.ok("FETCH 1 FLAGS").matching("FETCH")
    assert b"\\Answered" in line


def test_the_answer_has_ones_own(members: Members) -> None:
    """Of STORE, and of the SELECT that follows."""
    [line] = members.bob.ok("STORE 1 +FLAGS (\\Seen)").matching("FETCH")
    assert b"\\Seen" in line
    members.alice.ok("STORE 2 +FLAGS (\\Seen)")
    first = [line for line in members.bob.ok(f"SELECT {INBOX}").lines if b"[UNSEEN" in line]
    assert first[0].startswith(b"* OK [UNSEEN 2]")
    first = [line for line in members.alice.ok(f"SELECT {INBOX}").lines if b"[UNSEEN" in line]
    assert first[0].startswith(b"* OK [UNSEEN 1]")


def test_modseq_rises(members: Members, server: TestServer) -> None:
    """Another session of the same person is told, and comes to know by CHANGEDSINCE."""
    before = status(members.bob, INBOX, "HIGHESTMODSEQ")["HIGHESTMODSEQ"]
    account = server.imap()
    account.login("bob@example.test", "correct horse battery")
    account.ok(f"SELECT {INBOX}")
    tag = account.idle()
    members.bob.ok("STORE 2 +FLAGS (\\Seen)")
    assert b"\\Seen" in account.wait_line("2 FETCH", 1)
    account.done(tag)
    lines = account.ok(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {before})").matching("FETCH")
    assert [line.split()[1] for line in lines] == [b"2"]
    refused = members.bob.ok(f"STORE 1:2 (UNCHANGEDSINCE {before}) -FLAGS (\\Seen)")
    assert "MODIFIED 2" in refused.text
    assert seen(members.bob) == [2]


def test_appending(members: Members) -> None:
    """With \\Seen it is read by who appends it, and new to the others."""
    members.bob.append(INBOX, simple("Number x"), "\\Seen \\Flagged")
    assert seen(members.bob) == [5]
    assert seen(members.alice) == []
    [line] = members.alice.ok("FETCH 5 FLAGS").matching("FETCH")
    assert b"\\Flagged" in line


def test_copies_and_moves(members: Members) -> None:
    """Within the group what each has read stays read; out of and into it only for who does it."""
    members.bob.ok("STORE 1:2 +FLAGS (\\Seen)")
    members.alice.ok("STORE 1 +FLAGS (\\Seen)")
    members.bob.ok("MOVE 1 Groups/Choir/Archive")
    for client, unseen in ((members.bob, 0), (members.alice, 0), (members.third, 1)):
        assert status(client, "Groups/Choir/Archive", "UNSEEN") == {"UNSEEN": unseen}
    members.bob.ok("COPY 1 INBOX")
    members.alice.ok("NOOP")
    members.alice.ok("COPY 1 INBOX")
    assert status(members.bob, "INBOX", "UNSEEN") == {"UNSEEN": 0}
    assert status(members.alice, "INBOX", "UNSEEN") == {"UNSEEN": 1}
    members.bob.ok("SELECT INBOX")
    members.bob.ok("MOVE 1 Groups/Choir/Drafts")
    assert status(members.bob, "Groups/Choir/Drafts", "UNSEEN") == {"UNSEEN": 0}
    assert status(members.alice, "Groups/Choir/Drafts", "UNSEEN") == {"UNSEEN": 1}


def test_removals(members: Members) -> None:
    """What is gone is not counted as read."""
    members.bob.ok("STORE 1:3 +FLAGS (\\Seen)")
    members.alice.ok("STORE 2 +FLAGS (\\Seen)")
    members.bob.ok("STORE 2 +FLAGS (\\Deleted)")
    members.bob.ok("EXPUNGE")
    assert seen(members.bob) == [1, 2]
    assert seen(members.alice) == []


def test_flags_that_are_kept(members: Members) -> None:
    """PERMANENTFLAGS says what each may change. # rfc4314#5.2"""
    flags = {}
    for name, client in (("bob", members.bob), ("carol", members.third)):
        response = client.ok(f"SELECT {INBOX}")
        assert response.code == "READ-WRITE"
        flags[name] = next(line for line in response.lines if b"PERMANENTFLAGS" in line)
    assert b"PERMANENTFLAGS (\\Seen)]" in flags["carol"]
    assert b"\\Deleted" in flags["bob"]
    assert b"\\*" in flags["bob"]
