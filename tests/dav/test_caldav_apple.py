"""What Apple's calendars and reminders ask a server that they see for the first time.

The requests are those that iOS 18 was seen to send (in a report to a server's authors), and those
of iOS and macOS that Apple recorded to try its own server with.
"""

from __future__ import annotations

from tests.dav.agendas import DATA, C
from tests.dav.calendars import calendar, event
from tests.dav.programs import XML, Program, asked, calendars_in, components_of, href
from tests.kit.dav import D
from tests.kit.server import TestServer

CS = "{http://calendarserver.org/ns/}"
# What is not there is left out of the answers.
BRIEF = {
    "Content_Type": "text/xml",
    "Prefer": "return=minimal",
    "Brief": "t",
    "Accept": "*/*",
    "Accept_Language": "fr-FR,fr;q=0.9",
}


def test_apple(server: TestServer) -> None:
    """iOS and macOS: from the well-known URL to events and reminders, in one home."""
    apple = Program(server, "iOS/18.4 (22E240) dataaccessd/1.0")
    apple.fields = BRIEF
    start = apple.redirected()
    first = asked("A:current-user-principal", "A:principal-URL", "A:resourcetype")
    me = href(apple.ask("PROPFIND", start, first).only, f"{D}current-user-principal")
    assert me == apple.me
    # It reads what the server can from the principal.
    words = apple.call("OPTIONS", me).header("dav") or ""
    assert {"calendar-access", "access-control", "extended-mkcol"} <= {*words.split(", ")}
    principal = apple.ask(
        "PROPFIND",
        me,
        asked(
            "B:calendar-home-set",
            "B:calendar-user-address-set",
            "A:current-user-principal",
            "A:displayname",
            "C:dropbox-home-URL",
            "C:email-address-set",
            "C:notification-URL",
            "A:principal-collection-set",
            "A:principal-URL",
            "A:resource-id",
            "B:schedule-inbox-URL",
            "B:schedule-outbox-URL",
            "A:supported-report-set",
        ),
    ).only
    home = href(principal, f"{C}calendar-home-set")
    assert home == apple.home
    reports = apple.ask(
        "PROPFIND", href(principal, f"{D}principal-collection-set"), asked("A:supported-report-set")
    ).only
    assert "principal-search-property-set" in reports.tags("supported-report-set")
    listed = apple.ask(
        "PROPFIND",
        home,
        asked(
            "A:add-member",
            "C:allowed-sharing-modes",
            "E:autoprovisioned",
            "D:bulk-requests",
            "E:calendar-color",
            "B:calendar-description",
            "B:calendar-free-busy-set",
            "E:calendar-order",
            "B:calendar-timezone",
            "A:current-user-privilege-set",
            "B:default-alarm-vevent-date",
            "B:default-alarm-vevent-datetime",
            "A:displayname",
            "C:getctag",
            "E:language-code",
            "E:location-code",
            "B:max-attendees-per-instance",
            "A:owner",
            "C:pre-publish-url",
            "C:publish-url",
            "C:push-transports",
            "C:pushkey",
            "A:quota-available-bytes",
            "A:quota-used-bytes",
            "E:refreshrate",
            "A:resource-id",
            "A:resourcetype",
            "B:schedule-calendar-transp",
            "B:schedule-default-calendar-URL",
            "C:source",
            "C:subscribed-strip-alarms",
            "B:supported-calendar-component-set",
            "B:supported-calendar-component-sets",
            "A:supported-report-set",
            "A:sync-token",
            "C:xmpp-server",
            "C:xmpp-uri",
        ),
        "1",
    )
    assert sorted(calendars_in(listed)) == [f"{home}Calendar/", f"{home}Tasks/"]
    assert all(each.startswith(home) for each in listed.hrefs)
    assert "VEVENT" in components_of(listed[f"{home}Calendar/"])
    assert components_of(listed[f"{home}Tasks/"]) == ["VTODO"]
    inbox = href(principal, f"{C}schedule-inbox-URL")
    assert listed[inbox].text(f"{C}schedule-default-calendar-URL") == f"{home}Calendar/"
    privileges = listed[f"{home}Calendar/"].tags("current-user-privilege-set")
    assert {"read", "write", "bind", "unbind"} <= {*privileges}
    patch = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<A:propertyupdate xmlns:A="DAV:"><A:set><A:prop>'
        '<B:default-alarm-vevent-date xmlns:B="urn:ietf:params:xml:ns:caldav">BEGIN:VALARM&#13;\n'
        "X-WR-ALARMUID:0C1E&#13;\nTRIGGER:-PT15H&#13;\nACTION:NONE&#13;\nEND:VALARM&#13;\n"
        "</B:default-alarm-vevent-date></A:prop></A:set></A:propertyupdate>"
    )
    assert apple.call("PROPPATCH", home, patch, **BRIEF).status == 200
    order = (
        patch.replace("B:default-alarm-vevent-date", "E:calendar-order")
        .replace("urn:ietf:params:xml:ns:caldav", "http://apple.com/ns/ical/")
        .replace("xmlns:B", "xmlns:E")
    )
    assert apple.call("PROPPATCH", f"{home}Tasks/", order, **BRIEF).status == 200
    # A new calendar, an event, and what changed.
    made = apple.call(
        "MKCALENDAR",
        f"{home}1A2B3C4D-0000-4000-8000-1A2B3C4D5E6F/",
        '<?xml version="1.0" encoding="UTF-8"?>\n<B:mkcalendar xmlns:B="urn:ietf:params:xml:ns:'
        'caldav"><A:set xmlns:A="DAV:"><A:prop><D:calendar-color xmlns:D="http://apple.com/ns/'
        'ical/" symbolic-color="custom">#FF2968FF</D:calendar-color><D:calendar-order '
        'xmlns:D="http://apple.com/ns/ical/">2</D:calendar-order><B:supported-calendar-component'
        '-set><B:comp name="VEVENT"/></B:supported-calendar-component-set><A:displayname>Neu'
        "</A:displayname></A:prop></A:set></B:mkcalendar>",
        Content_Type=XML,
    )
    assert made.status == 201
    apple.store("one", If_None_Match="*")
    apple.store("one", If_Schedule_Tag_Match="")
    sync = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<A:sync-collection xmlns:A="DAV:"><A:sync-token/>'
        "<A:sync-level>1</A:sync-level><A:prop><A:getcontenttype/><A:getetag/></A:prop>"
        "</A:sync-collection>"
    )
    changed = apple.ask("REPORT", f"{home}Calendar/", sync)
    assert changed.hrefs == [f"{home}Calendar/one.ics"]
    assert changed.sync_token
    got = apple.ask("REPORT", f"{home}Calendar/", multiget(changed.hrefs))
    assert "UID:one" in got.only.text(DATA)


