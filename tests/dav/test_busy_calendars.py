"""Calendars that are shared as busy times: outlines of what makes busy, and nothing else."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.sharing.rights import LEVELS, granted_rights_named, rights_text
from folkmoot.storage.content.ical.intake import load_calendar
from folkmoot.storage.content.ical.outline import busy, named_busy
from folkmoot.storage.content.ical.zones import UTC
from folkmoot.storage.upkeep import check
from tests.dav.calendars import BERLIN, calendar, event
from tests.dav.family import SEE, START, Family, Person, changed, family, removed
from tests.kit.server import TestServer

SECRET = "Xq7Secret"
BUSY = LEVELS["busy"]
C = 'xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"'
RANGE = '<C:time-range start="20260301T000000Z" end="20260401T000000Z"/>'
PROPS = "<D:allprop/><D:include><D:displayname/></D:include>"
DATA = (
    "<D:prop><D:getetag/><D:getcontentlength/><D:displayname/><D:getcontenttype/>"
    "<C:schedule-tag/><D:lockdiscovery/><C:calendar-data/></D:prop>"
)
TEXTS = (
    f"SUMMARY:{SECRET} summary",
    f"DESCRIPTION:{SECRET} description",
    f"LOCATION:{SECRET} place",
    f"CATEGORIES:{SECRET}",
    f"X-NOTE:{SECRET} note",
    f"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:{SECRET}\nEND:VALARM",
)


@pytest.fixture
def folk(any_server: TestServer) -> Family:
    """Alice's calendar is shared as busy times with the group."""
    found = family(any_server)
    found.share(found.alice, found.group.space_id, BUSY)
    return found


def put(folk: Family, name: str, *lines: str) -> str:
    """Store an event of Alice's with texts everywhere, and return its URL."""
    url = f"{folk.alice.calendars}Calendar/{SECRET}-{name}.ics"
    body = calendar(event(START, "DURATION:PT1H", *lines, *TEXTS, uid=f"{SECRET}-{name}"))
    assert folk.alice.call("PUT", url, body, Content_Type="text/calendar").status in (201, 204)
    return url


def shared(person: Person) -> str:
    """Where somebody finds Alice's calendar."""
    [found] = [url for url in person.listed(person.calendars) if "Shared-" in url]
    return found


def members(person: Person, url: str) -> list[str]:
    """What is listed in a calendar."""
    return [href for href in person.propfind(url, "getetag", depth=1).hrefs if href != url]


def everything(person: Person, url: str) -> str:
    """What all ways to read a calendar tell somebody, by their own names and by the owner's."""
    query = (
        f"<C:calendar-query {C}>{DATA}<C:filter><C:comp-filter name='VCALENDAR'>"
        "{}</C:comp-filter></C:filter></C:calendar-query>"
    )
    events = "<C:comp-filter name='VEVENT'>{}</C:comp-filter>"
    texts = (
        f"<C:prop-filter name='{name}'><C:text-match>{SECRET[:6]}</C:text-match></C:prop-filter>"
        for name in ("SUMMARY", "DESCRIPTION", "X-NOTE", "UID")
    )
    here = members(person, url)
    wanted = "".join(f"<D:href>{href}</D:href>" for href in here)
    narrowed = query.replace(
        "<C:calendar-data/>",
        "<C:calendar-data><C:expand start='20260301T000000Z' end='20260401T000000Z'/>"
        "</C:calendar-data>",
    )
    reports = [
        query.format(""),
        query.format(events.format(RANGE)),
        *(query.format(events.format(text)) for text in texts),
        query.format(events.format("<C:comp-filter name='VALARM'/>")),
        narrowed.format(events.format(RANGE)),
        query.replace(DATA, "<D:allprop/>").format(""),
        f"<C:calendar-multiget {C}>{DATA}{wanted}</C:calendar-multiget>",
        f"<C:free-busy-query {C}>{RANGE}</C:free-busy-query>",
    ]
    answers = [person.call("REPORT", url, body, Depth="1") for body in reports]
    found = f"<D:propfind {C}>{PROPS}</D:propfind>"
    answers += [person.call("PROPFIND", url, found, Depth=depth) for depth in ("0", "1")]
    answers += [person.call("GET", url), person.call("PROPFIND", person.calendars, Depth="1")]
    for href in here:
        answers += [person.call(method, href) for method in ("GET", "HEAD", "OPTIONS")]
        answers += [person.call("PROPFIND", href, found, Depth="0")]
        target = f"{person.calendars}Calendar/copy.ics"
        answers += [
            person.call(method, href, Destination=target) for method in ("COPY", "MOVE", "DELETE")
        ]
        body = calendar(event(START, uid="busy"))
        answers.append(person.call("PUT", href, body, Content_Type="text/calendar"))
        answers.append(person.call("LOCK", href, '<D:lockinfo xmlns:D="DAV:"/>'))
    answers += [person.call("COPY", url, Destination=f"{person.calendars}Copy/")]
    answers += [person.call("PROPFIND", f"{person.calendars}Calendar/", Depth="1")]
    told = [f"{answer.status} {answer.fields} {answer.text}" for answer in answers]
    return "\n".join([*told, *(repr(each) for each in person.sync(url).responses)])


