"""The caldav library, call by call: what other people's calendar programs are made with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from caldav.aio import get_async_davclient
from caldav.collection import Calendar
from caldav.davclient import DAVClient
from caldav.elements import dav, ical
from caldav.lib.error import (
    AuthorizationError,
    ConsistencyError,
    DAVError,
    ETagMismatchError,
    NotFoundError,
)
from icalendar_searcher.collation import Collation

from tests.dav.calendars import calendar, event
from tests.e2e.conftest import Demo
from tests.e2e.test_caldav_clients import url

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.client("caldav"),
    # The library mixes octets and text, and calls itself by names that it wants out of use.
    pytest.mark.filterwarnings("ignore::BytesWarning", "ignore::DeprecationWarning"),
]

START = datetime(2030, 3, 4, 10, tzinfo=UTC)
ALARM = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT30M\nEND:VALARM"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def signed_in(demo: Demo, who: str) -> Any:
    """A client of somebody of the demonstration."""
    made: Any = DAVClient(url=url(demo), username=f"{who}@example.test", password=f"{who}-demo")
    return made


@pytest.fixture
def client(demo: Demo) -> Iterator[Any]:
    """Somebody of the demonstration, without anybody else's calendars."""
    with signed_in(demo, "dave") as client:
        yield client


@pytest.fixture
def made(client: Any) -> Iterator[Any]:
    """A calendar of its own, removed in the end."""
    made = client.principal().make_calendar("Calls", cal_id="calls")
    yield made
    made.delete()


def names(found: list[Any]) -> list[str]:
    """The summaries of what was found."""
    return [str(each.icalendar_component["summary"]) for each in found]


def test_calendars(client: Any) -> None:
    """Made with a kind of content, found by name, id and URL, with properties; made once; gone."""
    principal = client.get_principal()
    made = principal.make_calendar("Errands", "errands", supported_calendar_component_set=["VTODO"])
    assert made.get_supported_components() == ["VTODO"]
    for found in (
        principal.calendar(name="Errands"),
        principal.calendar(cal_id="errands"),
        Calendar(client, made.url),
    ):
        assert found.get_property(dav.DisplayName()) == "Errands"
    made.set_properties([dav.DisplayName("Ärrands"), ical.CalendarColor("#00ff00")])
    props = made.get_properties([dav.DisplayName(), ical.CalendarColor()])
    assert props[dav.DisplayName.tag] == "Ärrands"
    assert props[ical.CalendarColor.tag].upper().startswith("#00FF00")
    with pytest.raises(DAVError):
        principal.make_calendar("Errands", "errands")
    with pytest.raises(DAVError):
        made.add_event(dtstart=START, summary="An event among tasks")
    made.delete()
    with pytest.raises(NotFoundError):
        Calendar(client, url=made.url).get_supported_components()


def test_objects(client: Any, made: Any) -> None:
    """Stored once, replaced on purpose, not over the change of somebody else; fetched in lots."""
    first = made.add_event(uid="one", dtstart=START, summary="One")
    assert first.etag
    with pytest.raises(ConsistencyError):
        made.add_event(uid="one", dtstart=START, summary="Again", no_overwrite=True)
    with pytest.raises(ConsistencyError):
        made.add_event(uid="none", dtstart=START, summary="New", no_create=True)
    text = calendar(event("DTSTART:20300304T100000Z", "SUMMARY:Two", uid="two")).decode()
    two = made.add_event(text)

    [stale] = [each for each in made.get_events() if each.icalendar_component["uid"] == "one"]
    first.icalendar_component["summary"] = "First"
    first.save()
    stale.icalendar_component["summary"] = "Too late"
    with pytest.raises(ETagMismatchError):
        stale.save()
    first.load()
    assert first.icalendar_component["summary"] == "First"

    assert sorted(names(made.multiget([first.url, two.url]))) == ["First", "Two"]
    with pytest.raises(NotFoundError):
        made.multiget([made.url.join("gone.ics")], raise_notfound=True)
    two.load_by_multiget()
    assert made.event_by_url(first.url).icalendar_component["uid"] == "one"
    assert made.get_object_by_uid("two").url == two.url
    with pytest.raises(NotFoundError):
        made.get_event_by_uid("three")
    copied = first.copy()
    copied.save()
    assert len(made.get_events()) == 3
    copied.delete()
    assert len(made.get_objects_by_sync_token(disable_fallback=True).objects_by_url()) == 2


