"""Calendars with real programs: the caldav library, its server tester, and vdirsyncer."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from caldav.davclient import DAVClient
from caldav.lib.error import AuthorizationError, NotFoundError

from tests.dav.calendars import calendar, event
from tests.e2e.conftest import Demo

# The library mixes octets and text.
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::BytesWarning")]

#: What the tester does not find, and why; docs/clients.md says it with more words.
_OTHERWISE = {
    # A PUT into a calendar that there is not makes none: 409, as RFC 4918 section 9.7.1 says.
    "create-calendar.auto": "unsupported",
    # Filters for properties of components, or for times, on the whole calendar: RFC 4791 section
    # 9.7.1 gives them another meaning, and none.
    "search.text.comp-type-optional": "unsupported",
    "search.time-range.comp-type-optional": "unsupported",
    # "full" means that "@" and "%40" are two names; here they are one.
    "url.encode-at.identity": "unsupported",
    # There is no "@" in the URLs of principals and homes.
    "url.encode-at.literal.principal": "unknown",
}


def program(*words: str | Path, stdin: str = "", env: dict[str, str] | None = None) -> str:
    """The output of a program that was installed with the tests, and must succeed."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name(str(words[0]))), *map(str, words[1:])],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env=env,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def url(demo: Demo) -> str:
    """Where the DAV tree is."""
    return f"http://127.0.0.1:{demo.port(80)}/dav/"


# --- the server tester ----------------------------------------------------------------------------


@pytest.mark.client("caldav-server-tester")
def test_server_tester(demo: Demo, tmp_path: Path) -> None:
    """All of its features are supported but for five that no RFC asks for."""
    config = tmp_path / "calendar.json"
    # It does not try the well-known URL of 127.0.0.1; this is the same address.
    where = url(demo).replace("127.0.0.1", "127.1")
    people = {
        name: {
            "caldav_url": where,
            "caldav_username": f"{name}@example.test",
            "caldav_password": f"{name}-demo",
        }
        for name in ("bob", "carol")
    }
    config.write_text(json.dumps(people))
    output = program(
        *("caldav-server-tester", "--caldav-url", where),
        *("--caldav-username", "alice@example.test", "--caldav-password", "alice-demo"),
        *("--config-section", "bob", "--config-section", "carol", "--format", "hints"),
        env={"CALDAV_CONFIG_FILE": str(config), "HOME": str(tmp_path), "PATH": ""},
    )
    found: dict[str, dict[str, Any]] = ast.literal_eval(output)
    assert len(found) > 100
    told = {name: each["support"] for name, each in found.items() if "support" in each}
    assert {name: each for name, each in told.items() if each != "full"} == _OTHERWISE


# --- the library ----------------------------------------------------------------------------------


@pytest.fixture
def client(demo: Demo) -> Iterator[Any]:
    """Signed in as somebody of the demonstration."""
    with DAVClient(url=url(demo), username="bob@example.test", password="bob-demo") as client:
        yield client


@pytest.fixture
def made(client: Any) -> Iterator[Any]:
    """A calendar of its own, removed in the end."""
    made = client.principal().make_calendar("Library", cal_id="library")
    yield made
    made.delete()


@pytest.mark.client("caldav")
def test_library_finds_calendars(client: Any) -> None:
    """From the address of the server to the calendars with their names and components."""
    found = {each.get_display_name(): each for each in client.principal().get_calendars()}
    assert {"Calendar", "Tasks"} <= {*found}
    assert "Inbox" not in found
    assert found["Tasks"].get_supported_components() == ["VTODO"]
    client.check_dav_support()
    assert client.check_cdav_support()
    assert client.check_scheduling_support()


@pytest.mark.client("caldav")
def test_library_rejects_wrong_passwords(demo: Demo) -> None:
    """A wrong password is an error that the library understands."""
    client: Any = DAVClient(url=url(demo), username="bob@example.test", password="x")
    with client, pytest.raises(AuthorizationError):
        client.principal()


