"""STORE and UID STORE: what changes, what is told, what is refused."""

from __future__ import annotations

import pytest

from tests.imap.fetched import fill, filled, with_message
from tests.kit.messages import simple
from tests.kit.server import TestServer


def flags(lines: list[bytes]) -> list[bytes]:
    """Only the FETCH responses."""
    return [line for line in lines if b" FETCH " in line]


def test_replace_add_remove(server: TestServer) -> None:
    """The three ways to change flags, system flags and keywords alike. # rfc9051#6.4.6"""
    client = with_message(server, simple())
    assert flags(client.ok("STORE 1 FLAGS (\\flagged $b a)").lines) == [
        b"* 1 FETCH (FLAGS (\\Flagged $b a))"
    ]
    assert flags(client.ok("STORE 1 +FLAGS (\\SEEN a)").lines) == [
        b"* 1 FETCH (FLAGS (\\Flagged \\Seen $b a))"
    ]
    assert client.ok("STORE 1 -FLAGS (\\Flagged a)").lines == [b"* 1 FETCH (FLAGS (\\Seen $b))"]
    assert client.ok("STORE 1 FLAGS ()").lines == [b"* 1 FETCH (FLAGS ())"]
    assert client.ok("FETCH 1 FLAGS").lines == [b"* 1 FETCH (FLAGS ())"]


def test_flags_without_parentheses(server: TestServer) -> None:
    """The old form without parentheses is taken. # rfc9051#9"""
    client = with_message(server, simple())
    assert client.ok("STORE 1 +FLAGS \\Seen \\Draft").lines == [
        b"* 1 FETCH (FLAGS (\\Seen \\Draft))"
    ]


def test_silent(server: TestServer) -> None:
    """A silent change tells this session nothing, and the others all. # rfc9051#6.4.6"""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 2)
    client.ok("SELECT INBOX")
    other.ok("SELECT INBOX")
    assert client.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)").lines == []
    assert client.ok("NOOP").lines == []
    assert other.ok("NOOP").lines == [
        b"* 1 FETCH (UID 1 FLAGS (\\Deleted))",
        b"* 2 FETCH (UID 2 FLAGS (\\Deleted))",
    ]


def test_pushed_to_idle(server: TestServer) -> None:
    """A session that idles hears of the change at once."""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 1)
    client.ok("SELECT INBOX")
    other.ok("SELECT INBOX")
    tag = other.idle()
    client.ok("STORE 1 +FLAGS (\\Seen)")
    assert other.wait_line("FETCH") == b"* 1 FETCH (UID 1 FLAGS (\\Seen))"
    other.done(tag)


def test_not_told_twice(server: TestServer) -> None:
    """What STORE itself reported is not repeated, what others did meanwhile is not lost."""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 2)
    client.ok("SELECT INBOX")
    other.ok("SELECT INBOX")
    other.ok("STORE 2 +FLAGS (\\Answered)")
    lines = client.ok("STORE 1 +FLAGS (\\Seen)").lines
    assert sorted(lines) == [
        b"* 1 FETCH (FLAGS (\\Seen))",
        b"* 2 FETCH (UID 2 FLAGS (\\Answered))",
    ]
    assert client.ok("NOOP").lines == []


def test_silent_change_hides_no_other(server: TestServer) -> None:
    """What another session changed in the same message is told after a silent STORE."""
    # rfc9051#6.4.6
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 1)
    client.ok("SELECT INBOX")
    other.ok("SELECT INBOX")
    other.ok("STORE 1 +FLAGS (\\Flagged)")
    lines = client.ok("STORE 1 +FLAGS.SILENT (\\Seen)").lines + client.ok("NOOP").lines
    assert lines == [b"* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))"]


def test_unchanged_flags_are_reported(server: TestServer) -> None:
    """Without SILENT the flags are told even when nothing changed."""
    client = with_message(server, simple())
    client.ok("STORE 1 +FLAGS (\\Seen)")
    assert client.ok("UID STORE 1 +FLAGS (\\Seen)").lines == [b"* 1 FETCH (UID 1 FLAGS (\\Seen))"]


def test_uid_store(server: TestServer) -> None:
    """UID STORE answers with UIDs and ignores those that do not exist. # rfc9051#6.4.9"""
    client = filled(server, 3)
    client.ok("STORE 1 +FLAGS.SILENT \\Deleted")
    client.ok("EXPUNGE")
    assert client.ok("UID STORE 1,3,900 +FLAGS (\\Seen)").lines == [
        b"* 2 FETCH (UID 3 FLAGS (\\Seen))"
    ]
    assert client.ok("UID STORE 700 +FLAGS (\\Seen)").lines == []
    assert client.cmd("STORE 3 +FLAGS (\\Seen)").status == "BAD"


