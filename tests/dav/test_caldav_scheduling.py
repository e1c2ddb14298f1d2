"""Scheduling between calendars of the server, through the wire (RFC 6638)."""

from __future__ import annotations

from functools import partial
from xml.etree import ElementTree

import pytest
from twisted.internet.defer import CancelledError, Deferred, gatherResults

from folkmoot.sharing import scheduling
from folkmoot.storage.content.ical.intake import CalendarObject, read_calendar
from folkmoot.storage.content.ical.itip import read_message
from folkmoot.storage.content.ical.people import attendee_in, partstat_of
from folkmoot.storage.content.ical.tree import HARD_LIMITS
from folkmoot.storage.errors import Unavailable
from folkmoot.storage.mutations.scheduling import SweepInboxes
from folkmoot.storage.store import Store
from folkmoot.storage.txn import Txn
from folkmoot.storage.types import Actor
from folkmoot.storage.types_scheduling import ScheduleMessage
from folkmoot.storage.upkeep import check, sweep_inboxes
from tests.dav.calendars import calendar
from tests.kit import reactor
from tests.kit.dav import Dav, conditions
from tests.kit.http import Answer
from tests.kit.server import TestServer

SCHEDULE_TAG = "{urn:ietf:params:xml:ns:caldav}schedule-tag"
C = "{urn:ietf:params:xml:ns:caldav}"


class Person(Dav):
    """Somebody with a calendar."""

    @property
    def address(self) -> str:
        """The calendar user address."""
        return f"mailto:{self.account.address}"

    def place(self, *names: str) -> str:
        """A path in the calendar home."""
        return f"/dav/calendars/{self.account.space_id}/" + "/".join(names)

    def names(self, folder: str) -> list[str]:
        """Paths of what a collection holds."""
        found = self.propfind(self.place(folder, ""), "getetag", depth=1)
        return [href for href in found.hrefs if not href.endswith("/")]

    def only(self, folder: str = "Calendar") -> str:
        """The path of the one object of a collection."""
        [name] = self.names(folder)
        return name

    def meeting(self, folder: str = "Calendar") -> CalendarObject:
        """The one object of a collection."""
        return read_calendar(self.get(self.only(folder)))

    def answer_with(self, status: str) -> Answer:
        """Accept or decline the one meeting that there is."""
        path = self.only()
        text = self.get(path).decode()
        folded = text.replace("\r\n ", "")
        lines = [
            f"ATTENDEE;PARTSTAT={status}:{self.address}"
            if line.startswith("ATTENDEE") and line.endswith(f":{self.address}")
            else line
            for line in folded.split("\r\n")
        ]
        return self.call("PUT", path, "\r\n".join(lines), Content_Type="text/calendar")

    def messages(self) -> list[tuple[str, CalendarObject]]:
        """(METHOD, object) of all that came in."""
        return [read_message(self.get(path), HARD_LIMITS) for path in self.names("Inbox")]


def invitation(organizer: Person, *attendees: str, uid: str = "m1", extra: str = "") -> bytes:
    """A weekly meeting; ``attendees`` are addresses, with parameters where they begin with ;."""
    people = "\n".join(
        f"ATTENDEE{each}" if each.startswith(";") else f"ATTENDEE:{each}" for each in attendees
    )
    return calendar(
        f"""BEGIN:VEVENT
        UID:{uid}
        DTSTAMP:20260101T000000Z
        DTSTART:20270104T100000Z
        DURATION:PT1H
        RRULE:FREQ=WEEKLY;COUNT=5
        SUMMARY:Meeting
        ORGANIZER:{organizer.address}
        ATTENDEE;PARTSTAT=ACCEPTED:{organizer.address}
        {people}
        {extra}
        END:VEVENT"""
    )


def put(person: Person, octets: bytes, name: str = "m.ics", **fields: str | None) -> Answer:
    """PUT a meeting into the calendar."""
    path = person.place("Calendar", name)
    return person.call("PUT", path, octets, Content_Type="text/calendar", **fields)


@pytest.fixture
def people(any_server: TestServer) -> tuple[Person, Person, Person]:
    """Three people on each kind of database."""
    return Person(any_server), Person(any_server), Person(any_server)


People = tuple[Person, Person, Person]


def status_of(found: CalendarObject, who: str) -> str:
    """SCHEDULE-STATUS of an attendee."""
    prop = attendee_in(found.parts[0], who)
    assert prop is not None
    return prop.param("SCHEDULE-STATUS")


