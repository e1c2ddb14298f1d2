"""Properties of calendars, homes and principals (RFC 4791 section 5.2, RFC 6638, RFC 7809)."""

from __future__ import annotations

import pytest

from folkmoot.storage.content.ical.zones import zone_of_vtimezone
from tests.dav.agendas import CS, ROOT, Agenda, C, I
from tests.dav.calendars import calendar, event
from tests.kit.dav import Response, multistatus
from tests.kit.server import TestServer


@pytest.fixture
def agenda(server: TestServer) -> Agenda:
    """Somebody with an empty calendar."""
    return Agenda(server)


def attributes(found: Response, name: str, attribute: str) -> list[str]:
    """An attribute of each element in a property."""
    return [entry.get(attribute, "") for entry in found.props[200][name]]


def put(agenda: Agenda, path: str, inside: str) -> Response:
    """PROPPATCH that sets properties."""
    body = f"<D:propertyupdate {ROOT}><D:set><D:prop>{inside}</D:prop></D:set></D:propertyupdate>"
    return multistatus(agenda.call("PROPPATCH", path, body)).only


def test_principal(server: TestServer) -> None:
    """Where a person's calendars are and how the person is invited."""
    # rfc4791#6.2.1, rfc6638#2.1.1, rfc6638#2.2.1, rfc6638#2.4.1, rfc6638#2.4.2
    agenda = Agenda(server, server.account("alice"))
    me = f"/dav/principals/users/{agenda.account.space_id}/"
    names = [
        f"{C}calendar-home-set",
        f"{C}schedule-inbox-URL",
        f"{C}schedule-outbox-URL",
        f"{C}calendar-user-address-set",
        f"{C}calendar-user-type",
        f"{CS}email-address-set",
    ]
    found = agenda.propfind(me, *names).only
    home = agenda.home
    assert [found.text(name) for name in names] == [
        home,
        f"{home}Inbox/",
        f"{home}Outbox/",
        f"mailto:alice@example.test{me}",
        "INDIVIDUAL",
        "alice@example.test",
    ]
    assert found.tags(f"{C}calendar-home-set") == ["href"]


def test_types_of_collections(agenda: Agenda) -> None:
    """A home holds a calendar, a task list, and the two collections of scheduling."""
    # rfc4791#4.2, rfc6638#2.1, rfc6638#2.2
    found = agenda.propfind(agenda.home, "resourcetype", depth=1)
    kinds = {each.href[len(agenda.home) :]: each.tags("resourcetype") for each in found.responses}
    assert kinds == {
        "": ["collection"],
        "Calendar/": ["collection", f"{C}calendar"],
        "Tasks/": ["collection", f"{C}calendar"],
        "Test/": ["collection", f"{C}calendar"],
        "Inbox/": ["collection", f"{C}schedule-inbox"],
        "Outbox/": ["collection", f"{C}schedule-outbox"],
    }


def test_components(agenda: Agenda) -> None:
    """What each calendar takes, and what new ones can be made for. # rfc4791#5.2.3"""
    name = f"{C}supported-calendar-component-set"

    def of(path: str) -> list[str]:
        return attributes(agenda.propfind(agenda.home + path, name).only, name, "name")

    assert of("Calendar/") == ["VEVENT", "VJOURNAL"]
    assert of("Tasks/") == ["VTODO"]
    assert of("Test/") == ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"]
    found = agenda.propfind(agenda.home, f"{C}supported-calendar-component-sets").only
    sets = found.props[200][f"{C}supported-calendar-component-sets"]
    combinations = [[comp.get("name") for comp in each] for each in sets]
    assert ["VTODO"] in combinations
    assert ["VEVENT", "VTODO", "VJOURNAL"] in combinations


def test_limits(agenda: Agenda) -> None:
    """What a calendar says of its limits is what it holds to. # rfc4791#5.2.4, rfc4791#7.5.1"""
    # rfc4791#5.2.5, rfc4791#5.2.6, rfc4791#5.2.7, rfc4791#5.2.8, rfc4791#5.2.9
    names = [
        f"{C}{name}"
        for name in (
            "max-resource-size",
            "min-date-time",
            "max-date-time",
            "max-instances",
            "max-attendees-per-instance",
        )
    ]
    found = agenda.propfind(
        "", *names, f"{C}supported-calendar-data", f"{C}supported-collation-set"
    )
    size, first, last, instances, attendees = (found.only.text(name) for name in names)
    assert (int(size), int(attendees), int(instances)) == (1 << 20, 1000, 20_000)
    assert (first, last) == ("00010101T000000Z", "99991231T235959Z")
    assert attributes(found.only, f"{C}supported-calendar-data", "version") == ["2.0"]
    assert found.only.text(f"{C}supported-collation-set") == (
        "i;ascii-casemapi;octeti;unicode-casemap"
    )
    people = [f"ATTENDEE:mailto:p{number}@x.test" for number in range(int(attendees) + 1)]
    assert (
        agenda.call("PUT", "a.ics", calendar(event("DTSTART:20260101T000000Z", *people))).status
        == 403
    )
    agenda.add("b", "DTSTART:20260101T000000Z", *people[1:])


