"""Values to octets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.imap import encoder
from tests.imap.wire import cursor

NOT_NUL = st.binary(max_size=40).filter(lambda data: b"\0" not in data)


def as_client(data: bytes) -> bytes:
    """A server's literal as a client would send it, so that the own parser can read it."""
    return data.replace(b"}\r\n", b"+}\r\n", 1) if data.startswith(b"{") else data


@given(NOT_NUL)
def test_strings_read_back(data: bytes) -> None:
    """Every string survives printing and parsing, in each form."""
    assert cursor(as_client(encoder.quoted_or_literal(data))).string() == data
    assert cursor(as_client(encoder.astring(data))).astring() == data
    assert cursor(as_client(encoder.nstring(data))).nstring() == data


def test_string_forms() -> None:
    """Quotes where they can hold the octets, a literal where not, NIL for nothing."""
    # rfc9051#4.3, rfc9051#4.5
    assert encoder.nstring(None) == b"NIL"
    assert encoder.nstring(b"") == b'""'
    assert encoder.quoted_or_literal(b'a"\\') == b'"a\\"\\\\"'
    assert encoder.quoted_or_literal("ä".encode()) == b"{2}\r\n\xc3\xa4"
    assert encoder.quoted_or_literal("ä".encode(), utf8=True) == b'"\xc3\xa4"'
    assert encoder.quoted_or_literal(b"a\r\nb", utf8=True) == b"{4}\r\na\r\nb"
    assert encoder.astring(b"INBOX") == b"INBOX"
    assert encoder.astring(b"nil") == b'"nil"'
    assert encoder.astring(b"") == b'""'
    assert encoder.literal8(b"\0") == b"~{1}\r\n\0"


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1), st.booleans())
def test_mailbox_names_read_back(name: str, utf8: bool) -> None:
    """A name that the server prints is the name that it reads."""
    printed = as_client(encoder.mailbox_name(name, utf8))
    expected = "INBOX" if name.upper() == "INBOX" else name
    assert cursor(printed, utf8=utf8).mailbox() == expected


def test_mailbox_name_forms() -> None:
    """mUTF-7 for old clients, UTF-8 for those that asked for it. # rfc3501#5.1.3"""
    assert encoder.mailbox_name("Entwürfe") == b"Entw&APw-rfe"
    assert encoder.mailbox_name("R&D a") == b'"R&-D a"'
    assert encoder.mailbox_name("Entwürfe", utf8=True) == b'"Entw\xc3\xbcrfe"'


def test_flags_and_dates() -> None:
    """Flag lists and internal dates in the forms of RFC 9051."""
    assert encoder.flag_list([]) == b"()"
    assert encoder.flag_list(("\\Seen", "$Junk")) == b"(\\Seen $Junk)"
    assert encoder.date_time(datetime(2020, 1, 2, tzinfo=UTC)) == b'" 2-Jan-2020 00:00:00 +0000"'


def test_status_lines() -> None:
    """Tagged and untagged lines, with and without a code. # rfc9051#7.1"""
    assert encoder.tagged(b"a", "OK", "Done") == b"a OK Done\r\n"
    assert encoder.tagged(b"a", "NO", "Full", "OVERQUOTA") == b"a NO [OVERQUOTA] Full\r\n"
    assert encoder.untagged("BYE", "Bye") == b"* BYE Bye\r\n"
    assert encoder.data(b"3", b"EXISTS") == b"* 3 EXISTS\r\n"
    assert encoder.continuation() == b"+ Ready\r\n"
    assert encoder.challenge(b"") == b"+ \r\n"


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("a\r\n* BYE x", b"a??* BYE x"),
        ("Zürich\0", b"Z?rich?"),
        ("[ALERT] x", b"(ALERT] x"),
        ("", b"-"),
        ("x" * 9999, b"x" * 500),
    ],
)
def test_texts_cannot_break_out(message: str, printed: bytes) -> None:
    """Text never holds a line end or reads as a code, and has a limit."""
    assert encoder.text(message) == printed
    assert encoder.tagged(b"a", "OK", message).count(b"\r\n") == 1


def test_codes_cannot_break_out() -> None:
    """A code never holds a line end."""
    assert encoder.tagged(b"a", "OK", "x", "A\r\nB") == b"a OK [A??B] x\r\n"
