"""PROPFIND and PROPPATCH: each live property, dead ones, preferences, what may be set."""

from __future__ import annotations

from functools import partial

import pytest

from folkmoot.storage.types import Limit, OwnLimit, Tool
from tests.kit import reactor
from tests.kit.dav import HOME, D, Dav, conditions, multistatus
from tests.kit.server import TestServer

ME = "/dav/principals/users/{}/"
LIVE = {"creationdate", "displayname", "getcontentlength", "getcontenttype", "getetag",
        "getlastmodified", "lockdiscovery", "resourcetype", "supportedlock"}  # fmt: skip

OTHERS = [f"/dav/drive/{part}/" for part in ("Drop%20folders", "Groups", "Shared")]


def href_in(dav: Dav, path: str, name: str) -> str:
    """The URL that a property holds."""
    return dav.propfind(path, name).only.text(name)


# --- forms of PROPFIND ----------------------------------------------------------------------------


def test_allprop(dav: Dav) -> None:
    """Without a body, and with one: the live properties of RFC 4918 and the dead ones."""
    dav.put("a", b"12345", Content_Type="text/plain")
    dav.proppatch("a", "<D:set><D:prop><x xmlns='y'>1</x></D:prop></D:set>")
    for found in (dav.propfind("a").only, multistatus(
        dav.call("PROPFIND", "a", '<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>', Depth="0")
    ).only):  # fmt: skip
        assert found.names() == LIVE | {"{y}x"}
        assert 404 not in found.props
        assert found.text("getcontentlength") == "5"
        assert found.text("getcontenttype") == "text/plain"
    included = "<D:allprop/><D:include><D:acl/><D:getetag/><y:no/></D:include>"
    body = f'<D:propfind xmlns:D="DAV:" xmlns:y="y">{included}</D:propfind>'
    found = multistatus(dav.call("PROPFIND", "a", body, Depth="0")).only
    assert found.names() == LIVE | {"{y}x", "acl"}
    assert found.names(404) == {"{y}no"}


def test_propname(dav: Dav) -> None:
    """Every property that there is, without values; each of them can then be had. # rfc4918#9.1"""
    dav.put("a", b"12345")
    dav.proppatch("a", "<D:set><D:prop><x xmlns='y'>1</x></D:prop></D:set>")
    body = '<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>'
    for path in ("a", HOME, "/dav/", f"/dav/principals/users/{dav.account.space_id}/"):
        names = multistatus(dav.call("PROPFIND", path, body, Depth="0")).only
        assert all(len(entry) == 0 and not entry.text for entry in names.props[200].values())
        again = dav.propfind(path, *names.names()).only
        assert again.names() == names.names()
        assert 404 not in again.props
    names = multistatus(dav.call("PROPFIND", "a", body, Depth="0")).only
    assert {"{y}x", "getetag", "acl"} <= names.names()


def test_missing_properties(dav: Dav) -> None:
    """404 for what is not there, nothing at all for those who ask for minimal answers."""
    # rfc4918#9.1, rfc8144#2.1
    dav.put("a")
    found = dav.propfind("a", "getetag", "{y}x", "sync-token").only
    assert (found.names(), found.names(404)) == ({"getetag"}, {"{y}x", "sync-token"})
    for fields in ({"Prefer": "return=minimal"}, {"Brief": "t"}, {"Prefer": 'a, return="minimal"'}):
        found = dav.propfind("a", "getetag", "{y}x", **fields).only
        assert (found.names(), found.names(404)) == ({"getetag"}, set())
        empty = dav.propfind("a", "{y}x", **fields).only
        assert (empty.names(), empty.names(404)) == (set(), set())


