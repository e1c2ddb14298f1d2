"""Who may do what: principals of groups, ACLs, and the two older protocols of sharing."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from folkmoot.storage.types import Tool
from tests.dav.agendas import CS, C
from tests.dav.family import SEE, Family, Person, family
from tests.kit.dav import D, Response, conditions, multistatus
from tests.kit.http import Answer
from tests.kit.server import TestServer

ACE = "<D:ace><D:principal>{}</D:principal><D:grant>{}</D:grant>{}</D:ace>"
READ = "<D:privilege><D:read/></D:privilege>"
WRITE = "<D:privilege><D:write/></D:privilege>"
CS_SHARE = '<CS:share xmlns:CS="http://calendarserver.org/ns/" xmlns:D="DAV:">{}</CS:share>'
CS_SET = "<CS:set><D:href>{}</D:href><CS:common-name>x</CS:common-name><CS:{}/></CS:set>"
CS_REMOVE = "<CS:remove><D:href>{}</D:href></CS:remove>"
SHAREE = "<D:sharee><D:href>{}</D:href><D:share-access><D:{}/></D:share-access></D:sharee>"
SEARCH = (
    '<D:principal-property-search xmlns:D="DAV:"><D:property-search><D:prop><D:displayname/>'
    "</D:prop><D:match>{}</D:match></D:property-search><D:prop><D:displayname/></D:prop>"
    "</D:principal-property-search>"
)


@pytest.fixture
def choir(server: TestServer) -> Family:
    """A group."""
    return family(server)


def _group(choir: Family) -> str:
    return f"/dav/principals/groups/{choir.group.space_id}/"


def _hrefs(found: Response, name: str) -> list[str]:
    return [each.text or "" for each in found.props[200][name].iter(f"{D}href")]


def _aces(found: Response) -> list[tuple[str, set[str], bool]]:
    """(principal, privileges, whether it can be changed) of each ACE."""
    read = []
    for ace in found.props[200][f"{D}acl"]:
        [who] = ace.iterfind(f"{D}principal/*")
        named = who.text if who.tag == f"{D}href" else (who[0].tag if len(who) else who.tag)
        names = {each.tag.removeprefix(D) for each in ace.iterfind(f"{D}grant/{D}privilege/*")}
        fixed = any(ace.find(f"{D}{name}") is not None for name in ("protected", "inherited"))
        read.append(((named or "").removeprefix(D), names, not fixed))
    return read


def _acl(person: Person, url: str, *aces: str) -> Answer:
    body = f'<D:acl xmlns:D="DAV:">{"".join(aces)}</D:acl>'
    return person.call("ACL", url, body)


def _href(url: str) -> str:
    return f"<D:href>{url}</D:href>"


def test_principals_of_groups(choir: Family) -> None:
    """A group has a principal of its own kind, which its members know, with them as members."""
    # rfc3744#4.3, rfc3744#4.4
    carol, url = choir.carol, _group(choir)
    names = ("resourcetype", "displayname", "principal-URL", "group-member-set")
    more = (f"{C}calendar-user-address-set", f"{C}calendar-home-set", f"{C}calendar-user-type")
    found = carol.propfind(url, *names, *more).only
    assert found.text("displayname") == "Choir"
    assert found.tags("resourcetype") == ["collection", "principal"]
    assert found.text("principal-URL") == url
    assert found.text(f"{C}calendar-user-type") == "GROUP"
    people = [choir.alice, choir.bob, choir.carol]
    assert _hrefs(found, f"{D}group-member-set") == [each.principal for each in people]
    addresses = _hrefs(found, f"{C}calendar-user-address-set")
    assert addresses == [f"mailto:{choir.group.address}", url]
    # Whoever follows the homes of groups finds nothing twice.
    assert f"{C}calendar-home-set" in found.names(404)
    mine = carol.propfind(carol.principal, "group-membership").only
    assert _hrefs(mine, f"{D}group-membership") == [url]
    other = carol.propfind(choir.bob.principal, "group-membership").only
    assert _hrefs(other, f"{D}group-membership") == [url]
    assert carol.propfind("/dav/principals/groups/", "displayname", depth=1).hrefs[1:] == [url]
    assert carol.call("PROPFIND", f"/dav/principals/users/{choir.group.space_id}/").status == 404
    wrong = f"/dav/principals/groups/{carol.account.space_id}/"
    assert carol.call("PROPFIND", wrong).status == 404
    assert choir.eve.call("PROPFIND", url).status == 404
    assert choir.eve.propfind("/dav/principals/groups/", "displayname", depth=1).hrefs == [
        "/dav/principals/groups/"
    ]


def test_searches_find_the_circle(choir: Family) -> None:
    """People find the groups that they are in, and who is in them; strangers do not."""
    # rfc3744#9.4
    url = "/dav/principals/"
    assert choir.carol.report(url, SEARCH.format("CHOI")).hrefs == [_group(choir)]
    assert choir.eve.report(url, SEARCH.format("CHOI")).hrefs == []
    bob = SEARCH.format("bob@exam")
    assert choir.carol.report(url, bob).hrefs == [choir.bob.principal]
    assert choir.eve.report(url, bob).hrefs == []


def test_searches_of_python_caldav(choir: Family) -> None:
    """It writes properties beside an empty prop, and takes it that each principal has them all."""
    # rfc3744#9.4
    body = (
        f'<D:principal-property-search xmlns:D="DAV:" xmlns:C="{C[1:-1]}"><D:prop/>{{}}'
        "<D:displayname/></D:principal-property-search>"
    )
    people = [choir.carol.principal, choir.alice.principal, choir.bob.principal]
    found = choir.carol.report("/dav/", body.format("<C:calendar-home-set/>"))
    assert sorted(found.hrefs) == sorted(people)
    everybody = choir.carol.report("/dav/", body.format("")).hrefs
    assert sorted(everybody) == sorted([*people, _group(choir)])


def test_acl_of_what_a_group_has(choir: Family) -> None:
    """The administrator has all, members read, writers more; who may not share sees own rights."""
    # rfc3744#5.5, rfc3744#5.5.1, rfc3744#5.5.2
    url = choir.bound(choir.alice)
    found = choir.alice.propfind(url, "acl", "owner").only
    assert found.text("owner") == _group(choir)
    aces = {who: names for who, names, _ in _aces(found)}
    assert "all" in aces[choir.alice.principal]
    assert {"read", f"{C}read-free-busy"} <= aces[_group(choir)]
    assert "write" not in aces[_group(choir)]
    assert "write" in aces[choir.bob.principal]
    assert choir.carol.principal not in aces
    seen = _aces(choir.carol.propfind(choir.bound(choir.carol), "acl").only)
    assert [who for who, _, _ in seen] == ["owner", "self"]
    assert "write" not in seen[1][1]
    assert _acl(choir.carol, choir.bound(choir.carol)).status == 403
    body = (
        '<D:acl-principal-prop-set xmlns:D="DAV:"><D:prop><D:displayname/></D:prop>'
        "</D:acl-principal-prop-set>"
    )
    known = choir.alice.report(url, body).hrefs
    assert set(known) == {_group(choir), choir.alice.principal, choir.bob.principal}


def test_granting_by_acl(choir: Family) -> None:
    """What ACL says is granted, to people and groups, and taken back by leaving it out."""
    # rfc3744#8.1
    bob, carol = choir.bob, choir.carol
    url = f"{bob.calendars}Calendar/"
    bob.store(url, "one")
    id_ = choir.folder(bob.account.space_id, Tool.CALENDAR, "Calendar").id
    shared = f"{carol.calendars}Shared-{id_}/"
    owner = ACE.format("<D:property><D:owner/></D:property>", READ, "<D:protected/>")
    assert _acl(bob, url, owner, ACE.format(_href(carol.principal), READ, "")).status == 200
    assert b"one" in carol.get(f"{shared}one.ics")
    assert carol.store(shared, "two") == 403
    assert choir.alice.call("GET", f"{shared}one.ics").status == 404
    both = [ACE.format(_href(carol.principal), each, "") for each in (READ, WRITE)]
    assert _acl(bob, url, *both, ACE.format(_href(_group(choir)), READ, "")).status == 200
    assert carol.store(shared, "two") == 201
    found = bob.propfind(url, "acl").only
    aces = {who: (names, mine) for who, names, mine in _aces(found)}
    assert aces["owner"][0] >= {"all"}
    assert aces[carol.principal][0] >= {"read", "write"}
    assert aces[_group(choir)] == (aces[_group(choir)][0], True)
    # What was read can be written as it is.
    again = "".join(_raw(found))
    assert _acl(bob, url, again).status == 200
    assert _aces(bob.propfind(url, "acl").only) == _aces(found)
    assert _acl(bob, url).status == 200
    assert carol.call("GET", f"{shared}one.ics").status == 404


def _raw(found: Response) -> list[str]:
    return [ElementTree.tostring(ace).decode() for ace in found.props[200][f"{D}acl"]]


def test_what_acl_refuses(choir: Family) -> None:
    """Each refusal names the rule; nothing of a refused ACL is done. # rfc3744#8.1.1"""
    bob, eve = choir.bob, choir.eve
    url = f"{bob.calendars}Calendar/"
    carol = ACE.format(_href(choir.carol.principal), READ, "")
    all_ = "<D:privilege><D:all/></D:privilege>"
    acl = "<D:privilege><D:write-acl/></D:privilege>"
    for ace, rule in (
        (ACE.format(_href(eve.principal), READ, ""), "recognized-principal"),
        (ACE.format(_href("/dav/principals/groups/999/"), READ, ""), "recognized-principal"),
        (ACE.format(_href(f"mailto:{eve.account.address}"), READ, ""), "recognized-principal"),
        (ACE.format("<D:authenticated/>", READ, ""), "allowed-principal"),
        (ACE.format("<D:self/>", READ, ""), "allowed-principal"),
        (ACE.format(_href(choir.carol.principal), all_, ""), "not-supported-privilege"),
        (ACE.format(_href(choir.carol.principal), acl, ""), "not-supported-privilege"),
        (
            ACE.format(
                _href(choir.carol.principal), READ, f"<D:inherited>{_href(url)}</D:inherited>"
            ),
            "no-inherited-ace-conflict",
        ),
    ):
        answer = _acl(bob, url, carol, ace)
        assert (answer.status, conditions(answer)) == (403, [rule])
    assert len(_aces(bob.propfind(url, "acl").only)) == 1
    for path in (bob.calendars, f"{bob.calendars}Inbox/"):
        assert _acl(bob, path, carol).status == 403
    assert _acl(eve, url, carol).status == 404


