"""LIST in its basic syntax, and LSUB."""

from __future__ import annotations

from imapclient import IMAPClient

from tests.imap.listed import listed, names, one
from tests.kit.server import TestServer

DEFAULTS = ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"]


def test_delimiter(server: TestServer) -> None:
    """An empty pattern asks for the delimiter only. # rfc9051#6.3.9"""
    client = server.imap(server.account())
    for command in ('LIST "" ""', 'LIST anything ""'):
        assert client.ok(command).lines == [b'* LIST (\\Noselect) "/" ""']
    assert client.ok('LSUB "" ""').lines == [b'* LSUB (\\Noselect) "/" ""']


def test_order_and_special_use(server: TestServer) -> None:
    """INBOX first, then by name; what mailboxes are for is told without being asked. # rfc6154#2"""
    client = server.imap(server.account())
    client.ok("CREATE AAA")
    client.ok("CREATE INBOX/Lists")
    found = names(client.ok('LIST "" "*"'))
    expected = ["INBOX", "AAA", "Archive", "Drafts", "INBOX/Lists", "Junk", "Sent", "Trash"]
    assert [name.name for name in found] == expected
    attributes = {name.name: name.attributes for name in found}
    assert attributes["INBOX"] == {"\\HasChildren"}
    assert attributes["AAA"] == {"\\HasNoChildren"}
    for use in DEFAULTS[1:]:
        assert f"\\{use}" in attributes[use]


def test_wildcards_and_reference(server: TestServer) -> None:
    """``%`` stops at the delimiter, ``*`` does not; the reference stands before the pattern."""
    # rfc9051#6.3.9
    client = server.imap(server.account())
    client.ok("CREATE a/b/c")
    client.ok("CREATE ab")
    assert listed(client, 'LIST "" a%') == ["a", "ab"]
    assert listed(client, 'LIST "" a*') == ["a", "a/b", "a/b/c", "ab"]
    assert listed(client, 'LIST "" a/%') == ["a/b"]
    assert listed(client, "LIST a/ %") == ["a/b"]
    assert listed(client, "LIST a/b /c") == ["a/b/c"]
    assert listed(client, 'LIST "" a/b') == ["a/b"]
    assert listed(client, 'LIST "" "nothing"') == []
    assert one(client, 'LIST "" a').attributes == {"\\HasChildren"}
    assert one(client, 'LIST "" ab').attributes == {"\\HasNoChildren"}


def test_inbox_in_any_case(server: TestServer) -> None:
    """INBOX answers to every spelling, also as the first level of others. # rfc9051#5.1"""
    client = server.imap(server.account())
    client.ok("CREATE iNbOx/x")
    for pattern in ("inbox", "InBox", "INBOX", "i%"):
        assert "INBOX" in listed(client, f'LIST "" {pattern}')
    assert listed(client, 'LIST "" inbox/%') == ["INBOX/x"]


def test_others_see_changes_at_once(server: TestServer) -> None:
    """A mailbox that one session makes, another lists."""
    account = server.account()
    first, second = server.imap(account), server.imap(account)
    first.ok("CREATE made")
    assert "made" in listed(second, 'LIST "" *')
    first.ok("DELETE made")
    assert "made" not in listed(second, 'LIST "" *')


def test_accounts_do_not_see_each_other(server: TestServer) -> None:
    """Everything is private."""
    alice, bob = server.imap(server.account()), server.imap(server.account())
    alice.ok("CREATE secret")
    alice.ok("SUBSCRIBE secret")
    assert "secret" not in listed(bob, 'LIST "" *')
    assert "secret" not in listed(bob, 'LSUB "" *')


def test_lsub(server: TestServer) -> None:
    """LSUB names what is subscribed, existing or not. # rfc3501#6.3.9"""
    client = server.imap(server.account())
    assert listed(client, 'LSUB "" "*"') == DEFAULTS
    client.ok("UNSUBSCRIBE Junk")
    client.ok("SUBSCRIBE gone/away")
    assert "Junk" not in listed(client, 'LSUB "" "*"')
    assert listed(client, 'LSUB "" "*"')[-1] == "gone/away"


def test_lsub_levels(server: TestServer) -> None:
    """With ``%``, the level above something subscribed is named as \\Noselect. # rfc3501#6.3.9"""
    client = server.imap(server.account())
    client.ok("CREATE foo/bar")
    client.ok("SUBSCRIBE foo/bar")
    found = one(client, "LSUB f %")
    assert found.name == "foo"
    assert found.attributes == {"\\Noselect"}
    assert one(client, "LSUB foo/ %").attributes == frozenset()
    assert listed(client, 'LSUB "" f*') == ["foo/bar"]
    assert listed(client, 'LSUB "" foo') == []
    client.ok("SUBSCRIBE foo")
    assert one(client, "LSUB f %").attributes == frozenset()


def test_names_in_both_encodings(server: TestServer) -> None:
    """Modified UTF-7 to old clients, UTF-8 once IMAP4rev2 is enabled; emoji included."""
    # rfc9051#5.1, rfc3501#5.1.3, rfc9051#7.3.1
    account = server.account()
    old, new = server.imap(account), server.imap(account)
    new.ok("ENABLE IMAP4rev2")
    new.ok('CREATE "Entwürfe/📬 &c"'.encode())
    assert '* LIST (\\HasNoChildren) "/" "Entwürfe/📬 &c"'.encode() in new.ok('LIST "" E*').lines
    line = b'* LIST (\\HasNoChildren) "/" "Entw&APw-rfe/&2D3c7A- &-c"'
    assert line in old.ok('LIST "" E*').lines
    assert old.ok('STATUS "Entw&APw-rfe/&2D3c7A- &-c" (MESSAGES)').lines
    # Octets above 127 can only mean UTF-8.
    assert listed(old, 'LIST "" Entwürfe') == ["Entw&APw-rfe"]


def test_decomposed_names_are_the_same(server: TestServer) -> None:
    """macOS sends é as two characters; it is the same mailbox. # rfc5198#2"""
    client = server.imap(server.account())
    client.ok("ENABLE IMAP4rev2")
    composed, decomposed = "\u00e9t\u00e9", "e\u0301te\u0301"
    client.ok(f'CREATE "{decomposed}"')
    assert client.cmd(f'CREATE "{composed}"').code == "ALREADYEXISTS"
    for name in (composed, decomposed):
        assert listed(client, f'LIST "" "{name}"') == [composed]
        client.ok(f'STATUS "{name}" (MESSAGES)')
        client.ok(f'SELECT "{name}"')
        client.ok(f'SUBSCRIBE "{name}"')
    assert listed(client, 'LSUB "" "*t*"').count(composed) == 1


def test_quotes_in_names(server: TestServer) -> None:
    """Names that need escapes come back as they were given."""
    account = server.account()
    with IMAPClient("127.0.0.1", server.imap_port, ssl=False) as client:
        client.login(account.address, account.password)
        hostile = ['a"b', "a\\b", "(x) {3}", "NIL", "~&", " spaced ", "[]", "# "]
        for name in hostile:
            client.create_folder(name)
        found = {str(name) for _, _, name in client.list_folders()}
        assert found >= set(hostile)


def test_bad_arguments(server: TestServer) -> None:
    """What is not LIST is BAD, and the connection stays."""
    client = server.imap(server.account())
    for command in ("LIST", 'LIST ""', 'LIST "" (', 'LIST "" "*" RETURN', 'LSUB "" (a)'):
        assert client.cmd(command).status == "BAD"
    assert client.cmd('LIST "" "' + "%a" * 101 + '"').status == "BAD"
    client.ok("NOOP")
