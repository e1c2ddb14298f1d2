"""What calendar programs ask a server that they see for the first time, in their order.

The requests are those that the programs send (of DAVx5 and CalDav Synchronizer, by their sources);
a fresh account must be found and used from nothing but a host name, a name and a password.
"""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.dav.agendas import CS, DATA, Agenda, C, I
from tests.dav.calendars import calendar, event
from tests.dav.programs import Program, calendars_in, components_of, href
from tests.kit.dav import D, Multistatus
from tests.kit.server import TestServer


def test_davx5(server: TestServer) -> None:
    """DAVx5 on Android: properties in one namespace after the other, queries, tags. # rfc6764#5"""
    dav = Program(server, "DAVx5/4.4.8-ose (dav4jvm; okhttp/4.12.0) Android/15")
    spaces = (
        'xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav" '
        'xmlns:CARD="urn:ietf:params:xml:ns:carddav"'
    )

    def find(path: str, props: str, depth: str = "0") -> Multistatus:
        body = (
            "<?xml version='1.0' encoding='UTF-8' ?>"
            f"<propfind {spaces}><prop>{props}</prop></propfind>"
        )
        return dav.ask("PROPFIND", path, body, depth)

    found = find(
        dav.redirected(),
        "<resourcetype /><displayname />"
        '<n1:calendar-color xmlns:n1="http://apple.com/ns/ical/" /><CAL:calendar-description />'
        "<CAL:calendar-timezone /><current-user-privilege-set />"
        "<CAL:supported-calendar-component-set /><CAL:calendar-home-set />"
        "<current-user-principal />",
    ).only
    me = href(found, f"{D}current-user-principal")
    # Without these words it takes the principal for none.
    words = (dav.call("OPTIONS", me).header("dav") or "").split(", ")
    assert {"calendar-access", "addressbook"} <= {*words}
    addresses = find(me, "<CAL:calendar-user-address-set />").only
    assert dav.account.address in addresses.text(f"{C}calendar-user-address-set")
    principal = find(
        me,
        "<displayname /><group-membership /><resourcetype /><CAL:calendar-home-set />"
        '<n0:calendar-proxy-read-for xmlns:n0="http://calendarserver.org/ns/" />'
        '<n1:calendar-proxy-write-for xmlns:n1="http://calendarserver.org/ns/" />',
    ).only
    assert principal.tags("resourcetype")
    home = href(principal, f"{C}calendar-home-set")
    listed = find(
        home,
        "<current-user-privilege-set /><displayname /><owner /><resourcetype />"
        "<CAL:calendar-description /><CAL:calendar-timezone /><CAL:calendar-timezone-id />"
        "<CAL:supported-calendar-component-set />"
        '<n1:calendar-color xmlns:n1="http://apple.com/ns/ical/" />'
        '<n2:source xmlns:n2="http://calendarserver.org/ns/" />'
        '<P:transports xmlns:P="https://bitfire.at/webdav-push" />'
        '<P:topic xmlns:P="https://bitfire.at/webdav-push" />',
        "1",
    )
    # Inbox and outbox are no calendars to it.
    assert calendars_in(listed) == [f"{home}Calendar/", f"{home}Tasks/"]
    assert all(href(each, f"{D}owner") == me for each in listed.responses)
    here = f"{home}Calendar/"
    state = find(
        here,
        "<CAL:max-resource-size /><supported-report-set /><sync-token />"
        '<n0:getctag xmlns:n0="http://calendarserver.org/ns/" />',
    ).only
    assert int(state.text(f"{C}max-resource-size")) > 100_000
    assert f"{C}calendar-multiget" in state.tags("supported-report-set")
    dav.store("one", If_None_Match="*")
    query = (
        f"<?xml version='1.0' encoding='UTF-8' ?><CAL:calendar-query {spaces}><prop><getetag />"
        '</prop><CAL:filter><CAL:comp-filter name="VCALENDAR"><CAL:comp-filter name="VEVENT">'
        '<CAL:time-range start="20260101T000000Z" /></CAL:comp-filter></CAL:comp-filter>'
        "</CAL:filter></CAL:calendar-query>"
    )
    matching = dav.ask("REPORT", here, query, "1")
    assert matching.hrefs == [f"{here}one.ics"]
    get = (
        f"<?xml version='1.0' encoding='UTF-8' ?><CAL:calendar-multiget {spaces}><prop>"
        '<getcontenttype /><getetag /><CAL:calendar-data content-type="text/calendar" '
        'version="2.0" /><CAL:schedule-tag /></prop>'
        f"<href>{here}one.ics</href></CAL:calendar-multiget>"
    )
    assert "UID:one" in dav.ask("REPORT", here, get).only.text(DATA)
    tag = matching.only.text("getetag")
    newer = dav.store("one", If_Match=tag)
    assert dav.call("DELETE", f"{here}one.ics", If_Match='"x"').status == 412
    assert dav.call("DELETE", f"{here}one.ics", If_Match=newer).status == 204