# --- organizers -----------------------------------------------------------------------------------


def test_an_invitation_arrives(people: People) -> None:
    """Who is invited has a message in the inbox and the meeting in the calendar, at once."""
    # rfc6638#3.2.1.1, rfc6638#4.1
    alice, bob, _ = people
    answer = put(alice, invitation(alice, bob.address))
    assert answer.status == 201
    assert answer.header("etag") is None  # the server has written the status into it
    assert answer.header("schedule-tag")
    [(method, message)] = bob.messages()
    assert method == "REQUEST"
    assert message.uid == "m1"
    meeting = bob.meeting()
    assert partstat_of(meeting.parts[0], bob.address) == "NEEDS-ACTION"
    assert meeting.parts[0].first("RRULE") is not None
    assert status_of(alice.meeting(), bob.address) == "1.2"


def test_people_elsewhere_and_nobody(people: People) -> None:
    """The status says that somebody elsewhere, or nobody, was not reached. # rfc6638#3.2.9"""
    alice, _, _ = people
    put(alice, invitation(alice, "mailto:x@else.test", "http://example.test/who"))
    assert status_of(alice.meeting(), "mailto:x@else.test") == "5.2"
    assert status_of(alice.meeting(), "http://example.test/who") == "3.7"


def test_addresses_in_any_case(people: People) -> None:
    """MAILTO: and upper case name the same person."""
    alice, bob, _ = people
    put(alice, invitation(alice, bob.address.upper()))
    assert len(bob.names("Calendar")) == 1


@pytest.mark.parametrize("agent", ["NONE", "CLIENT"])
def test_schedule_agent(people: People, agent: str) -> None:
    """Whoever is invited by the client, or not at all, gets nothing from the server."""
    # rfc6638#7.1
    alice, bob, _ = people
    put(alice, invitation(alice, f";SCHEDULE-AGENT={agent}:{bob.address}"))
    assert bob.names("Inbox") == []
    assert bob.names("Calendar") == []


def test_only_the_organizer_invites(people: People) -> None:
    """Storing somebody else's meeting tells nobody: an import mails no one. # rfc6638#3.1"""
    alice, bob, carol = people
    put(bob, invitation(alice, carol.address))
    assert carol.names("Inbox") == []


def test_changes_arrive_and_answers_are_asked_anew(people: People) -> None:
    """A new time is told, and whoever had accepted has to answer again."""
    # rfc6638#3.2.1.2, rfc6638#3.2.8
    alice, bob, _ = people
    put(alice, invitation(alice, bob.address))
    assert bob.answer_with("ACCEPTED").status == 204
    assert partstat_of(alice.meeting().parts[0], bob.address) == "ACCEPTED"
    moved = invitation(alice, f";PARTSTAT=ACCEPTED:{bob.address}").replace(b"T100000", b"T120000")
    assert put(alice, moved).status == 204
    assert partstat_of(alice.meeting().parts[0], bob.address) == "NEEDS-ACTION"
    assert partstat_of(bob.meeting().parts[0], bob.address) == "NEEDS-ACTION"
    assert bob.meeting().parts[0].value("DTSTART") == "20270104T120000Z"


def test_an_insignificant_change_is_not_told(people: People) -> None:
    """What attendees do not see makes no message. # rfc6638#3.2.1.2"""
    alice, bob, _ = people
    octets = invitation(alice, bob.address)
    put(alice, octets)
    put(alice, octets.replace(b"DTSTAMP:20260101", b"DTSTAMP:20260102"))
    assert len(bob.names("Inbox")) == 1


def test_removed_attendees_learn_of_it(people: People) -> None:
    """Somebody who is no longer invited gets a CANCEL, and the copy says so. # rfc6638#3.2.1.2"""
    alice, bob, carol = people
    put(alice, invitation(alice, bob.address, carol.address))
    put(alice, invitation(alice, bob.address))
    assert "CANCEL" in [method for method, _ in carol.messages()]
    assert carol.meeting().parts[0].value("STATUS") == "CANCELLED"
    assert attendee_in(bob.meeting().parts[0], carol.address) is None
    assert bob.meeting().parts[0].value("STATUS") == ""


def test_deleting_a_meeting_cancels_it(people: People) -> None:
    """DELETE by the organizer cancels the meeting for all. # rfc6638#3.2.1.3"""
    alice, bob, _ = people
    put(alice, invitation(alice, bob.address))
    assert alice.call("DELETE", alice.only()).status == 204
    assert bob.meeting().parts[0].value("STATUS") == "CANCELLED"


