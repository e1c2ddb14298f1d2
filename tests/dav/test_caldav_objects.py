"""Making calendars, and storing objects in them: preconditions of RFC 4791 section 5.3."""

from __future__ import annotations

import gzip

import pytest

from tests.dav.agendas import ROOT, Agenda, C
from tests.dav.calendars import calendar, event
from tests.kit.dav import Dav, conditions
from tests.kit.server import TestServer

START = "DTSTART:20260302T100000Z"


@pytest.fixture
def agenda(server: TestServer) -> Agenda:
    """Somebody with an empty calendar, on SQLite."""
    return Agenda(server)


@pytest.fixture
def any_agenda(any_server: TestServer) -> Agenda:
    """The same on each kind of database."""
    return Agenda(any_server)


# --- calendars ------------------------------------------------------------------------------------


def test_mkcalendar(any_agenda: Agenda) -> None:
    """A calendar with its first properties, all or nothing. # rfc4791#5.3.1"""
    agenda = any_agenda
    components = (
        '<C:supported-calendar-component-set><C:comp name="VTODO"/><C:comp name="VPOLL"/>'
        "</C:supported-calendar-component-set>"
    )
    description = "<C:calendar-description>Chores</C:calendar-description>"
    answer = agenda.make("Chores", f"<D:displayname>Ämter</D:displayname>{description}{components}")
    assert answer.status == 201
    path = agenda.home + "Chores/"
    assert (answer.header("location") or "").endswith(path)
    name = f"{C}supported-calendar-component-set"
    found = agenda.propfind(path, "displayname", f"{C}calendar-description", name).only
    assert found.text("displayname") == "Ämter"
    assert found.text(f"{C}calendar-description") == "Chores"
    assert [each.get("name") for each in found.props[200][name]] == ["VTODO"]
    bad = "<C:calendar-timezone>x</C:calendar-timezone>"
    answer = agenda.make("Broken", f"<D:displayname>x</D:displayname>{bad}")
    assert answer.status == 403
    assert "<C:mkcalendar-response" in answer.text
    assert "<C:valid-calendar-data/>" in answer.text
    assert agenda.call("PROPFIND", agenda.home + "Broken/", Depth="0").status == 404
    only = components.replace("VTODO", "VALARM")
    assert conditions(agenda.make("Polls", only)) == [f"{C}supported-calendar-component"]


def test_where_calendars_can_be(agenda: Agenda) -> None:
    """Directly in a home and nowhere else; not where something is, not without what is above."""
    # rfc4791#5.3.1.1, rfc4791#4.2
    taken = agenda.make("Calendar")
    assert (taken.status, conditions(taken)) == (405, ["resource-must-be-null"])
    for path in (agenda.book + "inner", agenda.home + "none/inner", "/dav/drive/My%20documents/c"):
        answer = agenda.call("MKCALENDAR", path)
        assert (answer.status, conditions(answer)) == (403, [f"{C}calendar-collection-location-ok"])
    assert agenda.call("MKCALENDAR", "/dav/calendars/").status in (403, 405)
    assert agenda.call("MKCALENDAR", agenda.home + "x", "<D:mkcol xmlns:D='DAV:'/>").status == 415
    stranger = Agenda(agenda.server)
    assert stranger.call("MKCALENDAR", agenda.home + "mine").status == 404


def test_extended_mkcol(agenda: Agenda) -> None:
    """MKCOL makes a calendar if it says so, and nothing else in a home (RFC 5689)."""
    kind = "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
    body = f"<D:mkcol {ROOT}><D:set><D:prop>{kind}{{}}</D:prop></D:set></D:mkcol>"
    made = agenda.call(
        "MKCOL", agenda.home + "New", body.format("<D:displayname>N</D:displayname>")
    )
    assert made.status == 201
    assert f"{C}calendar" in agenda.propfind(agenda.home + "New/", "resourcetype").only.tags(
        "resourcetype"
    )
    plain = agenda.call("MKCOL", agenda.home + "Plain")
    assert (plain.status, conditions(plain)) == (403, ["valid-resourcetype"])
    book = body.replace("C:calendar", "R:addressbook").replace("urn:ietf:params:xml:ns:caldav", "x")
    other = agenda.call("MKCOL", agenda.home + "Book", book.replace("R:", "C:").format(""))
    assert conditions(other) == ["valid-resourcetype"]
    refused = agenda.call("MKCOL", agenda.home + "Bad", body.format("<D:getetag>x</D:getetag>"))
    assert refused.status == 403
    assert "<D:mkcol-response" in refused.text


