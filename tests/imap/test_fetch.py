"""FETCH of what is stored beside a message: flags, dates, sizes, envelopes, header fields."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from folkmoot.protocols.imap import fetch_send
from folkmoot.protocols.imap.dates import format_date_time
from folkmoot.protocols.imap.fetch_plan import internal_date
from tests.imap.fetched import fill, filled
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

DATE = " 1-Feb-2024 23:59:58 -0130"


@pytest.fixture
def client(server: TestServer) -> ImapClient:
    """A session with two messages in its selected INBOX."""
    client = server.imap(server.account())
    client.append(
        "INBOX", simple("One", extra="X-Long: first\r\n\tsecond\r\n"), "\\Flagged $a", DATE
    )
    client.append("INBOX", simple("Two"))
    client.ok("SELECT INBOX")
    return client


def test_metadata_items(client: ImapClient) -> None:
    """Each item is printed as it was stored, in the order asked for. # rfc9051#6.4.5"""
    size = len(simple("One", extra="X-Long: first\r\n\tsecond\r\n"))
    line = client.ok("FETCH 1 (UID RFC822.SIZE INTERNALDATE FLAGS MODSEQ)").lines[0]
    assert line == (
        b'* 1 FETCH (UID 1 RFC822.SIZE %d INTERNALDATE "%b" FLAGS (\\Flagged $a) MODSEQ (2))'
        % (size, DATE.encode())
    )


def test_envelope_and_structure(client: ImapClient) -> None:
    """The wire forms made at write time are what FETCH prints. # rfc9051#7.5.2"""
    line = client.ok("FETCH 2 (ENVELOPE BODY BODYSTRUCTURE)").lines[0]
    assert b'ENVELOPE ("Mon, 1 Jan 2024 10:00:00 +0000" "Two" (("Alice" NIL "alice" ' in line
    assert b' BODY ("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 15 1) ' in line
    assert line.endswith(b' BODYSTRUCTURE ("text" "plain" ("charset" "utf-8")'
                         b' NIL NIL "7bit" 15 1 NIL NIL NIL NIL))')  # fmt: skip


