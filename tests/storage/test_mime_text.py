"""The text of messages as a search sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.content import text as module
from folkmoot.storage.content.charsets import decode
from folkmoot.storage.content.source import BytesSource
from folkmoot.storage.content.text import (
    body_texts,
    decoded_header,
    decoded_words,
    without_markup,
)
from tests.kit.pace import within
from tests.storage.mime_kit import index


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?q?a=C3=A4_b?=", "aä b"),
        (b"x =?iso-8859-1?Q?=E4?= y", "x ä y"),
        (b"=?utf-8?b?w6Q=?= =?utf-8?b?w7Y=?=", "äö"),
        # A character cut in two by the sender, across two words.
        (b"=?utf-8?b?8J+Y?= =?utf-8?q?=80?=", "😀"),
        (b"=?utf-8?q?a?= =?iso-8859-1?q?=e4?=", "aä"),
        (b"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"),
        (b"=?utf-8*de?q?a?=", "a"),
        (b"=?utf-8?b?w6Q?=", "ä"),
        (b"=?utf-8?b?!?=", "=?utf-8?b?!?="),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        (b"=?nonsense?q?=e4?=", "ä"),
        (b"=?iso-2022-jp?b?GyRCJCIbKEI=?=", "あ"),
        (b"\xc3\xa4", "ä"),
        (b"\xe4", "ä"),
    ],
)
def test_encoded_words(value: bytes, expected: str) -> None:
    """Words are decoded as RFC 2047 says, and broken ones stay as they are."""
    assert decoded_words(value) == expected


def test_headers() -> None:
    """One field gives all its values, the whole header its fields with their names."""
    header = b"Subject: =?utf-8?q?=C3=A4?=\r\njunk\r\nTO: a\r\n b\r\nSubject: x\r\n\r\nSubject: no"
    assert decoded_header(header[: header.find(b"\r\n\r\n") + 4], b"subject") == "ä\nx"
    assert decoded_header(header, b"cc") == ""
    assert decoded_header(header) == "Subject: ä\nTO: a b\nSubject: x"


@pytest.mark.parametrize(
    ("data", "charset", "expected"),
    [
        (b"\xe4", b"ISO-8859-1", "ä"),
        (b"\x80", b"windows-1252", "€"),
        (b"\xa4", b"ISO-8859-15", "€"),
        (b"\xc3\xa4", None, "ä"),
        (b"\xe4", None, "ä"),
        (b"\xe4", b"us-ascii", "ä"),
        (b"\xe4", b"utf-8", "\ufffd"),
        (b"\x82\xa0", b"Shift_JIS", "あ"),
        (b"\xb0\xa1", b"ks_c_5601-1987", "가"),
        (b"\xb0\xa1", b"GB2312", "啊"),
        (b"\xe4", b"no such charset", "ä"),
        (b"6869", b"hex", "6869"),
        (b"a", b"\xff" * 1000, "a"),
        (b"a\\u0041", b"unicode_escape", "a\\u0041"),
        (b"xn--4ca", b"idna", "xn--4ca"),
    ],
)
def test_charsets(data: bytes, charset: bytes | None, expected: str) -> None:
    """Any charset that mail names gives text, and none fails or runs another kind of codec."""
    assert decode(data, charset) == expected


@given(
    st.binary(max_size=50),
    st.sampled_from([b"utf-7", b"utf-16", b"iso-2022-kr", b"hz", b"big5", b"cp1255", b"x"]),
)
def test_any_octets_are_text(data: bytes, charset: bytes) -> None:
    """No octets fail in any charset."""
    assert isinstance(decode(data, charset), str)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("a<b>b</b>c", "abc"),
        ("<p>a</p><p>b</p>", " a  b "),
        ("a<br/>b", "a b"),
        ("a &amp; b &lt;c&gt; &#228;", "a & b <c> ä"),
        ("a<style>p { x }</style>b<SCRIPT>c<d</SCRIPT>e", "a b e"),
        ("a<!-- <p> x -->b", "a b"),
        ("a<!doctype html>b", "a b"),
        ("3 < 4", "3 < 4"),
        ("a<b", "a"),
        ("a<script>b", "a"),
        ("", ""),
    ],
)
def test_markup(html: str, expected: str) -> None:
    """The words of an HTML mail stay whole and its markup is not found."""
    assert without_markup(html) == expected


def test_markup_is_linear() -> None:
    """Unclosed tags, comments and scripts by the hundred thousand are quick."""
    with within(2):
        for piece in ("<", "<!--", "<script>", "<a", "</", "&"):
            without_markup(piece * 200_000)


def test_body_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of all parts come decoded, and headers of messages inside with them."""
    data = (
        b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
        b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=E4=\r\nb\r\n"
        b"--b\r\nContent-Type: text/html; charset*=''utf-8\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nPGI+w6Q8L2I+\r\n"
        b"--b\r\nContent-Type: image/png\r\n\r\nnot text\r\n"
        b"--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-odd\r\n\r\nodd\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?=C3=B6?=\r\n\r\ninside\r\n"
        b"--b--\r\n"
    )
    table = index(data).parts
    assert list(body_texts(BytesSource(data), table)) == ["äb", "ä", "Subject: ö", "inside"]
    monkeypatch.setattr(module, "TEXT_LIMIT", 3)
    assert list(body_texts(BytesSource(data), table))[-1] == "ins"
