"""Reports: sync-collection, expand-property, those about principals; and the ACL method."""

from __future__ import annotations

import pytest

from folkmoot.storage.mutations.accounts import AddAddress
from folkmoot.storage.mutations.upkeep import TrimLog
from folkmoot.storage.types import Actor
from tests.kit.dav import HOME, D, Dav, conditions
from tests.kit.server import TestServer


def gone(found: object) -> set[str]:
    """Hrefs that a sync answer says are removed."""
    return {one.href for one in found.responses if one.status == 404}  # type: ignore[attr-defined]


# --- sync-collection ------------------------------------------------------------------------------


def test_sync(any_dav: Dav) -> None:
    """First everything, then what changed and what is gone, and then nothing. # rfc6578#3.2"""
    dav = any_dav
    dav.mkcol("folder")
    dav.put("a", b"1")
    dav.put("b", b"1")
    first = dav.sync("")
    assert set(first.hrefs) == {HOME + "folder/", HOME + "a", HOME + "b"}
    assert first[HOME + "a"].text("getetag") == dav.call("HEAD", "a").header("etag")
    assert dav.sync("", first.sync_token).hrefs == []
    assert dav.sync("", first.sync_token).sync_token == first.sync_token
    dav.put("a", b"2")
    dav.call("DELETE", "b")
    dav.put("c", b"1")
    second = dav.sync("", first.sync_token)
    assert set(second.hrefs) - gone(second) == {HOME + "a", HOME + "c"}
    assert gone(second) == {HOME + "b"}
    dav.call("MOVE", "c", Destination=HOME + "d")
    third = dav.sync("", second.sync_token)
    assert set(third.hrefs) - gone(third) == {HOME + "d"}
    assert gone(third) == {HOME + "c"}
    assert dav.propfind("", "sync-token").only.text("sync-token") == third.sync_token


def test_what_comes_and_goes_between(any_dav: Dav) -> None:
    """Something made and removed since is told as removed; something back again as there."""
    # rfc6578#3.5.2
    any_dav.put("a", b"1")
    token = any_dav.sync("").sync_token
    any_dav.put("b", b"1")
    any_dav.call("DELETE", "b")
    any_dav.call("DELETE", "a")
    any_dav.put("a", b"2")
    found = any_dav.sync("", token)
    assert gone(found) <= {HOME + "b"}
    assert HOME + "a" in set(found.hrefs) - gone(found)


def test_sync_with_limit(any_dav: Dav) -> None:
    """Cut-short answers say so, and their tokens go on where they ended. # rfc6578#3.6"""
    for number in range(7):
        any_dav.put(f"{number}", b"x")
    any_dav.call("DELETE", "3")
    seen: list[str] = []
    token, rounds = "", 0
    while True:
        found = any_dav.sync("", token, limit=2)
        rounds += 1
        cut = [one for one in found.responses if one.status == 507]
        seen += [one.href for one in found.responses if one.status == 0]
        token = found.sync_token
        if not cut:
            break
        assert cut[0].href == HOME
        assert cut[0].errors == ["number-of-matches-within-limits"]
        assert len(found.responses) == 3
    assert 3 <= rounds <= 4, "the removed one may be told too"
    assert sorted(seen) == [f"{HOME}{number}" for number in (0, 1, 2, 4, 5, 6)]
    assert any_dav.sync("", token).hrefs == []


@pytest.mark.parametrize("count", [19, 20, 21, 40, 47])
def test_more_than_a_page(paged: Dav, count: int) -> None:
    """However many there are: sync and listings have neither gaps nor overlaps."""
    paged.mkcol("folder")
    for number in range(count):
        path = f"folder/{number}"
        paged.mkcol(path) if number % 2 else paged.put(path)
    found = paged.sync("folder")
    assert len(found.hrefs) == len(set(found.hrefs)) == count
    for name in ("getetag", "lockdiscovery"):
        listed = paged.propfind("folder", name, depth=1).hrefs
        assert sorted(listed[1:]) == sorted(found.hrefs), name
    assert paged.call("GET", "folder").text.count("<tr>") == count + 1
    assert paged.sync("folder", found.sync_token).hrefs == []