@pytest.mark.client("caldav")
def test_library_events(made: Any) -> None:
    """Save, find by UID, by time, expanded, by text; change, remove."""
    start = datetime(2026, 3, 2, 10, tzinfo=UTC)
    made.save_event(
        dtstart=start,
        dtend=start + timedelta(hours=1),
        uid="weekly",
        summary="Weekly",
        rrule={"FREQ": "WEEKLY", "COUNT": 10},
    )
    made.save_event(dtstart=start + timedelta(days=1), duration=timedelta(hours=2), summary="Once")
    span = {"start": start + timedelta(days=6), "end": start + timedelta(days=15)}
    [series] = made.search(event=True, **span)
    assert series.icalendar_component["uid"] == "weekly"
    expanded = made.search(event=True, expand=True, server_expand=True, **span)
    assert [each.icalendar_component.start for each in expanded] == [
        start + timedelta(days=7),
        start + timedelta(days=14),
    ]
    [once] = made.search(event=True, summary="Once")
    once.icalendar_component["summary"] = "Changed"
    once.save()
    assert made.search(event=True, summary="Changed")
    assert len(made.get_events()) == 2
    once.delete()
    with pytest.raises(NotFoundError):
        once.load()
    busy = made.freebusy_request(start, start + timedelta(days=20))
    assert busy.data.replace("\n ", "").count("Z/") == 3


@pytest.mark.client("caldav")
def test_library_tasks_and_journals(made: Any) -> None:
    """Tasks are pending until they are done; journals are found."""
    task = made.save_todo(summary="Sweep", due=datetime(2026, 3, 2, tzinfo=UTC))
    made.save_todo(summary="Dust")
    assert {each.icalendar_component["summary"] for each in made.get_todos()} == {"Sweep", "Dust"}
    task.complete()
    [left] = made.get_todos()
    assert left.icalendar_component["summary"] == "Dust"
    assert len(made.get_todos(include_completed=True)) == 2
    made.save_journal(summary="Diary", dtstart=datetime(2026, 3, 2, tzinfo=UTC))
    [entry] = made.get_journals()
    assert entry.icalendar_component["summary"] == "Diary"


@pytest.mark.client("caldav")
def test_library_sync(made: Any) -> None:
    """What changed since a token, and what is gone."""
    for number in range(3):
        made.save_event(calendar(event("DTSTART:20260302T100000Z", uid=f"e{number}")).decode())
    known = made.get_objects_by_sync_token(load_objects=True)
    assert len(list(known)) == 3
    made.get_event_by_uid("e1").delete()
    made.save_event(calendar(event("DTSTART:20260402T100000Z", uid="e2")).decode())
    changed = made.get_objects_by_sync_token(sync_token=known.sync_token)
    assert len(list(changed)) == 2
    updated, deleted = known.sync()
    assert (len(updated), len(deleted)) == (1, 1)


# --- vdirsyncer -----------------------------------------------------------------------------------

CONFIG = """
[general]
status_path = "{status}"

[pair calendars]
a = "local"
b = "remote"
collections = {collections}
metadata = ["displayname", "color"]
conflict_resolution = "b wins"
{pair}

[storage local]
type = "filesystem"
path = "{local}"
fileext = ".ics"

[storage remote]
type = "caldav"
url = "https://localhost:{port}/"
username = "{who}@example.test"
password = "{who}-demo"
{remote}
verify = "{certificate}"
"""


ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE"""


class Synced:
    """A folder of objects that vdirsyncer keeps like an account's calendars."""

    def __init__(
        self,
        demo: Demo,
        folder: Path,
        collections: str,
        who: str = "carol",
        *,
        pair: str = "",
        remote: str = "",
    ) -> None:
        self.local = folder / "local"
        self.local.mkdir(parents=True)
        certificate = folder / "server.pem"
        certificate.write_text(demo.certificate)
        self.config = folder / "config"
        self.config.write_text(
            CONFIG.format(
                status=folder / "status",
                local=self.local,
                collections=collections,
                port=demo.port(443),
                certificate=certificate,
                who=who,
                pair=pair,
                remote=remote,
            )
        )
        self.run("discover", answers="y\n" * 40)

    def run(self, *command: str, answers: str = "") -> str:
        """Run vdirsyncer, which must succeed."""
        return program("vdirsyncer", "-c", self.config, *command, stdin=answers)

    def octets(self, name: str) -> dict[str, bytes]:
        """The objects of a local calendar by UID."""
        found = {}
        for file in (self.local / name).glob("*.ics"):
            octets = file.read_bytes()
            match = re.search(rb"^UID:(\S+)", octets, re.MULTILINE)
            assert match is not None
            found[match[1].decode()] = octets.replace(b"\r\n", b"\n").strip()
        return found