def test_new_keyword_is_announced(server: TestServer) -> None:
    """Each session learns of a new keyword before it sees it on a message, and only once."""
    # rfc9051#7.3.5
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 1)
    client.ok("SELECT INBOX")
    other.ok("SELECT INBOX")
    for lines in (client.ok("STORE 1 +FLAGS ($New)").lines, other.ok("NOOP").lines):
        assert lines[0] == b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $New)"
        assert lines[1].startswith(b"* OK [PERMANENTFLAGS (")
        assert b"$New \\*)]" in lines[1]
        assert b" FETCH (" in lines[2]
    assert len(client.ok("STORE 1 FLAGS ($New \\Seen)").lines) == 1
    assert b"$New" in server.imap(account).ok("SELECT INBOX").lines[0]


def test_keywords_ignore_case(server: TestServer) -> None:
    """A keyword in another case is the same keyword, in the spelling that came first."""
    # rfc9051#2.3.2
    client = with_message(server, simple())
    client.ok("STORE 1 +FLAGS ($Label)")
    assert client.ok("STORE 1 +FLAGS ($LABEL)").lines == [b"* 1 FETCH (FLAGS ($Label))"]
    client.append("INBOX", simple(), "$lABEL")
    client.ok("NOOP")
    assert client.ok("FETCH 2 FLAGS").lines == [b"* 2 FETCH (FLAGS ($Label))"]
    assert client.ok("STORE 1:2 -FLAGS ($label)").lines[0] == b"* 1 FETCH (FLAGS ())"


def test_keyword_limit(server: TestServer) -> None:
    """A mailbox takes a bounded number of different keywords; a refused STORE changes nothing."""
    client = with_message(server, simple())
    for start in (0, 100, 200):
        words = " ".join(f"k{number}" for number in range(start, start + 100))
        response = client.cmd(f"STORE 1 FLAGS.SILENT ({words})")
    assert (response.status, response.code) == ("NO", "LIMIT")
    assert b"(k100 k101 " in client.ok("FETCH 1 FLAGS").lines[0]


@pytest.mark.parametrize("flag", ["\\Recent", "\\Unknown", "a]b", '"x"'])
def test_flags_that_cannot_be_set(server: TestServer, flag: str) -> None:
    """Flags that no client may set are a syntax error."""
    client = with_message(server, simple())
    assert client.cmd(f"STORE 1 +FLAGS ({flag})").status == "BAD"


def test_read_only(server: TestServer) -> None:
    """A mailbox that was opened by EXAMINE cannot be changed. # rfc9051#6.3.3"""
    client = with_message(server, simple())
    client.ok("EXAMINE INBOX")
    response = client.cmd("STORE 1 +FLAGS (\\Seen)")
    assert (response.status, response.code) == ("NO", "READ-ONLY")
    assert client.ok("FETCH 1 FLAGS").lines == [b"* 1 FETCH (FLAGS ())"]


@pytest.mark.parametrize("silent", ["", ".SILENT"])
def test_expunged_by_another_session(server: TestServer, silent: str) -> None:
    """Messages that are gone are ignored while others are left, and said to be gone else."""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 3)
    client.ok("SELECT INBOX")
    other.ok("SELECT INBOX")
    other.ok("STORE 1:2 +FLAGS.SILENT \\Deleted")
    other.ok("EXPUNGE")
    assert client.cmd(f"STORE 1 +FLAGS{silent} (\\Seen)").code == "EXPUNGEISSUED"
    response = client.ok(f"STORE 1:3 +FLAGS{silent} (\\Seen)")
    assert flags(response.lines) == ([] if silent else [b"* 3 FETCH (FLAGS (\\Seen))"])
    assert not response.matching("EXPUNGE")
    assert client.ok("NOOP").lines == [b"* 2 EXPUNGE", b"* 1 EXPUNGE"]


def test_many_messages(server: TestServer) -> None:
    """A change of a whole mailbox reports every message once."""
    client = filled(server, 1100)
    lines = client.ok("STORE 1:* +FLAGS (\\Seen)").lines
    assert lines == [b"* %d FETCH (FLAGS (\\Seen))" % number for number in range(1, 1101)]
