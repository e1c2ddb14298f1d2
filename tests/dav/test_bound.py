"""Calendars and address books of groups, and shared ones, as members of one's own home."""

from __future__ import annotations

import time
from functools import partial

import pytest

from folkmoot.storage.types import Tool
from tests.dav.agendas import CS, C, I
from tests.dav.calendars import calendar, event
from tests.dav.family import CHANGE, SEE, START, Family, Person, changed, family, removed
from tests.kit import reactor
from tests.kit.dav import D
from tests.kit.http import basic
from tests.kit.pace import within
from tests.kit.server import TestServer

COLOR = (
    '<D:set><D:prop><x:calendar-color xmlns:x="http://apple.com/ns/ical/">{}'
    "</x:calendar-color></D:prop></D:set>"
)
NAME = "<D:set><D:prop><D:displayname>{}</D:displayname></D:prop></D:set>"
OPAQUE = (
    '<D:set><D:prop><C:schedule-calendar-transp xmlns:C="urn:ietf:params:xml:ns:caldav">'
    "<C:opaque/></C:schedule-calendar-transp></D:prop></D:set>"
)
QUERY = (
    '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:prop><D:getetag/>'
    '</D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/>'
    "</C:comp-filter></C:filter></C:calendar-query>"
)
MULTIGET = (
    '<C:calendar-multiget xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:prop>'
    "<C:calendar-data/></D:prop>{}</C:calendar-multiget>"
)
BUSY = (
    '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
    '<C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:free-busy-query>'
)


@pytest.fixture
def choir(any_server: TestServer) -> Family:
    """A group, on each kind of database."""
    return family(any_server)


def test_homes_list_what_groups_have_once(choir: Family) -> None:
    """Each member finds the group's calendars and books in the one home, behind the own ones."""
    for person in (choir.alice, choir.bob, choir.carol):
        home = person.calendars
        groups = [choir.bound(person), choir.bound(person, "Tasks")]
        assert person.listed(home) == [f"{home}Calendar/", f"{home}Tasks/", *groups]
        books = [f"{person.contacts}Contacts/", choir.bound(person, "Contacts", Tool.CONTACTS)]
        assert person.listed(person.contacts) == [*books, f"{person.contacts}Colleagues/"]
        homes = person.propfind(person.principal, f"{C}calendar-home-set").only
        assert homes.text(f"{C}calendar-home-set") == home
    assert choir.eve.listed(choir.eve.calendars) == [
        f"{choir.eve.calendars}Calendar/",
        f"{choir.eve.calendars}Tasks/",
    ]


def test_what_a_group_has_says_whose_it_is(choir: Family) -> None:
    """Name, owner and privileges; inbox, outbox and the default calendar stay one's own."""
    carol, url = choir.carol, choir.bound(choir.carol)
    names = ("displayname", "owner", "current-user-privilege-set", "resourcetype")
    listed = carol.propfind(carol.calendars, *names, depth=1)[url]
    alone = carol.propfind(url, *names).only
    for found in (listed, alone):
        assert found.text("displayname") == "Calendar (Choir)"
        assert found.tags("resourcetype") == ["collection", f"{C}calendar"]
        assert str(choir.group.space_id) in found.text("owner")
        privileges = found.tags("current-user-privilege-set")
        assert "read" in privileges
        assert "write-content" not in privileges
        assert "bind" not in privileges
    writer = choir.bob.propfind(choir.bound(choir.bob), "current-user-privilege-set").only
    assert {"write-content", "bind", "unbind"} <= set(writer.tags("current-user-privilege-set"))
    inbox = carol.propfind(f"{carol.calendars}Inbox/", f"{C}schedule-default-calendar-URL").only
    assert inbox.text(f"{C}schedule-default-calendar-URL") == f"{carol.calendars}Calendar/"


