"""UIDONLY (RFC 9586): no message number goes in or out."""

from __future__ import annotations

import pytest

from tests.imap.fetched import fill
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer


def pair(server: TestServer, messages: int = 3) -> tuple[ImapClient, ImapClient]:
    """A usual session, and one that knows UIDs only; the first message is gone: UIDs from 2."""
    account = server.account()
    writer = server.imap(account, "INBOX")
    fill(writer, messages + 1)
    writer.ok("NOOP")
    writer.ok("STORE 1 +FLAGS (\\Deleted)")
    writer.ok("EXPUNGE")
    client = server.imap(account)
    assert client.ok("ENABLE UIDONLY").lines == [b"* ENABLED UIDONLY"]
    client.ok("SELECT INBOX")
    return writer, client


def test_select_names_no_number(server: TestServer) -> None:
    """EXISTS stays, UNSEEN (a message number) does not come."""
    writer, client = pair(server)
    lines = client.ok("SELECT INBOX").lines
    assert b"* 3 EXISTS" in lines
    assert not [line for line in lines if b"[UNSEEN" in line]
    assert [line for line in writer.ok("SELECT INBOX").lines if b"[UNSEEN 1]" in line]


def test_fetch_and_store(server: TestServer) -> None:
    """UIDFETCH with UIDs, from rows and from bodies; the UID item only where asked for."""
    # rfc9586#3.3
    _, client = pair(server)
    assert client.ok("UID FETCH 2:3 (FLAGS)").lines == [
        b"* 2 UIDFETCH (FLAGS ())",
        b"* 3 UIDFETCH (FLAGS ())",
    ]
    assert (
        client.ok("UID FETCH 4 (UID RFC822.SIZE)")
        .lines[0]
        .startswith(b"* 4 UIDFETCH (UID 4 RFC822.SIZE ")
    )
    [line] = client.ok("UID FETCH 2 (BODY.PEEK[TEXT])").lines
    assert line.startswith(b"* 2 UIDFETCH (BODY[TEXT] {")
    assert client.ok("UID STORE 3 +FLAGS (\\Seen)").lines == [b"* 3 UIDFETCH (FLAGS (\\Seen))"]


def test_changes_by_others(server: TestServer) -> None:
    """Flags as UIDFETCH, removals as VANISHED, without QRESYNC; also pushed."""
    writer, client = pair(server)
    writer.ok("STORE 2 +FLAGS (\\Deleted)")  # UID 3
    assert client.ok("NOOP").lines == [b"* 3 UIDFETCH (FLAGS (\\Deleted))"]
    tag = client.idle()
    writer.ok("EXPUNGE")
    assert client.wait_line("VANISHED") == b"* VANISHED 3"
    client.done(tag)
    client.ok("NOTIFY SET (SELECTED (MessageNew (FLAGS) MessageExpunge FlagChange))")
    writer.append("INBOX", simple())
    assert client.line() == b"* 3 EXISTS"
    assert client.line() == b"* 5 UIDFETCH (FLAGS ())"


def test_own_expunge_and_move(server: TestServer) -> None:
    """VANISHED too."""
    _, client = pair(server)
    client.ok("UID STORE 2 +FLAGS.SILENT (\\Deleted)")
    assert client.ok("UID EXPUNGE 2").lines == [b"* VANISHED 2"]
    assert b"* VANISHED 3" in client.ok("UID MOVE 3 Archive").lines


@pytest.mark.parametrize(
    "command",
    [
        "FETCH 1 (FLAGS)",
        "STORE 1 +FLAGS (\\Seen)",
        "COPY 1 Archive",
        "MOVE 1 Archive",
        "SEARCH ALL",
        "SORT (DATE) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
        "UID SEARCH 1:3",
        "UID SEARCH NOT (OR 1 SEEN)",
        "UID SORT (DATE) UTF-8 1:3",
        "SELECT INBOX (QRESYNC (1 1 1:5 (1,2 1,2)))",
    ],
)
def test_numbers_are_refused(server: TestServer, command: str) -> None:
    """BAD [UIDREQUIRED], with or without message 1. # rfc9586#3.2"""
    _, client = pair(server)
    client.ok("ENABLE QRESYNC")
    refused = client.cmd(command)
    assert (refused.status, refused.code) == ("BAD", "UIDREQUIRED")


def test_uids_go_on(server: TestServer) -> None:
    """UID commands, and saved results, which are no numbers. # rfc9586#3.5"""
    _, client = pair(server)
    assert client.ok("UID SEARCH UID 2:3").lines == [b"* SEARCH 2 3"]
    client.ok("UID SEARCH RETURN (SAVE) UID 3:*")
    assert client.ok("UID SEARCH $").lines == [b"* SEARCH 3 4"]
    assert client.ok("UID FETCH $ (MODSEQ)").lines[0].startswith(b"* 3 UIDFETCH (MODSEQ (")


def test_enabled_while_selected(server: TestServer) -> None:
    """It counts for the mailbox that is open already. # rfc9586#3.1"""
    writer = server.imap(server.account(), "INBOX")
    fill(writer, 2)
    writer.ok("NOOP")
    writer.ok("ENABLE UIDONLY")
    assert writer.cmd("UID SEARCH 1").code == "UIDREQUIRED"
    assert writer.ok("UID STORE 2 +FLAGS (\\Seen)").lines == [b"* 2 UIDFETCH (FLAGS (\\Seen))"]


def test_qresync(server: TestServer) -> None:
    """What was missed comes as UIDFETCH. # rfc9586#3.7"""
    writer, client = pair(server)
    client.ok("ENABLE QRESYNC")
    [line] = client.ok("STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)").lines
    validity, modseq = line.split()[4].decode(), line.split()[6].rstrip(b")").decode()
    client.ok("UNSELECT")
    writer.ok("STORE 1 +FLAGS (\\Flagged)")
    lines = client.ok(f"SELECT INBOX (QRESYNC ({validity} {modseq}))").matching("FETCH")
    assert lines == [b"* 2 UIDFETCH (FLAGS (\\Flagged) MODSEQ (%d))" % (int(modseq) + 1)]
