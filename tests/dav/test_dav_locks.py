"""LOCK, UNLOCK and the If header (RFC 4918 sections 6, 7, 9.10, 9.11, 10.4)."""

from __future__ import annotations

import pytest

from folkmoot.storage.engine.db import Row
from folkmoot.storage.types_tree import TreePath
from folkmoot.storage.views import tree_locks
from tests.kit.dav import HOME, LOCK, Dav, conditions
from tests.kit.server import TestServer

EXCLUSIVE = LOCK.format(scope="exclusive", owner="me")


def tokens(dav: Dav, path: str) -> set[str]:
    """Lock tokens that lockdiscovery shows."""
    found = dav.propfind(path, "lockdiscovery").only.props[200]["{DAV:}lockdiscovery"]
    return {"".join(token.itertext()) for token in found.iter("{DAV:}locktoken")}


def if_(token: str) -> str:
    """An If header with one token."""
    return f"(<{token}>)"


def test_lock_keeps_others_out(any_server: TestServer) -> None:
    """Without the token nothing changes it, with the token everything does."""
    # rfc4918#7, rfc4918#9.10
    dav = Dav(any_server)
    dav.put("a", b"1")
    token = dav.lock("a", Depth="0")
    assert token.startswith("urn:uuid:")
    assert tokens(dav, "a") == {token}
    for method, fields in (
        ("PUT", {}),
        ("DELETE", {}),
        ("MOVE", {"Destination": HOME + "b"}),
        ("PROPPATCH", {}),
    ):
        body = "<D:propertyupdate xmlns:D='DAV:'/>" if method == "PROPPATCH" else None
        answer = dav.call(method, "a", body, **fields)
        assert (answer.status, conditions(answer)) == (423, ["lock-token-submitted"]), method
        assert f"<D:href>{HOME}a</D:href>" in answer.text
    dav.put("b", b"2")
    assert dav.call("COPY", "b", Destination=HOME + "a").status == 423
    assert dav.call("COPY", "a", Destination=HOME + "c").status == 201, "reading is free"
    assert tokens(dav, "c") == set(), "locks are not copied"
    dav.put("a", b"3", If=if_(token))
    assert dav.call("DELETE", "a", If=if_(token)).status == 204
    assert dav.call("UNLOCK", "a", Lock_Token=f"<{token}>").status in (404, 409)
    dav.put("a", b"4")


def test_moves_leave_locks_behind(any_dav: Dav) -> None:
    """What moves is unlocked, and its old place too. # rfc4918#7.5"""
    any_dav.put("a")
    token = any_dav.lock("a")
    assert any_dav.call("MOVE", "a", Destination=HOME + "b", If=if_(token)).status == 201
    assert tokens(any_dav, "b") == set()
    any_dav.put("a", b"2")
    any_dav.put("b", b"2")


def test_unlock(any_dav: Dav) -> None:
    """By the right token at a place that it covers; also without angle brackets. # rfc4918#9.11"""
    any_dav.put("a")
    any_dav.put("b")
    token = any_dav.lock("a")
    assert any_dav.call("UNLOCK", "a").status == 400
    for path, wrong in (("b", token), ("a", "urn:uuid:other")):
        answer = any_dav.call("UNLOCK", path, Lock_Token=f"<{wrong}>")
        assert (answer.status, conditions(answer)) == (409, ["lock-token-matches-request-uri"])
    assert any_dav.call("UNLOCK", "a", Lock_Token=token).status == 204
    assert tokens(any_dav, "a") == set()
    any_dav.put("a", b"2")


def test_scopes(any_dav: Dav) -> None:
    """Shared locks beside each other, exclusive ones alone. # rfc4918#6.2"""
    any_dav.put("a")
    first = any_dav.lock("a", "shared")
    second = any_dav.lock("a", "shared")
    assert tokens(any_dav, "a") == {first, second}
    assert any_dav.call("LOCK", "a", EXCLUSIVE).status == 423
    assert any_dav.call("PUT", "a", b"2").status == 423
    any_dav.put("a", b"2", If=if_(second))
    assert any_dav.unlock("a", first) == 204
    assert any_dav.unlock("a", second) == 204
    any_dav.lock("a")
    assert any_dav.call("LOCK", "a", LOCK.format(scope="shared", owner="x")).status == 423


