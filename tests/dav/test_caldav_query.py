"""calendar-query, calendar-multiget and free-busy-query (RFC 4791 section 7)."""

from __future__ import annotations

import pytest

from tests.dav.agendas import ABSENT, DATA, Agenda, C, comp, has, param, prop, span
from tests.dav.calendars import calendar, event
from tests.kit.dav import Response, conditions
from tests.kit.server import TestServer


@pytest.fixture
def agenda(server: TestServer) -> Agenda:
    """Somebody with an empty calendar, on SQLite."""
    return Agenda(server)


@pytest.fixture
def any_agenda(any_server: TestServer) -> Agenda:
    """The same on each kind of database."""
    return Agenda(any_server)


def fill(agenda: Agenda) -> None:
    """Objects of all kinds, for filters."""
    agenda.add(
        "daily",
        "DTSTART:20260302T100000Z",
        "DTEND:20260302T110000Z",
        "RRULE:FREQ=DAILY",
        "SUMMARY:Stand-up of the Größenwahn team",
        "CATEGORIES:WORK,DAILY",
    )
    agenda.add(
        "lunch",
        "DTSTART;TZID=Europe/Berlin:20260304T120000",
        "DURATION:PT1H",
        "SUMMARY:Lunch with Bob",
        "LOCATION:Café",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;CN=Bob:mailto:bob@example.test",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT15M",
        "DESCRIPTION:soon",
        "END:VALARM",
    )
    agenda.add("day", "DTSTART;VALUE=DATE:20260310", "SUMMARY:A day off", "TRANSP:TRANSPARENT")
    agenda.add("todo", "SUMMARY:Buy milk", "DUE:20260305T170000Z", kind="VTODO")
    agenda.add("someday", "SUMMARY:Learn Esperanto", kind="VTODO")
    agenda.add("note", "DTSTART;VALUE=DATE:20260303", "SUMMARY:Diary", kind="VJOURNAL")


def test_filters(any_agenda: Agenda) -> None:
    """Each kind of filter finds what it says, also several together. # rfc4791#9.7, rfc4791#9.9"""
    # rfc4791#9.7.2, rfc4791#9.7.3, rfc4791#9.7.5
    fill(any_agenda)
    names = any_agenda.names
    assert names() == ["daily", "day", "lunch"]
    assert names(kind="VTODO") == ["someday", "todo"]
    assert names(kind="VJOURNAL") == ["note"]
    assert names(span("20260304T000000Z", "20260305T000000Z")) == ["daily", "lunch"]
    assert names(span("20260304T111500Z", "20260304T113000Z")) == ["lunch"]
    assert names(span("20260304T120000Z", "20260304T130000Z")) == []
    assert names(span(end="20260302T000000Z")) == []
    assert names(span("20400101T000000Z")) == ["daily"]
    assert names(span("20260310T120000Z", "20260310T130000Z")) == ["day"]
    assert names(span("20260305T160000Z", "20260305T180000Z"), kind="VTODO") == ["someday", "todo"]
    assert names(span("20270305T160000Z", "20270305T180000Z"), kind="VTODO") == ["someday"]
    assert names(span("20260303T000000Z", "20260304T000000Z"), kind="VJOURNAL") == ["note"]
    assert names(prop("SUMMARY", has("lunch"))) == ["lunch"]
    assert names(prop("SUMMARY", has("LUNCH", collation="i;octet"))) == []
    assert names(prop("SUMMARY", has("GRÖSSEN", collation="i;unicode-casemap"))) == ["daily"]
    assert names(prop("SUMMARY", has("a day off", match_type="equals"))) == ["day"]
    assert names(prop("SUMMARY", has("lunch", negate_condition="yes"))) == ["daily", "day"]
    assert names(prop("CATEGORIES", has("work"))) == ["daily"]
    assert names(prop("LOCATION")) == ["lunch"]
    assert names(prop("LOCATION", ABSENT)) == ["daily", "day"]
    assert names(prop("LOCATION") + prop("SUMMARY", has("Bob"))) == ["lunch"]
    assert names(prop("LOCATION") + prop("SUMMARY", has("team"))) == []
    answered = param("PARTSTAT", has("NEEDS-ACTION", collation="i;ascii-casemap"))
    assert names(prop("ATTENDEE", has("bob@example.test") + answered)) == ["lunch"]
    assert names(prop("ATTENDEE", param("PARTSTAT", has("ACCEPTED")))) == []
    assert names(prop("ATTENDEE", param("X-NONE", ABSENT))) == ["lunch"]
    assert names(prop("DTSTART", span("20260304T110000Z", "20260304T110001Z"))) == ["lunch"]
    assert names(comp("VALARM")) == ["lunch"]
    assert names(comp("VALARM", ABSENT)) == ["daily", "day"]
    assert names(comp("VALARM", span("20260304T104500Z", "20260304T105000Z"))) == ["lunch"]
    assert names(comp("VALARM", span("20260304T105000Z", "20260304T110000Z"))) == []
    week = span("20260304T000000Z", "20260305T000000Z")
    assert names(week + prop("SUMMARY", has("bob"))) == ["lunch"]


