"""Every stored offset cuts out exactly the part that was built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.storage.content.sections import PartTable, PartText
from tests.storage.mime_kit import Built, Tree, build, check_index, index

_LINES = st.lists(
    st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")),
    max_size=4,
)
_FIELDS = st.lists(
    st.sampled_from(
        [
            b"Subject: one",
            b"From: A <a@example.test>",
            b"X-Folded: a\r\n b\r\n\tc",
            b"To: b@example.test, c@example.test",
            b"no colon here",
            b"Content-Description: \xc3\xa4",
        ]
    ),
    max_size=3,
)


def _text(lines: list[bytes]) -> bytes:
    # Boundaries are numbered `=_N_`, so a line of content is none unless it is made to be.
    return b"\r\n".join(line.replace(b"--=_", b"") for line in lines)


_LEAF = st.builds(lambda fields, lines: Tree("leaf", fields, _text(lines)), _FIELDS, _LINES)


def _grow(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    multipart = st.builds(
        lambda fields, parts, preamble, epilogue, closed: Tree(
            "multipart",
            fields,
            children=parts,
            preamble=_text(preamble),
            epilogue=_text(epilogue),
            closed=closed,
        ),
        _FIELDS,
        st.lists(children, min_size=1, max_size=4),
        _LINES,
        _LINES,
        st.booleans(),
    )
    message = st.builds(
        lambda fields, inner: Tree("message", fields, children=[inner]), _FIELDS, children
    )
    return multipart | message


TREES = st.recursive(_LEAF, _grow, max_leaves=12)


def _name_boundaries(tree: Tree, numbers: Iterator[int], shape: str) -> None:
    number = next(numbers)
    if shape == "prefixes":
        # Each boundary is a prefix of those below it.
        tree.boundary = b"=_" + b"x" * (number + 1)
    else:
        tree.boundary = b"=_%d_" % number
    for child in tree.children:
        _name_boundaries(child, numbers, shape)


def _with_line_ends(tree: Tree, eol: bytes) -> None:
    tree.fields = [each.replace(b"\r\n", eol) for each in tree.fields]
    tree.leaf = tree.leaf.replace(b"\r\n", eol)
    tree.preamble = tree.preamble.replace(b"\r\n", eol)
    tree.epilogue = tree.epilogue.replace(b"\r\n", eol)
    for child in tree.children:
        _with_line_ends(child, eol)


def _sections(built: Built, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Built]]:
    """Yield (part number, part) of what is in a message whose octets are `built`."""
    if built.tree.kind == "multipart":
        for number, child in enumerate(built.children, 1):
            yield from _numbered(child, (*path, number))
    else:
        yield from _numbered(built, (*path, 1))


def _numbered(built: Built, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Built]]:
    yield path, built
    if built.tree.kind == "message":
        yield from _sections(built.children[0], path)
    elif built.tree.kind == "multipart":
        for number, child in enumerate(built.children, 1):
            yield from _numbered(child, (*path, number))


def _cut(data: bytes, table: PartTable, path: tuple[int, ...], what: PartText) -> bytes | None:
    extent = table.locate(path, what)
    return None if extent is None else data[extent.offset : extent.offset + extent.length]


@given(TREES, st.sampled_from([b"\r\n", b"\n"]), st.sampled_from(["numbers", "prefixes"]))
@settings(max_examples=250, deadline=None)
def test_offsets_cut_out_what_was_built(tree: Tree, eol: bytes, shape: str) -> None:
    """The stored table finds each section of a random tree octet for octet."""
    _name_boundaries(tree, iter(range(10_000)), shape)
    _with_line_ends(tree, eol)
    built = build(tree, eol)
    data = built.header + built.body
    found = index(data)
    check_index(data, found)
    table = PartTable.from_bytes(found.parts.to_bytes())
    assert _cut(data, table, (), PartText.ALL) == data
    assert _cut(data, table, (), PartText.HEADER) == built.header
    assert _cut(data, table, (), PartText.TEXT) == built.body
    seen = 0
    for path, part in _sections(built, ()):
        seen += 1
        assert _cut(data, table, path, PartText.MIME) == part.header
        assert _cut(data, table, path, PartText.ALL) == part.body
        inner = part.children[0] if part.tree.kind == "message" else None
        assert _cut(data, table, path, PartText.HEADER) == (inner.header if inner else None)
        assert _cut(data, table, path, PartText.TEXT) == (inner.body if inner else None)
    assert seen
    assert table.locate((99,), PartText.ALL) is None


MESSAGE = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
    b"--b\r\n\r\nfirst\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: inner\r\n\r\ninside\r\n"
    b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
    b"--c\r\n\r\nplain\r\n--c--\r\n"
    b"--b--\r\nepilogue"
)


@pytest.mark.parametrize(
    ("path", "what", "expected"),
    [
        ((), "HEADER", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"),
        ((1,), "ALL", b"first"),
        ((1,), "MIME", b"\r\n"),
        ((1,), "HEADER", None),
        ((1,), "TEXT", None),
        ((1, 1), "ALL", None),
        ((2,), "ALL", b"Subject: inner\r\n\r\ninside"),
        ((2,), "MIME", b"Content-Type: message/rfc822\r\n\r\n"),
        ((2,), "HEADER", b"Subject: inner\r\n\r\n"),
        ((2,), "TEXT", b"inside"),
        ((2, 1), "ALL", b"inside"),
        ((2, 1), "MIME", b"Subject: inner\r\n\r\n"),
        ((2, 2), "ALL", None),
        ((2, 1, 1), "ALL", None),
        ((3,), "ALL", b"--c\r\n\r\nplain\r\n--c--"),
        ((3,), "HEADER", None),
        ((3, 1), "ALL", b"plain"),
        ((3, 2), "ALL", None),
        ((4,), "ALL", None),
        ((0,), "ALL", None),
        ((-1,), "ALL", None),
        ((1 << 40,), "ALL", None),
    ],
)
def test_sections(path: tuple[int, ...], what: str, expected: bytes | None) -> None:
    """Part numbers and specifiers mean what RFC 9051 section 6.4.5 says."""
    assert _cut(MESSAGE, index(MESSAGE).parts, path, PartText(what)) == expected


@pytest.mark.parametrize(
    ("data", "bodies"),
    [
        # No closing delimiter, no final line end.
        (b"Content-Type: multipart/a; boundary=b\n\n--b\n\none\n--b\n\ntwo", [b"one", b"two"]),
        # The first delimiter is the whole body, and there is nothing behind it.
        (b"Content-Type: multipart/a; boundary=b\n\n--b", [b""]),
        # An empty part between two delimiters.
        (b"Content-Type: multipart/a; boundary=b\n\n--b\n--b\n\nx\n--b--", [b"", b"x"]),
        # A part that shares its empty line with the delimiter.
        (b"Content-Type: multipart/a; boundary=b\n\n--b\nA: b\n\n--b--", [b""]),
        # No parts at all: one empty part keeps the wire form valid.
        (b"Content-Type: multipart/a; boundary=b\n\nnothing\n", [b""]),
        (b"Content-Type: multipart/a; boundary=b\n", [b""]),
        (b"Content-Type: multipart/a; boundary=b", [b""]),
        # No boundary, or an empty one: text, so that it can be read.
        (b"Content-Type: multipart/a\n\n--b\n\nx\n", [b"--b\n\nx\n"]),
        (b'Content-Type: multipart/a; boundary=""\n\n--\n\nx\n', [b"--\n\nx\n"]),
        # White space and more behind the boundary.
        (b"Content-Type: multipart/a; boundary=b\n\n--b \t\n\nx\n--b-- \n", [b"x"]),
        # A delimiter is at the start of a line only.
        (b"Content-Type: multipart/a; boundary=b\n\n--b\n\nx --b\n--b--", [b"x --b"]),
        # Two Content-Type fields: the first counts.
        (b"Content-Type: multipart/a; boundary=b\nContent-Type: text/plain\n\n--b\n\nx", [b"x"]),
        # Folded, quoted, encoded and commented boundaries.
        (b'Content-Type: multipart/a;\n boundary="b c"\n\n--b c\n\nx', [b"x"]),
        (b"Content-Type: multipart/a; boundary*=us-ascii''b%20c\n\n--b c\n\nx", [b"x"]),
        (b"Content-Type: multipart/a; boundary*0=b; boundary*1=c\n\n--bc\n\nx", [b"x"]),
        (b"Content-Type: multipart/a; boundary=b (so)\n\n--b\n\nx", [b"x"]),
        # The epilogue holds no parts.
        (b"Content-Type: multipart/a; boundary=b\n\n--b\n\nx\n--b--\n--b\n\ny", [b"x"]),
    ],
)
def test_delimiters_in_the_wild(data: bytes, bodies: list[bytes]) -> None:
    """Delimiters that are missing, doubled or odd give the parts that other servers find."""
    # rfc2046#5.1.1
    found = index(data)
    check_index(data, found)
    paths = [(number,) for number in range(1, len(bodies) + 1)]
    assert [_cut(data, found.parts, path, PartText.ALL) for path in paths] == bodies
    assert found.parts.locate((len(bodies) + 1,), PartText.ALL) is None


def test_same_boundary_inside_and_outside() -> None:
    """A boundary used at two levels belongs to the inner one until that is closed."""
    data = (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: multipart/alternative; boundary=b\n\n"
        b"--b\n\none\n--b\n\ntwo\n--b--\n"
        b"--b\n\nthree\n--b--\n"
    )
    table = index(data).parts
    cuts = [_cut(data, table, path, PartText.ALL) for path in ((1, 1), (1, 2), (2,), (3,))]
    assert cuts == [b"one", b"two", b"three", None]


def test_outer_delimiter_ends_unclosed_inner_parts() -> None:
    """An inner multipart without an end does not swallow what follows it. # rfc2046#5.1.2"""
    data = (
        b"Content-Type: multipart/mixed; boundary=outer\r\n\r\n"
        b"--outer\r\nContent-Type: multipart/mixed; boundary=inner\r\n\r\n"
        b"--inner\r\n\r\none\r\n"
        b"--outer\r\n\r\ntwo\r\n--outer--\r\n"
    )
    table = index(data).parts
    assert _cut(data, table, (1, 1), PartText.ALL) == b"one"
    assert _cut(data, table, (2,), PartText.ALL) == b"two"
    # The empty line behind the innermost header is the line end of the outer delimiter.
    shared = data.replace(b"\r\n\r\none", b"\r\nA: b\r\n")
    found = index(shared)
    check_index(shared, found)
    assert _cut(shared, found.parts, (1, 1), PartText.MIME) == b"A: b\r\n"
    assert _cut(shared, found.parts, (1,), PartText.ALL) == b"--inner\r\nA: b\r\n"


def test_encoded_message_is_not_looked_into() -> None:
    """A message in base64 has no parts of its own, and its wire form is valid all the same."""
    # rfc2046#5.2.1
    data = (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"U3ViamVjdDogeA0KDQp5\r\n"
    )
    found = index(data)
    check_index(data, found)
    assert _cut(data, found.parts, (1,), PartText.ALL) == b"U3ViamVjdDogeA0KDQp5\r\n"
    assert _cut(data, found.parts, (1,), PartText.HEADER) == b""
    assert _cut(data, found.parts, (1, 1), PartText.ALL) == b""


@pytest.mark.parametrize("raw", [b"", b"\x01", b"\x02" + bytes(28), b"\x01" + bytes(27)])
def test_stored_table_is_checked(raw: bytes) -> None:
    """Octets that are no table are refused, not misread."""
    with pytest.raises(ValueError, match="not a table"):
        PartTable.from_bytes(raw)
