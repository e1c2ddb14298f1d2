"""Parsing primitives, and what real clients write beside the grammar."""

from __future__ import annotations

from datetime import date

import pytest

from folkmoot.protocols.imap.cursor import (
    MAX_DEPTH,
    MAX_FLAGS,
    MAX_MAILBOX,
    BadSyntax,
    Cursor,
    unique_flags,
)
from folkmoot.protocols.imap.framer import Literal, Refuse, SinkFailed
from tests.imap.wire import cursor


class ElsewhereSink:
    """A sink whose octets are not in memory."""

    def write(self, data: bytes, /) -> None:
        raise SinkFailed(Refuse("No"))

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass


def test_words() -> None:
    """Tag, keyword, atom and number are read in order, and the end is checked. # rfc9051#4.1"""
    c = cursor(b"A]1  uid Fetch 42 4294967295 9223372036854775807 ")
    assert c.tag() == b"A]1"
    c.space()
    assert c.keyword() == "UID"
    c.space()
    assert c.atom() == b"Fetch"
    c.space()
    assert c.nz_number() == 42
    c.space()
    assert c.number() == 4294967295
    c.space()
    assert c.number64() == 9223372036854775807
    c.end()


@pytest.mark.parametrize("text", [b"4294967296", b"-1", b"x", b"", b"9" * 30, b"1" * 20_000])
def test_numbers_out_of_range(text: bytes) -> None:
    """A number must fit its type, however many digits are sent."""
    with pytest.raises(BadSyntax):
        cursor(text).number()


def test_zero_is_not_nz() -> None:
    """nz-number refuses 0. # rfc9051#9"""
    with pytest.raises(BadSyntax):
        cursor(b"0").nz_number()


@pytest.mark.parametrize("text", [b"+1", b"", b'"a"', b"(a", b"{a", b"\x80"])
def test_tags_refused(text: bytes) -> None:
    """A tag is what could be printed back safely. # rfc9051#9"""
    with pytest.raises(BadSyntax):
        cursor(text).tag()


def test_strings() -> None:
    """Each form of string gives its octets; quoted ones may hold 8-bit and escapes."""
    # rfc9051#4.3
    c = cursor(
        b'a]b "q\\"\\\\ \xc3\xa4" {4+}\r\n\r\n\x00\xff'.replace(b"\x00", b"y") + b" NIL nil x"
    )
    assert c.astring() == b"a]b"
    c.space()
    assert c.astring() == 'q"\\ ä'.encode()
    c.space()
    assert c.nstring() == b"\r\ny\xff"
    c.space()
    assert c.nstring() is None
    c.space()
    assert c.nil()
    c.space()
    assert not c.nil()
    assert c.atom() == b"x"
    c.end()


@pytest.mark.parametrize("text", [b'"abc', b'"a\\x"', b"", b"(", b'"' + b"\\" * 9999, b"\\Seen"])
def test_malformed_strings(text: bytes) -> None:
    """An unfinished or wrongly escaped string is refused, in one pass."""
    with pytest.raises(BadSyntax):
        cursor(text).astring()


def test_literal_is_where_it_stands() -> None:
    """A literal is found only at its own place; text before it must have been read."""
    c = cursor(b"ab{1+}\r\nx")
    with pytest.raises(BadSyntax):
        c.literal()
    assert c.atom() == b"ab"
    assert c.peek() == b"{"
    assert c.literal_bytes() == b"x"
    c.end()


def test_strings_refuse_message_literals() -> None:
    """Literals with NUL, literal8 and literals that were spooled elsewhere are no strings."""
    for octets in (b"{2+}\r\na\0", b"~{1+}\r\na"):
        with pytest.raises(BadSyntax):
            cursor(octets).astring()
    elsewhere = Literal(10, False, False, ElsewhereSink())
    with pytest.raises(BadSyntax):
        Cursor((b"", elsewhere, b"")).astring()
    assert Cursor((b"", elsewhere, b"")).literal() is elsewhere


@pytest.mark.parametrize(
    ("text", "utf8", "name"),
    [
        (b"inbox", False, "INBOX"),
        (b'"InBoX"', False, "INBOX"),
        (b"inbox/x", False, "inbox/x"),
        (b'"R&-D"', False, "R&D"),
        (b"Entw&APw-rfe", False, "Entwürfe"),
        ("Entwürfe".encode(), False, "Entwürfe"),
        ('"R&D für"'.encode(), False, "R&D für"),
        (b'"R&D"', True, "R&D"),
        (b'"Entw&APw-rfe"', True, "Entw&APw-rfe"),
        (b"{3+}\r\na b", False, "a b"),
        (b"a]b", False, "a]b"),
    ],
)
def test_mailbox_names(text: bytes, utf8: bool, name: str) -> None:
    """mUTF-7 without UTF8=ACCEPT, UTF-8 with it; plain UTF-8 of bad clients is understood."""
    assert cursor(text, utf8=utf8).mailbox() == name


