"""SAVEDATE (RFC 8514) and WITHIN (RFC 5032): when messages came."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from folkmoot.protocols.imap.dates import format_date, format_date_time, parse_date_time
from tests.imap.fetched import filled
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

OLD = "17-Jul-1996 02:44:25 -0700"


def _saved(client: ImapClient) -> datetime:
    [line] = client.ok("FETCH 1 (UID SAVEDATE)").matching("SAVEDATE")
    match = re.fullmatch(rb'\* 1 FETCH \(UID \d+ SAVEDATE "([^"]*)"\)', line)
    assert match is not None, line
    return parse_date_time(match[1])


def test_savedate_is_now_however_old_the_message(server: TestServer) -> None:
    """An imported message keeps its INTERNALDATE; SAVEDATE tells when it came here. # rfc8514#3"""
    # rfc8514#4.2
    client = server.imap(server.account(), "INBOX")
    assert b"SAVEDATE" in client.ok("CAPABILITY").lines[0].split()
    client.append("INBOX", simple(), date=OLD)
    age = datetime.now(UTC) - _saved(client)
    assert timedelta(seconds=-2) < age < timedelta(minutes=1)
    client.ok("COPY 1 Archive")
    client.ok("SELECT Archive")
    assert timedelta(seconds=-2) < datetime.now(UTC) - _saved(client) < timedelta(minutes=1)
    [line] = client.ok("FETCH 1 INTERNALDATE").lines
    assert OLD.encode() in line


def test_search_by_savedate(server: TestServer) -> None:
    """The days are those of SAVEDATE, not of INTERNALDATE. # rfc8514#4.3"""
    client = server.imap(server.account(), "INBOX")
    client.append("INBOX", simple(), date=OLD)
    day = _saved(client).date()
    today, tomorrow = (format_date(day + timedelta(days=n)).decode() for n in (0, 1))
    found, nothing = [b"* SEARCH 1"], [b"* SEARCH"]
    assert client.ok(f"SEARCH SAVEDON {today}").lines == found
    assert client.ok(f'SEARCH SAVEDSINCE "{today}"').lines == found
    assert client.ok(f"SEARCH SAVEDBEFORE {tomorrow}").lines == found
    assert client.ok(f"SEARCH SAVEDBEFORE {today}").lines == nothing
    assert client.ok(f"SEARCH SAVEDSINCE {tomorrow}").lines == nothing
    assert client.ok("SEARCH SAVEDON 17-Jul-1996").lines == nothing
    assert client.ok("SEARCH SAVEDATESUPPORTED").lines == found
    assert client.ok("SEARCH SAVEDON 31-Dec-9999").lines == nothing
    assert client.cmd("SEARCH SAVEDON yesterday").status == "BAD"


def test_older_and_younger(server: TestServer) -> None:
    """WITHIN counts seconds from INTERNALDATE to now, whatever the zone. # rfc5032#3"""
    client = server.imap(server.account(), "INBOX")
    assert b"WITHIN" in client.ok("CAPABILITY").lines[0].split()
    now = datetime.now(UTC)
    for hours in (30, 3, 0):
        stamp = format_date_time(now - timedelta(hours=hours)).decode().strip('"')
        client.append("INBOX", simple(), date=stamp)
    assert client.ok("SEARCH YOUNGER 86400").lines == [b"* SEARCH 2 3"]
    assert client.ok("SEARCH OLDER 86400").lines == [b"* SEARCH 1"]
    assert client.ok("SEARCH OLDER 3600 YOUNGER 86400").lines == [b"* SEARCH 2"]
    assert client.ok("SEARCH YOUNGER 4294967295").lines == [b"* SEARCH 1 2 3"]
    for wrong in ("OLDER 0", "YOUNGER -1", "OLDER x", "OLDER 4294967296"):
        assert client.cmd(f"SEARCH {wrong}").status == "BAD"


def test_other_session_sees_the_same_savedate(server: TestServer) -> None:
    """SAVEDATE is of the message, not of the session that looks."""
    client = filled(server, 1)
    first = _saved(client)
    client.ok("STORE 1 +FLAGS (\\Seen)")
    client.ok("EXAMINE INBOX")
    assert _saved(client) == first
