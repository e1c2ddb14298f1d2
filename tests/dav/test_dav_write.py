"""PUT, PATCH, POST and DELETE: what is stored, when it is refused, what is left behind."""

from __future__ import annotations

import socket

import pytest

from folkmoot.storage.types import Limit, Tool
from tests.kit.dav import HOME, Dav, conditions
from tests.kit.server import TestServer
from tests.kit.waiting import until

PARTIAL = "application/x-sabredav-partialupdate"
LARGE = bytes(range(256)) * 4096


def test_put_makes_and_replaces(any_dav: Dav) -> None:
    """201 with a tag, then 204 with another one. # rfc9110#9.3.4"""
    first = any_dav.put("a.txt", b"one")
    second = any_dav.put("a.txt", b"two")
    assert (first.status, second.status) == (201, 204)
    assert first.header("etag") != second.header("etag")
    assert any_dav.get("a.txt") == b"two"
    assert any_dav.propfind("", "getetag", depth=1)[HOME + "a.txt"].text("getetag") == (
        second.header("etag")
    )


def test_put_needs_a_folder(dav: Dav) -> None:
    """409 without a parent, 405 onto a folder, 403 where nothing can be made."""
    # rfc4918#9.7.1, rfc4918#9.7.2
    assert dav.call("PUT", "no/a.txt", b"x").status == 409
    dav.mkcol("folder")
    assert dav.call("PUT", "folder/", b"x").status in (405, 409)
    assert dav.call("PUT", "new/", b"x").status == 409
    assert dav.call("PUT", "/dav/drive/a.txt", b"x").status == 403
    assert dav.call("PUT", "/dav/a.txt", b"x").status == 403
    home = f"/dav/calendars/{dav.account.space_id}"
    assert dav.call("PUT", home, b"x").status == 405


def test_conditions_of_put(any_dav: Dav) -> None:
    """If-Match, If-None-Match and If-Unmodified-Since are judged with the write."""
    # rfc9110#13.1.1, rfc9110#13.1.2, rfc9110#13.1.4
    dav = any_dav
    assert dav.call("PUT", "a", b"1", If_Match="*").status == 412
    assert dav.call("PUT", "a", b"1", If_Match='"x"').status == 412
    etag = dav.put("a", b"1", If_None_Match="*").header("etag") or ""
    assert dav.call("PUT", "a", b"2", If_None_Match="*").status == 412
    assert dav.call("PUT", "a", b"2", If_None_Match=etag).status == 412
    assert dav.call("PUT", "a", b"2", If_Match='"x"').status == 412
    assert dav.call("PUT", "a", b"2", If_Match=f"W/{etag}").status == 412
    old = "Sun, 06 Nov 1994 08:49:37 GMT"
    assert dav.call("PUT", "a", b"2", If_Unmodified_Since=old).status == 412
    assert dav.get("a") == b"1"
    # Evolution sends the tag's quotes escaped.
    escaped = etag.replace('"', '\\"')
    etag = dav.put("a", b"2", If_Match=escaped).header("etag") or ""
    dav.put("a", b"3", If_Match=f'"x", {etag}')
    assert dav.call("DELETE", "a", If_Match=etag).status == 412
    assert dav.call("PUT", "a", b"4", If_Match="no quotes").status == 400


def test_times_of_clients(dav: Dav) -> None:
    """X-OC-MTime is kept and shown by every reading; nonsense is ignored."""
    answer = dav.put("a", b"x", X_OC_MTime="784111777.5")
    assert answer.header("x-oc-mtime") == "accepted"
    assert dav.call("HEAD", "a").header("last-modified") == "Sun, 06 Nov 1994 08:49:37 GMT"
    shown = dav.propfind("a", "getlastmodified").only.text("getlastmodified")
    assert shown == "Sun, 06 Nov 1994 08:49:37 GMT"
    for wrong in ("never", "-5", "1e400", "nan"):
        dav.put("b", b"x", X_OC_MTime=wrong)
        year = (dav.call("HEAD", "b").header("last-modified") or "").split()[3]
        assert int(year) >= 2026


