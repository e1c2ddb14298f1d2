"""Views of attendees, changes, and messages of scheduling (RFC 6638, RFC 5546)."""

from __future__ import annotations

import pytest

from folkmoot.sharing.outgoing import outgoing
from folkmoot.storage.content.ical.diff import (
    answers,
    compare,
    is_allowed_to_attendee,
    with_answers_reset,
)
from folkmoot.storage.content.ical.intake import CalendarObject, load_calendar, read_calendar
from folkmoot.storage.content.ical.itip import (
    apply_reply,
    cancel_for,
    is_about,
    read_message,
    reply_for,
    request_for,
)
from folkmoot.storage.content.ical.people import (
    attendees_of,
    for_attendee,
    organizer_of,
    partstat_of,
    set_partstat,
    set_schedule_status,
)
from folkmoot.storage.content.ical.tree import Component, Limits, serialize
from folkmoot.storage.errors import RuleBroken
from tests.dav.calendars import at, event, read

ALICE, BOB, CAROL = (f"mailto:{name}@example.org" for name in ("alice", "bob", "carol"))
NOW = at("2024-03-01")
DAILY = (
    "DTSTART;TZID=Europe/Berlin:20240304T100000",
    "DTEND;TZID=Europe/Berlin:20240304T110000",
    "RRULE:FREQ=DAILY;COUNT=5",
    "SEQUENCE:2",
)
PEOPLE = (
    "ORGANIZER;CN=Alice;SCHEDULE-STATUS=1.1:MAILTO:alice@example.org",
    f"ATTENDEE;PARTSTAT=ACCEPTED:{ALICE}",
    "ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;SCHEDULE-STATUS=1.2:mailto:Bob@Example.org",
)
WITH_CAROL = f"ATTENDEE;PARTSTAT=TENTATIVE:{CAROL}"
ALARM = ("BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM")


def exception(day: str, *lines: str, hour: str = "10") -> str:
    """Return an exception for the instance of a day."""
    return event(
        f"RECURRENCE-ID;TZID=Europe/Berlin:{day}T100000",
        f"DTSTART;TZID=Europe/Berlin:{day}T{hour}0000",
        f"DTEND;TZID=Europe/Berlin:{day}T{int(hour) + 1}0000",
        "SEQUENCE:2",
        *lines,
    )


def again(calendar: Component | None) -> CalendarObject:
    """Return a changed calendar as an object."""
    assert calendar is not None
    return read_calendar(serialize(calendar))


def message(octets: bytes | None) -> tuple[str, CalendarObject]:
    """Return method and object of a message."""
    assert octets is not None
    return read_message(octets, Limits())


def values(found: CalendarObject, name: str) -> list[str]:
    """Return the values of a property in all components."""
    return [prop.value for part in found.parts for prop in part.all(name)]


SERIES = read(event(*DAILY, *PEOPLE, *ALARM))
CAROL_ONCE = read(
    event(*DAILY, *PEOPLE, *ALARM), exception("20240306", *PEOPLE, WITH_CAROL, hour="12")
)
NOT_BOB = read(event(*DAILY, *PEOPLE), exception("20240306", PEOPLE[0], WITH_CAROL))


def test_who_is_in_it() -> None:
    """Addresses are compared without case; the organizer is no attendee; some are not ours."""
    assert organizer_of(SERIES) == ALICE
    assert attendees_of(CAROL_ONCE) == {BOB, CAROL}
    client = PEOPLE[2].replace("CN=Bob", "SCHEDULE-AGENT=CLIENT")
    found = read(event(*DAILY, PEOPLE[0], client, WITH_CAROL))
    assert attendees_of(found, of_server=True) == {CAROL}


def test_views_of_attendees() -> None:
    """Who is in the series sees it all; who is in one instance sees that; others see nothing."""
    # rfc6638#3.2.6
    bob = again(for_attendee(CAROL_ONCE, BOB))
    assert len(bob.parts) == 2
    assert not any(part.components for part in bob.parts)
    assert "SCHEDULE-STATUS" not in str(bob.calendar)
    carol = again(for_attendee(CAROL_ONCE, CAROL))
    assert carol.master is None
    assert values(carol, "DTSTART") == ["20240306T120000"]
    assert for_attendee(CAROL_ONCE, "mailto:eve@example.org") is None


