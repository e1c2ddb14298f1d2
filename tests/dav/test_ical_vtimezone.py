"""VTIMEZONEs that the server writes: read back by their rules alone, they are the zones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from folkmoot.storage.content.ical.tree import Component, Limits, Property, parse, serialize
from folkmoot.storage.content.ical.vtimezone import vtimezone, with_timezones
from folkmoot.storage.content.ical.zones import RuleZone, zone_of
from tests.dav.calendars import event, read

_ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Europe/Dublin",
    "America/Caracas",
    "Asia/Tehran",
    "Pacific/Apia",
    "Antarctica/Troll",
    "America/Sao_Paulo",
    "Etc/GMT+5",
]


def by_rules(found: Component) -> RuleZone:
    """The zone of a VTIMEZONE under a name that nobody knows."""
    nameless = found.without("TZID", "X-LIC-LOCATION").plus(Property("TZID", (), "Nowhere"))
    again = parse(serialize(nameless), Limits())
    zone = zone_of(again)
    assert isinstance(zone, RuleZone)
    return zone


@pytest.mark.parametrize("name", _ZONES)
def test_it_is_the_zone(name: str) -> None:
    """Offsets agree with the IANA database on every fifth day, from 1970 to 2037."""
    found = vtimezone(name)
    assert found is not None
    zone, truth = by_rules(found), ZoneInfo(name)
    end = int(datetime(2038, 1, 1, tzinfo=UTC).timestamp())
    for at in range(0, end, 5 * 86_400 + 3_607):
        offset = datetime.fromtimestamp(at, UTC).astimezone(truth).utcoffset()
        assert offset is not None
        assert zone.from_utc(at) - at == offset.total_seconds(), datetime.fromtimestamp(at, UTC)


def test_rules_go_on() -> None:
    """Summer time of Berlin holds after the last year that was looked at."""
    found = vtimezone("Europe/Berlin")
    assert found is not None
    zone = by_rules(found)
    summer = int(datetime(2060, 7, 1, tzinfo=UTC).timestamp())
    assert zone.from_utc(summer) - summer == 7200
    assert len(found.components) < 12


def test_missing_ones_are_added() -> None:
    """A TZID without VTIMEZONE gets one under its own name; unknown names and stated ones stay."""
    found = with_timezones(
        read(event("DTSTART;TZID=Romance Standard Time:20260301T100000")).calendar
    )
    [zone] = [each for each in found.components if each.name == "VTIMEZONE"]
    assert zone.value("TZID") == "Romance Standard Time"
    assert zone.value("X-LIC-LOCATION") == "Europe/Paris"
    assert with_timezones(found) is found
    unknown = read(event("DTSTART;TZID=Middle-earth:20260301T100000")).calendar
    assert with_timezones(unknown) is unknown