def test_reading_and_writing_by_rights(choir: Family) -> None:
    """Writers put and delete there, readers read; all URLs are those that were asked."""
    bob, carol = choir.bob, choir.carol
    mine, hers = choir.bound(bob), choir.bound(carol)
    assert bob.store(mine, "one") == 201
    assert carol.store(hers, "two") == 403
    assert b"SUMMARY:one" in carol.get(f"{hers}one.ics")
    assert carol.propfind(hers, "getetag", depth=1).hrefs == [hers, f"{hers}one.ics"]
    assert carol.report(hers, QUERY, Depth="1").hrefs == [f"{hers}one.ics"]
    asked = "".join(f"<D:href>{hers}{name}.ics</D:href>" for name in ("one", "no"))
    for path in (hers, carol.calendars):
        found = carol.report(path, MULTIGET.format(asked))
        assert "SUMMARY:one" in found[f"{hers}one.ics"].text(f"{C}calendar-data")
        assert found[f"{hers}no.ics"].status == 404
    assert carol.report(carol.calendars, QUERY, Depth="infinity").hrefs == [f"{hers}one.ics"]
    assert carol.call("DELETE", f"{hers}one.ics").status == 403
    assert carol.call("DELETE", hers).status == 403
    assert carol.listed(carol.calendars)[-2] == hers
    everything = carol.propfind(carol.calendars, "getetag", depth="infinity").hrefs
    assert everything.count(f"{hers}one.ics") == 1
    assert bob.call("DELETE", f"{mine}one.ics").status == 204
    canonical = f"/dav/calendars/{choir.group.space_id}/Calendar/"
    assert bob.store(canonical, "three") == 201
    assert carol.propfind(canonical, "getetag", depth=1).hrefs[-1] == f"{canonical}three.ics"


def test_moving_between_own_and_others(choir: Family) -> None:
    """Events go from the own calendar into the group's and back; calendars stay where they are."""
    bob, url = choir.bob, choir.bound(choir.bob)
    own = f"{bob.calendars}Calendar/"
    assert bob.store(own, "one") == 201
    assert bob.call("MOVE", f"{own}one.ics", Destination=f"{url}one.ics").status == 201
    assert bob.call("GET", f"{own}one.ics").status == 404
    assert b"one" in choir.carol.get(f"{choir.bound(choir.carol)}one.ics")
    assert bob.call("COPY", f"{url}one.ics", Destination=f"{own}copy.ics").status == 201
    carols = f"{choir.carol.calendars}Calendar/"
    moved = choir.carol.call(
        "MOVE", f"{choir.bound(choir.carol)}one.ics", Destination=f"{carols}x.ics"
    )
    assert moved.status == 403
    mine = choir.alice.calendars
    moved = choir.alice.call("MOVE", choir.bound(choir.alice), Destination=f"{mine}x/")
    assert moved.status == 403
    over = choir.alice.call("COPY", f"{mine}Tasks/", Destination=choir.bound(choir.alice))
    assert over.status == 403
    assert choir.alice.call("MKCALENDAR", f"{mine}Group-999").status == 409


def test_display_is_up_to_each(choir: Family) -> None:
    """Bob's colour and name are not Alice's, and readers may set theirs; all is kept."""
    alice, bob, carol = choir.alice, choir.bob, choir.carol
    for person, color in ((alice, "#FF0000FF"), (carol, "#00FF00FF")):
        found = person.proppatch(choir.bound(person), COLOR.format(color))
        assert found.names() == {f"{I}calendar-color"}
    carol.proppatch(choir.bound(carol), NAME.format("Singing"))

    def shown(person: Person, name: str) -> str:
        listed = person.propfind(person.calendars, name, depth=1)
        found = listed[choir.bound(person)]
        return found.text(name) if 200 in found.props else ""

    color = f"{I}calendar-color"
    assert [shown(each, color) for each in (alice, bob, carol)] == ["#FF0000FF", "", "#00FF00FF"]
    names = [shown(each, "displayname") for each in (alice, bob, carol)]
    assert names == ["Calendar (Choir)", "Calendar (Choir)", "Singing"]
    carol.proppatch(choir.bound(carol), "<D:remove><D:prop><D:displayname/></D:prop></D:remove>")
    assert shown(carol, "displayname") == "Calendar (Choir)"
    canonical = f"/dav/calendars/{choir.group.space_id}/Calendar/"
    assert 404 in carol.propfind(canonical, color).only.props
    alone = carol.propfind(choir.bound(carol), color).only
    assert alone.text(color) == "#00FF00FF"


def _state(person: Person, home: str) -> tuple[str, str]:
    found = person.propfind(home, f"{CS}getctag", "sync-token").only
    return found.text(f"{CS}getctag"), found.text("sync-token")