def test_no_octet_is_told(folk: Family) -> None:
    """Over all methods and reports: times and "Busy", of private events too; no text, no UID and
    no name that the owner's program gave."""
    put(folk, "open", "RRULE:FREQ=WEEKLY")
    put(folk, "private", "CLASS:PRIVATE")
    put(folk, "confidential", "CLASS:CONFIDENTIAL")
    assert SECRET in folk.alice.call("PROPFIND", f"{folk.alice.calendars}Calendar/").text
    for person in (folk.bob, folk.carol):
        url = shared(person)
        assert len(members(person, url)) == 3
        told = everything(person, url)
        assert SECRET.lower() not in told.lower()
        assert "SUMMARY:Busy" in told
        assert "FREQ=WEEKLY" in told
        assert "FREEBUSY" in told
        for word in ("VALARM", "CLASS", "copy.ics", "LOCATION"):
            assert word not in told
        assert len(members(person, url)) == 3
        for name in ("open", "private"):
            assert person.call("GET", f"{url}{SECRET}-{name}.ics").status == 404
    assert not [*check(folk.server.store)]


def test_it_looks_like_a_calendar(folk: Family) -> None:
    """It is listed once, can be read and not written; size, tag and octets agree and are not the
    owner's, and texts that change change nothing."""
    theirs, bob = put(folk, "one"), folk.bob
    url = shared(bob)
    [href] = members(bob, url)
    assert re.fullmatch(r"busy-\d+\.ics", href.removeprefix(url))
    answer = bob.call("GET", href)
    found = bob.propfind(href, "getetag", "getcontentlength").only
    assert found.text("getcontentlength") == str(len(answer.body))
    assert found.text("getetag") == answer.header("etag")
    assert answer.header("etag") != folk.alice.call("GET", theirs).header("etag")
    assert bob.call("GET", href, Range="bytes=0-9").body == answer.body[:10]
    privileges = bob.call("PROPFIND", url, _privileges(), Depth="0").text
    assert "<D:read/>" in privileges
    assert "read-free-busy" in privileges
    assert "write" not in privileges
    put(folk, "one", f"COMMENT:{SECRET}")
    assert bob.call("GET", href).header("etag") == answer.header("etag")
    assert folk.eve.call("PROPFIND", f"{folk.alice.calendars}Calendar/").status == 404


def _privileges() -> str:
    return (
        '<D:propfind xmlns:D="DAV:"><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>'
    )


def test_filters_see_outlines(folk: Family) -> None:
    """Whether an event matches is decided by what is seen of it."""
    put(folk, "one", "CLASS:PRIVATE")
    url = shared(folk.bob)
    for condition, hits in (
        (RANGE, 1),
        (RANGE.replace("202603", "202605").replace("202604", "202606"), 0),
        (f"<C:prop-filter name='SUMMARY'><C:text-match>{SECRET}</C:text-match></C:prop-filter>", 0),
        ("<C:prop-filter name='SUMMARY'><C:text-match>busy</C:text-match></C:prop-filter>", 1),
        ("<C:prop-filter name='DESCRIPTION'><C:is-not-defined/></C:prop-filter>", 1),
        ("<C:comp-filter name='VALARM'/>", 0),
        ("<C:prop-filter name='CLASS'/>", 0),
    ):
        body = (
            f"<C:calendar-query {C}><D:prop><D:getetag/></D:prop><C:filter>"
            f"<C:comp-filter name='VCALENDAR'><C:comp-filter name='VEVENT'>{condition}"
            "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
        )
        answer = folk.bob.call("REPORT", url, body, Depth="1")
        assert answer.text.count("<D:response>") == hits, condition


