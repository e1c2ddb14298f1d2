"""Previews: what a person would read first, in any encoding, of any message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.storage.content.mime import index_message
from folkmoot.storage.content.preview import MAX_PREVIEW, preview_text
from folkmoot.storage.content.source import BytesSource


def preview(message: bytes) -> str:
    """The preview of a message."""
    source = BytesSource(message)
    return preview_text(source, index_message(source).parts)


def _with(type_: str, body: bytes, more: str = "") -> bytes:
    return f"Subject: s\r\nContent-Type: {type_}\r\n{more}\r\n".encode() + body


def test_plain_text_is_one_line_and_cut() -> None:
    """Lines and spaces run together; never more than 200 characters."""
    assert preview(b"Subject: s\r\n\r\n One\r\n\r\ntwo \tthree\r\n") == "One two three"
    long = preview(b"Subject: s\r\n\r\n" + b"word " * 5000)
    assert long == ("word " * 40).rstrip()
    umlauts = preview(_with("text/plain; charset=utf-8", "ä".encode() * 3000))
    assert umlauts == "ä" * MAX_PREVIEW


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (_with("text/plain; charset=iso-8859-1", b"caf\xe9"), "café"),
        (
            _with(
                "text/plain; charset=utf-8",
                b"gr=C3=BC=\r\n=C3=9Fe",
                "Content-Transfer-Encoding: quoted-printable\r\n",
            ),
            "grüße",
        ),
        (
            _with(
                "text/plain; charset=utf-8",
                b"w6TDtsO8\r\n",
                "Content-Transfer-Encoding: base64\r\n",
            ),
            "äöü",
        ),
        (_with("text/html", b"<style>p {x}</style><p>Hi <b>you</b>&amp;me</p>"), "Hi you&me"),
    ],
)
def test_text_is_decoded(message: bytes, text: str) -> None:
    """Charsets, transfer encodings and markup are undone."""
    assert preview(message) == text


def test_quotes_and_signature_are_left_out() -> None:
    """The answer is shown, not what is answered; a mere quotation is better than nothing."""
    # rfc3676#4.3
    body = b"Subject: s\r\n\r\n> old words\r\n>> older\r\nYes!\r\n-- \r\nBob, Inc.\r\n"
    assert preview(body) == "Yes!"
    assert preview(b"Subject: s\r\n\r\n> only this\r\n") == "> only this"


def _multipart(*parts: bytes, kind: str = "mixed") -> bytes:
    pieces = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return _with(f"multipart/{kind}; boundary=b", pieces + b"--b--\r\n")


def test_first_part_with_text_counts() -> None:
    """Attachments, pictures and empty texts are passed over."""
    attached = b"Content-Disposition: Attachment; filename=a.txt\r\n\r\nattached"
    empty = b"Content-Type: text/plain\r\n\r\n  \r\n"
    html = b"Content-Type: text/html\r\n\r\n<p>shown</p>"
    calendar = b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR"
    assert preview(_multipart(attached, calendar, empty, html)) == "shown"
    assert preview(_multipart(attached, calendar)) == ""
    assert preview(_multipart(b"Content-Type: image/png\r\n\r\nx")) == ""
    forwarded = b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nForwarded words"
    assert preview(_multipart(forwarded)) == "Forwarded words"


def test_text_behind_much_style_is_found() -> None:
    """Newsletters have kilobytes of style before the first word."""
    style = b"<style>" + b"a { color: red }\n" * 2000 + b"</style>"
    assert preview(_with("text/html", style + b"<p>News of today</p>")) == "News of today"


def test_filling_that_shows_nothing_is_left_out() -> None:
    """Zero-width marks do not use up the line; those between letters stay."""
    filled = "Offer \u200c \u200c\u00ad\u034f \u200c\u200b end \u0645\u06cc\u200c\u062e"
    message = _with("text/plain; charset=utf-8", filled.encode())
    assert preview(message) == "Offer end \u0645\u06cc\u200c\u062e"


@given(st.binary(max_size=600))
def test_any_octets_have_a_preview(body: bytes) -> None:
    """Whatever comes in can be stored as text and printed on one line."""
    for header in ("text/plain; charset=utf-7", "text/html; charset=utf-16", "text/plain"):
        text = preview(_with(header, body))
        assert len(text) <= MAX_PREVIEW
        assert not set(text) & set("\0\r\n")
        text.encode()
