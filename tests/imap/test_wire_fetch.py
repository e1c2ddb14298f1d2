"""Arguments of FETCH."""

from __future__ import annotations

from time import perf_counter

import pytest

from folkmoot.protocols.imap import fetch_items as items
from folkmoot.protocols.imap.cursor import Cursor
from folkmoot.protocols.imap.fetch_items import (
    BinaryPart,
    BinarySize,
    BodySection,
    FetchItem,
    parse_fetch,
)
from folkmoot.protocols.imap.framer import AFTER_LOGIN, Command, Framer
from tests.imap.wire import parse, refused
from tests.kit.pace import patience


def only(item: bytes) -> FetchItem:
    """The one item that is asked for."""
    (found,) = parse(parse_fetch, b"1 " + item).items
    return found


def test_simple_items() -> None:
    """Names in any case, alone or in a list, without repeats."""
    args = parse(parse_fetch, b"1:* (uid FLAGS internaldate Rfc822.Size envelope flags modseq)")
    assert args.items == (
        items.UID, items.FLAGS, items.INTERNALDATE, items.RFC822_SIZE, items.ENVELOPE, items.MODSEQ,
    )  # fmt: skip
    assert bytes(args.sequence) == b"1:*"
    assert args.changed_since is None
    assert not any(item.sets_seen for item in args.items)
    assert parse(parse_fetch, b"1 body").items == (items.BODY,)
    assert parse(parse_fetch, b"1 bodystructure").items == (items.BODYSTRUCTURE,)


def test_macros() -> None:
    """ALL, FAST and FULL stand for what RFC 9051 section 6.4.5 says."""
    fast = (items.FLAGS, items.INTERNALDATE, items.RFC822_SIZE)
    assert parse(parse_fetch, b"1 fast").items == fast
    assert parse(parse_fetch, b"1 ALL").items == (*fast, items.ENVELOPE)
    assert parse(parse_fetch, b"1 Full").items == (*fast, items.ENVELOPE, items.BODY)


@pytest.mark.parametrize(
    ("sent", "path", "text", "label", "seen"),
    [
        (b"BODY[]", (), "ALL", b"BODY[]", True),
        (b"body.peek[]", (), "ALL", b"BODY[]", False),
        (b"BODY[1.2.3]", (1, 2, 3), "ALL", b"BODY[1.2.3]", True),
        (b"BODY[header]", (), "HEADER", b"BODY[HEADER]", True),
        (b"BODY[2.text]", (2,), "TEXT", b"BODY[2.TEXT]", True),
        (b"BODY.PEEK[4.1.MIME]", (4, 1), "MIME", b"BODY[4.1.MIME]", False),
        (b"RFC822", (), "ALL", b"RFC822", True),
        (b"rfc822.header", (), "HEADER", b"RFC822.HEADER", False),
        (b"RFC822.TEXT", (), "TEXT", b"RFC822.TEXT", True),
    ],
)
def test_sections(sent: bytes, path: tuple[int, ...], text: str, label: bytes, seen: bool) -> None:
    """Sections, their response names, and which of them set \\Seen."""
    item = only(sent)
    assert isinstance(item, BodySection)
    assert (item.path, item.text, item.label, item.sets_seen) == (path, text, label, seen)
    assert item.partial is None


def test_header_fields() -> None:
    """The response repeats the names as sent; comparing uses upper case."""
    item = only(b'BODY.PEEK[1.HEADER.FIELDS (From "to"  X-Foo )]<10.20>')
    assert isinstance(item, BodySection)
    assert item.text == "HEADER.FIELDS"
    assert item.fields == (b"FROM", b"TO", b"X-FOO")
    assert item.label == b"BODY[1.HEADER.FIELDS (From to X-Foo)]<10>"
    assert item.partial == (10, 20)
    other = only(b"BODY[HEADER.FIELDS.NOT (Received)]")
    assert isinstance(other, BodySection)
    assert other.text == "HEADER.FIELDS.NOT"


