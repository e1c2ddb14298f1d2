"""PREVIEW (RFC 8970) through the wire."""

from __future__ import annotations

import sqlite3

from tests.imap.fetched import filled, with_message
from tests.kit.messages import simple
from tests.kit.server import TestServer


def _forget_previews(server: TestServer) -> None:
    """Make all messages ones from before previews were stored."""
    with sqlite3.connect(server.url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE contents SET preview = NULL")
    connection.close()


def test_preview_is_the_beginning_of_the_text(server: TestServer) -> None:
    """A client shows the first words without fetching bodies; \\Seen stays as it is."""
    # rfc8970#3.2, rfc8970#3.3
    client = with_message(server, simple(body='Hello,\r\n"world"\\.\r\n'))
    assert b"PREVIEW" in client.ok("CAPABILITY").lines[0].split()
    expected = [rb'* 1 FETCH (PREVIEW "Hello, \"world\"\\.")']
    assert client.ok("FETCH 1 PREVIEW").lines == expected
    assert client.ok("FETCH 1 (preview (lazy))").lines == expected
    assert client.ok("FETCH 1 PREVIEW (LAZY)").lines == expected
    assert client.ok("FETCH 1 FLAGS").lines == [b"* 1 FETCH (FLAGS ())"]


def test_preview_of_other_letters_is_a_literal(server: TestServer) -> None:
    """Octets above 127 go as a literal, which every client can read."""
    client = with_message(server, simple(body="Grüße\r\n"))
    text = "Grüße".encode()
    assert client.ok("FETCH 1 PREVIEW").lines == [
        b"* 1 FETCH (PREVIEW {%d}\r\n%b)" % (len(text), text)
    ]


def test_message_without_text_has_an_empty_preview(server: TestServer) -> None:
    """Empty says that there is nothing; NIL would say that it may come later. # rfc8970#3.2"""
    client = with_message(server, b"Subject: x\r\nContent-Type: image/png\r\n\r\nxyz")
    assert client.ok("FETCH 1 PREVIEW").lines == [b'* 1 FETCH (PREVIEW "")']


def test_preview_of_old_messages_is_made_when_asked_for(server: TestServer) -> None:
    """Messages from before previews were stored: LAZY says NIL, plain PREVIEW reads the body."""
    # rfc8970#4.1
    client = filled(server, 2)
    _forget_previews(server)
    client.append("INBOX", simple(body="New\r\n"))
    assert client.ok("FETCH 1:3 PREVIEW (LAZY)").lines == [
        b"* 1 FETCH (PREVIEW NIL)",
        b"* 2 FETCH (PREVIEW NIL)",
        b'* 3 FETCH (PREVIEW "New")',
    ]
    lines = client.ok("FETCH 1:3 (UID PREVIEW)").lines
    assert sorted(lines) == [
        b'* 1 FETCH (UID 1 PREVIEW "Hello, world.")',
        b'* 2 FETCH (UID 2 PREVIEW "Hello, world.")',
        b'* 3 FETCH (UID 3 PREVIEW "New")',
    ]


def test_preview_beside_other_items(server: TestServer) -> None:
    """Bodies, headers and FETCH modifiers do not get in the way."""
    client = with_message(server, simple(body="Text\r\n"))
    [line] = client.ok("FETCH 1 (PREVIEW BODY.PEEK[TEXT] RFC822.SIZE)").lines
    assert b'PREVIEW "Text"' in line
    assert b"BODY[TEXT] {6}\r\nText\r\n" in line
    [line] = client.ok("FETCH 1 (BODY.PEEK[HEADER.FIELDS (Subject)] PREVIEW)").lines
    assert line.endswith(b'PREVIEW "Text")')
    [line] = client.ok("FETCH 1 PREVIEW (CHANGEDSINCE 1)").lines
    assert line.startswith(b'* 1 FETCH (PREVIEW "Text" MODSEQ (')
    for wrong in ("PREVIEW (EAGER)", "(PREVIEW ())", "(PREVIEW (LAZY LAZY))"):
        assert client.cmd(f"FETCH 1 {wrong}").status == "BAD"


def test_large_message_has_a_preview(server: TestServer) -> None:
    """A message in a file of the blob store is no exception, stored or made later."""
    client = with_message(server, simple(body="First words. " + "x" * 300_000))
    [line] = client.ok("FETCH 1 PREVIEW").lines
    assert b'PREVIEW "First words. xxx' in line
    _forget_previews(server)
    assert client.ok("FETCH 1 PREVIEW").lines == [line]
