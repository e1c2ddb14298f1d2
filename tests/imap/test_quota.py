"""QUOTA (RFC 9208): what the mail of an account takes, and what does not fit."""

from __future__ import annotations

from folkmoot.storage.types import Limit, Tool
from tests.imap.listed import status
from tests.kit.messages import simple
from tests.kit.server import TestServer


def test_usage_and_limits(server: TestServer) -> None:
    """STORAGE in units of 1024 octets, MESSAGE and MAILBOX in counts."""
    # rfc9208#4.1.1, rfc9208#5.1, rfc9208#5.2, rfc9208#5.3, rfc9208#4.1.2, rfc9208#4.2.2
    account = server.account(limits={Tool.MAIL: Limit(100 * 1024, 10)})
    client = server.imap(account)
    client.append("INBOX", simple(body="x" * 3000 + "\r\n"))
    response = client.ok('GETQUOTA ""')
    assert response.lines == [b'* QUOTA "" (STORAGE 4 100 MESSAGE 1 10 MAILBOX 6 9999)']
    client.ok("CREATE More")
    response = client.ok("GETQUOTAROOT INBOX")
    assert response.lines == [
        b'* QUOTAROOT INBOX ""',
        b'* QUOTA "" (STORAGE 4 100 MESSAGE 1 10 MAILBOX 7 9999)',
    ]
    # A mailbox that is to be created would have the same root.
    assert client.ok("GETQUOTAROOT nowhere").lines[0] == b'* QUOTAROOT nowhere ""'


def test_what_is_not_limited_is_left_out(server: TestServer) -> None:
    """RFC 9208 section 4.2.1."""
    client = server.imap(server.account())
    assert client.ok('GETQUOTA ""').lines == [b'* QUOTA "" (MAILBOX 6 9999)']


def test_over_quota(server: TestServer) -> None:
    """APPEND and COPY that do not fit are refused with OVERQUOTA, in the other session too."""
    # rfc9208#4.3.1
    account = server.account(limits={Tool.MAIL: Limit(10_000, 3)})
    one, two = server.imap(account), server.imap(account, "INBOX")
    body = simple()
    for _ in range(2):
        one.append("INBOX", body)
    two.ok("NOOP")
    refused = two.cmd("COPY 1:2 Archive")
    assert (refused.status, refused.code) == ("NO", "OVERQUOTA")
    big = simple(body="x" * 12_000)
    refused = two.cmd(b"APPEND INBOX {%d+}\r\n%b" % (len(big), big))
    assert (refused.status, refused.code) == ("NO", "OVERQUOTA")
    two.ok("STORE 1 +FLAGS (\\Deleted)")
    two.ok("EXPUNGE")
    assert b"MESSAGE 1 3" in one.ok('GETQUOTA ""').lines[0]
    two.ok("MOVE 1 Archive")  # what stays in the space costs nothing


def test_deleted_storage(server: TestServer) -> None:
    """STATUS tells what EXPUNGE would free, alone and in LIST. # rfc9208#4.1.4"""
    client = server.imap(server.account(), "INBOX")
    first, second = simple("one"), simple("the second one")
    client.append("INBOX", first)
    client.append("INBOX", second)
    assert status(client, "INBOX", "DELETED-STORAGE") == {"DELETED-STORAGE": 0}
    client.ok("STORE 2 +FLAGS (\\Deleted)")
    wanted = {"DELETED": 1, "DELETED-STORAGE": len(second)}
    assert status(client, "INBOX", "DELETED DELETED-STORAGE") == wanted
    [line] = client.ok('LIST "" INBOX RETURN (STATUS (DELETED-STORAGE))').matching("STATUS")
    assert line == b"* STATUS INBOX (DELETED-STORAGE %d)" % len(second)


def test_refusals(server: TestServer) -> None:
    """Other roots do not exist. # rfc9208#4.1.3"""
    client = server.imap(server.account())
    assert client.cmd("GETQUOTA other").code == "NONEXISTENT"
    assert client.cmd("SETQUOTA other ()").code == "NONEXISTENT"
    words = client.ok("CAPABILITY").lines[0].split()
    for name in (b"QUOTA", b"QUOTA=RES-STORAGE", b"QUOTA=RES-MESSAGE", b"QUOTA=RES-MAILBOX"):
        assert name in words
    for command in ("GETQUOTA", "GETQUOTAROOT", 'SETQUOTA "" (STORAGE)', 'SETQUOTA "" STORAGE 1'):
        assert client.cmd(command).status == "BAD"