def test_a_single_item_by_acl(choir: Family) -> None:
    """An ACL of one event shares it, and nothing beside it, with groups only."""
    bob, carol = choir.bob, choir.carol
    for name in ("one", "two"):
        bob.store(f"{bob.calendars}Calendar/", name)
    url = f"{bob.calendars}Calendar/one.ics"
    shared = f"/dav/calendars/{choir.group.space_id}/Shared/"
    assert _acl(bob, url, ACE.format(_href(_group(choir)), READ, "")).status == 200
    assert b"one" in carol.get(f"{shared}one.ics")
    assert carol.call("GET", f"{shared}two.ics").status == 404
    assert carol.store(shared, "one") == 403
    aces = {who: (names, mine) for who, names, mine in _aces(bob.propfind(url, "acl").only)}
    assert "read" in aces[_group(choir)][0]
    assert aces[_group(choir)][1]
    beside = _aces(bob.propfind(f"{bob.calendars}Calendar/two.ics", "acl").only)
    assert _group(choir) not in [who for who, _, _ in beside]
    answer = _acl(bob, url, ACE.format(_href(carol.principal), READ, ""))
    assert (answer.status, conditions(answer)) == (403, ["allowed-principal"])
    assert _acl(bob, url).status == 200
    assert carol.call("GET", f"{shared}one.ics").status == 404


