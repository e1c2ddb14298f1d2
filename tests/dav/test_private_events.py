"""CLASS:PRIVATE and CONFIDENTIAL: what others find of such events in calendars they may read."""

from __future__ import annotations

import pytest

from folkmoot.storage.upkeep import check
from tests.dav.calendars import calendar, event
from tests.dav.family import CHANGE, SEE, START, Family, Person, changed, family, removed
from tests.kit.server import TestServer
from tests.storage.mail_kit import sql

SECRET = "Xq7Secret"
C = 'xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"'
DATA = "<D:prop><D:getetag/><D:getcontentlength/><C:calendar-data/></D:prop>"
RANGE = '<C:time-range start="20260301T000000Z" end="20260401T000000Z"/>'
TEXTS = (
    f"SUMMARY:{SECRET} summary",
    f"DESCRIPTION:{SECRET} description",
    f"LOCATION:{SECRET} place",
    f"X-NOTE:{SECRET} note",
    f"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:{SECRET}\nEND:VALARM",
)


@pytest.fixture
def folk(any_server: TestServer) -> Family:
    """Alice's calendar is shared with the group for reading, and with Bob for writing."""
    found = family(any_server)
    found.share(found.alice, found.group.space_id, SEE)
    found.share(found.alice, found.bob.account.space_id, CHANGE)
    return found


def put(dav: Person, url: str, uid: str, kind: str, *lines: str) -> int:
    """Store an event of a class with texts."""
    body = calendar(event(START, "DURATION:PT1H", f"CLASS:{kind}", *lines, *TEXTS, uid=uid))
    return dav.call("PUT", f"{url}{uid}.ics", body, Content_Type="text/calendar").status


def homes(folk: Family, person: Person) -> str:
    """Where somebody finds Alice's calendar."""
    if person is folk.alice:
        return f"{person.calendars}Calendar/"
    [found] = [url for url in person.listed(person.calendars) if "Shared-" in url]
    return found


def everything(person: Person, url: str) -> str:
    """What all ways to read a calendar tell somebody."""
    query = (
        f"<C:calendar-query {C}>{DATA}<C:filter><C:comp-filter name='VCALENDAR'>"
        "{}</C:comp-filter></C:filter></C:calendar-query>"
    )
    events = "<C:comp-filter name='VEVENT'>{}</C:comp-filter>"
    texts = (
        f"<C:prop-filter name='{name}'><C:text-match>{SECRET}</C:text-match></C:prop-filter>"
        for name in ("SUMMARY", "DESCRIPTION", "X-NOTE")
    )
    wanted = "".join(f"<D:href>{url}{name}.ics</D:href>" for name in ("private", "confidential"))
    reports = [
        query.format(""),
        query.format(events.format(RANGE)),
        *(query.format(events.format(text)) for text in texts),
        query.format(events.format("<C:comp-filter name='VALARM'/>")),
        query.replace(
            "<C:calendar-data/>",
            "<C:calendar-data><C:expand start='20260301T000000Z'"
            " end='20260401T000000Z'/></C:calendar-data>",
        ).format(events.format(RANGE)),
        f"<C:calendar-multiget {C}>{DATA}{wanted}</C:calendar-multiget>",
        f"<C:free-busy-query {C}>{RANGE}</C:free-busy-query>",
    ]
    answers = [person.call("REPORT", url, body, Depth="1") for body in reports]
    answers += [person.call("PROPFIND", url, Depth="1"), person.call("PROPFIND", url, Depth="0")]
    answers += [person.call("GET", url)]
    for name in ("private", "confidential"):
        answers += [person.call(method, f"{url}{name}.ics") for method in ("GET", "HEAD")]
        answers.append(person.call("PROPFIND", f"{url}{name}.ics", Depth="0"))
    found = [f"{answer.fields} {answer.text}" for answer in answers]
    return "\n".join([*found, str(person.sync(url).responses)])


def test_no_octet_is_told(folk: Family) -> None:
    """Over all reports: private events are nowhere, confidential ones have their times only."""
    url = f"{folk.alice.calendars}Calendar/"
    assert put(folk.alice, url, "private", "PRIVATE") == 201
    assert put(folk.alice, url, "confidential", "CONFIDENTIAL", "RRULE:FREQ=WEEKLY") == 201
    assert put(folk.alice, url, "open", "PUBLIC") == 201
    assert SECRET in everything(folk.alice, url)
    assert folk.alice.call("DELETE", f"{url}open.ics").status == 204
    for person in (folk.bob, folk.carol):
        told = everything(person, homes(folk, person))
        assert SECRET not in told
        assert "/private.ics</D:href><D:propstat>" not in told
        assert "SUMMARY:Busy" in told
        assert "FREQ=WEEKLY" in told
        assert "FREEBUSY" in told
        assert "VALARM" not in told


