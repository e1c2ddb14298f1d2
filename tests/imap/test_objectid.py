"""OBJECTID (RFC 8474): identifiers that stay with mailboxes and messages."""

from __future__ import annotations

import re

import pytest

from tests.imap.fetched import filled
from tests.kit.imap import ImapClient, Response
from tests.kit.messages import simple
from tests.kit.server import TestServer

_ID = re.compile(rb"\((?P<id>[A-Za-z0-9_-]{1,255})\)")


def _mailbox_id(response: Response) -> bytes:
    [line] = response.matching("MAILBOXID")
    match = _ID.search(line[line.index(b"MAILBOXID") :])
    assert match is not None, line
    return match["id"]


def _status_id(client: ImapClient, name: str) -> bytes:
    return _mailbox_id(client.ok(f"STATUS {name} (MAILBOXID)"))


def _email_ids(client: ImapClient, mailbox: str) -> list[bytes]:
    client.ok(f"SELECT {mailbox}")
    found = []
    for line in client.ok("FETCH 1:* EMAILID").matching("EMAILID"):
        match = _ID.search(line[line.index(b"EMAILID") :])
        assert match is not None, line
        found.append(match["id"])
    return found


def test_mailbox_id_is_the_same_everywhere(server: TestServer) -> None:
    """CREATE, SELECT, STATUS and LIST-STATUS name a mailbox alike, for every session."""
    # rfc8474#4.1, rfc8474#4.2, rfc8474#4.3
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    assert b"OBJECTID" in client.ok("CAPABILITY").lines[0].split()
    created = client.ok("CREATE Work/Plans")
    match = _ID.search(created.code.encode())
    assert created.code.startswith("MAILBOXID ")
    assert match is not None
    assert _status_id(other, "Work/Plans") == match["id"]
    assert _mailbox_id(other.ok("SELECT Work/Plans")) == match["id"]
    assert _mailbox_id(client.ok("EXAMINE Work/Plans")) == match["id"]
    listed = client.ok('LIST "" Work/Plans RETURN (STATUS (MESSAGES MAILBOXID))')
    assert _mailbox_id(listed) == match["id"]


def test_mailbox_id_survives_rename_and_is_never_used_again(server: TestServer) -> None:
    """A client finds a renamed mailbox by its id; one made anew under the name has another."""
    # rfc8474#4
    client = server.imap(server.account())
    client.ok("CREATE One")
    before = _status_id(client, "One")
    client.ok("RENAME One Two")
    assert _status_id(client, "Two") == before
    client.ok("CREATE One")
    assert _status_id(client, "One") != before
    client.ok("DELETE Two")
    client.ok("CREATE Two")
    names = ["INBOX", "Sent", "Drafts", "One", "Two"]
    ids = [_status_id(client, name) for name in names]
    assert before not in ids
    assert len(set(ids)) == len(names)


def test_email_id_follows_copies_and_moves(server: TestServer) -> None:
    """Copies have the id of the original, other messages another one. # rfc8474#5.1"""
    client = filled(server, 3)
    ids = _email_ids(client, "INBOX")
    assert len(set(ids)) == 3
    assert all(one[:1].isalpha() for one in ids)
    client.ok("COPY 2 Archive")
    client.ok("MOVE 3 Archive")
    assert _email_ids(client, "Archive") == ids[1:]
    assert _email_ids(client, "INBOX") == ids[:2]


def test_email_id_is_not_reused(server: TestServer) -> None:
    """An id that a destroyed message had never names another message. # rfc8474#5.1"""
    client = filled(server, 1)
    [before] = _email_ids(client, "INBOX")
    client.ok("STORE 1 +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")
    client.append("INBOX", simple("1"))
    assert _email_ids(client, "INBOX") != [before]


def _letter(fields: str) -> bytes:
    return f"From: a@example.test\r\nSubject: x\r\n{fields}\r\nbody\r\n".encode()


def test_thread_id(server: TestServer) -> None:
    """Messages of one conversation have one id, in whatever order and mailbox they come."""
    # rfc8474#5.2
    account = server.account()
    client = server.imap(account, "INBOX")
    for fields in (
        "Message-ID: <2@x>\r\nReferences: <1@x>\r\n",
        "Message-ID: <1@x>\r\n",
        "Message-ID: <3@x>\r\nReferences: <1@x>\r\n <2@x>\r\n",
        "Message-ID: <4@x>\r\nIn-Reply-To: <1@x>\r\n",
        "Message-ID: <5@x>\r\n",
        "",
    ):
        client.append("INBOX", _letter(fields))
    lines = client.ok("FETCH 1:* THREADID").lines
    ids = [line.partition(b"THREADID ")[2].rstrip(b")").lstrip(b"(") for line in lines][:6]
    assert len(set(ids[:4])) == 1
    assert ids[4] not in ids[:4]
    assert ids[5] == b"NIL"
    assert client.ok(f"SEARCH THREADID {ids[0].decode()}").lines == [b"* SEARCH 1 2 3 4"]
    assert client.ok(f"SEARCH NOT THREADID {ids[0].decode()}").lines == [b"* SEARCH 5 6"]
    client.ok("COPY 3 Archive")
    other = server.imap(account, "Archive")
    assert ids[0] in other.ok("FETCH 1 THREADID").lines[0]


@pytest.mark.parametrize("name", ["T1", "M1", "T00000000000000000", "Tzzzzzzzzzzzzzzzz"])
def test_unknown_thread_ids(server: TestServer, name: str) -> None:
    """What is no id of ours names nothing."""
    client = filled(server, 2)
    assert client.ok(f"SEARCH THREADID {name}").lines == [b"* SEARCH"]


def test_search_by_email_id(server: TestServer) -> None:
    """SEARCH finds what FETCH names, and nothing for ids of others. # rfc8474#6"""
    client = filled(server, 3)
    ids = _email_ids(client, "INBOX")
    assert client.ok(b"SEARCH EMAILID " + ids[1]).lines == [b"* SEARCH 2"]
    assert client.ok(b"SEARCH NOT EMAILID " + ids[1]).lines == [b"* SEARCH 1 3"]
    for unknown in ("M999999999", "X1", "M0", "M01", "M" + "9" * 250):
        assert client.ok(f"SEARCH EMAILID {unknown}").lines == [b"* SEARCH"]
    for wrong in ("EMAILID", "EMAILID (M1)", "EMAILID " + "x" * 256):
        assert client.cmd(f"SEARCH {wrong}").status == "BAD"