def test_objects_without_a_component(agenda: Agenda) -> None:
    """is-not-defined of a component finds the others; no filter finds everything."""
    # rfc4791#9.7.4
    fill(agenda)
    found = agenda.query(ABSENT, kind="VEVENT").responses
    assert len(found) == 3
    everything = agenda.ask("")
    assert everything.text.count("<D:response>") == 6


def test_floating_times_are_in_the_zone_of_who_asks(agenda: Agenda) -> None:
    """Zones of the request by name or rules, or else of the calendar, decide when a day is."""
    # rfc4791#7.3, rfc7809#3.1.6
    agenda.add("day", "DTSTART;VALUE=DATE:20260310")
    late = span("20260310T230500Z", "20260310T235000Z")  # 11 March in Berlin already
    assert agenda.names(late) == ["day"]
    assert agenda.names(late, more="<C:timezone-id>Europe/Berlin</C:timezone-id>") == []
    assert agenda.names(late, more="<C:timezone-id>Romance Standard Time</C:timezone-id>") == []
    assert agenda.names(late, more=f"<C:timezone>{BERLIN}</C:timezone>") == []
    done = agenda.proppatch(
        "",
        "<D:set><D:prop><C:calendar-timezone-id xmlns:C='urn:ietf:params:xml:ns:caldav'>"
        "Europe/Berlin</C:calendar-timezone-id></D:prop></D:set>",
    )
    assert 200 in done.props
    assert agenda.names(late) == []
    assert agenda.names(late, more="<C:timezone-id>America/New_York</C:timezone-id>") == ["day"]


