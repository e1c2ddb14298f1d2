"""FETCH of a message's octets: sections, partials, large files, \\Seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imap.fetched import fill, literals, modseq, with_message
from tests.kit.messages import simple
from tests.kit.server import TestServer

INNER = (
    b"From: inner@example.test\r\nSubject: Inner\r\nContent-Type: multipart/mixed; boundary=in\r\n"
    b"\r\n--in\r\n\r\ninner text\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>\r\n--in--\r\n"
)
NESTED = (
    b"From: outer@example.test\r\nSubject: Outer\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=out\r\n\r\npreamble\r\n--out\r\n"
    b"Content-Type: text/plain\r\nX-Part: 1\r\n\r\nouter text\r\n--out\r\n"
    b"Content-Type: message/rfc822\r\n\r\n" + INNER + b"\r\n--out--\r\n"
)
LARGE = 300 * 1024  # octets from which on a body lies in a file


def large(size: int) -> bytes:
    """A message of lines that tell their place, longer than what is kept in the database."""
    lines = b"".join(b"line %08d\r\n" % number for number in range(size // 15))
    return simple("Large", "") + lines


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("", NESTED),
        ("TEXT", NESTED.partition(b"\r\n\r\n")[2]),
        ("HEADER", NESTED.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"),
        ("1", b"outer text"),
        ("1.MIME", b"Content-Type: text/plain\r\nX-Part: 1\r\n\r\n"),
        ("2", INNER),
        ("2.HEADER", INNER.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"),
        ("2.TEXT", INNER.partition(b"\r\n\r\n")[2]),
        ("2.1", b"inner text"),
        ("2.2.MIME", b"Content-Type: text/html\r\n\r\n"),
        ("2.HEADER.FIELDS (SUBJECT)", b"Subject: Inner\r\n\r\n"),
    ],
)
def test_sections(server: TestServer, section: str, expected: bytes) -> None:
    """Each section is cut out octet for octet. # rfc9051#6.4.5.1"""
    client = with_message(server, NESTED)
    line = client.ok(f"UID FETCH 1 BODY.PEEK[{section}]").lines[0]
    assert literals(line) == {f"BODY[{section}]".encode(): expected}


def test_sections_that_do_not_exist(server: TestServer) -> None:
    """A section that is not there is NIL."""
    client = with_message(server, NESTED)
    line = client.ok("FETCH 1 (BODY.PEEK[3] BODY.PEEK[1.HEADER] BINARY.PEEK[7])").lines[0]
    assert line == b"* 1 FETCH (BODY[3] NIL BODY[1.HEADER] NIL BINARY[7] NIL)"


def test_several_items_of_one_message(server: TestServer) -> None:
    """Items from the row and from the octets stand in one response, more of them than are made
    in memory too."""
    client = with_message(server, NESTED)
    items = "BODY.PEEK[1] BODY.PEEK[2.1] BODY.PEEK[1]<6.4> BODY.PEEK[1]<0.5> BODY.PEEK[2.1]<99.1>"
    line = client.ok(f"FETCH 1 ({items} RFC822.SIZE)").lines[0]
    assert line.startswith(b"* 1 FETCH (RFC822.SIZE %d BODY[1] {10}" % len(NESTED))
    assert literals(line) == {
        b"BODY[1]": b"outer text",
        b"BODY[2.1]": b"inner text",
        b"BODY[1]<6>": b"text",
        b"BODY[1]<0>": b"outer",
        b"BODY[2.1]<99>": b"",
    }


def test_rfc822_items(server: TestServer) -> None:
    """The items of IMAP4rev1 are answered under their own names. # rfc3501#6.4.5"""
    client = with_message(server, NESTED)
    found = literals(client.ok("FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT)").lines[0])
    header, _, text = NESTED.partition(b"\r\n\r\n")
    assert found[b"RFC822"] == NESTED
    assert found[b"RFC822.HEADER"] == header + b"\r\n\r\n"
    assert found[b"RFC822.TEXT"] == text


