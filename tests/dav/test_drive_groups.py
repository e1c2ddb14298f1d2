"""The documents of groups in the drive: members see them, writers change them, others nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest

from folkmoot.storage.types_groups import Group
from tests.kit import reactor
from tests.kit.dav import Dav, multistatus
from tests.kit.server import TestServer

DRIVE = "/dav/drive/"
GROUPS = "/dav/drive/Groups/"
OTHERS = [f"{DRIVE}Drop%20folders/", GROUPS, f"{DRIVE}Shared/"]
CHOIR = "/dav/drive/Groups/Choir/"


@dataclass
class Choir:
    """A group: Alice administers it, Bob writes, Carol reads, Eve is not in it."""

    server: TestServer
    group: Group
    alice: Dav
    bob: Dav
    carol: Dav
    eve: Dav


@pytest.fixture
def choir(any_server: TestServer) -> Choir:
    """The group, with a file of Alice's in it."""
    people = {name: any_server.account(name) for name in ("alice", "bob", "carol", "eve")}
    group = any_server.group("choir", people["alice"], people["carol"], writers=[people["bob"]])
    davs = [Dav(any_server, account) for account in people.values()]
    davs[0].put(f"{CHOIR}song.txt", b"la")
    return Choir(any_server, group, *davs)


def test_the_drive_leads_to_groups(choir: Choir) -> None:
    """Whoever mounts the drive finds the groups beside the own documents."""
    for member in (choir.alice, choir.bob, choir.carol):
        hrefs = member.propfind(DRIVE, "displayname", depth=1).hrefs
        assert hrefs == [DRIVE, *OTHERS, f"{DRIVE}My%20documents/"]
        found = member.propfind(GROUPS, "displayname", depth=1)
        assert found.hrefs == [GROUPS, CHOIR]
        assert found[CHOIR].text("displayname") == "Choir"
        assert member.get(f"{CHOIR}song.txt") == b"la"
    assert choir.eve.propfind(GROUPS, "displayname", depth=1).hrefs == [GROUPS]


def test_members_without_rights_only_read(choir: Choir) -> None:
    """A reader sees everything and changes nothing."""
    carol = choir.carol
    assert carol.call("PUT", f"{CHOIR}new.txt", b"x").status == 403
    assert carol.call("PUT", f"{CHOIR}song.txt", b"x").status == 403
    assert carol.call("MKCOL", f"{CHOIR}new").status == 403
    assert carol.call("DELETE", f"{CHOIR}song.txt").status == 403
    assert carol.call("MOVE", f"{CHOIR}song.txt", Destination=f"{CHOIR}x.txt").status == 403
    mine = f"{DRIVE}My%20documents/song.txt"
    assert carol.call("MOVE", f"{CHOIR}song.txt", Destination=mine).status == 403
    assert carol.call("LOCK", f"{CHOIR}free.txt").status in (400, 403)
    assert carol.call("COPY", f"{CHOIR}song.txt", Destination=mine).status == 201
    assert carol.call("COPY", "song.txt", Destination=f"{CHOIR}copy.txt").status == 403
    assert carol.propfind(CHOIR, "displayname", depth=1).hrefs == [
        CHOIR,
        f"{CHOIR}Shared/",
        f"{CHOIR}song.txt",
    ]
    privileges = carol.propfind(CHOIR, "current-user-privilege-set").only
    assert "read" in privileges.tags("current-user-privilege-set")
    assert "write-content" not in privileges.tags("current-user-privilege-set")


def test_writers_work_in_the_group(choir: Choir) -> None:
    """What was given to a member works like in the own documents; all others see it."""
    bob, carol = choir.bob, choir.carol
    bob.mkcol(f"{CHOIR}Scores/")
    bob.put(f"{CHOIR}Scores/a.txt", b"a")
    bob.put(f"{CHOIR}song.txt", b"la la")
    bob.put("mine.txt", b"m")
    moved = bob.call("MOVE", "mine.txt", Destination=f"{CHOIR}Scores/mine.txt")
    assert moved.status == 201
    assert carol.get(f"{CHOIR}Scores/mine.txt") == b"m"
    token = bob.lock(f"{CHOIR}song.txt")
    assert choir.alice.call("PUT", f"{CHOIR}song.txt", b"x").status == 423
    assert bob.unlock(f"{CHOIR}song.txt", token) == 204
    assert bob.call("DELETE", f"{CHOIR}Scores").status == 204
    assert bob.call("DELETE", CHOIR).status in (403, 405)


def test_the_group_is_charged(choir: Choir) -> None:
    """Octets are of the space that holds them, never of the person who wrote them."""
    choir.bob.put(f"{CHOIR}big.bin", b"x" * 1000)
    used = choir.bob.propfind(CHOIR, "quota-used-bytes").only.text("quota-used-bytes")
    assert used == "1002"
    assert choir.bob.propfind("", "quota-used-bytes").only.text("quota-used-bytes") == "0"


def test_strangers_find_nothing(choir: Choir) -> None:
    """A group that one is not in looks like one that does not exist."""
    eve, space = choir.eve, choir.group.space_id
    paths = [CHOIR, f"{CHOIR}song.txt", f"/dav/calendars/{space}/", f"/dav/contacts/{space}/"]
    paths += [f"/dav/calendars/{space}/Calendar/", f"/dav/principals/groups/{space}/"]
    for path in paths:
        assert eve.call("PROPFIND", path, Depth="0").status == 404
        assert eve.call("GET", path).status == 404
        assert eve.call("DELETE", path).status in (404, 405)
    nowhere = eve.call("PUT", f"{GROUPS}Nobody/x.txt", b"x")
    assert eve.call("PUT", f"{CHOIR}x.txt", b"x").status == nowhere.status == 403
    eve.put("x.txt")
    assert eve.call("MOVE", "x.txt", Destination=f"{CHOIR}x.txt").status == 403


