"""CONTEXT=SEARCH and CONTEXT=SORT through the wire: results that follow the mailbox."""

from __future__ import annotations

import random
import re

import pytest

from folkmoot.protocols.imap.commands.context import MAX_CONTEXTS
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer


@pytest.fixture
def pair(server: TestServer) -> tuple[ImapClient, ImapClient]:
    """Two sessions of one account, three messages, the first with INBOX selected."""
    account = server.account()
    mine, other = server.imap(account), server.imap(account, select="INBOX")
    for subject in ("b", "d", "f"):
        other.append("INBOX", simple(subject))
    mine.ok("SELECT INBOX")
    return mine, other


def updates(client: ImapClient, command: str = "NOOP") -> list[bytes]:
    """What a command tells, without flags."""
    lines = client.ok(command).lines
    return [line for line in lines if b" FETCH " not in line and b" FLAGS " not in line]


def test_a_search_is_kept_up_to_date(pair: tuple[ImapClient, ImapClient]) -> None:
    """Messages that come, change and go; numbers are those of the moment."""
    # rfc5267#4.3, rfc5267#4.3.3, rfc5267#4.3.4
    mine, other = pair
    tag = mine.start("SEARCH RETURN (UPDATE COUNT) UNSEEN")
    assert mine.finish(tag).lines == [b'* ESEARCH (TAG "%b") COUNT 3' % tag.encode()]
    told = b'* ESEARCH (TAG "%b") ' % tag.encode()
    other.ok("STORE 2 +FLAGS (\\Seen)")
    assert updates(mine) == [told + b"REMOVEFROM (0 2)"]
    other.append("INBOX", simple())
    other.append("INBOX", simple(), "\\Seen")
    assert updates(mine) == [b"* 5 EXISTS", told + b"ADDTO (0 4)"]
    other.ok("STORE 2 -FLAGS (\\Seen)")
    assert updates(mine) == [told + b"ADDTO (0 2)"]
    other.ok("STORE 1:2 +FLAGS (\\Deleted)")
    assert updates(mine) == []  # still in the result
    other.ok("EXPUNGE")
    assert updates(mine) == [told + b"REMOVEFROM (0 1:2)", b"* 2 EXPUNGE", b"* 1 EXPUNGE"]
    # What this session does itself is told too.
    assert updates(mine, "STORE 1 +FLAGS.SILENT (\\Seen)") == [told + b"REMOVEFROM (0 1)"]


def test_while_expunges_are_held_back(pair: tuple[ImapClient, ImapClient]) -> None:
    """A removal is told when EXPUNGE may be, right before it."""
    mine, other = pair
    mine.ok("UID SEARCH RETURN (UPDATE) ALL")
    other.ok("STORE 1 +FLAGS (\\Deleted)")
    other.ok("EXPUNGE")
    assert updates(mine, "FETCH 3 UID") == []
    first, second = updates(mine)
    assert first.endswith(b" UID REMOVEFROM (0 1)")
    assert second == b"* 1 EXPUNGE"


def test_idle_tells_too(pair: tuple[ImapClient, ImapClient]) -> None:
    """No command needs to be given."""
    mine, other = pair
    mine.ok("UID SEARCH RETURN (UPDATE) UNSEEN")
    tag = mine.idle()
    other.append("INBOX", simple())
    assert mine.wait_line("ESEARCH").endswith(b" UID ADDTO (0 4)")
    mine.done(tag)


def test_cancelling(pair: tuple[ImapClient, ImapClient]) -> None:
    """CANCELUPDATE ends it by its tag; so does selecting again. # rfc5267#4.3.5"""
    mine, other = pair
    tags = [mine.start("UID SEARCH RETURN (UPDATE) ALL") for _ in range(3)]
    for tag in tags:
        mine.finish(tag)
    assert mine.cmd(f'CANCELUPDATE "{tags[0]}" "nonsense"').status == "BAD"
    assert mine.cmd("CANCELUPDATE").status == "BAD"
    mine.ok(f'CANCELUPDATE "{tags[0]}" {tags[1]}')
    other.append("INBOX", simple())
    assert len(updates(mine)) == 2
    mine.ok("SELECT INBOX")
    other.append("INBOX", simple())
    assert updates(mine) == [b"* 5 EXISTS"]
    assert mine.cmd(f'CANCELUPDATE "{tags[2]}"').status == "BAD"


