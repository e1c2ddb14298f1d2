"""LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), CHILDREN (RFC 3348)."""

from __future__ import annotations

import pytest

from folkmoot.storage.engine.jobs import Job
from folkmoot.storage.engine.sqlite import SqliteDatabase
from tests.imap.listed import listed, names, one, values
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer


@pytest.fixture
def client(server: TestServer) -> ImapClient:
    """The mailboxes of RFC 9051 section 6.3.9.8, example 8, and their subscriptions."""
    client = server.imap(server.account())
    for name in ("INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"):
        client.ok(f"UNSUBSCRIBE {name}")
    for name in ("foo2/bar1", "foo2/bar2", "baz2/bar2", "baz2/bar22", "eps2/mamba"):
        client.ok(f"CREATE {name}")
        client.ok(f"SUBSCRIBE {name}")
    client.ok("SUBSCRIBE eps2")
    client.ok("SUBSCRIBE qux2/bar2")
    return client


def test_capabilities(client: ImapClient) -> None:
    """What is offered is said."""
    [line] = client.ok("CAPABILITY").lines
    assert {b"LIST-EXTENDED", b"LIST-STATUS", b"CHILDREN"} <= set(line.split())


def test_several_patterns(client: ImapClient) -> None:
    """A name that matches two patterns is listed once; empty patterns are ignored."""
    # rfc9051#6.3.9, rfc5258#3
    assert listed(client, 'LIST "" ("foo2" "foo%" "" "*/bar1")') == ["foo2", "foo2/bar1"]
    assert listed(client, 'LIST () "" ""') == []


def test_children(client: ImapClient) -> None:
    """Every answer says whether there are children. # rfc9051#6.3.9.5, rfc3348#3"""
    assert one(client, 'LIST "" foo2 RETURN (CHILDREN)').attributes == {"\\HasChildren"}
    assert one(client, 'LIST "" foo2/bar1').attributes == {"\\HasNoChildren"}


def test_subscribed_selection(client: ImapClient) -> None:
    """Exactly the subscribed names, those that do not exist among them. # rfc9051#6.3.9.1"""
    found = names(client.ok('LIST (SUBSCRIBED) "" "*"'))
    assert [name.name for name in found] == sorted(
        ["foo2/bar1", "foo2/bar2", "baz2/bar2", "baz2/bar22", "eps2", "eps2/mamba", "qux2/bar2"]
    )
    assert all("\\Subscribed" in name.attributes for name in found)
    missing = {name.name for name in found if "\\NonExistent" in name.attributes}
    assert missing == {"qux2/bar2"}
    assert not any(name.extended for name in found)


def test_subscribed_return(client: ImapClient) -> None:
    """RETURN (SUBSCRIBED) marks, but lists only what exists. # rfc9051#6.3.9.2"""
    found = {name.name: name for name in names(client.ok('LIST "" "*2" RETURN (SUBSCRIBED)'))}
    assert "qux2/bar2" not in found
    assert "\\Subscribed" in found["eps2"].attributes
    assert "\\Subscribed" not in found["baz2"].attributes
    plain = {name.name: name for name in names(client.ok('LIST "" "*2"'))}
    assert "\\Subscribed" not in plain["eps2"].attributes


def test_recursive_match(client: ImapClient) -> None:
    """CHILDINFO stands for children that the pattern leaves out; what is redundant is not told."""
    # rfc9051#6.3.9.6, rfc9051#6.3.9.3
    found = {n.name: n for n in names(client.ok('LIST (RECURSIVEMATCH SUBSCRIBED) "" "*2"'))}
    childinfo = '"CHILDINFO" ("SUBSCRIBED")'
    assert {name: entry.extended for name, entry in found.items()} == {
        "foo2": childinfo,
        "foo2/bar2": "",
        "baz2/bar2": "",
        "baz2/bar22": "",
        "eps2": childinfo,
        "qux2/bar2": "",
    }
    assert "\\Subscribed" not in found["foo2"].attributes
    assert "\\Subscribed" in found["eps2"].attributes
    top = {n.name: n for n in names(client.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"'))}
    assert sorted(top) == ["baz2", "eps2", "foo2", "qux2"]
    assert all(name.extended == childinfo for name in top.values())
    assert "\\NonExistent" in top["qux2"].attributes


def test_recursive_match_needs_another(client: ImapClient) -> None:
    """RECURSIVEMATCH alone, or with REMOTE only, is BAD (RFC 9051 section 6.3.9.1)."""
    assert client.cmd('LIST (RECURSIVEMATCH) "" "*"').status == "BAD"
    assert client.cmd('LIST (REMOTE RECURSIVEMATCH) "" "*"').status == "BAD"
    assert client.cmd('LIST (NOSUCH) "" "*"').status == "BAD"


def test_remote_changes_nothing(client: ImapClient) -> None:
    """There are no mailboxes elsewhere; an option given twice counts once. # rfc9051#6.3.9.1"""
    expected = listed(client, 'LIST "" "*"')
    assert listed(client, 'LIST (REMOTE REMOTE) "" "*"') == expected
    assert listed(client, 'LIST () "" "*" RETURN ()') == expected


def test_list_status(client: ImapClient) -> None:
    """STATUS follows the LIST response of each mailbox that is selected and exists."""
    # rfc9051#6.3.9.2, rfc5819#2
    client.append("foo2", simple())
    lines = client.ok('LIST "" ("foo2" "eps2") RETURN (STATUS (MESSAGES UNSEEN SIZE))').lines
    assert [line.split()[1] for line in lines] == [b"LIST", b"STATUS", b"LIST", b"STATUS"]
    assert values(lines[1]) == {"MESSAGES": 0, "UNSEEN": 0, "SIZE": 0}
    assert values(lines[3]) == {"MESSAGES": 1, "UNSEEN": 1, "SIZE": len(simple())}
    response = client.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" "%" RETURN (STATUS (MESSAGES))')
    assert [line.split()[2] for line in response.matching("STATUS")] == [b"eps2"]


def test_list_status_wants_condstore(client: ImapClient) -> None:
    """Asking for HIGHESTMODSEQ tells that the client knows CONDSTORE. # rfc7162#3.1"""
    client.append("foo2", simple())
    client.ok('LIST "" foo2 RETURN (STATUS (HIGHESTMODSEQ))')
    client.ok("SELECT foo2")
    [line] = client.ok("STORE 1 +FLAGS (\\Seen)").matching("FETCH")
    assert b"MODSEQ" in line


def test_list_status_is_one_transaction(
    server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many mailboxes are asked about, the database is asked once."""
    client = server.imap(server.account())
    for number in range(30):
        client.ok(f"CREATE m{number}")
    asked: list[Job] = []
    read = SqliteDatabase.read

    def counting(database: SqliteDatabase, job: Job) -> None:
        asked.append(job)
        read(database, job)

    monkeypatch.setattr(SqliteDatabase, "read", counting)
    response = client.ok('LIST "" "*" RETURN (STATUS (MESSAGES UIDNEXT))')
    assert len(response.matching("* STATUS")) == 36
    assert len(asked) == 1
