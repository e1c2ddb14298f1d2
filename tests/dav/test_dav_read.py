"""OPTIONS, GET and HEAD: what is here, octets, ranges, conditions of reads."""

from __future__ import annotations

import re

import pytest

from folkmoot.protocols.dav.registry import REGISTRY
from tests.kit.dav import HOME, Dav
from tests.kit.server import TestServer

LARGE = bytes(range(256)) * 4096  # 1 MiB: more than is kept in the database


def test_options_names_what_there_is(dav: Dav) -> None:
    """DAV classes come first, and Allow has what the resource has and no more."""
    # rfc4918#10.1, rfc9110#9.3.7
    folder = dav.call("OPTIONS")
    assert folder.status == 200
    classes = (folder.header("dav") or "").split(", ")
    assert classes[:3] == ["1", "2", "3"]
    assert {"access-control", "extended-mkcol", "add-member"} <= set(classes)
    assert folder.header("ms-author-via") == "DAV"
    assert folder.header("dasl") == "<DAV:basicsearch>"
    allowed = set((folder.header("allow") or "").split(", "))
    assert {"PROPFIND", "COPY", "LOCK", "REPORT", "SEARCH"} <= allowed
    assert "PUT" not in allowed
    dav.put("a.txt")
    item = set((dav.call("OPTIONS", "a.txt").header("allow") or "").split(", "))
    assert {"GET", "PUT", "PATCH", "DELETE", "MOVE"} <= item
    assert "SEARCH" not in item
    for place in ("a.txt", "/dav/", "/dav/drive/"):  # rfc5323#3.2
        assert dav.call("OPTIONS", place).header("dasl") is None


def test_options_before_login(server: TestServer) -> None:
    """Windows and Office ask what this is before they ask for a password; it tells nothing."""
    client = server.http()
    for path in ("/", "/dav/", "/dav/drive/", HOME, "/dav/calendars/999999/x", "/dav/nothing"):
        answer = client.request("OPTIONS", path)
        assert answer.status == 200, path
        assert (answer.header("dav") or "").startswith("1, 2, 3")
        assert answer.header("ms-author-via") == "DAV"
    assert client.request("PROPFIND", "/dav/").status == 401


def test_allow_of_refused_methods(dav: Dav) -> None:
    """405 says what would be allowed; a method that nothing has is 501. # rfc9110#15.5"""
    answer = dav.call("PUT", "/dav/drive/")
    assert answer.status == 405
    assert "PROPFIND" in (answer.header("allow") or "")
    dav.mkcol("folder")
    answer = dav.call("PUT", "folder", b"x")
    assert answer.status == 405
    assert "PROPFIND" in (answer.header("allow") or "")
    assert dav.call("BREW", "folder").status == 501
    assert dav.call("PROPFIND", "nothing", Depth="0").status == 404
    assert dav.call("SEARCH", "nothing").status == 404


def test_get_and_head(dav: Dav) -> None:
    """Octets come back as they were, with their type and validators."""
    # rfc9110#9.3.1, rfc9110#9.3.2
    made = dav.put("a.txt", b"hello", Content_Type="text/plain; charset=utf-8")
    answer = dav.call("GET", "a.txt")
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.header("content-type") == "text/plain; charset=utf-8"
    assert answer.header("etag") == made.header("etag")
    assert re.fullmatch(r'"[0-9a-f]{32}"', made.header("etag") or "")
    assert answer.header("accept-ranges") == "bytes"
    head = dav.call("HEAD", "a.txt")
    assert (head.status, head.header("content-length")) == (200, "5")
    assert head.header("etag") == made.header("etag")
    assert dav.call("GET", "b.txt").status == 404
    assert dav.call("HEAD", "b.txt").status == 404


def test_stored_pages_cannot_run(dav: Dav) -> None:
    """A page that somebody stores gets no rights of this server's origin."""
    dav.put("a.html", b"<script>alert(1)</script>", Content_Type="text/html")
    answer = dav.call("GET", "a.html")
    assert "sandbox" in (answer.header("content-security-policy") or "")
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cross-origin-resource-policy") == "same-origin"
    listing = dav.call("GET", "")
    assert listing.header("x-content-type-options") == "nosniff"
    assert "frame-ancestors 'none'" in (listing.header("content-security-policy") or "")


def test_large_files(dav: Dav) -> None:
    """What does not fit into the database streams in and out, also in chunks of unknown length."""
    dav.put("large", LARGE)
    assert dav.get("large") == LARGE
    pieces = [LARGE[start : start + 70_000] for start in range(0, len(LARGE), 70_000)]
    answer = dav.http.chunked("PUT", HOME + "chunked", pieces)
    assert answer.status == 201
    assert dav.get("chunked") == LARGE
    assert dav.call("GET", "large", Range="bytes=1000000-").body == LARGE[1_000_000:]


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=2-4", 2, 5), ("bytes=7-", 7, 10), ("bytes=-3", 7, 10),
     ("bytes=4-99", 4, 10), ("bytes=-99", 0, 10), (" bytes = 1-2", 1, 3)],
)  # fmt: skip
def test_one_range(dav: Dav, header: str, start: int, end: int) -> None:
    """First and last octet, from the end, and cut at the end. # rfc9110#14.2"""
    dav.put("a", b"0123456789")
    answer = dav.call("GET", "a", Range=header)
    assert (answer.status, answer.body) == (206, b"0123456789"[start:end])
    assert answer.header("content-range") == f"bytes {start}-{end - 1}/10"