def test_nul_octets_keep_sizes(server: TestServer) -> None:
    """A literal cannot hold NUL: 0x80 stands in its place, so that sizes and offsets stay true."""
    # rfc9051#4.3.1
    message = simple("Nul", "a\0b\r\n")
    client = with_message(server, message)
    line = client.ok("FETCH 1 (RFC822.SIZE BODY.PEEK[] BODY.PEEK[TEXT]<1.1>)").lines[0]
    assert b"RFC822.SIZE %d " % len(message) in line
    assert literals(line) == {
        b"BODY[]": message.replace(b"\0", b"\x80"),
        b"BODY[TEXT]<1>": b"\x80",
    }


@pytest.mark.parametrize("item", ["BODY[]", "BODY[HEADER]", "RFC822", "RFC822.TEXT", "BINARY[1]"])
def test_reading_sets_seen(server: TestServer, item: str) -> None:
    """Reading sets \\Seen once and says so in the same response; other sessions hear of it."""
    # rfc9051#6.4.5
    account = server.account()
    client, other = server.imap(account), server.imap(account)
    client.append("INBOX", simple(), "$x")
    client.ok("SELECT INBOX")
    other.ok("SELECT INBOX")
    response = client.ok(f"FETCH 1 {item}")
    assert len(response.lines) == 1
    assert b"FLAGS (\\Seen $x)" in response.lines[0]
    assert b"FLAGS" not in client.ok(f"FETCH 1 {item}").lines[0]
    assert other.ok("NOOP").lines == [b"* 1 FETCH (UID 1 FLAGS (\\Seen $x))"]


@pytest.mark.parametrize(
    "item", ["BODY.PEEK[]", "RFC822.HEADER", "BINARY.PEEK[1]", "BINARY.SIZE[1]", "ENVELOPE"]
)
def test_peeking_does_not_set_seen(server: TestServer, item: str) -> None:
    """PEEK and items that are no body leave \\Seen as it is. # rfc9051#6.4.5"""
    client = with_message(server, simple())
    client.ok(f"FETCH 1 {item}")
    assert client.ok("FETCH 1 FLAGS").lines == [b"* 1 FETCH (FLAGS ())"]


def test_examine_does_not_set_seen(server: TestServer) -> None:
    """A mailbox that is open for reading only stays as it is. # rfc9051#6.3.3"""
    client = with_message(server, simple())
    client.ok("EXAMINE INBOX")
    assert b"FLAGS" not in client.ok("FETCH 1 BODY[]").lines[0]
    assert client.ok("FETCH 1 FLAGS").lines == [b"* 1 FETCH (FLAGS ())"]


def test_seen_of_many_is_one_change(server: TestServer) -> None:
    """One FETCH of several messages is one change of the mailbox, whatever was seen before."""
    client = server.imap(server.account())
    for flags in ("", "\\Seen", ""):
        client.append("INBOX", simple(), flags)
    client.ok("SELECT INBOX (CONDSTORE)")
    lines = client.ok("FETCH 1:3 BODY[TEXT]").lines
    assert modseq(lines[0]) == modseq(lines[2]) > modseq(lines[1])


def test_large_message(server: TestServer) -> None:
    """A body in a file comes octet for octet, whole and in partials across the pieces."""
    message = large(LARGE * 3)
    client = with_message(server, message)
    assert literals(client.ok("FETCH 1 BODY.PEEK[]").lines[0])[b"BODY[]"] == message
    line = client.ok("FETCH 1 (UID BODY.PEEK[]<262100.300> BODY.PEEK[TEXT]<0.12>)").lines[0]
    assert line.startswith(b"* 1 FETCH (UID 1 BODY[]<262100> {300}")
    found = literals(line)
    assert found[b"BODY[]<262100>"] == message[262100:262400]
    assert found[b"BODY[TEXT]<0>"] == message.partition(b"\r\n\r\n")[2][:12]
    line = client.ok("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]").lines[0]
    assert b"Subject: Large" in line


