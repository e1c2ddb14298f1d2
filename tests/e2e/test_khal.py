"""khal in a terminal, on what vdirsyncer brings and takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from caldav.davclient import DAVClient

from tests.dav.calendars import calendar, event
from tests.e2e.conftest import Demo
from tests.e2e.test_caldav_clients import ZONE, Synced, program, url

# The caldav library mixes octets and text.
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.client("khal", "vdirsyncer"),
    pytest.mark.filterwarnings("ignore::BytesWarning"),
]

CONFIG = """
[calendars]
[[mine]]
path = {folder}
type = calendar

[default]
default_calendar = mine
highlight_event_days = False

[locale]
local_timezone = Europe/Berlin
default_timezone = Europe/Berlin
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M

[sqlite]
path = {cache}
"""
SPAN = {"start": datetime(2030, 5, 4, tzinfo=UTC), "end": datetime(2030, 5, 5, tzinfo=UTC)}
LINE = "{start}|{end}|{title}|{location}|{repeat-symbol}"


@pytest.fixture
def there(demo: Demo) -> Iterator[Any]:
    """A calendar of another program, which khal sees by the name ``khal``."""
    made: Any = DAVClient(url=url(demo), username="carol@example.test", password="carol-demo")
    with made as client:
        found = client.principal().make_calendar("khal", cal_id="khal")
        yield found
        found.delete()


def test_khal(demo: Demo, there: Any, tmp_path: Path) -> None:
    """Shows a series with its exception and a whole day, finds, makes, imports and changes."""
    zone = "TZID=Europe/Berlin"
    moved = event(
        f"RECURRENCE-ID;{zone}:20300401T090000",
        f"DTSTART;{zone}:20300401T150000",
        f"DTEND;{zone}:20300401T153000",
        "SUMMARY:Moved",
        uid="series",
    )
    series = event(
        f"DTSTART;{zone}:20300325T090000",
        f"DTEND;{zone}:20300325T093000",
        "RRULE:FREQ=WEEKLY",
        "SUMMARY:Weekly",
        "LOCATION:Größenstraße",
        uid="series",
    )
    there.save_event(calendar(ZONE, series, moved).decode())
    day = event("DTSTART;VALUE=DATE:20300326", "SUMMARY:Whole day", uid="day")
    there.save_event(calendar(day).decode())
    synced = Synced(demo, tmp_path / "synced", '["khal"]')
    synced.run("sync")
    config = tmp_path / "khal.conf"
    folder = synced.local / "khal"
    config.write_text(CONFIG.format(folder=folder, cache=tmp_path / "khal.db"))

    def khal(*words: str, stdin: str = "") -> str:
        return program("khal", "-c", config, "--no-color", *words, stdin=stdin)

    def listed(*span: str) -> list[str]:
        shown = khal("list", "--format", LINE, "--day-format", "", *span)
        return [line for line in shown.splitlines() if line]

    # The clocks change between the first and the second of the series.
    assert listed("2030-03-25", "2030-04-09") == [
        "2030-03-25 09:00|2030-03-25 09:30|Weekly|Größenstraße| ⟳",
        "2030-03-26|2030-03-26|Whole day||",
        "2030-04-01 15:00|2030-04-01 15:30|Moved|| ⟳",
        "2030-04-08 09:00|2030-04-08 09:30|Weekly|Größenstraße| ⟳",
    ]
    assert "Weekly" in khal("search", "Weekly")

    khal("new", "2030-05-02", "10:00", "11:30", "Made", "::", "in khal", "--location", "Here")
    khal("new", "2030-05-03", "Every day", "--repeat", "daily", "--until", "2030-05-05")
    brought = tmp_path / "brought.ics"
    lines = ("DTSTART:20300520T100000Z", "SUMMARY:Brought")
    brought.write_bytes(calendar(event(*lines, uid="brought")))
    khal("import", "--batch", "-a", "mine", str(brought))
    khal("edit", "Whole day", stdin="s\nA better day\nn\nq\n")
    synced.run("sync")
    found = {each.icalendar_component["summary"]: each for each in there.get_events()}
    assert {*found} >= {"Made", "Every day", "Brought", "A better day"}
    assert found["Made"].icalendar_component["location"] == "Here"
    assert f"{zone}:20300502T100000" in found["Made"].data
    within = there.search(event=True, **SPAN)
    assert [each.icalendar_component["summary"] for each in within] == ["Every day"]

    found["Made"].icalendar_component["summary"] = "Changed elsewhere"
    found["Made"].save()
    found["Brought"].delete()
    synced.run("sync")
    assert listed("2030-05-02", "2030-05-05") == [
        "2030-05-02 10:00|2030-05-02 11:30|Changed elsewhere|Here|",
        *(f"2030-05-0{n}|2030-05-0{n}|Every day|| ⟳" for n in (3, 4, 5)),
    ]