def test_what_makes_nobody_busy_is_not_there(folk: Family) -> None:
    """Free and cancelled events and to-dos are left out; sync tells when one becomes so, and no
    more of those that were never seen."""
    put(folk, "one")
    put(folk, "free", "TRANSP:TRANSPARENT")
    put(folk, "off", "STATUS:CANCELLED")
    todo = calendar(event("DUE:20260302T100000Z", f"SUMMARY:{SECRET}", uid="todo", name="VTODO"))
    where = f"{folk.alice.calendars}Calendar/todo.ics"
    folk.alice.call("PUT", where, todo, Content_Type="text/calendar")
    carol = folk.carol
    url = shared(carol)
    [href] = members(carol, url)
    first = carol.sync(url)
    assert changed(first) == [href]
    assert first.sync_token
    put(folk, "one", "TRANSP:TRANSPARENT")
    second = carol.sync(url, first.sync_token)
    assert (removed(second), changed(second)) == ([href], [])
    assert carol.call("GET", href).status == 404
    folk.alice.call("DELETE", put(folk, "free", "TRANSP:TRANSPARENT"))
    put(folk, "one")
    third = carol.sync(url, second.sync_token or "")
    assert (removed(third), changed(third)) == ([], [href])
    folk.alice.call("DELETE", put(folk, "one"))
    assert removed(carol.sync(url, third.sync_token or "")) == [href]


def test_rights_that_change_begin_anew(folk: Family) -> None:
    """A token of who could read is none for busy times, nor the other way round: the members have
    other names."""
    put(folk, "one")
    bob = folk.bob
    url = shared(bob)
    token = bob.sync(url).sync_token or ""
    folk.share(folk.alice, folk.group.space_id, SEE)
    assert "valid-sync-token" in _sync(bob, url, token)
    assert SECRET in bob.call("PROPFIND", url, Depth="1").text
    token = bob.sync(url).sync_token or ""
    folk.share(folk.alice, folk.group.space_id, BUSY)
    assert "valid-sync-token" in _sync(bob, url, token)
    assert SECRET not in bob.call("PROPFIND", url, Depth="1").text


