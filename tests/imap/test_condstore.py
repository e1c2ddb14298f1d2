"""CONDSTORE and QRESYNC (RFC 7162) in FETCH and STORE."""

from __future__ import annotations

import re
from typing import Any

import pytest

from folkmoot.sharing.workspace import Workspace
from tests.imap.fetched import fill, filled, modseq
from tests.kit.imap import ImapClient
from tests.kit.server import TestServer


def highest(client: ImapClient) -> int:
    """HIGHESTMODSEQ of INBOX, by selecting it again."""
    match = re.search(r"HIGHESTMODSEQ (\d+)", repr(client.ok("SELECT INBOX").lines))
    assert match is not None
    return int(match[1])


def test_modseq_rises(server: TestServer) -> None:
    """Each change gives the messages that it touches a higher number, and no others."""
    # rfc7162#3.1
    client = filled(server, 3)
    before = [modseq(line) for line in client.ok("FETCH 1:3 MODSEQ").lines]
    client.ok("STORE 2 +FLAGS.SILENT (\\Seen)")
    after = [modseq(line) for line in client.ok("FETCH 1:3 (MODSEQ)").lines]
    assert after[0] == before[0]
    assert after[1] > max(before)
    assert after[2] == before[2]
    assert after[1] == highest(client)


@pytest.mark.parametrize(
    "enabling",
    ["FETCH 1 (MODSEQ)", "FETCH 1 FLAGS (CHANGEDSINCE 1)", "ENABLE CONDSTORE",
     "STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Draft)", "SELECT INBOX (CONDSTORE)"],
)  # fmt: skip
def test_enabling_commands(server: TestServer, enabling: str) -> None:
    """After one of the enabling commands, changes are told with MODSEQ. # rfc7162#3.1"""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 1)
    client.ok("SELECT INBOX")
    other.ok("SELECT INBOX")
    other.ok("STORE 1 +FLAGS (\\Flagged)")
    assert b"MODSEQ" not in client.ok("NOOP").lines[0]
    client.ok(enabling)
    other.ok("STORE 1 +FLAGS (\\Answered)")
    assert b"MODSEQ (" in client.ok("NOOP").lines[0]


def test_changed_since(server: TestServer) -> None:
    """Only messages with a higher mod-sequence are told, with MODSEQ. # rfc7162#3.1.4.1"""
    client = filled(server, 5)
    since = highest(client)
    client.ok("STORE 2,4 +FLAGS.SILENT (\\Seen)")
    lines = client.ok(f"FETCH 1:* FLAGS (CHANGEDSINCE {since})").lines
    assert lines == [
        b"* %d FETCH (FLAGS (\\Seen) MODSEQ (%d))" % (number, since + 1) for number in (2, 4)
    ]
    assert client.ok(f"UID FETCH 1:3 FLAGS (CHANGEDSINCE {since})").lines == [
        b"* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (%d))" % (since + 1)
    ]
    assert client.ok(f"FETCH 1:* FLAGS (CHANGEDSINCE {since + 1})").lines == []
    assert len(client.ok("FETCH 1:* FLAGS (CHANGEDSINCE 1)").lines) == 5


def test_changed_since_reads_bodies_of_the_changed_only(server: TestServer) -> None:
    """\\Seen is set on the messages that are told, not on those that are filtered out."""
    client = filled(server, 3)
    since = highest(client)
    client.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    lines = client.ok(f"FETCH 1:3 BODY[TEXT] (CHANGEDSINCE {since})").lines
    assert len(lines) == 1
    assert b"FLAGS (\\Flagged \\Seen)" in lines[0]
    assert modseq(lines[0]) == since + 2
    assert client.ok("FETCH 1,3 FLAGS").lines == [b"* 1 FETCH (FLAGS ())", b"* 3 FETCH (FLAGS ())"]