def test_who_is_removed_is_out_at_once(choir: Choir) -> None:
    """The next request on a connection that is open already finds nothing; locks are gone."""
    bob = choir.bob
    bob.lock(f"{CHOIR}song.txt")
    address = choir.group.address
    reactor.call(partial(choir.server.groups.remove_member, address, bob.account.address))
    assert bob.call("GET", f"{CHOIR}song.txt").status == 404
    assert bob.call("PUT", f"{CHOIR}song.txt", b"x").status in (403, 404)
    assert bob.propfind(GROUPS, "displayname", depth=1).hrefs == [GROUPS]
    choir.alice.put(f"{CHOIR}song.txt", b"free again")


def test_groups_of_the_same_name(choir: Choir) -> None:
    """Two groups with one name are told apart by their addresses, and both can be opened."""
    server, carol = choir.server, choir.carol
    server.group("singers", choir.alice.account, carol.account)
    reactor.call(partial(server.groups.rename, "singers@example.test", "CHOIR"))
    hrefs = carol.propfind(GROUPS, "displayname", depth=1).hrefs
    assert hrefs == [
        GROUPS,
        f"{GROUPS}CHOIR%20(singers@example.test)/",
        f"{GROUPS}Choir%20(choir@example.test)/",
    ]
    for href in hrefs[1:]:
        assert carol.propfind(href, "displayname").hrefs == [href]


def test_calendars_of_the_group(choir: Choir) -> None:
    """Members read the group's calendar at its own URL; writers put events there."""
    url = f"/dav/calendars/{choir.group.space_id}/Calendar/"
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260105T100000Z\r\nSUMMARY:Rehearsal\r\n"
        "ORGANIZER:mailto:bob@example.test\r\nATTENDEE:mailto:carol@example.test\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    choir.bob.put(f"{url}1.ics", event, Content_Type="text/calendar")
    assert b"Rehearsal" in choir.carol.get(f"{url}1.ics")
    assert choir.carol.call("PUT", f"{url}2.ics", event).status == 403
    home = f"/dav/calendars/{choir.carol.account.space_id}/Inbox/"
    assert choir.carol.propfind(home, "displayname", depth=1).hrefs == [home]
    assert choir.bob.call("DELETE", f"{url}1.ics").status == 204


MULTIGET = (
    '<C:calendar-multiget xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:prop>'
    "<C:calendar-data/></D:prop><D:href>{}</D:href></C:calendar-multiget>"
)
FREE_BUSY = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:q\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20260105T000000Z\r\nDTEND:20260106T000000Z\r\n"
    "ORGANIZER:mailto:{who}@example.test\r\nATTENDEE:mailto:bob@example.test\r\n"
    "END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
)


def test_fellow_members_learn_busy_times_and_nothing_else(choir: Choir) -> None:
    """M3.5: when one is busy is told to members of one's groups; the calendar looks absent."""
    # rfc4791#6.1.1
    bob, carol = choir.bob, choir.carol
    home = f"/dav/calendars/{bob.account.space_id}/"
    event = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:s\r\n"
        "DTSTAMP:20260101T000000Z\r\nDTSTART:20260105T100000Z\r\nDTEND:20260105T110000Z\r\n"
        "SUMMARY:Secret\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    bob.put(f"{home}Calendar/s.ics", event, Content_Type="text/calendar")

    def ask(dav: Dav, who: str) -> str:
        outbox = f"/dav/calendars/{dav.account.space_id}/Outbox/"
        body = FREE_BUSY.format(who=who)
        answer = dav.call("POST", outbox, body, Content_Type="text/calendar")
        assert answer.status == 200
        return answer.text

    told = ask(carol, "carol")
    assert "20260105T100000Z/" in told
    assert "Secret" not in told
    assert "20260105T100000Z/" not in ask(choir.eve, "eve")
    query = (
        '<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">'
        '<C:time-range start="20260105T000000Z" end="20260106T000000Z"/></C:free-busy-query>'
    )
    for path in (home, f"{home}Calendar/", f"{home}Calendar/s.ics", f"{home}Inbox/"):
        for depth in "01":
            assert carol.call("PROPFIND", path, Depth=depth).status == 404
        busy = carol.call("REPORT", path, query, Depth="infinity")
        if path in (home, f"{home}Calendar/"):
            assert busy.status == 200
            assert "20260105T100000Z/" in busy.text
            assert "Secret" not in busy.text
        else:
            assert busy.status == 404
        assert choir.eve.call("REPORT", path, query, Depth="infinity").status == 404
        assert carol.call("REPORT", path, MULTIGET.format(path), Depth="1").status == 404
        assert carol.call("GET", path).status == 404
        assert carol.call("DELETE", path).status == 404
    multiget = MULTIGET.format(f"{home}Calendar/s.ics")
    mine = f"/dav/calendars/{carol.account.space_id}/Calendar/"
    assert multistatus(carol.call("REPORT", mine, multiget)).only.status == 404
    reactor.call(
        partial(choir.server.groups.remove_member, choir.group.address, carol.account.address)
    )
    assert "20260105T100000Z/" not in ask(carol, "carol")


def test_principals_of_groups_and_fellow_members(choir: Choir) -> None:
    """Members know the group and each other by name and address."""
    group = f"/dav/principals/groups/{choir.group.space_id}/"
    for url in (group, f"/dav/principals/users/{choir.bob.account.space_id}/"):
        found = choir.carol.propfind(url, "displayname", "owner")
        assert found.only.text("displayname")
    owner = choir.carol.propfind(CHOIR, "owner").only.text("owner")
    assert owner == group
    everything = choir.carol.call("PROPFIND", group)
    assert everything.status == 207