@pytest.mark.client("vdirsyncer")
def test_vdirsyncer_both_ways(demo: Demo, tmp_path: Path) -> None:
    """A folder becomes a calendar, and what changes on either side reaches the other."""
    first = Synced(demo, tmp_path / "first", '["Vdir"]')
    mine = first.local / "Vdir"
    zoned = event("DTSTART;TZID=Europe/Berlin:20260302T100000", "RRULE:FREQ=DAILY", uid="zoned")
    sent = {
        "zoned": calendar(ZONE, zoned),
        "day": calendar(event("DTSTART;VALUE=DATE:20260302", "SUMMARY:Größe", uid="day")),
        "task": calendar(event("DUE:20260302T100000Z", uid="task", name="VTODO")),
    }
    for name, octets in sent.items():
        (mine / f"{name}.ics").write_bytes(octets)
    first.run("sync")
    other = Synced(demo, tmp_path / "other", '["Vdir"]')
    other.run("sync")
    there = other.octets("Vdir")
    assert {*there} == {"zoned", "day", "task"}
    assert there["day"] == sent["day"].replace(b"\r\n", b"\n").strip()

    changed = sent["day"].replace(b"SUMMARY:", b"SUMMARY:Neue ")
    (mine / "day.ics").write_bytes(changed)
    (mine / "new.ics").write_bytes(calendar(event("DTSTART:20260302T100000Z", uid="here")))
    next(
        each for each in (other.local / "Vdir").iterdir() if b"UID:task" in each.read_bytes()
    ).unlink()
    added = calendar(event("DTSTART:20260302T100000Z", uid="there"))
    (other.local / "Vdir" / "there.ics").write_bytes(added)
    for each in (other, first, other):
        each.run("sync")
    assert first.octets("Vdir") == other.octets("Vdir")
    assert {*first.octets("Vdir")} == {"zoned", "day", "here", "there"}
    assert "Neue Größe" in other.octets("Vdir")["day"].decode()


@pytest.mark.client("vdirsyncer")
def test_vdirsyncer_finds_what_is_there(demo: Demo, tmp_path: Path) -> None:
    """From nothing but a host name: the calendars of the account, their names and colours."""
    synced = Synced(demo, tmp_path / "all", '["from b"]', "eve")
    synced.run("sync")
    names = {each.name for each in synced.local.iterdir() if each.is_dir()}
    assert {"Calendar", "Tasks"} <= names
    assert not {"Inbox", "Outbox"} & names
    synced.run("metasync")
    (synced.local / "Calendar" / "displayname").write_text("Mein Kalender & mehr")
    (synced.local / "Calendar" / "color").write_text("#00FF00")
    synced.run("metasync")
    again = Synced(demo, tmp_path / "again", '["from b"]', "eve")
    again.run("metasync")
    assert (again.local / "Calendar" / "displayname").read_text() == "Mein Kalender & mehr"
    assert (again.local / "Calendar" / "color").read_text().upper().startswith("#00FF00")


def of_the_group(demo: Demo, who: str) -> str:
    """What the calendar of the group is called in somebody's home."""
    name, password = f"{who}@example.test", f"{who}-demo"
    made: Any = DAVClient(url=url(demo), username=name, password=password)
    with made as client:
        calendars = client.principal().get_calendars()
        names = {each.get_display_name(): str(each.url) for each in calendars}
    [found] = [path for name, path in names.items() if name.startswith("Calendar (")]
    return found.rstrip("/").rpartition("/")[2]


@pytest.mark.client("vdirsyncer")
def test_vdirsyncer_in_a_group(demo: Demo, tmp_path: Path) -> None:
    """Who may write there does; readers get it all, and what they change goes nowhere."""
    name = of_the_group(demo, "bob")
    assert name == of_the_group(demo, "carol")
    writer = Synced(demo, tmp_path / "writer", f'["{name}"]', "bob")
    new = writer.local / name / "new.ics"
    new.write_bytes(calendar(event("DTSTART:20260302T100000Z", "SUMMARY:Probe", uid="probe")))
    writer.run("sync")
    words = {"pair": 'partial_sync = "ignore"', "remote": "read_only = true"}
    reader = Synced(demo, tmp_path / "reader", f'["{name}"]', **words)
    reader.run("sync")
    assert reader.octets(name)["probe"] == writer.octets(name)["probe"]

    stubborn = Synced(demo, tmp_path / "stubborn", f'["{name}"]')
    stubborn.run("sync")
    mine = calendar(event("DTSTART:20260302T100000Z", uid="mine"))
    for each in (stubborn, reader):
        (each.local / name / "mine.ics").write_bytes(mine)
    with pytest.raises(AssertionError, match="403"):
        stubborn.run("sync")
    reader.run("sync")
    (writer.local / name / "new.ics").unlink()
    writer.run("sync")
    reader.run("sync")
    assert "probe" not in reader.octets(name)
    assert "mine" not in writer.octets(name)