def test_vanished(server: TestServer) -> None:
    """UID FETCH with VANISHED tells what was expunged before what changed. # rfc7162#3.2.6"""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 8)
    since = highest(client)
    client.ok("STORE 2:3,7:8 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    other.ok("ENABLE QRESYNC")
    other.ok("SELECT INBOX")
    other.ok("STORE 1 +FLAGS.SILENT (\\Seen)")
    lines = other.ok(f"UID FETCH 1:* FLAGS (CHANGEDSINCE {since} VANISHED)").lines
    assert lines[0] == b"* VANISHED (EARLIER) 2:3,7:8"
    assert [line.split(b" FLAGS")[0] for line in lines[1:]] == [b"* 1 FETCH (UID 1"]
    lines = other.ok(f"UID FETCH 3:5 FLAGS (CHANGEDSINCE {since} VANISHED)").lines
    assert lines == [b"* VANISHED (EARLIER) 3"]
    assert other.ok(f"UID FETCH 4:5 FLAGS (CHANGEDSINCE {since} VANISHED)").lines == []


def test_vanished_of_the_present(server: TestServer) -> None:
    """What this client still counts vanishes by the response that changes its numbers."""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 3)
    since = highest(client)
    client.ok("ENABLE QRESYNC")
    other.ok("SELECT INBOX")
    other.ok("STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    lines = client.ok(f"UID FETCH 1:* FLAGS (CHANGEDSINCE {since} VANISHED)").lines
    assert lines == [b"* VANISHED 2"]


@pytest.mark.parametrize(
    "command",
    ["FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)", "UID FETCH 1 FLAGS (VANISHED)",
     "UID FETCH 1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)", "UID FETCH 1 FLAGS (CHANGEDSINCE x)"],
)  # fmt: skip
def test_modifiers_that_are_wrong(server: TestServer, command: str) -> None:
    """VANISHED needs UID FETCH, CHANGEDSINCE and QRESYNC; anything else is BAD. # rfc7162#3.2.6"""
    client = filled(server, 1)
    assert client.cmd("UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)").status == "BAD"
    client.ok("ENABLE QRESYNC")
    client.ok("UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)")
    assert client.cmd(command).status == "BAD"


def test_silent_store_tells_modseq(server: TestServer) -> None:
    """With CONDSTORE a silent STORE still tells the new mod-sequence, without flags."""
    # rfc7162#3.1.3
    client = filled(server, 2)
    since = highest(client)
    client.ok("ENABLE CONDSTORE")
    assert client.ok("STORE 1 +FLAGS.SILENT (\\Seen)").lines == [
        b"* 1 FETCH (MODSEQ (%d))" % (since + 1)
    ]
    assert client.ok("UID STORE 2 +FLAGS (\\Seen)").lines == [
        b"* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (%d))" % (since + 2)
    ]


def test_unchanged_since(server: TestServer) -> None:
    """Messages that others changed are refused and named, the rest is changed. # rfc7162#3.1.3"""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 4)
    since = highest(client)
    other.ok("SELECT INBOX")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    other.ok("UID STORE 3 +FLAGS.SILENT (\\Flagged)")
    client.ok("NOOP")
    response = client.cmd(f"STORE 1:3 (UNCHANGEDSINCE {since}) +FLAGS.SILENT (\\Seen)")
    assert (response.status, response.code) == ("OK", "MODIFIED 2")
    assert response.lines == [
        b"* 1 FETCH (MODSEQ (%d))" % (since + 4),
        b"* 3 FETCH (MODSEQ (%d))" % (since + 4),
        b"* 2 FETCH (FLAGS (\\Flagged) MODSEQ (%d))" % (since + 3),
    ]
    response = client.cmd(f"UID STORE 2:4 (UNCHANGEDSINCE {since}) +FLAGS (\\Draft)")
    assert response.code == "MODIFIED 2:4"
    assert client.ok("FETCH 1:* FLAGS").lines == [
        b"* 1 FETCH (FLAGS (\\Seen))",
        b"* 2 FETCH (FLAGS (\\Flagged))",
        b"* 3 FETCH (FLAGS (\\Seen))",
    ]


def test_unchanged_since_zero(server: TestServer) -> None:
    """Every message has a mod-sequence above 0, so 0 always fails. # rfc7162#3.1.3"""
    client = filled(server, 1)
    assert client.cmd("STORE 1 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)").code == "MODIFIED 1"


def test_qresync_responses_have_uids(server: TestServer) -> None:
    """With QRESYNC every FETCH response names its message by UID too. # rfc7162#3.2.4"""
    client = filled(server, 1)
    client.ok("ENABLE QRESYNC")
    assert client.ok("FETCH 1 FLAGS").lines == [b"* 1 FETCH (UID 1 FLAGS ())"]
    assert client.ok("STORE 1 +FLAGS (\\Seen)").lines[0].startswith(b"* 1 FETCH (UID 1 FLAGS (")


def test_a_removal_while_a_mailbox_is_opened(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EXISTS counts it, so it is not EARLIER, and is told once, with the next command."""
    # rfc7162#3.2.10
    account = server.account()
    client = server.imap(account, "INBOX")
    fill(client, 3)
    client.ok("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    client.ok("UID EXPUNGE 1")
    client.ok("ENABLE QRESYNC")
    known = re.search(r"UIDVALIDITY (\d+)", repr(client.ok("SELECT INBOX").lines))
    assert known is not None
    open_ = Workspace.open

    async def late(self: Workspace, *given: Any) -> Any:
        opened = await open_(self, *given)
        await self.expunge(opened[0].id)
        return opened

    monkeypatch.setattr(Workspace, "open", late)
    lines = client.ok(f"SELECT INBOX (QRESYNC ({known[1]} 1))").lines
    assert b"* 2 EXISTS" in lines
    assert [line for line in lines if b"VANISHED" in line] == [b"* VANISHED (EARLIER) 1"]
    assert client.ok("NOOP").matching("VANISHED") == [b"* VANISHED 2"]
