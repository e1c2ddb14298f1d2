"""ACL (RFC 4314) and LIST-MYRIGHTS (RFC 8440)."""

from __future__ import annotations

import pytest

from folkmoot.sharing.rights import LETTERS, OLD_LETTERS, from_letters, to_letters
from folkmoot.storage.types import ALL_RIGHTS, Right
from tests.kit.server import TestServer

ALL = b"lrswipkxteacd"


def test_letters_both_ways() -> None:
    """Each letter means one right, and comes back from it."""
    for letter, right in LETTERS.items():
        assert from_letters(letter) == right
        assert to_letters(right).rstrip("cd") == letter
    assert "".join(LETTERS) == "lrswipkxtea"
    assert len(set(LETTERS.values())) == len(LETTERS)


def test_old_letters() -> None:
    """RFC 2086's letters stand for several rights, and show when one of these is there."""
    assert from_letters("c") == Right.CREATE | Right.REMOVE
    assert from_letters("d") == Right.DELETE | Right.EXPUNGE
    for old, tied in OLD_LETTERS.items():
        for right in Right:
            assert (old in to_letters(right)) == bool(right & tied)


def test_rights_without_a_letter() -> None:
    """They are not shown, and no letter gives them."""
    assert to_letters(Right.BUSY | Right.EDIT | Right.SEND_AS) == ""
    assert from_letters(to_letters(ALL_RIGHTS)) == ALL_RIGHTS & ~(
        Right.BUSY | Right.EDIT | Right.SEND_AS
    )
    with pytest.raises(ValueError, match="no such right"):
        from_letters("lrz")


def test_the_owner_has_all(server: TestServer) -> None:
    """MYRIGHTS, GETACL and LISTRIGHTS agree."""
    account = server.account()
    client = server.imap(account)
    address = account.address.encode()
    assert client.ok("MYRIGHTS INBOX").lines == [b"* MYRIGHTS INBOX " + ALL]
    assert client.ok("GETACL INBOX").lines == [b"* ACL INBOX %b %b" % (address, ALL)]
    listed = client.ok(f"LISTRIGHTS INBOX {account.address}").lines
    assert listed == [b"* LISTRIGHTS INBOX %b %b" % (address, ALL)]
    other = client.ok("LISTRIGHTS INBOX other@example.test").lines
    assert other == [b'* LISTRIGHTS INBOX other@example.test ""']


def test_nothing_is_given_away(server: TestServer) -> None:
    """SETACL and DELETEACL say clearly that they do not, and change nothing."""
    account, other = server.account(), server.account()
    client = server.imap(account)
    before = client.ok("GETACL INBOX").lines
    refused = client.cmd(f"SETACL INBOX {other.address} lr")
    assert (refused.status, refused.code) == ("NO", "NOPERM")
    assert client.cmd(f"DELETEACL INBOX {other.address}").code == "NOPERM"
    assert client.cmd(f"SETACL INBOX {account.address} -a").code == "CANNOT"
    assert client.cmd(f"DELETEACL INBOX {account.address}").code == "CANNOT"
    assert client.ok("GETACL INBOX").lines == before
    assert server.imap(other).ok('LIST "" "*"').matching(account.address) == []


def test_refusals(server: TestServer) -> None:
    """Missing mailboxes, unknown rights, missing arguments."""
    client = server.imap(server.account())
    for command in ("MYRIGHTS no", "GETACL no", "LISTRIGHTS no a", "SETACL no a l"):
        assert client.cmd(command).code == "NONEXISTENT"
    for command in ("SETACL INBOX a lz", "SETACL INBOX a", "GETACL", "LISTRIGHTS INBOX"):
        assert client.cmd(command).status == "BAD"


def test_capabilities(server: TestServer) -> None:
    """RIGHTS= names the rights that RFC 2086 did not have."""
    words = server.imap(server.account()).ok("CAPABILITY").lines[0].split()
    assert {b"ACL", b"RIGHTS=kxte", b"LIST-MYRIGHTS"} <= set(words)


def test_list_myrights(server: TestServer) -> None:
    """One MYRIGHTS behind each LIST of a mailbox that exists."""
    client = server.imap(server.account())
    client.ok("SUBSCRIBE Gone")
    lines = client.ok('LIST (SUBSCRIBED) "" (INBOX Gone) RETURN (MYRIGHTS)').lines
    assert lines[0].startswith(b"* LIST (")
    assert lines[0].endswith(b"INBOX")
    assert lines[1] == b"* MYRIGHTS INBOX " + ALL
    assert b"\\NonExistent" in lines[2]
    assert len(lines) == 3
