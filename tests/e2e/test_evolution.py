"""GNOME's calendars and contacts: Evolution's data server on a message bus of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from caldav.davclient import DAVClient

from tests.dav.calendars import calendar, event
from tests.dav.cards import card
from tests.e2e.conftest import Demo
from tests.e2e.test_carddav_clients import NAME, PASSWORD, call, home
from tests.kit.pace import patience

# The caldav library mixes octets and text.
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.client("Evolution"),
    pytest.mark.filterwarnings("ignore::BytesWarning"),
]

SCRIPT = Path(__file__).with_name("evolution.py")
BOOK = "Address Book"
START = "DTSTART:20300302T100000Z"


class Evolution:
    """Carol's account in the data server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, method: str, *words: object) -> Any:
        """Call a method of ``evolution.py``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, *words]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def found(self, text: str, *, there: bool = True, kind: str = "Calendar") -> str:
        """All objects of a source, once a text is among them, or not any more."""

        def seen() -> str:
            self("refresh", kind, "Contacts" if kind == BOOK else "Calendar")
            if kind == BOOK:
                return "\n".join(self("contacts", "Contacts"))
            return "\n".join(self("objects", "Calendar", "Calendar"))

        return str(until(seen, lambda objects: (text in objects) is there))


def until(look: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """What is seen, once it is what it should be."""
    end = time.monotonic() + patience(20)
    while not holds(seen := look()) and time.monotonic() < end:
        time.sleep(0.05)
    assert holds(seen), seen
    return seen


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Evolution]:
    """``evolution.py`` with a home and a message bus of its own."""
    (folder / "run").mkdir(mode=0o700)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "LANG": "C.UTF-8",
        "GSETTINGS_BACKEND": "memory",
        "GIO_USE_VFS": "local",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["dbus-run-session", "--", "/usr/bin/python3", SCRIPT],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdin is not None
        try:
            yield Evolution(process)
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait(20)


@pytest.fixture(scope="module")
def evolution(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evolution]:
    """The data server with an account that was found by the name of the host."""
    with started(tmp_path_factory.mktemp("evolution")) as made:
        made("add", demo.port(443), NAME, PASSWORD, demo.certificate)
        yield made


@pytest.fixture
def other(demo: Demo) -> Iterator[Any]:
    """Carol's own calendar in another program."""
    address = f"http://127.0.0.1:{demo.port(80)}/dav/"
    made: Any = DAVClient(url=address, username=NAME, password=PASSWORD)
    with made as client:
        calendars = client.principal().get_calendars()
        [found] = [each for each in calendars if str(each.url).endswith("/Calendar/")]
        yield found


def test_finds_everything(evolution: Evolution) -> None:
    """From the name of the host: calendars, tasks, memos and books, the group's read-only."""
    for kind, mine in (("Calendar", "Calendar"), ("Task List", "Tasks"), (BOOK, "Contacts")):
        group = f"{mine} (Choir)"
        assert evolution("writable", kind, mine)
        assert not evolution("writable", kind, group)
        names = evolution("sources", kind)
        assert {mine, group} <= {*names}
        assert len(names) == len({*names})
    assert "Colleagues" in evolution("sources", BOOK)
    assert "write" in evolution("may", "Calendar", "Calendar")
    assert "write" not in evolution("may", "Calendar", "Calendar (Choir)")
    assert {"Calendar", "Tasks", "Calendar (Choir)"} <= {*evolution("browse", "Calendar")}


def test_events(evolution: Evolution, other: Any) -> None:
    """An event of each side reaches the other, is changed, found by time and text, and removed."""
    there = other.save_event(calendar(event(START, "SUMMARY:Über", uid="evo-there")).decode())
    evolution.found("SUMMARY:Über")
    mine = event(START, "SUMMARY:Evolution's", "RRULE:FREQ=DAILY;COUNT=3", uid="evo-here")
    assert evolution("create", "Calendar", "Calendar", mine) == "evo-here"
    found = other.get_event_by_uid("evo-here")
    assert found.icalendar_component["summary"] == "Evolution's"

    evolution("modify", "Calendar", "Calendar", mine.replace("Evolution's", "Changed here"))
    found.load()
    assert found.icalendar_component["summary"] == "Changed here"
    found.icalendar_component["summary"] = "Changed there"
    found.save()
    evolution.found("SUMMARY:Changed there")
    within = '(occur-in-time-range? (make-time "20300304T000000Z") (make-time "20300305T000000Z"))'
    [hit] = evolution("objects", "Calendar", "Calendar", within)
    assert "UID:evo-here" in hit
    [hit] = evolution("objects", "Calendar", "Calendar", '(contains? "summary" "über")')
    assert "UID:evo-there" in hit

    there.delete()
    evolution.found("UID:evo-there", there=False)
    evolution("remove", "Calendar", "Calendar", "evo-here")
    assert not [each for each in other.get_events() if "evo-here" in each.data]