def test_settings(agenda: Agenda) -> None:
    """What people set for a calendar is kept as it was; allprop does not have it."""
    # rfc4791#5.2.1, rfc4791#5.2.2, rfc6638#9.1
    inside = (
        "<C:calendar-description>For &lt;all&gt;</C:calendar-description>"
        "<I:calendar-color>#FF0000FF</I:calendar-color><I:calendar-order>3</I:calendar-order>"
        "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
        "<C:default-alarm-vevent-date>BEGIN:VALARM&#13;\nTRIGGER:-PT15H&#13;\nEND:VALARM"
        "</C:default-alarm-vevent-date><C:default-alarm-vevent-datetime/>"
    )
    assert len(put(agenda, "", inside).names()) == 6
    names = [f"{C}calendar-description", f"{I}calendar-color", f"{I}calendar-order"]
    found = agenda.propfind("", *names, f"{C}schedule-calendar-transp").only
    assert [found.text(name) for name in names] == ["For <all>", "#FF0000FF", "3"]
    assert found.tags(f"{C}schedule-calendar-transp") == [f"{C}transparent"]
    fresh = agenda.propfind(agenda.home + "Calendar/", f"{C}schedule-calendar-transp").only
    assert fresh.tags(f"{C}schedule-calendar-transp") == [f"{C}opaque"]
    assert f"{C}calendar-description" not in agenda.propfind("").only.names()


@pytest.mark.parametrize(
    ("inside", "status", "condition"),
    [
        ("<C:calendar-timezone>BEGIN:VCALENDAR</C:calendar-timezone>", 403, "valid-calendar-data"),
        ("<C:calendar-timezone-id>Middle-earth</C:calendar-timezone-id>", 403, "valid-timezone"),
        ("<C:schedule-calendar-transp>yes</C:schedule-calendar-transp>", 409, None),
        ("<C:calendar-description><C:b/></C:calendar-description>", 409, None),
        ("<C:default-alarm-vevent-date>BEGIN:VEVENT</C:default-alarm-vevent-date>", 403,
         "valid-calendar-data"),
        ("<C:default-alarm-vtodo-date>BEGIN:VEVENT\nEND:VEVENT</C:default-alarm-vtodo-date>", 403,
         "valid-calendar-data"),
        ("<C:max-resource-size>1</C:max-resource-size>", 403, "cannot-modify-protected-property"),
        ("<C:supported-calendar-component-set/>", 403, "cannot-modify-protected-property"),
        ("<C:schedule-default-calendar-URL/>", 403, "cannot-modify-protected-property"),
    ],
)  # fmt: skip
def test_bad_settings(agenda: Agenda, inside: str, status: int, condition: str | None) -> None:
    """Values that mean nothing are refused one by one, and nothing else is set with them."""
    # rfc4791#5.2.2, rfc7809#3.1.5
    found = put(agenda, "", f"<D:displayname>New</D:displayname>{inside}")
    assert found.names(424) == {"displayname"}
    assert len(found.names(status)) == 1
    prefix = "" if condition is not None and condition.startswith("cannot") else C
    assert found.errors == ([prefix + condition] if condition else [])
    assert agenda.propfind("", "displayname").only.text("displayname") == "Test"


def test_zone_by_name_and_by_rules(agenda: Agenda) -> None:
    """One says the same as the other, and the last that was set counts. # rfc7809#5.2"""
    by_rules, by_name = f"{C}calendar-timezone", f"{C}calendar-timezone-id"
    none = agenda.propfind("", by_rules, by_name).only
    assert none.names(404) == {by_rules, by_name}
    put(agenda, "", "<C:calendar-timezone-id>Europe/Berlin</C:calendar-timezone-id>")
    found = agenda.propfind("", by_rules, by_name).only
    assert found.text(by_name) == "Europe/Berlin"
    assert zone_of_vtimezone(found.text(by_rules).encode()).name == "Europe/Berlin"
    rules = calendar(
        "BEGIN:VTIMEZONE\nTZID:America/New_York\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        "TZOFFSETFROM:-0500\nTZOFFSETTO:-0500\nEND:STANDARD\nEND:VTIMEZONE"
    ).decode()
    put(agenda, "", f"<C:calendar-timezone>{rules}</C:calendar-timezone>")
    assert agenda.propfind("", by_name).only.text(by_name) == "America/New_York"
    own = rules.replace("America/New_York", "My own")
    put(agenda, "", f"<C:calendar-timezone>{own}</C:calendar-timezone>")
    assert agenda.propfind("", by_name).only.names(404) == {by_name}
    put(agenda, "", "<C:calendar-timezone-id>Asia/Tokyo</C:calendar-timezone-id>")
    assert "Asia/Tokyo" in agenda.propfind("", by_rules).only.text(by_rules)


