"""BINARY, BINARY.PEEK and BINARY.SIZE (RFC 3516): parts without their transfer encoding."""

from __future__ import annotations

import base64
import quopri

import pytest

from tests.imap.fetched import literals, with_message
from tests.kit.messages import simple
from tests.kit.server import TestServer

PICTURE = bytes(range(256)) * 5
SENTENCE = "Grüße — äöü = ok\r\n".encode()


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """A multipart message of (Content-Transfer-Encoding, encoded octets)."""
    pieces = [
        b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: %b\r\n\r\n%b"
        % (encoding.encode(), octets)
        for encoding, octets in parts
    ]
    header = b"Subject: b\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return header + b"\r\n".join(pieces) + b"\r\n--b--\r\n"


MESSAGE = multipart(
    ("base64", base64.encodebytes(PICTURE).replace(b"\n", b"\r\n").rstrip()),
    ("quoted-printable", quopri.encodestring(SENTENCE).replace(b"\n", b"\r\n").rstrip(b"\r\n")),
    ("8bit", b"plain"),
)


def test_capability(server: TestServer) -> None:
    """BINARY is offered once signed in."""
    client = server.imap(server.account())
    assert b" BINARY" in client.ok("CAPABILITY").lines[0]


def test_decoded_parts(server: TestServer) -> None:
    """Parts come decoded; only data with NUL is a literal8. # rfc3516#4.2, rfc3516#4.3"""
    client = with_message(server, MESSAGE)
    line = client.ok("FETCH 1 (BINARY.PEEK[1] BINARY.PEEK[2] BINARY.PEEK[3])").lines[0]
    found = literals(line)
    assert found[b"BINARY[1]"] == PICTURE
    assert found[b"BINARY[2]"].rstrip() == SENTENCE.rstrip()
    assert found[b"BINARY[3]"] == b"plain"
    assert b"BINARY[1] ~{%d}\r\n" % len(PICTURE) in line
    assert b"BINARY[3] {5}\r\n" in line


def test_sizes(server: TestServer) -> None:
    """BINARY.SIZE is the number of octets that BINARY gives; 0 for a part that is not there."""
    # rfc3516#4.2
    client = with_message(server, MESSAGE)
    line = client.ok("FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[3] BINARY.SIZE[] BINARY.SIZE[9])").lines[
        0
    ]
    assert line == (
        b"* 1 FETCH (BINARY.SIZE[1] %d BINARY.SIZE[3] 5 BINARY.SIZE[] %d BINARY.SIZE[9] 0)"
        % (len(PICTURE), len(MESSAGE))
    )


def test_partial(server: TestServer) -> None:
    """A partial counts decoded octets. # rfc3516#4.2"""
    client = with_message(server, MESSAGE)
    line = client.ok("FETCH 1 (BINARY.PEEK[1]<65.3> BINARY.PEEK[1]<99999.3>)").lines[0]
    assert literals(line) == {b"BINARY[1]<65>": b"ABC", b"BINARY[1]<99999>": b""}


def test_whole_message(server: TestServer) -> None:
    """Without a part number the message comes as it is, NUL included."""
    message = simple("Nul", "a\0b\r\n")
    client = with_message(server, message)
    line = client.ok("FETCH 1 BINARY.PEEK[]").lines[0]
    assert b"BINARY[] ~{" in line
    assert literals(line) == {b"BINARY[]": message}


def test_unknown_encoding(server: TestServer) -> None:
    """A part that cannot be decoded is left out, everything else comes, and the reply says why."""
    # rfc3516#4.3
    client = with_message(server, multipart(("x-strange", b"?"), ("7bit", b"fine")))
    response = client.cmd("UID FETCH 1 (BINARY.PEEK[1] BINARY.PEEK[2])")
    assert (response.status, response.code) == ("NO", "UNKNOWN-CTE")
    assert response.lines == [b"* 1 FETCH (UID 1 BINARY[2] {4}\r\nfine)"]
    size = client.cmd("FETCH 1 BINARY.SIZE[1]")
    assert (size.status, size.code, size.lines) == ("NO", "UNKNOWN-CTE", [])


@pytest.mark.parametrize("item", ["BINARY.PEEK[1]", "BINARY.PEEK[1]<1000000.200000>"])
def test_large_part(server: TestServer, item: str) -> None:
    """A part too large to be decoded in memory is measured, then streamed."""
    data = bytes(range(256)) * (8 * 1024)
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    client = with_message(server, multipart(("base64", encoded), ("7bit", b"end")))
    line = client.ok(f"FETCH 1 ({item} BINARY.SIZE[1] BINARY.PEEK[2])").lines[0]
    (label, octets), (_, end) = literals(line).items()
    assert octets == (data[1_000_000:1_200_000] if b"<" in label else data)
    assert end == b"end"
    assert b" BINARY.SIZE[1] %d " % len(data) in line
