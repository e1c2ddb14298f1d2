"""UNAUTHENTICATE (RFC 8437): one connection, one person after the other."""

from __future__ import annotations

from pathlib import Path

from folkmoot.protocols.imap.session import ImapLimits
from tests.imap.test_compress import CompressedSocket, compress
from tests.kit.clock import HandClock
from tests.kit.databases import Databases
from tests.kit.messages import simple
from tests.kit.server import TestServer


def test_another_account_on_the_same_connection(server: TestServer) -> None:
    """Nothing of the first person is left: mailbox, rights, what was enabled."""
    # rfc8437#3, rfc8437#4.1
    first, second = server.account(), server.account()
    client = server.imap(first)
    assert b"UNAUTHENTICATE" in client.ok("CAPABILITY").lines[0].split()
    client.append("INBOX", simple(), "\\Deleted")
    client.ok("ENABLE QRESYNC UTF8=ACCEPT")
    client.ok("SELECT INBOX")
    assert client.ok("UNAUTHENTICATE").lines == []
    assert client.cmd("SELECT INBOX").status == "BAD"
    assert client.cmd("UNAUTHENTICATE").status == "BAD"
    assert b"AUTH=PLAIN" in client.ok("CAPABILITY").lines[0].split()
    client.login(second.address, second.password)
    assert client.cmd("FETCH 1 FLAGS").status == "BAD"
    assert b"* 0 EXISTS" in client.ok("SELECT INBOX").lines
    assert client.cmd("SELECT INBOX (QRESYNC (1 1))").status == "BAD"
    # What the first one had marked is not expunged.
    assert server.imap(first).ok("STATUS INBOX (MESSAGES)").matching("MESSAGES 1")


def test_changes_of_the_first_account_are_not_told(server: TestServer) -> None:
    """The second person hears nothing of what happens to the first."""
    first, second = server.account(), server.account()
    client = server.imap(first, "INBOX")
    client.ok("UNAUTHENTICATE")
    client.login(second.address, second.password)
    client.ok("SELECT INBOX")
    server.imap(first).append("INBOX", simple())
    assert client.ok("NOOP").lines == []


def test_connection_counts_for_who_uses_it(databases: Databases, tmp_path: Path) -> None:
    """The first account gets its place back, the second one needs one."""
    limits = ImapLimits(connections_per_account=1)
    server = TestServer(databases.fresh("sqlite"), tmp_path, limits)
    try:
        first, second = server.account(), server.account()
        client = server.imap(first)
        client.ok("UNAUTHENTICATE")
        client.login(second.address, second.password)
        server.imap(first)
        refused = server.imap().cmd(f'LOGIN {second.address} "{second.password}"')
        assert refused.code == "LIMIT"
    finally:
        server.stop()


def test_login_must_come_in_time_again(databases: Databases, tmp_path: Path) -> None:
    """A connection without an account is not kept for ever."""
    clock = HandClock()
    limits = ImapLimits(login_seconds=60)
    server = TestServer(databases.fresh("sqlite"), tmp_path, limits, clock=clock)
    try:
        client = server.imap(server.account())
        clock.advance(100)
        client.ok("UNAUTHENTICATE")
        clock.advance(50)
        client.ok("NOOP")
        clock.advance(20)
        assert client.line().startswith(b"* BYE")
    finally:
        server.stop()


def test_compression_ends(server: TestServer) -> None:
    """RFC 8437 section 4.1: the reply is compressed, what follows is not, and it can begin anew."""
    account = server.account()
    client = server.imap(account)
    compressed = compress(client)
    client.ok("UNAUTHENTICATE")
    client.socket = compressed.socket
    client.login(account.address, account.password)
    assert b"COMPRESS=DEFLATE" in client.ok("CAPABILITY").lines[0].split()
    client.ok("COMPRESS DEFLATE")
    client.socket = CompressedSocket(client.socket)
    assert b"* 0 EXISTS" in client.ok("SELECT INBOX").lines