def test_ranges_that_do_not_count(dav: Dav) -> None:
    """Other units, nonsense, overlaps: all of it. Outside: 416. HEAD has no ranges."""
    # rfc9110#14.2
    dav.put("a", b"0123456789")
    many = "bytes=" + ",".join(f"{at}-{at}" for at in range(60))
    for header in ("lines=1-2", "bytes=x", "bytes=5-2", "bytes=0-5,3-8", "bytes", many):
        assert dav.call("GET", "a", Range=header).status == 200, header
    for header in ("bytes=10-", "bytes=-0", "bytes=99-100"):
        answer = dav.call("GET", "a", Range=header)
        assert answer.status == 416, header
        assert answer.header("content-range") == "bytes */10"
    assert dav.call("HEAD", "a", Range="bytes=1-2").status == 200


def test_several_ranges(dav: Dav) -> None:
    """Each has its part; the length that was said is right (the client reads exactly that)."""
    # rfc9110#14.6
    for name, data in (("small", b"0123456789"), ("large", LARGE)):
        dav.put(name, data, Content_Type="text/plain")
        answer = dav.call("GET", name, Range="bytes=0-1,4-5,-1")
        assert answer.status == 206
        kind, _, boundary = (answer.header("content-type") or "").partition("; boundary=")
        assert kind == "multipart/byteranges"
        parts = answer.body.split(f"--{boundary}".encode())
        assert parts[0] == b"\r\n"
        assert parts[-1] == b"--\r\n"
        bodies = [part.split(b"\r\n\r\n", 1) for part in parts[1:-1]]
        assert [body.removesuffix(b"\r\n") for _, body in bodies] == [
            data[0:2], data[4:6], data[-1:]
        ]  # fmt: skip
        assert f"bytes 4-5/{len(data)}".encode() in bodies[1][0]
    assert dav.call("GET", "small").status == 200, "the connection is still in step"


def test_if_range(dav: Dav) -> None:
    """A range counts only while the item is the one that the client has a part of."""
    # rfc9110#13.1.5
    etag = dav.put("a", b"0123456789").header("etag")
    modified = dav.call("HEAD", "a").header("last-modified")
    for condition, status in (
        (etag, 206), (modified, 206), ('"other"', 200), (f"W/{etag}", 200),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 200), ("nonsense", 200),
    ):  # fmt: skip
        assert dav.call("GET", "a", Range="bytes=1-2", If_Range=condition).status == status


def test_conditions_of_reads(dav: Dav) -> None:
    """304 and 412 in the order of RFC 9110 section 13.2.2."""
    etag = dav.put("a", b"x").header("etag")
    modified = dav.call("HEAD", "a").header("last-modified")
    old, future = "Sun, 06 Nov 1994 08:49:37 GMT", "Fri, 06 Nov 2094 08:49:37 GMT"
    for fields, status in (
        ({"If_None_Match": etag}, 304),
        ({"If_None_Match": f"W/{etag}"}, 304),
        ({"If_None_Match": '"x", ' + str(etag)}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"x"'}, 200),
        ({"If_Modified_Since": modified}, 304),
        ({"If_Modified_Since": old}, 200),
        ({"If_Modified_Since": "nonsense"}, 200),
        ({"If_Modified_Since": modified, "If_None_Match": '"x"'}, 200),
        ({"If_Match": etag}, 200),
        ({"If_Match": '"x"'}, 412),
        ({"If_Match": f"W/{etag}"}, 412),
        ({"If_Unmodified_Since": old}, 412),
        ({"If_Unmodified_Since": future}, 200),
        ({"If_Unmodified_Since": old, "If_Match": etag}, 200),
    ):
        answer = dav.call("GET", "a", **fields)
        assert answer.status == status, fields
        if status == 304:
            assert answer.header("etag") == etag


def test_pages_for_people(dav: Dav) -> None:
    """A browser finds its way from the top to a file, and names cannot become markup."""
    # rfc4918#9.4
    dav.put("%3Cb%3E%26.txt", b"x")
    dav.mkcol("folder")
    assert "/dav/drive/" in dav.call("GET", "/dav/").text
    assert HOME in dav.call("GET", "/dav/drive/").text
    answer = dav.call("GET")
    assert (answer.header("content-type") or "").startswith("text/html")
    assert "<b>" not in answer.text
    assert "&lt;b&gt;&amp;.txt" in answer.text
    assert "folder/" in answer.text
    assert dav.call("HEAD").status == 200
    assert dav.call("GET", "folder").status == 200, "without a slash too"


def test_others_see_nothing(server: TestServer) -> None:
    """What belongs to another account is not there, and says so in the same words."""
    alice, bob = Dav(server), Dav(server)
    alice.put("a.txt", b"secret")
    home = f"/dav/calendars/{alice.account.space_id}/"
    nothing = bob.call("PROPFIND", "/dav/calendars/999999/", Depth="0")
    for method in ("PROPFIND", "GET", "REPORT", "DELETE", "PROPPATCH", "LOCK", "ACL"):
        answer = bob.call(method, home, Depth="0")
        assert answer.status == 404, method
        assert answer.body == nothing.body
    assert bob.call("GET", "a.txt").status == 404
    assert bob.call("MKCOL", home + "x").status == 404
    assert bob.call("PROPFIND", f"/dav/principals/users/{alice.account.space_id}/").status == 404


def test_methods_are_described() -> None:
    """Each method, report and interceptor names its source or effect."""
    registered = [
        *((entry.name, entry.handler) for found in REGISTRY.methods.values() for entry in found),
        *((entry.name, entry.handler) for found in REGISTRY.reports.values() for entry in found),
        *((entry.name, entry.getter) for found in REGISTRY.props.values() for entry in found),
    ]
    assert len(registered) > 60
    for name, handler in registered:
        assert handler is None or handler.__doc__, name
    for handler in REGISTRY.interceptors:
        assert handler.__doc__, handler
