"""CATENATE (RFC 4469): new messages made of parts of others, without sending them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from folkmoot.protocols.imap.imap_urls import parse_url
from folkmoot.protocols.imap.session import ImapLimits
from tests.imap.fetched import literals
from tests.kit.databases import Databases
from tests.kit.imap import ImapClient
from tests.kit.messages import simple
from tests.kit.server import TestServer

MESSAGE = (
    b"From: alice@example.test\r\nSubject: Original\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nFirst part\r\n"
    b"--b\r\nContent-Type: application/x\r\nX: y\r\n\r\nSecond part\r\n--b--\r\n"
)


def _text(octets: bytes) -> bytes:
    return b"TEXT {%d+}\r\n%b" % (len(octets), octets)


def _url(url: str) -> bytes:
    return b'URL "%b"' % url.encode()


def _catenate(*parts: bytes, mailbox: str = "INBOX", more: bytes = b"") -> bytes:
    return b"APPEND %b %bCATENATE (%b)" % (mailbox.encode(), more, b" ".join(parts))


def _stored(client: ImapClient, mailbox: str) -> list[bytes]:
    client.ok(f"EXAMINE {mailbox}")
    lines = client.ok("FETCH 1:* BODY.PEEK[]").matching("FETCH")
    return [literals(line)[b"BODY[]"] for line in lines]


@pytest.fixture
def client(server: TestServer) -> ImapClient:
    """A session with one message of several parts in INBOX, which is selected."""
    client = server.imap(server.account())
    client.append("INBOX", MESSAGE)
    client.ok("SELECT INBOX")
    return client


def test_text_and_parts(client: ImapClient) -> None:
    """Header of its own, a part of the old message, an end: as a client forwards. # rfc4469#3"""
    assert b"CATENATE" in client.ok("CAPABILITY").lines[0].split()
    response = client.ok(
        _catenate(
            _text(b"Subject: New\r\n\r\n"),
            _url("/INBOX/;UID=1/;SECTION=2"),
            _text(b"\r\nend\r\n"),
            mailbox="Drafts",
            more=b'(\\Draft) "17-Jul-1996 02:44:25 -0700" ',
        )
    )
    assert response.code.startswith("APPENDUID ")
    assert _stored(client, "Drafts") == [b"Subject: New\r\n\r\nSecond part\r\nend\r\n"]
    [line] = client.ok("FETCH 1 (FLAGS INTERNALDATE)").lines
    assert b"\\Draft" in line
    assert b"17-Jul-1996" in line


@pytest.mark.parametrize(
    ("url", "octets"),
    [
        ("/INBOX;UIDVALIDITY={v}/;UID=1", MESSAGE),
        ("/inbox/;uid=1/;section=HEADER", MESSAGE[: MESSAGE.index(b"\r\n\r\n") + 4]),
        ("/INBOX/;UID=1/;SECTION=TEXT", MESSAGE[MESSAGE.index(b"\r\n\r\n") + 4 :]),
        ("/;UID=1/;SECTION=1", b"First part"),
        (";UID=1/;SECTION=2.MIME", b"Content-Type: application/x\r\nX: y\r\n\r\n"),
        (";UID=1/;SECTION=2/;PARTIAL=7", b"part"),
        (";UID=1/;SECTION=2;PARTIAL=0.6", b"Second"),
        (";UID=1/;PARTIAL=0.5", b"From:"),
        (
            "/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)",
            b"Subject: Original\r\n\r\n",
        ),
    ],
)
def test_urls(client: ImapClient, url: str, octets: bytes) -> None:
    """Whole messages, sections and parts of them, by mailbox or relative to the selected one."""
    # rfc4469#3, rfc5092#7
    [line] = client.ok("STATUS INBOX (UIDVALIDITY)").lines
    validity = line.split()[-1].strip(b")").decode()
    client.ok(_catenate(_text(b"A: b\r\n\r\n"), _url(url.format(v=validity)), mailbox="Drafts"))
    assert _stored(client, "Drafts") == [b"A: b\r\n\r\n" + octets]


@pytest.mark.parametrize(
    "url",
    [
        "/INBOX/;UID=2",
        "/INBOX;UIDVALIDITY=1/;UID=1",
        "/Nowhere/;UID=1",
        "/INBOX/;UID=1/;SECTION=3",
        "/INBOX/;UID=1/;SECTION=1.HEADER",
        "/INBOX/;UID=1/;SECTION=NONSENSE",
        "/INBOX/;UID=1/;SECTION=",
        "/INBOX/;UID=0",
        "/INBOX",
        "/INBOX/;UID=%31",
        "/IN%BOX/;UID=1",
        "/%FF/;UID=1",
        "//other.example/INBOX/;UID=1",
        "imap://other.example/INBOX/;UID=1",
        "http://127.0.0.1/",
        "",
        "x]y",
    ],
)
def test_bad_urls(client: ImapClient, url: str) -> None:
    """NO [BADURL …] names the URL; nothing is stored and nothing is fetched from elsewhere."""
    # rfc4469#4.1
    response = client.cmd(_catenate(_text(b"A: b\r\n\r\n"), _url(url), mailbox="Drafts"))
    assert response.status == "NO"
    assert response.text.startswith("[BADURL ")
    assert client.ok("STATUS Drafts (MESSAGES UIDNEXT)").matching("MESSAGES 0 UIDNEXT 1")


