"""UIDBATCHES (RFC 10022): batches of equal size, from the newest message to the oldest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.imap.commands.uidbatches import batches
from tests.imap.fetched import fill, filled
from tests.kit.server import TestServer


@given(st.sets(st.integers(1, 300)), st.integers(1, 40))
def test_batches_part_a_mailbox(present: set[int], size: int) -> None:
    """They join without gaps down to 1, and all but the last hold exactly so many messages."""
    # rfc10022#3.1
    uids = sorted(present)
    found = batches(uids, size)
    assert [one[0] for one in found[1:]] == [one[1] - 1 for one in found[:-1]]
    counts = [sum(low <= uid <= high for uid in uids) for high, low in found]
    assert sum(counts) == len(uids)
    assert all(count == size for count in counts[:-1])
    if uids:
        assert (found[0][0], found[-1][1]) == (uids[-1], 1)
        for place, one in enumerate(found, 1):
            assert batches(uids, size, (place, place)) == [one]
    assert batches(uids, size, (len(found) + 1, 0xFFFF_FFFF)) == []


def test_on_the_wire(server: TestServer) -> None:
    """All batches, some of them, none; the tag tells which command is answered."""
    client = filled(server, 1203)
    client.ok("STORE 1,1100:1102 +FLAGS.SILENT (\\Deleted)")
    client.ok("EXPUNGE")
    assert b" UIDBATCHES" in client.ok("CAPABILITY").lines[0]
    tag = client.start("UIDBATCHES 500", tag="ab")
    assert client.finish(tag).lines == [b'* UIDBATCHES (TAG "ab") 1203:701,700:201,200:1']
    assert client.ok("UIDBATCHES 500 2:2").lines[0].endswith(b") 700:201")
    assert client.ok("UIDBATCHES 500 3:9").lines[0].endswith(b") 200:1")
    assert client.ok("UIDBATCHES 4294967295").lines[0].endswith(b") 1203:1")
    tag = client.start("UIDBATCHES 500 4:4")
    assert client.finish(tag).lines == [b'* UIDBATCHES (TAG "%b")' % tag.encode()]
    assert len(client.ok("UID SEARCH UID 700:201").lines[0].split()) == 2 + 500


def test_empty_mailbox(server: TestServer) -> None:
    """No ranges in an empty mailbox."""
    client = server.imap(server.account(), "INBOX")
    assert client.ok("UIDBATCHES 1000").lines[0].endswith(b'")')


def test_with_uidonly(server: TestServer) -> None:
    """It is there for those who have no message numbers, and leaves the saved result alone."""
    client = server.imap(server.account())
    fill(client, 3)
    client.ok("ENABLE UIDONLY")
    client.ok("SELECT INBOX")
    client.ok("UID SEARCH RETURN (SAVE) UID 2")
    assert client.ok("UIDBATCHES 500").lines[0].endswith(b") 3:1")
    assert len(client.ok("UID FETCH $ (FLAGS)").lines) == 1


@pytest.mark.parametrize(
    ("command", "status", "code"),
    [("UIDBATCHES 499", "NO", "TOOFEW"), ("UIDBATCHES 500 6:5", "BAD", "CLIENTBUG"),
     ("UIDBATCHES", "BAD", ""), ("UIDBATCHES x", "BAD", ""), ("UIDBATCHES 0", "BAD", ""),
     ("UIDBATCHES 500 2", "BAD", ""), ("UIDBATCHES 500 0:2", "BAD", ""),
     ("UIDBATCHES 500 1:", "BAD", ""), ("UIDBATCHES 500 1:2 x", "BAD", "")],
)  # fmt: skip
def test_refused(server: TestServer, command: str, status: str, code: str) -> None:
    """What cannot be done says why."""
    response = server.imap(server.account(), "INBOX").cmd(command)
    assert (response.status, response.code) == (status, code)


def test_only_where_a_mailbox_is_selected(server: TestServer) -> None:
    """Without one there is nothing to part."""
    assert server.imap(server.account()).cmd("UIDBATCHES 500").status == "BAD"