def test_representation(dav: Dav) -> None:
    """RFC 8144: who prefers it gets what is stored with the answer to the write."""
    # rfc8144#3, rfc7240#3
    prefer = {"Prefer": "return=representation"}
    answer = dav.put("a", b"one", Content_Type="text/plain", **prefer)
    assert (answer.status, answer.body) == (201, b"one")
    assert answer.header("content-type") == "text/plain"
    assert answer.header("content-location") == HOME + "a"
    assert answer.header("preference-applied") == "return=representation"
    answer = dav.call("PUT", "a", LARGE, **prefer)
    assert (answer.status, answer.body) == (200, LARGE)
    assert answer.header("etag") == dav.call("HEAD", "a").header("etag")
    fields = {"Content_Type": PARTIAL, "X_Update_Range": "bytes=2-", **prefer}
    answer = dav.call("PATCH", "a", b"AB", **fields)
    assert (answer.status, answer.body) == (200, LARGE[:2] + b"AB" + LARGE[4:])
    dav.mkcol("folder")
    answer = dav.call("POST", "folder", b"new", **prefer)
    assert (answer.status, answer.body) == (201, b"new")
    assert answer.header("content-location") == answer.header("location")


def test_names_are_kept_and_compared_in_nfc(dav: Dav) -> None:
    """One file whichever way its name is written; the way it was given first is listed."""
    dav.put("cafe%CC%81", b"1")
    assert dav.call("PUT", "caf%C3%A9", b"2").status == 204
    assert dav.get("cafe%CC%81") == b"2"
    assert len(dav.propfind("", "getetag", depth=1).hrefs) == 2
    for name in (
        "%20x",
        "a%3Fb",
        "a%23b",
        "a%25b",
        "a%5Cb",
        "%E2%98%83",
        "a+b&c'd\"e".replace('"', "%22"),
    ):
        dav.put(name, name)
        assert dav.get(name) == name.encode()
        hrefs = dav.propfind("", "getetag", depth=1).hrefs
        assert any(dav.call("GET", href).body == name.encode() for href in hrefs if href != HOME)


def test_too_large_is_refused_before_it_is_sent(server: TestServer) -> None:
    """413 and 507 by what the client says, without reading gigabytes; nothing is stored."""
    # rfc9110#10.1.1, rfc4331#6
    account = server.account(limits={Tool.DOCUMENTS: Limit(1_000_000, 10)})
    dav = Dav(server, account)
    dav.http.head("PUT", HOME + "a", [("Expect", "100-continue")], length=5 << 30)
    answer = dav.http.answer("PUT")
    assert answer.status == 507
    assert conditions(answer) == ["quota-not-exceeded"]
    dav = Dav(server, account)
    dav.http.head("PUT", HOME + "a", length=1 << 50)
    assert dav.http.answer("PUT").status == 413
    dav = Dav(server, account)
    assert dav.call("GET", "a").status == 404
    assert dav.call("PUT", "a", b"x" * 1_000_001).status == 507
    assert Dav(server, account).put("a", b"x" * 1000).status == 201


def test_counts_are_limited(server: TestServer) -> None:
    """One item more than the plan has is 507; replacing one is not one more."""
    dav = Dav(server, server.account(limits={Tool.DOCUMENTS: Limit(None, 2)}))
    dav.put("a")
    dav.put("b")
    assert dav.call("PUT", "c", b"x").status == 507
    dav.put("a", b"other")
    assert dav.call("COPY", "a", Destination=HOME + "c").status == 507
    assert dav.call("DELETE", "b").status == 204
    dav.put("c")


def test_a_client_that_stops_leaves_nothing(server: TestServer) -> None:
    """Half a PUT is no file, and does not replace one; its octets are gone from the disk."""
    dav = Dav(server)
    dav.put("old", b"old")
    for name in ("old", "new"):
        client = server.http(dav.account)
        client.head("PUT", HOME + name, length=3_000_000)
        client.send(b"x" * 1_000_000)
        client.socket.shutdown(socket.SHUT_RDWR)
        client.close()
    assert dav.get("old") == b"old"
    assert dav.call("GET", "new").status == 404
    temporary = server.folder / "blobs" / "tmp"
    until(lambda: not any(temporary.glob("*")))


# --- parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "sent", "expected"),
    [("append", b"AB", b"0123456789AB"), ("bytes=3-", b"AB", b"012AB56789"),
     ("bytes=3-4", b"AB", b"012AB56789"), ("bytes=-2", b"AB", b"01234567AB"),
     ("bytes=9-", b"ABC", b"012345678ABC"), ("bytes=10-", b"A", b"0123456789A")],
)  # fmt: skip
def test_patch(dav: Dav, where: str, sent: bytes, expected: bytes) -> None:
    """sabre's partial update: in the middle, at the end, beyond it."""
    old = dav.put("a", b"0123456789", Content_Type="text/x-kept").header("etag")
    answer = dav.call("PATCH", "a", sent, Content_Type=PARTIAL, X_Update_Range=where)
    assert answer.status == 204
    assert dav.get("a") == expected
    assert dav.call("HEAD", "a").header("content-type") == "text/x-kept"
    assert answer.header("etag") == dav.call("HEAD", "a").header("etag") != old