def test_tokens_of_others(dav: Dav) -> None:
    """A token of another collection, of the future or of nobody is refused. # rfc6578#3.2"""
    dav.mkcol("folder")
    other = dav.sync("folder").sync_token
    mine = dav.sync("").sync_token
    future = mine.rpartition("-")[0] + "-999999"
    body = (
        '<D:sync-collection xmlns:D="DAV:"><D:sync-token>{}</D:sync-token>'
        "<D:sync-level>{}</D:sync-level>{}<D:prop/></D:sync-collection>"
    )
    for wrong in (other, future, "http://example.com/1", "x"):
        answer = dav.call("REPORT", "", body.format(wrong, 1, ""))
        assert (answer.status, conditions(answer)) == (403, ["valid-sync-token"]), wrong
    answer = dav.call("REPORT", "", body.format("", "infinite", ""))
    assert (answer.status, conditions(answer)) == (403, ["sync-traversal-supported"])
    assert dav.call("REPORT", "", body.format("", 2, "")).status == 400
    assert dav.call("REPORT", "", body.format("", 1, ""), Depth="infinity").status == 400
    for wrong in ("0", "-1", "x", ""):
        limit = f"<D:limit><D:nresults>{wrong}</D:nresults></D:limit>"
        assert dav.call("REPORT", "", body.format("", 1, limit)).status == 400, wrong
    assert dav.call("REPORT", "", '<D:sync-collection xmlns:D="DAV:"/>').status == 400
    answer = dav.call("REPORT", "/dav/drive/", body.format("", 1, ""))
    assert conditions(answer) == ["supported-report"]


def test_sync_of_homes(dav: Dav) -> None:
    """A home tells of its calendars; removed ones with the slash of a collection."""
    # rfc6578#3.5.1, rfc6578#3.5.2
    home = f"/dav/contacts/{dav.account.space_id}/"
    token = dav.sync(home).sync_token
    body = (
        '<D:mkcol xmlns:D="DAV:"><D:set><D:prop><D:resourcetype><D:collection/>'
        '<C:addressbook xmlns:C="urn:ietf:params:xml:ns:carddav"/>'
        "</D:resourcetype></D:prop></D:set></D:mkcol>"
    )
    assert dav.call("MKCOL", home + "book", body).status == 201
    found = dav.sync(home, token)
    assert found.hrefs == [home + "book/"]
    dav.call("DELETE", home + "book")
    assert gone(dav.sync(home, found.sync_token)) == {home + "book/"}


# --- expand-property ------------------------------------------------------------------------------


def test_expand_property(dav: Dav) -> None:
    """Hrefs become responses, on several levels. # rfc3253#3.8"""
    dav.put("a")
    me = f"/dav/principals/users/{dav.account.space_id}/"
    found = dav.report(
        "a",
        '<D:expand-property xmlns:D="DAV:"><D:property name="getetag"/>'
        '<D:property name="owner"><D:property name="displayname"/><D:property name="no"/>'
        '<D:property name="principal-URL"><D:property name="group"/></D:property>'
        "</D:property></D:expand-property>",
    ).only
    assert found.text("getetag") == dav.call("HEAD", "a").header("etag")
    [response] = found.props[200][D + "owner"]
    assert response.tag == D + "response"
    assert response.findtext(D + "href") == me
    inner = response.find(f".//{D}principal-URL/{D}response")
    assert inner is not None
    assert inner.findtext(D + "href") == me
    assert "404" in (response.findall(f"{D}propstat")[1].findtext(D + "status") or "")


def test_expand_property_is_bounded(dav: Dav) -> None:
    """Levels and properties have an end; names must be names. # rfc3253#3.8"""
    inside = '<D:property name="getetag"/>'
    for _ in range(20):
        inside = f'<D:property name="owner">{inside}</D:property>'
    body = f'<D:expand-property xmlns:D="DAV:">{inside}</D:expand-property>'
    assert dav.call("REPORT", "", body).body.count(b"<D:response>") < 10
    many = "".join(f'<D:property name="a{number}"/>' for number in range(600))
    body = f'<D:expand-property xmlns:D="DAV:">{many}</D:expand-property>'
    assert dav.call("REPORT", "", body).status == 400
    body = '<D:expand-property xmlns:D="DAV:"><D:property name="a b&gt;"/></D:expand-property>'
    assert dav.call("REPORT", "", body).status == 400


# --- principals -----------------------------------------------------------------------------------


def search(*terms: tuple[str, str], more: str = "", test: str = "") -> str:
    """A principal-property-search for texts in properties."""
    found = "".join(
        f"<D:property-search><D:prop><D:{name}/></D:prop><D:match>{match}</D:match>"
        "</D:property-search>"
        for name, match in terms
    )
    return (
        f'<D:principal-property-search xmlns:D="DAV:"{test}>{found}'
        f"<D:prop><D:displayname/></D:prop>{more}</D:principal-property-search>"
    )