def multiget(hrefs: list[str]) -> str:
    """calendar-multiget as Apple's programs write it."""
    listed = "".join(f'<A:href xmlns:A="DAV:">{each}</A:href>' for each in hrefs)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<B:calendar-multiget xmlns:B="urn:ietf:params:xml'
        ':ns:caldav"><A:prop xmlns:A="DAV:"><A:getetag/><B:schedule-tag/><B:calendar-data/>'
        f"</A:prop>{listed}</B:calendar-multiget>"
    )


def settled(server: TestServer) -> Program:
    """macOS, with an account that it knows."""
    apple = Program(server, "macOS/12.2.1 (21D62) CalendarAgent/961")
    apple.fields = BRIEF
    return apple


def test_who_has_lent_a_calendar(server: TestServer) -> None:
    """The principal's proxies are expanded: there are none, and that is no error. # rfc3253#3.8"""
    apple = settled(server)
    inside = "".join(
        f'<A:property name="{name}" namespace="{space}"/>'
        for name, space in (
            ("calendar-user-address-set", "urn:ietf:params:xml:ns:caldav"),
            ("email-address-set", "http://calendarserver.org/ns/"),
            ("displayname", "DAV:"),
        )
    )
    proxies = "".join(
        f'<A:property name="calendar-proxy-{what}-for" namespace="http://calendarserver.org/ns/">'
        f"{inside}</A:property>"
        for what in ("read", "write")
    )
    body = f'<A:expand-property xmlns:A="DAV:">{proxies}</A:expand-property>'
    found = apple.ask("REPORT", apple.me, body)
    assert found.only.href == apple.me


