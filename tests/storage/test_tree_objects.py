"""Calendars and address books in the store: rules of what they hold, and queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from folkmoot.storage.content.ical.query import (
    CalendarFilter,
    CompFilter,
    PropFilter,
    TextMatch,
)
from folkmoot.storage.content.ical.spans import TimeRange
from folkmoot.storage.content.ical.zones import UTC
from folkmoot.storage.content.vcard import filters as cards
from folkmoot.storage.errors import (
    NotFound,
    OverQuota,
    PermissionDenied,
    RuleBroken,
    Unchangeable,
)
from folkmoot.storage.types import ALL_RIGHTS, Limit, Right, Tool
from folkmoot.storage.types_tree import (
    DEFAULT,
    SCHEDULE_INBOX,
    SCHEDULE_OUTBOX,
    Entry,
    NewFolder,
)
from tests.dav.calendars import at, calendar, event
from tests.dav.cards import card
from tests.storage.mail_kit import sql
from tests.storage.tree_kit import RED, Person, World, refused

HOME, BOOKS = "calendar:", "contacts:"
WORK, BOOK = "calendar:Calendar", "contacts:Contacts"
DAILY = "RRULE:FREQ=DAILY;COUNT=100"
LONG_UID = "".join(chr(0x20000 + number * 7919 % 40_000) for number in range(250))  # 1,000 octets
A_DAY = TimeRange(at("2024-03-10"), at("2024-03-11"))


def contact(person: Person, place: str, uid: str | None, *lines: str) -> None:
    """Put a contact."""
    person.put(f"contacts:{place}", card(*lines, uid=uid))


def rule(person: Person, work: object) -> tuple[str, str]:
    """(rule, name) of a refusal that changes nothing."""
    with refused(person, RuleBroken) as caught:
        assert callable(work)
        work()
    return caught.value.rule, caught.value.name


# --- what is there from the start -----------------------------------------------------------------


def test_first_folders(alice: Person) -> None:
    """Two calendars, an address book, and the two collections of RFC 6638."""
    homes = {tool: alice.members(f"{tool}:") for tool in ("calendar", "contacts", "documents")}
    found = {
        tool: {e.node.name: (e.node.special_use, e.node.components) for e in entries}  # type: ignore[union-attr]
        for tool, entries in homes.items()
    }
    all_of_them = ("VEVENT", "VTODO", "VFREEBUSY")
    assert found == {
        "calendar": {
            "Calendar": (DEFAULT, ("VEVENT", "VJOURNAL")),
            "Inbox": (SCHEDULE_INBOX, all_of_them),
            "Outbox": (SCHEDULE_OUTBOX, all_of_them),
            "Tasks": ("", ("VTODO",)),
        },
        "contacts": {"Contacts": (DEFAULT, ())},
        "documents": {},
    }
    assert "Calendar" in homes["calendar"][0].properties["{DAV:}displayname"]


def test_what_must_stay(alice: Person) -> None:
    """Inbox and Outbox neither go nor move; the calendar that takes invitations does not go."""
    for name in ("Inbox", "Outbox"):
        with refused(alice, Unchangeable):
            alice.delete(f"{HOME}{name}")
        with refused(alice, Unchangeable):
            alice.move(f"{HOME}{name}", f"{HOME}Other")
        with refused(alice, Unchangeable):
            alice.copy(f"{HOME}Tasks", f"{HOME}{name}", overwrite=True)
    assert rule(alice, lambda: alice.delete(WORK))[0] == "default-calendar-needed"
    over = lambda: alice.copy(f"{HOME}Tasks", WORK, overwrite=True)  # noqa: E731
    assert rule(alice, over)[0] == "default-calendar-needed"
    alice.move(WORK, f"{HOME}Mine")
    assert alice.folder(f"{HOME}Mine").special_use == DEFAULT
    alice.delete(f"{HOME}Tasks")
    assert alice.names(HOME) == ["Inbox", "Mine", "Outbox"]


def test_the_default_calendar_does_not_leave_its_space(alice: Person, bob: Person) -> None:
    """What another calendar or book was for in its old space it is not in the new one."""
    leave = lambda: alice.move(WORK, bob.at(f"{HOME}New"))  # noqa: E731
    assert rule(alice, leave)[0] == "default-calendar-needed"
    alice.move(BOOK, bob.at(f"{BOOKS}New"))
    assert bob.folder(f"{BOOKS}New").special_use == ""
    alice.copy(WORK, bob.at(f"{HOME}New"))
    assert bob.folder(f"{HOME}New").special_use == ""
    assert bob.folder(f"{HOME}New").components == ("VEVENT", "VJOURNAL")


def test_calendars_and_books_hold_no_further_ones(alice: Person) -> None:
    """RFC 4791 section 4.2, RFC 6352 section 5.2: whichever way they come."""
    alice.make(f"{HOME}New", NewFolder({RED: "<red/>"}, ("VTODO",)))
    assert alice.folder(f"{HOME}New").components == ("VTODO",)
    assert alice.properties(f"{HOME}New") == {RED: "<red/>"}
    kinds = {WORK: "calendar", f"{HOME}Inbox": "calendar", BOOK: "addressbook"}
    for place, kind in kinds.items():
        found = rule(alice, partial(alice.make, f"{place}/x"))
        assert found == (f"{kind}-collection-location-ok", "")
    for go in (alice.move, alice.copy):
        found = rule(alice, partial(go, f"{HOME}New", f"{WORK}/x"))
        assert found == ("calendar-collection-location-ok", "")


# --- what they take -------------------------------------------------------------------------------


def test_an_object_is_stored_as_it_came(alice: Person) -> None:
    """Octet for octet, with what it is of."""
    octets = calendar(event("DTSTAMP:20240101T000000Z", "DTSTART;VALUE=DATE:20240304", uid="e"))
    stored = alice.put(f"{WORK}/e.ics", octets)
    assert (stored.item.component, stored.changed) == ("VEVENT", False)
    assert alice.octets(f"{WORK}/e.ics") == octets
    contact(alice, "Contacts/c.vcf", "c", "KIND:group")
    assert alice.item(f"{BOOK}/c.vcf").component


def test_a_contact_without_uid_is_given_one(alice: Person) -> None:
    """And may be replaced by its client, which does not know of it."""
    stored = alice.put(f"{BOOK}/c.vcf", card(uid=None))
    assert stored.changed
    assert b"UID:urn:uuid:" in alice.octets(f"{BOOK}/c.vcf")
    assert alice.put(f"{BOOK}/c.vcf", card("NOTE:x", uid=None)).changed
    assert not alice.put(f"{BOOK}/d.vcf", card(uid="d")).changed


@pytest.mark.parametrize(
    ("place", "body", "broken"),
    [
        (WORK, b"", "valid-calendar-data"),
        (WORK, b"\xff\x00", "valid-calendar-data"),
        (WORK, calendar(event("DTSTART:20240101T000000Z", "SUMMARY:a\0b")), "valid-calendar-data"),
        (WORK, calendar(), "valid-calendar-object-resource"),
        (WORK, b"x" * (2 << 20), "max-resource-size"),
        (WORK, calendar(event("DTSTAMP:20240101T000000Z", name="VTODO")), ""),
        (f"{HOME}Tasks", calendar(event("DTSTART:20240101T000000Z")), ""),
        (BOOK, b"", "valid-address-data"),
        (BOOK, b"\xff\x00", "valid-address-data"),
        (BOOK, card("NOTE:a\0b"), "valid-address-data"),
        (BOOK, b"x" * (2 << 20), "max-resource-size"),
    ],
)
def test_what_they_do_not_take(alice: Person, place: str, body: bytes, broken: str) -> None:
    """Each with the rule's name; a task is no event."""
    found = rule(alice, lambda: alice.put(f"{place}/x", body))[0]
    assert found == (broken or "supported-calendar-component")