def test_depth(dav: Dav) -> None:
    """0, 1, and infinity for what is small; the root is left out for who prefers that."""
    # rfc4918#10.2, rfc8144#2
    dav.mkcol("folder")
    dav.put("folder/b")
    dav.put("a")
    all_of_it = [HOME, HOME + "folder/", HOME + "a", HOME + "folder/b"]
    assert dav.propfind("", "getetag").hrefs == [HOME]
    assert dav.propfind("", "getetag", depth=1).hrefs == all_of_it[:3]
    assert dav.propfind("", "getetag", depth="infinity").hrefs == all_of_it
    assert multistatus(dav.call("PROPFIND")).hrefs == all_of_it, "no header is infinity"
    assert dav.propfind("", "getetag", depth=1, Prefer="depth-noroot").hrefs == all_of_it[1:3]
    assert dav.propfind("", "getetag", depth="1,noroot").hrefs == all_of_it[1:3]
    assert dav.propfind("folder", "getetag").hrefs == [HOME + "folder/"]
    answer = dav.call("PROPFIND", "folder", Depth="0")
    assert answer.header("content-location") == HOME + "folder/"
    for wrong in ("2", "-1", "all", ""):
        assert dav.call("PROPFIND", "", Depth=wrong).status == 400, wrong


def test_depth_infinity_ends(paged: Dav) -> None:
    """What is large is not answered whole, and says why; nor are the sites. # rfc4918#9.1"""
    answer = paged.call("PROPFIND", "/dav/", Depth="infinity")
    assert (answer.status, conditions(answer)) == (403, ["propfind-finite-depth"])
    paged.mkcol("folder")
    for number in range(48):
        paged.put(f"folder/{number}", b"")
    assert paged.call("COPY", "folder", Destination=f"{HOME}copy").status == 201
    hrefs = paged.propfind("", "getetag", depth="infinity").hrefs
    assert len(hrefs) == len(set(hrefs)) == 1 + 2 * 49
    paged.put("folder/a")
    paged.put("folder/b")
    paged.put("folder/c")
    answer = paged.call("PROPFIND", "", Depth="infinity")
    assert (answer.status, conditions(answer)) == (403, ["propfind-finite-depth"])


def test_sites(dav: Dav) -> None:
    """From the top one finds everything that is one's own."""
    number = dav.account.space_id
    assert dav.propfind("/", "resourcetype", depth=1).hrefs == ["/", "/dav/"]
    assert set(dav.propfind("/dav", "resourcetype", depth=1).hrefs) == {
        "/dav/", "/dav/principals/", "/dav/calendars/", "/dav/contacts/", "/dav/drive/",
        "/dav/notifications/",
    }  # fmt: skip
    for site, *members in (
        ("/dav/principals/", "/dav/principals/users/", "/dav/principals/groups/"),
        ("/dav/principals/users/", f"/dav/principals/users/{number}/"),
        ("/dav/calendars/", f"/dav/calendars/{number}/"),
        ("/dav/contacts/", f"/dav/contacts/{number}/"),
        ("/dav/drive/", *OTHERS, HOME),
    ):
        found = dav.propfind(site, "resourcetype", "displayname", depth=1)
        assert found.hrefs == [site, *members]
        assert all("collection" in found[each].tags("resourcetype") for each in members)
    for method in ("MKCOL", "PUT", "DELETE", "PROPPATCH", "LOCK", "COPY"):
        assert dav.call(method, "/dav/drive/").status == 405, method
    for path in ("/dav/x", "/dav/calendars/x/", "/dav/calendars/01/", "/dav/calendars/1e3/",
                 "/dav/principals/groups/1/", "/dav/drive/Other/"):  # fmt: skip
        assert dav.call("PROPFIND", path, Depth="0").status == 404, path


# --- live properties ------------------------------------------------------------------------------


def test_basic_properties(dav: Dav) -> None:
    """Of an item and of a folder. # rfc4918#15"""
    # rfc4918#15.1, rfc4918#15.2, rfc4918#15.4, rfc4918#15.5, rfc4918#15.6,
    # rfc4918#15.7, rfc4918#15.9
    etag = dav.put("a%26b.txt", b"12345", X_OC_MTime="784111777").header("etag")
    item = dav.propfind("a%26b.txt").only
    assert item.text("getetag") == etag
    assert item.text("displayname") == "a&b.txt"
    assert item.text("getcontenttype") == "application/octet-stream"
    assert item.text("getlastmodified") == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert item.text("creationdate").endswith("Z")
    assert item.tags("resourcetype") == []
    assert item.tags("supportedlock").count("lockentry") == 2
    dav.mkcol("folder")
    folder = dav.propfind("folder", *LIVE).only
    assert folder.names(404) == {"getcontentlength", "getcontenttype", "getetag"}
    assert folder.tags("resourcetype") == ["collection"]
    assert folder.text("displayname") == "folder"