def test_thunderbird(server: TestServer) -> None:
    """Thunderbird: probes what it was given, then works with sync-collection."""
    bird = Program(server, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Thunderbird/128.5.0")

    def find(path: str, props: str, depth: str = "0") -> Multistatus:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<D:propfind xmlns:D="DAV:" '
            'xmlns:CS="http://calendarserver.org/ns/" xmlns:C="urn:ietf:params:xml:ns:caldav" '
            f'xmlns:A="http://apple.com/ns/ical/"><D:prop>{props}</D:prop></D:propfind>'
        )
        return bird.ask("PROPFIND", path, body, depth)

    probe = (
        "<D:resourcetype/><D:owner/><D:displayname/><D:current-user-principal/>"
        "<D:current-user-privilege-set/><A:calendar-color/><C:calendar-home-set/>"
    )
    me = href(find(bird.redirected(), probe).only, f"{D}current-user-principal")
    home = href(find(me, probe).only, f"{C}calendar-home-set")
    listed = find(home, probe, "1")
    assert f"{home}Calendar/" in calendars_in(listed)
    here = f"{home}Calendar/"
    options = bird.call("OPTIONS", here)
    assert "calendar-access" in (options.header("dav") or "")
    state = find(
        here,
        "<D:resourcetype/><D:owner/><D:current-user-principal/><D:current-user-privilege-set/>"
        "<D:supported-report-set/><C:supported-calendar-component-set/><CS:getctag/>",
    ).only
    assert "sync-collection" in state.tags("supported-report-set")
    assert components_of(state) == ["VEVENT", "VJOURNAL"]
    people = find(
        me,
        "<C:calendar-home-set/><C:calendar-user-address-set/><C:schedule-inbox-URL/>"
        "<C:schedule-outbox-URL/>",
    ).only
    assert bird.account.address in people.text(f"{C}calendar-user-address-set")
    bird.store("one", If_None_Match="*")
    sync = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<sync-collection xmlns="DAV:"><sync-token></'
        "sync-token><sync-level>1</sync-level><prop><getcontenttype/><getetag/></prop>"
        "</sync-collection>"
    )
    changed = bird.ask("REPORT", here, sync, "1")
    # What is no text/calendar is passed over.
    assert changed.only.text("getcontenttype").startswith("text/calendar")
    get = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<C:calendar-multiget xmlns:D="DAV:" '
        'xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop>'
        f"<D:href>{changed.only.href}</D:href></C:calendar-multiget>"
    )
    assert "UID:one" in bird.ask("REPORT", here, get, "1").only.text(DATA)