@pytest.mark.parametrize("count", [3_000, 40_000])
def test_header_longer_than_what_is_stored(server: TestServer, count: int) -> None:
    """Fields behind the stored part of a long header are found in the octets."""
    extra = "".join(f"X-{number}: value\r\n" for number in range(count))
    message = simple("Long", extra=extra)
    client = with_message(server, message)
    client.append("INBOX", simple("Short"))
    client.ok("NOOP")
    name = f"X-{count - 1}"
    lines = client.ok(f"FETCH 1:2 BODY.PEEK[HEADER.FIELDS ({name})]").lines
    assert sorted(line[:9] for line in lines) == [b"* 1 FETCH", b"* 2 FETCH"]
    long = next(line for line in lines if line.startswith(b"* 1"))
    assert literals(long) == {
        f"BODY[HEADER.FIELDS ({name})]".encode(): f"{name}: value\r\n\r\n".encode()
    }
    header = message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert literals(client.ok("FETCH 1 BODY.PEEK[HEADER]").lines[0])[b"BODY[HEADER]"] == header


def blob_files(server: TestServer) -> list[Path]:
    """The files of large bodies."""
    return [path for path in (server.folder / "blobs").rglob("*.*") if path.is_file()]


def test_file_that_is_gone(server: TestServer) -> None:
    """A body that was expunged and swept a moment ago is left out."""
    client = with_message(server, large(LARGE))
    client.append("INBOX", simple())
    client.ok("NOOP")
    (path,) = blob_files(server)
    octets = path.read_bytes()
    path.unlink()
    try:
        lines = client.ok("FETCH 1:2 BODY.PEEK[]").lines
        assert [line[:9] for line in lines] == [b"* 2 FETCH"]
        assert client.cmd("FETCH 1 BODY.PEEK[]").code == "EXPUNGEISSUED"
    finally:
        path.write_bytes(octets)


def test_damaged_file_ends_the_connection(server: TestServer) -> None:
    """When promised octets are missing nothing can follow: the connection ends, others live on."""
    client = with_message(server, large(LARGE * 3))
    (path,) = blob_files(server)
    octets = path.read_bytes()
    path.write_bytes(octets[: LARGE * 2])
    try:
        client.start("FETCH 1 BODY.PEEK[]")
        assert client.at_end()
    finally:
        path.write_bytes(octets)


def test_batches_of_bodies(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies that do not fit one batch are all sent, each once."""
    monkeypatch.setattr("folkmoot.protocols.imap.fetch_send.BODIES_BUDGET", 1000)
    client = server.imap(server.account())
    messages = fill(client, 230)
    client.ok("SELECT INBOX")
    lines = client.ok("FETCH 1:* BODY.PEEK[]").lines
    assert [literals(line)[b"BODY[]"] for line in lines] == messages


@pytest.mark.slow
def test_answer_of_a_gigabyte(server: TestServer) -> None:
    """An answer much larger than memory may grow passes through at the client's pace."""
    import psutil  # type: ignore[import-untyped]

    message = large(50 * 1024 * 1024)
    client = with_message(server, message)
    for _ in range(19):
        client.ok("COPY 1 INBOX")
    client.ok("NOOP")
    process = psutil.Process()
    before = process.memory_info().rss
    tag = client.start("FETCH 1:* BODY.PEEK[]").encode()
    received, peak, tail = 0, before, b""
    while not tail.endswith(b"\r\n" + tag + b" OK FETCH completed\r\n"):
        data = client.socket.recv(1 << 20)
        received += len(data)
        tail = (tail + data)[-100:]
        if received % (16 << 20) < len(data):
            peak = max(peak, process.memory_info().rss)
    assert received > 20 * len(message)
    assert peak - before < 64 * 1024 * 1024