def test_first_settings(server: TestServer) -> None:
    """Default alarms that do nothing, color, order, zone and whether a calendar makes busy."""
    apple = settled(server)

    def patch(path: str, prop: str) -> int:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<A:propertyupdate xmlns:A="DAV:"><A:set>'
            f"<A:prop>{prop}</A:prop></A:set></A:propertyupdate>"
        )
        return apple.call("PROPPATCH", path, body, User_Agent=apple.agent, **BRIEF).status

    alarm = (
        "BEGIN:VALARM&#13;\nX-WR-ALARMUID:4AD03A33&#13;\nUID:4AD03A33&#13;\n"
        "TRIGGER;VALUE=DATE-TIME:19760401T005545Z&#13;\nACTION:NONE&#13;\nEND:VALARM&#13;\n"
    )
    ours, apples = 'xmlns:B="urn:ietf:params:xml:ns:caldav"', 'xmlns:D="http://apple.com/ns/ical/"'
    for path, prop in (
        (apple.home, f"<B:default-alarm-vevent-datetime {ours}>{alarm}</B:default-alarm-vevent-"
         "datetime>"),
        (f"{apple.home}Calendar/", f'<D:calendar-color {apples} symbolic-color="orange">#FD8208FF'
         "</D:calendar-color>"),
        (f"{apple.home}Calendar/", f"<D:calendar-order {apples}>1</D:calendar-order>"),
        (f"{apple.home}Calendar/", f"<B:calendar-timezone {ours}>{ZONE}</B:calendar-timezone>"),
        (f"{apple.home}Calendar/", f"<B:schedule-calendar-transp {ours}><B:transparent/>"
         "</B:schedule-calendar-transp>"),
        (f"{apple.home}Calendar/", f"<B:schedule-calendar-transp {ours}><B:opaque/>"
         "</B:schedule-calendar-transp>"),
    ):  # fmt: skip
        assert patch(path, prop) == 200, prop  # rfc8144#2.2
    found = apple.ask(
        "PROPFIND",
        f"{apple.home}Calendar/",
        asked("E:calendar-color", "B:calendar-timezone", "B:schedule-calendar-transp"),
    ).only
    assert found.text("{http://apple.com/ns/ical/}calendar-color") == "#FD8208FF"
    assert "America/Los_Angeles" in found.text(f"{C}calendar-timezone")
    assert found.tags(f"{C}schedule-calendar-transp") == [f"{C}opaque"]


def test_a_new_calendar_with_everything(server: TestServer) -> None:
    """MKCALENDAR with order, color, zone and transparency; a sync of the home tells of it."""
    apple = settled(server)
    listed = apple.ask("PROPFIND", apple.home, asked("A:sync-token")).only
    made = apple.call(
        "MKCALENDAR",
        f"{apple.home}9E8D7C6B-0000-4000-8000-1A2B3C4D5E6F/",
        '<?xml version="1.0" encoding="UTF-8"?>\n<B:mkcalendar xmlns:B="urn:ietf:params:xml:ns:'
        'caldav"><A:set xmlns:A="DAV:"><A:prop><D:calendar-order xmlns:D="http://apple.com/ns/'
        'ical/">3</D:calendar-order><B:supported-calendar-component-set><B:comp name="VEVENT"/>'
        '</B:supported-calendar-component-set><D:calendar-color xmlns:D="http://apple.com/ns/'
        'ical/" symbolic-color="custom">#882F00FF</D:calendar-color>'
        f"<B:calendar-timezone>{ZONE}</B:calendar-timezone><A:displayname>New</A:displayname>"
        "<B:schedule-calendar-transp><B:opaque/></B:schedule-calendar-transp></A:prop></A:set>"
        "</B:mkcalendar>",
        User_Agent=apple.agent,
        Content_Type="text/xml",
    )
    assert made.status == 201
    sync = (
        '<A:sync-collection xmlns:A="DAV:" xmlns:B="urn:ietf:params:xml:ns:caldav" xmlns:C="http://'
        'calendarserver.org/ns/" xmlns:E="http://apple.com/ns/ical/"><A:sync-token>'
        f"{listed.text('sync-token')}</A:sync-token><A:sync-level>1</A:sync-level><A:prop>"
        "<A:sync-token/><A:resourcetype/><A:displayname/><B:calendar-timezone/><C:push-transports/>"
        "<B:supported-calendar-component-set/><A:resource-id/><C:getctag/><E:calendar-color/>"
        "<E:autoprovisioned/><A:current-user-privilege-set/><E:calendar-order/><C:publish-url/>"
        "<A:owner/><A:supported-report-set/><A:add-member/><C:invite/></A:prop></A:sync-collection>"
    )
    changed = apple.ask("REPORT", apple.home, sync, "1")
    [new] = calendars_in(changed)
    assert changed[new].text("displayname") == "New"
    assert changed[new].text(f"{CS}getctag")
    assert changed.sync_token != listed.text("sync-token")


