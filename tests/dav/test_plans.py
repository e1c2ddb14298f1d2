"""What the plan of an account allows over DAV; changes of it act at once."""

from __future__ import annotations

import pytest

from folkmoot.storage.types import Feature, Limit, Tool
from folkmoot.storage.types_accounts import Terms
from tests.dav.cards import card
from tests.kit.dav import HOME, Dav, conditions
from tests.kit.server import TestServer

DRIVE = "/dav/drive/"
HOMES = (
    "{urn:ietf:params:xml:ns:caldav}calendar-home-set",
    "{urn:ietf:params:xml:ns:carddav}addressbook-home-set",
)
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nSUMMARY:{}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def without(*features: Feature) -> Terms:
    """A plan that lacks something."""
    return Terms(withheld=frozenset(features))


def homes(dav: Dav) -> tuple[str, str, str]:
    """The URLs of the tools."""
    number = dav.account.space_id
    return f"/dav/calendars/{number}/", f"/dav/contacts/{number}/", HOME


@pytest.mark.parametrize(
    ("feature", "index"), [(Feature.CALDAV, 0), (Feature.CARDDAV, 1), (Feature.DRIVE, 2)]
)
def test_one_tool_is_not_in_the_plan(server: TestServer, feature: Feature, index: int) -> None:
    """It answers 403 and what lacks, and nothing leads to it; the others work as before."""
    dav = Dav(server)
    mine = homes(dav)
    server.update(dav.account, terms=without(feature))
    for number, url in enumerate(mine):
        answer = dav.call("PROPFIND", url, Depth="1")
        assert answer.status == (403 if number == index else 207)
        if number == index:
            assert "plan" in answer.text
    assert dav.call("PUT", mine[index] + "x", b"x").status == 403
    assert dav.call("COPY", mine[1], Destination=mine[index] + "x").status != 201
    principal = f"/dav/principals/users/{dav.account.space_id}/"
    found = dav.propfind(principal, *HOMES).only.names(200)
    assert found == {name for number, name in enumerate(HOMES) if number != index}
    sites = [f"/dav/{name}/" for name in ("calendars", "contacts", "drive")]
    above = dav.propfind("/dav/", depth=1).hrefs
    assert [href for href in sites if href not in above] == [sites[index]]
    listed = dav.propfind(DRIVE, depth=1).hrefs if index != 2 else []
    assert (HOME in listed) == (index != 2)
    server.update(dav.account, terms=Terms())
    assert dav.call("PROPFIND", mine[index], Depth="0").status == 207


def test_groups_show_no_tool_that_the_plan_lacks(server: TestServer) -> None:
    """What others share opens no tool either."""
    dav, admin = Dav(server), server.account()
    group = server.group("choir", admin, dav.account)
    path = f"/dav/calendars/{group.space_id}/"
    assert dav.call("PROPFIND", path, Depth="0").status == 207
    server.update(dav.account, terms=without(Feature.CALDAV))
    assert dav.call("PROPFIND", path, Depth="0").status == 403
    server.update(dav.account, terms=without(Feature.DRIVE))
    assert dav.call("PROPFIND", DRIVE + "Groups/Choir/", Depth="0").status == 403
    assert dav.call("PROPFIND", path, Depth="0").status == 207


def test_nothing_of_dav_is_in_the_plan(server: TestServer) -> None:
    """Then signing in is refused, with what lacks and not with a new question for a password."""
    dav = Dav(server)
    server.update(dav.account, terms=without(Feature.CALDAV, Feature.CARDDAV, Feature.DRIVE))
    answer = dav.call("PROPFIND", "/dav/", Depth="0")
    assert answer.status == 403
    assert answer.header("WWW-Authenticate") is None
    assert "plan" in answer.text


def test_an_upload_under_way(server: TestServer) -> None:
    """A plan that loses the drive refuses what was begun before; nothing of it is kept."""
    dav = Dav(server)
    dav.http.head("PUT", HOME + "a", length=300_000)
    dav.http.send(b"x" * 200_000)
    server.update(dav.account, terms=without(Feature.DRIVE))
    dav.http.send(b"x" * 100_000)
    assert dav.http.answer("PUT").status == 401
    server.update(dav.account, terms=Terms())
    assert Dav(server, dav.account).call("GET", "a").status == 404


@pytest.mark.parametrize("announced", [False, True])
def test_the_largest_file(server: TestServer, announced: bool) -> None:
    """One octet more is 413, before the body is sent where the client waits; no less for MOVE."""
    account = server.account(limits={Tool.DOCUMENTS: Limit(None, None, 1000)})
    dav = Dav(server, account)
    dav.put("a", b"x" * 1000)
    if announced:
        dav.http.head("PUT", HOME + "b", [("Expect", "100-continue")], length=1001)
        assert dav.http.answer("PUT").status == 413
        dav = Dav(server, account)
    else:
        for name in ("a", "b"):
            assert dav.call("PUT", name, b"x" * 1001).status == 413
    server.update(account, limits={Tool.DOCUMENTS: Limit(None, None, 999)})
    assert dav.call("COPY", "a", Destination=HOME + "c").status == 413
    assert dav.call("MOVE", "a", Destination=HOME + "c").status == 201
    assert dav.get("c") == b"x" * 1000


def test_the_largest_entries(server: TestServer) -> None:
    """Calendars and address books have a condition for it."""
    limits = dict.fromkeys((Tool.CALENDAR, Tool.CONTACTS), Limit(None, None, 300))
    dav = Dav(server, server.account(limits=limits))
    calendars, contacts, _ = homes(dav)
    bodies: dict[str, bytes | str] = {
        calendars + "Calendar/a.ics": EVENT.format("x" * 300),
        contacts + "Contacts/a.vcf": card("NOTE:" + "x" * 300),
    }
    for url, body in bodies.items():
        answer = dav.call("PUT", url, body)
        assert answer.status == 403
        assert [name.partition("}")[2] for name in conditions(answer)] == ["max-resource-size"]
    assert dav.call("PUT", calendars + "Calendar/a.ics", EVENT.format("x")).status == 201


def test_a_smaller_plan_keeps_what_is_there(server: TestServer) -> None:
    """All is read, moved, replaced by less and removed; nothing is added."""
    dav = Dav(server)
    for name in "abc":
        dav.put(name, b"x" * 100)
    server.update(dav.account, limits={Tool.DOCUMENTS: Limit(150, 2)})
    answer = dav.call("PUT", "d", b"x")
    assert (answer.status, conditions(answer)) == (507, ["quota-not-exceeded"])
    assert "documents are full" in answer.text
    assert dav.get("a") == b"x" * 100
    dav.put("a", b"x" * 50)
    assert dav.call("MOVE", "a", Destination=HOME + "e").status == 201
    assert dav.call("DELETE", "b").status == 204
    assert dav.call("PUT", "d", b"").status == 507
    assert dav.call("DELETE", "c").status == 204
    dav.put("d", b"x" * 100)