def test_instance_without_an_attendee() -> None:
    """An instance to which somebody is not invited is an EXDATE for them."""
    bob = again(for_attendee(NOT_BOB, BOB))
    assert len(bob.parts) == 1
    assert bob.parts[0].value("EXDATE") == "20240306T100000"
    assert bob.master is not None
    assert bob.master.removed[0].zone is not None


def test_comparison() -> None:
    """What differs between copies of people only is no change; times are the important ones."""
    same = read(event(*DAILY, *PEOPLE, "DTSTAMP:20240101T000000Z", "TRANSP:TRANSPARENT"))
    changes = compare(SERIES, same)
    assert (changes.significant, changes.rescheduled) == (False, False)
    titled = compare(SERIES, read(event(*DAILY, *PEOPLE, "SUMMARY:New")))
    assert (titled.significant, titled.rescheduled) == (True, False)
    later = read(event(*[line.replace("T10", "T09") for line in DAILY], *PEOPLE))
    assert compare(SERIES, later).rescheduled
    assert compare(CAROL_ONCE, SERIES).removed == {CAROL}
    assert compare(SERIES, CAROL_ONCE).added == {CAROL}
    assert compare(SERIES, CAROL_ONCE).rescheduled
    assert compare(None, SERIES).added == {BOB}
    assert compare(SERIES, None).removed == {BOB}


def test_new_exception_at_its_own_time() -> None:
    """An exception that leaves its instance where it was does not ask for new answers."""
    titled = read(event(*DAILY, *PEOPLE), exception("20240306", *PEOPLE, "SUMMARY:Cake"))
    changes = compare(SERIES, titled)
    assert (changes.significant, changes.rescheduled) == (True, False)


def test_answers_are_reset_where_times_change() -> None:
    """RFC 6638 section 3.2.8: attendees of the moved instance are asked again, no others."""
    accepted = again(set_partstat(SERIES, BOB, "ACCEPTED"))
    assert partstat_of(accepted.parts[0], BOB) == "ACCEPTED"
    people = [line.replace("NEEDS-ACTION", "ACCEPTED") for line in PEOPLE]
    moved = read(event(*DAILY, *people), exception("20240306", *people, hour="15"))
    found = again(with_answers_reset(accepted, moved))
    assert [partstat_of(part, BOB) for part in found.parts] == ["ACCEPTED", "NEEDS-ACTION"]
    assert [partstat_of(part, ALICE) for part in found.parts] == ["ACCEPTED", "ACCEPTED"]
    assert with_answers_reset(accepted, accepted) == accepted.calendar


def test_request() -> None:
    """An invitation has METHOD:REQUEST, a stamp, and what the attendee is to see."""
    # rfc5546#3.2.2, rfc5545#3.7.2
    method, found = message(request_for(CAROL_ONCE, BOB, NOW))
    assert (method, found.uid, len(found.parts)) == ("REQUEST", "event-1", 2)
    assert values(found, "DTSTAMP") == ["20240301T000000Z"] * 2
    assert is_about(found, BOB)
    assert not is_about(found, "mailto:eve@example.org")
    assert request_for(SERIES, CAROL, NOW) is None


def test_cancel() -> None:
    """Who is out is told of what they had: all, or the instances; nobody else is told."""
    # rfc5546#3.2.5
    method, found = message(cancel_for(SERIES, None, BOB, NOW))
    assert method == "CANCEL"
    part = found.parts[0]
    assert part.value("STATUS") == "CANCELLED"
    assert part.value("SEQUENCE") == "3"
    assert [prop.value for prop in part.all("ATTENDEE")] == ["mailto:Bob@Example.org"]
    assert part.first("RRULE") is None
    _, found = message(cancel_for(CAROL_ONCE, SERIES, CAROL, NOW))
    assert values(found, "RECURRENCE-ID") == ["20240306T100000"]
    assert cancel_for(CAROL_ONCE, SERIES, BOB, NOW) is None
    assert cancel_for(SERIES, SERIES, CAROL, NOW) is None