def test_url_of_another_account(server: TestServer, client: ImapClient) -> None:
    """Nobody reads what belongs to others by naming it. # rfc4469#4.1"""
    stranger = server.imap(server.account())
    response = stranger.cmd(_catenate(_url("/INBOX/;UID=1")))
    assert response.text.startswith("[BADURL ")
    response = stranger.cmd(_catenate(_url(";UID=1")))
    assert response.text.startswith("[BADURL "), "nothing is selected"


def test_names_are_percent_encoded_utf8(client: ImapClient) -> None:
    """Any mailbox can be named, with slashes and other letters."""
    client.ok('CREATE "Work/Entw&APw-rfe; 50"')
    client.ok('COPY 1 "Work/Entw&APw-rfe; 50"')
    client.ok(_catenate(_url("/Work/Entw%C3%BCrfe%3B%2050/;UID=1/;SECTION=1"), mailbox="Drafts"))
    assert _stored(client, "Drafts") == [b"First part"]


def test_multiappend_of_both_kinds(client: ImapClient) -> None:
    """Catenated and plain messages in one command: all or none (RFC 3502)."""
    one = b"CATENATE (%b)" % _url(";UID=1/;SECTION=1")
    two = b"{%d+}\r\n%b" % (len(MESSAGE), MESSAGE)
    response = client.ok(b"APPEND Drafts %b (\\Seen) %b" % (one, two))
    assert response.code.endswith(" 1:2")
    assert _stored(client, "Drafts") == [b"First part", MESSAGE]
    bad = b"CATENATE (%b)" % _url(";UID=9")
    assert client.cmd(b"APPEND Drafts %b %b" % (two, bad)).status == "NO"
    assert client.ok("STATUS Drafts (MESSAGES)").matching("MESSAGES 2")


def test_replace_with_catenate(client: ImapClient) -> None:
    """A draft gets a new text and keeps its large attachment (RFC 8508 section 4.2)."""
    client.ok(
        b"REPLACE 1 INBOX CATENATE (%b %b)" % (_text(b"A: b\r\n\r\n"), _url(";UID=1/;SECTION=2"))
    )
    assert _stored(client, "INBOX") == [b"A: b\r\n\r\nSecond part"]


def test_utf8_part(client: ImapClient) -> None:
    """RFC 6855 section 4 has a part in UTF-8 too."""
    header = "Subject: Grüße\r\n\r\n".encode()
    client.ok(_catenate(b"UTF8 (~{%d+}\r\n%b)" % (len(header), header), mailbox="Drafts"))
    assert _stored(client, "Drafts") == [header]


def test_url_as_a_literal(client: ImapClient) -> None:
    """A URL in a literal is a string, not message data; with and without waiting."""
    url = b";UID=1/;SECTION=1"
    literal = b"{%d+}\r\n%b" % (len(url), url)
    client.ok(_catenate(b"URL " + literal, _text(b"!"), b"url " + literal, mailbox="Drafts"))
    assert _stored(client, "Drafts") == [b"First part!First part"]
    client.ok("CREATE URL")
    client.ok(b"APPEND URL {%d+}\r\n%b" % (len(MESSAGE), MESSAGE))
    assert _stored(client, "URL") == [MESSAGE]


def test_missing_target(client: ImapClient) -> None:
    """TRYCREATE is of the target only. # rfc4469#3"""
    response = client.cmd(_catenate(_url(";UID=1"), mailbox="Nowhere"))
    assert (response.status, response.code) == ("NO", "TRYCREATE")


def test_syntax(client: ImapClient) -> None:
    """What is no list of parts is BAD, and the session goes on. # rfc4469#5"""
    for wrong in (
        b"()",
        b"(TEXT)",
        b"(FILE x)",
        b"(URL)",
        b"TEXT x",
        b"(" + b"URL x " * 101 + b")",
    ):
        assert client.cmd(b"APPEND Drafts CATENATE " + wrong).status == "BAD", wrong
    client.ok("NOOP")


def test_large_parts(client: ImapClient, server: TestServer) -> None:
    """Parts in files and spooled texts become one message; nothing is left behind."""
    large = simple("large", body="0123456789abcdef\r\n" * 60_000)
    client.append("INBOX", large)
    text = b"Subject: x\r\n\r\n" + b"abcdefgh\r\n" * 60_000
    client.ok(
        _catenate(_text(text), _url(";UID=2"), _url(";UID=2/;SECTION=TEXT"), mailbox="Drafts")
    )
    body = large[large.index(b"\r\n\r\n") + 4 :]
    assert _stored(client, "Drafts") == [text + large + body]
    assert not list((server.folder / "blobs" / "incoming").iterdir())


def test_too_big_together(databases: Databases, tmp_path: Path) -> None:
    """Small parts cannot add up to more than a message may have. # rfc4469#4.2"""
    server = TestServer(databases.fresh("sqlite"), tmp_path, ImapLimits(append=400_000))
    try:
        client = server.imap(server.account())
        client.append("INBOX", simple(body="x" * 150_000))
        client.ok("SELECT INBOX")
        response = client.cmd(_catenate(*[_url(";UID=1")] * 3))
        assert (response.status, response.code) == ("NO", "TOOBIG")
        client.ok(_catenate(*[_url(";UID=1")] * 2))
        assert not list((server.folder / "blobs" / "incoming").iterdir())
    finally:
        server.stop()


@pytest.mark.parametrize(
    "url", [b"/" * 5000 + b";UID=1", b"/a" + b";UID=" * 1000, b"/" + b"%4" * 4000]
)
def test_hostile_urls_are_refused_at_once(url: bytes) -> None:
    """Long URLs cost one pass."""
    with pytest.raises(ValueError, match="URL"):
        parse_url(url)
