"""What Apple's calendars and reminders ask a server that they see for the first time."""

from __future__ import annotations

from tests.dav.agendas import DATA, C
from tests.dav.programs import XML, Program, asked, calendars_in, components_of, href
from tests.kit.dav import D
from tests.kit.server import TestServer


def test_apple(server: TestServer) -> None:
    """iOS and macOS: from the well-known URL to events and reminders, in one home."""
    apple = Program(server, "iOS/18.4 (22E240) dataaccessd/1.0")
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
    assert 200 in apple.ask("PROPPATCH", home, patch).only.props
    order = (
        patch.replace("B:default-alarm-vevent-date", "E:calendar-order")
        .replace("urn:ietf:params:xml:ns:caldav", "http://apple.com/ns/ical/")
        .replace("xmlns:B", "xmlns:E")
    )
    assert 200 in apple.ask("PROPPATCH", f"{home}Tasks/", order).only.props
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