BERLIN = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//EN
BEGIN:VTIMEZONE
TZID:Somewhere
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
"""


@pytest.mark.parametrize(
    ("filters", "more", "condition"),
    [
        ('<C:comp-filter name="VEVENT"><C:time-range/></C:comp-filter>', "", "valid-filter"),
        (comp("VEVENT", span("20260304T000000Z", "20260303T000000Z")), "", "valid-filter"),
        (comp("VEVENT", span("soon")), "", "valid-filter"),
        (comp("VEVENT", span("99999999T000000Z")), "", "valid-filter"),
        (span("20260304T000000Z"), "", "valid-filter"),
        (comp("", ""), "", "valid-filter"),
        (comp("VEVENT", ABSENT + prop("SUMMARY")), "", "valid-filter"),
        (comp("VEVENT", prop("SUMMARY", has("x", negate_condition="maybe"))), "", "valid-filter"),
        (comp("VEVENT", "<C:telepathy/>"), "", "supported-filter"),
        (comp("VEVENT", prop("SUMMARY", "<C:telepathy/>")), "", "supported-filter"),
        (comp("VEVENT", comp("A", comp("B", comp("C", comp("D"))))), "", "supported-filter"),
        ("".join(comp("VEVENT") for _ in range(200)), "", "supported-filter"),
        (comp("VEVENT", prop("A", has("x", match_type="like"))), "", "supported-filter"),
        (comp("VEVENT", prop("A", has("x", collation="i;klingon"))), "", "supported-collation"),
        ("", "<C:timezone-id>Middle-earth</C:timezone-id>", "valid-timezone"),
        ("", "<C:timezone>BEGIN:NOTHING</C:timezone>", "valid-calendar-data"),
    ],
)
def test_bad_questions(agenda: Agenda, filters: str, more: str, condition: str) -> None:
    """What cannot be asked is refused with the precondition of RFC 4791 section 7.8."""
    answer = agenda.ask(filters, more=more)
    assert answer.status == 403
    assert conditions(answer) == [C + condition]


def test_questions_without_a_filter(agenda: Agenda) -> None:
    """A filter must be there, and be for a calendar; one thing is asked for, not two."""
    # rfc4791#9.5
    root = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    for inside in ("", "<C:filter/>", f"<C:filter>{comp('VEVENT')}</C:filter>"):
        body = f"<C:calendar-query {root}><D:prop/>{inside}</C:calendar-query>"
        answer = agenda.call("REPORT", "", body, Depth="1")
        assert (answer.status, conditions(answer)) == (403, [f"{C}valid-filter"])
    body = f"<C:calendar-query {root}><D:prop/><D:allprop/><C:filter>{comp('VCALENDAR')}</C:filter>"
    assert agenda.call("REPORT", "", f"{body}</C:calendar-query>", Depth="1").status == 400


def test_depth(agenda: Agenda) -> None:
    """0 is the calendar alone, but what is in it for Windows 10; infinity a whole home."""
    # rfc4791#7.8
    agenda.add("one", "DTSTART:20260302T100000Z")
    path = agenda.home + "Calendar/two.ics"
    agenda.put(path, calendar(event("DTSTART:20260302T100000Z", uid="two")))
    asked = agenda.query
    assert asked(Depth="0").hrefs == []
    assert asked(Depth="0", User_Agent="MSFT-WP/10.0").hrefs == [agenda.book + "one.ics"]
    assert asked(Depth=None).hrefs == [agenda.book + "one.ics"]
    assert asked(path=agenda.home, Depth="1").hrefs == []
    assert sorted(asked(path=agenda.home, Depth="infinity").hrefs) == sorted(
        [path, agenda.book + "one.ics"]
    )
    assert asked(path=path, Depth="0").hrefs == [path]
    assert asked(path=path, kind="VTODO", Depth="0").hrefs == []


def test_other_peoples_calendars_are_not_there(server: TestServer) -> None:
    """No report tells a stranger anything, whether the calendar exists or not."""
    alice, eve = Agenda(server), Agenda(server)
    alice.add("secret", "DTSTART:20260302T100000Z")
    for path in (alice.book, alice.home, alice.home + "Nothing/"):
        assert eve.ask(comp("VEVENT"), path=path).status == 404
        body = (
            f'<C:free-busy-query xmlns:C="{C[1:-1]}">{span("20260101T000000Z", "20270101T000000Z")}'
        )
        assert eve.call("REPORT", path, f"{body}</C:free-busy-query>").status == 404
    [lost] = eve.multiget(alice.book + "secret.ics").responses
    assert (lost.href, lost.status) == (alice.book + "secret.ics", 404)


def test_multiget(any_agenda: Agenda) -> None:
    """Objects by URL in any spelling; what is not there, or elsewhere, is not found."""
    # rfc4791#7.9
    agenda = any_agenda
    agenda.add("one", "DTSTART:20260302T100000Z", "SUMMARY:a & b <c>")
    agenda.put("Gr%C3%BC%C3%9Fe.ics", calendar(event("DTSTART:20260302T100000Z", uid="two")))
    stored = agenda.get("one.ics")
    host = f"http://{agenda.http.host}"
    missing = [
        agenda.book + "none.ics",
        agenda.home + "Calendar/one.ics",
        "/dav/",
        "http://x.test/a",
    ]
    found = agenda.multiget(
        "one.ics", "Gr%c3%bc%C3%9Fe.ics", *missing, host + agenda.book + "three.ics"
    )
    assert found[agenda.book + "one.ics"].text(DATA) == stored.decode().replace("\r\n", "\n")
    assert "UID:two" in found[agenda.book + "Gr%C3%BC%C3%9Fe.ics"].text(DATA)
    for href in [*missing, host + agenda.book + "three.ics"]:
        assert found[href].status == 404
    assert len(found.responses) == 7


def test_multiget_below_a_home_and_of_one_object(agenda: Agenda) -> None:
    """The scope of the report is what lies below its URL."""
    agenda.add("one", "DTSTART:20260302T100000Z")
    here = agenda.book + "one.ics"
    assert agenda.multiget(here, path=agenda.home)[here].status == 0
    assert agenda.multiget(here, path=here)[here].status == 0
    found = agenda.multiget(here, path=agenda.home + "Calendar/")
    assert found.only.status == 404
    root = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    assert agenda.call("REPORT", "", f"<C:calendar-multiget {root}/>").status == 400


def test_many_objects_come_in_pages(agenda: Agenda) -> None:
    """More than fits into one page is answered whole, by query and by multiget, in order."""
    text = "x" * 9000
    for number in range(160):
        agenda.add(f"e{number:03}", "DTSTART:20260302T100000Z", f"DESCRIPTION:{text}")
    names = [f"{agenda.book}e{number:03}.ics" for number in range(160)]
    assert agenda.query(data="<C:calendar-data/>").hrefs == names
    asked = [name for pair in zip(names, [n + "x" for n in names], strict=True) for name in pair]
    found = agenda.multiget(*asked)
    assert [each.href for each in found.responses if not each.status] == names
    assert len(found.responses) == 320


def test_bad_calendar_data(agenda: Agenda) -> None:
    """Other formats than iCalendar 2.0 are refused; too much asked for as well. # rfc4791#9.6"""
    agenda.add("one", "DTSTART:20260302T100000Z")
    for data in ('content-type="application/calendar+json"', 'version="3.0"'):
        answer = agenda.ask(comp("VEVENT"), data=f"<C:calendar-data {data}/>")
        assert (answer.status, conditions(answer)) == (403, [f"{C}supported-calendar-data"])
    both = span("20260301T000000Z", "20260302T000000Z", "expand")
    both += span("20260301T000000Z", "20260302T000000Z", "limit-recurrence-set")
    deep = "".join(f'<C:comp name="C{n}">' for n in range(30)) + "</C:comp>" * 30
    for inside in (both, deep, '<C:comp name="VEVENT"/>'):
        data = f"<C:calendar-data>{inside}</C:calendar-data>"
        assert agenda.ask(comp("VEVENT"), data=data).status == 400
    for inside in (span(tag="expand"), span("20260302T000000Z", "20260302T000000Z", "expand")):
        data = f"<C:calendar-data>{inside}</C:calendar-data>"
        assert agenda.ask(comp("VEVENT"), data=data).status == 403


