"""Octets made to break a MIME parser: no failure, valid wire forms, bounded time and size."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.mime import index_message
from folkmoot.storage.content.scanner import DEPTH_LIMIT, PART_LIMIT
from folkmoot.storage.content.sections import PartText
from folkmoot.storage.content.source import BytesSource, FileSource
from folkmoot.storage.content.text import body_texts, decoded_header
from tests.kit.pace import within
from tests.storage.mime_kit import check_index, index

_SNIPPETS = [
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: multipart/digest; boundary=bb\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: text/html; charset*0*=utf-8''%e4; charset*1=x\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b'Content-Disposition: attachment; filename="a\\"b\x00\xff\r\n',
    b"Content-Language: en, , de\n",
    b'From: a: b <@c,@d:e@f>, "g\\" h;; (i (j) k\r\n',
    b"To: <@x:>, @, <, >, :;\n",
    b"Subject: =?utf-8?b?8J+Y?= =?utf-8?q?=80?= \xff\x00\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"--b\r\n",
    b"--bb\n",
    b"--b--\r\n",
    b"--",
    b"\x00",
    b"text",
]


@given(st.lists(st.sampled_from(_SNIPPETS) | st.binary(max_size=20), max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_octets_have_a_valid_index(pieces: list[bytes]) -> None:
    """Nothing that arrives makes the index fail or gives a form that clients cannot parse."""
    data = b"".join(pieces)
    found = index(data)
    check_index(data, found)
    extent = found.parts.locate((), PartText.HEADER)
    assert extent is not None
    decoded_header(data[: extent.length])
    list(body_texts(BytesSource(data), found.parts))


def _many_parts() -> bytes:
    return b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 10_000


def _many_levels() -> bytes:
    head = b"Content-Type: multipart/mixed; boundary=b%d_\n\n--b%d_\n"
    return b"".join(head % (level, level) for level in range(10_000))


def _same_boundary_levels() -> bytes:
    return b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 10_000


def _many_messages() -> bytes:
    return b"Content-Type: message/rfc822\n\n" * 10_000


def _parts_without_end() -> bytes:
    part = b"--b\nContent-Type: multipart/mixed; boundary=never%d\n\n" + b"x" * 2000 + b"\n"
    head = b"Content-Type: multipart/mixed; boundary=b\n\n"
    return head + b"".join(part % number for number in range(900)) + b"y" * 20_000_000


def _rfc2231_flood() -> bytes:
    pieces = b"".join(b";\n x*%d*=%%41" % number for number in range(10_000))
    return b"Content-Type: text/plain" + pieces + b"\n\n"


def _parameter_flood() -> bytes:
    return b"Content-Type: text/plain" + b";a=b" * 250_000 + b"\n\n"


def _long_line() -> bytes:
    return b"Subject: " + b"x" * 1_000_000 + b"\nTo: a@b\n\nbody"


def _many_addresses() -> bytes:
    return b"To: " + b"a," * 500_000 + b"\n\n"


def _nested_comments() -> bytes:
    return b"From: " + b"(" * 100_000 + b"a@b\n\n"


def _angles() -> bytes:
    return b"From: " + b"<" * 50_000 + b'"\\' * 20_000 + b"\n\n"


def _spaces() -> bytes:
    return (
        b"From:" + b" " * 60_000 + b"x" + b" " * 60_000 + b"\nContent-Type:" + b" " * 9999 + b"\n"
    )


def _field_flood() -> bytes:
    return b"Subject: a\n" * 100_000 + b"\n"


def _never_a_boundary() -> bytes:
    return b"Content-Type: multipart/mixed; boundary=bcd\n\n" + b"\n--bc" * 2_000_000


@pytest.mark.parametrize(
    "make",
    [
        _many_parts,
        _many_levels,
        _same_boundary_levels,
        _many_messages,
        _parts_without_end,
        _rfc2231_flood,
        _parameter_flood,
        _long_line,
        _many_addresses,
        _nested_comments,
        _angles,
        _spaces,
        _field_flood,
        _never_a_boundary,
    ],
    ids=lambda make: make.__name__.strip("_"),
)
def test_floods_are_bounded(make: Callable[[], bytes]) -> None:
    """Each flood costs less than two seconds and gives wire forms of bounded size."""
    data = make()
    with within(2):
        found = index(data)
    assert len(found.parts.parts) <= PART_LIMIT + DEPTH_LIMIT
    assert len(found.bodystructure) < 400_000
    assert len(found.envelope) < 400_000
    check_index(data, found)


def test_beyond_the_depth_is_opaque() -> None:
    """The part at the limit of depth is one octet-stream with all that is below it."""
    found = index(_many_levels())
    assert len(found.parts.parts) == DEPTH_LIMIT + 1
    assert found.bodystructure.startswith(b"(" * DEPTH_LIMIT + b'("application" "octet-stream"')
    innermost = found.parts.locate((1,) * DEPTH_LIMIT, PartText.ALL)
    assert innermost is not None
    assert innermost.offset + innermost.length == found.size


def test_beyond_the_count_is_left_out() -> None:
    """A message with too many parts shows the first ones, whole."""
    data = _many_parts()
    table = index(data).parts
    assert len(table.parts) == PART_LIMIT
    last = table.locate((PART_LIMIT - 1,), PartText.ALL)
    assert last is not None
    assert data[last.offset : last.offset + last.length] == b"x"


def test_large_file_in_little_memory(tmp_path: Path) -> None:
    """A message of 50 MB in a file is indexed with less than 16 MB of memory, in a second."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.write(b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n")
        file.write(b"Content-Transfer-Encoding: base64\r\n\r\n")
        line = b"QUJD" * 18 + b"\r\n"
        for _ in range(700):
            file.write(line * 1000)
        file.write(b"--b\r\n\r\nlast\r\n--b--\r\n")
    with FileSource(path) as source:
        with within(1):
            found = index_message(source)
        tracemalloc.start()
        try:
            assert index_message(source) == found
            assert tracemalloc.get_traced_memory()[1] < 16_000_000
        finally:
            tracemalloc.stop()
        last = found.parts.locate((2,), PartText.ALL)
        assert last is not None
        assert source.read(*last) == b"last"
    assert b'"base64" 51799998 699999)' in found.body
