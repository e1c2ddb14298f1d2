"""What calendar programs ask a server that they see for the first time, in their order.

The requests are those that the programs send; a fresh account must be found and used from nothing
but a host name, a name and a password.
"""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.dav.agendas import CS, DATA, Agenda, C, I
from tests.dav.calendars import calendar, event
from tests.kit.dav import D, Dav, Multistatus, Response, multistatus
from tests.kit.server import TestServer

XML = 'text/xml; charset="utf-8"'
START = "DTSTART:20260302T100000Z"


class Program(Dav):
    """Sends what it is told, as one program; ``agent`` is what it calls itself."""

    agent = ""

    def __init__(self, server: TestServer, agent: str) -> None:
        super().__init__(server)
        self.server = server
        self.agent = agent
        self.home = f"/dav/calendars/{self.account.space_id}/"
        self.me = f"/dav/principals/users/{self.account.space_id}/"

    def ask(self, method: str, path: str, body: str, depth: str | None = "0") -> Multistatus:
        """A request that is answered with multistatus."""
        fields = {"User_Agent": self.agent, "Depth": depth, "Content_Type": XML}
        return multistatus(self.call(method, path, body, **fields))

    def redirected(self, method: str = "PROPFIND") -> str:
        """Where the well-known URL leads to, before anybody signs in."""
        with self.server.http() as http:
            answer = http.request(method, "/.well-known/caldav", [("Depth", "0")])
        assert answer.status == 301
        return answer.header("location") or ""

    def store(self, name: str, **fields: str | None) -> str:
        """PUT an event with the header fields of the program; its tag."""
        body = calendar(event(START, "SUMMARY:New", uid=name))
        path = f"{self.home}Calendar/{name}.ics"
        kind = "text/calendar; charset=utf-8"
        answer = self.call("PUT", path, body, User_Agent=self.agent, Content_Type=kind, **fields)
        assert answer.status in (201, 204), answer.text
        tag = answer.header("etag")
        assert tag is not None
        return tag


def asked(*names: str) -> str:
    """PROPFIND with Apple's prefixes: ``B:x`` is CalDAV's, ``C:x`` calendarserver's."""
    props = "".join(f"<{name}/>" for name in names)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<A:propfind xmlns:A="DAV:" '
        'xmlns:B="urn:ietf:params:xml:ns:caldav" xmlns:C="http://calendarserver.org/ns/" '
        'xmlns:D="http://me.com/_namespace/" xmlns:E="http://apple.com/ns/ical/">'
        f"<A:prop>{props}</A:prop></A:propfind>"
    )


def href(found: Response, name: str) -> str:
    """The URL in a property."""
    inside = found.props[200][name].find(f"{D}href")
    assert inside is not None
    return inside.text or ""


def calendars_in(found: Multistatus) -> list[str]:
    """URLs of the calendars in a listing."""
    return [each.href for each in found.responses if f"{C}calendar" in each.tags("resourcetype")]


def components_of(found: Response) -> list[str]:
    """The components that a calendar of a listing takes."""
    name = f"{C}supported-calendar-component-set"
    return [each.get("name", "") for each in found.props[200][name]]


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


def test_davx5(server: TestServer) -> None:
    """DAVx5 on Android: properties in one namespace after the other, queries, tags."""
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
        "<resourcetype /><displayname /><CAL:calendar-description /><CAL:calendar-home-set />"
        "<current-user-principal />",
    ).only
    me = href(found, f"{D}current-user-principal")
    assert "1, 2, 3" in (dav.call("OPTIONS", me).header("dav") or "")
    principal = find(
        me,
        '<CAL:calendar-home-set /><displayname /><n0:calendar-proxy-read-for xmlns:n0="http://'
        'calendarserver.org/ns/" /><group-membership /><CAL:calendar-user-address-set />',
    ).only
    home = href(principal, f"{C}calendar-home-set")
    listed = find(
        home,
        "<current-user-privilege-set /><displayname /><owner /><resourcetype />"
        "<CAL:calendar-description /><CAL:calendar-timezone /><CAL:calendar-timezone-id />"
        "<CAL:supported-calendar-component-set />"
        '<n1:calendar-color xmlns:n1="http://apple.com/ns/ical/" />'
        '<n2:source xmlns:n2="http://calendarserver.org/ns/" />'
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
    """Evolution: finds homes by expanding nothing, and escapes the quotes of tags."""
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
    """Outlook's add-in: from the well-known URL, with times of a window, in lots."""
    outlook = Program(server, "CalDavSynchronizer/4.5")
    principal = (
        "<?xml version='1.0'?><D:propfind xmlns:D=\"DAV:\"><D:prop><D:current-user-principal/>"
        "</D:prop></D:propfind>"
    )
    me = href(
        outlook.ask("PROPFIND", outlook.redirected(), principal).only, f"{D}current-user-principal"
    )
    homes = principal.replace(
        "<D:current-user-principal/>",
        '<C:calendar-home-set xmlns:C="urn:ietf:params:xml:ns:caldav"/>',
    )
    home = href(outlook.ask("PROPFIND", me, homes).only, f"{C}calendar-home-set")
    listing = principal.replace(
        "<D:current-user-principal/>",
        '<D:resourcetype/><D:displayname/><E:calendar-color xmlns:E="http://apple.com/ns/ical/"/>'
        '<C:supported-calendar-component-set xmlns:C="urn:ietf:params:xml:ns:caldav"/>'
        "<D:current-user-privilege-set/>",
    )
    listed = outlook.ask("PROPFIND", home, listing, "1")
    here = calendars_in(listed)[0]
    assert "write" in listed[here].tags("current-user-privilege-set")
    zone = "DTSTART;TZID=W. Europe Standard Time:20260302T100000"
    kind = "text/calendar; charset=utf-8"
    put = outlook.call(
        "PUT", f"{here}a.ics", calendar(event(zone)), Content_Type=kind, If_None_Match="*"
    )
    assert put.status == 201
    query = (
        '<?xml version="1.0"?><C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop '
        'xmlns:D="DAV:"><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-'
        'filter name="VEVENT"><C:time-range start="20260302T085900Z" end="20260302T090100Z"/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    assert outlook.ask("REPORT", here, query, "1").hrefs == [f"{here}a.ics"]


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