def test_expand(agenda: Agenda) -> None:
    """Instances in UTC instead of rules and zones, exceptions among them. # rfc4791#9.6.5"""
    zone = "TZID=Europe/Berlin"
    agenda.put(
        "series.ics",
        calendar(
            event(
                f"DTSTART;{zone}:20260326T090000",
                "DURATION:PT1H",
                "RRULE:FREQ=DAILY;COUNT=6",
                f"EXDATE;{zone}:20260327T090000",
                "SUMMARY:Series",
                uid="series",
            ),
            event(
                f"RECURRENCE-ID;{zone}:20260328T090000",
                f"DTSTART;{zone}:20260328T150000",
                "DURATION:PT1H",
                "SUMMARY:Moved",
                uid="series",
            ),
        ),
    )
    lines = agenda.shaped("series", span("20260327T000000Z", "20260330T000000Z", "expand"))
    assert [line for line in lines if line.startswith("DTSTART")] == [
        "DTSTART:20260328T140000Z",
        "DTSTART:20260329T070000Z",
    ]
    assert [line for line in lines if line.startswith("SUMMARY")] == [
        "SUMMARY:Moved",
        "SUMMARY:Series",
    ]
    assert not [line for line in lines if line.startswith(("RRULE", "EXDATE", "BEGIN:VTIMEZONE"))]
    limited = agenda.shaped(
        "series", span("20260401T000000Z", "20260402T000000Z", "limit-recurrence-set")
    )
    assert "SUMMARY:Moved" not in limited
    assert "RRULE:FREQ=DAILY;COUNT=6" in limited