def test_a_calendar_takes_what_it_says(alice: Person) -> None:
    """Also by copy and move; one that says nothing takes all."""
    alice.event("Tasks/t.ics", "t", name="VTODO")
    alice.event("Calendar/e.ics", "e")
    for go in (alice.copy, alice.move):
        for source, target in (
            (f"{HOME}Tasks/t.ics", f"{WORK}/t.ics"),
            (f"{WORK}/e.ics", f"{HOME}Tasks/e.ics"),
        ):
            found = rule(alice, partial(go, source, target))
            assert found == ("supported-calendar-component", "")
    alice.make(f"{HOME}All")
    alice.move(f"{HOME}Tasks/t.ics", f"{HOME}All/t.ics")
    alice.move(f"{WORK}/e.ics", f"{HOME}All/e.ics")
    assert alice.names(f"{HOME}All") == ["e.ics", "t.ics"]


@pytest.mark.parametrize("tool", [Tool.CALENDAR, Tool.CONTACTS])
def test_a_uid_is_one_member(alice: Person, tool: Tool) -> None:
    """By put, copy and move; the refusal names who has it. Other collections may have it too."""

    def put(place: str, uid: str) -> None:
        if tool is Tool.CALENDAR:
            alice.event(place, uid)
        else:
            contact(alice, place, uid)

    a, b = f"{tool}:A", f"{tool}:B"
    alice.make(a)
    alice.make(b)
    put("A/1", "one")
    taken = ("no-uid-conflict", "1")
    assert rule(alice, lambda: put("A/2", "one")) == taken
    assert rule(alice, lambda: alice.copy(f"{a}/1", f"{a}/2")) == taken
    put("A/1", "one")
    put("B/2", "one")
    assert rule(alice, lambda: alice.copy(f"{b}/2", f"{a}/2")) == taken
    assert rule(alice, lambda: alice.move(f"{b}/2", f"{a}/2")) == taken
    # rfc4791#5.3.2.1: nor does a member become another one.
    assert rule(alice, lambda: put("A/1", "two")) == taken
    alice.move(f"{a}/1", f"{a}/3")
    alice.move(f"{b}/2", f"{a}/3", overwrite=True)
    alice.delete(f"{a}/3")
    put("A/4", "one")
    alice.copy(a, b, overwrite=True)
    assert rule(alice, lambda: put("B/5", "one")) == ("no-uid-conflict", "4")
    put("B/4", "one")


