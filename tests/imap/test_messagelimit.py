"""MESSAGELIMIT, SAVELIMIT (RFC 9738) and INPROGRESS (RFC 9585)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import task

from folkmoot.config.load import ConfigError
from folkmoot.config.rules import parse_config
from folkmoot.protocols.imap.session import ImapLimits
from folkmoot.server.settings import imap_limits
from folkmoot.sharing.workspace import Workspace
from tests.imap.fetched import fill
from tests.kit.clock import HandClock
from tests.kit.imap import ImapClient, Response
from tests.kit.messages import simple
from tests.kit.server import MakeServer, TestServer

UIDS = re.compile(rb"\* \d+ FETCH \(UID (\d+)")


@pytest.fixture
def limited(make: MakeServer) -> Iterator[ImapClient]:
    """Eight messages, of which a command may work on three."""
    with make(ImapLimits(messages=3)) as server:
        account = server.account()
        client = server.imap(account)
        for start in range(0, 8, 2):
            client.ok(_multi(start, start + 2))
        client.ok("SELECT INBOX")
        yield client


def _multi(first: int, last: int) -> bytes:
    bodies = [simple(str(n)) for n in range(first, last)]
    return b"APPEND INBOX" + b"".join(b" {%d+}\r\n%b" % (len(body), body) for body in bodies)


def uids(response: Response) -> list[int]:
    return [int(match[1]) for line in response.lines if (match := UIDS.match(line))]


def test_capability(limited: ImapClient) -> None:
    """One of the two is offered, never both. # rfc9738#3"""
    words = limited.ok("CAPABILITY").lines[0].split()
    assert b"MESSAGELIMIT=3" in words
    assert not any(word.startswith(b"SAVELIMIT") for word in words)


def test_fetch_and_store(limited: ImapClient) -> None:
    """The newest are worked on, and the code names the lowest of them. # rfc9738#3.1"""
    response = limited.ok("UID FETCH 1:* (FLAGS)")
    assert (uids(response), response.code) == ([6, 7, 8], "MESSAGELIMIT 3 6")
    response = limited.ok("FETCH 1:5 (UID)")
    assert (uids(response), response.code) == ([3, 4, 5], "MESSAGELIMIT 3 3")
    response = limited.ok("FETCH 1:3 (UID)")
    assert (uids(response), response.code) == ([1, 2, 3], "")
    response = limited.ok("UID STORE 1:* +FLAGS (\\Seen)")
    assert (uids(response), response.code) == ([6, 7, 8], "MESSAGELIMIT 3 6")
    assert limited.ok("UID SEARCH UIDAFTER 5 SEEN").lines == [b"* SEARCH 6 7 8"]


def test_partial(limited: ImapClient) -> None:
    """A PARTIAL range is refused when it is too wide, whatever is in it. # rfc9738#3.1"""
    refused = limited.cmd("UID FETCH 1:* (UID) (PARTIAL 1:4)")
    assert (refused.status, refused.code) == ("NO", "MESSAGELIMIT 3")
    response = limited.ok("UID FETCH 1:* (UID) (PARTIAL 2:4)")
    assert (uids(response), response.code) == ([2, 3, 4], "")


def test_search(limited: ImapClient) -> None:
    """The messages that are looked at count, not those that are found. # rfc9738#3.1"""
    # rfc9738#3.2
    response = limited.ok("UID SEARCH ALL")
    assert (response.lines, response.code) == ([b"* SEARCH 6 7 8"], "MESSAGELIMIT 3 6")
    response = limited.ok("UID SEARCH UIDBEFORE 6 SUBJECT 4")
    assert (response.lines, response.code) == ([b"* SEARCH 5"], "MESSAGELIMIT 3 3")
    response = limited.ok("UID SEARCH UIDAFTER 1 UIDBEFORE 5 ALL")
    assert (response.lines, response.code) == ([b"* SEARCH 2 3 4"], "")
    assert limited.ok("UID SEARCH UIDBEFORE 1").lines == [b"* SEARCH"]
    assert limited.ok("UID SEARCH UIDAFTER 4294967295").lines == [b"* SEARCH"]
    for command in ("SORT (DATE) UTF-8 ALL", "UID THREAD REFERENCES UTF-8 ALL"):
        assert limited.cmd(command).code == "MESSAGELIMIT 3"
    assert limited.ok("UID SORT (SUBJECT) UTF-8 UIDAFTER 5").lines == [b"* SORT 6 7 8"]