def test_quota_has_values_everywhere(server: TestServer) -> None:
    """With a limit what is left of it, and without one a large number (never nothing)."""
    # rfc4331#3, rfc4331#4
    limits = {Tool.DOCUMENTS: Limit(1000, None), Tool.CALENDAR: Limit(None, None)}
    dav = Dav(server, server.account(limits=limits))
    dav.put("a", b"x" * 300)
    dav.mkcol("folder")
    names = ("quota-available-bytes", "quota-used-bytes")
    for path in ("/dav/drive/", HOME, HOME + "folder/"):
        found = dav.propfind(path, *names).only
        assert [found.text(name) for name in names] == ["700", "300"]
    # An own limit leaves less than the plan; what is over it leaves nothing.
    for own, left in ((500, "200"), (100, "0"), (None, "700")):
        less = {Tool.DOCUMENTS: OwnLimit(own)}
        reactor.call(partial(server.accounts.limit, dav.account.address, less))
        assert dav.propfind(HOME, names[0]).only.text(names[0]) == left
    # What is above belongs to nobody.
    assert dav.propfind("/dav/", *names).only.names(404) == {*names}
    listed = dav.propfind("/dav/drive/", *names, depth=1)[HOME]
    assert listed.text("quota-available-bytes") == "700"
    assert dav.propfind("", *names, depth=1)[HOME + "folder/"].text(names[1]) == "300"
    found = dav.propfind(f"/dav/calendars/{dav.account.space_id}/", *names).only
    assert int(found.text("quota-available-bytes")) > 1 << 40
    assert found.text("quota-used-bytes") == "0"


def test_principals(dav: Dav) -> None:
    """Every resource leads to the principal, and that says who it is. # rfc5397#3, rfc3744#4.2"""
    me = ME.format(dav.account.space_id)
    dav.put("a")
    for path in ("/", "/dav/", HOME, "a", me):
        assert href_in(dav, path, "current-user-principal") == me
        assert href_in(dav, path, "principal-collection-set") == "/dav/principals/users/"
    for path in (HOME, "a", me):
        assert href_in(dav, path, "owner") == me
        assert dav.propfind(path, "group").only.text("group") == ""
    found = dav.propfind(me, "resourcetype", "principal-URL", "alternate-URI-set",
                         "group-member-set", "group-membership", "displayname").only  # fmt: skip
    assert "principal" in found.tags("resourcetype")
    assert found.text("principal-URL") == me
    assert found.text("alternate-URI-set") == f"mailto:{dav.account.address}"
    assert found.text("group-member-set") == found.text("group-membership") == ""
    assert found.text("displayname")
    assert dav.propfind("a", "principal-URL").only.names(404) == {"principal-URL"}


def test_access_properties(dav: Dav) -> None:
    """An owner has all privileges; all of them are in the tree of those that there are."""
    # rfc3744#5.3, rfc3744#5.4, rfc3744#5.1, rfc3744#5.2, rfc3744#5.6, rfc3744#5.8
    dav.put("a")
    for path in (HOME, "a"):
        found = dav.propfind(path, "current-user-privilege-set", "supported-privilege-set",
                             "acl", "acl-restrictions", "inherited-acl-set").only  # fmt: skip
        mine = set(found.tags("current-user-privilege-set")) - {"privilege"}
        assert {"all", "read", "write", "write-content", "bind", "unbind", "write-acl"} <= mine
        assert mine <= set(found.tags("supported-privilege-set"))
        assert {"owner", "protected", "all"} <= set(found.tags("acl"))
        assert found.tags("acl-restrictions") == ["grant-only", "no-invert"]
        assert found.tags("inherited-acl-set") == []
    site = dav.propfind("/dav/", "current-user-privilege-set", "acl").only
    assert "write" not in site.tags("current-user-privilege-set")
    assert "read" in site.tags("current-user-privilege-set")