def test_uids_are_compared_as_octets(alice: Person) -> None:
    """Case counts, and a UID may be long and far from ASCII, as far as databases can index it."""
    for number, uid in enumerate(["u", "U", "u\u0301", "\u00fa", LONG_UID]):
        alice.event(f"Calendar/{number}", uid)
        contact(alice, f"Contacts/{number}", uid)
    assert len(alice.names(WORK)) == len(alice.names(BOOK)) == 5
    too_long = LONG_UID + "x"
    refusals = [
        rule(alice, lambda: alice.event("Calendar/x", too_long))[0],
        rule(alice, lambda: contact(alice, "Contacts/x", too_long))[0],
    ]
    assert refusals == ["valid-calendar-object-resource", "valid-address-data"]


def test_limits_of_calendars(world: World, alice: Person) -> None:
    """Items are what small plans count."""
    world.limit(alice, Tool.CALENDAR, Limit(None, 2))
    alice.event("Calendar/1", "1")
    alice.event("Calendar/2", "2")
    with refused(alice, OverQuota):
        alice.event("Calendar/3", "3")
    alice.event("Calendar/1", "1", DAILY)
    assert alice.usage(Tool.CALENDAR)[1] == 2


# --- rows beside items ----------------------------------------------------------------------------


def test_what_queries_need_goes_along(alice: Person, bob: Person) -> None:
    """Copied, moved, replaced and removed with the item, in folders and alone."""

    def rows() -> list[tuple[int, int, str]]:
        return sorted(
            (space, item, uid)
            for space, item, uid in sql(
                alice.world.store,
                "SELECT c.space_id, o.item_id, o.uid FROM calendar_objects o"
                " JOIN collections c ON c.id = o.folder_id",
            )
        )

    first = alice.event("Calendar/1", "1").item.id
    alice.event("Calendar/2", "2", DAILY)
    assert len(rows()) == 2
    alice.copy(WORK, f"{HOME}Copy")
    assert [row[2] for row in rows()] == ["1", "2", "1", "2"]
    alice.move(f"{WORK}/1", bob.at(f"{WORK}/1"))
    assert (bob.space, first, "1") in rows()
    alice.move(f"{HOME}Copy", bob.at(f"{HOME}Copy"))
    assert [row[0] for row in rows()] == [alice.space, *[bob.space] * 3]
    bob.copy(f"{WORK}/1", alice.at(f"{WORK}/1"))
    bob.delete(f"{HOME}Copy")
    bob.delete(f"{WORK}/1")
    assert [row[2] for row in rows()] == ["2", "1"]