def test_copy_move_append(limited: ImapClient) -> None:
    """COPY and APPEND are all or nothing, MOVE goes piece by piece. # rfc9738#3.1"""
    refused = limited.cmd("COPY 1:4 Archive")
    assert (refused.status, refused.code) == ("NO", "MESSAGELIMIT 3")
    assert limited.cmd(_multi(0, 4)).code == "MESSAGELIMIT 3"
    limited.ok("COPY 1:3 Archive")
    response = limited.ok("UID MOVE 1:* Junk")
    assert response.code == "MESSAGELIMIT 3 6"
    assert limited.ok("STATUS INBOX (MESSAGES)").lines == [b"* STATUS INBOX (MESSAGES 5)"]


def test_expunge(limited: ImapClient) -> None:
    """UID EXPUNGE is limited, EXPUNGE must not be; two codes do not fit into one reply."""
    # rfc9738#3.1
    limited.ok("ENABLE QRESYNC")
    for numbers in ("1:3", "4:6", "7:8"):
        limited.ok(f"STORE {numbers} +FLAGS.SILENT (\\Deleted)")
    response = limited.ok("UID EXPUNGE 1:*")
    assert b"* VANISHED 6:8" in response.lines
    assert response.matching("[MESSAGELIMIT 3 6]")[0].startswith(b"* NO ")
    assert response.code.startswith("HIGHESTMODSEQ ")
    assert b"* VANISHED 1:5" in limited.ok("EXPUNGE").lines


def test_a_limit_for_saving_only(make: MakeServer) -> None:
    """SAVELIMIT: COPY and APPEND are bounded, everything else is not. # rfc9738#3"""
    with make(ImapLimits(saved=2)) as server:
        client = server.imap(server.account())
        assert b"SAVELIMIT=2" in client.ok("CAPABILITY").lines[0].split()
        for _ in range(3):
            client.append("INBOX", simple())
        client.ok("SELECT INBOX")
        assert client.cmd("COPY 1:3 Archive").code == "MESSAGELIMIT 2"
        assert client.cmd(_multi(0, 3)).code == "MESSAGELIMIT 2"
        assert len(uids(client.ok("FETCH 1:3 (UID)"))) == 3
        client.ok("MOVE 1:3 Archive")


def test_usual_limits(server: TestServer) -> None:
    """Only saving is limited, generously."""
    words = server.imap(server.account()).ok("CAPABILITY").lines[0].split()
    assert b"SAVELIMIT=100000" in words
    assert b"INPROGRESS" in words
    assert not any(word.startswith(b"MESSAGELIMIT") for word in words)


# --- INPROGRESS ------------------------------------------------------------------------------


def test_long_commands(make: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that takes long says so now and then; short ones and IDLE say nothing."""
    # rfc9585#5
    original = Workspace.search

    asked = threading.Event()
    clock: Any = HandClock()

    def slow(self: Workspace, *arguments: Any) -> Any:
        asked.set()
        return task.deferLater(clock, 35, original, self, *arguments)

    with make(ImapLimits(progress_seconds=10), clock=clock) as server:
        client = server.imap(server.account(), "INBOX")
        fill(client, 2)
        client.ok("NOOP")
        monkeypatch.setattr(Workspace, "search", slow)
        tag = client.start("SEARCH ALL")
        assert asked.wait(60)
        clock.advance(40)
        response = client.finish(tag)
        assert response.status == "OK"
        *words, result = response.lines
        assert len(words) == 3
        assert set(words) == {b'* OK [INPROGRESS ("%b" NIL NIL)] Still at work' % tag.encode()}
        assert result == b"* SEARCH 1 2"
        monkeypatch.undo()
        tag = client.idle()
        clock.advance(40)
        assert client.done(tag).lines == []
        assert client.ok("SEARCH ALL").lines == [b"* SEARCH 1 2"]


def test_config_keys() -> None:
    """The limits come from the config, and are not set lower than RFC 9738 section 3 wants."""
    text = (
        '[server]\nhostname = "localhost"\n'
        '[[listener]]\nprotocol = "lmtp"\naddress = "127.0.0.1"\nport = 24\ntls = "none"\n'
    )
    usual = imap_limits(parse_config(text, Path("folkmoot.toml")))
    assert (usual.messages, usual.saved) == (0, 100_000)
    text += "[imap]\nmessages_per_command = 5000\nmessages_per_copy = 2000\n"
    set_ = imap_limits(parse_config(text, Path("folkmoot.toml")))
    assert (set_.messages, set_.saved) == (5000, 2000)
    with pytest.raises(ConfigError):
        parse_config(text.replace("5000", "999"), Path("folkmoot.toml"))