def test_depth_of_locks(any_dav: Dav) -> None:
    """Infinity covers all below, now and later; 0 covers what the folder has as members."""
    # rfc4918#9.10.3
    any_dav.mkcol("folder")
    any_dav.put("folder/a")
    token = any_dav.lock("folder", Depth="infinity")
    assert tokens(any_dav, "folder/a") == {token}
    for method, path in (("PUT", "folder/a"), ("PUT", "folder/new"), ("MKCOL", "folder/x")):
        answer = any_dav.call(method, path, b"x" if method == "PUT" else None)
        assert answer.status == 423, path
        assert f"<D:href>{HOME}folder" in answer.text
    any_dav.put("folder/new", b"x", If=f"<{HOME}folder/> ({'<' + token + '>'})")
    assert tokens(any_dav, "folder/new") == {token}
    listed = any_dav.propfind("folder", "lockdiscovery", depth=1)
    assert all("locktoken" in found.tags("lockdiscovery") for found in listed.responses)
    assert any_dav.unlock("folder/a", token) == 204, "by any resource that it covers"
    token = any_dav.lock("folder", Depth="0")
    any_dav.put("folder/a", b"changed")
    assert any_dav.call("PUT", "folder/other", b"x").status == 423
    assert any_dav.call("DELETE", "folder/a").status == 423
    assert any_dav.call("DELETE", "folder/a", If=f"<{HOME}folder/> (<{token}>)").status == 204
    assert any_dav.call("LOCK", "folder", EXCLUSIVE, Depth="1").status == 400


def test_locks_inside_a_folder(any_dav: Dav) -> None:
    """A lock below stops a lock of the whole, and its removal; the answer says where it is."""
    # rfc4918#9.10.3
    any_dav.mkcol("folder")
    any_dav.put("folder/a")
    token = any_dav.lock("folder/a")
    for method in ("DELETE", "LOCK"):
        answer = any_dav.call(method, "folder", EXCLUSIVE if method == "LOCK" else None)
        assert answer.status == 423
        assert f"<D:href>{HOME}folder/a</D:href>" in answer.text
    tagged = f"<{HOME}folder/a> (<{token}>)"
    assert any_dav.call("DELETE", "folder", If=tagged).status == 204


def test_names_that_are_not_there_yet(any_dav: Dav) -> None:
    """Locking one makes an empty file there, that stays when the lock goes. # rfc4918#7.3"""
    answer = any_dav.call("LOCK", "new", EXCLUSIVE)
    assert answer.status == 201
    token = (answer.header("lock-token") or "").strip("<>")
    assert any_dav.get("new") == b""
    assert any_dav.call("PUT", "new", b"x").status == 423
    assert any_dav.call("PUT", "new", b"x", If=if_(token)).status == 204
    assert any_dav.unlock("new", token) == 204
    assert any_dav.get("new") == b"x"
    assert any_dav.call("LOCK", "no/new", EXCLUSIVE).status == 409
    assert any_dav.call("LOCK", "/dav/drive/new", EXCLUSIVE).status == 403


def test_refresh(any_dav: Dav) -> None:
    """Without a body, by the If header; the time begins anew, the token stays. # rfc4918#9.10.2"""
    any_dav.put("a")
    token = any_dav.lock("a", Timeout="Second-100")
    answer = any_dav.call("LOCK", "a", If=if_(token), Timeout="Second-5000")
    assert answer.status == 200
    assert answer.header("lock-token") is None
    assert token in answer.text
    assert "Second-5000" in answer.text or "Second-4999" in answer.text
    assert any_dav.call("LOCK", "a").status == 400
    assert any_dav.call("LOCK", "a", If="(<urn:uuid:other>)").status == 412


@pytest.mark.parametrize(
    ("asked", "granted"),
    [("Second-600", 600), ("Infinite", 3600), ("Infinite, Second-4100000000", 3600),
     ("Second-4100000000", 86400), ("x", 3600), (None, 3600), ("Second-0", 1)],
)  # fmt: skip
def test_timeouts_are_bounded(dav: Dav, asked: str | None, granted: int) -> None:
    """An hour without a wish, a day at most. # rfc4918#10.7, rfc4918#6.6"""
    dav.put("a")
    answer = dav.call("LOCK", "a", EXCLUSIVE, Timeout=asked)
    assert any(f"Second-{left}<" in answer.text for left in (granted, granted - 1)), answer.text