def test_what_scheduling_needs_stays(agenda: Agenda) -> None:
    """Inbox, outbox and the calendar that takes invitations cannot be removed. # rfc6638#4.3.1.1"""
    for name in ("Inbox", "Outbox"):
        assert agenda.call("DELETE", f"{agenda.home}{name}/").status == 403
    answer = agenda.call("DELETE", agenda.home + "Calendar/")
    assert answer.status == 403
    assert conditions(answer) == [f"{C}default-calendar-needed"]
    assert agenda.call("DELETE", agenda.home + "Tasks/").status == 204


# --- objects --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "condition"),
    [
        (b"", "valid-calendar-data"),
        (b"hello", "valid-calendar-data"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR", "valid-calendar-object-resource"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "valid-calendar-data"),
        (calendar(event(START), event(START, uid="other")), "valid-calendar-object-resource"),
        (calendar(event(START), event(START)), "valid-calendar-object-resource"),
        (calendar(event(START), event("DUE:20260302T100000Z", name="VTODO")),
         "valid-calendar-object-resource"),
        (calendar("METHOD:REQUEST", event(START)), "valid-calendar-object-resource"),
        (calendar(event(START, uid="")), "valid-calendar-object-resource"),
        (calendar("BEGIN:VPOLL\nUID:1\nEND:VPOLL"), "supported-calendar-component"),
        (calendar(event(START)).replace(b"VERSION:2.0", b"VERSION:1.0"), "supported-calendar-data"),
        (calendar(event("DTSTART:20260232T100000Z")), "valid-calendar-data"),
        (calendar(event("SUMMARY:no start")), "valid-calendar-data"),
        (calendar(event(START, "RRULE:FREQ=SOMETIMES")), "valid-calendar-data"),
        (calendar(event(START, "RRULE:FREQ=SECONDLY;COUNT=99999999")), "max-instances"),
        (calendar(event(START, *["ATTENDEE:mailto:a@x.test"] * 1001)),
         "max-attendees-per-instance"),
        (calendar(event(START, "DESCRIPTION:" + "x" * (1 << 20))), "max-resource-size"),
    ],
)  # fmt: skip
def test_preconditions(agenda: Agenda, body: bytes, condition: str) -> None:
    """What cannot be stored is refused by the name of the rule, and nothing is stored."""
    # rfc4791#5.3.2.1
    answer = agenda.call("PUT", "a.ics", body)
    assert (answer.status, conditions(answer)) == (
        415 if condition == "supported-calendar-data" else 403,
        [C + condition],
    )
    again = Dav(agenda.server, agenda.account)  # what is too large ends the connection
    assert again.call("GET", agenda.book + "a.ics").status == 404


def test_large_bodies_are_not_read(agenda: Agenda) -> None:
    """A body that says that it is too large is refused before it comes. # rfc4791#5.2.5"""
    agenda.http.head(
        "PUT",
        agenda.book + "a.ics",
        [("Content-Type", "text/calendar"), ("Expect", "100-continue")],
        length=1 << 30,
    )
    answer = agenda.http.answer("PUT")
    assert (answer.status, conditions(answer)) == (403, [f"{C}max-resource-size"])


def test_media_types(agenda: Agenda) -> None:
    """A calendar takes text/calendar; nothing stated is taken for it. # rfc4791#5.3.2.1"""
    body = calendar(event(START))
    for kind in ("text/vcard", "application/json", "application/calendar+json"):
        answer = agenda.call("PUT", "a.ics", body, Content_Type=kind)
        assert (answer.status, conditions(answer)) == (415, [f"{C}supported-calendar-data"])
    assert (
        agenda.call("PUT", "a.ics", body, Content_Type='text/calendar; component="VEVENT"').status
        == 201
    )
    assert agenda.call("PUT", "a.ics", body, Content_Type=None).status == 204