def test_one_instance_cancelled(people: People) -> None:
    """An instance that the organizer takes out disappears from the attendee's series."""
    # rfc6638#3.2.6
    alice, bob, _ = people
    put(alice, invitation(alice, bob.address))
    put(alice, invitation(alice, bob.address, extra="EXDATE:20270111T100000Z"))
    assert bob.meeting().parts[0].value("EXDATE") == "20270111T100000Z"


def test_the_organizer_stays(people: People) -> None:
    """A meeting cannot be given to somebody else, and has one organizer in all its parts."""
    # rfc6638#3.2.4.2, rfc6638#3.2.4.3
    alice, bob, _ = people
    put(alice, invitation(alice, bob.address))
    answer = put(alice, invitation(bob, alice.address))
    assert answer.status == 403
    assert conditions(answer) == [f"{C}allowed-organizer-scheduling-object-change"]
    two = calendar(
        *(
            f"""BEGIN:VEVENT
            UID:two
            {rid}
            DTSTART:20270104T100000Z
            ORGANIZER:{who.address}
            ATTENDEE:{bob.address}
            END:VEVENT"""
            for rid, who in (("RRULE:FREQ=DAILY", alice), ("RECURRENCE-ID:20270104T100000Z", bob))
        )
    )
    answer = put(alice, two, "two.ics")
    assert answer.status == 403
    assert conditions(answer) == [f"{C}same-organizer-in-all-components"]


def test_a_meeting_is_in_one_calendar(people: People) -> None:
    """The same meeting in a second calendar of its owner is refused. # rfc6638#3.2.4.1"""
    alice, bob, _ = people
    put(alice, invitation(alice, bob.address))
    assert alice.call("MKCALENDAR", alice.place("Other", "")).status == 201
    path = alice.place("Other", "again.ics")
    answer = alice.call("PUT", path, invitation(alice, bob.address), Content_Type="text/calendar")
    assert answer.status == 403
    assert conditions(answer) == [f"{C}unique-scheduling-object-resource"]


# --- attendees ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["ACCEPTED", "DECLINED", "TENTATIVE"])
def test_answers_arrive(people: People, status: str) -> None:
    """The organizer's copy and those of the others show who has answered. # rfc6638#4.2"""
    alice, bob, carol = people
    put(alice, invitation(alice, bob.address, carol.address))
    tag = alice.propfind(alice.only(), SCHEDULE_TAG).only.text(SCHEDULE_TAG)
    assert bob.answer_with(status).status == 204
    assert partstat_of(alice.meeting().parts[0], bob.address) == status
    assert partstat_of(carol.meeting().parts[0], bob.address) == status
    assert [method for method, _ in alice.messages()] == ["REPLY"]
    assert len(carol.names("Inbox")) == 1, "answers of others are no news"
    # rfc6638#3.2.10: an answer does not change the tag
    assert alice.propfind(alice.only(), SCHEDULE_TAG).only.text(SCHEDULE_TAG) == tag


def test_attendees_change_only_what_is_theirs(people: People) -> None:
    """Another time or title in an attendee's copy is refused; an alarm is not."""
    # rfc6638#3.2.2.1, rfc6638#3.2.4.4
    alice, bob, _ = people
    put(alice, invitation(alice, bob.address))
    text = bob.get(bob.only()).decode()
    moved = text.replace("T100000Z", "T110000Z")
    answer = bob.call("PUT", bob.only(), moved, Content_Type="text/calendar")
    assert answer.status == 403
    assert conditions(answer) == [f"{C}allowed-attendee-scheduling-object-change"]
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n"
    remind = text.replace("END:VEVENT", f"{alarm}END:VEVENT")
    assert bob.call("PUT", bob.only(), remind, Content_Type="text/calendar").status == 204
    # It stays when the organizer changes the meeting.
    put(alice, invitation(alice, bob.address, extra="LOCATION:Hall"))
    meeting = bob.meeting().parts[0]
    assert meeting.value("LOCATION") == "Hall"
    assert [each.name for each in meeting.components] == ["VALARM"]