def test_expansion_without_end(agenda: Agenda) -> None:
    """A series that explodes spoils its own response and no other one."""
    agenda.add("bomb", "DTSTART:20000101T000000Z", "RRULE:FREQ=SECONDLY")
    agenda.add("good", "DTSTART:20260302T100000Z")
    data = f"<C:calendar-data>{span('20000101T000000Z', '20300101T000000Z', 'expand')}"
    found = agenda.query(data=f"{data}</C:calendar-data>")
    assert found[agenda.book + "bomb.ics"].status == 507
    assert found[agenda.book + "bomb.ics"].errors == [f"{C}max-instances"]
    assert "UID:good" in found[agenda.book + "good.ics"].text(DATA)


def test_parts_of_objects(agenda: Agenda) -> None:
    """Only the components and properties that are asked for, without values if so wanted."""
    # rfc4791#9.6.1
    fill(agenda)
    inside = (
        '<C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT">'
        '<C:prop name="UID"/><C:prop name="SUMMARY" novalue="yes"/></C:comp></C:comp>'
    )
    assert agenda.shaped("lunch", inside) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "UID:lunch",
        "SUMMARY:",
        "END:VEVENT",
        "END:VCALENDAR",
    ]


def test_properties_of_a_report(agenda: Agenda) -> None:
    """allprop and propname work, and what is not there is told unless less is preferred."""
    # rfc4791#9.5, rfc8144#2
    agenda.add("one", "DTSTART:20260302T100000Z")
    root = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    filters = f"<C:filter>{comp('VCALENDAR')}</C:filter>"

    def asked(what: str, **fields: str) -> Response:
        body = f"<C:calendar-query {root}>{what}{filters}</C:calendar-query>"
        return agenda.report("", body, Depth="1", **fields).only

    assert "getetag" in asked("<D:allprop/>").names()
    assert "getetag" in asked("<D:propname/>").names()
    none = "<D:prop><D:getetag/><D:nothing/></D:prop>"
    assert asked(none).names(404) == {"nothing"}
    minimal = asked(none, Prefer="return=minimal")
    assert minimal.names(404) == set()


def test_free_busy(any_agenda: Agenda) -> None:
    """Busy times merged and by type; what is free, cancelled or no event makes nobody busy."""
    # rfc4791#7.10
    agenda = any_agenda
    agenda.add("a", "DTSTART:20260302T100000Z", "DTEND:20260302T110000Z", "RRULE:FREQ=DAILY")
    agenda.add("b", "DTSTART:20260302T103000Z", "DTEND:20260302T120000Z")
    agenda.add("c", "DTSTART:20260302T130000Z", "DURATION:PT1H", "STATUS:TENTATIVE")
    agenda.add("d", "DTSTART:20260302T150000Z", "DURATION:PT1H", "STATUS:CANCELLED")
    agenda.add("e", "DTSTART:20260302T160000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT")
    agenda.add("f", "DTSTART:20260302T170000Z", "DUE:20260302T180000Z", kind="VTODO")
    assert agenda.free_busy("20260302T000000Z", "20260304T000000Z") == [
        "FREEBUSY;FBTYPE=BUSY:20260302T100000Z/20260302T120000Z,20260303T100000Z/20260303T110000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260302T130000Z/20260302T140000Z",
    ]
    path = agenda.home + "Calendar/z.ics"
    agenda.put(path, calendar(event("DTSTART:20260302T110000Z", "DURATION:PT2H", uid="z")))
    assert agenda.free_busy("20260302T000000Z", "20260303T000000Z", agenda.home) == [
        "FREEBUSY;FBTYPE=BUSY:20260302T100000Z/20260302T130000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260302T130000Z/20260302T140000Z",
    ]
    assert agenda.free_busy("20250302T000000Z", "20250303T000000Z") == []


def test_bad_free_busy(agenda: Agenda) -> None:
    """Without a closed range there is no answer. # rfc4791#7.10"""
    root = 'xmlns:C="urn:ietf:params:xml:ns:caldav"'
    for inside, status in (("", 400), (span("20260302T000000Z"), 403)):
        body = f"<C:free-busy-query {root}>{inside}</C:free-busy-query>"
        assert agenda.call("REPORT", "", body).status == status