def _sync(person: Person, url: str, token: str) -> str:
    body = (
        f'<D:sync-collection xmlns:D="DAV:"><D:sync-token>{token}</D:sync-token>'
        "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
    return person.call("REPORT", url, body).text


def test_shared_by_programs(folk: Family) -> None:
    """The privilege read-free-busy shares busy times, of calendars only; who else is in the group
    finds nothing of the calendar."""
    folk.share(folk.alice, folk.group.space_id, None)
    alice, bob = folk.alice, folk.bob
    body = (
        f"<D:acl {C}><D:ace><D:principal><D:href>{bob.principal}</D:href></D:principal><D:grant>"
        "<D:privilege><C:read-free-busy/></D:privilege></D:grant></D:ace></D:acl>"
    )
    assert alice.call("ACL", f"{alice.calendars}Calendar/", body).status == 200
    put(folk, "one")
    assert SECRET not in everything(bob, shared(bob))
    assert not [url for url in folk.carol.listed(folk.carol.calendars) if "Shared-" in url]
    assert alice.call("ACL", put(folk, "one"), body).status == 403
    acl = '<D:propfind xmlns:D="DAV:"><D:prop><D:acl/></D:prop></D:propfind>'
    told = alice.call("PROPFIND", f"{alice.calendars}Calendar/", acl, Depth="0").text
    assert "<D:read/>" not in told.partition(bob.principal)[2].partition("</D:ace>")[0]


def test_calendars_of_others_make_busy(folk: Family) -> None:
    """Where somebody says so of a calendar of the group, all in the group learn that he is busy;
    of one that is somebody else's only those who may know that one's times."""
    carol, bob = folk.carol, folk.bob
    assert folk.alice.store(folk.bound(folk.alice), "practice", "DURATION:PT1H") == 201
    put(folk, "one")
    for url in (folk.bound(carol), shared(carol)):
        for value, count in (("opaque", 1), ("transparent", 0)):
            body = (
                f"<D:propertyupdate {C}><D:set><D:prop><C:schedule-calendar-transp><C:{value}/>"
                "</C:schedule-calendar-transp></D:prop></D:set></D:propertyupdate>"
            )
            assert "200 OK" in carol.call("PROPPATCH", url, body).text
            query = f"<C:free-busy-query {C}>{RANGE}</C:free-busy-query>"
            told = bob.call("REPORT", carol.calendars, query, Depth="infinity")
            assert told.text.count("FREEBUSY;") == count
            assert bob.call("PROPFIND", carol.calendars).status == 404


def test_busy_by_name() -> None:
    """The word stands for these rights, there and back."""
    assert granted_rights_named("busy") == BUSY
    assert rights_text(BUSY) == "busy"


# --- the outlines themselves ----------------------------------------------------------------------

_WORDS = st.text(string.ascii_letters, min_size=1, max_size=8).map(lambda text: SECRET + text)
_LINES = st.sampled_from(
    [
        "DESCRIPTION:{}",
        "LOCATION;LANGUAGE={}:{}",
        "X-{}:{}",
        "ATTENDEE;CN={}:mailto:{}@example.test",
        "CATEGORIES:{},{}",
        "CLASS:{}",
        "STATUS:{}",
        "TRANSP:{}",
        "DTSTAMP;X-NOTE={}:20260101T000000Z",
        "RDATE;X-NOTE={}:20260301T100000Z",
        "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:{}\nEND:VALARM",
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(_LINES, _WORDS), max_size=8), _WORDS, _WORDS)
def test_nothing_else_is_in_it(extra: list[tuple[str, str]], uid: str, zone: str) -> None:
    """Whatever an event and its zone are called and say, the outline has none of it; the times are
    the same."""
    lines = [form.replace("{}", word) for form, word in extra]
    rules = (
        f"BEGIN:VTIMEZONE\nTZID:{zone}\nX-NOTE:{SECRET}\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        f"TZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nTZNAME:{SECRET}\nEND:STANDARD\nEND:VTIMEZONE"
    )
    octets = calendar(
        rules,
        event(
            f"DTSTART;TZID={zone}:20260105T100000",
            "DURATION:PT1H",
            "RRULE:FREQ=WEEKLY;COUNT=4",
            *sorted(lines, key=lambda line: line.startswith("BEGIN")),
            uid=uid,
        ),
    )
    found = load_calendar(octets)
    made = busy(found)
    assert made is not None
    outline = named_busy(made, 7)
    assert SECRET.encode().lower() not in outline.lower()
    again = load_calendar(outline)
    assert again.uid == "busy-7"
    assert again.master is not None
    assert found.master is not None
    start, stated = again.master.start, found.master.start
    assert start is not None
    assert stated is not None
    assert start.utc(UTC) == stated.utc(UTC)
    assert again.parts[0].value("RRULE") == "FREQ=WEEKLY;COUNT=4"


def test_instances_that_make_nobody_busy_are_left_out() -> None:
    """A cancelled instance of a series is none; one that alone makes busy stands alone. Zones that
    all know keep their names, others' names for them do not matter."""
    zone = "W. Europe Standard Time"
    start = f"DTSTART;TZID={zone}:20260105T100000"
    other = f"RECURRENCE-ID;TZID={zone}:20260112T100000"
    moved = f"DTSTART;TZID={zone}:20260112T120000"
    series = event(start, "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=4")
    outline = busy(load_calendar(calendar(series, event(other, moved, "STATUS:CANCELLED"))))
    assert outline is not None
    assert outline.count(b"BEGIN:VEVENT") == 1
    assert f"EXDATE;TZID={BERLIN}:20260112T100000".encode() in outline
    free = event(start, "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=4", "TRANSP:TRANSPARENT")
    alone = busy(load_calendar(calendar(free, event(other, moved))))
    assert alone is not None
    assert b"RRULE" not in alone
    assert f"RECURRENCE-ID;TZID={BERLIN}:20260112T100000".encode() in alone
    assert busy(load_calendar(calendar(free))) is None