def test_principal_property_search(server: TestServer) -> None:
    """Oneself by parts of the name; others by their whole address only. # rfc3744#9.4"""
    alice = Dav(server, server.account("alice"))
    bob = server.account("bob")
    me, other = (f"/dav/principals/users/{n}/" for n in (alice.account.space_id, bob.space_id))
    name, mail = "displayname", "alternate-URI-set"
    for body, expected in (
        (search((name, "ALI")), [me]),
        (search((name, "bo")), []),
        (search((mail, bob.address)), [other]),
        (search((mail, "mailto:" + bob.address.upper())), [other]),
        (search((mail, "nobody@example.test")), []),
        (search((name, "ali"), (mail, "alice")), [me]),
        (search((name, "ali"), (mail, "bob")), []),
        (search((name, "ali"), (mail, "bob"), test=' test="anyof"'), [me]),
        (search(("getetag", "x")), []),
    ):
        assert alice.report("/dav/principals/", body).hrefs == expected, body
    everywhere = search((name, "ali"), more="<D:apply-to-principal-collection-set/>")
    assert alice.report(HOME, everywhere).hrefs == [me]
    assert alice.report(HOME, search((name, "ali"))).hrefs == []
    assert alice.report("/dav/principals/", search()).hrefs == [me]
    assert alice.report("/dav/", search((name, "ali"))).hrefs == [me]
    beside = search().replace("<D:prop><D:displayname/></D:prop>", "<D:prop/><D:displayname/>")
    assert alice.report("/dav/", beside).only.names() == {"displayname"}
    assert alice.call("REPORT", "/dav/principals/", search((name, "a")), Depth="1").status == 400
    many = search(*[(name, "a")] * 30)
    assert alice.call("REPORT", "/dav/principals/", many).status == 400


def test_other_addresses_of_strangers_are_not_told(server: TestServer) -> None:
    """Who knows one address of somebody learns none of the others."""
    dav, bob = Dav(server), server.account()
    alias = AddAddress(bob.id, f"alias-of-{bob.address}")
    server.store.call(Actor.system("test"), "alias", lambda txn: txn.apply(alias))
    asked = "<D:displayname/></D:prop></D:principal"
    more = asked.replace("</D:prop>", "<D:alternate-URI-set/></D:prop>")
    found = search(("alternate-URI-set", alias.address)).replace(asked, more)
    assert found.count("alternate-URI-set") == 2
    answer = dav.call("REPORT", "/dav/principals/", found)
    assert f"mailto:{alias.address}" in answer.text
    assert f":{bob.address}" not in answer.text


def test_principal_search_property_set(dav: Dav) -> None:
    """What one can search by. # rfc3744#9.5"""
    body = '<D:principal-search-property-set xmlns:D="DAV:"/>'
    answer = dav.call("REPORT", "/dav/principals/", body)
    assert answer.status == 200
    assert "<D:displayname/>" in answer.text
    assert "<D:alternate-URI-set/>" in answer.text
    assert "description" in answer.text


def test_principal_match(dav: Dav) -> None:
    """Who I am among the principals, and what is mine in a folder. # rfc3744#9.3"""
    me = f"/dav/principals/users/{dav.account.space_id}/"
    dav.put("a")
    self_ = '<D:principal-match xmlns:D="DAV:"><D:self/></D:principal-match>'
    assert dav.report("/dav/principals/", self_).hrefs == [me]
    assert dav.report("/dav/principals/users/", self_).hrefs == [me]
    assert dav.report(HOME, self_).hrefs == []
    owned = (
        '<D:principal-match xmlns:D="DAV:"><D:principal-property><D:{}/></D:principal-property>'
        "<D:prop><D:getetag/></D:prop></D:principal-match>"
    )
    assert dav.report(HOME, owned.format("owner")).hrefs == [HOME + "a"]
    assert dav.report(HOME, owned.format("group")).hrefs == []
    wrong = '<D:principal-match xmlns:D="DAV:"/>'
    assert dav.call("REPORT", HOME, wrong).status == 400


def test_acl_principal_prop_set(dav: Dav) -> None:
    """The principals in the ACL: the owner. # rfc3744#9.2"""
    body = (
        '<D:acl-principal-prop-set xmlns:D="DAV:"><D:prop><D:displayname/></D:prop>'
        "</D:acl-principal-prop-set>"
    )
    dav.put("a")
    for path in (HOME, "a"):
        found = dav.report(path, body).only
        assert found.href == f"/dav/principals/users/{dav.account.space_id}/"
        assert found.text("displayname")
    assert dav.call("REPORT", HOME, body, Depth="1").status == 400


# --- the ACL method -------------------------------------------------------------------------------

OWNER = "<D:property><D:owner/></D:property>"
ACE = "<D:ace><D:principal>{who}</D:principal><D:{how}>{what}</D:{how}></D:ace>"
READ = "<D:privilege><D:read/></D:privilege>"