def test_what_is_supported_is_computed(dav: Dav) -> None:
    """Methods are those of Allow; reports answer; live properties are protected or can be set."""
    # rfc3253#3.1.3, rfc3253#3.1.4, rfc3253#3.1.5
    dav.put("a")
    sets = ("supported-method-set", "supported-report-set", "supported-live-property-set")
    for path in (HOME, "a", "/dav/", ME.format(dav.account.space_id)):
        found = dav.propfind(path, *sets).only
        methods = {entry.get("name") for entry in found.props[200][D + sets[0]]}
        allowed = (dav.call("OPTIONS", path).header("allow") or "").split(", ")
        assert methods == set(allowed)
        reports = [entry[0][0].tag for entry in found.props[200][D + sets[1]]]
        for report in reports:
            answer = dav.call("REPORT", path, f'<x:{report[len(D) :]} xmlns:x="DAV:"/>')
            assert "supported-report" not in answer.text, report
        assert found.tags(sets[2]).count("supported-live-property") > 5
    answer = dav.call("REPORT", HOME, '<x xmlns="y"/>')
    assert (answer.status, conditions(answer)) == (403, ["supported-report"])
    assert dav.call("REPORT", HOME).status == 400


def test_ctag_and_token_change_together(any_dav: Dav) -> None:
    """With each change of a member, and with none in between. # rfc6578#4"""
    names = ("sync-token", "{http://calendarserver.org/ns/}getctag")
    seen = set()
    for step in (
        lambda: None,
        lambda: any_dav.put("a", b"1"),
        lambda: any_dav.put("a", b"2"),
        lambda: any_dav.proppatch("a", "<D:set><D:prop><x xmlns='y'/></D:prop></D:set>"),
        lambda: any_dav.call("MOVE", "a", Destination=HOME + "b"),
        lambda: any_dav.call("DELETE", "b"),
        lambda: any_dav.mkcol("c"),
    ):
        step()
        found = any_dav.propfind("", *names).only
        seen.add(tuple(found.text(name) for name in names))
        again = any_dav.propfind("", *names).only
        assert tuple(again.text(name) for name in names) in seen
    assert len(seen) == 7
    assert len({token for token, _ in seen}) == len({ctag for _, ctag in seen}) == 7


# --- PROPPATCH ------------------------------------------------------------------------------------


def test_dead_properties(any_dav: Dav) -> None:
    """Any XML is kept as it is, in its language, and is gone when it is removed. # rfc4918#4.3"""
    value = '<y:a xmlns:y="y"><b c="d&amp;">text &lt; &#x1F600;<![CDATA[<e>]]></b> tail</y:a>'
    any_dav.put("a")
    done = any_dav.proppatch(
        "a", f'<D:set xml:lang="de"><D:prop><z xmlns="ns">{value}</z></D:prop></D:set>'
    )
    assert done.names() == {"{ns}z"}
    element = any_dav.propfind("a", "{ns}z").only.props[200]["{ns}z"]
    assert element.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    [inner] = element
    assert inner.tag == "{y}a"
    assert (inner[0].tag, inner[0].attrib, inner[0].text, inner[0].tail) == (
        "{ns}b", {"c": "d&"}, "text < \U0001f600<e>", " tail",
    )  # fmt: skip
    assert any_dav.propfind("", "{ns}z", depth=1)[HOME + "a"].names() == {"{ns}z"}
    any_dav.proppatch("a", '<D:remove><D:prop><z xmlns="ns"/><no xmlns="ns"/></D:prop></D:remove>')
    assert any_dav.propfind("a", "{ns}z").only.names(404) == {"{ns}z"}


