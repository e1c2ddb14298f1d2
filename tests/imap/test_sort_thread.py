"""SORT, SORT=DISPLAY, ESORT and THREAD through the wire."""

from __future__ import annotations

import pytest

from folkmoot.storage.budget import Budget
from tests.kit.databases import Databases
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer


def mail(sender: str, subject: str, date: str, extra: str = "", size: int = 0) -> bytes:
    return (
        f"From: {sender}\r\nTo: {sender}\r\nSubject: {subject}\r\nDate: {date}\r\n{extra}\r\n"
        f"{'x' * size}\r\n"
    ).encode()


MESSAGES = [
    mail("Zoe <b@x.test>", "Re: plan", "Mon, 3 Jan 2022 10:00:00 +0000", "Cc: k@x.test\r\n", 90),
    mail("c@x.test", "apple", "Mon, 3 Jan 2022 09:00:00 -0500", "Cc: i@x.test\r\n", 10),
    mail("=?utf-8?q?=C3=84nne?= <a@x.test>", "[tag] Plan", "nonsense", "Cc: j@x.test\r\n", 20),
]
ARRIVED = ["03-Mar-2022 00:00:00 +0000", "01-Mar-2022 00:00:00 +0000", "01-Jan-2022 00:00:00 +0000"]


@pytest.fixture(scope="module")
def client(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> ImapClient:
    """A session with three messages, each first in something."""
    server = TestServer(databases.fresh("sqlite"), tmp_path_factory.mktemp("sort"))
    client = server.imap(server.account())
    for message, date in zip(MESSAGES, ARRIVED, strict=True):
        client.append("INBOX", message, "", date)
    client.ok("SELECT INBOX")
    return client


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("ARRIVAL", "3 2 1"),
        ("REVERSE ARRIVAL", "1 2 3"),
        ("CC", "2 3 1"),
        ("DATE", "3 1 2"),  # rfc5256#2.2: what has no date sorts by its arrival
        ("FROM", "3 1 2"),
        ("TO", "3 1 2"),
        ("SIZE", "2 3 1"),
        ("SUBJECT", "2 1 3"),
        ("SUBJECT REVERSE FROM", "2 1 3"),
        ("SUBJECT FROM", "2 3 1"),
        ("REVERSE SUBJECT", "1 3 2"),  # what ties stays in the mailbox's order
        ("DISPLAYFROM", "3 2 1"),
        ("REVERSE DISPLAYTO", "1 2 3"),
    ],
)
def test_criteria(client: ImapClient, criteria: str, expected: str) -> None:
    """Each criterion, forwards and backwards, and one after the other. # rfc5256#3, rfc5957#3"""
    assert client.ok(f"SORT ({criteria}) UTF-8 ALL").lines == [f"* SORT {expected}".encode()]


def test_only_what_was_found_is_sorted(client: ImapClient) -> None:
    """Search keys are those of SEARCH, in the charset that is named."""
    assert client.ok('SORT (ARRIVAL) UTF-8 SUBJECT "plan"').lines == [b"* SORT 3 1"]
    assert client.ok("SORT (ARRIVAL) US-ASCII SUBJECT nothing").lines == [b"* SORT"]
    assert client.ok("UID SORT (ARRIVAL) UTF-8 2:3").lines == [b"* SORT 3 2"]
    [line] = client.ok("SORT (ARRIVAL) UTF-8 MODSEQ 1").lines
    assert line.startswith(b"* SORT 3 2 1 (MODSEQ ")


def test_esort(client: ImapClient) -> None:
    """RETURN tells the first and last of the order, and all in their order (RFC 5267)."""
    # rfc5267#3.1
    [line] = client.ok("SORT RETURN (MIN MAX COUNT ALL) (CC) UTF-8 ALL").lines
    assert line.endswith(b" MIN 2 MAX 1 ALL 2:3,1 COUNT 3")
    [line] = client.ok("UID SORT RETURN () (REVERSE CC) UTF-8 ALL").lines
    assert line.endswith(b" UID ALL 1,3,2")
    assert client.ok("SORT RETURN (SAVE) (CC) UTF-8 SUBJECT plan").lines == []
    assert client.ok("SEARCH $").lines == [b"* SEARCH 1 3"]
    assert client.ok("SORT RETURN (SAVE MIN) (CC) UTF-8 ALL").lines
    assert client.ok("SEARCH $").lines == [b"* SEARCH 2"]


@pytest.mark.parametrize(
    "command",
    [
        "SORT (NONSENSE) UTF-8 ALL",
        "SORT () UTF-8 ALL",
        "SORT (REVERSE) UTF-8 ALL",
        "SORT (DATE) ALL",
        "SORT (DATE) UTF-8 99",
        "THREAD NONSENSE UTF-8 ALL",
        "THREAD REFERENCES UTF-8",
    ],
)
def test_refused(client: ImapClient, command: str) -> None:
    """What is no sort or thread is BAD; an unknown charset is named. # rfc5256#5"""
    assert client.cmd(command).status in ("BAD", "NO")
    assert client.cmd("SORT (DATE) x-klingon ALL").code.startswith("BADCHARSET")


def threaded(number: int, subject: str, *references: int) -> bytes:
    extra = f"X-Number: {number}\r\n"
    if references:
        extra += f"References: {' '.join(f'<{one}@x.test>' for one in references)}\r\n"
    date = f"Mon, 3 Jan 2022 10:00:{number:02} +0000"
    return mail("a@x.test", subject, date, f"Message-ID: <{number}@x.test>\r\n{extra}")


def test_threads(server: TestServer) -> None:
    """All three algorithms, by numbers and by UIDs, of all messages and of some."""
    # rfc5256#3, rfc5256#4
    client = server.imap(server.account(), select="INBOX")
    client.append("INBOX", simple("gone"))
    for message in (
        threaded(1, "Trip"),
        threaded(2, "Lunch"),
        threaded(3, "Re: Trip", 1),
        threaded(4, "Re: Lunch", 77),
        threaded(5, "Other", 1, 3),
    ):
        client.append("INBOX", message)
    client.ok("STORE 1 +FLAGS (\\Deleted)")
    client.ok("EXPUNGE")
    assert client.ok("THREAD REFERENCES UTF-8 ALL").lines == [b"* THREAD (1 3 5)(2 4)"]
    assert client.ok("UID THREAD REFERENCES UTF-8 ALL").lines == [b"* THREAD (2 4 6)(3 5)"]
    assert client.ok("THREAD REFS UTF-8 ALL").lines == [b"* THREAD (2)(4)(1 3 5)"]
    assert client.ok("THREAD ORDEREDSUBJECT UTF-8 ALL").lines == [b"* THREAD (1 3)(2 4)(5)"]
    assert client.ok("THREAD REFS UTF-8 3:5").lines == [b"* THREAD (4)(3 5)"]
    assert client.ok("THREAD REFS UTF-8 SUBJECT nothing").lines == [b"* THREAD"]


def test_too_many_at_once_is_refused(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """THREAD of more than there is memory for is NO with a code, and the session goes on."""
    client = server.imap(server.account(), select="INBOX")
    for number in range(3):
        client.append("INBOX", simple(str(number)))
    client.ok("NOOP")
    monkeypatch.setattr(server.store, "held", Budget(2))
    reply = client.cmd("THREAD REFERENCES UTF-8 ALL")
    assert (reply.status, reply.code) == ("NO", "LIMIT")
    assert client.ok("THREAD REFERENCES UTF-8 1:2").lines == [b"* THREAD (1)(2)"]
    assert client.ok("SORT (SUBJECT) UTF-8 ALL").lines == [b"* SORT 1 2 3"]
