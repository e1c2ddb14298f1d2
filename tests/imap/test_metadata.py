"""METADATA (RFC 5464) and LIST-METADATA (RFC 9590)."""

from __future__ import annotations

import pytest

from tests.kit.imap import ImapClient
from tests.kit.server import TestServer


def get(client: ImapClient, arguments: str) -> list[bytes]:
    return client.ok(f"GETMETADATA {arguments}").lines


def test_set_get_remove(server: TestServer) -> None:
    """Values of mailboxes and of the account, as strings, literals and with NUL."""
    # rfc5464#4.2, rfc5464#4.3, rfc5464#4.4.1
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    client.ok('SETMETADATA INBOX (/private/comment "mine" /SHARED/Comment "ours")')
    assert get(other, "INBOX (/private/comment /shared/comment)") == [
        b'* METADATA INBOX (/private/comment "mine" /shared/comment "ours")'
    ]
    client.ok('SETMETADATA "" (/private/vendor/x/colour {5+}\r\na\r\nb\n)')
    assert get(other, '"" /private/vendor/x/colour') == [
        b'* METADATA "" (/private/vendor/x/colour {5}\r\na\r\nb\n)'
    ]
    client.ok(b"SETMETADATA INBOX (/private/vendor/x/raw ~{3+}\r\na\0b)")
    assert get(other, "INBOX /private/vendor/x/raw") == [
        b"* METADATA INBOX (/private/vendor/x/raw ~{3}\r\na\0b)"
    ]
    client.ok("SETMETADATA INBOX (/private/comment NIL /private/never NIL)")
    assert get(other, "INBOX /private/comment") == [b"* METADATA INBOX (/private/comment NIL)"]


def test_depth(server: TestServer) -> None:
    """0, 1 and infinity; options before and behind the name of the mailbox. # rfc5464#4.2.2"""
    client = server.imap(server.account())
    client.ok('SETMETADATA INBOX (/private/a "0" /private/a/b "1" /private/a/b/c "2")')
    client.ok('SETMETADATA INBOX (/private/ab "other")')
    assert get(client, "INBOX /private/a") == [b'* METADATA INBOX (/private/a "0")']
    one = b'* METADATA INBOX (/private/a "0" /private/a/b "1")'
    assert get(client, "(DEPTH 1) INBOX /private/a") == [one]
    assert get(client, "INBOX (DEPTH 1) (/private/a)") == [one]
    all_ = b'* METADATA INBOX (/private/a "0" /private/a/b "1" /private/a/b/c "2")'
    assert get(client, "(DEPTH infinity) INBOX /private/a") == [all_]
    assert get(client, "(DEPTH infinity) INBOX /shared") == []


def test_max_size(server: TestServer) -> None:
    """Longer values are left out, and the longest of them is told. # rfc5464#4.2.1"""
    client = server.imap(server.account())
    client.ok(f'SETMETADATA INBOX (/private/comment "12345" /shared/comment "{"x" * 50}")')
    both = "(/private/comment /shared/comment)"
    response = client.ok(f"GETMETADATA (MAXSIZE 10) INBOX {both}")
    assert response.lines == [b'* METADATA INBOX (/private/comment "12345")']
    assert response.code == "METADATA LONGENTRIES 50"
    response = client.ok(f"GETMETADATA (DEPTH 0 MAXSIZE 50) INBOX {both}")
    assert response.code == ""
    assert b"x" * 50 in response.lines[0]


def test_limits(server: TestServer) -> None:
    """A value that is too long and one entry too many: nothing of the command is done."""
    # rfc5464#4.1
    client = server.imap(server.account())
    long = 64 * 1024
    value = b"x" * (long + 1)
    refused = client.cmd(
        b'SETMETADATA INBOX (/private/a "1" /private/b {%d+}\r\n%b)' % (len(value), value)
    )
    assert (refused.status, refused.code) == ("NO", f"METADATA MAXSIZE {long}")
    assert get(client, "INBOX /private/a") == [b"* METADATA INBOX (/private/a NIL)"]
    client.ok(b"SETMETADATA INBOX (/private/b {%d+}\r\n%b)" % (long, value[:-1]))
    many = " ".join(f'/private/n{number} "x"' for number in range(99))
    client.ok(f"SETMETADATA INBOX ({many})")
    refused = client.cmd('SETMETADATA INBOX (/private/a "1")')
    assert (refused.status, refused.code) == ("NO", "METADATA TOOMANY")
    client.ok("SETMETADATA INBOX (/private/n1 NIL)")
    client.ok('SETMETADATA INBOX (/private/a "1")')


def test_private_is_each_accounts_own(server: TestServer) -> None:
    """Nobody sees the annotations of others, nor mailboxes by way of them. # rfc5464#3.3"""
    first, second = server.imap(server.account()), server.imap(server.account())
    first.ok('SETMETADATA "" (/private/comment "mine")')
    first.ok('SETMETADATA INBOX (/shared/comment "of my INBOX")')
    assert get(second, '"" /private/comment') == [b'* METADATA "" (/private/comment NIL)']
    assert get(second, "INBOX /shared/comment") == [b"* METADATA INBOX (/shared/comment NIL)"]