def test_outlines_look_like_events(folk: Family) -> None:
    """Size, tag and octets of an outline agree everywhere, and are not those of the event."""
    url = f"{folk.alice.calendars}Calendar/"
    put(folk.alice, url, "confidential", "CONFIDENTIAL")
    theirs = f"{homes(folk, folk.bob)}confidential.ics"
    answer = folk.bob.call("GET", theirs)
    found = folk.bob.propfind(theirs, "getetag", "getcontentlength").only
    assert found.text("getcontentlength") == str(len(answer.body))
    assert found.text("getetag") == answer.header("etag")
    assert answer.header("etag") != folk.alice.call("GET", f"{url}confidential.ics").header("etag")
    assert folk.bob.call("GET", theirs, Range="bytes=0-9").body == answer.body[:10]
    put(folk.alice, url, "confidential", "CONFIDENTIAL", f"COMMENT:{SECRET}")
    assert folk.bob.call("GET", theirs).header("etag") == answer.header("etag")


def test_what_is_hidden_is_not_written(folk: Family) -> None:
    """Writers cannot change, copy, move or remove what they do not see whole."""
    url, bob = f"{folk.alice.calendars}Calendar/", folk.bob
    put(folk.alice, url, "private", "PRIVATE")
    put(folk.alice, url, "confidential", "CONFIDENTIAL")
    theirs, own = homes(folk, bob), f"{bob.calendars}Calendar/"
    assert put(bob, theirs, "confidential", "PUBLIC") == 403
    assert put(bob, theirs, "private", "PUBLIC") in (403, 409)
    for name, status in (("confidential", 403), ("private", 404)):
        target = f"{own}{name}.ics"
        assert bob.call("DELETE", f"{theirs}{name}.ics").status == status
        assert bob.call("COPY", f"{theirs}{name}.ics", Destination=target).status == status
        assert bob.call("MOVE", f"{theirs}{name}.ics", Destination=target).status == status
    copied = bob.call("COPY", theirs, Destination=f"{bob.calendars}Copy/")
    if copied.status == 201:
        assert bob.propfind(f"{bob.calendars}Copy/", "getetag", depth=1).hrefs == [
            f"{bob.calendars}Copy/"
        ]
    other = calendar(event(START, "SUMMARY:x", uid="private"))
    conflict = bob.call("PUT", f"{theirs}new.ics", other, Content_Type="text/calendar")
    assert conflict.status in (403, 409)
    assert "private.ics" not in conflict.text
    assert folk.alice.get(f"{url}private.ics")


def test_becoming_private_is_a_removal(folk: Family) -> None:
    """A sync tells others that the event is gone, and that it came back; no name of one that they
    never saw."""
    url, carol = f"{folk.alice.calendars}Calendar/", folk.carol
    put(folk.alice, url, "one", "PUBLIC")
    theirs = homes(folk, carol)
    first = carol.sync(theirs)
    assert changed(first) == [f"{theirs}one.ics"]
    assert first.sync_token
    put(folk.alice, url, "one", "PRIVATE")
    put(folk.alice, url, "never-seen", "PRIVATE")
    second = carol.sync(theirs, first.sync_token)
    assert (removed(second), changed(second)) == ([f"{theirs}one.ics"], [])
    folk.alice.call("DELETE", f"{url}never-seen.ics")
    put(folk.alice, url, "one", "PUBLIC")
    assert second.sync_token
    third = carol.sync(theirs, second.sync_token)
    assert (removed(third), changed(third)) == ([], [f"{theirs}one.ics"])
    mine = folk.alice.sync(url)
    assert changed(mine) == [f"{url}one.ics"]


def test_own_private_events_in_anothers_calendar(folk: Family) -> None:
    """Who puts one there sees and changes it; the owner does too, other readers do not."""
    bob, carol = folk.bob, folk.carol
    theirs = homes(folk, bob)
    assert put(bob, theirs, "mine", "PRIVATE") == 201
    assert SECRET in bob.get(f"{theirs}mine.ics").decode()
    assert put(bob, theirs, "mine", "PRIVATE", "COMMENT:x") == 204
    assert SECRET in folk.alice.get(f"{folk.alice.calendars}Calendar/mine.ics").decode()
    assert carol.call("GET", f"{homes(folk, carol)}mine.ics").status == 404
    assert bob.call("DELETE", f"{theirs}mine.ics").status == 204


def test_remembered_listings_are_ones_own(folk: Family) -> None:
    """A listing that the owner has asked for is not given to somebody who sees less."""
    url = f"{folk.alice.calendars}Calendar/"
    put(folk.alice, url, "private", "PRIVATE")
    for _ in range(2):
        assert f"{url}private.ics" in folk.alice.propfind(url, "getetag", depth=1).hrefs
    for person in (folk.bob, folk.carol):
        theirs = homes(folk, person)
        for where in (theirs, url):
            answer = person.call("PROPFIND", where, Depth="1")
            assert "private.ics" not in answer.text


def test_a_lost_class_is_found(folk: Family) -> None:
    """The check says when an item is open to others whose entry is not."""
    put(folk.alice, f"{folk.alice.calendars}Calendar/", "private", "PRIVATE")
    store = folk.server.store
    for privacy, wrong in ((0, True), (1, True), (2, False)):
        sql(store, "UPDATE items SET privacy = :privacy", privacy=privacy)
        found = [finding.what for finding in check(store)]
        assert any("another class" in what for what in found) is wrong