def test_inherited_grants_of_documents(choir: Family) -> None:
    """A grant on a folder covers what is below, where it counts as inherited. # rfc3744#5.7"""
    bob = choir.bob
    bob.mkcol("a")
    bob.mkcol("a/b")
    bob.put("a/b/file")
    assert (
        _acl(bob, "/dav/drive/My%20documents/a/", ACE.format(_href(_group(choir)), READ, "")).status
        == 200
    )
    for path in ("a/b/", "a/b/file"):
        found = bob.propfind(path, "acl", "inherited-acl-set").only
        assert [(who, mine) for who, _, mine in _aces(found)][1:] == [(_group(choir), False)]
        assert _hrefs(found, f"{D}inherited-acl-set") == ["/dav/drive/My%20documents/a/"]
    listed = bob.propfind("a/", "acl", depth=1)
    assert [len(_aces(each)) for each in listed.responses] == [2, 2]


def _post(person: Person, url: str, body: str, kind: str = "text/xml") -> Answer:
    return person.call("POST", url, body, Content_Type=f"{kind}; charset=utf-8")


def test_sharing_as_apple_does(choir: Family) -> None:
    """calendarserver-sharing: set, see, remove; nobody has to accept."""
    bob, carol = choir.bob, choir.carol
    url = f"{bob.calendars}Calendar/"
    assert "calendarserver-sharing" in (bob.call("OPTIONS", bob.principal).header("dav") or "")
    before = bob.propfind(bob.calendars, "sync-token").only.text("sync-token")
    modes = bob.propfind(url, f"{CS}allowed-sharing-modes", f"{CS}invite", "resourcetype").only
    assert modes.tags(f"{CS}allowed-sharing-modes") == [f"{CS}can-be-shared"]
    assert modes.tags(f"{CS}invite") == []
    mailto, group = f"mailto:{carol.account.address}", f"mailto:{choir.group.address}"
    body = CS_SHARE.format(CS_SET.format(mailto, "read-write") + CS_SET.format(group, "read"))
    assert _post(bob, url, body).status == 200
    found = bob.propfind(url, f"{CS}invite", "resourcetype").only
    assert f"{CS}shared-owner" in found.tags("resourcetype")
    assert _hrefs(found, f"{CS}invite") == [mailto, group]
    assert found.tags(f"{CS}invite").count(f"{CS}invite-accepted") == 2
    assert found.tags(f"{CS}invite").count(f"{CS}read-write") == 1
    assert url in bob.sync(bob.calendars, before).hrefs
    id_ = choir.folder(bob.account.space_id, Tool.CALENDAR, "Calendar").id
    theirs = f"{carol.calendars}Shared-{id_}/"
    assert carol.store(theirs, "one") == 201
    assert choir.alice.store(f"{choir.alice.calendars}Shared-{id_}/", "two") == 403
    seen = carol.propfind(theirs, f"{CS}invite", "resourcetype", f"{CS}allowed-sharing-modes").only
    assert f"{CS}shared" in seen.tags("resourcetype")
    assert _hrefs(seen, f"{CS}invite") == [bob.principal]
    assert f"{CS}allowed-sharing-modes" in seen.names(404)
    assert _post(carol, theirs, body).status == 403
    assert _post(bob, url, CS_SHARE.format(CS_REMOVE.format(mailto))).status == 200
    assert carol.store(theirs, "three") == 403
    assert _post(bob, url, CS_SHARE.format(CS_REMOVE.format(group))).status == 200
    assert carol.call("PROPFIND", theirs, Depth="0").status == 404
    notes = carol.propfind(carol.principal, f"{CS}notification-URL").only
    assert carol.propfind(notes.text(f"{CS}notification-URL"), "resourcetype", depth=1).only.tags(
        "resourcetype"
    ) == ["collection", f"{CS}notification"]