def test_deleting_a_copy_declines(people: People) -> None:
    """DELETE by an attendee declines, unless Schedule-Reply: F says not to."""
    # rfc6638#3.2.2.4, rfc6638#8.1
    alice, bob, carol = people
    put(alice, invitation(alice, bob.address, carol.address))
    assert bob.call("DELETE", bob.only()).status == 204
    assert partstat_of(alice.meeting().parts[0], bob.address) == "DECLINED"
    assert carol.call("DELETE", carol.only(), Schedule_Reply="F").status == 204
    assert partstat_of(alice.meeting().parts[0], carol.address) == "NEEDS-ACTION"


def test_a_stale_client_loses_no_answer(people: People) -> None:
    """If-Schedule-Tag-Match lets a client write that does not know the latest answers."""
    # rfc6638#3.2.10.1, rfc6638#8.3
    alice, bob, _ = people
    tag = put(alice, invitation(alice, bob.address)).header("schedule-tag")
    assert bob.answer_with("ACCEPTED").status == 204
    changed = invitation(alice, bob.address, extra="LOCATION:Hall")
    assert put(alice, changed, If_Schedule_Tag_Match=tag).status == 204
    assert partstat_of(alice.meeting().parts[0], bob.address) == "ACCEPTED"
    assert alice.meeting().parts[0].value("LOCATION") == "Hall"
    assert put(alice, changed, If_Schedule_Tag_Match=tag).status == 412


# --- the collections ------------------------------------------------------------------------------


def test_nobody_puts_into_inbox_and_outbox(people: People) -> None:
    """Messages come from the server only; both collections stay. # rfc6638#2.1, rfc6638#2.2"""
    alice, bob, _ = people
    for folder in ("Inbox", "Outbox"):
        path = alice.place(folder, "x.ics")
        octets = invitation(alice, bob.address)
        assert alice.call("PUT", path, octets, Content_Type="text/calendar").status == 403
        assert alice.call("DELETE", alice.place(folder, "")).status == 403
    put(alice, invitation(alice, bob.address))
    message = bob.only("Inbox")
    assert bob.call("DELETE", message).status == 204
    assert bob.names("Inbox") == []
    assert len(bob.names("Calendar")) == 1


def test_the_default_calendar_stays(people: People) -> None:
    """The calendar that takes invitations cannot be deleted. # rfc6638#4.3.1.1"""
    alice, _, _ = people
    answer = alice.call("DELETE", alice.place("Calendar", ""))
    assert answer.status == 403
    assert conditions(answer) == [f"{C}default-calendar-needed"]


def test_strangers_see_no_inbox(people: People) -> None:
    """Other people's messages, and what they are about, cannot be looked at."""
    alice, bob, carol = people
    put(alice, invitation(alice, bob.address))
    for path in (bob.only("Inbox"), bob.only(), bob.place("Inbox", "")):
        assert carol.call("PROPFIND", path, Depth="0").status == 404
        assert alice.call("GET", path).status == 404


