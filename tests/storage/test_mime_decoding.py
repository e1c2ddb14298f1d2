"""Transfer encodings undone, whole and broken."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content import decoding
from folkmoot.storage.content.decoding import UnknownEncoding, decode_part, decoded_size
from folkmoot.storage.content.sections import Part
from folkmoot.storage.content.source import BytesSource
from tests.storage.mime_kit import index


def _part(encoding: bytes, body: bytes) -> tuple[BytesSource, Part]:
    data = b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body
    return BytesSource(data), index(data).parts.parts[0]


def _decoded(encoding: bytes, body: bytes) -> bytes:
    source, part = _part(encoding, body)
    data = b"".join(decode_part(source, part))
    assert decoded_size(source, part) == len(data)
    return data


@pytest.fixture(params=[1, 3, 7, 1 << 16])
def _chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_CHUNK", request.param)


@pytest.mark.usefixtures("_chunk")
@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        (b"7bit", b"a\r\nb=41", b"a\r\nb=41"),
        (b"8BIT", b"\xff\x00", b"\xff\x00"),
        (b"binary", b"\r\n\0", b"\r\n\0"),
        (b"", b"x", b"x"),
        (b"Base64", b"YWJj\r\nZGVm\r\n", b"abcdef"),
        (b"base64", b"YW Jj*Z!GVm", b"abcdef"),
        (b"base64", b"YQ==", b"a"),
        (b"base64", b"YWI=\r\ntrailer", b"ab"),
        (b"base64", b"YWJjZ", b"abc"),
        (b"base64", b"YWJjZG", b"abcd"),
        (b"base64", b"====", b""),
        (b"base64", b"", b""),
        (b'"base64" (so)', b"YQ==", b"a"),
        (b"quoted-printable", b"a=3D=\r\nb=C3=a4\r\n", b"a=b\xc3\xa4\r\n"),
        (b"Quoted-Printable", b"trailing \t\r\nx  ", b"trailing\r\nx"),
        (b"quoted-printable", b"soft = \nbreak", b"soft break"),
        (b"quoted-printable", b"=zz=4=", b"=zz=4"),
        (b"quoted-printable", b"", b""),
    ],
)
def test_decoding(encoding: bytes, body: bytes, expected: bytes) -> None:
    """Each encoding gives its octets, however the pieces that are read fall."""
    # rfc2045#6.7, rfc2045#6.8
    assert _decoded(encoding, body) == expected


@given(st.binary(max_size=400), st.integers(1, 40), st.booleans())
@settings(deadline=None)
def test_round_trip(data: bytes, chunk: int, crlf: bool) -> None:
    """What another program encoded comes back, in pieces of any size."""
    eol = b"\r\n" if crlf else b"\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "_CHUNK", chunk)
        assert _decoded(b"base64", base64.encodebytes(data).replace(b"\n", eol)) == data
        flat = data.replace(b"\r", b"").replace(b"\n", b"")
        text = quopri.encodestring(flat, quotetabs=True).replace(b"\n", eol)
        assert _decoded(b"quoted-printable", text) == flat


@pytest.mark.parametrize("encoding", [b"x-uuencode", b"base65", b"7bit2"])
def test_unknown_encoding(encoding: bytes) -> None:
    """An unknown encoding is said to be so; its octets are not passed off as decoded."""
    source, part = _part(encoding, b"x")
    with pytest.raises(UnknownEncoding):
        decode_part(source, part)
    with pytest.raises(UnknownEncoding):
        decoded_size(source, part)


@pytest.mark.parametrize("body", [b" " * 2_000_000, b"=" * 2_000_000, b"\t\r" * 1_000_000])
def test_hostile_lines_are_bounded(body: bytes) -> None:
    """One line of two million octets is decoded in pieces, quickly."""
    source, part = _part(b"quoted-printable", body)
    pieces = list(decode_part(source, part))
    assert all(len(piece) <= 1 << 17 for piece in pieces)
