"""Request targets: what they mean, and what nobody above ever sees."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.protocols.http.target import (
    MAX_DEPTH,
    MAX_URL,
    BadTarget,
    OtherHost,
    is_host,
    parse_reference,
    parse_target,
    quoted,
    same_host,
)

HOST = "mail.example.test:8443"


@pytest.mark.parametrize(
    ("raw", "path", "slash", "query"),
    [
        (b"/", (), True, ""),
        (b"*", (), True, ""),
        (b"/dav/a", ("dav", "a"), False, ""),
        (b"/dav/a/", ("dav", "a"), True, ""),
        (b"/dav/a%20b?x=%2F&y", ("dav", "a b"), False, "x=%2F&y"),
        (b"/caf%C3%A9", ("café",), False, ""),
        (b"/caf%E9", ("café",), False, ""),  # Latin-1 of old Windows
        (b"/%2541", ("%41",), False, ""),  # decoded once
        (b"/a+b;c=d", ("a+b;c=d",), False, ""),
        (b"/...", ("...",), False, ""),
        (b"/a%5Cb", ("a\\b",), False, ""),
        (b"http://any.example/dav/x", ("dav", "x"), False, ""),
        (b"https://any.example", (), True, ""),
    ],
)
def test_targets(raw: bytes, path: tuple[str, ...], slash: bool, query: str) -> None:
    """Names are decoded once, the slash at the end and the query are kept apart."""
    target = parse_target(raw)
    assert (target.path, target.trailing_slash, target.query) == (path, slash, query)


@pytest.mark.parametrize(
    "raw",
    [
        b"/..",
        b"/a/../b",
        b"/a/%2e%2e/b",
        b"/a/%2E./b",
        b"/./a",
        b"/%2e",
        b"//a",
        b"/a//b",
        b"/a//",
        b"/a%2fb",
        b"/a%2Fb",
        b"/a%00b",
        b"/a%",
        b"/a%4",
        b"/a%zz",
        b"dav/a",
        b"/dav#fragment",
        b"mail.example.test:443",
        b"ftp://host/a",
        b"/a" * (MAX_DEPTH + 1),
        b"/" + b"a" * MAX_URL,
        b"",
    ],
)
def test_bad_targets(raw: bytes) -> None:
    """What could mean two things is refused."""
    with pytest.raises(BadTarget):
        parse_target(raw)


def test_fragments() -> None:
    """They never come with a request: cut off, a DELETE would hit more than was meant."""
    with pytest.raises(BadTarget):
        parse_target(b"/dav#fragment")
    assert parse_reference("/dav#fragment", HOST).path == ("dav",)


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("/dav/x", ("dav", "x")),
        (f"http://{HOST}/dav/x", ("dav", "x")),
        (f"https://{HOST.upper()}/dav/x/", ("dav", "x")),
        (f"https://user@{HOST}/dav/x/", ("dav", "x")),
        (f"http://{HOST}", ()),
        ("/dav/x#part", ("dav", "x")),
        ("/caf\xc3\xa9", ("café",)),  # UTF-8 without escapes, as header octets in Latin-1
        ("/日本", ("日本",)),  # from XML
    ],
)
def test_references(reference: str, path: tuple[str, ...]) -> None:
    """URLs in headers and bodies: absolute ones of this host in either scheme, and paths."""
    assert parse_reference(reference, HOST).path == path


@pytest.mark.parametrize("reference", ["", "x", "//mail.example.test/x", "/a/../b", "mailto:a@b"])
def test_bad_references(reference: str) -> None:
    """Relative ones mean nothing here, and the rules for paths are the same."""
    with pytest.raises(BadTarget):
        parse_reference(reference, HOST)


@pytest.mark.parametrize(
    "reference", ["http://other.example/dav/x", "https://mail.example.test:9/dav", "http:///x"]
)
def test_references_elsewhere(reference: str) -> None:
    """Another host or port is another server."""
    with pytest.raises(OtherHost):
        parse_reference(reference, HOST)


def test_hosts() -> None:
    """Hosts are compared without usual ports; what is no host is told."""
    assert same_host("a.example:443", "A.example")
    assert same_host("a.example:80", "a.example:443")
    assert not same_host("a.example:8443", "a.example")
    assert not same_host("[::1]", "[::2]")
    assert is_host("a.example:1")
    assert is_host("[::1]:8080")
    for text in ("", "a b", "a/b", "a@b", "a:b", "a\\b", "<b>", "a" * 301):
        assert not is_host(text), text


@given(st.lists(st.text(min_size=1, max_size=20), max_size=5))
def test_any_name_survives(names: list[str]) -> None:
    """What ``quoted`` writes is what ``parse_target`` reads, or it is refused; never other."""
    # rfc3986#3.3
    try:
        raw = "/" + "/".join(quoted(name) for name in names)
    except UnicodeEncodeError:
        return  # lone surrogates are no text
    wrong = any(name in (".", "..") or "/" in name or "\0" in name for name in names)
    if wrong:
        with pytest.raises(BadTarget):
            parse_target(raw.encode())
    else:
        assert parse_target(raw.encode()).path == tuple(names)


@given(st.binary(max_size=60))
def test_any_octets_end_well(raw: bytes) -> None:
    """Whatever stands in a request line: names without tricks, or ``BadTarget``."""
    for target in (raw, b"/" + raw, b"/" + quote(raw).encode()):
        try:
            path = parse_target(target).path
        except BadTarget:
            continue
        for name in path:
            assert name not in ("", ".", "..")
            assert "/" not in name
            assert "\0" not in name