def test_invitations_wait_when_they_cannot_be_delivered(
    people: People, any_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not delivered behind the commit is delivered later, once."""
    alice, bob, _ = people

    async def away(store: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr("folkmoot.sharing.tree.deliver_waiting", away)
        assert put(alice, invitation(alice, bob.address)).status == 201
    assert bob.names("Inbox") == []
    for _ in range(2):
        reactor.call(lambda: scheduling.deliver_waiting(any_server.store))
    assert len(bob.names("Inbox")) == 1
    assert len(bob.names("Calendar")) == 1


def test_a_message_that_two_deliver_costs_once(
    people: People, any_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second delivers nothing and charges nothing, which ``check`` would find."""
    alice, bob, _ = people
    waiting: list[ScheduleMessage] = []
    deliver = scheduling.deliver

    def noted(txn: Txn, message: ScheduleMessage, store: Store) -> None:
        waiting.append(message)
        deliver(txn, message, store)

    with monkeypatch.context() as patched:
        patched.setattr(scheduling, "deliver", noted)
        assert put(alice, invitation(alice, bob.address)).status == 201
        assert bob.answer_with("ACCEPTED").status == 204
    store = any_server.store
    for message in waiting:
        work = partial(deliver, message=message, store=store)
        reactor.call(partial(store.run, scheduling.SYSTEM, "scheduling", work))
    assert len(waiting) == 2
    assert len(bob.names("Inbox")) == len(alice.names("Inbox")) == 1
    assert check(store) == []


def test_a_client_that_goes_away_loses_no_invitation(
    people: People, any_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not delivered because nobody waited for it any more is delivered later."""
    alice, bob, _ = people

    def gone(txn: Txn, message: ScheduleMessage, store: Store) -> None:
        raise CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(scheduling, "deliver", gone)
        put(alice, invitation(alice, bob.address))
    assert bob.names("Inbox") == []
    reactor.call(lambda: scheduling.deliver_waiting(any_server.store))
    assert len(bob.names("Inbox")) == 1


def test_those_who_send_at_the_same_time_do_the_work_once(
    people: People, any_server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message is delivered by one of them."""
    alice, bob, carol = people
    delivered: list[int] = []
    deliver = scheduling.deliver

    def noted(txn: Txn, message: ScheduleMessage, store: Store) -> None:
        delivered.append(message.id)
        deliver(txn, message, store)

    async def away(store: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr("folkmoot.sharing.tree.deliver_waiting", away)
        assert put(alice, invitation(alice, bob.address, carol.address)).status == 201
    monkeypatch.setattr(scheduling, "deliver", noted)
    store = any_server.store
    reactor.call(
        lambda: gatherResults(
            [Deferred.fromCoroutine(scheduling.deliver_waiting(store)) for _ in range(4)]
        )
    )
    assert len(delivered) == len(set(delivered)) == 2


# --- busy times -----------------------------------------------------------------------------------


def ask(person: Person, *who: str, organizer: str = "") -> Answer:
    """POST a request for busy times in January 2027 to the outbox."""
    people = "\n".join(f"ATTENDEE:{each}" for each in who)
    octets = calendar(
        f"""METHOD:REQUEST
        BEGIN:VFREEBUSY
        UID:fb
        DTSTAMP:20260101T000000Z
        DTSTART:20270101T000000Z
        DTEND:20270201T000000Z
        ORGANIZER:{organizer or person.address}
        {people}
        END:VFREEBUSY"""
    )
    path = person.place("Outbox", "")
    return person.call("POST", path, octets, Content_Type="text/calendar; charset=utf-8")


def test_busy_times(people: People) -> None:
    """One's own busy times are told; those of people with whom nothing is shared are not."""
    # rfc6638#5, rfc6638#5.1, rfc6638#10.2
    alice, bob, _ = people
    put(alice, invitation(alice))
    answer = ask(alice, alice.address, bob.address, "mailto:nobody@example.test")
    assert answer.status == 200
    found = {
        response.findtext(f"{C}recipient/{{DAV:}}href"): response
        for response in ElementTree.fromstring(answer.text)
    }
    mine = found[alice.address]
    assert mine.findtext(f"{C}request-status") == "2.0;Success"
    data = mine.findtext(f"{C}calendar-data")
    assert data is not None
    assert "METHOD:REPLY" in data
    assert data.count("20270104T100000Z/20270104T110000Z") == 1
    assert found[bob.address].findtext(f"{C}request-status") == "3.8;No authority"
    assert found[bob.address].find(f"{C}calendar-data") is None
    nobody = found["mailto:nobody@example.test"]
    assert nobody.findtext(f"{C}request-status") == "3.7;Invalid calendar user"


def test_requests_for_busy_times_are_judged(people: People) -> None:
    """Who asks must be the owner of the outbox; what is asked must be a request."""
    # rfc6638#5.2.1, rfc6638#5.2.2
    alice, bob, _ = people
    answer = ask(alice, bob.address, organizer=bob.address)
    assert answer.status == 403
    assert conditions(answer) == [f"{C}valid-organizer"]
    path = alice.place("Outbox", "")
    meeting = invitation(alice, bob.address)
    answer = alice.call("POST", path, meeting, Content_Type="text/calendar")
    assert answer.status == 403
    assert conditions(answer) == [f"{C}valid-scheduling-message"]
    assert alice.call("POST", path, b"x", Content_Type="text/plain").status == 415
    assert alice.call("POST", path, b"x", Content_Type="text/calendar").status == 403
    assert bob.call("POST", path, b"x", Content_Type="text/calendar").status == 404


def test_scheduling_is_announced(people: People) -> None:
    """Clients look for calendar-auto-schedule before they leave invitations to the server."""
    # rfc6638#2
    alice, _, _ = people
    words = (alice.call("OPTIONS", alice.place("")).header("dav") or "").split(", ")
    assert "calendar-auto-schedule" in words


def test_deleting_a_calendar_cancels_what_is_ahead(people: People) -> None:
    """Whoever deletes a calendar cancels its meetings, but not those that are over."""
    alice, bob, carol = people
    assert alice.call("MKCALENDAR", alice.place("Other", "")).status == 201
    for name, octets in (
        ("ahead", invitation(alice, bob.address).replace(b":2027", b":2094")),
        ("over", invitation(alice, carol.address, uid="m2").replace(b":2027", b":2017")),
    ):
        path = alice.place("Other", f"{name}.ics")
        assert alice.call("PUT", path, octets, Content_Type="text/calendar").status == 201
    assert alice.call("DELETE", alice.place("Other", "")).status == 204
    assert bob.meeting().parts[0].value("STATUS") == "CANCELLED"
    assert carol.meeting().parts[0].value("STATUS") == ""


def test_invitations_go_where_they_are_wanted(people: People) -> None:
    """The calendar that was chosen takes new meetings; tasks go where tasks may be."""
    # rfc6638#9.2
    alice, bob, _ = people
    assert bob.call("MKCALENDAR", bob.place("W%C3%B6rk", "")).status == 201
    chosen = (
        '<D:set><D:prop><C:schedule-default-calendar-URL xmlns:C="urn:ietf:params:xml:ns:caldav">'
        f"<D:href>{bob.place('W%C3%B6rk', '')}</D:href>"
        "</C:schedule-default-calendar-URL></D:prop></D:set>"
    )
    assert 200 in bob.proppatch(bob.place("Inbox", ""), chosen).props
    put(alice, invitation(alice, bob.address))
    assert len(bob.names("W%C3%B6rk")) == 1
    task = calendar(
        f"""BEGIN:VTODO
        UID:task
        DUE:20270104T100000Z
        ORGANIZER:{alice.address}
        ATTENDEE:{bob.address}
        END:VTODO"""
    )
    path = alice.place("Tasks", "task.ics")
    assert alice.call("PUT", path, task, Content_Type="text/calendar").status == 201
    assert len(bob.names("Tasks")) == 1


def test_old_messages_leave_the_inbox(people: People, any_server: TestServer) -> None:
    """Messages are swept when they are old; meetings stay, and sync tells of it."""
    alice, bob, _ = people
    put(alice, invitation(alice, bob.address))
    token = bob.sync(bob.place("Inbox", "")).sync_token
    name = bob.only("Inbox")
    assert sweep_inboxes(any_server.store) == 0
    swept = any_server.store.call(
        Actor.system("test"), "test", lambda txn: txn.apply(SweepInboxes(-60))
    )
    assert swept == 1
    assert bob.names("Inbox") == []
    assert bob.sync(bob.place("Inbox", ""), token)[name].status == 404
    assert len(bob.names("Calendar")) == 1


def test_own_answer_keeps_the_tag(server: TestServer) -> None:
    """An attendee's answer changes no tag, so the attendee's other clients can go on; an alarm
    does change it. # rfc6638#3.2.10"""
    alice, bob = Person(server), Person(server)
    put(alice, invitation(alice, bob.address))
    path = bob.only()
    tag = bob.propfind(path, SCHEDULE_TAG).only.text(SCHEDULE_TAG)
    assert bob.answer_with("ACCEPTED").status == 204
    assert bob.propfind(path, SCHEDULE_TAG).only.text(SCHEDULE_TAG) == tag
    alarm = b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"
    changed = bob.get(path).replace(b"END:VEVENT", alarm)
    assert bob.call("PUT", path, changed, Content_Type="text/calendar").status == 204
    assert bob.propfind(path, SCHEDULE_TAG).only.text(SCHEDULE_TAG) != tag


@pytest.mark.parametrize("private", [False, True])
def test_only_the_organizer_changes_a_meeting(people: People, private: bool) -> None:
    """Who knows the UID of somebody's meeting, or private entry, cannot overwrite or cancel it."""
    # rfc6638#11.2
    alice, bob, mallory = people
    if private:
        put(bob, calendar("BEGIN:VEVENT\nUID:m1\nDTSTAMP:20260101T000000Z\n"
                          "DTSTART:20270104T100000Z\nSUMMARY:Mine\nEND:VEVENT"))  # fmt: skip
    else:
        put(alice, invitation(alice, bob.address))
    path = bob.only()
    before, messages = bob.get(path), len(bob.messages())
    put(mallory, invitation(mallory, bob.address, extra="LOCATION:Elsewhere"))
    assert bob.get(path) == before
    assert mallory.call("DELETE", mallory.place("Calendar", "m.ics")).status == 204
    assert bob.get(path) == before
    assert len(bob.messages()) == messages