# --- queries --------------------------------------------------------------------------------------


def asked(component: str = "VEVENT", **parts: object) -> CalendarFilter:
    """A filter on components of a calendar."""
    inner = replace(CompFilter(component), **parts)  # type: ignore[arg-type]
    return CompFilter("VCALENDAR", comp_filters=(inner,))


def found(person: Person, place: str, filter_: CalendarFilter) -> list[str]:
    """Names of the items of a calendar that match."""
    folder = person.folder(place).id
    ids = person.do(person.tree.find_objects(folder, filter_, UTC))
    entries = person.do(person.tree.numbered(folder, ids, list, data=True, budget=10**9))
    assert [entry.node.id for entry in entries] == ids
    assert all(entry.data == person.octets(f"{place}/{entry.node.name}") for entry in entries)
    return [entry.node.name for entry in entries]


def test_calendar_queries(alice: Person) -> None:
    """By time (one event, a series, one without end, floating), text, component."""
    alice.make(f"{HOME}All")
    alice.event("All/once", "1", "SUMMARY:Lunch with Jos\u00e9")
    alice.event("All/series", "2", DAILY, "SUMMARY:Stand-up")
    alice.event("All/ever", "3", "RRULE:FREQ=DAILY", "SUMMARY:For ever")
    alice.event("All/task", "4", name="VTODO")
    lines = ("DTSTAMP:20240101T000000Z", "DTSTART:20240310T100000", "DURATION:PT1H")
    alice.put(f"{HOME}All/floating", calendar(event(*lines, uid="5")))
    place = f"{HOME}All"
    assert found(alice, place, asked(time_range=A_DAY)) == ["series", "ever", "floating"]
    later = TimeRange(at("2060-01-01"), at("2060-01-02"))
    assert found(alice, place, asked(time_range=later)) == ["ever"]
    assert found(alice, place, asked(time_range=TimeRange(at("2024-06-30"), None))) == ["ever"]
    before = TimeRange(None, at("2024-03-05"))
    assert found(alice, place, asked(time_range=before)) == ["once", "series", "ever"]
    assert found(alice, place, asked()) == ["once", "series", "ever", "floating"]
    assert found(alice, place, asked("VTODO")) == ["task"]
    absent = asked("VEVENT", is_not_defined=True)
    assert found(alice, place, absent) == ["task"]
    text = PropFilter("SUMMARY", text_match=TextMatch("lunch"))
    assert found(alice, place, asked(prop_filters=(text,))) == ["once"]
    none = PropFilter("SUMMARY", text_match=TextMatch("%"))
    assert found(alice, place, asked(prop_filters=(none,))) == []
    bare = PropFilter("SUMMARY", is_not_defined=True)
    assert found(alice, place, asked(prop_filters=(bare,))) == ["floating"]