def test_bodies_of_locks(dav: Dav) -> None:
    """What is no lockinfo is 400; the owner is given back as it was. # rfc4918#9.10"""
    dav.put("a")
    for wrong in (
        "<x/>", EXCLUSIVE.replace("exclusive", "other"), EXCLUSIVE.replace("write", "read"),
        '<D:lockinfo xmlns:D="DAV:"/>', "no xml",
    ):  # fmt: skip
        assert dav.call("LOCK", "a", wrong).status == 400, wrong
    answer = dav.call(
        "LOCK", "a", LOCK.format(scope="exclusive", owner="<D:href>mailto:x</D:href>")
    )
    assert "<D:href>mailto:x</D:href>" in answer.text
    large = LOCK.format(scope="shared", owner="x" * 10_000)
    dav.put("b")
    assert dav.call("LOCK", "b", large).status == 507


def test_if_headers(any_dav: Dav) -> None:
    """Lists, tags, Not, entity tags: one list must hold, and whole. # rfc4918#10.4"""
    # rfc4918#10.4.1, rfc4918#10.4.4
    dav = any_dav
    etag = dav.put("a", b"1").header("etag")
    dav.put("b", b"1")
    token = dav.lock("a")
    base = f"http://{dav.http.host}{HOME}"
    for header, status in (
        (f"(<{token}> [{etag}])", 204),
        (f'(<{token}> ["other"])', 412),
        (f'(<{token}> ["other"]) (<{token}>)', 204),
        (f"(<{token}>) (Not <DAV:no-lock>)", 204),
        (f"(<DAV:no-lock>) (<{token}>)", 204),
        ("(<DAV:no-lock>)", 412),
        ("(Not <DAV:no-lock>)", 423),
        (f"(Not <{token}>)", 412),
        (f'([W/{etag}] <{token}>)', 412),
        (f"<{base}a> (<{token}>)", 204),
        (f"<{HOME}a> (<{token}>)", 204),
        (f"<{HOME}b> (<{token}>)", 412),
        (f"<http://other.example/a> (<{token}>)", 412),
        (f"<http://other.example/a> (Not <{token}>) (<{token}>)", 204),
        (f"<{HOME}b> (Not <urn:x>) <{HOME}a> (<{token}>)", 204),
    ):  # fmt: skip
        answer = dav.call("PUT", "a", b"1", If=header)
        assert answer.status == status, header


@pytest.mark.parametrize(
    "header",
    ["", "(", "()", "x", "<urn:x>", "(<urn:x>", "(Not)", "(Not Not <urn:x>)", "([)", '(["x)',
     "(<urn:x>) <http://a/> (<urn:y>)", "(<>)", "(<urn:x>) x", "(" + "<urn:x> " * 300 + ")"],
)  # fmt: skip
def test_if_headers_against_the_grammar(dav: Dav, header: str) -> None:
    """400, and nothing is written. # rfc4918#10.4.2"""
    assert dav.call("PUT", "a", b"1", If=header).status == 400
    assert dav.call("GET", "a").status == 404


def test_if_with_sync_tokens(dav: Dav) -> None:
    """A write can be made to depend on the state of its collection. # rfc6578#5"""
    state = dav.propfind("", "sync-token").only.text("sync-token")
    header = f"<{HOME}> (<{state}>)"
    dav.put("a", b"1", If=header)
    assert dav.call("PUT", "a", b"2", If=header).status == 412


def test_calendars_lock_nothing_new(dav: Dav) -> None:
    """A name in an address book cannot be reserved: an empty file is no contact."""
    home = f"/dav/contacts/{dav.account.space_id}/"
    body = (
        '<D:mkcol xmlns:D="DAV:"><D:set><D:prop><D:resourcetype><D:collection/>'
        '<C:addressbook xmlns:C="urn:ietf:params:xml:ns:carddav"/>'
        "</D:resourcetype></D:prop></D:set></D:mkcol>"
    )
    assert dav.call("MKCOL", home + "book", body).status == 201
    assert dav.call("LOCK", home + "book/x.vcf", EXCLUSIVE).status == 404


def test_locks_of_neighbours_cost_nothing(dav: Dav, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write looks at the locks of its own name and above, not at those of all its siblings."""
    for number in range(30):
        dav.lock(f"n{number}")
    seen: list[str] = []
    made = tree_locks._lock

    def make(row: Row, here: TreePath, shown: str) -> tree_locks.FoundLock:
        seen.append(row[0])
        return made(row, here, shown)

    monkeypatch.setattr(tree_locks, "_lock", make)
    dav.put("other")
    assert dav.call("PUT", "n3", b"x").status == 423
    assert len(seen) <= 3