def test_resource_sharing(choir: Family) -> None:
    """WebDAV resource sharing, on address books and folders too."""
    bob, carol = choir.bob, choir.carol
    kind = "application/davsharing+xml"
    share = '<D:share-resource xmlns:D="DAV:">{}</D:share-resource>'
    bob.mkcol("folder")
    for url in (f"{bob.contacts}Contacts/", "/dav/drive/My%20documents/folder/"):
        assert bob.propfind(url, "share-access").only.tags("share-access") == ["not-shared"]
        body = share.format(SHAREE.format(carol.principal, "read-write"))
        assert _post(bob, url, body, kind).status == 200
        found = bob.propfind(url, "share-access", "invite").only
        assert found.tags("share-access") == ["shared-owner"]
        assert _hrefs(found, f"{D}invite") == [f"mailto:{carol.account.address}"]
        assert {"read-write", "invite-accepted"} <= set(found.tags("invite"))
    books = carol.listed(carol.contacts)
    [shared] = [each for each in books if "Shared-" in each]
    found = carol.propfind(shared, "share-access", "invite").only
    assert found.tags("share-access") == ["read-write"]
    assert "invite" in found.names(404)
    body = share.format(SHAREE.format(carol.principal, "no-access"))
    assert _post(bob, f"{bob.contacts}Contacts/", body, kind).status == 200
    assert shared not in carol.listed(carol.contacts)


def test_sharing_stays_within_groups(choir: Family) -> None:
    """M3.4: strangers cannot be given anything, in any protocol; half of nothing is done."""
    bob, eve = choir.bob, choir.eve
    url = f"{bob.calendars}Calendar/"
    good = CS_SET.format(f"mailto:{choir.carol.account.address}", "read")
    for who in (f"mailto:{eve.account.address}", eve.principal, "mailto:x@example.org", "x"):
        answer = _post(bob, url, CS_SHARE.format(good + CS_SET.format(who, "read")))
        assert (answer.status, conditions(answer)) == (403, ["recognized-principal"])
        body = f'<D:share-resource xmlns:D="DAV:">{SHAREE.format(who, "read")}</D:share-resource>'
        assert _post(bob, url, body, "application/davsharing+xml").status == 403
    assert bob.propfind(url, f"{CS}invite").only.tags(f"{CS}invite") == []
    oneself = CS_SHARE.format(CS_SET.format(f"mailto:{bob.account.address}", "read"))
    assert _post(bob, url, oneself).status == 403
    for wrong in ("<x/>", CS_SHARE.format("<CS:set/>"), CS_SHARE.format(CS_SET.format("", "read"))):
        assert _post(bob, url, wrong).status == 400
    assert _post(eve, url, CS_SHARE.format(good)).status == 404
    choir.share(bob, choir.carol.account.space_id, SEE)
    choir.remove(choir.carol)
    assert bob.propfind(url, f"{CS}invite").only.tags(f"{CS}invite") == []
    assert multistatus(bob.call("PROPFIND", url, Depth="0")).only