def test_contact_queries(alice: Person) -> None:
    """By text that is folded, and by what the facts do not hold."""
    contact(alice, "Contacts/1", "1", "FN:J\u00f6rg M\u00fcller", "EMAIL:joerg@example.org")
    contact(alice, "Contacts/2", "2", "FN:Ana Souza", "TEL;TYPE=CELL:+55 11")
    folder = alice.folder(BOOK).id

    def search(*props: cards.PropFilter) -> list[str]:
        ids = alice.do(alice.tree.find_cards(folder, cards.Filter(props)))
        entries = alice.do(alice.tree.numbered(folder, ids, list, data=False, budget=0))
        assert all(entry.data is None for entry in entries)
        return [entry.node.name for entry in entries]

    def text(name: str, value: str) -> cards.PropFilter:
        return cards.PropFilter(name, text_matches=(cards.TextMatch(value),))

    assert search(text("FN", "M\u00dcLLER")) == ["1"]
    assert search(text("FN", "a")) == ["2"]
    assert search(text("FN", "m\u00fcller"), text("FN", "SOUZA")) == ["1", "2"]
    assert search(text("EMAIL", "%")) == []
    assert search(cards.PropFilter("TEL", is_not_defined=True)) == ["1"]
    cell = cards.ParamFilter("TYPE", text_match=cards.TextMatch("cell"))
    assert search(cards.PropFilter("TEL", param_filters=(cell,))) == ["2"]
    assert search() == ["1", "2"]


def test_multiget(alice: Person) -> None:
    """By name, in the order of the question, within a budget of octets but never none."""
    for number in range(250):
        alice.event(f"Calendar/{number}", str(number))
    folder, size = alice.folder(WORK).id, alice.item(f"{WORK}/0").size

    def get(names: list[str], budget: int = 10**9, *, data: bool = True) -> list[Entry]:
        call = alice.tree.named(folder, names, list, data=data, budget=budget)
        return alice.do(call)

    names = [str(number) for number in range(249, -1, -1)]
    entries = get([*names, "gone", "0", "249"])
    assert [entry.node.name for entry in entries] == names
    assert all(
        entry.data is not None and f"UID:{entry.node.name}\r\n".encode() in entry.data
        for entry in entries
    )
    assert len(get(names, budget=0)) == 1
    assert len(get(["1", "2", "3"], budget=2 * size)) == 2
    assert len(get(["1", "2", "3"], budget=2 * size - 1)) == 1
    assert [entry.data for entry in get(["1", "2"], budget=0, data=False)] == [None, None]
    assert get([]) == get(["gone"]) == []
    assert [entry.node.name for entry in get(["1"])] == ["1"]


def test_queries_need_read(world: World, alice: Person, bob: Person) -> None:
    """From every way to content: a calendar that may be known but not read, or not known."""
    item = alice.event("Calendar/1", "1").item
    folder, account = item.folder_id, bob.actor.account_id
    contact(alice, "Contacts/1", "1")
    for rights, error in (
        (ALL_RIGHTS & ~(Right.READ | Right.INSERT | Right.BUSY), PermissionDenied),
        (Right.NONE, NotFound),
    ):
        world.policy.limited = {
            (account, folder): rights,
            (account, alice.folder(BOOK).id): rights,
        }
        calls: list[Callable[[], Deferred[Any]]] = [
            lambda: bob.tree.find_objects(folder, asked(), UTC),
            lambda: bob.tree.find_cards(alice.folder(BOOK).id, cards.Filter()),
            lambda: bob.tree.named(folder, ["1"], list, data=True, budget=1),
            lambda: bob.tree.numbered(folder, [item.id], list, data=True, budget=1),
            lambda: bob.tree.changes(folder, 0, None),
            lambda: bob.tree.body(item),
        ]
        for call in calls:
            with pytest.raises(error):
                bob.do(call())
    world.policy.limited = {(account, folder): Right.LOOKUP}
    assert bob.do(bob.tree.entries(folder, list)) == []
    assert bob.do(bob.tree.find(alice.at(f"{WORK}/1"))).entry is None