def test_answer_for_the_series() -> None:
    """A changed PARTSTAT becomes a REPLY, and the reply a changed PARTSTAT of the organizer's."""
    # rfc5546#3.2.3
    mine = again(for_attendee(SERIES, BOB))
    accepted = again(set_partstat(mine, BOB, "ACCEPTED"))
    assert answers(mine, mine, BOB) == []
    said = answers(mine, accepted, BOB)
    assert [(each.partstat, each.instance) for each in said] == [("ACCEPTED", None)]
    method, reply = message(reply_for(accepted, BOB, said, NOW))
    assert method == "REPLY"
    assert values(reply, "ATTENDEE") == ["mailto:Bob@Example.org"]
    assert values(reply, "REQUEST-STATUS") == ["2.0;Success"]
    found = again(apply_reply(SERIES, reply, BOB))
    assert partstat_of(found.parts[0], BOB) == "ACCEPTED"
    assert partstat_of(found.parts[0], ALICE) == "ACCEPTED"
    assert apply_reply(found, reply, BOB) is None
    assert apply_reply(SERIES, reply, CAROL) is None


def test_answer_for_one_instance() -> None:
    """An answer for an instance makes an exception of it for the organizer. # rfc5546#3.2.3"""
    mine = again(for_attendee(SERIES, BOB))
    people = [line.replace("NEEDS-ACTION", "DECLINED") for line in PEOPLE]
    changed = read(event(*DAILY, *PEOPLE), exception("20240307", *people))
    said = answers(mine, changed, BOB)
    assert [each.partstat for each in said] == ["DECLINED"]
    _, reply = message(reply_for(changed, BOB, said, NOW))
    found = again(apply_reply(SERIES, reply, BOB))
    assert [partstat_of(part, BOB) for part in found.parts] == ["NEEDS-ACTION", "DECLINED"]
    made = found.parts[1]
    assert made.value("RECURRENCE-ID") == made.value("DTSTART") == "20240307T100000"
    assert made.value("DTEND") == "20240307T110000"
    assert made.first("RRULE") is None


def test_instance_taken_out_by_an_attendee() -> None:
    """EXDATE in the copy of an attendee declines the instance; deleting it declines all."""
    # rfc6638#3.2.2.3, rfc6638#3.2.2.4
    mine = again(for_attendee(SERIES, BOB))
    out = read(event(*DAILY, *PEOPLE, "EXDATE;TZID=Europe/Berlin:20240305T100000"))
    said = answers(mine, out, BOB)
    _, reply = message(reply_for(out, BOB, said, NOW))
    assert values(reply, "RECURRENCE-ID") == ["20240305T100000"]
    found = again(apply_reply(SERIES, reply, BOB))
    assert partstat_of(found.parts[1], BOB) == "DECLINED"
    gone = answers(mine, None, BOB)
    assert [(each.partstat, each.instance) for each in gone] == [("DECLINED", None)]
    assert answers(again(set_partstat(mine, BOB, "DECLINED")), None, BOB) == []


def test_answer_for_what_is_not_there() -> None:
    """A reply for an instance that the series does not have changes nothing. # rfc6638#4.2"""
    stray = read(
        event(
            "RECURRENCE-ID;TZID=Europe/Berlin:20240306T110000",
            "DTSTART;TZID=Europe/Berlin:20240306T110000",
            PEOPLE[2],
        )
    )
    assert apply_reply(SERIES, stray, BOB) is None
    late = read(event("RECURRENCE-ID:20300306T090000Z", "DTSTART:20300306T090000Z", PEOPLE[2]))
    assert apply_reply(SERIES, late, BOB) is None


def test_what_attendees_may_change() -> None:
    """RFC 6638 section 3.2.2.1: their answer, alarms, busy state; no times, texts or people."""
    mine = read(event(*DAILY, *PEOPLE))

    def allowed(*components: str) -> bool:
        return is_allowed_to_attendee(mine, read(*components), BOB)

    accepted = [line.replace("NEEDS-ACTION", "ACCEPTED") for line in PEOPLE]
    assert allowed(event(*DAILY, *accepted, *ALARM, "TRANSP:TRANSPARENT", "X-APPLE-THING:1"))
    assert allowed(event(*DAILY, *PEOPLE), exception("20240306", *accepted))
    assert not allowed(event(*DAILY, *PEOPLE, "SUMMARY:Mine"))
    assert not allowed(event(*DAILY, *PEOPLE, WITH_CAROL))
    assert not allowed(event(*[line.replace("T10", "T09") for line in DAILY], *PEOPLE))
    assert not allowed(event(*DAILY, *PEOPLE), exception("20240306", *accepted, hour="15"))
    assert not allowed(event(*DAILY, PEOPLE[0].replace("alice", "bob"), *PEOPLE[1:]))