def test_evolution(server: TestServer) -> None:
    """Evolution: finds homes by expanding nothing, and escapes the quotes of tags. # rfc3253#3.8"""
    evolution = Program(server, "Evolution/3.54.2")
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<propfind xmlns="DAV:" '
        'xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/" '
        'xmlns:IC="http://apple.com/ns/ical/"><prop>{}</prop></propfind>'
    )
    first = body.format(
        "<current-user-principal/><principal-URL/><resourcetype/><C:calendar-home-set/>"
        "<C:calendar-user-address-set/><C:schedule-outbox-URL/>"
    )
    me = href(
        evolution.ask("PROPFIND", evolution.redirected(), first).only,
        f"{D}current-user-principal",
    )
    home = href(evolution.ask("PROPFIND", me, first).only, f"{C}calendar-home-set")
    listing = body.format(
        "<displayname/><resourcetype/><C:calendar-description/>"
        "<C:supported-calendar-component-set/><IC:calendar-color/><IC:calendar-order/><CS:getctag/>"
    )
    listed = evolution.ask("PROPFIND", home, listing, "1")
    assert len(calendars_in(listed)) == 2
    tag = evolution.store("one", If_None_Match="*")
    again = evolution.store("one", If_Match=tag.replace('"', '\\"'))
    query = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:'
        'caldav" xmlns:D="DAV:"><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALEN'
        'DAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter></C:calendar-query>'
    )
    found = evolution.ask("REPORT", f"{home}Calendar/", query, "1").only
    assert found.text("getetag") == again


