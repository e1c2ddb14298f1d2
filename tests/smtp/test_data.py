"""The end of DATA, transparency dots, and what the decoder says about line ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.smtp.data import DataDecoder

TRICKY = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"a", b"..", b"\r\n.", b".\r\n", b"\0", b"\xff"]),
    max_size=40,
).map(b"".join)


def decode(octets: bytes, sizes: list[int]) -> tuple[bytes, bytes, DataDecoder]:
    """Feed octets in pieces of the given sizes until the end was found."""
    decoder = DataDecoder()
    content = b""
    while octets and not decoder.done:
        size = sizes.pop() if sizes else len(octets)
        piece, octets = octets[:size], octets[size:]
        more, rest = decoder.feed(piece)
        content += more
        octets = rest + octets
    return content, octets, decoder


def wire_form(content: bytes) -> bytes:
    """What a client sends for content that ends in CRLF (or is empty)."""
    lines = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")
    return lines[2:] + b".\r\n"


@given(TRICKY, st.binary(max_size=20), st.lists(st.integers(1, 7), max_size=60))
def test_what_was_stuffed_comes_back(text: bytes, after: bytes, sizes: list[int]) -> None:
    """Any content, in any pieces, comes back octet for octet, and what follows is left over."""
    # rfc5321#4.5.2
    content = text + b"\r\n" if text else b""
    # A CR before our own CRLF makes another line end of it; that is content all the same.
    got, rest, decoder = decode(wire_form(content) + after, sizes)
    assert decoder.done
    assert got == content
    assert rest == after


@pytest.mark.parametrize(
    "fake", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n.\0\r\n", b"\r.\r\n"]
)
def test_only_crlf_dot_crlf_ends_a_message(fake: bytes) -> None:
    """Everything that other servers have taken for the end is content: no smuggling."""
    # rfc5321#4.1.1.4, rfc5321#2.3.8
    decoder = DataDecoder()
    decoder.feed(b"one" + fake + b"MAIL FROM:<evil@example.org>\r\n")
    assert not decoder.done
    _, rest = decoder.feed(b".\r\nrest")
    assert decoder.done
    assert rest == b"rest"


@given(TRICKY, st.lists(st.integers(1, 5), max_size=60))
def test_judgement_does_not_depend_on_pieces(text: bytes, sizes: list[int]) -> None:
    """Bare line ends, NUL, 8-bit and the longest line are seen wherever the pieces break."""
    wire = wire_form(text + b"\r\n")
    content, _, whole = decode(wire, [])
    _, _, pieces = decode(wire, sizes)
    bare = content.replace(b"\r\n", b"")
    assert whole.bare_newline == (b"\r" in bare or b"\n" in bare)
    assert whole.nul == (b"\0" in content)
    assert whole.eight_bit == (not content.isascii())
    assert whole.longest_line == max(map(len, content.split(b"\r\n")))
    for name in ("bare_newline", "nul", "eight_bit", "longest_line"):
        assert getattr(pieces, name) == getattr(whole, name), name


def test_an_empty_message() -> None:
    """A dot at once is an empty message, not the first line of one."""
    assert decode(b".\r\nQUIT\r\n", [])[:2] == (b"", b"QUIT\r\n")