def test_uid_conflicts(any_agenda: Agenda) -> None:
    """A UID is there once in a calendar; the refusal says where. Elsewhere it may be again."""
    # rfc4791#5.3.2.1
    agenda = any_agenda
    body = calendar(event(START))
    agenda.put("%C3%A4%20b.ics", body)
    there = f"<D:href>{agenda.book}%C3%A4%20b.ics</D:href>"
    answer = agenda.call("PUT", "two.ics", body)
    assert (answer.status, conditions(answer)) == (409, [f"{C}no-uid-conflict"])
    assert there in answer.text
    # rfc4791#5.3.2.1: nor may what is there become another object
    changed = agenda.call("PUT", "%C3%A4%20b.ics", calendar(event(START, uid="new")))
    assert (changed.status, conditions(changed)) == (409, [f"{C}no-uid-conflict"])
    agenda.put(agenda.home + "Calendar/two.ics", body)
    copied = agenda.call(
        "COPY", agenda.home + "Calendar/two.ics", Destination=agenda.book + "three.ics"
    )
    assert (copied.status, conditions(copied)) == (409, [f"{C}no-uid-conflict"])
    assert there in copied.text


def test_components_of_the_calendar(agenda: Agenda) -> None:
    """What a calendar does not take is neither put nor moved there. # rfc4791#5.2.3"""
    tasks = agenda.home + "Tasks/"
    answer = agenda.call("PUT", tasks + "a.ics", calendar(event(START)))
    assert (answer.status, conditions(answer)) == (403, [f"{C}supported-calendar-component"])
    agenda.add("a", START)
    for method in ("COPY", "MOVE"):
        answer = agenda.call(method, "a.ics", Destination=tasks + "a.ics")
        assert (answer.status, conditions(answer)) == (403, [f"{C}supported-calendar-component"])
    agenda.add("t", "SUMMARY:x", kind="VTODO")
    assert agenda.call("MOVE", "t.ics", Destination=tasks + "t.ics").status == 201
    assert "UID:t" in agenda.get(tasks + "t.ics").decode()
    assert agenda.names(kind="VTODO") == []


def test_objects_live_in_calendars(agenda: Agenda) -> None:
    """Nothing but calendars lies in a home, nothing but objects in a calendar. # rfc4791#4.2"""
    assert agenda.call("PUT", agenda.home + "a.ics", calendar(event(START))).status == 403
    assert agenda.call("PUT", agenda.home + "none/a.ics", calendar(event(START))).status == 409
    assert conditions(agenda.call("MKCOL", "sub")) == ["valid-resourcetype"]
    drive = agenda.call("MOVE", agenda.home + "Tasks/", Destination="/dav/drive/My%20documents/t")
    assert drive.status == 403


def test_moving_calendars(agenda: Agenda) -> None:
    """A calendar can be renamed and copied with what is in it, and still be searched."""
    agenda.add("a", START, "SUMMARY:here")
    assert agenda.call("MOVE", "", Destination=agenda.home + "Moved/").status == 201
    found = agenda.query(path=agenda.home + "Moved/")
    assert found.hrefs == [agenda.home + "Moved/a.ics"]
    copy = agenda.call("COPY", agenda.home + "Moved/", Destination=agenda.home + "Copy/")
    assert copy.status == 201
    assert agenda.query(path=agenda.home + "Copy/").hrefs == [agenda.home + "Copy/a.ics"]
    inner = agenda.call("COPY", agenda.home + "Moved/", Destination=agenda.home + "Copy/in/")
    assert (inner.status, conditions(inner)) == (403, [f"{C}calendar-collection-location-ok"])


