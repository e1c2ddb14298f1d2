"""SEARCH: every key against messages whose answer is known."""

from __future__ import annotations

import pytest

from tests.kit.databases import Databases
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

HTML = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <juergen@example.test>\r\nTo: carol@example.test\r\n"
    b"Cc: dave@example.test\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n"
    b"Date: Fri, 15 Mar 2024 12:00:00 +0100\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"<html><body><p>Der <b>Fr=FChling</b> kommt</p></body></html>\r\n"
)


@pytest.fixture(scope="module")
def client(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> ImapClient:
    """A session with four messages of known content open."""
    server = TestServer(databases.fresh("sqlite"), tmp_path_factory.mktemp("search"))
    account = server.account()
    client = server.imap(account)
    client.append(
        "INBOX", simple("First", "needle here\r\n"), "\\Seen", "01-Jan-2024 10:00:00 +0000"
    )
    client.append(
        "INBOX", simple("Second", "x" * 5000), "\\Flagged $Work", "01-Feb-2024 23:30:00 -0500"
    )
    client.append("INBOX", HTML, "", "15-Mar-2024 12:00:00 +0100")
    client.append(
        "INBOX",
        simple("Fourth", extra="X-Tag: blue\r\n"),
        "\\Deleted \\Answered",
        "01-Apr-2024 10:00:00 +0000",
    )
    client.ok("SELECT INBOX")
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ALL", "1 2 3 4"),
        ("SEEN", "1"),
        ("UNSEEN", "2 3 4"),
        ("FLAGGED UNSEEN", "2"),
        ("KEYWORD $work", "2"),
        ("UNKEYWORD $Work", "1 3 4"),
        ("NOT DELETED", "1 2 3"),
        ("OR SEEN ANSWERED", "1 4"),
        ("SUBJECT second", "2"),
        ('SUBJECT "Grüße"', "3"),
        ('FROM "jürgen"', "3"),
        ("CC dave", "3"),
        ("TO bob", "1 2 4"),
        ("HEADER X-Tag BLUE", "4"),
        ('HEADER X-Tag ""', "4"),
        ("BODY needle", "1"),
        ('BODY "Frühling"', "3"),
        ("BODY body", ""),
        ("TEXT needle", "1"),
        ("TEXT First", "1"),
        ("LARGER 4000", "2"),
        ("SMALLER 4000", "1 3 4"),
        ("SINCE 1-Feb-2024 BEFORE 1-Apr-2024", "2 3"),
        ("ON 1-Feb-2024", "2"),
        ("SENTON 15-Mar-2024", "3"),
        ("SENTBEFORE 2-Jan-2024", "1 2 4"),
        ("2:3", "2 3"),
        ("UID 1,4", "1 4"),
        ("NOT 1", "2 3 4"),
        ("(OR (SEEN SUBJECT first) (DELETED ANSWERED)) NOT KEYWORD x", "1 4"),
        ("NEW", ""),
        ("OLD", "1 2 3 4"),
    ],
)
def test_search_key(client: ImapClient, query: str, expected: str) -> None:
    """Each key finds exactly the messages that it describes. # rfc9051#6.4.4"""
    [line] = client.ok(f"SEARCH CHARSET UTF-8 {query}").matching("SEARCH")
    assert line.decode() == f"* SEARCH {expected}".strip()


def test_esearch_results(client: ImapClient) -> None:
    """RETURN gives one ESEARCH answer with what was asked (RFC 4731). # rfc4731#3.1"""
    # rfc9051#7.3.4
    response = client.ok("SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN")
    [line] = response.matching("ESEARCH")
    assert line.endswith(b"MIN 2 MAX 4 ALL 2:4 COUNT 3")
    [line] = client.ok("UID SEARCH RETURN (MIN) SUBJECT nothing").matching("ESEARCH")
    assert line.endswith(b" UID")


def test_saved_result(client: ImapClient) -> None:
    """$ stands for the last saved result in later commands (RFC 5182). # rfc5182#2.1"""
    assert client.ok("SEARCH RETURN (SAVE) UNSEEN").lines == []
    assert len(client.ok("FETCH $ UID").lines) == 3
    assert client.ok("SEARCH $ DELETED").matching("SEARCH 4")


def test_modseq(client: ImapClient) -> None:
    """MODSEQ as a key adds the highest modseq to the answer (RFC 7162 section 3.1.5)."""
    [line] = client.ok("SEARCH MODSEQ 1").matching("SEARCH")
    assert b"(MODSEQ " in line


def test_modseq_of_min_and_max(client: ImapClient) -> None:
    """With MIN and MAX alone, MODSEQ is theirs and not that of what is left out."""
    # rfc7162#3.1.10
    for number in (1, 4, 2):  # 2 has the highest now
        client.ok(f"STORE {number} +FLAGS ($Mark{number})")

    def told(options: str) -> int:
        [line] = client.ok(f"SEARCH RETURN ({options}) MODSEQ 1").matching("ESEARCH")
        return int(line.rsplit(b" ", 1)[1])

    assert told("MIN") < told("MAX") < told("COUNT")
    assert told("MIN MAX") == told("MAX")
    assert told("ALL") == told("MIN COUNT") == told("COUNT")


def test_bad_searches(client: ImapClient) -> None:
    """Unknown charsets and keys, and numbers that do not exist, are refused clearly."""
    assert client.cmd("SEARCH CHARSET x-klingon SUBJECT a").code.startswith("BADCHARSET")
    assert client.cmd("SEARCH NONSENSE").status == "BAD"
    assert client.cmd("SEARCH 99").status == "BAD"


def test_rev2_always_answers_esearch(client: ImapClient) -> None:
    """After ENABLE IMAP4rev2, SEARCH without RETURN answers ESEARCH too. # rfc9051#6.4.4"""
    client.ok("ENABLE IMAP4rev2")
    assert client.ok("SEARCH SEEN").matching("ESEARCH (TAG ")


@pytest.mark.parametrize("query", ["Zürich", "ZU\u0308RICH", "straße", "STRASSE"])
def test_letters_are_found_however_they_are_composed(server: TestServer, query: str) -> None:
    """In header fields and bodies, sent and asked for in either way. # rfc5255#4.2"""
    client = server.imap(server.account(), select="INBOX")
    assert b"I18NLEVEL=1" in client.ok("CAPABILITY").lines[0].split()
    for text in ("Zürich, Straße", "Zu\u0308rich, STRASSE"):
        for subject, body in ((text, ""), ("", text)):
            head = f"Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
            client.append("INBOX", f"{head}{body}\r\n".encode())
    asked = query.encode()
    literal = b"{%d+}\r\n%b" % (len(asked), asked)
    assert client.ok(b"SEARCH CHARSET UTF-8 SUBJECT " + literal).lines == [b"* SEARCH 1 3"]
    assert client.ok(b"SEARCH CHARSET UTF-8 BODY " + literal).lines == [b"* SEARCH 2 4"]