def test_binary() -> None:
    """BINARY, its PEEK form and its SIZE (RFC 3516)."""
    assert only(b"binary[1.2]<0.5>") == BinaryPart((1, 2), (0, 5), False, b"BINARY[1.2]<0>")
    assert only(b"BINARY.PEEK[]") == BinaryPart((), None, True, b"BINARY[]")
    assert only(b"BINARY.SIZE[3]") == BinarySize((3,), b"BINARY.SIZE[3]")


def test_modifiers() -> None:
    """CHANGEDSINCE and VANISHED (RFC 7162). # rfc7162#3.1.4.1, rfc7162#3.2.6"""
    args = parse(parse_fetch, b"1:* (FLAGS) (changedsince 12345 VANISHED)")
    assert args.changed_since == 12345
    assert args.vanished


@pytest.mark.parametrize(
    "sent",
    [b"", b"1", b"1 ", b"1 ()", b"1 FOO", b"1 (FLAGS", b"1 FLAGS)", b"1 BODY[", b"1 BODY[FOO]",
     b"1 BODY[MIME]", b"1 BODY[0]", b"1 BODY[1.0]", b"1 BODY[1.]", b"1 BODY[1 TEXT]",
     b"1 BODY[HEADER.FIELDS]", b"1 BODY[HEADER.FIELDS ()]", b'1 BODY[HEADER.FIELDS ("a b")]',
     b"1 BODY[HEADER.FIELDS ({2+}\r\n\r\n)]", b"1 BODY[]<0>", b"1 BODY[]<0.0>", b"1 BODY[]<-1.2>",
     b"1 BODY[]<1." + b"9" * 19 + b">", b"1 BODY[]<1." + b"9" * 9999 + b">", b"1 BINARY[TEXT]",
     b"1 BINARY.SIZE[1]<0.1>", b"1 BINARY", b"1 FLAGS (FOO)", b"1 FLAGS (VANISHED VANISHED)",
     b"1 FLAGS ()", b"1 FLAGS (CHANGEDSINCE)", b"1 FLAGS (CHANGEDSINCE x)", b"1 FLAGS UID",
     b"1 BODY[" + b".".join([b"1"] * 101) + b"]", b"x FLAGS", b"0 FLAGS", b"1 FLAGS(VANISHED)",
     b"1 (" + b" ".join(b"BODY[%d]" % n for n in range(1, 202)) + b")", b"1 RFC822[1]"],
)  # fmt: skip
def test_refused(sent: bytes) -> None:
    """Everything beside the grammar, and everything over a limit, is BAD."""
    assert refused(parse_fetch, sent).status == "BAD"


def test_an_extension_adds_its_item() -> None:
    """Another module can register an item; a name is taken once."""

    @items.fetch_item("X-TEST")
    def read(cursor: Cursor) -> FetchItem:
        cursor.expect(b"!")
        return items.Attribute(b"X-TEST")

    assert only(b"x-test!").label == b"X-TEST"
    for taken in ("X-TEST", "FLAGS", "FULL"):
        with pytest.raises(ValueError, match="already"):
            items.fetch_item(taken)(read)


def test_a_common_fetch_is_read_in_microseconds() -> None:
    """Framing and parsing the command that clients send most is far below a millisecond."""
    framer = Framer(AFTER_LOGIN)
    best = 1.0
    for _ in range(200):
        started = perf_counter()
        framer.feed(b"A1 UID FETCH 1:* (UID FLAGS)\r\n")
        event = framer.next_event()
        assert isinstance(event, Command)
        cursor = Cursor(event)
        cursor.tag()
        cursor.space()
        cursor.keyword()
        cursor.space()
        cursor.keyword()
        parse_fetch(cursor)
        best = min(best, perf_counter() - started)
    assert best < patience(0.000_1)