def test_searches(made: Any) -> None:
    """By time with open ends, by text, by what is not there, of all kinds, in order, expanded."""
    for number, lines in enumerate(
        (
            ("SUMMARY:Ünïcode", "CATEGORIES:work,red", "CLASS:PRIVATE"),
            ("SUMMARY:plain", "CATEGORIES:home", "RRULE:FREQ=DAILY;COUNT=5"),
            ("SUMMARY:Alarm", ALARM),
        )
    ):
        when = f"DTSTART:203003{4 + number:02}T100000Z"
        made.add_event(calendar(event(when, *lines, uid=f"s{number}")).decode())
    made.add_todo(summary="Task", due=START + 3 * DAY, categories=["work"], priority=1)
    made.add_todo(summary="Other task", priority=9)
    made.add_journal(summary="Entry", dtstart=date(2030, 3, 4))

    def events(**asked: Any) -> list[str]:
        return sorted(names(made.search(event=True, **asked)))

    assert events(start=START + 2 * DAY) == ["Alarm", "plain"]
    assert events(end=START + HOUR) == ["Ünïcode"]
    assert events(start=START + 4 * DAY, end=START + 5 * DAY) == ["plain"]
    assert events(summary="ïcode") == ["Ünïcode"]
    assert events(summary="lai") == ["plain"]
    assert events(category="red") == ["Ünïcode"]
    assert events(no_category=True) == ["Alarm"]
    assert events(no_class=True) == ["Alarm", "plain"]
    alarm = START + 2 * DAY - HOUR / 2
    assert events(alarm_start=alarm - HOUR, alarm_end=alarm + HOUR) == ["Alarm"]
    assert events(alarm_start=alarm + HOUR, alarm_end=alarm + 2 * HOUR) == []
    span = {"start": START, "end": START + 10 * DAY}
    assert len(made.search(event=True, expand=True, **span)) == 7
    assert len(made.search(event=True, expand=True, server_expand=True, **span)) == 7
    assert len(made.date_search(START, START + 10 * DAY, expand=False)) == 3
    for wanted, found, how in (
        ("plain", "plain", {"operator": "=="}),
        ("PLA", "plain", {"case_sensitive": False}),
        ("ÜNÏ", "Ünïcode", {"case_sensitive": False, "collation": Collation.UNICODE}),
    ):
        searcher = made.searcher(event=True)
        searcher.add_property_filter("SUMMARY", wanted, **how)
        assert names(searcher.search()) == [found]
    tasks = made.search(todo=True, sort_keys=["priority"], sort_reverse=True)
    assert names(tasks) == ["Other task", "Task"]
    assert names(made.search(todo=True, category="work")) == ["Task"]
    assert names(made.search(journal=True, start=START - DAY, end=START + DAY)) == ["Entry"]
    assert len(made.search()) == 6


def test_series(made: Any) -> None:
    """One instance is changed, cancelled or done; the whole series is moved."""
    daily = {"FREQ": "DAILY", "COUNT": 5}
    series = made.add_event(
        uid="d", dtstart=START, dtend=START + HOUR, summary="Daily", rrule=daily
    )

    def expanded(start: datetime, end: datetime, **how: Any) -> list[Any]:
        return list(made.search(event=True, expand=True, start=start, end=end, **how))

    def instances() -> list[tuple[str, datetime]]:
        found = expanded(START, START + 9 * DAY, server_expand=True)
        return sorted((names([each])[0], each.icalendar_component.start) for each in found)

    [third] = expanded(START + 2 * DAY, START + 2 * DAY + HOUR)
    third.icalendar_component["summary"] = "Other"
    third.save(only_this_recurrence=True)
    assert ("Other", START + 2 * DAY) in instances()
    assert len(instances()) == 5
    [fourth] = expanded(START + 3 * DAY, START + 3 * DAY + HOUR)
    fourth.cancel()
    series.load()
    assert "STATUS:CANCELLED" in series.data
    rule = {"FREQ": "WEEKLY", "COUNT": 3}
    weekly = made.add_todo(summary="Water", dtstart=START, due=START + HOUR, rrule=rule)
    weekly.complete(handle_rrule=True, rrule_mode="safe")
    [water] = made.get_todos()
    assert water.icalendar_component["rrule"]["COUNT"] == [2]
    task = made.add_todo(summary="Once", due=START)
    task.complete()
    assert names(made.get_todos()) == ["Water"]
    task.uncomplete()
    assert sorted(names(made.get_todos())) == ["Once", "Water"]


def test_relations(made: Any) -> None:
    """A task with parts knows them, and they know it."""
    parent = made.add_todo(summary="Concert", uid="parent")
    child = made.add_todo(summary="Programme", uid="child", parent=["parent"])
    assert {str(each) for each in child.get_relatives(fetch_objects=False)["PARENT"]} == {"parent"}
    parent.load()
    assert {str(each) for each in parent.get_relatives(fetch_objects=False)["CHILD"]} == {"child"}
    friend = made.add_event(summary="Rehearsal", uid="friend", dtstart=START)
    friend.set_relation("parent", reltype="SIBLING", set_reverse=False)
    friend.load()
    [found] = friend.get_relatives()["SIBLING"]
    assert found.icalendar_component["summary"] == "Concert"