def test_schedule_status() -> None:
    """What became of a delivery is at the one it was for. # rfc6638#3.2.9"""
    found = again(set_schedule_status(SERIES, {BOB: "3.7"}))
    listed = {prop.value: prop.param("SCHEDULE-STATUS") for prop in found.parts[0].all("ATTENDEE")}
    assert listed == {ALICE: "", "mailto:Bob@Example.org": "3.7"}
    to_organizer = again(set_schedule_status(SERIES, {ALICE: "2.0"}))
    organizer = to_organizer.parts[0].first("ORGANIZER")
    assert organizer is not None
    assert organizer.param("SCHEDULE-STATUS") == "2.0"


def test_tasks_without_start() -> None:
    """A task that is only due can be answered for one instance as well."""
    task = read(event("DUE:20240304T100000Z", "RRULE:FREQ=DAILY", *PEOPLE, name="VTODO"))
    reply = read(
        event(
            "RECURRENCE-ID:20240309T100000Z",
            "DUE:20240309T100000Z",
            PEOPLE[2].replace("NEEDS-ACTION", "COMPLETED"),
            name="VTODO",
        )
    )
    found = again(apply_reply(task, reply, BOB))
    assert partstat_of(found.parts[1], BOB) == "COMPLETED"
    assert found.parts[1].value("DUE") == "20240309T100000Z"


def invitation(people: int) -> CalendarObject:
    """A meeting of ALICE with many people."""
    listed = "".join(f"ATTENDEE:mailto:p{n}@example.org\r\n" for n in range(people))
    return load_calendar(
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:many\r\n"
        b"DTSTART:20260101T100000Z\r\nORGANIZER:%b\r\n%bEND:VEVENT\r\nEND:VCALENDAR\r\n"
        % (ALICE.encode(), listed.encode())
    )


def test_people_elsewhere_cost_no_messages() -> None:
    """A meeting with many people of other servers holds nobody up: nothing is written for them."""
    sent = outgoing(
        None, invitation(900), {ALICE}, 0, is_here=lambda who: who.startswith("mailto:p1@")
    )
    assert [who for who, _ in sent.messages] == ["mailto:p1@example.org"]
    assert len(sent.elsewhere) == 899


def test_many_people_cost_one_message() -> None:
    """Who is invited to the same gets the same octets: a thousand copies were made before."""
    sent = outgoing(None, invitation(900), {ALICE}, 0)
    assert len(sent.messages) == 900
    assert len({id(message) for _, message in sent.messages}) == 1


def test_meetings_have_a_limit_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one change makes the server send has bounds, in people and in octets."""
    # rfc4791#5.2.9
    monkeypatch.setattr("folkmoot.sharing.outgoing.MOST_ATTENDEES", 5)
    with pytest.raises(RuleBroken) as refused:
        outgoing(None, invitation(6), {ALICE}, 0)
    assert refused.value.rule == "max-attendees-per-instance"
    monkeypatch.setattr("folkmoot.sharing.outgoing.MOST_OCTETS", 1000)
    with pytest.raises(RuleBroken) as refused:
        outgoing(None, invitation(5), {ALICE}, 0)
    assert refused.value.rule == "max-resource-size"


def test_messages_that_differ_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """People who are each in other exceptions get each another message, as long as the meeting."""
    parts = "".join(
        f"BEGIN:VEVENT\r\nUID:many\r\nRECURRENCE-ID:202601{n + 2:02}T100000Z\r\n"
        f"DTSTART:202601{n + 2:02}T110000Z\r\nORGANIZER:{ALICE}\r\n"
        f"ATTENDEE:mailto:p{n}@example.org\r\nEND:VEVENT\r\n"
        for n in range(20)
    )
    octets = serialize(invitation(20).calendar).replace(
        b"END:VCALENDAR", parts.encode() + b"END:VCALENDAR"
    )
    found = load_calendar(octets)
    assert len({message for _, message in outgoing(None, found, {ALICE}, 0).messages}) == 20
    monkeypatch.setattr("folkmoot.sharing.outgoing.MOST_DIFFERENT", 5000)
    with pytest.raises(RuleBroken) as refused:
        outgoing(None, found, {ALICE}, 0)
    assert refused.value.rule == "max-instances"
    assert len(outgoing(None, found, {ALICE}, 0, is_here=lambda who: False).elsewhere) == 20
