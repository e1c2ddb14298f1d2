"""What programs find when there are groups and shared collections: each once, in one home."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from folkmoot.storage.types import Tool
from tests.dav.agendas import C
from tests.dav.family import SEE, Family, Person, R, family
from tests.kit.dav import D, Multistatus, Response, multistatus
from tests.kit.server import TestServer

XML = 'text/xml; charset="utf-8"'
NAMESPACES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
    'xmlns:R="urn:ietf:params:xml:ns:carddav" xmlns:S="http://calendarserver.org/ns/" '
    'xmlns:I="http://apple.com/ns/ical/"'
)
HOMES = {Tool.CALENDAR: f"{C}calendar-home-set", Tool.CONTACTS: f"{R}addressbook-home-set"}
KINDS = {Tool.CALENDAR: f"{C}calendar", Tool.CONTACTS: f"{R}addressbook"}


def _find(person: Person, agent: str, path: str, props: str, depth: str = "0") -> Multistatus:
    body = f"<D:propfind {NAMESPACES}><D:prop>{props}</D:prop></D:propfind>"
    fields = {"User_Agent": agent, "Depth": depth, "Content_Type": XML}
    return multistatus(person.call("PROPFIND", path, body, **fields))


def _hrefs(found: Response, name: str) -> list[str]:
    value = found.props.get(200, {}).get(name)
    return [each.text or "" for each in value.iter(f"{D}href")] if value is not None else []


def _listed(found: Multistatus, tool: Tool) -> list[str]:
    return [each.href for each in found.responses if KINDS[tool] in each.tags("resourcetype")]


def davx5(person: Person, tool: Tool) -> list[str]:
    """Looks into the homes of the principal, of the groups that it is in, and of who lets it."""
    agent = "DAVx5/4.4.8-ose (dav4jvm; okhttp/4.12.0) Android/15"
    props = (
        "<D:resourcetype/><D:displayname/><C:calendar-home-set/><R:addressbook-home-set/>"
        "<S:calendar-proxy-read-for/><S:calendar-proxy-write-for/><D:group-membership/>"
    )
    me = _find(person, agent, person.principal, props).only
    homes = _hrefs(me, HOMES[tool])
    for group in _hrefs(me, f"{D}group-membership"):
        homes += _hrefs(_find(person, agent, group, props).only, HOMES[tool])
    wanted = (
        "<D:current-user-privilege-set/><D:displayname/><D:owner/><D:resourcetype/>"
        "<C:supported-calendar-component-set/><I:calendar-color/><S:source/>"
    )
    found = []
    for home in homes:
        found += _listed(_find(person, agent, home, wanted, "1"), tool)
    return found


def apple(person: Person, tool: Tool) -> list[str]:
    """Takes the first home, and asks for everything that is shared with it."""
    agent = "macOS/15.2 (24C101) dataaccessd/1.0"
    props = (
        "<C:calendar-home-set/><R:addressbook-home-set/><C:calendar-user-address-set/>"
        "<D:displayname/><S:dropbox-home-URL/><S:email-address-set/><S:notification-URL/>"
        "<D:principal-collection-set/><D:principal-URL/><D:resource-id/><C:schedule-inbox-URL/>"
        "<C:schedule-outbox-URL/><D:supported-report-set/>"
    )
    home, *more = _hrefs(_find(person, agent, person.principal, props).only, HOMES[tool])
    assert not more
    wanted = (
        "<D:add-member/><S:allowed-sharing-modes/><I:calendar-color/><C:calendar-description/>"
        "<C:calendar-free-busy-set/><I:calendar-order/><C:calendar-timezone/>"
        "<D:current-user-privilege-set/><D:displayname/><S:getctag/><S:invite/><D:owner/>"
        "<S:pre-publish-url/><S:publish-url/><D:quota-available-bytes/><D:resource-id/>"
        "<D:resourcetype/><C:schedule-calendar-transp/><C:schedule-default-calendar-URL/>"
        "<S:source/><S:subscribed-strip-alarms/><C:supported-calendar-component-set/>"
        "<D:supported-report-set/><D:sync-token/>"
    )
    listed = _find(person, agent, home, wanted, "1")
    token = listed[home].text("sync-token")
    changed = person.sync(home, token)
    assert changed.responses == []
    assert {href for href in person.sync(home).hrefs if not href.endswith("box/")} == {
        *_listed(listed, tool)
    }
    return _listed(listed, tool)


def thunderbird(person: Person, tool: Tool) -> list[str]:
    """Asks the principal, then each home."""
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.5"
    props = (
        "<D:resourcetype/><D:owner/><D:displayname/><D:current-user-principal/>"
        "<D:current-user-privilege-set/><I:calendar-color/><C:calendar-home-set/>"
        "<R:addressbook-home-set/>"
    )
    found = []
    for home in _hrefs(_find(person, agent, person.principal, props).only, HOMES[tool]):
        found += _listed(_find(person, agent, home, props, "1"), tool)
    return found


def kde(person: Person, tool: Tool) -> list[str]:
    """Searches for principals that are the user, and lists their homes."""
    match = (
        f"<D:principal-match {NAMESPACES}><D:self/><D:prop><C:calendar-home-set/>"
        "<R:addressbook-home-set/></D:prop></D:principal-match>"
    )
    fields = {"User_Agent": "DAV-Access/6 (KDE)", "Depth": "0", "Content_Type": XML}
    found = multistatus(person.call("REPORT", "/dav/principals/", match, **fields))
    urls: list[str] = []
    for me in found.responses:
        for home in _hrefs(me, HOMES[tool]):
            props = "<D:displayname/><D:resourcetype/><C:supported-calendar-component-set/>"
            listed = _find(person, "DAV-Access/6 (KDE)", home, props, "1")
            urls += _listed(listed, tool)
    return urls


def vdirsyncer(person: Person, tool: Tool) -> list[str]:
    """Principal, home, collections."""
    agent = "vdirsyncer/0.20.0"
    home_name = "<C:calendar-home-set/>" if tool is Tool.CALENDAR else "<R:addressbook-home-set/>"
    me = _find(person, agent, "/dav/", "<D:current-user-principal/>").only
    [principal] = _hrefs(me, f"{D}current-user-principal")
    [home] = _hrefs(_find(person, agent, principal, home_name).only, HOMES[tool])
    return _listed(_find(person, agent, home, "<D:resourcetype/>", "1"), tool)


@pytest.fixture
def choir(server: TestServer) -> Family:
    """A group, and things that Bob shares with it and with Carol."""
    found = family(server)
    for tool, name in ((Tool.CALENDAR, "Calendar"), (Tool.CONTACTS, "Contacts")):
        found.share(found.bob, found.group.space_id, SEE, name, tool)
        found.share(found.bob, found.carol.account.space_id, SEE, name, tool)
    server.group("band", found.alice.account, found.carol.account, found.bob.account)
    return found


@pytest.mark.parametrize("tool", [Tool.CALENDAR, Tool.CONTACTS])
@pytest.mark.parametrize("program", [davx5, apple, thunderbird, kde, vdirsyncer])
def test_each_collection_is_found_once(
    choir: Family, program: Callable[[Person, Tool], list[str]], tool: Tool
) -> None:
    """Own ones first, then those of two groups, then what Bob shares in two ways; one home."""
    carol = choir.carol
    home = carol.calendars if tool is Tool.CALENDAR else carol.contacts
    found = program(carol, tool)
    assert len(found) == len(set(found))
    assert all(url.startswith(home) for url in found)
    names = [re.sub(r"\d+", "N", url.removeprefix(home)) for url in found]
    if tool is Tool.CALENDAR:
        assert names == ["Calendar/", "Tasks/", *["Group-N/"] * 4, "Shared-N/"]
    else:
        assert names == ["Contacts/", "Group-N/", "Group-N/", "Shared-N/", "Colleagues/"]


def test_names_tell_whose_they_are(choir: Family) -> None:
    """Nothing that programs show has the same name twice."""
    for home in (choir.carol.calendars, choir.carol.contacts):
        found = choir.carol.propfind(home, "displayname", depth=1).responses[1:]
        names = [each.text("displayname") for each in found]
        assert len(names) == len(set(names))
        assert any(name.endswith("(Band)") for name in names)
        assert any(name.endswith("(bob@example.test)") for name in names)