def test_homes_tell_what_came_and_went(choir: Family) -> None:
    """Tags and tokens of the home change with what groups have in it, and only then."""
    carol, url = choir.carol, choir.bound(choir.carol)
    begun = carol.sync(carol.calendars)
    assert changed(begun)[-2:] == [url, choir.bound(carol, "Tasks")]
    assert _state(carol, carol.calendars) == _state(carol, carol.calendars)
    assert changed(carol.sync(carol.calendars, begun.sync_token)) == []
    ctag, _ = _state(carol, carol.calendars)

    address = choir.group.address
    reactor.call(partial(choir.server.groups.rename, address, "Band"))
    renamed = carol.sync(carol.calendars, begun.sync_token)
    assert changed(renamed) == [url, choir.bound(carol, "Tasks")]
    assert _state(carol, carol.calendars)[0] != ctag

    carol.proppatch(url, COLOR.format("#123456FF"))
    painted = carol.sync(carol.calendars, renamed.sync_token)
    assert changed(painted) == [url]
    assert (
        changed(choir.bob.sync(choir.bob.calendars, _state(choir.bob, choir.bob.calendars)[1]))
        == []
    )

    canonical = f"/dav/calendars/{choir.group.space_id}/"
    assert choir.alice.call("MKCALENDAR", f"{canonical}Trips").status == 201
    more = carol.sync(carol.calendars, painted.sync_token)
    trips = choir.bound(carol, "Trips")
    assert changed(more) == [trips]
    assert choir.alice.call("DELETE", choir.bound(choir.alice, "Trips")).status == 204
    less = carol.sync(carol.calendars, more.sync_token)
    assert (changed(less), removed(less)) == ([], [trips])

    choir.remove(carol)
    gone = carol.sync(carol.calendars, begun.sync_token)
    assert set(removed(gone)) == {url, choir.bound(carol, "Tasks"), trips}
    choir.add(carol)
    back = carol.sync(carol.calendars, gone.sync_token)
    assert set(changed(back)) == {url, choir.bound(carol, "Tasks")}
    assert removed(back) == []
    small, seen = "", set()
    while True:
        page = carol.sync(carol.calendars, small, limit=2)
        seen |= {href for href in page.hrefs if href != carol.calendars}
        if len(page.hrefs) < 3:
            break
        small = page.sync_token
    assert seen == set(carol.propfind(carol.calendars, "getetag", depth=1).hrefs[1:])


def test_what_fellow_members_share(choir: Family) -> None:
    """A shared calendar is found with the name of its owner, by the group or by the one person."""
    bob, carol, eve = choir.bob, choir.carol, choir.eve
    bob.store(f"{bob.calendars}Calendar/", "one")
    folder = choir.share(bob, carol.account.space_id, SEE)
    url = f"{carol.calendars}Shared-{folder.id}/"
    assert carol.listed(carol.calendars)[-1] == url
    found = carol.propfind(url, "displayname", "owner").only
    assert found.text("displayname") == "Calendar (bob@example.test)"
    assert found.text("owner") == bob.principal
    assert b"one" in carol.get(f"{url}one.ics")
    assert carol.store(url, "two") == 403
    choir.share(bob, choir.group.space_id, CHANGE)
    assert carol.store(url, "two") == 201
    alices = f"{choir.alice.calendars}Shared-{folder.id}/"
    assert choir.alice.listed(choir.alice.calendars)[-1] == alices
    assert bob.listed(bob.calendars).count(f"{bob.calendars}Calendar/") == 1
    assert bob.call("PROPFIND", f"{bob.calendars}Shared-{folder.id}/", Depth="0").status == 404
    assert eve.call("PROPFIND", f"{eve.calendars}Shared-{folder.id}/", Depth="0").status == 404
    assert carol.call("GET", f"{carol.calendars}Group-{folder.id}/one.ics").status == 404


def test_leaving_what_is_shared(choir: Family) -> None:
    """DELETE of somebody's shared calendar hides it from oneself; the calendar stays as it is."""
    bob, carol = choir.bob, choir.carol
    bob.store(f"{bob.calendars}Calendar/", "one")
    folder = choir.share(bob, choir.group.space_id, CHANGE)
    url = f"{carol.calendars}Shared-{folder.id}/"
    token = carol.sync(carol.calendars).sync_token
    assert carol.call("DELETE", url).status == 204
    assert carol.call("PROPFIND", url, Depth="0").status == 404
    assert carol.call("GET", f"{url}one.ics").status == 404
    assert url not in carol.listed(carol.calendars)
    assert removed(carol.sync(carol.calendars, token)) == [url]
    assert _state(carol, carol.calendars) == _state(carol, carol.calendars)
    assert b"one" in bob.get(f"{bob.calendars}Calendar/one.ics")
    assert f"{choir.alice.calendars}Shared-{folder.id}/" in choir.alice.listed(
        choir.alice.calendars
    )
    choir.share(bob, choir.group.space_id, None)
    choir.share(bob, choir.group.space_id, SEE)
    assert carol.listed(carol.calendars)[-1] == url