def test_patch_refusals(dav: Dav) -> None:
    """Wrong types, ranges and tags change nothing."""
    etag = dav.put("a", b"0123456789").header("etag")
    for status, fields in (
        (415, {"Content_Type": "text/plain", "X_Update_Range": "append"}),
        (400, {"Content_Type": PARTIAL}),
        (400, {"Content_Type": PARTIAL, "X_Update_Range": "lines=1"}),
        (416, {"Content_Type": PARTIAL, "X_Update_Range": "bytes=11-"}),
        (416, {"Content_Type": PARTIAL, "X_Update_Range": "bytes=-11"}),
        (416, {"Content_Type": PARTIAL, "X_Update_Range": "bytes=1-5"}),
        (412, {"Content_Type": PARTIAL, "X_Update_Range": "append", "If_Match": '"x"'}),
    ):
        assert dav.call("PATCH", "a", b"AB", **fields).status == status, fields
    chunked = [("Content-Type", PARTIAL), ("X-Update-Range", "append")]
    assert dav.http.chunked("PATCH", HOME + "a", [b"AB"], chunked).status == 411
    assert dav.call("PATCH", "b", b"AB", Content_Type=PARTIAL).status == 404
    assert dav.call("HEAD", "a").header("etag") == etag


def test_parts_by_content_range(dav: Dav) -> None:
    """curl's resumed upload: parts of a large file, one behind the other. # rfc9110#14.4"""
    for start in range(0, len(LARGE), 300_000):
        part = LARGE[start : start + 300_000]
        header = f"bytes {start}-{start + len(part) - 1}/{len(LARGE)}"
        dav.put("a", part, Content_Range=header)
    assert dav.get("a") == LARGE
    assert dav.call("PUT", "a", b"x", Content_Range="bytes 2000000-2000000/*").status == 416
    for wrong in ("bytes 5-2/9", "bytes 0-5/9", "lines 0-0/1", "bytes */5"):
        assert dav.call("PUT", "a", b"x", Content_Range=wrong).status == 400, wrong
    assert dav.call("PUT", "b", b"x", Content_Range="bytes 1-1/2").status == 416
    assert dav.call("GET", "b").status == 404
    dav.mkcol("c")
    assert dav.call("PUT", "c", b"x", Content_Range="bytes 0-0/1").status == 405


# --- POST and DELETE ------------------------------------------------------------------------------


def test_add_member(dav: Dav) -> None:
    """RFC 5995: POST to where add-member says makes a member, each time another one."""
    # rfc5995#3.1, rfc5995#3.2.1
    dav.mkcol("folder")
    [to] = dav.propfind("folder", "add-member").only.props[200].values()
    url = "".join(to.itertext())
    assert url == HOME + "folder/"
    places = set()
    for _ in range(2):
        answer = dav.call("POST", url, b"hello", Content_Type="text/plain")
        assert answer.status == 201
        assert answer.header("etag")
        location = answer.header("location") or ""
        assert location.startswith(f"http://{dav.http.host}{url}")
        assert location.endswith(".txt")
        places.add(location.removeprefix(f"http://{dav.http.host}"))
    assert len(places) == 2
    assert all(dav.call("GET", place).body == b"hello" for place in places)
    [to] = dav.propfind("", "add-member").only.props[200].values()
    assert "".join(to.itertext()) == HOME
    assert dav.call("POST", HOME, b"hello", Content_Type="text/plain").status == 201
    for nowhere in ("/dav/drive/", f"/dav/calendars/{dav.account.space_id}/"):
        assert dav.call("POST", nowhere, b"x").status == 405
        assert "add-member" in dav.propfind(nowhere, "add-member").only.names(404)


def test_delete(any_dav: Dav) -> None:
    """Items and whole folders, once; roots stay. # rfc4918#9.6"""
    dav = any_dav
    dav.mkcol("folder")
    dav.mkcol("folder/below")
    for name in ("a", "folder/b", "folder/below/c"):
        dav.put(name)
    assert dav.call("DELETE", "a").status == 204
    assert dav.call("DELETE", "a").status == 404
    assert dav.call("DELETE", "folder", Depth="0").status == 400
    assert dav.call("DELETE", "folder/").status == 204
    assert dav.call("GET", "folder/below/c").status == 404
    assert dav.propfind("", "getetag", depth=1).hrefs == [HOME]
    assert dav.call("DELETE", HOME).status == 403
    assert dav.call("DELETE", "/dav/drive/").status == 405
