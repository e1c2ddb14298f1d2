"""Fields cut out of a header, octet for octet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.content.headers import collect, first_value, header_fields, iter_fields
from tests.kit.pace import within

HEADER = (
    b"Received: one\r\n\tfolded\r\n"
    b"SUBJECT: first\r\n"
    b"no colon\r\n"
    b"To : a\r\n , b\r\n"
    b"Subject:second\r\n"
    b"Subject-Line: other\r\n"
    b"\r\n"
)


def _pick(header: bytes, *names: bytes, inverse: bool = False) -> bytes:
    return header_fields(header, frozenset(names), inverse=inverse)


def test_fields_keep_case_folding_and_order() -> None:
    """HEADER.FIELDS gives the fields as they are in the message, in its order. # rfc9051#6.4.5.1"""
    expected = b"SUBJECT: first\r\nTo : a\r\n , b\r\nSubject:second\r\n\r\n"
    assert _pick(HEADER, b"to", b"subject", b"absent") == expected


def test_inverse_gives_the_rest() -> None:
    """HEADER.FIELDS.NOT gives all that HEADER.FIELDS leaves out. # rfc9051#6.4.5.1"""
    expected = b"Received: one\r\n\tfolded\r\nno colon\r\nSubject-Line: other\r\n\r\n"
    assert _pick(HEADER, b"to", b"subject", inverse=True) == expected
    assert _pick(HEADER, inverse=True) == HEADER


@pytest.mark.parametrize(
    ("header", "names", "expected"),
    [
        (b"", (b"to",), b"\r\n"),
        (b"\r\n", (b"to",), b"\r\n"),
        (b"To: a\r\n\r\n", (), b"\r\n"),
        (b"To: a\r\n\r\n", (b"t",), b"\r\n"),
        (b"To: a\r\n\r\n", (b"to:", b"*", b"(", b""), b"\r\n"),
        (b"To: a", (b"to",), b"To: a\r\n\r\n"),
        (b"To: a\n b\nCc: c\n\n", (b"to",), b"To: a\r\n b\r\n\r\n"),
        (b"To: a\nCc: c\r\n\r\n", (b"to", b"cc"), b"To: a\r\nCc: c\r\n\r\n"),
        (b" To: a\r\nTo: b\r\n\r\n", (b"to",), b"To: b\r\n\r\n"),
        (b"X: \r\n\tTo: a\r\n\r\n", (b"to",), b"\r\n"),
    ],
)
def test_odd_headers(header: bytes, names: tuple[bytes, ...], expected: bytes) -> None:
    """Broken headers give what can be found, closed by an empty line, with CRLF."""
    assert _pick(header, *names) == expected


def test_many_names_are_found_the_same() -> None:
    """A list of names too long for a pattern gives the same fields."""
    many = [b"x-%d" % number for number in range(200)]
    for inverse in (False, True):
        few = _pick(HEADER, b"to", b"subject", inverse=inverse)
        assert _pick(HEADER, b"to", b"subject", *many, inverse=inverse) == few


_LINES = st.lists(
    st.sampled_from([b"To: a", b"to:b", b"Cc: c", b" folded", b"\tfolded", b"junk", b":", b"T: x"]),
    max_size=12,
)


@given(_LINES, st.sampled_from([b"\r\n", b"\n"]))
def test_both_ways_of_cutting_agree(lines: list[bytes], eol: bytes) -> None:
    """Fields and the rest part the header; the reader of single fields sees the same ones."""
    header = b"".join(line + eol for line in lines) + eol
    fields = list(iter_fields(header))
    assert b"".join(raw for _, raw in fields) + eol == header
    named = [raw.replace(eol, b"\r\n") for name, raw in fields if name == b"to"]
    assert _pick(header, b"to") == b"".join(named) + b"\r\n"
    first = next((raw for name, raw in fields if name == b"to"), None)
    assert (first_value(header, b"to") is None) == (first is None)
    assert len(collect(header, frozenset((b"to",))).get(b"to", [])) == len(named)


def test_values_are_unfolded() -> None:
    """A value is one line: each fold is a space, and what surrounds it is gone."""
    assert first_value(HEADER, b"received") == b"one folded"
    assert first_value(HEADER, b"subject") == b"first"
    assert first_value(HEADER, b"to") == b"a , b"
    assert first_value(HEADER, b"absent") is None
    assert first_value(b"To: a\0b\n\tc\nTo: d\n\nTo: e", b"to") == b"ab c"
    assert collect(HEADER, frozenset((b"subject",))) == {b"subject": [b"first", b"second"]}


def test_continuation_without_a_field_belongs_to_the_rest() -> None:
    """Folded lines before the first field are no field, and no answer loses them."""
    header = b" a\r\n\tb\r\nTo: c\r\n d\r\n\r\n"
    assert _pick(header, b"to") == b"To: c\r\n d\r\n\r\n"
    assert _pick(header, b"to", inverse=True) == b" a\r\n\tb\r\n\r\n"


def test_fields_end_at_the_empty_line() -> None:
    """What is behind the header is no field."""
    assert [name for name, _ in iter_fields(HEADER + b"Body: x\r\n")][-1] == b"subject-line"


def test_ten_thousand_headers_are_quick() -> None:
    """What a mail program asks on opening a mailbox costs microseconds a message."""
    names = frozenset(b"from to cc subject date message-id references content-type".split())
    header = HEADER.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 800 + b"\r\n\r\n")
    with within(0.5):
        for _ in range(10_000):
            header_fields(header, names, inverse=False)