def test_sync(made: Any) -> None:
    """New, changed and removed objects in several steps; a token of nobody is started over."""
    objects = [made.add_event(uid=f"y{n}", dtstart=START, summary=str(n)) for n in range(30)]
    known = made.get_objects_by_sync_token(load_objects=True, disable_fallback=True)
    assert len(list(known)) == 30
    objects[0].delete()
    objects[1].icalendar_component["summary"] = "changed"
    objects[1].save()
    made.add_event(uid="new", dtstart=START, summary="new")
    updated, deleted = known.sync()
    assert sorted(names(list(updated))) == ["changed", "new"]
    assert [each.url for each in deleted] == [objects[0].url]
    assert [len(list(each)) for each in known.sync()] == [0, 0]
    assert len(list(made.get_objects_by_sync_token(sync_token="urn:nobody:1"))) == 30


def test_scheduling(demo: Demo) -> None:
    """Busy times of a colleague, an invitation, the answer, the end of it; refused to strangers."""
    with signed_in(demo, "alice") as alice, signed_in(demo, "bob") as bob:
        boss, guest = alice.principal(), bob.principal()
        mine = boss.make_calendar("Meetings", cal_id="meetings")

        def inbox() -> list[Any]:
            return list(guest.schedule_inbox().get_items())

        before = {each.url for each in inbox()}
        text = calendar(
            event("DTSTART:20310505T100000Z", "DTEND:20310505T110000Z", "SUMMARY:Talk", uid="talk")
        ).decode()
        people = [boss.get_vcal_address(), guest.get_vcal_address(), "mailto:far@example.org"]
        meeting = mine.save_with_invites(text, people, partstat="NEEDS-ACTION", rsvp="TRUE")
        [invited] = [each for each in inbox() if each.url not in before]
        assert invited.is_invite_request()
        day = datetime(2031, 5, 5, tzinfo=UTC)
        busy = boss.freebusy_request(day, day + DAY, [people[1]])
        [told] = [each for who, each in busy.items() if "bob@example.test" in str(who)]
        assert "20310505T100000Z" in told.data

        default = next(c for c in guest.get_calendars() if str(c.url).endswith("/Calendar/"))
        [copy] = [each for each in default.get_events() if "UID:talk" in each.data]
        copy.change_attendee_status(partstat="ACCEPTED")
        copy.save()
        meeting.load()
        states = {str(a): a.params for a in meeting.icalendar_component["attendee"]}
        assert states["mailto:bob@example.test"]["partstat"] == "ACCEPTED"
        assert meeting.schedule_tag
        meeting.delete()
        [told] = [each for each in default.get_events() if "UID:talk" in each.data]
        assert "STATUS:CANCELLED" in told.data
        told.delete()
        for each in inbox():
            each.delete()
        assert inbox() == []
        with pytest.raises((AuthorizationError, NotFoundError)):
            Calendar(bob, url=mine.url).get_events()
        mine.delete()


def test_plain_requests(client: Any, made: Any) -> None:
    """What the library hands through: OPTIONS, PUT, PROPFIND, PROPPATCH, REPORT, DELETE."""
    address = str(made.url.join("plain.ics"))
    octets = calendar(event("DTSTART:20300304T100000Z", uid="plain"))
    assert client.put(address, octets, {"Content-Type": "text/calendar"}).status == 201
    assert "calendar-access" in client.options(address).headers["DAV"]
    asked = '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'
    found = client.propfind(str(made.url), asked, depth=1)
    assert found.status == 207
    assert b"plain.ics" in found.raw.encode()
    change = (
        '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>{}</D:prop></D:set></D:propertyupdate>'
    )
    body = change.format("<D:displayname>x</D:displayname>")
    assert client.proppatch(str(made.url), body).status == 207
    assert client.delete(address).status == 204


def test_asynchronous(demo: Demo, made: Any) -> None:
    """The same with asyncio: calendars, storing, searching, many at once."""

    async def run() -> list[str]:
        made_client: Any = get_async_davclient(
            url=url(demo), username="dave@example.test", password="dave-demo"
        )
        async with await made_client as client:
            principal = await client.get_principal()
            [mine] = [
                each for each in await principal.get_calendars() if str(each.url) == str(made.url)
            ]
            hours = [START + n * HOUR for n in range(8)]
            await asyncio.gather(
                *(mine.add_event(dtstart=hour, summary=f"a{hour.hour}") for hour in hours)
            )
            return names(await mine.search(event=True, start=START, end=START + 4 * HOUR))

    assert sorted(asyncio.run(run())) == ["a10", "a11", "a12", "a13"]