@pytest.mark.parametrize(
    "text",
    [b'""', b'"R&D"', b'"&AOQ"', b'"\xff"', b'"a\x01b"', b'"&AAA-"', b"{2+}\r\n\r\n", b"%",
     b'"' + b"x" * (MAX_MAILBOX + 1) + b'"', b"\xed\xa0\x80", b"("],
)  # fmt: skip
def test_refused_mailbox_names(text: bytes) -> None:
    """Names that are empty, malformed, over-long or with control characters are refused."""
    with pytest.raises(BadSyntax):
        cursor(text).mailbox()


def test_list_mailbox_takes_wildcards() -> None:
    """Patterns may hold wildcards, in atoms too, and may be empty."""
    assert cursor(b"INBOX/%").list_mailbox() == "INBOX/%"
    assert cursor(b'"*"').list_mailbox() == "*"
    assert cursor(b'""').list_mailbox() == ""


def test_flags() -> None:
    """System flags get the server's spelling, keywords keep theirs, repeats go. # rfc9051#2.3.2"""
    flags = cursor(b"(\\SEEN $Junk \\draft $junk \\Seen NonJunk )").flag_list()
    assert flags == ("\\Seen", "$Junk", "\\Draft", "NonJunk")
    assert cursor(b"()").flag_list() == ()
    assert unique_flags(["A", "b", "a"]) == ("A", "b")


@pytest.mark.parametrize(
    "text",
    [b"(\\Recent)", b"(\\Foo)", b"(\\*)", b'("x")', b"(a]b)", b"(" + b"x" * 256 + b")", b"(\\)",
     b"(" + b" ".join(b"f%d" % n for n in range(MAX_FLAGS + 1)) + b")", b"(a", b"a", b"(\xe4)"],
)  # fmt: skip
def test_refused_flags(text: bytes) -> None:
    """Flags that clients may not set, are no atoms, too long or too many are refused."""
    with pytest.raises(BadSyntax):
        cursor(text).flag_list()


def test_dates() -> None:
    """Dates come with quotes or without."""
    assert cursor(b'"1-Feb-1994"').date() == cursor(b"1-feb-1994").date() == date(1994, 2, 1)
    assert cursor(b'" 1-Feb-1994 00:00:00 +0000"').date_time().day == 1
    for text in (b"30-Feb-1994", b"x", b'"1994-02-01"'):
        with pytest.raises(BadSyntax):
            cursor(text).date()
    for text in (b'"30-Feb-1994 00:00:00 +0000"', b"x", b'"' + b"1" * 100 + b'"'):
        with pytest.raises(BadSyntax):
            cursor(text).date_time()


def test_lists_forgive_spaces_and_nothing_else() -> None:
    """Extra spaces do no harm; missing members, commas and parentheses do."""
    c = cursor(b"( a  b )")
    assert c.list_of(c.atom) == [b"a", b"b"]
    c.end()
    for text in (b"()", b"(a,(b))", b"(a b", b"a b)", b"(a(b))"):
        c = cursor(text)
        with pytest.raises(BadSyntax):
            c.list_of(c.atom)


def test_lists_are_bounded() -> None:
    """A list has a limit of members, and parentheses a limit of depth."""
    c = cursor(b"(a b c)")
    with pytest.raises(BadSyntax, match="too long"):
        c.list_of(c.atom, limit=2)
    assert _depth(cursor(b"(" * MAX_DEPTH + b"x" + b")" * MAX_DEPTH)) == "x"
    with pytest.raises(BadSyntax, match="deep"):
        _depth(cursor(b"(" * (MAX_DEPTH + 1) + b"x" + b")" * (MAX_DEPTH + 1)))


def _depth(c: Cursor) -> str:
    if c.peek() == b"(":
        return c.list_of(lambda: _depth(c))[0]
    return c.atom().decode()


def test_end_and_more() -> None:
    """A space before the end of the command is forgiven; anything else is not."""
    c = cursor(b"a ")
    c.atom()
    assert not c.more()
    c.end()
    c = cursor(b"a {1+}\r\nx")
    c.atom()
    assert c.more()
    with pytest.raises(BadSyntax):
        c.end()


def test_messages_never_quote_the_client() -> None:
    """Error texts are safe to print: no octet of the input gets into them."""
    for reader in ("atom", "astring", "mailbox", "flag", "date", "date_time", "sequence_set"):
        c = cursor(b"(\x7f\xffevil")
        with pytest.raises(BadSyntax) as caught:
            getattr(c, reader)()
        assert caught.value.text.isascii()
        assert "evil" not in caught.value.text