def test_stored_octet_for_octet(agenda: Agenda) -> None:
    """What is stored is what was sent, so the tag is told at once; also of odd writing."""
    # rfc4791#5.3.4, rfc4791#5.3.2
    odd = calendar(event(START, "SUMMARY:a\\, b", "X-ODD;X=1:y")).replace(b"\r\n", b"\n")
    answer = agenda.call("PUT", "a.ics", odd)
    assert answer.header("etag")
    assert agenda.get("a.ics") == odd
    assert agenda.call("PUT", "a.ics", odd, If_None_Match="*").status == 412
    assert agenda.call("PUT", "a.ics", odd, If_Match=answer.header("etag")).status == 204
    assert agenda.call("PUT", "a.ics", odd, If_Match='"other"').status == 412
    assert agenda.call("PUT", "a.ics", odd, If_Schedule_Tag_Match="").status == 204
    assert agenda.call("PUT", "a.ics", odd, If_Schedule_Tag_Match='"x"').status == 412
    ranged = agenda.call("GET", "a.ics", Range="bytes=0-4")
    assert (ranged.status, ranged.body) == (206, b"BEGIN")
    assert agenda.call("GET", "a.ics", If_None_Match=answer.header("etag")).status == 304


def test_adding_members(agenda: Agenda) -> None:
    """POST finds a name for an object, and holds to the same rules (RFC 5995)."""
    answer = agenda.call("POST", "", calendar(event(START)), Content_Type="text/calendar")
    assert answer.status == 201
    location = (answer.header("location") or "").partition(agenda.http.host)[2]
    assert location.startswith(agenda.book)
    assert location.endswith(".ics")
    assert b"UID:event-1" in agenda.get(location)
    bad = agenda.call("POST", "", b"x", Content_Type="text/calendar")
    assert conditions(bad) == [f"{C}valid-calendar-data"]
    other = agenda.call("POST", "", b"x", Content_Type="text/vcard")
    assert conditions(other) == [f"{C}supported-calendar-data"]


# --- time zones -----------------------------------------------------------------------------------


def test_zones_by_reference(agenda: Agenda) -> None:
    """Rules of zones are added and left out as a client wants; what is stored stays (RFC 7809)."""
    # rfc7809#3.1.3
    agenda.add("bare", "DTSTART;TZID=W. Europe Standard Time:20260302T100000")
    full = agenda.get("bare.ics").decode()
    assert "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time" in full
    assert "X-LIC-LOCATION:Europe/Berlin" in full
    assert "VTIMEZONE" not in agenda.get("bare.ics", CalDAV_Timezones="F").decode()
    assert "BEGIN:VTIMEZONE" in agenda.shaped("bare", "")
    assert "BEGIN:VTIMEZONE" not in agenda.shaped("bare", "", CalDAV_Timezones="F")
    agenda.put("full.ics", full.replace("UID:bare", "UID:full"))
    assert "VTIMEZONE" not in agenda.get("full.ics", CalDAV_Timezones="F").decode()
    assert "BEGIN:VTIMEZONE" not in agenda.shaped("full", "", CalDAV_Timezones="F")
    assert agenda.get("full.ics").decode() == full.replace("UID:bare", "UID:full")
    head = agenda.call("GET", "full.ics")
    assert head.header("vary") == "CalDAV-Timezones"
    own = calendar(
        "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\n"
        "TZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE",
        event("DTSTART;TZID=Mine:20260302T100000", uid="own"),
    )
    agenda.put("own.ics", own)
    assert "TZID:Mine" in agenda.get("own.ics", CalDAV_Timezones="F").decode()


def test_windows_zones_are_understood(agenda: Agenda) -> None:
    """Outlook's names of zones, with spaces behind them, mean the right times."""
    agenda.add("a", "DTSTART;TZID=Romance Standard Time :20260702T100000", "DURATION:PT1H")
    assert agenda.free_busy("20260702T000000Z", "20260703T000000Z") == [
        "FREEBUSY;FBTYPE=BUSY:20260702T080000Z/20260702T090000Z"
    ]


def test_answers_are_packed(agenda: Agenda) -> None:
    """Long answers come packed for those who can unpack them. # rfc9110#12.5.3"""
    for number in range(20):
        agenda.add(f"e{number}", START, "DESCRIPTION:" + "long " * 50)
    hrefs = "".join(f"<D:href>{agenda.book}e{number}.ics</D:href>" for number in range(20))
    body = f"<C:calendar-multiget {ROOT}><D:prop><C:calendar-data/></D:prop>{hrefs}"
    answer = agenda.call("REPORT", "", f"{body}</C:calendar-multiget>", Accept_Encoding="gzip")
    assert answer.header("content-encoding") == "gzip"
    assert gzip.decompress(answer.body).count(b"BEGIN:VEVENT") == 20