def test_outlook_caldav_synchronizer(server: TestServer) -> None:
    """Outlook's add-in: from the well-known URL with a slash, in times of a window, in lots."""
    outlook = Program(server, "CalDavSynchronizer/4.5")
    outlook.fields = {"Content_Type": "application/xml; charset=utf-8"}

    def find(path: str, props: str, depth: str = "0") -> Multistatus:
        body = (
            f"<?xml version='1.0'?>\r\n    <D:propfind xmlns:D=\"DAV:\" {names}>\r\n    <D:prop>"
            f"{props}</D:prop>\r\n    </D:propfind>\r\n"
        )
        return outlook.ask("PROPFIND", path, body, depth)

    names = 'xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:E="http://apple.com/ns/ical/"'
    with server.http() as http:
        start = http.request("PROPFIND", "/.well-known/caldav/", [("Depth", "0")])
    assert start.status == 301
    first = find(
        start.header("location") or "",
        "<D:current-user-principal/><D:principal-URL/><D:resourcetype/>",
    )
    me = href(first.only, f"{D}current-user-principal")
    home = href(find(me, "<C:calendar-home-set/>").only, f"{C}calendar-home-set")
    listed = find(
        home,
        "<D:resourcetype/><D:displayname/><E:calendar-color/>"
        "<C:supported-calendar-component-set/><D:current-user-privilege-set/>",
        "1",
    )
    here = calendars_in(listed)[0]
    # What it tests a calendar for, before it is used.
    assert "calendar-access" in (outlook.call("OPTIONS", here).header("dav") or "").split(", ")
    everything = "<?xml version='1.0'?><D:propfind xmlns:D=\"DAV:\"><D:allprop/></D:propfind>"
    kind = outlook.ask("PROPFIND", here, everything).only
    assert f"{C}calendar" in kind.tags("resourcetype")
    may = find(here, "<D:current-user-privilege-set/>").only.tags("current-user-privilege-set")
    assert {"write-content", "bind", "unbind"} <= {*may}
    reports = find(here, "<D:supported-report-set/>").only.tags("supported-report-set")
    assert "sync-collection" in reports
    zone = "DTSTART;TZID=W. Europe Standard Time:20260302T100000"
    put = outlook.call(
        "PUT",
        f"{here}a.ics",
        calendar(event(zone)),
        Content_Type="text/calendar; charset=utf-8",
        If_None_Match="*",
    )
    assert put.status == 201
    query = (
        '<?xml version="1.0"?><C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop '
        'xmlns:D="DAV:"><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-'
        'filter name="VEVENT"><C:time-range start="20260302T085900Z" end="20260302T090100Z"/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    found = outlook.ask("REPORT", here, query, "1")
    assert found.hrefs == [f"{here}a.ics"]
    assert found.only.text("getetag") == put.header("etag")
    lot = (
        '<?xml version="1.0"?><C:calendar-multiget xmlns:C="urn:ietf:params:xml:ns:caldav" '
        'xmlns:D="DAV:"><D:prop><D:getetag/><D:displayname/><C:calendar-data/></D:prop>'
        f"<D:href>{here}a.ics</D:href></C:calendar-multiget>"
    )
    outlook.fields["Accept_Charset"] = "utf-8"
    assert "UID:event-1" in outlook.ask("REPORT", here, lot, "1").only.text(DATA)


def test_windows_calendar(server: TestServer) -> None:
    """The calendar of Windows 10 asks with Depth 0 for what is in a calendar."""
    windows = Program(server, "MSFT-WIN-4/10.0.19041")
    windows.store("one")
    query = (
        '<?xml version="1.0" encoding="utf-8"?><C:calendar-query xmlns:D="DAV:" '
        'xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop>'
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter>'
        "</C:filter></C:calendar-query>"
    )
    found = windows.ask("REPORT", f"{windows.home}Calendar/", query, "0")
    assert "UID:one" in found.only.text(DATA)


def test_kde(server: TestServer) -> None:
    """KDE's resource: asks the root for the principal, and each calendar for events and tasks."""
    kde = Program(server, "DAV groupware resource (akonadi)")
    find = '<propfind xmlns="DAV:"><prop>{}</prop></propfind>'
    found = kde.ask("PROPFIND", kde.redirected(), find.format("<current-user-principal/>"), "0")
    me = href(found.only, f"{D}current-user-principal")
    homes = find.format('<calendar-home-set xmlns="urn:ietf:params:xml:ns:caldav"/>')
    home = href(kde.ask("PROPFIND", me, homes).only, f"{C}calendar-home-set")
    names = (
        "<displayname/><resourcetype/><calendar-color xmlns='http://apple.com/ns/ical/'/>"
        "<supported-calendar-component-set xmlns='urn:ietf:params:xml:ns:caldav'/>"
        "<current-user-privilege-set/><getctag xmlns='http://calendarserver.org/ns/'/>"
    )
    listed = kde.ask("PROPFIND", home, find.format(names), "1")
    assert listed[f"{home}Calendar/"].text(f"{CS}getctag")
    kde.store("one")
    for kind, expected in (("VEVENT", 1), ("VTODO", 0)):
        query = (
            '<calendar-query xmlns="urn:ietf:params:xml:ns:caldav"><prop xmlns="DAV:"><getetag/>'
            f'<resourcetype/></prop><filter><comp-filter name="VCALENDAR"><comp-filter name="{kind}'
            '"/></comp-filter></filter></calendar-query>'
        )
        assert len(kde.ask("REPORT", f"{home}Calendar/", query, "1").responses) == expected


@pytest.mark.parametrize("method", ["GET", "PROPFIND", "OPTIONS", "HEAD"])
def test_well_known(server: TestServer, method: str) -> None:
    """The well-known URL leads on for every method that programs try it with. # rfc6764#5"""
    program = Program(server, "")
    assert program.redirected(method).endswith("/dav/")


def test_no_program_sees_a_property_twice(server: TestServer) -> None:
    """Each property that is asked for is answered once, whoever set it."""
    agenda = Agenda(server)
    agenda.proppatch(
        "",
        '<D:set><D:prop><I:calendar-color xmlns:I="http://apple.com/ns/ical/">#000</I:calendar-'
        "color><D:displayname>x</D:displayname></D:prop></D:set>",
    )
    answer = agenda.call("PROPFIND", agenda.home, None, Depth="1")
    for response in ElementTree.fromstring(answer.text).findall(f"{D}response"):
        names = [entry.tag for entry in response.iterfind(f"{D}propstat/{D}prop/*")]
        assert len(names) == len({*names})
    assert f"{I}calendar-color" not in answer.text