def test_tasks_and_memos(evolution: Evolution, other: Any) -> None:
    """A task and a memo are stored where the server has their kind."""
    for kind, name, part in (
        ("Task List", "Tasks", "VTODO"),
        ("Memo List", "Calendar", "VJOURNAL"),
    ):
        text = event("SUMMARY:Of Evolution", uid=f"evo-{part}", name=part)
        evolution("create", kind, name, text)
        assert any(f"evo-{part}" in each for each in evolution("objects", kind, name))
    [memo] = [each for each in other.get_journals() if "evo-VJOURNAL" in each.data]
    assert memo.icalendar_component["summary"] == "Of Evolution"
    evolution("remove", "Task List", "Tasks", "evo-VTODO")
    assert not any("evo-VTODO" in each for each in evolution("objects", "Task List", "Tasks"))


def test_meetings(demo: Demo, evolution: Evolution) -> None:
    """Busy times of a colleague are shown, and an invitation is in the colleague's calendar."""
    people = [f"{who}@example.test" for who in ("carol", "bob")]
    meeting = event(
        "DTSTART:20310302T100000Z",
        "DTEND:20310302T110000Z",
        f"ORGANIZER:mailto:{people[0]}",
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{people[0]}",
        f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{people[1]}",
        uid="evo-meeting",
    )
    evolution("create", "Calendar", "Calendar", meeting)
    day = 1930176000
    times = "\n".join(evolution("busy", "Calendar", day, day + 86400, people))
    assert times.count("20310302T100000Z/20310302T110000Z") == 2, times
    address = f"http://127.0.0.1:{demo.port(80)}/dav/"
    made: Any = DAVClient(url=address, username=people[1], password="bob-demo")
    with made as client:
        [mine] = [
            found
            for each in client.principal().get_calendars()
            if str(each.url).endswith("/Calendar/")
            for found in each.get_events()
            if "evo-meeting" in found.data
        ]
        mine.change_attendee_status(partstat="ACCEPTED")
        mine.save()
    accepted = re.compile(r"ATTENDEE[^\n]*PARTSTAT=ACCEPTED[^\n]*bob@example\.test")

    def invited() -> str:
        evolution("refresh", "Calendar", "Calendar")
        query = '(contains? "attendee" "bob@example.test")'
        [found] = evolution("objects", "Calendar", "Calendar", query)
        return str(found).replace("\r\n ", "")

    until(invited, lambda text: accepted.search(text) is not None)
    evolution("remove", "Calendar", "Calendar", "evo-meeting")


def test_contacts(demo: Demo, evolution: Evolution) -> None:
    """A card of each side reaches the other, is changed and found; colleagues are shown."""
    path = f"{home(demo)}Contacts/"
    call(demo, "PUT", f"{path}evo-there.vcf", card("EMAIL:there@example.org", uid="evo-there"))
    evolution.found("there@example.org", kind=BOOK)
    mine = card("EMAIL:here@example.org", "NOTE:Größe", uid="evo-here").decode()
    uid = evolution("add_contact", "Contacts", mine)
    assert "NOTE:Größe" in call(demo, "GET", f"{path}{uid}.vcf").decode()
    evolution("modify_contact", "Contacts", uid, "nickname", "Evo")
    assert b"NICKNAME:Evo" in call(demo, "GET", f"{path}{uid}.vcf")
    [hit] = evolution("contacts", "Contacts", '(is "email" "here@example.org")')
    assert "NICKNAME:Evo" in hit

    call(demo, "PUT", f"{path}{uid}.vcf", mine.replace("Größe", "Anders").encode())
    evolution.found("NOTE:Anders", kind=BOOK)
    call(demo, "DELETE", f"{path}evo-there.vcf")
    evolution.found("there@example.org", there=False, kind=BOOK)
    evolution("remove_contact", "Contacts", uid)
    assert not evolution("contacts", "Contacts", '(is "email" "here@example.org")')
    until(
        lambda: evolution("contacts", "Colleagues"),
        lambda cards: any("bob@example.test" in each for each in cards),
    )
    assert not evolution("writable", BOOK, "Colleagues")


def test_collections(evolution: Evolution) -> None:
    """A calendar and a book are made on the server, found again, filled and removed."""
    for kind, path in (("Calendar", "evo made/"), (BOOK, "evo-book/")):
        evolution("make", kind, "Made by Evolution", path)
        assert "Made by Evolution" in evolution("browse", kind)
        assert evolution("writable", kind, "Made by Evolution")
        evolution("drop", kind, path)
        assert "Made by Evolution" not in evolution("browse", kind)