def test_inbox(agenda: Agenda) -> None:
    """The inbox names the calendar for invitations; another one of the home can be chosen."""
    # rfc6638#9.2
    inbox, name = agenda.home + "Inbox/", f"{C}schedule-default-calendar-URL"

    def default() -> str:
        return agenda.propfind(inbox, name).only.text(name)

    assert default() == agenda.home + "Calendar/"
    listed = agenda.propfind(agenda.home, name, depth=1)
    assert listed[inbox].text(name) == agenda.home + "Calendar/"
    choice = (
        "<C:schedule-default-calendar-URL><D:href>{}</D:href></C:schedule-default-calendar-URL>"
    )
    assert put(agenda, inbox, choice.format(agenda.book)).names() == {name}
    assert default() == agenda.book
    for href in ("/dav/calendars/999/X/", agenda.home, "", "/dav/drive/"):
        refused = put(agenda, inbox, choice.format(href))
        assert refused.errors == [f"{C}valid-schedule-default-calendar-URL"]
    assert agenda.call("DELETE", "").status == 204
    assert default() == agenda.home + "Calendar/"
    put(
        agenda,
        agenda.home + "Tasks/",
        "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>",
    )
    found = agenda.propfind(inbox, f"{C}calendar-free-busy-set").only
    assert found.text(f"{C}calendar-free-busy-set") == agenda.home + "Calendar/"


def test_objects(agenda: Agenda) -> None:
    """An object's type tells its component; changes of a calendar change its tag and token."""
    before = agenda.propfind("", f"{CS}getctag", "sync-token").only
    agenda.add("a", "DUE:20260101T000000Z", kind="VTODO")
    after = agenda.propfind("", f"{CS}getctag", "sync-token").only
    for name in (f"{CS}getctag", "sync-token"):
        assert before.text(name) != after.text(name)
    expected = "text/calendar; charset=utf-8; component=VTODO"
    assert agenda.propfind("a.ics", "getcontenttype").only.text("getcontenttype") == expected
    for method in ("GET", "HEAD"):
        answer = agenda.call(method, "a.ics")
        assert answer.header("content-type") == expected
        assert answer.header("etag") == agenda.propfind("a.ics", "getetag").only.text("getetag")


def test_what_the_server_says_it_can(agenda: Agenda) -> None:
    """OPTIONS and the report set of a calendar have what CalDAV adds. # rfc4791#5.1, rfc4791#7.1"""
    # rfc7809#3.1.1
    answer = agenda.call("OPTIONS", agenda.home)
    words = {word.strip() for word in (answer.header("dav") or "").split(",")}
    assert {"1", "2", "3", "access-control", "calendar-access", "extended-mkcol"} <= words
    assert "calendar-no-timezone" in words
    assert "MKCALENDAR" in (answer.header("allow") or "")
    reports = agenda.propfind("", "supported-report-set").only.tags("supported-report-set")
    for name in ("calendar-query", "calendar-multiget", "free-busy-query"):
        assert C + name in reports
    assert "sync-collection" in reports
    drive = agenda.call("OPTIONS", "/dav/drive/My%20documents/")
    assert "MKCALENDAR" not in (drive.header("allow") or "")


def test_privileges_of_scheduling(agenda: Agenda) -> None:
    """The owner sends by the outbox and receives in the inbox. # rfc6638#6"""
    for folder, word in (("Inbox", "schedule-deliver"), ("Outbox", "schedule-send")):
        names = ("current-user-privilege-set", "supported-privilege-set")
        found = agenda.propfind(f"{agenda.home}{folder}/", *names).only
        for name in names:
            assert C + word in found.tags(name)
            assert "all" in found.tags(name)
    other = agenda.propfind("", "current-user-privilege-set").only
    assert f"{C}schedule-send" not in other.tags("current-user-privilege-set")
