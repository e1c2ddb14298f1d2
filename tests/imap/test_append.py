"""APPEND: what is acknowledged is there, octet for octet, for everybody."""

from __future__ import annotations

from folkmoot.protocols.imap.session import ImapLimits
from folkmoot.storage.types import Limit, Tool
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.server import TestServer


def test_append_gives_uid_and_reaches_other_sessions(server: TestServer) -> None:
    """APPENDUID names the message, and a session that has the mailbox open hears of it."""
    # rfc9051#6.3.12, rfc4315#3
    account = server.account()
    watcher = server.imap(account, "INBOX")
    response = server.imap(account).append("INBOX", simple(), "\\Seen $Work")
    assert response.code.startswith("APPENDUID ")
    assert b"* 1 EXISTS" in watcher.ok("NOOP").lines


def test_append_with_synchronising_literal(server: TestServer) -> None:
    """The server asks for the octets with a continuation before they are sent. # rfc9051#4.3"""
    client = server.imap(server.account())
    message = simple()
    tag = client.start(f"APPEND INBOX {{{len(message)}}}")
    assert client.line().startswith(b"+")
    client.send(message + b"\r\n")
    assert client.finish(tag).status == "OK"


def test_multiappend_is_all_or_nothing(server: TestServer) -> None:
    """Two messages come together or not at all (RFC 3502). # rfc3502#6.3.11"""
    client = server.imap(server.account(), "INBOX")
    one, two = simple("one"), simple("two")
    command = b"APPEND INBOX (\\Seen) {%d+}\r\n%b {%d+}\r\n%b" % (len(one), one, len(two), two)
    response = client.ok(command)
    assert response.code.endswith(" 1:2")
    assert b"* 2 EXISTS" in response.lines
    cancelled = client.cmd(b"APPEND INBOX {%d+}\r\n%b {0+}\r\n" % (len(one), one))
    assert cancelled.status == "NO"
    assert client.ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 2")


def test_append_to_missing_mailbox_offers_trycreate(server: TestServer) -> None:
    """Clients create the mailbox on TRYCREATE and try again. # rfc9051#6.3.12"""
    client = server.imap(server.account())
    message = simple()
    response = client.cmd(b"APPEND Nowhere {%d+}\r\n%b" % (len(message), message))
    assert (response.status, response.code) == ("NO", "TRYCREATE")


def test_append_over_quota(server: TestServer) -> None:
    """A full mailbox refuses, says why, and holds nothing of the message. # rfc9208#4.3.1"""
    account = server.account(limits={Tool.MAIL: Limit(bytes=1000, items=None)})
    client = server.imap(account, "INBOX")
    message = simple(body="x" * 2000)
    response = client.cmd(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message))
    assert (response.status, response.code) == ("NO", "OVERQUOTA")
    assert client.ok("STATUS INBOX (MESSAGES UIDNEXT)").matching("MESSAGES 0 UIDNEXT 1")


def test_append_larger_than_allowed_is_refused_before_it_is_sent(
    databases: Databases, tmp_path_factory: object
) -> None:
    """APPENDLIMIT: no continuation for a literal that will be refused; the session goes on."""
    # rfc7889#4
    folder = tmp_path_factory.mktemp("limit")  # type: ignore[attr-defined]
    server = TestServer(databases.fresh("sqlite"), folder, ImapLimits(append=1000))
    try:
        client = server.imap(server.account())
        response = client.cmd("APPEND INBOX {1001}")
        assert (response.status, response.code) == ("NO", "TOOBIG")
        response = client.cmd(b"APPEND INBOX {1001+}\r\n" + b"x" * 1001)
        assert (response.status, response.code) == ("NO", "TOOBIG")
        client.ok("NOOP")
    finally:
        server.stop()


def test_large_message_comes_back_octet_for_octet(server: TestServer) -> None:
    """A message larger than the inline limit goes through the spool and a file."""
    client = server.imap(server.account(), "INBOX")
    message = simple(body="0123456789abcdef\r\n" * 60_000)
    client.append("INBOX", message)
    [line] = client.ok("FETCH 1 BODY.PEEK[]").matching("FETCH")
    assert message in line


def test_interrupted_append_leaves_nothing(server: TestServer) -> None:
    """A connection that dies in the middle of a literal leaves no message and no file."""
    account = server.account()
    client = server.imap(account)
    client.send(b"a APPEND INBOX {900000+}\r\n" + b"x" * 600_000)
    client.close()
    other = server.imap(account, "INBOX")
    assert other.ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 0")
    incoming = server.folder / "blobs" / "incoming"
    for _ in range(100):
        if not list(incoming.iterdir()):
            break
        other.ok("NOOP")
    assert not list(incoming.iterdir())