def test_server_annotations(server: TestServer) -> None:
    """Those that all would see are not for clients to set. # rfc5464#3.3"""
    client = server.imap(server.account())
    refused = client.cmd('SETMETADATA "" (/shared/comment "hello all")')
    assert (refused.status, refused.code) == ("NO", "NOPERM")


def test_rename_and_delete(server: TestServer) -> None:
    """Annotations follow a mailbox; they stay on INBOX too; they go when the mailbox goes."""
    # rfc5464#4.1
    client = server.imap(server.account())
    client.ok("CREATE Work")
    client.ok('SETMETADATA Work (/shared/comment "w")')
    client.ok("RENAME Work Job")
    assert get(client, "Job /shared/comment") == [b'* METADATA Job (/shared/comment "w")']
    client.ok("DELETE Job")
    client.ok("CREATE Job")
    assert get(client, "Job /shared/comment") == [b"* METADATA Job (/shared/comment NIL)"]
    client.ok('SETMETADATA INBOX (/private/comment "i")')
    client.ok("RENAME INBOX Old")
    for name in ("INBOX", "Old"):
        assert b'"i"' in get(client, f"{name} /private/comment")[0]


def test_unsolicited(server: TestServer) -> None:
    """After ENABLE METADATA, what others change is told by name; what it changes itself is not."""
    # rfc5464#4.4.2
    account = server.account()
    writer, reader = server.imap(account), server.imap(account)
    silent = server.imap(account)
    assert reader.ok("ENABLE METADATA").lines == [b"* ENABLED METADATA"]
    writer.ok('SETMETADATA INBOX (/private/comment "x" /shared/comment "y")')
    writer.ok('SETMETADATA "" (/private/comment "x")')
    assert reader.ok("NOOP").lines == [
        b'* METADATA "" /private/comment',
        b"* METADATA INBOX /private/comment /shared/comment",
    ]
    assert silent.ok("NOOP").lines == []
    reader.ok('SETMETADATA INBOX (/private/comment "z")')
    assert reader.ok("NOOP").lines == []
    writer.ok("SETMETADATA INBOX (/private/comment NIL)")
    tag = reader.idle()
    assert b"METADATA INBOX /private/comment" in reader.wait_line("METADATA")
    writer.ok('SETMETADATA INBOX (/private/comment "again")')
    assert reader.wait_line("METADATA") == b"* METADATA INBOX /private/comment"
    assert reader.done(tag).status == "OK"


def test_list_metadata(server: TestServer) -> None:
    """Values beside the names; NIL for mailboxes without, nothing for what does not exist."""
    # rfc9590#3
    client = server.imap(server.account())
    client.ok('SETMETADATA Sent (/shared/vendor/x/colour "red")')
    client.ok("SUBSCRIBE Gone")
    lines = client.ok(
        'LIST (SUBSCRIBED) "" (Sent Drafts Gone)'
        ' RETURN (METADATA ("/shared/vendor/x/colour") STATUS (MESSAGES))'
    ).lines
    metadata = [line for line in lines if b"METADATA" in line]
    assert metadata == [
        b"* METADATA Drafts (/shared/vendor/x/colour NIL)",
        b'* METADATA Sent (/shared/vendor/x/colour "red")',
    ]
    deep = client.ok('LIST "" "*" RETURN (METADATA (DEPTH infinity) (/shared/vendor))')
    assert deep.matching("METADATA") == [b'* METADATA Sent (/shared/vendor/x/colour "red")']


@pytest.mark.parametrize(
    "command",
    [
        "SETMETADATA INBOX (comment NIL)",
        "SETMETADATA INBOX (/private//a NIL)",
        "SETMETADATA INBOX (/private/* NIL)",
        "SETMETADATA INBOX (/private/a)",
        "SETMETADATA INBOX ()",
        "GETMETADATA INBOX",
        "GETMETADATA (DEPTH 2) INBOX /private/a",
        "GETMETADATA (NOSUCH 2) INBOX /private/a",
    ],
)
def test_bad_syntax(server: TestServer, command: str) -> None:
    """BAD, and nothing else. # rfc5464#5"""
    assert server.imap(server.account()).cmd(command).status == "BAD"


def test_refusals(server: TestServer) -> None:
    """Missing mailboxes, and names outside of the two trees. # rfc5464#3.2"""
    client = server.imap(server.account())
    assert client.cmd("GETMETADATA no /private/a").code == "NONEXISTENT"
    assert client.cmd('SETMETADATA no (/private/a "x")').code == "NONEXISTENT"
    assert client.cmd('SETMETADATA INBOX (/other/a "x")').status == "NO"