def acl(dav: Dav, *aces: str) -> tuple[int, list[str]]:
    """The status of ACL, and the precondition that failed."""
    answer = dav.call("ACL", "", f'<D:acl xmlns:D="DAV:">{"".join(aces)}</D:acl>')
    return answer.status, [] if answer.status == 200 else conditions(answer)


def test_acl_method(dav: Dav) -> None:
    """What is the case anyway is accepted; everything else says which rule is against it."""
    # rfc3744#8.1.1
    me = f"/dav/principals/users/{dav.account.space_id}/"
    all_ = "<D:privilege><D:all/></D:privilege>"
    odd = "<D:privilege><D:fly/></D:privilege>"
    other = "<D:href>/dav/principals/users/999/</D:href>"
    assert acl(dav) == (200, [])
    assert acl(dav, ACE.format(who=OWNER, how="grant", what=all_)) == (200, [])
    assert acl(dav, ACE.format(who=f"<D:href>{me}</D:href>", how="grant", what=READ)) == (200, [])
    for who, how, what, rule in (
        (other, "grant", READ, "recognized-principal"),
        ("<D:all/>", "grant", READ, "allowed-principal"),
        ("<D:authenticated/>", "grant", READ, "allowed-principal"),
        ("<D:href>/x/</D:href>", "grant", READ, "recognized-principal"),
        (OWNER, "deny", READ, "grant-only"),
        (OWNER, "grant", odd, "not-supported-privilege"),
    ):
        assert acl(dav, ACE.format(who=who, how=how, what=what)) == (403, [rule])
    inverted = f"<D:ace><D:invert><D:principal>{OWNER}</D:principal></D:invert></D:ace>"
    assert acl(dav, inverted) == (403, ["no-invert"])
    assert acl(dav, *[ACE.format(who=OWNER, how="grant", what=READ)] * 300) == (
        403, ["limited-number-of-aces"],
    )  # fmt: skip
    for wrong in ("", "<x/>", '<D:acl xmlns:D="DAV:"><D:ace/></D:acl>'):
        assert dav.call("ACL", "", wrong).status == 400


@pytest.mark.parametrize("path", ["/dav/", "/dav/principals/"])
def test_acl_of_sites(dav: Dav, path: str) -> None:
    """What leads to others has no ACL to change."""
    assert dav.call("ACL", path, '<D:acl xmlns:D="DAV:"/>').status == 405


def test_a_first_sync_goes_on_after_the_log_was_trimmed(dav: Dav, server: TestServer) -> None:
    """A client that gets everything in portions is not sent back to the beginning.

    What went away before it began is nothing to it, though the log does not know of it any more.
    """
    for number in range(6):
        dav.put(f"old{number}")
        assert dav.call("DELETE", f"old{number}").status == 204
    for number in range(5):
        dav.put(f"f{number}")
    trim = TrimLog(1)
    server.store.call(Actor.system("test"), "test", lambda txn: txn.apply(trim))
    seen: set[str] = set()
    token, rounds = "", 0
    while rounds < 10:
        found = dav.sync("", token, 2)
        token, rounds = found.sync_token, rounds + 1
        seen |= {href for href in found.hrefs if not href.endswith("/")}
        if not found.hrefs:
            break
    assert {href.rpartition("/")[2] for href in seen} == {f"f{number}" for number in range(5)}
    dav.put("new")
    assert [href.rpartition("/")[2] for href in dav.sync("", token).hrefs] == ["new"]


def test_no_member_stands_twice_in_an_answer(paged: Dav) -> None:
    """Neither one that went several times, nor one that changes between two pages.

    # rfc4918#14.7
    """
    paged.mkcol("folder")
    token = paged.sync("folder").sync_token
    for _ in range(12):
        for name in ("a", "b"):
            paged.put(f"folder/{name}")
            paged.call("DELETE", f"folder/{name}")
    for number in range(15):
        paged.put(f"folder/{number}")
    for limit in (None, 5, 22, 30):
        found = paged.sync("folder", token, limit=limit)
        assert len(found.hrefs) == len(set(found.hrefs)), limit
    seen: dict[str, int] = {}
    for _ in range(20):
        found = paged.sync("folder", token, limit=7)
        assert len(found.hrefs) == len(set(found.hrefs))
        seen |= {one.href.rpartition("/")[2]: one.status for one in found.responses}
        token = found.sync_token
        if not any(one.status == 507 for one in found.responses):
            break
    assert {name for name, status in seen.items() if status == 404} == {"a", "b"}
    assert len([status for name, status in seen.items() if name and status == 0]) == 15
    assert paged.sync("folder", token).hrefs == []