def test_busy_times_are_of_ones_own_calendars(choir: Family) -> None:
    """What a group has does not make its members busy, unless one says so for oneself."""
    bob, carol = choir.bob, choir.carol
    bob.store(choir.bound(bob), "one", "DTEND:20260302T110000Z")
    url = choir.bound(carol)
    shown = carol.propfind(url, f"{C}schedule-calendar-transp").only
    assert shown.tags(f"{C}schedule-calendar-transp") == [f"{C}transparent"]

    def busy(path: str) -> bool:
        answer = carol.call("REPORT", path, BUSY, Depth="infinity")
        assert answer.status == 200
        return "20260302T100000Z/" in answer.text

    assert not busy(carol.calendars)
    assert busy(url)
    carol.proppatch(url, OPAQUE)
    assert busy(carol.calendars)


def test_locks_on_what_is_of_others(choir: Family) -> None:
    """A lock is taken at the URL that was asked, says that URL, and holds for all others."""
    alice, bob = choir.alice, choir.bob
    url = choir.bound(bob)
    bob.store(url, "one")
    token = bob.lock(f"{url}one.ics")
    found = bob.propfind(f"{url}one.ics", "lockdiscovery").only
    assert found.props[200][f"{D}lockdiscovery"].findtext(f".//{D}lockroot/{D}href") == (
        f"{url}one.ics"
    )
    assert alice.store(choir.bound(alice), "one") == 423
    body = calendar(event(START, "SUMMARY:mine", uid="one"))
    put = partial(bob.call, "PUT", f"{url}one.ics", body, Content_Type="text/calendar")
    assert put().status == 423
    assert put(If=f"<{url}one.ics> (<{token}>)").status == 204
    assert bob.unlock(f"{url}one.ics", token) == 204
    assert alice.store(choir.bound(alice), "one") == 204


def test_revocation_closes_every_door(choir: Family) -> None:
    """Whoever is removed finds nothing in the next request of an open connection."""
    alice, bob = choir.alice, choir.bob
    url = choir.bound(bob)
    bob.store(url, "one")
    bob.lock(f"{url}one.ics")
    token = bob.sync(url).sync_token
    home = bob.sync(bob.calendars).sync_token
    with within(1):
        choir.remove(bob)
        assert bob.call("GET", f"{url}one.ics").status == 404
    sync = f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token>'
    sync += "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
    assert bob.call("REPORT", url, sync).status == 404
    assert bob.call("PROPFIND", url, Depth="1").status == 404
    assert bob.store(url, "one") in (404, 409)
    assert bob.call("LOCK", f"{url}one.ics").status in (404, 400)
    gone = bob.sync(bob.calendars, home)
    assert set(removed(gone)) == {url, choir.bound(bob, "Tasks")}
    assert alice.store(choir.bound(alice), "one") == 204

    folder = choir.share(alice, choir.group.space_id, SEE)
    carol, shared = choir.carol, f"{choir.carol.calendars}Shared-{folder.id}/"
    assert carol.call("PROPFIND", shared, Depth="0").status == 207
    choir.share(alice, choir.group.space_id, None)
    assert carol.call("PROPFIND", shared, Depth="0").status == 404


def test_an_upload_ends_with_the_rights(choir: Family) -> None:
    """Whoever loses the right while the body is on its way, is refused at its end, within a second.

    The body is long enough that the request is judged before it is read.
    """
    bob = choir.bob
    url = choir.bound(bob)
    notes = [f"COMMENT:{'x' * 60}"] * 5000
    body = calendar(event(START, *notes, uid="late"))
    head = (
        f"PUT {url}late.ics HTTP/1.1\r\nHost: {bob.http.host}\r\nContent-Type: text/calendar\r\n"
        f"Authorization: {basic(bob.account.address, bob.account.password)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with choir.server.http() as http:
        http.send(head.encode() + body[: len(body) // 2])
        time.sleep(0.2)
        with within(1):
            choir.remove(bob)
            http.send(body[len(body) // 2 :])
            answer = http.answer()
        assert answer.status in (403, 404, 409)
    assert choir.alice.call("GET", f"{choir.bound(choir.alice)}late.ics").status == 404


def test_locks_end_with_the_rights(choir: Family) -> None:
    """Whoever may not write any more, locks nothing: narrowed, withdrawn, or out of the group."""
    alice, carol = choir.alice, choir.carol
    own = f"{alice.calendars}Calendar/"
    alice.store(own, "one")
    space = carol.account.space_id
    for end in (
        lambda: choir.share(alice, space, SEE),
        lambda: choir.share(alice, space, None),
        lambda: choir.remove(carol),
    ):
        folder = choir.share(alice, space, CHANGE)
        carol.lock(f"{carol.calendars}Shared-{folder.id}/one.ics")
        assert alice.store(own, "one") == 423
        end()
        assert alice.store(own, "one") == 204
