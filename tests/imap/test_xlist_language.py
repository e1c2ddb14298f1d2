"""XLIST for clients from before SPECIAL-USE; LANGUAGE (RFC 5255)."""

from __future__ import annotations

from tests.kit.server import TestServer


def test_xlist_names_special_mailboxes_as_gmail_did(server: TestServer) -> None:
    """Old Outlook finds INBOX, Sent, Spam and Trash by these attributes."""
    client = server.imap(server.account())
    assert b"XLIST" in client.ok("CAPABILITY").lines[0].split()
    client.ok("CREATE Work/Plans")
    assert client.ok('XLIST "" "*"').lines == [
        b'* XLIST (\\HasNoChildren \\Inbox) "/" INBOX',
        b'* XLIST (\\HasNoChildren \\Archive) "/" Archive',
        b'* XLIST (\\HasNoChildren \\Drafts) "/" Drafts',
        b'* XLIST (\\HasNoChildren \\Spam) "/" Junk',
        b'* XLIST (\\HasNoChildren \\Sent) "/" Sent',
        b'* XLIST (\\HasNoChildren \\Trash) "/" Trash',
        b'* XLIST (\\HasChildren) "/" Work',
        b'* XLIST (\\HasNoChildren) "/" Work/Plans',
    ]
    assert client.ok('XLIST "" "Work/%"').lines == [b'* XLIST (\\HasNoChildren) "/" Work/Plans']
    assert client.ok('XLIST "" ""').lines == [b'* XLIST (\\Noselect) "/" ""']
    assert client.cmd("XLIST").status == "BAD"


def test_language_list(server: TestServer) -> None:
    """Without arguments, what is spoken; in any state. # rfc5255#3.2, rfc5255#3.1"""
    client = server.imap()
    assert client.ok("LANGUAGE").lines == [b"* LANGUAGE (EN I-DEFAULT)"]
    account = server.account()
    client.login(account.address, account.password)
    assert b"LANGUAGE" in client.ok("CAPABILITY").lines[0].split()
    assert client.ok("LANGUAGE").lines == [b"* LANGUAGE (EN I-DEFAULT)"]


def test_language_choice(server: TestServer) -> None:
    """The first range that is spoken wins; namespaces are told again once signed in."""
    # rfc5255#3.2
    client = server.imap()
    assert client.ok("LANGUAGE de EN-gb").lines == [b"* LANGUAGE (EN)"]
    assert client.ok('LANGUAGE "default"').lines == [b"* LANGUAGE (I-DEFAULT)"]
    assert client.cmd("LANGUAGE de fr").status == "NO"
    assert client.cmd("LANGUAGE english").status == "NO"
    assert client.cmd("LANGUAGE (en)").status == "BAD"
    assert client.cmd("LANGUAGE " + "x " * 51).status == "BAD"
    account = server.account()
    client.login(account.address, account.password)
    assert client.ok("LANGUAGE en").lines == [
        b"* LANGUAGE (EN)",
        b'* NAMESPACE (("" "/")) (("Shared/" "/")) (("Groups/" "/"))',
    ]