def test_there_is_a_limit(pair: tuple[ImapClient, ImapClient]) -> None:
    """One more gets its result, and is told that it stays as it is; a tag is taken once."""
    # rfc5267#4.3.1
    mine, _ = pair
    for number in range(MAX_CONTEXTS):
        mine.finish(mine.start("UID SEARCH RETURN (UPDATE) ALL", f"c{number}"))
    again = mine.start("UID SEARCH RETURN (UPDATE) ALL", "c0")
    assert mine.finish(again).status == "BAD"
    response = mine.finish(mine.start("UID SEARCH RETURN (UPDATE COUNT) ALL", "more"))
    assert response.status == "OK"
    assert response.lines[0].startswith(b'* NO [NOUPDATE "more"] ')
    assert response.lines[1].endswith(b"COUNT 3")


def test_a_sort_is_kept_up_to_date(pair: tuple[ImapClient, ImapClient]) -> None:
    """Positions count from one, and tell where in the order a message comes and goes."""
    # rfc5267#4.3.3, rfc5267#4.3.4
    mine, other = pair
    [line] = mine.ok("UID SORT RETURN (UPDATE ALL) (REVERSE SUBJECT) UTF-8 UNDELETED").lines
    assert line.endswith(b" UID ALL 3,2,1")
    for subject in ("e", "a", "g"):
        other.append("INBOX", simple(subject))
    assert updates(mine)[1].endswith(b" UID ADDTO (1 6 3 4 6 5)")
    other.ok("STORE 2,6 +FLAGS (\\Deleted)")
    assert updates(mine)[0].endswith(b" UID REMOVEFROM (1 6 3 2)")
    other.ok("EXPUNGE")
    assert b"REMOVEFROM" not in b"".join(updates(mine))


def apply(results: list[int], line: bytes) -> None:
    """What a client does with an update of a sorted result."""
    for kind, items in re.findall(rb"(ADDTO|REMOVEFROM) \(([^)]*)\)", line):
        words = items.decode().split()
        for place, uid in zip(map(int, words[::2]), map(int, words[1::2]), strict=True):
            if kind == b"ADDTO":
                results.insert(place - 1, uid)
            else:
                assert results.pop(place - 1) == uid


def test_a_client_can_follow(pair: tuple[ImapClient, ImapClient]) -> None:
    """After whatever changes, a client that applies the updates has what a new SORT tells."""
    # rfc5267#4.3.2
    mine, other = pair
    rnd = random.Random(7)
    query = "(SUBJECT REVERSE ARRIVAL) UTF-8 OR UNSEEN SUBJECT c"
    results = [1, 2, 3]
    mine.ok(f"UID SORT RETURN (UPDATE) {query}")
    for _ in range(25):
        for _ in range(rnd.randrange(1, 4)):
            deed = rnd.randrange(4)
            if deed == 0:
                other.append("INBOX", simple(rnd.choice("abcde")), rnd.choice(["", "\\Seen"]))
            elif deed == 1:
                other.cmd(f"UID STORE {rnd.randrange(1, 20)} +FLAGS (\\Seen)")
            elif deed == 2:
                other.cmd(f"UID STORE {rnd.randrange(1, 20)} -FLAGS (\\Seen)")
            else:
                other.cmd(f"UID STORE {rnd.randrange(1, 20)} +FLAGS (\\Deleted)")
                other.cmd("EXPUNGE")
        for line in mine.ok("NOOP").matching("ESEARCH"):
            apply(results, line)
        [line] = mine.ok(f"UID SORT {query}").matching("* SORT")
        assert results == [int(word) for word in line.split()[2:]]
