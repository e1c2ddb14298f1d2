"""PARTIAL (RFC 9394): results by position."""

from __future__ import annotations

import pytest

from tests.imap.fetched import fill, filled
from tests.kit.server import TestServer


def test_search_ranges(server: TestServer) -> None:
    """From the beginning, from the end, beyond both; the range is echoed as it was written."""
    # rfc9394#3.1
    client = filled(server, 10)
    client.ok("STORE 5 +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")  # UIDs 1:4,6:10
    for asked, told in (
        ("1:3", "1:3"),
        ("4:5", "4,6"),
        ("5:4", "4,6"),
        ("8:20", "9:10"),
        ("10:20", "NIL"),
        ("-1:-2", "9:10"),
        ("-2:-1", "9:10"),
        ("-9:-30", "1"),
        ("-10:-30", "NIL"),
    ):
        [line] = client.ok(f"UID SEARCH RETURN (PARTIAL {asked}) ALL").lines
        assert line.endswith(f" UID PARTIAL ({asked} {told})".encode()), line
    [line] = client.ok("SEARCH RETURN (COUNT MIN PARTIAL 2:3) UNDELETED").lines
    assert set(line.decode().split(") ", 1)[1].split("PARTIAL")[0].split()) == {
        "MIN", "1", "COUNT", "9",
    }  # fmt: skip
    assert b"PARTIAL (2:3 2:3)" in line


def test_sort(server: TestServer) -> None:
    """Positions are those of the sorted result."""
    client = filled(server, 5)
    [line] = client.ok("UID SORT RETURN (PARTIAL 1:2) (REVERSE SUBJECT) UTF-8 ALL").lines
    assert line.endswith(b"PARTIAL (1:2 5,4)")


def test_saved_results(server: TestServer) -> None:
    """RFC 9394 table 1. # rfc9394#3.2"""
    client = filled(server, 6)
    for options, saved in (
        ("PARTIAL 2:3", "2:3"),
        ("PARTIAL 3:4 MIN", "1,3:4"),
        ("PARTIAL 3:4 MAX", "3:4,6"),
        ("PARTIAL 3:4 MIN MAX", "1,3:4,6"),
        ("PARTIAL 3:4 COUNT", "1:6"),
    ):
        client.ok(f"SEARCH RETURN (SAVE {options}) ALL")
        [line] = client.ok("UID SEARCH RETURN (ALL) $").lines
        assert line.endswith(f"ALL {saved}".encode()), options


def test_fetch(server: TestServer) -> None:
    """UID FETCH of an unknown number of messages, with CHANGEDSINCE in any order."""
    # rfc9394#3.3, rfc9394#3.4
    client = filled(server, 8)
    told = client.ok("UID FETCH 2:* (UID) (PARTIAL -1:-3)").lines
    assert told == [b"* %d FETCH (UID %d)" % (n, n) for n in (6, 7, 8)]
    told = client.ok("UID FETCH 2:* (UID) (PARTIAL 1:2)").lines
    assert told == [b"* %d FETCH (UID %d)" % (n, n) for n in (2, 3)]
    assert client.ok("UID FETCH 2:* (UID) (PARTIAL 20:30)").lines == []
    [line] = client.ok("STATUS INBOX (HIGHESTMODSEQ)").lines
    since = int(line.split()[-1].rstrip(b")"))
    client.ok("STORE 2,7 +FLAGS.SILENT (\\Seen)")
    for modifiers in (f"PARTIAL -1:-3 CHANGEDSINCE {since}", f"CHANGEDSINCE {since} PARTIAL -1:-3"):
        lines = client.ok(f"UID FETCH 1:* (FLAGS) ({modifiers})").lines
        assert [line.split()[1] for line in lines] == [b"7"]


@pytest.mark.parametrize(
    "command",
    [
        "SEARCH RETURN (PARTIAL 0:5) ALL",
        "SEARCH RETURN (PARTIAL 1:-5) ALL",
        "SEARCH RETURN (PARTIAL 1:*) ALL",
        "SEARCH RETURN (PARTIAL 5) ALL",
        "SEARCH RETURN (PARTIAL) ALL",
        "SEARCH RETURN (PARTIAL 1:5 ALL) ALL",
        "SEARCH RETURN (PARTIAL 1:5 PARTIAL 6:9) ALL",
        "SORT RETURN (PARTIAL 1:5 ALL) (DATE) UTF-8 ALL",
        "FETCH 1 (UID) (PARTIAL 1:5)",
        "SEARCH RETURN (PARTIAL 1:99999999999) ALL",
    ],
)
def test_bad_syntax(server: TestServer, command: str) -> None:
    """What the grammar or RFC 9394 section 3.1 forbids."""
    assert filled(server, 1).cmd(command).status == "BAD"


def test_a_page_is_stable_for_others(server: TestServer) -> None:
    """Positions follow what this client knows, not what came meanwhile unseen."""
    account = server.account()
    writer, reader = server.imap(account, "INBOX"), server.imap(account, "INBOX")
    fill(writer, 3)
    assert reader.ok("SEARCH RETURN (PARTIAL -1:-2) ALL").lines[0].endswith(b"(-1:-2 NIL)")
    assert reader.ok("SEARCH RETURN (PARTIAL -1:-2) ALL").lines[0].endswith(b"(-1:-2 2:3)")
