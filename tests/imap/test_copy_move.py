"""COPY, MOVE, EXPUNGE: what one session does, the others are told."""

from __future__ import annotations

import pytest

from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestAccount, TestServer


@pytest.fixture
def account(server: TestServer) -> TestAccount:
    """An account with five messages in INBOX."""
    account = server.account()
    client = server.imap(account)
    for number in range(5):
        client.append("INBOX", simple(f"message {number}"), "\\Flagged" if number == 2 else "")
    client.close()
    return account


@pytest.fixture
def client(server: TestServer, account: TestAccount) -> ImapClient:
    """A session with INBOX open."""
    return server.imap(account, "INBOX")


def test_copy_names_the_copies(
    server: TestServer, account: TestAccount, client: ImapClient
) -> None:
    """COPYUID pairs old and new UIDs; flags and octets come along. # rfc9051#6.4.7, rfc4315#3"""
    response = client.ok("COPY 2:3 Archive")
    assert response.code.startswith("COPYUID ")
    assert response.code.endswith(" 2:3 1:2")
    archive = server.imap(account, "Archive")
    assert archive.ok("FETCH 2 FLAGS").matching("\\Flagged")
    assert archive.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]").matching("message 1")


def test_move_tells_both_sides(
    server: TestServer, account: TestAccount, client: ImapClient
) -> None:
    """MOVE answers COPYUID before EXPUNGE; a second session sees the message go."""
    # rfc9051#6.4.8, rfc6851#4.3, rfc6851#3.1
    other = server.imap(account, "INBOX")
    response = client.ok("MOVE 2 Trash")
    assert b"COPYUID" in response.lines[0]
    assert response.lines[1] == b"* 2 EXPUNGE"
    assert other.ok("NOOP").lines == [b"* 2 EXPUNGE"]
    assert server.imap(account).ok("STATUS Trash (MESSAGES)").matching("MESSAGES 1")


def test_move_to_missing_mailbox(client: ImapClient) -> None:
    """Nothing moves, and the client may create the mailbox. # rfc9051#6.4.8"""
    response = client.cmd("UID MOVE 1:3 Nowhere")
    assert (response.status, response.code) == ("NO", "TRYCREATE")
    assert client.ok("NOOP").lines == []


def test_expunge_and_uid_expunge(client: ImapClient) -> None:
    """UID EXPUNGE takes only what is named; EXPUNGE all that is marked."""
    # rfc9051#6.4.3, rfc9051#6.4.9, rfc4315#2.1
    client.ok("STORE 1:3 +FLAGS.SILENT (\\Deleted)")
    assert client.ok("UID EXPUNGE 3").lines == [b"* 3 EXPUNGE"]
    assert client.ok("EXPUNGE").lines == [b"* 2 EXPUNGE", b"* 1 EXPUNGE"]
    assert client.ok("EXPUNGE").lines == []


def test_expunge_is_held_back_while_numbers_are_in_use(
    server: TestServer, account: TestAccount, client: ImapClient
) -> None:
    """FETCH by number never renumbers what a pipelined command may name (RFC 9051 7.5.1)."""
    # rfc9051#7.5.1
    other = server.imap(account, "INBOX")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    response = client.ok("FETCH 5 UID")
    assert not response.matching("EXPUNGE")
    assert response.matching("5 FETCH (UID 5)")
    assert b"* 1 EXPUNGE" in client.ok("NOOP").lines


def test_qresync_sessions_get_vanished(
    server: TestServer, account: TestAccount, client: ImapClient
) -> None:
    """With QRESYNC, removals come as VANISHED with UIDs (RFC 7162 section 3.2.10)."""
    other = server.imap(account)
    other.ok("ENABLE QRESYNC")
    other.ok("SELECT INBOX")
    client.ok("STORE 2:3 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    assert b"* VANISHED 2:3" in other.ok("NOOP").lines


def test_examine_refuses_to_change(server: TestServer, account: TestAccount) -> None:
    """A mailbox that is open for reading only stays as it is. # rfc9051#6.3.3"""
    client = server.imap(account)
    client.ok("EXAMINE INBOX")
    assert client.cmd("EXPUNGE").status == "NO"
    assert client.cmd("MOVE 1 Trash").status == "NO"


def test_numbers_that_do_not_exist(client: ImapClient) -> None:
    """A message number beyond the end is the client's mistake; an unknown UID is not."""
    # rfc9051#6.4.9
    assert client.cmd("COPY 6 Archive").status == "BAD"
    assert client.cmd("UID COPY 600 Archive").status == "OK"