def test_what_a_telephone_fetches(server: TestServer) -> None:
    """Events from a day on, all tasks, the inbox and the notifications; nothing is an error."""
    apple = settled(server)
    apple.store("one", If_None_Match="*")
    old = calendar(event("DTSTART:20200302T100000Z", uid="old"))
    apple.put(f"{apple.home}Calendar/old.ics", old, Content_Type="text/calendar")

    def query(name: str, inside: str) -> str:
        return (
            '<G:calendar-query xmlns:G="urn:ietf:params:xml:ns:caldav"><A:prop xmlns:A="DAV:">'
            '<A:getetag/><A:getcontenttype/></A:prop><G:filter><G:comp-filter name="VCALENDAR">'
            f'<G:comp-filter name="{name}">{inside}</G:comp-filter></G:comp-filter></G:filter>'
            "</G:calendar-query>"
        )

    since = query("VEVENT", '<G:time-range start="20260201T000000Z"/>')
    found = apple.ask("REPORT", f"{apple.home}Calendar/", since, "1")
    assert found.hrefs == [f"{apple.home}Calendar/one.ics"]
    assert found.only.text("getcontenttype").startswith("text/calendar")
    assert apple.ask("REPORT", f"{apple.home}Tasks/", query("VTODO", ""), "1").hrefs == []
    names = asked("C:notification-URL", "B:schedule-inbox-URL")
    principal = apple.ask("PROPFIND", apple.me, names).only
    inbox = href(principal, f"{C}schedule-inbox-URL")
    listed = apple.ask("PROPFIND", inbox, asked("A:getcontenttype", "A:getetag"), "1")
    assert listed.hrefs == [inbox]
    notes = href(principal, f"{CS}notification-URL")
    listed = apple.ask("PROPFIND", notes, asked("A:getetag", "C:notificationtype"), "1")
    assert listed.hrefs == [notes]


def test_whom_to_invite(server: TestServer) -> None:
    """While a name is typed, people are searched by four names of it; any one will do."""
    apple = settled(server)
    typed = apple.account.address.partition("@")[0]
    searched = "".join(
        f"<x0:property-search><x0:prop><{name}/></x0:prop><x0:match match-type='starts-with'>"
        f"{typed}</x0:match></x0:property-search>"
        for name in ("x0:displayname", "x1:email-address-set", "x1:first-name", "x1:last-name")
    )
    body = (
        '<x0:principal-property-search xmlns:x2="urn:ietf:params:xml:ns:caldav" xmlns:x0="DAV:" '
        f'xmlns:x1="http://calendarserver.org/ns/" test="anyof">{searched}<x0:prop>'
        "<x1:email-address-set/><x2:calendar-user-address-set/><x2:calendar-user-type/>"
        "<x0:displayname/><x1:last-name/><x1:first-name/><x1:record-type/><x0:principal-URL/>"
        "</x0:prop></x0:principal-property-search>"
    )
    found = apple.ask("REPORT", "/dav/principals/", body)
    assert found[apple.me].text(f"{C}calendar-user-type") == "INDIVIDUAL"
    assert apple.account.address in found[apple.me].text(f"{CS}email-address-set")


ZONE = "&#13;\n".join(
    (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Apple Inc.//Mac OS X 10.11//EN",
        "CALSCALE:GREGORIAN",
        "BEGIN:VTIMEZONE",
        "TZID:America/Los_Angeles",
        "BEGIN:DAYLIGHT",
        "TZOFFSETFROM:-0800",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
        "DTSTART:20070311T020000",
        "TZNAME:PDT",
        "TZOFFSETTO:-0700",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "TZOFFSETFROM:-0700",
        "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
        "DTSTART:20071104T020000",
        "TZNAME:PST",
        "TZOFFSETTO:-0800",
        "END:STANDARD",
        "END:VTIMEZONE",
        "END:VCALENDAR",
        "",
    )
)
