"""REPLACE (RFC 8508): the new message is there and the old one is gone, or nothing happened."""

from __future__ import annotations

import pytest

from folkmoot.storage.types import Limit, Tool
from tests.imap.fetched import filled, literals
from tests.kit.imap import ImapClient, Response
from tests.kit.messages import simple
from tests.kit.server import TestServer


def _replace(
    client: ImapClient, which: str, message: bytes, mailbox: str = "INBOX", uid: bool = False
) -> Response:
    verb = "UID REPLACE" if uid else "REPLACE"
    return client.cmd(f"{verb} {which} {mailbox} {{{len(message)}+}}\r\n".encode() + message)


def _subjects(client: ImapClient, mailbox: str) -> list[bytes]:
    client.ok(f"EXAMINE {mailbox}")
    lines = client.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject)]").matching("FETCH")
    return [next(iter(literals(line).values())).strip() for line in lines]


def test_replace_in_the_same_mailbox(server: TestServer) -> None:
    """APPENDUID, then the new message, then the removal of the old one; others see both."""
    # rfc8508#3.4, rfc8508#4.3, rfc8508#3.2
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    assert b"REPLACE" in client.ok("CAPABILITY").lines[0].split()
    for name in ("one", "two", "three"):
        client.append("INBOX", simple(name))
    for one in (client, other):
        one.ok("SELECT INBOX")
    response = client.cmd(
        b'REPLACE 2 INBOX (\\Seen \\Draft) "17-Jul-1996 02:44:25 -0700" {%d+}\r\n%b'
        % (len(simple("new")), simple("new"))
    )
    assert response.status == "OK"
    words = [line.split(b" ", 2)[:3] for line in response.lines]
    assert words[0][:2] == [b"*", b"OK"]
    assert b"[APPENDUID " in response.lines[0]
    assert response.lines[0].split(b"]")[0].endswith(b" 4")
    assert response.lines[1:] == [b"* 4 EXISTS", b"* 2 EXPUNGE"]
    assert b"* 2 EXPUNGE" in other.ok("NOOP").lines
    [line] = other.ok("FETCH 3 (UID FLAGS INTERNALDATE)").lines
    assert b"UID 4" in line
    assert b"\\Draft" in line
    assert b"17-Jul-1996" in line
    assert _subjects(client, "INBOX") == [b"Subject: one", b"Subject: three", b"Subject: new"]


def test_replace_into_another_mailbox(server: TestServer) -> None:
    """A draft that was sent goes to another mailbox; only the removal is told here."""
    # rfc8508#3.4
    client = filled(server, 2)
    response = _replace(client, "1", simple("sent"), "Sent", uid=True)
    assert response.status == "OK"
    assert response.lines[1:] == [b"* 1 EXPUNGE"]
    assert _subjects(client, "Sent") == [b"Subject: sent"]
    assert _subjects(client, "INBOX") == [b"Subject: 2"]


def test_replace_with_qresync_tells_vanished(server: TestServer) -> None:
    """VANISHED in the place of EXPUNGE, and HIGHESTMODSEQ at the end. # rfc8508#4.5"""
    account = server.account()
    client = server.imap(account)
    client.append("INBOX", simple("1"))
    client.ok("ENABLE QRESYNC")
    client.ok("SELECT INBOX")
    response = _replace(client, "*", simple("2"), uid=True)
    assert response.lines[1:] == [b"* 2 EXISTS", b"* VANISHED 1"]
    assert response.code.startswith("HIGHESTMODSEQ ")


@pytest.mark.parametrize(
    ("which", "uid", "mailbox", "answer"),
    [
        ("9", True, "INBOX", ("NO", "NONEXISTENT")),
        ("9", False, "INBOX", ("BAD", "")),
        ("1", False, "Nowhere", ("NO", "TRYCREATE")),
        ("1:2", False, "INBOX", ("BAD", "")),
        ("1,2", True, "INBOX", ("BAD", "")),
        ("$", False, "INBOX", ("BAD", "")),
    ],
)
def test_nothing_happens(
    server: TestServer, which: str, uid: bool, mailbox: str, answer: tuple[str, str]
) -> None:
    """Without the old message or the target, nothing is added and nothing removed. # rfc8508#3.4"""
    client = filled(server, 2)
    response = _replace(client, which, simple("new"), mailbox, uid)
    assert (response.status, response.code) == answer
    assert client.ok("NOOP").lines == []
    assert client.ok("STATUS INBOX (MESSAGES UIDNEXT)").matching("MESSAGES 2 UIDNEXT 3")


def test_old_message_that_another_session_removed(server: TestServer) -> None:
    """The new message is not added for a message that is gone."""
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    client.append("INBOX", simple("1"))
    for one in (client, other):
        one.ok("SELECT INBOX")
    other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    response = _replace(client, "1", simple("new"))
    assert (response.status, response.code) == ("NO", "EXPUNGEISSUED")
    assert client.ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 0")


def test_read_only_and_cancelled(server: TestServer) -> None:
    """Neither EXAMINE nor an empty literal lets anything be replaced. # rfc8508#3.4"""
    client = filled(server, 1)
    assert _replace(client, "1", b"").status == "NO"
    client.ok("EXAMINE INBOX")
    response = _replace(client, "1", simple("new"))
    assert (response.status, response.code) == ("NO", "READ-ONLY")
    assert _subjects(client, "INBOX") == [b"Subject: 1"]


def test_quota_counts_the_difference(server: TestServer) -> None:
    """In a full space a draft can be saved again as long as it does not grow too much."""
    # rfc8508#3.4
    account = server.account(limits={Tool.MAIL: Limit(bytes=2000, items=1)})
    client = server.imap(account, "INBOX")
    client.append("INBOX", simple(body="x" * 1200))
    assert _replace(client, "1", simple(body="y" * 1300)).status == "OK"
    too_much = _replace(client, "1", simple(body="z" * 2500))
    assert (too_much.status, too_much.code) == ("NO", "OVERQUOTA")
    [line] = client.ok("FETCH 1 BODY.PEEK[TEXT]").lines
    assert b"y" * 1300 in line


def test_large_message_goes_through_the_spool(server: TestServer) -> None:
    """A draft with an attachment replaces another, with either kind of literal."""
    client = filled(server, 1)
    message = simple("big", body="0123456789abcdef\r\n" * 60_000)
    assert _replace(client, "1", message).status == "OK"
    tag = client.start(f"UID REPLACE 2 INBOX {{{len(message)}}}")
    assert client.line().startswith(b"+")
    client.send(message + b"\r\n")
    assert client.finish(tag).status == "OK"
    [line] = client.ok("FETCH 1 BODY.PEEK[]").matching("FETCH")
    assert message in line
    too_big = client.cmd(f"REPLACE 1 INBOX {{{2**40}}}")
    assert (too_big.status, too_big.code) == ("NO", "TOOBIG")
    incoming = server.folder / "blobs" / "incoming"
    assert not list(incoming.iterdir())