@pytest.mark.parametrize(
    ("macro", "words"),
    [
        ("FAST", (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE")),
        ("ALL", (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE")),
        ("FULL", (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODY")),
    ],
)
def test_macros(client: ImapClient, macro: str, words: tuple[bytes, ...]) -> None:
    """A macro stands for its items. # rfc9051#6.4.5"""
    line = client.ok(f"FETCH 1 {macro}").lines[0]
    assert all(b"%b " % word in line for word in words)


def test_uid_fetch_has_uid(client: ImapClient) -> None:
    """UID FETCH always answers with the UID; asking for it as well prints it once."""
    # rfc9051#6.4.9
    assert client.ok("UID FETCH 2 FLAGS").lines == [b"* 2 FETCH (UID 2 FLAGS ())"]
    assert client.ok("UID FETCH 2 (FLAGS UID)").lines == [b"* 2 FETCH (UID 2 FLAGS ())"]


def test_unknown_numbers_and_uids(client: ImapClient) -> None:
    """A number without a message is an error, a UID without one is not. # rfc9051#6.4.9"""
    assert client.cmd("FETCH 3 FLAGS").status == "BAD"
    assert client.cmd("FETCH 1:3 FLAGS").status == "BAD"
    response = client.ok("UID FETCH 2:99,700 FLAGS")
    assert len(response.lines) == 1


def test_empty_mailbox(server: TestServer) -> None:
    """``1:*`` of nothing is nothing."""
    client = server.imap(server.account(), select="INBOX")
    assert client.ok("FETCH 1:* FLAGS").lines == []
    assert client.ok("UID FETCH 1:* (UID FLAGS)").lines == []


def test_header_fields_from_the_stored_header(client: ImapClient) -> None:
    """Fields come octet for octet with their folding, the label as the client wrote it."""
    # rfc9051#6.4.5.1
    line = client.ok('FETCH 1 (BODY.PEEK[HEADER.FIELDS (x-LONG Subject "%None")])').lines[0]
    data = b"Subject: One\r\nX-Long: first\r\n\tsecond\r\n\r\n"
    label = b'BODY[HEADER.FIELDS (x-LONG Subject "%None")]'
    assert line == b"* 1 FETCH (%b {%d}\r\n%b)" % (label, len(data), data)


def test_header_fields_not(client: ImapClient) -> None:
    """The complement leaves out the named fields only. # rfc9051#6.4.5.1"""
    line = client.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (X-Long subject)]").lines[0]
    assert b"From: Alice" in line
    assert b"Content-Type:" in line
    assert b"One" not in line
    assert b"second" not in line


def test_header_partial(client: ImapClient) -> None:
    """A partial of a header counts its octets, and is empty behind its end. # rfc9051#6.4.5"""
    lines = client.ok("FETCH 2 (BODY.PEEK[HEADER]<3.5> BODY.PEEK[HEADER]<90000.5>)").lines
    header = simple("Two")
    assert lines == [
        b"* 2 FETCH (BODY[HEADER]<3> {5}\r\n%b BODY[HEADER]<90000> {0}\r\n)" % header[3:8]
    ]


def test_many_messages(server: TestServer) -> None:
    """An answer that is read in several batches has every message once, with its own number."""
    client = filled(server, 1203)
    client.ok("UID STORE 5,700,1100 +FLAGS.SILENT \\Deleted")
    client.ok("EXPUNGE")
    lines = client.ok("UID FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]").lines
    uids = [uid for uid in range(1, 1204) if uid not in (5, 700, 1100)]
    assert [line.split(b" BODY")[0] for line in lines] == [
        b"* %d FETCH (UID %d" % pair for pair in enumerate(uids, 1)
    ]
    assert all(b"Subject: %d\r\n" % uid in line for uid, line in zip(uids, lines, strict=True))


def test_flags_of_many_messages(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags and keywords stand with their messages, in any order of items, whatever is gone."""
    monkeypatch.setattr(fetch_send, "FLAGS", 40)
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    fill(client, 100)
    for command in (
        "SELECT INBOX",
        "STORE 1:10,15 +FLAGS.SILENT (\\Seen $b $A)",
        "STORE 12 +FLAGS.SILENT (\\Flagged \\Answered)",
        "STORE 1,30:34,99 +FLAGS.SILENT \\Deleted",
        "EXPUNGE",
    ):
        client.ok(command)
    here = [uid for uid in range(1, 101) if uid not in (1, 30, 31, 32, 33, 34, 99)]

    def flags(uid: int) -> bytes:
        if 1 < uid <= 10 or uid == 15:
            return b"(\\Seen $A $b)"
        return b"(\\Answered \\Flagged)" if uid == 12 else b"()"

    all_of_them = [
        b"* %d FETCH (UID %d FLAGS %b)" % (n, uid, flags(uid)) for n, uid in enumerate(here, 1)
    ]
    assert client.ok("UID FETCH 1:* FLAGS").lines == all_of_them
    assert client.ok("UID FETCH 10:60 (FLAGS)").lines == all_of_them[8:54]
    assert client.ok("FETCH 14 (UID FLAGS)").lines == [all_of_them[13]]
    swapped = [
        b"* %d FETCH (FLAGS %b UID %d)" % (n, flags(uid), uid) for n, uid in enumerate(here, 1)
    ]
    assert client.ok("FETCH 1:* (FLAGS UID)").lines == swapped
    plain = [b"* %d FETCH (FLAGS %b)" % (n, flags(uid)) for n, uid in enumerate(here, 1)]
    assert client.ok("FETCH 1:* FLAGS").lines == plain
    # Gone meanwhile, and the client does not know yet.
    other.ok("SELECT INBOX")
    other.ok("UID STORE 5,12,50 +FLAGS.SILENT \\Deleted")
    other.ok("EXPUNGE")
    left = [
        b"* %d FETCH (UID %d FLAGS %b)" % (n, uid, flags(uid))
        for n, uid in enumerate(here, 1)
        if uid not in (5, 12, 50)
    ]
    assert client.ok("FETCH 1:* (UID FLAGS)").lines == left
    assert client.cmd("FETCH 4 (UID FLAGS)").code == "EXPUNGEISSUED"


def test_expunged_by_another_session(server: TestServer) -> None:
    """What is gone is left out and numbers hold until a command that may show EXPUNGE."""
    # rfc2180#4.1.3
    account = server.account()
    one, two = server.imap(account), server.imap(account)
    fill(one, 3)
    one.ok("SELECT INBOX")
    two.ok("SELECT INBOX")
    two.ok("STORE 1:2 +FLAGS.SILENT \\Deleted")
    two.ok("EXPUNGE")
    response = one.ok("FETCH 1:3 UID")
    assert response.lines == [b"* 3 FETCH (UID 3)"]
    gone = one.cmd("FETCH 1:2 (UID BODY.PEEK[])")
    assert (gone.status, gone.code) == ("NO", "EXPUNGEISSUED")
    assert gone.lines == []
    # UID FETCH may show EXPUNGE; the UID itself is no longer an error.
    assert one.ok("UID FETCH 1 FLAGS").lines == [b"* 2 EXPUNGE", b"* 1 EXPUNGE"]


def test_bodystructure_budget(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that would hold too many octets is cut, and nothing is lost by that."""
    monkeypatch.setattr("folkmoot.protocols.imap.fetch_send.ROWS_BUDGET", 1000)
    client = filled(server, 25)
    lines = client.ok("UID FETCH 2:24 ENVELOPE").lines
    assert [line.split(b" ENVELOPE")[0] for line in lines] == [
        b"* %d FETCH (UID %d" % (uid, uid) for uid in range(2, 25)
    ]


def test_saved_search(server: TestServer) -> None:
    """``$`` names what the last search saved (IMAP4rev2), in FETCH and in STORE."""
    # rfc9051#6.4.4.1
    client = filled(server, 3)
    client.ok("ENABLE IMAP4rev2")
    client.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
    client.ok("SEARCH RETURN (SAVE) FLAGGED")
    assert client.ok("FETCH $ UID").lines == [b"* 2 FETCH (UID 2)"]
    assert client.ok("UID STORE $ -FLAGS (\\Flagged)").lines == [b"* 2 FETCH (UID 2 FLAGS ())"]


def test_needs_a_mailbox(server: TestServer) -> None:
    """FETCH outside of the selected state is refused. # rfc9051#3"""
    client = server.imap(server.account())
    assert client.cmd("FETCH 1 FLAGS").status == "BAD"
    assert client.cmd("UID STORE 1 FLAGS ()").status == "BAD"


@pytest.mark.parametrize(
    ("minutes", "zone"), [(0, "+0000"), (-90, "-0130"), (14 * 60, "+1400"), (-719, "-1159")]
)
def test_internal_date_zones(minutes: int, zone: str) -> None:
    """The fast printer of INTERNALDATE agrees with the general one, leap days and eras included."""
    for moment in ("1969-12-31T23:59:59", "2024-02-29T00:00:00", "0001-01-02T03:04:05",
                   "9999-12-30T23:00:59", "2000-12-31T12:34:56"):  # fmt: skip
        when = datetime.fromisoformat(moment).replace(tzinfo=timezone(timedelta(minutes=minutes)))
        printed = internal_date(int(when.timestamp()), minutes)
        assert printed == format_date_time(when)
        assert printed.endswith(zone.encode() + b'"')