def test_order_of_changes(dav: Dav) -> None:
    """Setting and removing go in the order of the body. # rfc4918#9.2"""
    set_1 = "<D:set><D:prop><x xmlns='y'>1</x></D:prop></D:set>"
    set_2 = "<D:set><D:prop><x xmlns='y'>2</x></D:prop></D:set>"
    remove = "<D:remove><D:prop><x xmlns='y'/></D:prop></D:remove>"
    dav.proppatch("", set_1 + remove + set_2)
    assert dav.propfind("", "{y}x").only.text("{y}x") == "2"
    dav.proppatch("", set_1 + remove)
    assert dav.propfind("", "{y}x").only.names(404) == {"{y}x"}


def test_all_or_nothing(dav: Dav) -> None:
    """One protected property fails all of them, and the answer says which."""
    # rfc4918#9.2, rfc4918#9.2.1
    dav.put("a")
    found = dav.proppatch(
        "a", "<D:set><D:prop><x xmlns='y'>1</x><D:getetag>2</D:getetag></D:prop></D:set>"
    )
    assert (found.names(403), found.names(424)) == ({"getetag"}, {"{y}x"})
    assert found.errors == ["cannot-modify-protected-property"]
    assert dav.propfind("a", "{y}x").only.names(404) == {"{y}x"}
    found = dav.proppatch("a", "<D:remove><D:prop><D:resourcetype/></D:prop></D:remove>")
    assert found.names(403) == {"resourcetype"}
    for name in ("acl", "sync-token", "quota-used-bytes", "principal-URL"):
        found = dav.proppatch("a", f"<D:set><D:prop><D:{name}>x</D:{name}></D:prop></D:set>")
        assert found.names(403) == {name}


def test_live_properties_that_can_be_set(dav: Dav) -> None:
    """Names for people, languages, times; what is no time is refused. # rfc4918#15"""
    dav.put("a")
    for name, value in (
        ("displayname", "A &amp; B"), ("getcontentlanguage", "de"),
        ("getlastmodified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("creationdate", "1994-11-06T08:49:37Z"),
    ):  # fmt: skip
        done = dav.proppatch("a", f"<D:set><D:prop><D:{name}>{value}</D:{name}></D:prop></D:set>")
        assert done.names() == {name}
        assert dav.propfind("a", name).only.text(name) == value.replace("&amp;", "&")
    dav.proppatch("a", "<D:remove><D:prop><D:displayname/></D:prop></D:remove>")
    assert dav.propfind("a", "displayname").only.text("displayname") == "a"
    body = "<D:set><D:prop><D:getlastmodified>soon</D:getlastmodified></D:prop></D:set>"
    assert dav.proppatch("a", body).names(409) == {"getlastmodified"}


def test_minimal_answer_to_proppatch(dav: Dav) -> None:
    """RFC 8144: nothing to say is no body; what failed is said."""
    body = '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>{}</D:prop></D:set></D:propertyupdate>'
    answer = dav.call("PROPPATCH", "", body.format("<x xmlns='y'/>"), Prefer="return=minimal")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("preference-applied") == "return=minimal"
    answer = dav.call("PROPPATCH", "", body.format("<D:acl/>"), Prefer="return=minimal")
    assert multistatus(answer).only.names(403) == {"acl"}


@pytest.mark.parametrize("body", ["", "<x/>", '<D:propfind xmlns:D="DAV:"/>'])
def test_bodies_of_proppatch(dav: Dav, body: str) -> None:
    """Anything but a propertyupdate is 400. # rfc4918#9.2"""
    assert dav.call("PROPPATCH", "", body).status == 400


def test_proppatch_conditions(dav: Dav) -> None:
    """If-Match is looked at, and what is not there is 404."""
    dav.put("a")
    body = '<D:propertyupdate xmlns:D="DAV:"/>'
    assert dav.call("PROPPATCH", "a", body, If_Match='"x"').status == 412
    assert dav.call("PROPPATCH", "b", body).status == 404
    large = f"<x xmlns='y'>{'z' * 300_000}</x>"
    found = dav.proppatch("a", f"<D:set><D:prop>{large}</D:prop></D:set>")
    assert found.names(507) == {"{y}x"}
